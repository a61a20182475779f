//! What the planner needs of the world: a clock and a person to look at ([`Monitor`]), and a solver in a process of its
//! own that may hang, crash or lie without harm ([`ChildSolver`]).

mod child;
#[cfg(test)]
mod child_tests;
mod monitor;
pub mod protocol;

pub use child::ChildSolver;
pub use monitor::Monitor;
