//! Something that is wrong only if it lasts.

use chrono::{DateTime, Utc};

/// A state that may hold for a while.
#[derive(Debug, Clone, Default)]
pub(super) struct Lasting {
    since: Option<DateTime<Utc>>,
    worst: f64,
    limit: f64,
}

/// A state that has ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended {
    /// Since when it held.
    pub(super) from: DateTime<Utc>,
    /// For how long, in s.
    pub(super) seconds: f64,
    /// The value farthest above its limit, and that limit.
    pub(super) worst: f64,
    pub(super) limit: f64,
}

impl Lasting {
    /// From an instant on it holds with a value above a limit, or (`None`) not. Returns what has ended by that.
    pub(super) fn is(&mut self, at: DateTime<Utc>, over: Option<(f64, f64)>) -> Option<Ended> {
        match over {
            Some((value, limit)) => {
                if self.since.is_none() || value - limit > self.worst - self.limit {
                    (self.worst, self.limit) = (value, limit);
                }
                self.since.get_or_insert(at);
                None
            }
            None => self.since.take().map(|from| Ended {
                from,
                seconds: (at - from).num_milliseconds() as f64 / 1000.0,
                worst: self.worst,
                limit: self.limit,
            }),
        }
    }
}
