//! `kwartier simulate`: a depot under a virtual clock, with planner, forecasts, the fast loop and everything that breaks.
//!
//! | file | does |
//! |---|---|
//! | `scenario/` | what a scenario's file says |
//! | `inputs.rs` | prices, building and sun: from files or made up |
//! | `visits.rs`, `patterns.rs` | who comes |
//! | `breaks.rs`, `signals.rs` | what breaks, what others say |
//! | `world.rs` | all of it as what the plant plays |

mod breaks;
mod dice;
mod inputs;
mod patterns;
mod scenario;
mod signals;
mod visits;
mod world;
