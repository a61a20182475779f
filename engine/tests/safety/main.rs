//! What stands between a mistake and a fuse: the clamp and the stored fallback, on small sites by hand and on random ones.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::float_cmp)]

mod fallback;
mod limits;
mod sites;

use proptest::prelude::ProptestConfig;

/// Cases of a property test: so many of 256, which is what `PROPTEST_CASES` says where it is not set.
fn cases(of_256: u32) -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig { cases: (default.cases * of_256 / 256).max(1), ..default }
}
