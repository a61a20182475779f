//! A forecast that somebody else made.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Foreseen {
    /// What the building draws, without its PV, in kW.
    Building,
    /// What all PV plants deliver together, in kW.
    Pv,
    /// The price of energy from the grid, all included, in EUR/kWh.
    Price,
}

impl Foreseen {
    /// All of them.
    pub const ALL: [Foreseen; 3] = [Foreseen::Building, Foreseen::Pv, Foreseen::Price];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Foreseen::Building => "building",
            Foreseen::Pv => "pv",
            Foreseen::Price => "price",
        }
    }
}

/// What is forecast of an interval. Quantiles are given all or not at all; without them the mean is taken for certain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ForecastRow {
    /// When it begins.
    pub start: DateTime<Utc>,
    /// The mean: kW, of prices EUR/kWh.
    pub mean: f64,
    /// The value that is not reached in 5 of 100 cases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q05: Option<f64>,
    /// In 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q10: Option<f64>,
    /// In 25.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q25: Option<f64>,
    /// In 50.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q50: Option<f64>,
    /// In 75.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q75: Option<f64>,
    /// In 90.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q90: Option<f64>,
    /// In 95.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q95: Option<f64>,
}

impl ForecastRow {
    /// A mean that is taken for certain.
    pub fn certain(start: DateTime<Utc>, mean: f64) -> ForecastRow {
        ForecastRow { start, mean, q05: None, q10: None, q25: None, q50: None, q75: None, q90: None, q95: None }
    }

    /// The quantiles by name, the lowest first.
    pub fn quantiles(&self) -> [(&'static str, Option<f64>); 7] {
        [
            ("q05", self.q05),
            ("q10", self.q10),
            ("q25", self.q25),
            ("q50", self.q50),
            ("q75", self.q75),
            ("q90", self.q90),
            ("q95", self.q95),
        ]
    }
}

/// A forecast as it is kept: what was sent; its version says when it became known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct KeptForecast {
    /// Length of each interval in minutes.
    pub minutes: u32,
    /// The intervals in order, without gaps.
    pub rows: Vec<ForecastRow>,
}
