//! Prices: what energy costs at an instant, all included.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The price of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// When it begins.
    pub start: DateTime<Utc>,
    /// How long it lasts, in minutes: 15, 30 or 60.
    #[schema(example = 15)]
    pub minutes: u32,
    /// What a kWh from the grid costs, in EUR/kWh.
    pub import_eur_kwh: f64,
    /// What a kWh into the grid earns, in EUR/kWh; absent, nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export_eur_kwh: Option<f64>,
}
