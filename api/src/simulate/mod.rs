//! `kwartier simulate`: a depot under a virtual clock, with planner, forecasts, the fast loop and everything that breaks.
//!
//! | file | does |
//! |---|---|
//! | `scenario/` | what a scenario's file says |
//! | `inputs.rs` | prices, building and sun: from files or made up |
//! | `visits.rs`, `patterns.rs` | who comes |
//! | `breaks.rs`, `signals.rs` | what breaks, what others say |
//! | `world.rs` | all of it as what the plant plays |
//! | `foresee.rs`, `people.rs`, `planner.rs` | what planners know of series and of visits, and what they make of it |
//! | `live.rs` | what a service knows while it runs |
//! | `runner.rs` | the loop that joins plant, fast loop and planner |
//! | `bill.rs`, `summary.rs`, `trace.rs` | what it amounts to: what was written down is in `engine::plant::record` |

mod bill;
mod breaks;
mod dice;
pub mod foresee;
mod inputs;
pub mod live;
mod patterns;
pub mod people;
pub mod planner;
mod runner;
mod scenario;
#[cfg(test)]
mod schema_tests;
mod signals;
mod summary;
#[cfg(test)]
mod tests;
mod trace;
mod visits;
pub mod world;

use std::path::Path;

use kwartier_engine::settings::Watch;

pub use scenario::schema;
pub use summary::{FaultEffect, Summary};

use self::bill::Rates;
use self::planner::Foreseen;
use self::runner::play;
use self::scenario::{Scenario, Source, Steering};
use self::summary::Whole;
use crate::cli::failure::Failure;

/// A scenario that was read.
pub struct Play {
    scenario: Scenario,
    source: Source,
}

/// What a run leaves behind.
pub struct Outcome {
    /// In short.
    pub summary: Summary,
    /// The zone of the site, for people.
    pub zone: chrono_tz::Tz,
    /// All that flowed, as a Parquet file.
    pub trace: Vec<u8>,
}

impl Play {
    /// Reads a scenario, with settings instead of what it says.
    pub fn read(path: &Path, settings: &[(String, String)]) -> Result<Play, Failure> {
        let (scenario, source) = scenario::read(path, settings)?;
        Ok(Play { scenario, source })
    }

    /// Its name, and what it shows.
    pub fn name(&self) -> (&str, &str) {
        (&self.scenario.name, &self.scenario.about)
    }

    /// All that it plays with a seed.
    pub fn days(&self, seed: u64) -> Result<world::Days, Failure> {
        world::days(&self.scenario, &self.source, seed)
    }

    /// Plays it with a seed, and the same days without faults beside it where a `twin` is wanted. `progress` hears what share
    /// of it is done.
    pub fn run(&self, seed: u64, twin: bool, watch: &dyn Watch, progress: &dyn Fn(f64)) -> Result<Outcome, Failure> {
        let days = self.days(seed)?;
        let rates = Rates::of(&days)?;
        let policy = &self.scenario.policy;
        // What the faults cost is told by the same days without them.
        let twin = twin && !days.world.faults.is_empty() && policy.steering == Steering::Control;
        let share = if twin { 0.5 } else { 1.0 };
        let mut unbroken = days.clone();
        unbroken.world.faults.clear();
        let faults = &days.world.faults;
        let mut foreseen = policy.plans().then(|| Foreseen::of(&days, policy));
        let played = play(&days, faults, (policy, foreseen.as_mut()), seed, watch, &|done| progress(share * done));
        let without = (twin && !watch.cancelled()).then(|| {
            let progress = |done| progress(0.5 + 0.5 * done);
            play(&unbroken, faults, (policy, foreseen.as_mut()), seed, watch, &progress)
        });
        // A twin that was stopped tells nothing.
        let without = without.filter(|_| !watch.cancelled());
        let whole = Whole {
            scenario: &self.scenario,
            seed,
            days: &days,
            rates: &rates,
            played: &played,
            without: without.as_ref(),
        };
        let summary = whole.summary();
        let trace = trace::parquet(&played.record.trace, &days.setup).map_err(Failure::Internal)?;
        Ok(Outcome { summary, zone: days.times.zone, trace })
    }
}
