//! A signal: a limit that a grid operator, or emergency power, sets for a while.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A limit: a grid operator's, or emergency power. Exactly one of `limit_kw` and `limit_a`; at most one of `node` and `group`, neither: the whole site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Signal {
    /// Active power in kW.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_kw: Option<f64>,
    /// L1, L2, L3 in A.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_a: Option<[f64; 3]>,
    /// The board that it limits, with all below it and the building there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// The chargers that it limits together, and nothing else (§14a `EnWG`: one budget).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Vec<String>>,
    /// From when on.
    pub from: DateTime<Utc>,
    /// Until when; absent, until it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// At every moment, on the average of each clock quarter-hour, or as what emergency power gives.
    #[serde(default)]
    pub basis: Basis,
    /// With basis `emergency`: vehicles and loads of this priority and above go on; absent, none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
}

/// How a limit is counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// At every moment.
    #[default]
    Instant,
    /// On the average of each clock quarter-hour; kW only.
    Quarter,
    /// What a generator or an inverter gives that supplies the site or the board while the grid does not; kW, A of each phase, or
    /// both. Nothing is fed into it.
    Emergency,
}
