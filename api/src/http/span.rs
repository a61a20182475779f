//! Spans of time in query strings.

use chrono::{DateTime, TimeDelta, Utc};

use super::problem::Problem;

/// A span of time: from an instant on, before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// From when on.
    pub from: DateTime<Utc>,
    /// Before when.
    pub until: DateTime<Utc>,
}

/// The span that `from` and `until` say: `usual` long where only one of them is said, from `usual_from` on where neither.
pub fn from_until(
    from: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
    usual_from: DateTime<Utc>,
    usual: TimeDelta,
    most: TimeDelta,
) -> Result<Span, Problem> {
    let too_far = || Problem::parameter("from", "lies beyond the calendar; check the year");
    let (from, until) = match (from, until) {
        (Some(from), Some(until)) => (from, until),
        (Some(from), None) => (from, from.checked_add_signed(usual).ok_or_else(too_far)?),
        (None, Some(until)) => (until.checked_sub_signed(usual).ok_or_else(too_far)?, until),
        (None, None) => (usual_from, usual_from.checked_add_signed(usual).ok_or_else(too_far)?),
    };
    if until <= from {
        return Err(Problem::parameter("until", "is not after `from`; swap them"));
    }
    if until - from > most {
        let detail = format!("is more than {} days after `from`; ask for it in parts", most.num_days());
        return Err(Problem::parameter("until", &detail));
    }
    Ok(Span { from, until })
}
