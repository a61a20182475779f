//! Plans, each with all it was made from.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// What is told of a plan without reading it whole.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanHead {
    /// Its id, a UUID of version 7.
    pub id: Uuid,
    /// For which site.
    pub site: String,
    /// When it was made, and what was known then.
    pub at: DateTime<Utc>,
    /// What it rests on, how it was made, its cost and bound, why it was made: small, for lists.
    pub summary: serde_json::Value,
}

/// A plan with all it was made from.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptPlan {
    /// What is told without reading it whole.
    pub head: PlanHead,
    /// The planning instance; kept compressed.
    pub instance: serde_json::Value,
    /// The plan; kept compressed.
    pub plan: serde_json::Value,
}
