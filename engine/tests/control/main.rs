//! The fast loop: one step's sharing against an exact reference, and the loop against depots that obey, ignore and lie.

mod depot;
mod rules;
mod safety;
mod sharing;
