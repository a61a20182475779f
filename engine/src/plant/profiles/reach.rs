//! When a profile is in force, and when that changes.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Kind, Period, Profile, Running};

impl Profile {
    /// Its period at an instant; `None`, it is not in force then.
    pub(super) fn period_at(&self, at: DateTime<Utc>, running: Running<'_>) -> Option<Period> {
        let valid = self.valid_from.is_none_or(|from| from <= at) && self.valid_to.is_none_or(|to| at < to);
        let begins = self.begins(at, running)?;
        if !valid || self.schedule.duration_s.is_some_and(|s| begins + TimeDelta::seconds(s) <= at) {
            return None;
        }
        let elapsed = at - begins;
        self.schedule.periods.iter().rev().find(|period| TimeDelta::seconds(period.start_s) <= elapsed).copied()
    }

    /// When its state may change next after an instant; `None`, never.
    pub(super) fn turns_after(&self, at: DateTime<Utc>, running: Running<'_>) -> Option<DateTime<Utc>> {
        let first = self.anchor(running);
        let now = self.begins(at, running).unwrap_or(first);
        let next = self.repeats().map(|every| now + every);
        let within = [Some(now), next].into_iter().flatten().flat_map(|begins| {
            let parts = self.schedule.periods.iter().map(|period| period.start_s).chain(self.schedule.duration_s);
            parts.map(move |s| begins + TimeDelta::seconds(s))
        });
        let ends = [self.valid_from, self.valid_to, Some(first), next];
        within.chain(ends.into_iter().flatten()).filter(|turn| *turn > at).min()
    }

    /// What its times count from at first.
    fn anchor(&self, running: Running<'_>) -> DateTime<Utc> {
        match self.kind {
            Kind::Relative => running.since,
            Kind::Absolute | Kind::Daily | Kind::Weekly => self.schedule.start.unwrap_or(running.since),
        }
    }

    /// What its times count from at an instant; `None`, that is still to come.
    fn begins(&self, at: DateTime<Utc>, running: Running<'_>) -> Option<DateTime<Utc>> {
        let anchor = self.anchor(running);
        if at < anchor {
            return None;
        }
        let Some(every) = self.repeats() else { return Some(anchor) };
        let into = (at - anchor).num_milliseconds().rem_euclid(every.num_milliseconds());
        Some(at - TimeDelta::milliseconds(into) - sub_millisecond(at - anchor))
    }

    fn repeats(&self) -> Option<TimeDelta> {
        match self.kind {
            Kind::Daily => Some(TimeDelta::days(1)),
            Kind::Weekly => Some(TimeDelta::weeks(1)),
            Kind::Absolute | Kind::Relative => None,
        }
    }
}

/// What a length has beyond whole milliseconds.
fn sub_millisecond(length: TimeDelta) -> TimeDelta {
    length - TimeDelta::milliseconds(length.num_milliseconds())
}
