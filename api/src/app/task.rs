//! The task of the loop: it gives the core its events and its time, and does what it wants done. It never waits for anything
//! but those.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use metrics::{counter, gauge, histogram};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::effect::Effect;
use super::event::Event;
use super::handle::{Board, Handle, Published, REMEMBERED};
use super::load;
use super::moment::Moment;
use super::sites::Sites;
use super::waiting::Waiting;
use super::writer::Writer;
use crate::planning::workers::Workers;
use crate::store::{Fault, Key, Kind, Store};

/// How many events may wait.
const QUEUE: usize = 65_536;

/// How many events are taken, and how many sites step, before the other has its turn.
const EVENTS_AT_ONCE: usize = 512;
const STEPS_AT_ONCE: usize = 64;

/// Setpoints that each follower may be behind, and status reports.
const BEHIND: (usize, usize) = (64, 4);

/// Setpoints that a site remembers for each of its devices.
const REMEMBERED_EACH: usize = 16;

/// How often figures are published.
const FIGURES: Duration = Duration::from_secs(5);

/// How long the writer may take to write what is left.
const LAST_WRITES: Duration = Duration::from_secs(10);

/// A loop that runs.
pub struct App {
    /// How to speak with it.
    pub handle: Handle,
    workers: Workers,
    stop: CancellationToken,
    writer_stop: CancellationToken,
    task: JoinHandle<()>,
    writing: JoinHandle<()>,
}

/// Starts the loop with all that is kept.
pub async fn start(store: Arc<dyn Store>) -> Result<App, Fault> {
    let clock = Instant::now();
    let now = Moment { wall: Utc::now(), run: clock.elapsed() };
    let mut sites = Sites::new();
    for kept in load::load(&*store, now.wall).await? {
        sites.load(kept, now);
    }
    tracing::info!(sites = sites.count(), "the loop starts");
    let (events, queue) = mpsc::channel(QUEUE);
    let board = Board::default();
    let handle = Handle::new(events, Arc::clone(&board));
    let (stop, writer_stop) = (CancellationToken::new(), CancellationToken::new());
    let writer = Writer::default();
    let writing = tokio::spawn(writer.clone().run(Arc::clone(&store), writer_stop.clone()));
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let workers = Workers::new(Arc::clone(&store), handle.clone(), writer.clone(), cores);
    let waiting = Waiting::new(store);
    tokio::spawn(waiting.clone().run(handle.clone(), stop.clone()));
    let (told, writes, plans) = (Instant::now(), writer.clone(), workers.clone());
    let beat = Arc::clone(&handle.beat);
    let task = Task { clock, sites, queue, board, waiting, writer: writes, workers: plans, told, beat };
    let task = tokio::spawn(task.run(stop.clone()));
    Ok(App { handle, workers, stop, writer_stop, task, writing })
}

impl App {
    /// Ends the loop, then writes what is left.
    pub async fn stop(self) {
        self.workers.stop();
        self.stop.cancel();
        if self.task.await.is_err() {
            tracing::error!("the loop had ended before");
        }
        self.writer_stop.cancel();
        if timeout(LAST_WRITES, self.writing).await.is_err() {
            tracing::error!("the store took too long; what was left is lost");
        }
    }
}

struct Task {
    clock: Instant,
    sites: Sites,
    queue: mpsc::Receiver<Event>,
    board: Board,
    waiting: Waiting,
    writer: Writer,
    workers: Workers,
    /// When figures were published last.
    told: Instant,
    /// Who watches the loop hears from it then.
    beat: Arc<watch::Sender<Instant>>,
}

impl Task {
    async fn run(mut self, stop: CancellationToken) {
        loop {
            let until_next = self.sites.next().map_or(FIGURES, |next| next.saturating_sub(self.clock.elapsed()));
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                event = self.queue.recv() => match event {
                    Some(event) => self.take(event),
                    None => break,
                },
                () = sleep(until_next.min(FIGURES)) => {}
            }
            for _ in 0..EVENTS_AT_ONCE {
                let Ok(event) = self.queue.try_recv() else { break };
                self.take(event);
            }
            for _ in 0..STEPS_AT_ONCE {
                if !self.step() {
                    break;
                }
            }
            if self.told.elapsed() >= FIGURES {
                self.told = Instant::now();
                self.figures();
                self.beat.send_replace(self.told);
            }
            tokio::task::yield_now().await;
        }
        // Whoever follows hears the end, and that nothing more is taken.
        self.board.write().clear();
    }

    fn now(&self) -> Moment {
        Moment { wall: Utc::now(), run: self.clock.elapsed() }
    }

    fn take(&mut self, event: Event) {
        let now = self.now();
        if matches!(event, Event::PlanWanted { job: Some(_), .. }) {
            self.waiting.look();
        }
        match catch_unwind(AssertUnwindSafe(|| self.sites.on(event, now))) {
            Ok(effects) => self.act(effects),
            Err(_) => counter!("kwartier_events_failed_total").increment(1),
        }
    }

    /// Steps one site that is due; false, none is.
    fn step(&mut self) -> bool {
        let (now, began) = (self.now(), Instant::now());
        match catch_unwind(AssertUnwindSafe(|| self.sites.step_one(now))) {
            Ok(Some((effects, late))) => {
                self.act(effects);
                histogram!("kwartier_step_seconds").record(began.elapsed().as_secs_f64());
                histogram!("kwartier_step_late_seconds").record(late.as_secs_f64());
                true
            }
            Ok(None) => false,
            Err(_) => {
                counter!("kwartier_steps_failed_total").increment(1);
                true
            }
        }
    }

    fn figures(&self) {
        let counts = self.sites.counts();
        gauge!("kwartier_loop_queue").set(self.queue.len() as f64);
        counter!("kwartier_steps_total").absolute(counts.steps);
        counter!("kwartier_step_panics_total").absolute(counts.panics);
        counter!("kwartier_events_dropped_total").absolute(counts.dropped);
        counter!("kwartier_setpoints_clamped_total").absolute(counts.clamped);
        counter!("kwartier_writes_dropped_total").absolute(self.writer.dropped());
        gauge!("kwartier_store_failing").set(f64::from(u8::from(self.writer.is_failing())));
    }

    fn act(&self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Publish { site, status, setpoints } => publish(&self.board, site, status, setpoints),
                Effect::Gone { site } => {
                    self.board.write().remove(&site);
                    self.workers.forget(&site);
                }
                Effect::Plan(request) => self.workers.order(*request),
                Effect::Hold { site, charger, held } => match serde_json::to_value(&held) {
                    Ok(body) => self.writer.held(Key::new(Kind::Held, site, charger), body),
                    Err(fault) => tracing::error!(%fault, "what a charger holds cannot be worded"),
                },
                Effect::Log(entry) => self.writer.log(entry),
                Effect::Measured(rows) => self.writer.measured(rows),
                Effect::Answered { job, outcome } => {
                    tokio::spawn(self.waiting.clone().answer(job, outcome));
                }
            }
        }
    }
}

/// Everybody who follows a site is told.
fn publish(
    board: &Board,
    site: String,
    status: Arc<crate::resource::status::SiteStatus>,
    setpoints: Vec<crate::resource::setpoint::Setpoint>,
) {
    let mut board = board.write();
    let published = board.entry(site).or_insert_with(|| Published {
        status: Arc::clone(&status),
        recent: VecDeque::new(),
        setpoints: broadcast::Sender::new(BEHIND.0),
        changed: broadcast::Sender::new(BEHIND.1),
    });
    let most = (REMEMBERED_EACH * status.chargers.len()).min(REMEMBERED);
    published.status = Arc::clone(&status);
    for setpoint in setpoints {
        while published.recent.len() >= most.max(1) {
            published.recent.pop_front();
        }
        published.recent.push_back(setpoint.clone());
        // Nobody follows: fine.
        let _ = published.setpoints.send(setpoint);
    }
    let _ = published.changed.send(status);
}
