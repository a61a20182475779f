//! The store in a SQL database: one set of statements for SQLite and PostgreSQL, and one way of writing.
//!
//! Reads take a connection from a pool; writes go through the [`writer`]. Types are those that both databases have: whole
//! numbers, numbers, text, bytes. Times are microseconds, JSON is text.

pub mod check;
pub mod connection;
pub mod copy;
pub mod database;
pub mod tables;
pub mod value;

mod answers;
mod documents;
pub mod history;
mod insert;
mod jobs;
mod logs;
mod measurements;
mod names;
mod page;
mod plans;
mod store;
mod trouble;
mod write;
mod writer;

pub use store::SqlStore;
pub use trouble::{fault, migration, unavailable};
