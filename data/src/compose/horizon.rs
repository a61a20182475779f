//! The slots of a plan.

use chrono::{DateTime, DurationRound, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::local::{TimeOfDay, next_day};

/// Length of what markets and grids are billed by, and of a slot of the plans that follow from that.
pub const QUARTER: TimeDelta = TimeDelta::minutes(15);

/// The beginning of the quarter-hour that an instant is in.
pub fn quarter_of(at: DateTime<Utc>) -> DateTime<Utc> {
    // Only instants beyond the years 1677 and 2262 cannot be rounded.
    at.duration_trunc(QUARTER).unwrap_or(at)
}

/// Slots of equal length from a start on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Horizon {
    /// Beginning of slot 0.
    pub start: DateTime<Utc>,
    /// Length of a slot in minutes, above 0.
    pub slot_minutes: u32,
    /// Number of slots.
    pub slots: usize,
}

impl Horizon {
    /// From a time of day until the wall clock shows it again the next day: 92, 96 or 100 quarter-hours.
    pub fn of_day(zone: Tz, day: NaiveDate, from: TimeOfDay, slot_minutes: u32) -> Self {
        let start = from.on(zone, day);
        let minutes = (from.on(zone, next_day(day)) - start).num_minutes();
        let slots = usize::try_from(minutes).unwrap_or(0) / slot_minutes.max(1) as usize;
        Horizon { start, slot_minutes, slots }
    }

    /// End of the last slot.
    pub fn end(&self) -> DateTime<Utc> {
        self.at(self.slots)
    }

    /// Length of a slot.
    pub fn slot(&self) -> TimeDelta {
        TimeDelta::minutes(i64::from(self.slot_minutes))
    }

    /// Beginning of a slot.
    pub fn at(&self, slot: usize) -> DateTime<Utc> {
        let slots = i64::try_from(slot).unwrap_or(i64::MAX);
        self.start + TimeDelta::minutes(i64::from(self.slot_minutes).saturating_mul(slots))
    }

    /// The whole slots within `[from, to)`: the first, and the first after them; `None` where there is no whole slot.
    pub(super) fn window(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Option<(usize, usize)> {
        let slot_ms = self.slot().num_milliseconds();
        let ms = |at: DateTime<Utc>| (at.clamp(self.start, self.end()) - self.start).num_milliseconds();
        let first = usize::try_from((ms(from) + slot_ms - 1) / slot_ms).ok()?;
        let after = usize::try_from(ms(to) / slot_ms).ok()?;
        (first < after).then_some((first, after))
    }

    /// The fractions of `[from, to)` before the horizon and within it.
    pub(super) fn shares(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> (f64, f64) {
        let whole = (to - from).num_milliseconds() as f64;
        let until = |at: DateTime<Utc>| (at.clamp(from, to) - from).num_milliseconds() as f64;
        let (before, through) = (until(self.start), until(self.end()));
        (before / whole, (through - before) / whole)
    }
}
