//! A time of day, `HH:MM`.

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;

use super::{instant, next_day};

/// Minutes of a full day on the wall clock.
const DAY: u16 = 24 * 60;

/// A time of day on the wall clock, to the minute; `24:00` is the next day's midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay {
    minutes: u16,
}

impl TimeOfDay {
    /// The day's beginning, `00:00`.
    pub const MIDNIGHT: TimeOfDay = TimeOfDay { minutes: 0 };

    /// Reads `HH:MM`, `H:MM` or `HH:MM:00`, up to `24:00`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split(':');
        let (hour, minute) = (digits(parts.next()?)?, digits(parts.next()?)?);
        let no_seconds = parts.next().is_none_or(|seconds| digits(seconds) == Some(0));
        let minutes = hour * 60 + minute;
        (no_seconds && parts.next().is_none() && minute < 60 && minutes <= DAY).then_some(TimeOfDay { minutes })
    }

    /// Minutes since midnight on the wall clock, 0 to 1,440.
    pub fn minutes(self) -> u16 {
        self.minutes
    }

    /// The instant at which the wall clock shows this on `day`.
    pub fn on(self, zone: Tz, day: NaiveDate) -> DateTime<Utc> {
        let wall = NaiveTime::from_num_seconds_from_midnight_opt(u32::from(self.minutes) * 60, 0);
        match wall {
            Some(wall) => instant(zone, day.and_time(wall)).0,
            None => instant(zone, next_day(day).and_time(NaiveTime::MIN)).0,
        }
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.minutes / 60, self.minutes % 60)
    }
}

/// One or two digits.
fn digits(text: &str) -> Option<u16> {
    if (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn times_of_day() {
        for (text, minutes) in [("00:00", 0), ("7:05", 425), ("07:05:00", 425), ("23:59", 1439), ("24:00", 1440)] {
            assert_eq!(TimeOfDay::parse(text).unwrap().minutes(), minutes, "{text}");
        }
        for text in ["", "7", "24:01", "12:60", "-1:00", "07:05:30", "7:05 pm", "1:2:3:4", "+7:05"] {
            assert_eq!(TimeOfDay::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_end_of_a_short_day_is_the_next_days_beginning() {
        let day = "2023-03-26".parse().unwrap();
        let end = TimeOfDay::parse("24:00").unwrap().on(chrono_tz::Europe::Amsterdam, day);
        assert_eq!(end.to_rfc3339(), "2023-03-26T22:00:00+00:00");
    }
}
