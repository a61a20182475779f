//! [`Store`] on a SQL database.

use std::path::Path;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::connection::Connection;
use super::database::Database;
use super::history::month_of;
use super::measurements::{self, Span};
use super::trouble::{corrupt, unavailable};
use super::write::{Answer, Old, Write};
use super::writer::Writer;
use super::{answers, documents, jobs, logs, names, page, plans};
use crate::store::backup;
use crate::store::rolling::floor;
use crate::store::{
    Change, Document, Entry, Fault, Grain, Job, KeptPlan, Key, Kind, List, LogPage, Measured, Measurements, Page,
    PlanHead, Point, Store, Stream, Written,
};

/// Rows that are dropped in one transaction: others get their turn in between.
const FORGOTTEN_AT_ONCE: u32 = 5_000;
/// How much of a site is rolled up in one transaction, in µs: a quarter-hour of 13 meters is 12,000 rows a second apart.
const ROLLED_AT_ONCE: i64 = 900 * 1_000_000;
/// How much of a site is rolled from minutes to quarter-hours in one transaction, in µs: half a day.
const MINUTES_AT_ONCE: i64 = 43_200 * 1_000_000;

/// The store.
#[derive(Debug)]
pub struct SqlStore {
    database: Database,
    writer: Writer,
}

impl SqlStore {
    /// A store in a database whose tables are there.
    pub fn new(database: Database) -> SqlStore {
        let writer = Writer::start(database.clone());
        SqlStore { database, writer }
    }

    async fn reader(&self) -> Result<Connection, Fault> {
        self.database.reader().await
    }

    async fn done(&self, write: Write) -> Result<(), Fault> {
        self.writer.write(write).await.map(drop)
    }

    async fn count(&self, write: Write) -> Result<u64, Fault> {
        match self.writer.write(write).await? {
            Answer::Count(count) => Ok(count),
            other => Err(unexpected(&other)),
        }
    }

    async fn forget(&self, what: Old, until: DateTime<Utc>) -> Result<u64, Fault> {
        let mut all = 0;
        loop {
            let count = self.count(Write::Forget(what, until, FORGOTTEN_AT_ONCE)).await?;
            all += count;
            if count < u64::from(FORGOTTEN_AT_ONCE) {
                return Ok(all);
            }
        }
    }

    /// Rolls up what is older than an instant by one step, a span at a time, from the earliest on.
    async fn step(&self, from: Grain, to: Grain, until: DateTime<Utc>, at_once: i64) -> Result<u64, Fault> {
        let until = floor(until.timestamp_micros(), to);
        let mut all = 0;
        let sites = names::sites(&mut self.reader().await?).await?;
        for (site, _) in sites {
            loop {
                let earliest = measurements::earliest(&mut self.reader().await?, site, from, until).await?;
                let Some(earliest) = earliest else { break };
                let start = floor(earliest, to);
                let span = Span { from: start, until: until.min(start.saturating_add(at_once)) };
                all += self.count(Write::RollUp { site, from, to, span }).await?;
            }
        }
        Ok(all)
    }
}

fn unexpected(answer: &Answer) -> Fault {
    corrupt(format!("the writer answered something else than it was asked: {answer:?}"))
}

#[async_trait]
impl Store for SqlStore {
    async fn write(&self, at: DateTime<Utc>, changes: Vec<Change>) -> Result<Vec<Written>, Fault> {
        match self.writer.write(Write::Changes(at, changes)).await? {
            Answer::Written(written) => Ok(written),
            other => Err(unexpected(&other)),
        }
    }

    async fn read(&self, key: &Key, as_of: Option<DateTime<Utc>>) -> Result<Option<Document>, Fault> {
        documents::read(&mut self.reader().await?, key, as_of).await
    }

    async fn list(&self, ask: &List) -> Result<Page<Document>, Fault> {
        documents::list(&mut self.reader().await?, ask).await
    }

    async fn history(&self, key: &Key, before: Option<u64>, limit: u32) -> Result<Vec<Document>, Fault> {
        documents::history(&mut self.reader().await?, key, before, limit).await
    }

    async fn recall(
        &self,
        name: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<(String, Option<serde_json::Value>)>, Fault> {
        answers::recall(&mut self.reader().await?, name, now).await
    }

    async fn measure(&self, rows: &[Measured]) -> Result<(), Fault> {
        self.done(Write::Measure(rows.to_vec())).await
    }

    async fn measured(&self, ask: &Measurements) -> Result<Page<Point>, Fault> {
        let (database, ask) = (self.database.clone(), ask.clone());
        // By itself: should the caller go away, the transaction is ended all the same.
        let reading = async move { page::read(database.reader().await?, database.history(), &ask).await };
        tokio::spawn(reading).await.map_err(unavailable)?
    }

    async fn roll_up(&self, seconds_until: DateTime<Utc>, minutes_until: DateTime<Utc>) -> Result<u64, Fault> {
        let seconds = self.step(Grain::Raw, Grain::Minute, seconds_until, ROLLED_AT_ONCE).await?;
        let minutes = self.step(Grain::Minute, Grain::Quarter, minutes_until, MINUTES_AT_ONCE).await?;
        Ok(seconds + minutes)
    }

    async fn archive(&self, until: DateTime<Utc>) -> Result<u64, Fault> {
        let Some(folder) = self.database.history() else { return Ok(0) };
        let until = month_of(until.timestamp_micros())?.from;
        let mut all = 0;
        let sites = names::sites(&mut self.reader().await?).await?;
        for (site, _) in sites {
            loop {
                let earliest = measurements::earliest(&mut self.reader().await?, site, Grain::Quarter, until).await?;
                let Some(earliest) = earliest else { break };
                let month = month_of(earliest)?;
                all += self.count(Write::Archive { folder: folder.clone(), site, month }).await?;
            }
        }
        Ok(all)
    }

    async fn keep_plan(&self, plan: &KeptPlan) -> Result<(), Fault> {
        let plan = plan.clone();
        let packed = tokio::task::spawn_blocking(move || plans::pack(&plan)).await.map_err(unavailable)??;
        self.done(Write::Plan(packed)).await
    }

    async fn plan(&self, id: Uuid) -> Result<Option<KeptPlan>, Fault> {
        plans::read(&mut self.reader().await?, id).await
    }

    async fn plans(&self, site: &str, before: DateTime<Utc>, limit: u32) -> Result<Vec<PlanHead>, Fault> {
        plans::list(&mut self.reader().await?, site, before, limit).await
    }

    async fn log(&self, ask: &LogPage) -> Result<Vec<Entry>, Fault> {
        logs::page(&mut self.reader().await?, ask).await
    }

    async fn forget_log(&self, stream: Stream, until: DateTime<Utc>) -> Result<u64, Fault> {
        self.forget(Old::Log(stream), until).await
    }

    async fn forget_plans(&self, until: DateTime<Utc>) -> Result<u64, Fault> {
        self.forget(Old::Plans, until).await
    }

    async fn forget_versions(&self, kind: Kind, until: DateTime<Utc>) -> Result<u64, Fault> {
        self.forget(Old::Versions(kind), until).await
    }

    async fn forget_jobs(&self, until: DateTime<Utc>) -> Result<u64, Fault> {
        self.forget(Old::Jobs, until).await
    }

    async fn forget_answers(&self, until: DateTime<Utc>) -> Result<u64, Fault> {
        self.forget(Old::Answers, until).await
    }

    async fn job(&self, id: Uuid) -> Result<Option<Job>, Fault> {
        jobs::read(&mut self.reader().await?, id).await
    }

    async fn jobs(&self, tenants: Option<&[String]>, before: Option<Uuid>, limit: u32) -> Result<Vec<Job>, Fault> {
        jobs::list(&mut self.reader().await?, tenants, before, limit).await
    }

    async fn claim(
        &self,
        kinds: &[&str],
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
    ) -> Result<Option<Job>, Fault> {
        let kinds = kinds.iter().map(|&kind| kind.to_owned()).collect();
        match self.writer.write(Write::Claim { kinds, now, lease_until }).await? {
            Answer::Job(job) => Ok(job.map(|job| *job)),
            other => Err(unexpected(&other)),
        }
    }

    async fn report(&self, job: &Job) -> Result<bool, Fault> {
        match self.writer.write(Write::Report(job.clone())).await? {
            Answer::Taken(is_taken) => Ok(is_taken),
            other => Err(unexpected(&other)),
        }
    }

    async fn backup(&self, to: &Path) -> Result<(), Fault> {
        backup::backup(&self.database, to).await
    }

    async fn healthy(&self) -> Result<(), Fault> {
        self.done(Write::Nothing).await
    }

    async fn close(&self) {
        // It may have been closed before.
        let _ = self.writer.write(Write::Close).await;
    }
}
