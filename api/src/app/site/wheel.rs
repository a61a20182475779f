//! Who steers a site: the fast loop with the last clamp behind it, and the ladder for when it panics.
//!
//! A step that panics has lost its state. It begins again at once, knowing what the service knows of the site, as after a
//! restart, but without the plan: the next rung. If that panics too, nothing is sent for a while, and what was told before
//! lapses to what chargers store. Then it tries again, rung by rung, by itself.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use kwartier_engine::control::command::Notice;
use kwartier_engine::control::{Event, Output, Setpoint, Setup, State, Stays};
use kwartier_engine::limits::Clamp;

use crate::app::moment::Moment;
use crate::resource::status::Steering;

/// How a step is made: [`kwartier_engine::control::step`], but in tests of what happens when that fails.
pub type Step = fn(State, DateTime<Utc>, &[Event]) -> (State, Output);

/// Without the plan it must go well for so long, twice as long each time, until the plan comes back.
const PROBATION: Duration = Duration::from_mins(1);

/// Nothing is sent for so long, twice as long each time, before it is tried again.
const SILENCE: Duration = Duration::from_secs(1);

/// Doubled so often at most.
const DOUBLED: u32 = 6;

/// After so long without a panic they are forgotten.
const FORGIVEN: Duration = Duration::from_hours(1);

/// On which rung it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rung {
    /// The plan counts.
    Plan,
    /// What is free is shared out, until then.
    Share { until: Duration },
    /// Nothing is sent, until then.
    Fallback { until: Duration },
}

/// What came of a step.
#[derive(Debug, Default)]
pub struct Turned {
    /// What goes out, decreases first.
    pub setpoints: Vec<Setpoint>,
    /// What an operator should know.
    pub notices: Vec<Notice>,
    /// Whether the plan no longer fits.
    pub replan: bool,
    /// How many setpoints the last clamp has lowered.
    pub clamped: u64,
}

/// The fast loop and the last clamp of a site.
pub struct Wheel {
    setup: Arc<Setup>,
    step: Step,
    state: State,
    clamp: Clamp,
    rung: Rung,
    panics: u32,
    last_panic: Option<Duration>,
    /// How often it has begun again; numbers of setpoints begin anew with it.
    begun: u64,
}

impl Wheel {
    /// A loop that knows nothing yet.
    pub fn new(setup: Arc<Setup>, step: Step, now: Moment) -> Wheel {
        Wheel {
            state: State::new(Arc::clone(&setup), now.wall),
            clamp: Clamp::new(&setup),
            setup,
            step,
            rung: Rung::Plan,
            panics: 0,
            last_panic: None,
            begun: 0,
        }
    }

    /// The same after the site has changed: what still is so is known as before. It has to be told again who charges where, what a
    /// grid operator orders and what is planned.
    pub fn carried(&self, setup: Arc<Setup>, stays: &Stays) -> Wheel {
        Wheel {
            state: self.state.carried(Arc::clone(&setup), stays),
            clamp: self.clamp.carried(&setup, stays),
            setup,
            ..*self
        }
    }

    /// What it knows.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// How often it has begun again, and how often it has panicked of late.
    pub fn troubles(&self) -> (u64, u32) {
        (self.begun, self.panics)
    }

    /// How the site is steered, if there is a plan or not.
    pub fn steering(&self, planned: bool) -> Steering {
        match self.rung {
            Rung::Fallback { .. } => Steering::Fallback,
            Rung::Plan if planned => Steering::Plan,
            Rung::Plan | Rung::Share { .. } => Steering::Share,
        }
    }

    /// One step. `all` tells a loop that begins again everything that is known of the site; it is told the plan last.
    /// `None`, nothing may be sent now.
    pub fn turn(&mut self, now: Moment, mut events: Vec<Event>, all: impl Fn() -> Vec<Event>) -> Option<Turned> {
        match self.rung {
            Rung::Fallback { until } if now.run < until => return None,
            Rung::Fallback { .. } => {
                self.rung = Rung::Share { until: now.run + self.probation() };
                events = self.begin_again(now, &all);
            }
            Rung::Share { until } if now.run >= until => {
                self.rung = Rung::Plan;
                events.extend(all().into_iter().filter(is_plan));
            }
            Rung::Plan | Rung::Share { .. } => {}
        }
        if self.last_panic.is_some_and(|last| now.run.saturating_sub(last) > FORGIVEN) {
            (self.panics, self.last_panic) = (0, None);
        }
        if let Some(turned) = self.attempt(now, events) {
            return Some(turned);
        }
        if self.rung == Rung::Plan {
            self.rung = Rung::Share { until: now.run + self.probation() };
            let events = self.begin_again(now, &all);
            if let Some(turned) = self.attempt(now, events) {
                return Some(turned);
            }
        }
        self.rung = Rung::Fallback { until: now.run + SILENCE * (1 << self.panics.min(DOUBLED)) };
        // What is left is half done; nothing looks at it but the page.
        self.state = State::new(Arc::clone(&self.setup), now.wall);
        None
    }

    fn probation(&self) -> Duration {
        PROBATION * (1 << self.panics.min(DOUBLED))
    }

    fn begin_again(&mut self, now: Moment, all: &impl Fn() -> Vec<Event>) -> Vec<Event> {
        self.state = State::new(Arc::clone(&self.setup), now.wall);
        self.clamp = Clamp::new(&self.setup);
        self.begun += 1;
        all()
    }

    /// One step; `None`, it has panicked.
    fn attempt(&mut self, now: Moment, mut events: Vec<Event>) -> Option<Turned> {
        if self.rung != Rung::Plan {
            events.retain(|event| !is_plan(event));
        }
        let state = std::mem::replace(&mut self.state, State::new(Arc::clone(&self.setup), now.wall));
        let (step, clamp) = (self.step, &mut self.clamp);
        let stepped = catch_unwind(AssertUnwindSafe(|| {
            let (mut state, Output { setpoints, notices, replan, .. }) = step(state, now.wall, &events);
            clamp.hear(now.wall, &events);
            let wanted: Vec<(u64, f64)> = setpoints.iter().map(|setpoint| (setpoint.number, setpoint.amps)).collect();
            let setpoints = clamp.pass(now.wall, setpoints);
            state.passed(&setpoints);
            let lowered = |setpoint: &&Setpoint| {
                wanted.iter().any(|(number, amps)| *number == setpoint.number && setpoint.amps < amps - 1e-6)
            };
            let clamped = setpoints.iter().filter(lowered).count() as u64;
            (state, Turned { setpoints, notices, replan, clamped })
        }));
        if let Ok((state, turned)) = stepped {
            self.state = state;
            Some(turned)
        } else {
            self.panics += 1;
            self.last_panic = Some(now.run);
            None
        }
    }
}

fn is_plan(event: &Event) -> bool {
    matches!(event, Event::Planned(_))
}
