//! The API: axum routes over the store and the loop.

pub mod listen;
pub mod problem;
