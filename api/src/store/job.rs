//! Jobs: work that outlives a request.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// It waits, or waits to be tried again.
    Waiting,
    /// Somebody is at it.
    Running,
    /// It has ended well.
    Done,
    /// It has ended badly, and will not be tried again.
    Failed,
    /// Somebody has cancelled it.
    Cancelled,
}

impl JobState {
    /// All of them.
    pub const ALL: [JobState; 5] =
        [JobState::Waiting, JobState::Running, JobState::Done, JobState::Failed, JobState::Cancelled];

    /// Its name in the database and over HTTP.
    pub fn name(self) -> &'static str {
        match self {
            JobState::Waiting => "waiting",
            JobState::Running => "running",
            JobState::Done => "done",
            JobState::Failed => "failed",
            JobState::Cancelled => "cancelled",
        }
    }

    /// Whether nothing more will come.
    pub fn has_ended(self) -> bool {
        matches!(self, JobState::Done | JobState::Failed | JobState::Cancelled)
    }
}

/// A job to be done.
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    /// Its id, chosen by who asks (a UUID of version 7, so that ids sort by time).
    pub id: Uuid,
    /// What is to be done: `solve`, `deliver`, …
    pub kind: String,
    /// Whose it is: a tenant.
    pub tenant: String,
    /// About which site, where about one.
    pub site: Option<String>,
    /// A name under which only one may wait or run at a time.
    pub once: Option<String>,
    /// Not before this instant.
    pub due: DateTime<Utc>,
    /// What it needs to know.
    pub input: serde_json::Value,
}

/// A job.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// What was asked for.
    pub what: NewJob,
    /// How far it is.
    pub state: JobState,
    /// How often it was claimed; it tells one claim from another.
    pub attempts: u32,
    /// Share that is done, 0 to 1.
    pub progress: f64,
    /// What came of it.
    pub result: Option<serde_json::Value>,
    /// Why it failed, or has to be tried again.
    pub error: Option<String>,
    /// When it was asked for.
    pub made: DateTime<Utc>,
    /// When it changed last.
    pub changed: DateTime<Utc>,
    /// Until when it is its claimer's while it runs. Reported later than it was, the claim is prolonged; `None` leaves it.
    pub lease_until: Option<DateTime<Utc>>,
}
