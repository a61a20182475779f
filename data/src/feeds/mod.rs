//! What feeds of prices, weather, PV power and carbon intensity answer: bytes in, typed values out.
//!
//! A feed is believed in nothing. Each of its answers becomes values on UTC intervals, cut to what was asked for, with
//! what is missing said aloud, or [`NoValues`], which tells what to do next. Nothing here opens a socket or reads a
//! clock; what was asked, and when the answer came, are arguments. The formats and their traps are in
//! `docs/formats/feeds.md`.
//!
//! | module | feed | gives |
//! |---|---|---|
//! | [`entsoe`] | ENTSO-E transparency platform, document A44 | [`Prices`] |
//! | [`energy_charts`] | Energy-Charts of Fraunhofer ISE | [`Prices`], [`Carbon`] |
//! | [`energyzero`], [`energyzero_graphql`] | EnergyZero, both interfaces | [`Prices`] |
//! | [`awattar`] | aWATTar | [`Prices`] |
//! | [`nordpool`] | Nord Pool's data portal | [`Prices`] |
//! | [`tibber`] | Tibber | [`Prices`] |
//! | [`octopus`] | Octopus Energy | [`Prices`] |
//! | [`open_meteo`] | Open-Meteo | [`SkyForecast`] |
//! | [`forecast_solar`] | forecast.solar | [`Values`] of [`PvPower`] |
//! | [`solcast`] | Solcast | [`Values`] of [`PvPower`] |
//! | [`electricity_maps`] | Electricity Maps | [`Values`] of [`Carbon`] |
//! | [`national_grid`] | carbon intensity of Great Britain | [`Values`] of [`Carbon`] |
//! | [`file`](mod@file) | CSV and Parquet files | all but weather, which [`read_weather`](crate::history::read_weather) reads |
//! | [`push`] | what a customer's own system sends as JSON | all |

pub mod awattar;
pub mod electricity_maps;
pub mod energy_charts;
pub mod energyzero;
pub mod energyzero_graphql;
pub mod entsoe;
pub mod file;
pub mod forecast_solar;
pub mod national_grid;
pub mod nordpool;
pub mod octopus;
pub mod open_meteo;
pub mod push;
pub mod solcast;
pub mod tibber;

mod area;
mod body;
mod carbon;
mod outcome;
mod price;
mod pv;
mod rows;
mod sky;
mod stamps;
mod xml;

pub use area::{AREAS, Area};
pub use body::{Answer, MAX_BYTES};
pub use carbon::Carbon;
pub use outcome::NoValues;
pub use price::{Covers, Currency, Price, Prices};
pub use pv::PvPower;
pub use rows::{Row, Span, Values};
pub use sky::SkyForecast;
