//! What is done again and again beside the sites: what is old is made coarser or dropped, a backup is made. Each is a job, so that
//! several processes on one database do it once, and everybody sees how it went.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::backup::backup;
use super::calendar::Every;
use super::{each, report};
use crate::access::{self, TOP_TENANT};
use crate::service::Service;
use crate::store::{Change, Job, JobState, NewJob, keep_house};

/// Rolling up and dropping.
pub const ROLL_UP: &str = "roll_up";

/// The day's backup.
pub const BACKUP: &str = "backup";

/// When both are due: the day's backup is made by the first that finds none.
pub const HOURLY: Every = Every::Hour(7);

/// The first time so long after the start, when the sites are steered again.
const FIRST: Duration = Duration::from_mins(2);

/// How long a job may go unreported before another worker takes its worker for dead.
const LEASE: TimeDelta = TimeDelta::minutes(30);

/// Has the chores done when they are due, until it is told to stop.
pub async fn plan(service: Service, stop: CancellationToken) {
    let mut pause = FIRST;
    while stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
        let now = Utc::now();
        let kinds = [Some(ROLL_UP), service.config.backup.folder.as_ref().map(|_| BACKUP)];
        let jobs = kinds.into_iter().flatten().map(|kind| Change::Enqueue(job(kind, now))).collect();
        if let Err(why) = service.store.write(now, jobs).await {
            tracing::warn!(%why, "chores wait");
        }
        pause = (HOURLY.next(chrono_tz::UTC, now) - now).to_std().unwrap_or(FIRST);
    }
}

/// The job of a chore.
pub fn job(kind: &str, now: DateTime<Utc>) -> NewJob {
    NewJob {
        id: Uuid::now_v7(),
        kind: kind.to_owned(),
        tenant: TOP_TENANT.to_owned(),
        site: None,
        once: Some(kind.to_owned()),
        due: now,
        input: Value::Null,
    }
}

/// Does them.
pub async fn work(service: Service, stop: CancellationToken) {
    tokio::join!(
        each(&service, ROLL_UP, LEASE, &stop, |job| one(&service, job)),
        each(&service, BACKUP, LEASE, &stop, |job| one(&service, job)),
    );
}

async fn one(service: &Service, mut job: Job) {
    let now = Utc::now();
    let done = if job.what.kind == BACKUP { back_up(service, now).await } else { roll_up(service, now).await };
    let state = match done {
        Ok(result) => {
            job.progress = 1.0;
            job.result = Some(result);
            JobState::Done
        }
        Err(why) => {
            tracing::error!(kind = job.what.kind, why, "a chore cannot be done now");
            job.error = Some(why);
            JobState::Failed
        }
    };
    report(service, &mut job, state).await;
}

async fn roll_up(service: &Service, now: DateTime<Utc>) -> Result<Value, String> {
    let kept = keep_house(&*service.store, now, &service.config.keep).await.map_err(|why| why.to_string())?;
    let logins = access::sweep(service, now).await.map_err(|why| why.to_string())?;
    Ok(json!({ "rolled_up": kept.rolled_up, "archived": kept.archived, "dropped": kept.dropped, "logins": logins }))
}

async fn back_up(service: &Service, now: DateTime<Utc>) -> Result<Value, String> {
    let made = backup(&*service.store, &service.config.backup, now).await.map_err(|why| why.to_string())?;
    if let Some(folder) = &made {
        tracing::info!(folder = %folder.display(), "made the day's backup");
    }
    Ok(json!({ "made": made.is_some() }))
}
