//! The simulated depot: vehicles, charging stations, boards, meters and what goes wrong with them.

pub mod truth;
pub mod world;
