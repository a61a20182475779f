//! Jobs: work that outlives a request, done beside it. Each worker claims one at a time, so that several processes on one
//! database never do the same twice; one that dies leaves its job to be claimed again when its lease has run out.

pub mod backup;
#[cfg(test)]
mod bench;
pub mod calendar;
pub mod chores;
pub mod deliver;
pub mod feed;
pub mod publication;
pub mod solve;
pub mod target;
#[cfg(test)]
mod tests;

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::http::rosters::keep_expected;
use crate::service::Service;
use crate::store::{Job, JobState};

/// How long a worker waits before it looks again.
const LOOK: Duration = Duration::from_millis(500);

/// How often it is looked at what rosters say.
const ROSTERS: Duration = Duration::from_mins(30);

/// How many deliveries are under way at once.
const DELIVERERS: usize = 4;

/// How many publications are under way at once: one waits for its plans while the next puts its prices.
const PUBLISHERS: usize = 3;

/// Works until it is told to stop.
pub async fn work(service: Service, stop: CancellationToken) {
    let mut workers = JoinSet::new();
    workers.spawn(solve::work(service.clone(), stop.clone()));
    workers.spawn(chores::plan(service.clone(), stop.clone()));
    workers.spawn(chores::work(service.clone(), stop.clone()));
    for _ in 0..PUBLISHERS {
        workers.spawn(publication::work(service.clone(), stop.clone()));
    }
    workers.spawn(rosters(service.clone(), stop.clone()));
    match deliver::Sender::new(service.config.webhooks.allow_private, deliver::PATIENCE) {
        Ok(sender) => {
            workers.spawn(feed::work(service.clone(), stop.clone()));
            for _ in 0..DELIVERERS {
                workers.spawn(deliver::work(service.clone(), sender.clone(), stop.clone()));
            }
        }
        Err(why) => tracing::error!(%why, "webhooks are not delivered: there is no HTTP client"),
    }
    while workers.join_next().await.is_some() {}
}

/// Expects what rosters say, as time goes on.
async fn rosters(service: Service, stop: CancellationToken) {
    loop {
        if let Err(problem) = keep_expected(&service, Utc::now()).await {
            tracing::warn!(why = problem.detail, "rosters wait");
        }
        if stop.run_until_cancelled(tokio::time::sleep(ROSTERS)).await.is_none() {
            return;
        }
    }
}

/// Claims jobs of a kind and has them done, one after the other.
async fn each<F: Future<Output = ()>>(
    service: &Service,
    kind: &str,
    lease: TimeDelta,
    stop: &CancellationToken,
    work: impl Fn(Job) -> F,
) {
    loop {
        let now = Utc::now();
        match service.store.claim(&[kind], now, now + lease).await {
            Ok(Some(job)) => {
                work(job).await;
                if stop.is_cancelled() {
                    return;
                }
                continue;
            }
            Ok(None) => {}
            Err(why) => tracing::warn!(%why, kind, "no job can be claimed"),
        }
        if stop.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_none() {
            return;
        }
    }
}

/// Writes down how a job ended or goes; whether it is still the worker's own.
async fn report(service: &Service, job: &mut Job, state: JobState) -> bool {
    job.state = state;
    job.changed = Utc::now();
    match service.store.report(job).await {
        Ok(own) => own,
        Err(why) => {
            tracing::warn!(%why, job = %job.what.id, "it cannot be written down how a job goes");
            true
        }
    }
}
