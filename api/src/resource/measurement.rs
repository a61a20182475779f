//! Measurements: what the meter at a board shows.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the meter at a board shows at an instant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Measurement {
    /// When it was measured, by the meter's clock.
    pub at: DateTime<Utc>,
    /// Name of the board.
    #[schema(example = "HV")]
    pub node: String,
    /// Current of grid phase L1 in A, import positive.
    pub l1_a: f64,
    /// Current of grid phase L2 in A.
    pub l2_a: f64,
    /// Current of grid phase L3 in A.
    pub l3_a: f64,
    /// Active power in kW, import positive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power_kw: Option<f64>,
}
