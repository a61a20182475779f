//! When what goes by the clock is due next. Days are those of a zone: where clocks change, a time that there is not is the next
//! that there is, and one that there is twice is the first of the two.

use chrono::{DateTime, NaiveTime, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use kwartier_data::compose::{QUARTER, quarter_of};
use kwartier_data::local::{self, next_day, previous_day};

/// When something is due, again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Every {
    /// At each quarter of an hour.
    Quarter,
    /// At a minute of each hour.
    Hour(u32),
    /// At a time of each day.
    Day(NaiveTime),
}

impl Every {
    /// When it is due next after an instant, on the clock of a zone.
    pub fn next(self, zone: Tz, after: DateTime<Utc>) -> DateTime<Utc> {
        let whole = after - TimeDelta::nanoseconds(i64::from(after.nanosecond()));
        match self {
            Every::Quarter => quarter_of(after) + QUARTER,
            Every::Hour(minute) => {
                let into_s = (whole.timestamp() - i64::from(minute) * 60).rem_euclid(3600);
                whole + TimeDelta::seconds(3600 - into_s)
            }
            Every::Day(time) => {
                let today = local::day(zone, after);
                let days = [previous_day(today), today, next_day(today), next_day(next_day(today))];
                let times = days.map(|day| local::instant(zone, day.and_time(time)).0);
                times.into_iter().find(|at| *at > after).unwrap_or(after + TimeDelta::days(1))
            }
        }
    }
}

#[cfg(test)]
mod tests {

    use chrono_tz::Europe::Amsterdam;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    #[test]
    fn each_day_has_one_when_clocks_change_too() {
        for (begin, days) in [("2026-03-27T00:00:00Z", 5), ("2026-10-23T00:00:00Z", 5)] {
            for hour in [0, 2, 3, 23] {
                let every = Every::Day(NaiveTime::from_hms_opt(hour, 30, 0).unwrap());
                let mut now = at(begin);
                let mut seen = Vec::new();
                for _ in 0..days {
                    now = every.next(Amsterdam, now);
                    seen.push(local::day(Amsterdam, now));
                }
                seen.dedup();
                assert_eq!(seen.len(), days, "{begin} {hour}:30 {seen:?}");
            }
        }
    }

    #[test]
    fn a_time_that_there_is_not_and_one_that_there_is_twice() {
        let half_past_two = Every::Day(NaiveTime::from_hms_opt(2, 30, 0).unwrap());
        assert_eq!(half_past_two.next(Amsterdam, at("2026-03-29T00:00:00+01:00")), at("2026-03-29T03:30:00+02:00"));
        let first = half_past_two.next(Amsterdam, at("2026-10-25T00:00:00+02:00"));
        assert_eq!(first, at("2026-10-25T02:30:00+02:00"));
        assert_eq!(half_past_two.next(Amsterdam, first), at("2026-10-26T02:30:00+01:00"), "once");
    }

    #[test]
    fn quarters_and_hours_are_never_now() {
        assert_eq!(Every::Quarter.next(Amsterdam, at("2026-11-28T12:00:00Z")), at("2026-11-28T12:15:00Z"));
        assert_eq!(Every::Quarter.next(Amsterdam, at("2026-11-28T12:14:59.9Z")), at("2026-11-28T12:15:00Z"));
        assert_eq!(Every::Hour(7).next(Amsterdam, at("2026-11-28T12:06:59Z")), at("2026-11-28T12:07:00Z"));
        assert_eq!(Every::Hour(7).next(Amsterdam, at("2026-11-28T12:07:00Z")), at("2026-11-28T13:07:00Z"));
    }
}
