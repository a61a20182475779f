//! What will be: a building's load, PV, sessions and prices as calibrated quantiles, from what was known at the time.
//!
//! This crate knows `kwartier-data` alone. It opens no file and reads no clock: a [`Past`](kwartier_data::history::Past)
//! comes in, beliefs go out.
//!
//! | module | holds |
//! |---|---|
//! | [`backtest`] | methods over a history, origin by origin, and how good they were |
//! | [`load`], [`pv`], [`sessions`] | what is forecast |
//! | [`naive`] | the obvious guesses that all others are measured against |
//! | [`method`] | the trait behind which every method of forecasting a series stands |
//! | [`metrics`] | how good forecasts were |
//! | [`prior`] | buildings of which nothing is known but kind and size |
//! | [`saved`] | fitted methods as files |
//! | [`standing`] | whether a model beats the obvious guesses on days held back |

pub mod backtest;
mod boost;
mod calendar;
mod calibrate;
mod grid;
pub mod load;
pub mod method;
pub mod metrics;
mod mix;
pub mod naive;
pub mod prior;
pub mod pv;
pub mod saved;
mod series;
pub mod sessions;
pub mod standing;
