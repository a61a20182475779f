//! A setpoint: what a charger may draw now, what holds after it, and why.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// What a charger may draw now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Setpoint {
    /// Rising within a site; a later one stands for all before it. Also the id of the event in a stream.
    pub number: u64,
    /// Name of the charger, battery or load.
    pub charger: String,
    /// A per phase; negative to discharge.
    pub limit_a: f64,
    /// On how many phases.
    pub phases: u8,
    /// The same in W.
    pub limit_w: f64,
    /// When it was given out.
    pub at: DateTime<Utc>,
    /// Until when it holds without being renewed.
    pub valid_until: DateTime<Utc>,
    /// What holds after that, in A per phase: the charger's own fallback; absent, unknown, all it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then_a: Option<f64>,
    /// Where it comes from.
    pub trace: Trace,
}

/// Where a setpoint comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Trace {
    /// What decided, in the order of authority: `limit`, `grid`, `turn`, `guaranteed`, `override`, `plan`, `spare`, `idle`.
    pub why: String,
    /// The plan in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Uuid>,
    /// When a system that passes it on took it, for a charger of which nothing is ever reported: it counts as accepted then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<DateTime<Utc>>,
    /// When the charger confirmed it; absent, not yet: it is assumed not to obey.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<DateTime<Utc>>,
}
