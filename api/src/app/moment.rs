//! An instant, by two clocks.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// An instant. The clock of the wall may jump; that of the process only goes on, and says when things are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// What the clock of the wall shows.
    pub wall: DateTime<Utc>,
    /// How long the process runs.
    pub run: Duration,
}
