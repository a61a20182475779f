//! How a solve ended.

use kwartier_data::plan::Plan;
use thiserror::Error;

/// Why a solve stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The gap asked for is proven.
    Gap,
    /// Every method has said all it can; the gap asked for stays open.
    Exhausted,
    /// The time limit.
    TimeLimit,
    /// The caller cancelled.
    Cancelled,
}

impl Ended {
    /// The word that the plan's file has for it.
    pub fn name(self) -> &'static str {
        match self {
            Ended::Gap => "gap",
            Ended::Exhausted => "exhausted",
            Ended::TimeLimit => "time_limit",
            Ended::Cancelled => "cancelled",
        }
    }
}

/// A plan with the facts of its making. The plan has passed [`verify`](crate::verify).
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The plan.
    pub plan: Plan,
    /// (objective − bound) ÷ flexible cost.
    pub gap: f64,
    /// The objective less what the site pays with nothing flexible running and all its PV used, in EUR (at least 1).
    pub flexible_eur: f64,
    /// Why it stopped.
    pub ended: Ended,
}

/// Why there is no plan at all.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum NoPlan {
    /// The building and its PV break limits in a way that nothing flexible was found to mend.
    #[error("no plan was found that respects every limit; with everything flexible switched off {0}")]
    LimitsContradict(String),
    /// Everything flexible off breaks a limit, and time or patience ended before anything better was found.
    #[error("no plan was found in time; with everything flexible switched off {0}")]
    NotInTime(String),
}
