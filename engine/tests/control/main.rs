//! The fast loop: one step's sharing against an exact reference, and the loop against depots that obey, ignore and lie.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::float_cmp)]

#[path = "../cases/mod.rs"]
mod cases;
mod depot;
mod emergency;
mod knowledge;
mod meters;
mod phases;
mod rules;
mod safety;
mod sharing;
