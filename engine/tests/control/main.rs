//! The fast loop: one step's sharing against an exact reference, and the loop against depots that obey, ignore and lie.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::float_cmp)]

mod depot;
mod emergency;
mod knowledge;
mod meters;
mod phases;
mod rules;
mod safety;
mod sharing;

use proptest::prelude::ProptestConfig;

/// So many cases; with `PROPTEST_CASES=25600` a hundred times as many, which find what a run of the tests finds by chance.
fn cases(of_256: u32) -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig { cases: (default.cases * of_256 / 256).max(1), ..default }
}
