//! Measurements: what meters show.

use chrono::{DateTime, Utc};

/// What a meter showed at an instant.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// At which site.
    pub site: String,
    /// At which place: `node/HV`, `charger/Station 1`.
    pub place: String,
    /// When it was measured.
    pub at: DateTime<Utc>,
    /// L1, L2, L3 in A, import positive.
    pub phases_a: [f64; 3],
    /// Active power in kW, import positive, where it was measured.
    pub power_kw: Option<f64>,
    /// A counter of energy in kWh, where there is one.
    pub energy_kwh: Option<f64>,
}

/// How fine measurements are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grain {
    /// As they were measured.
    Raw,
    /// One a minute.
    Minute,
    /// One a quarter-hour.
    Quarter,
}

impl Grain {
    /// Its length in s; 0, as measured.
    pub fn seconds(self) -> i64 {
        match self {
            Grain::Raw => 0,
            Grain::Minute => 60,
            Grain::Quarter => 900,
        }
    }
}

/// A measurement, or several rolled into one.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Where and when (the beginning), and the mean of what was measured; a counter's last value.
    pub mean: Measured,
    /// Highest value of each phase in A.
    pub highest_a: [f64; 3],
    /// How fine it is.
    pub grain: Grain,
    /// How many measurements are in it.
    pub count: u32,
}

/// Which measurements.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurements {
    /// Of which site.
    pub site: String,
    /// Of which place; `None`, of all.
    pub place: Option<String>,
    /// From this instant on.
    pub from: DateTime<Utc>,
    /// Before this one.
    pub until: DateTime<Utc>,
    /// At least so coarse: finer ones that are there are rolled up for the answer.
    pub grain: Grain,
    /// Only what comes after this place and time.
    pub after: Option<(String, DateTime<Utc>)>,
    /// At most so many.
    pub limit: u32,
}
