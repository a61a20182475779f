//! What the writer can be asked to write.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::super::document::{Change, Kind, Written};
use super::super::fault::Fault;
use super::super::job::{Job, NewJob};
use super::super::log::{NewEntry, Stream};
use super::super::measurement::{Grain, Measured};
use super::answers::NewAnswer;
use super::connection::Connection;
use super::documents::Heads;
use super::measurements::Span;
use super::plans::PackedPlan;
use super::{answers, documents, history, jobs, logs, measurements, plans};

/// What is written to see whether writing works: more than most writes are, so that it is told before they fail.
const PROBE_BYTES: usize = 32_768;

/// What is to be forgotten.
#[derive(Debug, Clone, Copy)]
pub enum Old {
    /// Entries of a log.
    Log(Stream),
    /// Plans, but for the newest of each site.
    Plans,
    /// Versions of a kind of documents that are no longer in force.
    Versions(Kind),
    /// Jobs that have ended.
    Jobs,
    /// Answers that have run out.
    Answers,
}

/// Something to write.
pub enum Write {
    /// Changes, all or none.
    Changes(DateTime<Utc>, Vec<Change>),
    /// Measurements.
    Measure(Vec<Measured>),
    /// A plan.
    Plan(PackedPlan),
    /// Rolls a span of a site up by a step.
    RollUp {
        /// The site.
        site: i64,
        /// From this grain.
        from: Grain,
        /// To that.
        to: Grain,
        /// What.
        span: Span,
    },
    /// Moves a month of quarter-hours of a site into a file.
    Archive {
        /// Where the files are.
        folder: PathBuf,
        /// The site.
        site: i64,
        /// The month.
        month: Span,
    },
    /// Drops some rows that are older than an instant.
    Forget(Old, DateTime<Utc>, u32),
    /// Claims a job.
    Claim {
        /// Of these kinds.
        kinds: Vec<String>,
        /// Now.
        now: DateTime<Utc>,
        /// Until when.
        lease_until: DateTime<Utc>,
    },
    /// How a job goes.
    Report(Job),
    /// Nothing of meaning, to see whether writing works.
    Nothing,
    /// Ends the writer.
    Close,
}

/// What came of it.
#[derive(Debug)]
pub enum Answer {
    /// It is done.
    Done,
    /// Documents were put or deleted.
    Written(Vec<Written>),
    /// So many rows went.
    Count(u64),
    /// A job was claimed, or there is none.
    Job(Option<Box<Job>>),
    /// Whether it was the caller's to write.
    Taken(bool),
}

impl Write {
    /// Makes it, within the transaction that is open. A fault that is the caller's own leaves nothing written.
    pub async fn make(&self, connection: &mut Connection) -> Result<Answer, Fault> {
        match self {
            Write::Changes(at, all) => changes(connection, *at, all).await.map(Answer::Written),
            // Written with those of others, before.
            Write::Measure(_) | Write::Close => Ok(Answer::Done),
            Write::Plan(plan) => plans::keep(connection, plan).await.map(|()| Answer::Done),
            Write::RollUp { site, from, to, span } => {
                measurements::roll_up(connection, *site, *from, *to, *span).await.map(Answer::Count)
            }
            Write::Archive { folder, site, month } => {
                history::archive(connection, folder, *site, *month).await.map(Answer::Count)
            }
            Write::Forget(what, until, limit) => forget(connection, *what, *until, *limit).await.map(Answer::Count),
            Write::Claim { kinds, now, lease_until } => {
                let job = jobs::claim(connection, kinds, *now, *lease_until).await?;
                Ok(Answer::Job(job.map(Box::new)))
            }
            Write::Report(job) => jobs::report(connection, job).await.map(Answer::Taken),
            Write::Nothing => {
                let filling = "x".repeat(PROBE_BYTES);
                connection.execute("UPDATE health SET filling = $1", vec![filling.into()]).await.map(|_| Answer::Done)
            }
        }
    }
}

async fn forget(connection: &mut Connection, what: Old, until: DateTime<Utc>, limit: u32) -> Result<u64, Fault> {
    match what {
        Old::Log(stream) => logs::forget(connection, stream, until, limit).await,
        Old::Plans => plans::forget(connection, until, limit).await,
        Old::Versions(kind) => documents::forget(connection, kind, until, limit).await,
        Old::Jobs => jobs::forget(connection, until, limit).await,
        Old::Answers => answers::forget(connection, until, limit).await,
    }
}

/// Makes all changes or none: first it is seen whether all can be made, then they are.
async fn changes(connection: &mut Connection, at: DateTime<Utc>, all: &[Change]) -> Result<Vec<Written>, Fault> {
    let keys = all.iter().filter_map(|change| match change {
        Change::Put { key, .. } | Change::Delete { key, .. } | Change::Erase(key) => Some(key.clone()),
        _ => None,
    });
    let mut heads = Heads::of(connection, keys.collect()).await?;
    let mut written = Vec::new();
    let mut entries: Vec<NewEntry> = Vec::new();
    let mut queued: Vec<Queued> = Vec::new();
    let mut remembered: Vec<NewAnswer> = Vec::new();
    for change in all {
        match change {
            Change::Put { key, body, expect } => written.push(heads.put(key.clone(), body, *expect)?),
            Change::Delete { key, expect } => written.push(heads.delete(key.clone(), *expect)?),
            Change::Erase(key) => heads.erase(key.clone()),
            Change::Log(entry) => entries.push(entry.clone()),
            Change::Enqueue(job) => queued.push(Queued::New(job)),
            Change::Cancel(id) => queued.push(Queued::Cancelled(*id)),
            Change::Remember { name, request, answer, until } => {
                let new =
                    NewAnswer { name: name.clone(), request: request.clone(), answer: answer.clone(), until: *until };
                let is_known = remembered.iter().any(|other| other.name == new.name);
                if is_known || answers::is_known(connection, at, &new).await? {
                    return Err(Fault::Repeated(new.name));
                }
                remembered.push(new);
            }
        }
    }
    heads.write(connection, at).await?;
    for change in queued {
        match change {
            Queued::New(job) => jobs::enqueue(connection, at, job).await?,
            Queued::Cancelled(id) => jobs::cancel(connection, at, id).await?,
        }
    }
    for answer in &remembered {
        answers::remember(connection, at, answer).await?;
    }
    // Last, because the counter of entries is locked from then on.
    logs::append(connection, at, &entries).await?;
    Ok(written)
}

/// What becomes of a job.
enum Queued<'a> {
    New(&'a NewJob),
    Cancelled(Uuid),
}
