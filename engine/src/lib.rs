//! The decision: what every vehicle, battery, plant and load of a site does in every slot of the day.
//!
//! [`plan`](plan::plan) is pure: the instance, the settings and everything that touches the world (a clock to ask, a flag to
//! look at, a process to run a solver in) come in as arguments. The mathematics is in `docs/model.md`.

pub mod baseline;
pub mod bound;
pub mod control;
pub mod explain;
pub mod fallback;
pub mod figures;
pub mod limits;
pub mod model;
pub mod outcome;
pub mod plan;
pub mod plant;
pub mod profile;
pub mod round;
pub mod schedule;
pub mod settings;
pub mod solver;
pub mod verify;
