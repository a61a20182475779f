//! What is kept. One trait, [`Store`]; SQLite and PostgreSQL behind it are held to the same behaviour by one conformance
//! suite.
//!
//! There are five kinds of things:
//!
//! * *documents*: what people and programs tell us (sites, sessions, prices, keys, …), as JSON. Every version stays, with
//!   the time it became known, so that anything can be read as it was believed at an instant;
//! * *measurements*: phase currents of boards and chargers at second scale, rolled up as they age;
//! * *plans*, each with the instance it was made from;
//! * *log entries*, appended and never changed: audit, alarms, deliveries, setpoints;
//! * *jobs*: work that outlives a request, claimed by one worker at a time.
//!
//! Time is always given by the caller; nothing here reads a clock. Whatever a method has returned `Ok` for survives
//! `kill -9` and the loss of power.

pub mod backup;
pub mod document;
pub mod fault;
pub mod house;
pub mod job;
pub mod log;
pub mod measurement;
pub mod parquet;
pub mod plan;
pub mod postgres;
pub mod rolling;
pub mod sql;
pub mod sqlite;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

pub use document::{Change, Document, Expect, Key, Kind, List, Page, Written};
pub use fault::Fault;
pub use house::{Policy, keep_house};
pub use job::{Job, JobState, NewJob};
pub use log::{Entry, LogPage, NewEntry, Stream};
pub use measurement::{Grain, Measured, Measurements, Point};
pub use plan::{KeptPlan, PlanHead};

/// Everything that is kept.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Makes all changes or none, and returns when they are durable. The answers are in the order of the changes that put
    /// or delete a document; other changes have none.
    async fn write(&self, at: DateTime<Utc>, changes: Vec<Change>) -> Result<Vec<Written>, Fault>;

    /// A document as it is, or as it was known at an instant; `None`, there is none, or it is deleted.
    async fn read(&self, key: &Key, as_of: Option<DateTime<Utc>>) -> Result<Option<Document>, Fault>;

    /// Documents of one kind, ordered by owner and id, a page at a time.
    async fn list(&self, ask: &List) -> Result<Page<Document>, Fault>;

    /// All documents of a list, however many pages they are.
    async fn all(&self, mut ask: List) -> Result<Vec<Document>, Fault> {
        let mut found: Vec<Document> = Vec::new();
        loop {
            let page = self.list(&ask).await?;
            let last = page.items.last().map(|last| (last.key.owner.clone(), last.key.id.clone()));
            found.extend(page.items);
            match last {
                Some(last) if page.more => ask.after = Some(last),
                _ => return Ok(found),
            }
        }
    }

    /// All versions of a document, the newest first, deletions included; at most `limit` of them below version `before`.
    async fn history(&self, key: &Key, before: Option<u64>, limit: u32) -> Result<Vec<Document>, Fault>;

    /// What was remembered under an idempotency key and has not run out: what was asked (a hash) and what was answered;
    /// without an answer, it was done and the answer was not written.
    async fn recall(
        &self,
        name: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<(String, Option<serde_json::Value>)>, Fault>;

    /// Keeps measurements; one that is there already for the same place and time is replaced.
    async fn measure(&self, rows: &[Measured]) -> Result<(), Fault>;

    /// Measurements of a site in the order of place and time, a page at a time.
    async fn measured(&self, ask: &Measurements) -> Result<Page<Point>, Fault>;

    /// Rolls measurements up: seconds older than `seconds_until` become minutes, minutes older than `minutes_until` become
    /// quarter-hours. How many rows went.
    async fn roll_up(&self, seconds_until: DateTime<Utc>, minutes_until: DateTime<Utc>) -> Result<u64, Fault>;

    /// Moves quarter-hours of whole months before `until` out of the tables into Parquet files, where the store has a folder;
    /// they are read as before. How many rows went.
    async fn archive(&self, until: DateTime<Utc>) -> Result<u64, Fault>;

    /// Keeps a plan with all it was made from.
    async fn keep_plan(&self, plan: &KeptPlan) -> Result<(), Fault>;

    /// A plan with all it was made from.
    async fn plan(&self, id: Uuid) -> Result<Option<KeptPlan>, Fault>;

    /// The plans of a site made before an instant, the newest first.
    async fn plans(&self, site: &str, before: DateTime<Utc>, limit: u32) -> Result<Vec<PlanHead>, Fault>;

    /// Entries of a log, the oldest first, after a number.
    async fn log(&self, ask: &LogPage) -> Result<Vec<Entry>, Fault>;

    /// Drops entries of one log that are older than `until`. How many went.
    async fn forget_log(&self, stream: Stream, until: DateTime<Utc>) -> Result<u64, Fault>;

    /// Drops plans made before `until`, but for the newest of each site. How many went.
    async fn forget_plans(&self, until: DateTime<Utc>) -> Result<u64, Fault>;

    /// Drops versions of one kind of documents that were superseded before `until`. How many went.
    async fn forget_versions(&self, kind: Kind, until: DateTime<Utc>) -> Result<u64, Fault>;

    /// Drops jobs that ended before `until`. How many went.
    async fn forget_jobs(&self, until: DateTime<Utc>) -> Result<u64, Fault>;

    /// Drops answers under idempotency keys that had run out by `until`. How many went.
    async fn forget_answers(&self, until: DateTime<Utc>) -> Result<u64, Fault>;

    /// A job by its id.
    async fn job(&self, id: Uuid) -> Result<Option<Job>, Fault>;

    /// Jobs of some tenants (`None`: all), the newest first, made before `before`.
    async fn jobs(&self, tenants: Option<&[String]>, before: Option<Uuid>, limit: u32) -> Result<Vec<Job>, Fault>;

    /// The job of one of some kinds that has waited longest and is due; it is the caller's until `lease_until`, and
    /// another's to claim after that.
    async fn claim(&self, kinds: &[&str], now: DateTime<Utc>, lease_until: DateTime<Utc>)
    -> Result<Option<Job>, Fault>;

    /// Writes down how a claimed job goes, or how it ended; `false`, it is not the caller's any longer (its lease has run
    /// out and was claimed again, or it was cancelled), and nothing was written.
    async fn report(&self, job: &Job) -> Result<bool, Fault>;

    /// Copies everything as it is now into a new folder, while others go on: a SQLite file, whatever it came from.
    async fn backup(&self, to: &Path) -> Result<(), Fault>;

    /// Whether it can be written to right now.
    async fn healthy(&self) -> Result<(), Fault>;

    /// Writes what was asked for so far, then ends: every later call is [`Fault::Unavailable`], and another process may
    /// open it.
    async fn close(&self);
}

/// Opens what is kept: a PostgreSQL database where `place` is a URL (`postgres://…`), a folder with a SQLite file
/// otherwise. What is not there yet is made; what an older release left is brought up to date.
pub async fn open(place: &str) -> Result<Arc<dyn Store>, Fault> {
    if is_url(place) {
        Ok(Arc::new(postgres::open(place).await?))
    } else {
        Ok(Arc::new(sqlite::open(Path::new(place)).await?))
    }
}

/// Whether a place is the URL of a PostgreSQL database, not a folder.
pub fn is_url(place: &str) -> bool {
    place.starts_with("postgres://") || place.starts_with("postgresql://")
}
