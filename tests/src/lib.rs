//! What the end-to-end tests and the benchmark share. Development only.

pub mod depots;
pub mod generate;
pub mod npm;
pub mod planned;
pub mod play;
