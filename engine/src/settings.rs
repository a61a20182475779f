//! What a caller may ask of the planner, and what the planner asks of the world.

use std::time::Duration;

use kwartier_data::plan::Plan;

/// What is asked of the planner.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Stop once (objective − bound) ÷ flexible cost is at most this fraction.
    pub gap: f64,
    /// Hand out the best plan so far after this long.
    pub time_limit: Duration,
    /// Which method to use.
    pub method: Method,
    /// The plan in force, to stay close to.
    pub previous: Option<Plan>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { gap: 1e-3, time_limit: Duration::from_mins(1), method: Method::Auto, previous: None }
    }
}

/// How to solve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// Decomposition; the exact model as well where the site is small and the gap stays open.
    #[default]
    Auto,
    /// Decomposition by vehicle alone.
    Decomposition,
    /// One mixed-integer model of the whole site alone.
    Exact,
}

/// How far a solve has come.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// What is being done now, in a few words.
    pub doing: &'static str,
    /// The best verified plan's cost so far in EUR.
    pub objective_eur: Option<f64>,
    /// The best proven bound so far in EUR.
    pub bound_eur: Option<f64>,
    /// (objective − bound) ÷ flexible cost.
    pub gap: Option<f64>,
}

/// The planner's window on the world. Implementations must be cheap: they are asked often.
pub trait Watch: Sync {
    /// Time since the solve began, by a clock that never goes back.
    fn elapsed(&self) -> Duration;
    /// Whether to stop and hand out the best plan so far.
    fn cancelled(&self) -> bool;
    /// Something changed that a person may want to see.
    fn progress(&self, progress: &Progress);
}
