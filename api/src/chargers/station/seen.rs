//! What a station sees of its own connector.

use chrono::{DateTime, Utc};

/// What is there now.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Seen {
    /// Which vehicle is plugged in, counted; `None`, none.
    pub vehicle: Option<u64>,
    /// What that vehicle would tell over ISO 15118.
    pub needs: Option<Needs>,
    /// What flows on its own L1, L2, L3 in A.
    pub amps: [f64; 3],
    /// The same in kW.
    pub kw: f64,
    /// The meter in kWh.
    pub kwh: f64,
    /// When that was so.
    pub at: Option<DateTime<Utc>>,
}

/// What a vehicle wants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Needs {
    /// On how many phases it charges.
    pub phases: u8,
    /// Lowest and highest current per phase in A.
    pub range_a: [f64; 2],
    /// Energy at the station in kWh.
    pub kwh: f64,
    /// When it leaves.
    pub leaves: DateTime<Utc>,
}

/// What is measured at an instant.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sample {
    /// On its own L1, L2, L3 in A.
    pub amps: [f64; 3],
    /// All phases together in W.
    pub watts: f64,
    /// The meter in Wh.
    pub wh: f64,
    /// What is offered, in A per phase; `None`, no limit.
    pub offered_a: Option<f64>,
}

impl Seen {
    /// What is measured at an instant, if nothing has changed since.
    pub fn sample(&self, at: DateTime<Utc>, offered_a: Option<f64>) -> Sample {
        let hours = self.at.map_or(0.0, |seen| (at - seen).as_seconds_f64().max(0.0) / 3600.0);
        Sample { amps: self.amps, watts: 1000.0 * self.kw, wh: 1000.0 * (self.kwh + self.kw * hours), offered_a }
    }
}

/// A phase by its name.
pub(super) const PHASE_NAMES: [&str; 3] = ["L1", "L2", "L3"];
