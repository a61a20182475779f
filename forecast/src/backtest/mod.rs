//! Backtests: how good methods would have been on a history, each forecast made from what was known at its origin.
//!
//! [`run`] walks through a span origin by origin. A method sees a [`Past`](kwartier_data::history::Past) alone, so it
//! cannot know what came later; only [`score`] looks at the truth. Fits happen every so often, forecasts at every origin.
//!
//! | file | holds |
//! |---|---|
//! | `origins.rs` | when forecasts are made |
//! | `score.rs` | forecasts against the truth: one figure a method and day ahead |
//! | `drift.rs` | whether a model still earns its place: against its own past and against the obvious guesses |

pub mod drift;
#[cfg(test)]
pub(crate) mod leakage;
mod origins;
mod score;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::forecast::Belief;
use kwartier_data::history::History;
use rayon::prelude::*;

use crate::method::{CannotFit, Horizon, Method};
pub use origins::Origins;
pub use score::{DayLoss, LeadHour, LeftOut, MethodScores, Report, Scale, Scores, Times, score};

/// What a backtest asks of the world while it runs.
pub trait Watch: Sync {
    /// Seconds since some instant that stays the same: what fits and forecasts take is measured by it.
    fn elapsed_s(&self) -> f64;

    /// Whether to stop: what is done so far is scored.
    fn cancelled(&self) -> bool;

    /// So many of all forecasts are made.
    fn progress(&self, done: usize, all: usize);
}

/// A method in a backtest.
#[derive(Clone, Copy)]
pub struct Entrant<'m> {
    /// The method.
    pub method: &'m dyn Method,
    /// Whether it is an obvious guess, which the others are held against.
    pub baseline: bool,
}

/// Which forecasts a backtest makes.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// No origin before this.
    pub from: DateTime<Utc>,
    /// All origins before this.
    pub until: DateTime<Utc>,
    /// When forecasts are made.
    pub origins: Origins,
    /// How far each goes.
    pub horizon: TimeDelta,
    /// Methods are fitted anew after this long.
    pub refit: TimeDelta,
}

/// What a method forecast in a backtest.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// The method's name.
    pub name: &'static str,
    /// Whether it is an obvious guess.
    pub baseline: bool,
    /// For each origin that was reached one belief for each interval of its horizon; `None` where the method said nothing.
    pub beliefs: Vec<Option<Vec<Option<Belief>>>>,
    /// What each fit took in seconds.
    pub fit_s: Vec<f64>,
    /// What each forecast took in seconds.
    pub predict_s: Vec<f64>,
    /// Why it could not be fitted, the first time that it could not.
    pub cannot_fit: Option<CannotFit>,
}

/// The forecasts of a backtest, before anything is held against the truth.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// When forecasts were made.
    pub origins: Vec<DateTime<Utc>>,
    /// The intervals of each origin.
    pub horizons: Vec<Horizon>,
    /// What each method said, in the order in which they were given.
    pub trials: Vec<Trial>,
    /// Whether somebody stopped it before it was through.
    pub cancelled: bool,
}

/// How many stretches are worked on at once at most. Methods use the same threads inside; a thread that waits for its part
/// there takes up another stretch, on the same stack, so all stretches at once would overrun it.
const AT_ONCE: usize = 8;

/// What came of a fit and the forecasts of one method until the next fit.
struct Block {
    fit_s: f64,
    made: Vec<(usize, f64, Vec<Option<Belief>>)>,
    cannot_fit: Option<CannotFit>,
}

/// Makes all forecasts of all methods. Methods and stretches between fits run in parallel; the result does not depend
/// on it, but for the times.
pub fn run(history: &History, entrants: &[Entrant<'_>], settings: &Settings, watch: &dyn Watch) -> Run {
    let zone = history.as_of(settings.from).zone();
    let origins = settings.origins.between(zone, settings.from, settings.until);
    let horizons: Vec<Horizon> =
        origins.iter().map(|&origin| Horizon::from_origin(&history.as_of(origin), settings.horizon)).collect();
    let blocks = origins::blocks(&origins, settings.refit);
    let (done, all) = (AtomicUsize::new(0), origins.len() * entrants.len());
    // Stretches outside, methods inside: stopped early, the methods have got equally far.
    let work: Vec<(usize, usize)> =
        (0..blocks.len()).flat_map(|block| (0..entrants.len()).map(move |entrant| (block, entrant))).collect();
    let one = |&(block, entrant): &(usize, usize)| {
        if watch.cancelled() {
            return None;
        }
        let of_block = blocks[block].clone();
        let began_s = watch.elapsed_s();
        let fitted = entrants[entrant].method.fit(&history.as_of(origins[of_block.start]));
        let mut result = Block { fit_s: watch.elapsed_s() - began_s, made: Vec::new(), cannot_fit: None };
        match fitted {
            Err(cannot) => {
                result.cannot_fit = Some(cannot);
                watch.progress(done.fetch_add(of_block.len(), Ordering::Relaxed) + of_block.len(), all);
            }
            Ok(fitted) => {
                for k in of_block {
                    if watch.cancelled() {
                        break;
                    }
                    let began_s = watch.elapsed_s();
                    let beliefs = fitted.predict(&history.as_of(origins[k]), horizons[k]);
                    result.made.push((k, watch.elapsed_s() - began_s, beliefs));
                    watch.progress(done.fetch_add(1, Ordering::Relaxed) + 1, all);
                }
            }
        }
        Some(result)
    };
    let at_once = rayon::current_num_threads().min(AT_ONCE) * entrants.len().max(1);
    let results: Vec<Option<Block>> =
        work.chunks(at_once).flat_map(|some| some.par_iter().map(one).collect::<Vec<_>>()).collect();
    let mut trials: Vec<Trial> = entrants.iter().map(|entrant| Trial::empty(entrant, origins.len())).collect();
    for (&(_, entrant), result) in work.iter().zip(results) {
        let Some(result) = result else { continue };
        let trial = &mut trials[entrant];
        if result.cannot_fit.is_none() {
            trial.fit_s.push(result.fit_s);
        }
        trial.cannot_fit = trial.cannot_fit.take().or(result.cannot_fit);
        for (k, seconds, beliefs) in result.made {
            trial.predict_s.push(seconds);
            trial.beliefs[k] = Some(beliefs);
        }
    }
    Run { origins, horizons, trials, cancelled: watch.cancelled() }
}

impl Trial {
    fn empty(entrant: &Entrant<'_>, origins: usize) -> Self {
        Trial {
            name: entrant.method.name(),
            baseline: entrant.baseline,
            beliefs: vec![None; origins],
            fit_s: Vec::new(),
            predict_s: Vec::new(),
            cannot_fit: None,
        }
    }

    /// What it said at an origin of an interval of its horizon.
    pub fn belief(&self, origin: usize, step: usize) -> Option<&Belief> {
        self.beliefs.get(origin)?.as_ref()?.get(step)?.as_ref()
    }
}
