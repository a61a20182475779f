//! Carbon intensity of electricity.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::feed::Source;

/// The carbon intensity of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CarbonRow {
    /// When it begins.
    pub start: DateTime<Utc>,
    /// How long it lasts, in minutes.
    #[schema(example = 60)]
    pub minutes: u32,
    /// Mean in g of CO₂ equivalent per kWh; of CO₂ alone from feeds that count nothing else.
    pub g_kwh: f64,
    /// Whether it is forecast; if not, it was measured.
    pub forecast: bool,
    /// The feed that it was fetched from; absent, somebody has put it. Refused from who puts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(read_only)]
    pub source: Option<Source>,
}
