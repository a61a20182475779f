//! Prices: what energy costs at an instant, all included.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::feed::{Doubt, Source};

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
    /// The feed that it was fetched from; absent, somebody has put it. Not taken from who puts prices, like all below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(read_only)]
    pub source: Option<Source>,
    /// What is to be known of it before it is relied on; absent, nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(read_only)]
    pub doubt: Option<Doubt>,
    /// The day-ahead price in it, in EUR/kWh, where it was fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(read_only)]
    pub spot_eur_kwh: Option<f64>,
}

impl Price {
    /// A price as somebody puts it.
    pub fn put(start: DateTime<Utc>, minutes: u32, import_eur_kwh: f64, export_eur_kwh: Option<f64>) -> Price {
        Price { start, minutes, import_eur_kwh, export_eur_kwh, source: None, doubt: None, spot_eur_kwh: None }
    }
}
