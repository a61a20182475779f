//! How long vehicles stay and how much they take, from what they and others did before.
//!
//! | module | holds |
//! |---|---|
//! | [`identity`] | names as keyed hashes |
//! | [`visit`] | a visit, the log of visits that hides the future, the wall clock |
//! | [`prior`] | what is believed before there is a history |
//! | [`model`] | the model: fit, predict at arrival and while the vehicle stays, forget |
//! | [`saved`] | models as files |
//! | [`arrivals`] | who comes in the days ahead |
//! | [`mod@backtest`] | how good it was, against the obvious guesses |
//!
//! Inside: `memory` (a log in the orders it is asked for), `spread` (distributions), `likeness` (past visits weighed by how
//! like they are), `features` and `boosted` (trees), `forecaster` (both mixed and calibrated).

pub mod arrivals;
pub mod backtest;
pub mod identity;
pub mod model;
pub mod prior;
pub mod saved;
pub mod visit;

mod arrivals_tested;
mod boosted;
mod count;
mod features;
mod forecaster;
mod guesses;
mod likeness;
mod memory;
mod score;
mod spread;

pub use arrivals::{Ahead, ExpectedVisit, Who};
pub use arrivals_tested::ArrivalScores;
pub use backtest::{BacktestSettings, NothingToTest, SessionsReport, backtest};
pub use identity::{Kind, Pseudonym, Salt};
pub use model::{Model, Outcome, Ready, Site};
pub use prior::Place;
pub use saved::SavedModel;
pub use score::Scores;
pub use visit::{Clock, Known, Log, Visit};

#[cfg(test)]
mod tests;
