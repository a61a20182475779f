//! How many cases a property is tried with.

use proptest::prelude::ProptestConfig;

/// So many of 256, which is what `PROPTEST_CASES` says where it is not set: 25600 tries a hundred times as many, and finds what a run of
/// the tests finds by chance.
pub fn cases(of_256: u32) -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig { cases: (default.cases * of_256 / 256).max(1), ..default }
}
