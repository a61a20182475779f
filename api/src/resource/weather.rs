//! Weather that somebody else forecasts.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The weather of an interval. What is not known is left out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SkyRow {
    /// When it begins.
    pub start: DateTime<Utc>,
    /// How long it lasts, in minutes; kept by the hour.
    #[schema(example = 60)]
    pub minutes: u32,
    /// Global horizontal irradiance, mean, W/m².
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ghi_wm2: Option<f64>,
    /// Direct normal irradiance, mean, W/m².
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dni_wm2: Option<f64>,
    /// Diffuse horizontal irradiance, mean, W/m².
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dhi_wm2: Option<f64>,
    /// Air temperature, °C.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temp_c: Option<f64>,
    /// Wind at 10 m, m/s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wind_ms: Option<f64>,
}
