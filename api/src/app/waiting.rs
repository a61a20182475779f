//! Jobs that wait for a plan: claimed while they wait, ended when their site has its answer.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::event::Event;
use super::handle::Handle;
use crate::store::{Fault, Job, JobState, Store};

/// The kind of these jobs.
const KIND: &str = "plan";

/// How long an answer may take until somebody else may look after the job.
const LEASE: TimeDelta = TimeDelta::minutes(10);

/// How often jobs are looked for that a process before this one has left.
const LOOK: Duration = Duration::from_secs(30);

/// Jobs that wait for a plan. Clones share them.
#[derive(Clone)]
pub struct Waiting {
    store: Arc<dyn Store>,
    claimed: Arc<Mutex<HashMap<Uuid, Job>>>,
    wake: Arc<Notify>,
}

impl Waiting {
    /// None yet.
    pub fn new(store: Arc<dyn Store>) -> Waiting {
        Waiting { store, claimed: Arc::default(), wake: Arc::default() }
    }

    /// There may be a new one.
    pub fn look(&self) {
        self.wake.notify_one();
    }

    /// Claims jobs until it is told to stop.
    pub async fn run(self, app: Handle, stop: CancellationToken) {
        loop {
            match self.claim(&app).await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(fault) => tracing::warn!(%fault, "jobs that wait for plans cannot be claimed"),
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.wake.notified() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// Claims one and asks for its plan; false, there is none.
    async fn claim(&self, app: &Handle) -> Result<bool, Fault> {
        let now = Utc::now();
        let Some(job) = self.store.claim(&[KIND], now, now + LEASE).await? else { return Ok(false) };
        let id = job.what.id;
        match job.what.site.clone() {
            Some(site) => {
                self.claimed.lock().insert(id, job);
                app.deliver(Event::PlanWanted { site, job: Some(id) }).await;
            }
            None => self.end(job, Err("it is about no site".to_owned())).await?,
        }
        Ok(true)
    }

    /// A site has its answer. A job that is not claimed yet asks again when it is.
    pub async fn answer(self, id: Uuid, outcome: Result<Uuid, String>) {
        let Some(job) = self.claimed.lock().remove(&id) else { return };
        if let Err(fault) = self.end(job, outcome).await {
            tracing::warn!(%fault, job = %id, "a job cannot be told of its plan");
        }
    }

    async fn end(&self, mut job: Job, outcome: Result<Uuid, String>) -> Result<(), Fault> {
        job.changed = Utc::now();
        job.progress = 1.0;
        match outcome {
            Ok(plan) => {
                job.state = JobState::Done;
                job.result = Some(serde_json::json!({ "plan": plan }));
            }
            Err(why) => {
                job.state = JobState::Failed;
                job.error = Some(why);
            }
        }
        // One that was cancelled meanwhile is nobody's.
        self.store.report(&job).await.map(drop)
    }
}
