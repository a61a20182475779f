//! What the engine's tests share: a clock to hold, a solver that is not there, and an independent reference model.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use kwartier_data::Instance;
use kwartier_engine::outcome::Outcome;
use kwartier_engine::plan::plan;
use kwartier_engine::settings::{Method, Progress, Settings, Watch};
use kwartier_engine::solver::exact::{ExactAnswer, ExactFault, ExactRequest, ExactSolver};
use kwartier_engine::verify::verify;
use proptest::prelude::ProptestConfig;

/// A clock that advances by the same amount each time it is asked, and a person who cancels after so many looks.
#[derive(Debug, Default)]
pub struct Clock {
    /// How often it was asked.
    pub asked: AtomicU64,
    /// How much time passes at each look.
    pub step: Duration,
    /// Cancel at this look, if at all.
    pub cancel_at: Option<u64>,
    /// Whether it was cancelled.
    pub cancelled: AtomicBool,
}

impl Watch for Clock {
    fn elapsed(&self) -> Duration {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        self.step.saturating_mul(u32::try_from(asked).unwrap_or(u32::MAX))
    }

    fn cancelled(&self) -> bool {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        if self.cancel_at.is_some_and(|at| asked >= at) {
            self.cancelled.store(true, Ordering::Relaxed);
        }
        self.cancelled.load(Ordering::Relaxed)
    }

    fn progress(&self, _: &Progress) {}
}

/// No exact solver.
#[derive(Debug)]
pub struct NoSolver;

impl ExactSolver for NoSolver {
    fn solve(&self, _: &ExactRequest<'_>) -> Result<ExactAnswer, ExactFault> {
        Err(ExactFault::NotStarted("this test has none".to_owned()))
    }
}

/// Plans without an exact solver and without a limit on time; the plan has passed the verifier.
pub fn planned(instance: &Instance, settings: &Settings) -> Outcome {
    let outcome = plan(instance, settings, &Clock::default(), &NoSolver).expect("a plan");
    let report = verify(instance, &outcome.plan);
    assert!(report.is_clean(), "{:?}", report.violations);
    outcome
}

/// Cases of a property test: so many of 256, which is what `PROPTEST_CASES` says where it is not set. A case that fails is made
/// smaller for a minute, no longer: each try solves it anew.
pub fn cases(of_256: u32) -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig { cases: (default.cases * of_256 / 256).max(1), max_shrink_time: 60_000, ..default }
}

/// Settings for the decomposition alone.
pub fn decomposition() -> Settings {
    Settings { method: Method::Decomposition, ..Settings::default() }
}
