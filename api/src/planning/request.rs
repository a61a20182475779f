//! What a plan is made from: all that the loop knows of a site.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use kwartier_data::site::Site;
use kwartier_engine::control;
use kwartier_engine::control::setup::Setup;

use super::made::Made;
use crate::resource::price::Price;
use crate::simulate::people::Expected;

/// A plan that is wanted, with all that the loop knows.
#[derive(Debug, Clone)]
pub struct Request {
    /// For which site.
    pub site: String,
    /// Which state of the site it is for; a plan for an older one is dropped.
    pub number: u64,
    /// When it was asked for.
    pub at: DateTime<Utc>,
    /// Why: `quarter`, `arrival`, …
    pub reason: &'static str,
    /// The site.
    pub what: Arc<Site>,
    /// The site as the fast loop sees it.
    pub setup: Arc<Setup>,
    /// Who is there and who is expected, by arrival.
    pub expected: Vec<Expected>,
    /// Devices where a vehicle is.
    pub present: Vec<usize>,
    /// What was assumed of vehicles, because nobody says it.
    pub assumed: Vec<String>,
    /// Prices that are known, in the order of their beginnings.
    pub prices: Vec<Price>,
    /// Grid operators' limits in force or announced.
    pub signals: Vec<control::Event>,
    /// Highest import of a quarter-hour of this month so far, in kW.
    pub peak_kw: f64,
    /// Energy in batteries in kWh, by name.
    pub stored_kwh: Vec<(String, f64)>,
    /// The plan in force.
    pub previous: Option<Arc<Made>>,
}
