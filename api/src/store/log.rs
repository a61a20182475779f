//! Logs: entries that are appended and never changed.

use chrono::{DateTime, Utc};

/// Which log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Who changed what.
    Audit,
    /// What an operator should know.
    Alarm,
    /// What was sent to webhooks, and how it went.
    Delivery,
    /// Setpoints, and when they were confirmed.
    Setpoint,
    /// Plans that came into force.
    Plan,
}

impl Stream {
    /// All of them.
    pub const ALL: [Stream; 5] = [Stream::Audit, Stream::Alarm, Stream::Delivery, Stream::Setpoint, Stream::Plan];

    /// Its name in the database.
    pub fn name(self) -> &'static str {
        match self {
            Stream::Audit => "audit",
            Stream::Alarm => "alarm",
            Stream::Delivery => "delivery",
            Stream::Setpoint => "setpoint",
            Stream::Plan => "plan",
        }
    }
}

/// An entry to be appended.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEntry {
    /// To which log.
    pub stream: Stream,
    /// Whose it is: a tenant.
    pub tenant: String,
    /// About which site, where about one.
    pub site: Option<String>,
    /// What it says.
    pub body: serde_json::Value,
}

/// An entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its number, rising over all logs.
    pub number: u64,
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub what: NewEntry,
}

/// A page of a log.
#[derive(Debug, Clone, PartialEq)]
pub struct LogPage {
    /// Which log.
    pub stream: Stream,
    /// Of which tenants; `None`, of all.
    pub tenants: Option<Vec<String>>,
    /// About which site; `None`, whichever.
    pub site: Option<String>,
    /// Only entries after this number; 0 from the beginning.
    pub after: u64,
    /// At most so many.
    pub limit: u32,
}
