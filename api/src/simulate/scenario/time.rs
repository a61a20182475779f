//! Times of a scenario: dates with times, or times of day from its start on.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use kwartier_data::local::{self, Stamp, TimeOfDay, next_day};

/// Reads times of a scenario.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// The site's zone.
    pub zone: Tz,
    /// When the scenario begins.
    pub start: DateTime<Utc>,
}

impl Times {
    /// The beginning of a scenario.
    ///
    /// # Errors
    ///
    /// What to write instead.
    pub fn beginning(zone: Tz, text: &str) -> Result<Times, String> {
        let start = stamp(zone, text).ok_or_else(|| {
            "is no date and time; write it as in \"2026-01-14 12:00\", by the site's clock".to_owned()
        })?;
        Ok(Times { zone, start })
    }

    /// An instant: a date and time; or a time of day, which is the first after the start, or with `+1` behind it that of
    /// the day after the day of the start.
    ///
    /// # Errors
    ///
    /// What to write instead.
    pub fn at(&self, text: &str) -> Result<DateTime<Utc>, String> {
        if let Some(at) = stamp(self.zone, text) {
            return Ok(at);
        }
        let wanted = || {
            "is no time; write a time of day such as \"18:30\", \"06:00+1\" for the day after the start, or a date and time"
                .to_owned()
        };
        let (time, days) = match text.split_once('+') {
            Some((time, days)) => (time, Some(days.trim().parse::<u32>().map_err(|_| wanted())?)),
            None => (text, None),
        };
        let time = TimeOfDay::parse(time.trim()).ok_or_else(wanted)?;
        let first = local::day(self.zone, self.start);
        if let Some(days) = days {
            // A year is more than any scenario.
            return Ok(time.on(self.zone, (0..days.min(366)).fold(first, |day, _| next_day(day))));
        }
        let today = time.on(self.zone, first);
        Ok(if today < self.start { time.on(self.zone, next_day(first)) } else { today })
    }
}

fn stamp(zone: Tz, text: &str) -> Option<DateTime<Utc>> {
    match local::stamp(text)? {
        Stamp::Absolute(at) => Some(at),
        Stamp::Local(wall) => Some(local::instant(zone, wall).0),
    }
}

/// A length in s as time.
pub fn seconds(s: f64) -> TimeDelta {
    #[expect(clippy::cast_possible_truncation, reason = "clamped to a century")]
    TimeDelta::milliseconds((s.clamp(-3.2e9, 3.2e9) * 1000.0).round() as i64)
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn a_time_of_day_is_the_first_after_the_start() {
        let times = Times::beginning(chrono_tz::Europe::Amsterdam, "2026-01-14 12:00").unwrap();
        let at = |text: &str| times.at(text).map(|at| at.format("%m-%d %H:%M").to_string());
        assert_eq!(at("18:30"), Ok("01-14 17:30".to_owned()));
        assert_eq!(at("06:00"), Ok("01-15 05:00".to_owned()));
        assert_eq!(at("13:00+1"), Ok("01-15 12:00".to_owned()));
        assert_eq!(at("2026-01-16T00:00Z"), Ok("01-16 00:00".to_owned()));
        assert!(at("6 pm").unwrap_err().contains("18:30"));
        assert!(at("06:00+x").is_err());
    }
}
