//! A charger: where it hangs, and how it is reached.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A charger as it is put. What it says of board and phases stands in the site afterwards, as a station.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Charger {
    /// Name of the board that it hangs on.
    pub node: String,
    /// Which grid phase hangs on its own L1, L2, L3: letters R = L1, S = L2, T = L3, `x` where none does. Absent, unknown:
    /// then all it draws counts on every phase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "RST")]
    pub phase_map: Option<String>,
    /// Highest current per phase in A.
    pub max_a: f64,
    /// How it is reached; absent, over the API: somebody else passes our setpoints on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ocpp: Option<Ocpp>,
}

/// How a charger connects over OCPP.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Ocpp {
    /// Its password for HTTP Basic authentication; never read back. Kept as a hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(write_only)]
    pub password: Option<String>,
    /// OCPP security profile, 1 to 3; 0 only where it is allowed by name.
    pub security_profile: u8,
}

/// What a charger reports through somebody else's system: what it draws, and whether it obeys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// When this was so.
    pub at: chrono::DateTime<chrono::Utc>,
    /// Whether it can be reached; absent, it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub online: Option<bool>,
    /// What it draws on its own L1 in A, import positive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub l1_a: Option<f64>,
    /// On its own L2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub l2_a: Option<f64>,
    /// On its own L3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub l3_a: Option<f64>,
    /// Energy of the session so far in kWh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_kwh: Option<f64>,
    /// The limit that it really holds, in A per phase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_a: Option<f64>,
    /// The number of the setpoint that it has answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setpoint: Option<u64>,
    /// Whether it accepted that; absent, it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<bool>,
}
