//! The words of Kwartier: what a plan is made from and what it says, with units, file formats and checks.
//!
//! This crate knows no other crate of the workspace. It opens no file and reads no clock: bytes come in, checked values
//! or a [`Refusal`] that names every fault go out.
//!
//! | module | holds |
//! |---|---|
//! | [`finding`] | [`Finding`]: what a check says of a site, its file or its tables, from errors to notes |
//! | [`instance`] | [`Instance`], all a day-ahead plan depends on, checked; [`instance::parse`] reads it |
//! | [`instance::wire`] | its JSON shape, for writing files and for handing instances to other processes |
//! | [`json`] | reading JSON so that whoever wrote it learns where it is wrong |
//! | [`plan`] | [`Plan`], the answer, which is its own JSON shape; [`plan::parse`] reads it |
//! | [`refusal`] | [`Refusal`] and [`Fault`]: why a file cannot be used, by JSON path, with the remedy |
//! | [`site`] | [`Site`](site::Site), what an installer hands over and an operator keeps: its file and its checks |
//! | [`tables`] | boards and stations as spreadsheets, read and written |
//! | [`site::tariff`] | what a kWh costs on a day, with its parts |
//! | [`local`] | wall clocks: zones, local days, times of day, days of the week, public holidays |
//! | [`feeds`] | what feeds of prices, weather, PV power and carbon intensity answer |
//! | [`series`] | [`Series`](series::Series): prices, the building's draw, PV power, meters, from CSV and Parquet files |
//! | [`quality`] | [`quality::clean`]: defects of a series found, left out or put right |
//! | [`history`] | [`History`](history::History): what was measured, and [`Past`](history::Past): what of it was known when |
//! | [`sessions`] | charging sessions as files hold them |
//! | [`forecast`] | [`Forecast`](forecast::Forecast): means and quantiles |
//! | [`roster`] | who stays where, when, and needs how much |
//! | [`compose`] | [`compose::instance`]: all of that as a planning instance |
//!
//! The file formats are described in `docs/formats/`. Units stand at the end of a name: `_a` ampere RMS per phase, `_kw`,
//! `_kwh`, `_v` volt, `_eur_kwh` EUR per kWh.

pub mod compose;
pub mod feeds;
pub mod finding;
pub mod forecast;
pub mod history;
pub mod instance;
pub mod json;
pub mod local;
pub mod plan;
pub mod quality;
pub mod refusal;
pub mod roster;
pub mod series;
pub mod sessions;
pub mod site;
mod table;
pub mod tables;
mod text;

pub use finding::{Finding, Severity};
pub use instance::{
    Battery, Charger, Grid, Instance, Load, MAX_SLOTS, Node, PHASE_NAMES, PhaseIndex, Pv, Session, V2g,
};
pub use plan::{
    BatteryPlan, BoardLimit, BoardPrice, BoundBy, LoadPlan, Made, Plan, Prices, PvPlan, SessionPlan, Status,
};
pub use refusal::{Fault, Refusal};
