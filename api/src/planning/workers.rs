//! Makes plans on threads of their own, as many at a time as there are cores. A planner that hangs or panics costs its
//! site one plan and nobody else anything but its thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use kwartier_data::{Instance, Plan};
use kwartier_engine::plan::plan;
use kwartier_engine::settings::{Progress, Settings, Watch};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::compose::Outlook;
use super::foresee::Foresight;
use super::ladder::{Climbed, Rungs, Solve, TIME_LIMIT, climb};
use super::made::Made;
use super::request::Request;
use crate::app::{Event, Handle, Writer};
use crate::aside::aside;
use crate::solve::ChildSolver;
use crate::store::{KeptPlan, Store};

/// A planner that says nothing for so long beyond its time limit hangs.
const PATIENCE: Duration = Duration::from_secs(10);

/// A store that takes longer to keep a plan does not hold it up.
const KEEPING: Duration = Duration::from_secs(2);

/// Makes plans. Clones share their threads.
#[derive(Clone)]
pub struct Workers {
    store: Arc<dyn Store>,
    app: Handle,
    writer: Writer,
    foresight: Arc<Foresight>,
    places: Arc<Semaphore>,
    solve: Arc<Solve>,
    longest: Duration,
    stopped: Arc<AtomicBool>,
}

/// The clock of a solve, and whether it is to end.
struct Patience {
    began: Instant,
    given_up: AtomicBool,
    stopped: Arc<AtomicBool>,
}

impl Watch for Patience {
    fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    fn cancelled(&self) -> bool {
        self.given_up.load(Ordering::Relaxed) || self.stopped.load(Ordering::Relaxed)
    }

    fn progress(&self, _: &Progress) {}
}

impl Workers {
    /// Workers that plan as `kwartier plan` does, so many at a time.
    pub fn new(store: Arc<dyn Store>, app: Handle, writer: Writer, places: usize) -> Workers {
        let solve = |instance: &Instance, settings: &Settings, watch: &dyn Watch| -> Result<Plan, String> {
            let made = plan(instance, settings, watch, &ChildSolver::of_this_program(watch));
            made.map(|outcome| outcome.plan).map_err(|none| none.to_string())
        };
        Workers::solving(store, app, writer, places, Arc::new(solve), TIME_LIMIT + PATIENCE)
    }

    /// Workers that plan in some way, and give up after so long.
    pub fn solving(
        store: Arc<dyn Store>,
        app: Handle,
        writer: Writer,
        places: usize,
        solve: Arc<Solve>,
        longest: Duration,
    ) -> Workers {
        Workers {
            store,
            app,
            writer,
            foresight: Arc::new(Foresight::default()),
            places: Arc::new(Semaphore::new(places.max(1))),
            solve,
            longest,
            stopped: Arc::default(),
        }
    }

    /// Takes an order; the loop hears what comes of it.
    pub fn order(&self, request: Request) {
        let workers = self.clone();
        tokio::spawn(async move {
            let (site, number) = (request.site.clone(), request.number);
            let outcome = workers.make(request).await;
            if let Err(why) = &outcome {
                tracing::warn!(site, why, "there is no plan");
                metrics::counter!("kwartier_plans_failed_total").increment(1);
            }
            if workers.app.tell_when_free(Event::Planned { site, number, outcome }).await.is_err() {
                tracing::debug!("a plan came after the loop had ended");
            }
        });
    }

    /// A site is gone.
    pub fn forget(&self, site: &str) {
        self.foresight.forget(site);
    }

    /// Ends all solves that are going on.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    async fn make(&self, request: Request) -> Result<Arc<Made>, String> {
        let outlook = self.foresight.outlook(&*self.store, &request).await;
        let request = Arc::new(request);
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|fault| fault.to_string())?;
        let watch = Arc::new(Patience {
            began: Instant::now(),
            given_up: AtomicBool::new(false),
            stopped: Arc::clone(&self.stopped),
        });
        let solving = {
            let (solve, watch) = (Arc::clone(&self.solve), Arc::clone(&watch));
            let (request, outlook) = (Arc::clone(&request), outlook.clone());
            aside(move || {
                // One that hangs keeps its place: no more than so many threads are ever lost.
                let _place = place;
                finish(&request, outlook, Rungs::All(&*solve), &*watch)
            })
        };
        let made = if let Ok(ended) = timeout(self.longest, solving).await {
            ended.flatten()
        } else {
            watch.given_up.store(true, Ordering::Relaxed);
            metrics::counter!("kwartier_planners_hung_total").increment(1);
            let again = move || finish(&request, outlook, Rungs::Rule("it hangs"), &*watch);
            aside(again).await.flatten()
        }?;
        if let Planned::New(made) = &made {
            metrics::counter!("kwartier_plans_made_total").increment(1);
            // It is kept before it is in force, so that whoever hears of it can read it; what the store cannot take now the
            // writer tries again.
            if !matches!(timeout(KEEPING, self.store.keep_plan(&made.kept)).await, Ok(Ok(()))) {
                self.writer.plan(KeptPlan::clone(&made.kept));
            }
        }
        Ok(made.plan())
    }
}

/// A plan, and whether it is another one than before.
enum Planned {
    Same(Arc<Made>),
    New(Arc<Made>),
}

impl Planned {
    fn plan(self) -> Arc<Made> {
        match self {
            Planned::Same(made) | Planned::New(made) => made,
        }
    }
}

fn finish(request: &Request, outlook: Outlook, rungs: Rungs<'_>, watch: &dyn Watch) -> Result<Planned, String> {
    match (climb(request, outlook, rungs, watch)?, &request.previous) {
        (Climbed::Unchanged, Some(previous)) => Ok(Planned::Same(Arc::clone(previous))),
        (Climbed::Unchanged, None) => Err("nothing has changed since a plan that is gone".to_owned()),
        (Climbed::New(kept), _) => {
            Made::of(*kept, &request.setup, &request.present).map(|made| Planned::New(Arc::new(made)))
        }
    }
}
