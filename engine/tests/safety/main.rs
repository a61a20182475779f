//! What stands between a mistake and a fuse: the clamp and the stored fallback, on small sites by hand and on random ones.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::float_cmp)]

#[path = "../cases/mod.rs"]
mod cases;
mod fallback;
mod limits;
mod sites;
