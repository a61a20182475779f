//! A webhook: somebody who wants to be told.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A webhook as it is put.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Where to: `https://…`.
    #[schema(example = "https://example.org/kwartier")]
    pub url: String,
    /// Of what.
    pub events: Vec<Topic>,
    /// Of which sites; absent, of all of the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sites: Option<Vec<String>>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether it is told nothing for now.
    #[serde(default)]
    pub paused: bool,
}

/// What a webhook is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Topic {
    /// What an operator should know.
    Alarm,
    /// Setpoints, and when they were confirmed.
    Setpoint,
    /// Plans that come into force.
    Plan,
    /// Changes of sites, sessions, signals, prices, people, keys: the audit log.
    Change,
}

impl Topic {
    /// All of them.
    pub const ALL: [Topic; 4] = [Topic::Alarm, Topic::Setpoint, Topic::Plan, Topic::Change];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Topic::Alarm => "alarm",
            Topic::Setpoint => "setpoint",
            Topic::Plan => "plan",
            Topic::Change => "change",
        }
    }
}

/// A webhook as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptWebhook {
    /// What was put.
    pub what: Webhook,
    /// What signs what is sent. It must be known to sign, so it is kept as it is, and erased with the webhook.
    pub secret: String,
    /// Since when: it hears nothing of what was before.
    pub since: DateTime<Utc>,
}

/// An event as it is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Sent {
    /// Its number, rising; the same event sent again has the same.
    pub number: u64,
    /// What it is of.
    pub topic: Topic,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// Whose it is.
    pub tenant: String,
    /// At which site, where at one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// What: an alarm, a setpoint, what is told of a plan, an entry of the audit log.
    #[schema(value_type = Object)]
    pub data: serde_json::Value,
}

/// How an attempt to deliver went, as the log keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Attempt {
    /// Of which webhook.
    pub webhook: String,
    /// The delivery: its job.
    pub delivery: uuid::Uuid,
    /// The event's number.
    pub event: u64,
    /// The how-many-eth it was, from 1.
    pub attempt: u32,
    /// `delivered`, `retried` (it will be tried again) or `dead` (it will not).
    pub outcome: String,
    /// The HTTP status that came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How long it took in ms.
    pub took_ms: u64,
}
