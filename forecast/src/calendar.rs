//! What the wall clock says of each interval of a grid: time of day, day of the week, holiday.

use chrono::{DateTime, Datelike, NaiveDate, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// Seconds of a day.
pub(crate) const DAY_S: i64 = 86_400;

/// The day class of Sundays, which public holidays share; Monday is 0.
pub(crate) const SUNDAY: u8 = 6;

/// What the wall clock says at the beginning of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Seconds since the local midnight.
    pub of_day_s: i64,
    /// Days since 1 January 1970, local.
    pub day: i64,
    /// Monday 0 to Sunday 6, a public holiday as Sunday.
    pub class: u8,
    /// Day of the year, from 0.
    pub of_year: u16,
}

/// The clock over a grid.
#[derive(Debug, Clone)]
pub(crate) struct Calendar {
    start: DateTime<Utc>,
    step_s: i64,
    moments: Vec<Moment>,
    /// Local time minus UTC at each interval, in seconds.
    offsets_s: Vec<i64>,
}

impl Calendar {
    /// The clock of `zone` over `len` intervals of `step_s` from `start` on; `holiday` says which days are public holidays.
    pub(crate) fn new(
        start: DateTime<Utc>,
        step_s: i64,
        len: usize,
        zone: Tz,
        holiday: impl Fn(NaiveDate) -> bool,
    ) -> Self {
        let mut moments = Vec::with_capacity(len);
        let mut offsets_s = Vec::with_capacity(len);
        let mut at = start;
        let mut offset_s = 0;
        let mut read_at_quarter = i64::MIN;
        let mut last_day: Option<(NaiveDate, u8)> = None;
        for _ in 0..len {
            // Clocks change on the quarter-hour anywhere on Earth.
            let quarter = at.timestamp().div_euclid(900);
            if quarter != read_at_quarter {
                offset_s = i64::from(zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc());
                read_at_quarter = quarter;
            }
            let local_s = at.timestamp() + offset_s;
            let day = local_s.div_euclid(DAY_S);
            let date = (at.naive_utc() + TimeDelta::seconds(offset_s)).date();
            let class = match last_day {
                Some((same, class)) if same == date => class,
                _ if holiday(date) => SUNDAY,
                _ => u8::try_from(date.weekday().num_days_from_monday()).unwrap_or(SUNDAY),
            };
            last_day = Some((date, class));
            let of_year = u16::try_from(date.ordinal0()).unwrap_or(0);
            moments.push(Moment { of_day_s: local_s.rem_euclid(DAY_S), day, class, of_year });
            offsets_s.push(offset_s);
            at += TimeDelta::seconds(step_s);
        }
        Calendar { start, step_s, moments, offsets_s }
    }

    /// How many intervals the clock covers.
    pub(crate) fn len(&self) -> usize {
        self.moments.len()
    }

    /// Beginning of an interval.
    pub(crate) fn start_of(&self, index: usize) -> DateTime<Utc> {
        self.start + TimeDelta::seconds(self.step_s * i64::try_from(index).unwrap_or(0))
    }

    /// What the clock says at an interval; the last one for what lies beyond the grid.
    pub(crate) fn moment(&self, index: usize) -> Moment {
        let last = self.moments.len().saturating_sub(1);
        self.moments.get(index.min(last)).copied().unwrap_or(Moment { of_day_s: 0, day: 0, class: 0, of_year: 0 })
    }

    /// The interval at which the clock showed the same, `days` earlier; `None` before the grid.
    pub(crate) fn back(&self, index: usize, days: usize) -> Option<usize> {
        let days_s = DAY_S * i64::try_from(days).ok()?;
        let plain = i64::try_from(index).ok()? - days_s / self.step_s;
        let there = usize::try_from(plain).ok()?;
        let changed_s = self.offsets_s.get(index)? - self.offsets_s.get(there)?;
        usize::try_from(plain + changed_s / self.step_s).ok()
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn yesterday_at_the_same_time_over_the_change_of_clocks() {
        // Clocks go forward on 26 March 2023 at 01:00 UTC and back on 29 October.
        for (day, hours) in [("2023-03-26T10:00:00Z", 23), ("2023-06-10T10:00:00Z", 24), ("2023-10-29T11:00:00Z", 25)] {
            let noon: DateTime<Utc> = day.parse().unwrap();
            let start = noon - TimeDelta::hours(48);
            let calendar = Calendar::new(start, 900, 400, chrono_tz::Europe::Amsterdam, |_| false);
            let back = calendar.back(192, 1).unwrap();
            assert_eq!(192 - back, hours * 4, "{day}");
            assert_eq!(calendar.moment(back).of_day_s, 12 * 3600);
            assert_eq!(calendar.moment(192).of_day_s, 12 * 3600);
            assert_eq!(calendar.moment(192).day, calendar.moment(back).day + 1);
        }
    }

    #[test]
    fn holidays_are_sundays() {
        let start: DateTime<Utc> = "2023-12-24T23:00:00Z".parse().unwrap();
        let calendar = Calendar::new(start, 3600, 48, chrono_tz::Europe::Amsterdam, |day| day.day() == 25);
        assert_eq!(calendar.moment(0).class, SUNDAY);
        assert_eq!(calendar.moment(23).class, SUNDAY);
        assert_eq!(calendar.moment(24).class, 1);
        assert_eq!(calendar.back(0, 1), None);
    }
}
