//! The API as a whole, in process: the real router and a real store, and a loop that only listens.

pub mod bench;
mod change;
mod days;
mod golden;
mod isolation;
mod limits;
mod stream;
mod tags;
mod wrong;
