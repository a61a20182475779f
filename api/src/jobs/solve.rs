//! Solving planning instances: in a thread of its own, one at a time, to be cancelled at any moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use kwartier_data::Instance;
use kwartier_data::instance::wire;
use kwartier_engine::explain::explain;
use kwartier_engine::plan::plan;
use kwartier_engine::settings::{Method, Progress, Settings, Watch};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::{each, report};
use crate::aside::aside;
use crate::service::Service;
use crate::solve::ChildSolver;
use crate::store::{Job, JobState};

/// One solve at a time: each takes every processor it gets, and control comes first.
static TURN: Semaphore = Semaphore::const_new(1);

/// How long a job may go unreported before another worker takes its worker for dead.
const LEASE: TimeDelta = TimeDelta::minutes(1);

/// How long somebody who waits for an answer waits for a turn.
const WAIT: Duration = Duration::from_secs(2);

/// How often it is written down how far a solve is, and looked at whether it was cancelled.
const REPORT: Duration = Duration::from_secs(1);

/// How often a job is begun before it is given up: a process that dies of it does so again.
const ATTEMPTS: u32 = 3;

/// How an instance is to be solved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// The gap at which to stop, a fraction.
    pub gap: f64,
    /// After how long to stop, in s.
    pub time_limit_s: f64,
    /// Whether with the reasons.
    pub explain: bool,
}

/// Ends a solve from outside.
#[derive(Debug)]
pub struct Canceller {
    began: Instant,
    cancelled: AtomicBool,
}

impl Canceller {
    /// Of a solve that begins now.
    pub fn new() -> Canceller {
        Canceller { began: Instant::now(), cancelled: AtomicBool::new(false) }
    }

    /// Ends it.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Ends it when what is returned is dropped.
    pub fn when_dropped(self: &Arc<Canceller>) -> EndOnDrop {
        EndOnDrop(Arc::clone(self))
    }

    fn share(&self, limit_s: f64) -> f64 {
        (self.began.elapsed().as_secs_f64() / limit_s.max(1.0)).min(0.99)
    }
}

/// Ends a solve when it is dropped.
#[derive(Debug)]
pub struct EndOnDrop(Arc<Canceller>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl Watch for Canceller {
    fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    fn cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    fn progress(&self, _: &Progress) {}
}

/// The plan as JSON, with its reasons where they were asked for; `Err`, why there is none; `None`, others are under way.
pub async fn solve(instance: Instance, asked: Asked, canceller: Arc<Canceller>) -> Option<Result<Value, String>> {
    let turn = tokio::time::timeout(WAIT, TURN.acquire()).await.ok()?.ok()?;
    Some(solve_now(instance, asked, canceller, turn).await)
}

async fn solve_now(
    instance: Instance,
    asked: Asked,
    canceller: Arc<Canceller>,
    turn: tokio::sync::SemaphorePermit<'static>,
) -> Result<Value, String> {
    let solved = aside(move || {
        // Held until the thread ends, which may be after whoever asked has gone.
        let _turn = turn;
        let time_limit = Duration::try_from_secs_f64(asked.time_limit_s).map_err(|why| why.to_string())?;
        let settings = Settings { gap: asked.gap, time_limit, method: Method::Auto, previous: None };
        let exact = ChildSolver::of_this_program(&*canceller);
        let outcome = plan(&instance, &settings, &*canceller, &exact).map_err(|why| why.to_string())?;
        let mut answer = serde_json::to_value(&outcome.plan).map_err(|why| why.to_string())?;
        if asked.explain
            && let Some(answer) = answer.as_object_mut()
        {
            let reasons = serde_json::to_value(explain(&instance, &outcome.plan)).map_err(|why| why.to_string())?;
            answer.insert("reasons".to_owned(), reasons);
        }
        Ok(answer)
    });
    // A panic in there is ours, and takes nothing else with it.
    solved.await.unwrap_or_else(|_| Err("the planner failed; it is in the log".to_owned()))
}

/// Does the jobs that solve.
pub async fn work(service: Service, stop: CancellationToken) {
    each(&service, "solve", LEASE, &stop, |job| one(&service, job, &stop)).await;
}

async fn one(service: &Service, mut job: Job, stop: &CancellationToken) {
    if job.attempts > ATTEMPTS {
        job.error = Some(format!("it was begun {ATTEMPTS} times and never ended"));
        report(service, &mut job, JobState::Failed).await;
        return;
    }
    let asked = job.what.input.get("asked").cloned().map(serde_json::from_value::<Asked>);
    let instance = job.what.input.get("instance").cloned().map(serde_json::from_value::<wire::Instance>);
    let (Some(Ok(asked)), Some(Ok(instance))) = (asked, instance) else {
        job.error = Some("its input cannot be read".to_owned());
        report(service, &mut job, JobState::Failed).await;
        return;
    };
    let instance = match Instance::from_wire(instance) {
        Ok(instance) => instance,
        Err(refusal) => {
            job.error = Some(refusal.to_string());
            report(service, &mut job, JobState::Failed).await;
            return;
        }
    };
    let Some(Ok(turn)) = stop.run_until_cancelled(TURN.acquire()).await else { return };
    let canceller = Arc::new(Canceller::new());
    let limit_s = asked.time_limit_s;
    let mut solving = std::pin::pin!(solve_now(instance, asked, Arc::clone(&canceller), turn));
    let mut tick = tokio::time::interval(REPORT);
    let outcome = loop {
        tokio::select! {
            outcome = &mut solving => break outcome,
            () = stop.cancelled() => canceller.cancel(),
            _ = tick.tick() => {
                job.progress = canceller.share(limit_s);
                job.lease_until = Some(chrono::Utc::now() + LEASE);
                if !report(service, &mut job, JobState::Running).await {
                    canceller.cancel();
                    return;
                }
            }
        }
        if canceller.cancelled() {
            break solving.await;
        }
    };
    if stop.is_cancelled() {
        // What was found so far is thrown away; whoever starts next begins anew.
        report(service, &mut job, JobState::Waiting).await;
        return;
    }
    let state = match outcome {
        Ok(answer) => {
            job.progress = 1.0;
            job.result = Some(answer);
            JobState::Done
        }
        Err(why) => {
            job.error = Some(why);
            JobState::Failed
        }
    };
    report(service, &mut job, state).await;
}
