//! What will be: a building's load, PV, sessions and prices as calibrated quantiles, from what was known at the time.
//!
//! This crate knows `kwartier-data` alone. It opens no file and reads no clock: a [`Past`](kwartier_data::history::Past)
//! comes in, beliefs go out.
//!
//! | module | holds |
//! |---|---|
//! | [`method`] | the trait behind which every method of forecasting a series stands |
//! | [`metrics`] | how good forecasts were |
//! | [`pv`] | what a plant of solar modules gives |

pub mod method;
pub mod metrics;
pub mod pv;
