//! When the values of a feed are: stamps with an offset, seconds and milliseconds since 1970, lengths of intervals.

use chrono::{DateTime, Datelike, TimeDelta, Utc};

use super::NoValues;
use super::outcome::{ASK_ANOTHER, broken, broken_whole, wrong_text};
use crate::local::{self, Stamp};
use crate::series::layout;

/// The years that stamps of feeds are believed to lie in. Milliseconds taken for seconds lead far beyond, seconds taken for
/// milliseconds to 1970.
const YEARS: std::ops::RangeInclusive<i32> = 2000..=2100;

/// The instant of a text with an offset or `Z`; `path` is where it stands.
pub(super) fn instant(text: &str, path: impl FnOnce() -> String) -> Result<DateTime<Utc>, NoValues> {
    match local::stamp(text) {
        Some(Stamp::Absolute(at)) if YEARS.contains(&at.year()) => Ok(at),
        Some(Stamp::Absolute(_)) => Err(wrong_text(path(), text, "is no time that a feed tells of", ASK_ANOTHER)),
        Some(Stamp::Local(_)) => {
            Err(wrong_text(path(), text, "says no offset, so two hours a year are unknown", "ask for times in UTC"))
        }
        None => Err(wrong_text(path(), text, "is no date and time", ASK_ANOTHER)),
    }
}

/// The instant so many seconds after 1970.
pub(super) fn unix(seconds: i64, path: impl FnOnce() -> String) -> Result<DateTime<Utc>, NoValues> {
    let at = DateTime::from_timestamp(seconds, 0).filter(|at| YEARS.contains(&at.year()));
    at.ok_or_else(|| broken(path(), seconds.to_string(), "is no time in seconds since 1970", ASK_ANOTHER))
}

/// The instant so many milliseconds after 1970.
pub(super) fn millis(millis: i64, path: impl FnOnce() -> String) -> Result<DateTime<Utc>, NoValues> {
    let at = DateTime::from_timestamp_millis(millis).filter(|at| YEARS.contains(&at.year()));
    at.ok_or_else(|| broken(path(), millis.to_string(), "is no time in milliseconds since 1970", ASK_ANOTHER))
}

/// The length of an interval as feeds write it, after ISO 8601. A day is not among them: it has 23 to 25 hours.
pub(super) fn duration(text: &str) -> Option<TimeDelta> {
    let minutes = match text {
        "PT5M" => 5,
        "PT10M" => 10,
        "PT15M" => 15,
        "PT20M" => 20,
        "PT30M" => 30,
        "PT60M" | "PT1H" => 60,
        _ => return None,
    };
    Some(TimeDelta::minutes(minutes))
}

/// How long the values at these beginnings hold, where a feed does not say: until the next, but for gaps.
pub(super) fn lengths(starts: &[DateTime<Utc>]) -> Result<Vec<TimeDelta>, NoValues> {
    if let Some(pair) = starts.windows(2).find(|pair| pair[1] <= pair[0]) {
        let wrong = format!("holds {} after {}", super::rows::shown(pair[1]), super::rows::shown(pair[0]));
        return Err(broken_whole(format!("{wrong}: stamps have to go up"), ASK_ANOTHER));
    }
    let seconds: Vec<i64> = starts.iter().map(DateTime::timestamp).collect();
    match layout::of(&seconds) {
        Some(layout) if layout.even => Ok(layout.held_s.into_iter().map(TimeDelta::seconds).collect()),
        Some(_) => Err(broken_whole("holds stamps at uneven distances", ASK_ANOTHER)),
        None if starts.is_empty() => Ok(Vec::new()),
        None => Err(broken_whole("holds one value, which does not tell how long it holds", "ask for a whole day")),
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn seconds_and_milliseconds_are_not_taken_for_each_other() {
        let path = || "$".to_owned();
        assert_eq!(unix(1_782_856_800, path).unwrap().to_rfc3339(), "2026-06-30T22:00:00+00:00");
        assert_eq!(millis(1_632_402_000_000, path).unwrap().to_rfc3339(), "2021-09-23T13:00:00+00:00");
        assert!(unix(1_632_402_000_000, path).is_err());
        assert!(millis(1_782_856_800, path).is_err());
        assert!(unix(i64::MAX, path).is_err() && millis(i64::MIN, path).is_err());
    }

    #[test]
    fn a_time_without_offset_is_no_instant() {
        let path = || "$".to_owned();
        assert!(instant("2026-10-25T02:30:00", path).unwrap_err().to_string().contains("says no offset"));
        let at = instant("2026-10-25T02:30:00.0000000+01:00", path).unwrap();
        assert_eq!(at.to_rfc3339(), "2026-10-25T01:30:00+00:00");
    }

    #[test]
    fn lengths_by_distance() {
        let at = |minutes: &[i64]| -> Vec<DateTime<Utc>> {
            minutes.iter().map(|n| DateTime::UNIX_EPOCH + TimeDelta::minutes(*n)).collect()
        };
        assert_eq!(lengths(&at(&[0, 15, 30, 60])).unwrap(), vec![TimeDelta::minutes(15); 4]);
        assert!(lengths(&at(&[0, 15, 15])).is_err() && lengths(&at(&[0, 7, 15, 31])).is_err());
        assert!(lengths(&at(&[0])).is_err());
        assert_eq!(duration("PT60M"), duration("PT1H"));
        assert_eq!(duration("P1D"), None);
    }
}
