//! Local time at the edge: everything inside the product is an instant (UTC), everything people write is a wall clock's.
//!
//! The rules where a wall clock is not a clock:
//!
//! * in the hour that a clock skips in spring, a time of day means as much later: 02:30 is 03:30;
//! * in the hour that it repeats in autumn, a time of day without offset means the first of the two;
//! * a local day runs from its first instant to the next day's: 92, 96 or 100 quarter-hours in Europe.

mod holidays;
mod p1;
mod stamp;
mod time_of_day;
mod weekdays;

use chrono::{
    DateTime, Datelike, Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone, Utc,
};
use chrono_tz::Tz;

pub use holidays::{Holiday, HolidayCalendar, Land};
pub use p1::p1_stamp;
pub use stamp::{Stamp, date, stamp};
pub use time_of_day::TimeOfDay;
pub use weekdays::Weekdays;

use crate::refusal::quoted;

/// First and last year of any time that is read: those of a planning instance.
pub const YEARS: std::ops::RangeInclusive<i32> = 1970..=2999;

/// How much a misspelt zone may differ from the one that is suggested (Jaro-Winkler, 1 for equal).
const NEAR: f64 = 0.8;

/// The zone of an IANA name such as `Europe/Amsterdam`, letters' case does not count; or of a clock without summer time by
/// its offset, such as `+01:00` or `UTC+1`.
///
/// # Errors
///
/// What to do instead, with the nearest name where there is one.
pub fn zone(name: &str) -> Result<Tz, String> {
    let wanted = name.trim().to_lowercase();
    if let Some(zone) = chrono_tz::TZ_VARIANTS.iter().find(|zone| zone.name().to_lowercase() == wanted) {
        return Ok(*zone);
    }
    if let Some((hours, minutes)) = offset(&wanted) {
        let zone = if minutes == 0 { fixed(hours) } else { None };
        return zone
            .ok_or_else(|| "give an offset in whole hours, or an IANA name such as \"Asia/Kolkata\"".to_owned());
    }
    let near = |zone: &Tz| {
        let full = zone.name().to_lowercase();
        let city = full.rsplit('/').next().unwrap_or_default();
        strsim::jaro_winkler(&full, &wanted).max(strsim::jaro_winkler(city, &wanted))
    };
    let best = chrono_tz::TZ_VARIANTS.iter().map(|zone| (near(zone), zone)).max_by(|a, b| a.0.total_cmp(&b.0));
    Err(match best {
        Some((score, zone)) if score >= NEAR => format!("did you mean {}?", quoted(zone.name())),
        _ => "give an IANA name such as \"Europe/Amsterdam\"".to_owned(),
    })
}

/// The hours, with their sign, and minutes of an offset such as `+01:00`, `utc+1`, `gmt-3`, `z`.
fn offset(name: &str) -> Option<(i8, u8)> {
    let offset = ["utc", "gmt"].iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name).trim();
    if offset == "z" {
        return Some((0, 0));
    }
    let (sign, digits) = match offset.chars().next()? {
        '+' => (1, &offset[1..]),
        '-' => (-1, &offset[1..]),
        _ => return None,
    };
    let (hours, minutes) = match (digits.split_once(':'), digits.len()) {
        (Some((hours, minutes)), _) => (hours, minutes),
        (None, 4) => digits.split_at_checked(2)?,
        (None, _) => (digits, "0"),
    };
    Some((sign * hours.parse::<i8>().ok().filter(|hours| *hours >= 0)?, minutes.parse().ok()?))
}

/// The zone of a clock that is always so many hours before UTC.
fn fixed(hours: i8) -> Option<Tz> {
    // The names of these zones count to the west.
    let name = if hours == 0 { "UTC".to_owned() } else { format!("Etc/GMT{:+}", -hours) };
    name.parse().ok()
}

/// How a wall clock's reading became an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// It happens once.
    Once,
    /// The clock skips it; it was moved on by what the clock skips.
    Skipped,
    /// The clock shows it twice; the first was taken.
    Twice,
}

/// The instant at which the wall clock of `zone` shows `local`, by the rules above.
pub fn instant(zone: Tz, local: NaiveDateTime) -> (DateTime<Utc>, Reading) {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) => (at.to_utc(), Reading::Once),
        LocalResult::Ambiguous(first, second) => (first.min(second).to_utc(), Reading::Twice),
        LocalResult::None => {
            // With the offset from before the change, as much is added as the clock skips.
            let day_before = local - TimeDelta::days(1);
            let offset = zone.offset_from_utc_datetime(&day_before).fix();
            ((local - offset).and_utc(), Reading::Skipped)
        }
    }
}

/// The later of two instants at which the wall clock shows `local`; `None` where it shows it once or never.
pub fn second_instant(zone: Tz, local: NaiveDateTime) -> Option<DateTime<Utc>> {
    match zone.from_local_datetime(&local) {
        LocalResult::Ambiguous(first, second) => Some(first.max(second).to_utc()),
        _ => None,
    }
}

/// The first instant of a local day.
pub fn day_start(zone: Tz, day: NaiveDate) -> DateTime<Utc> {
    instant(zone, day.and_time(NaiveTime::MIN)).0
}

/// The day after.
pub fn next_day(day: NaiveDate) -> NaiveDate {
    day.checked_add_days(Days::new(1)).unwrap_or(day)
}

/// The day before.
pub fn previous_day(day: NaiveDate) -> NaiveDate {
    day.checked_sub_days(Days::new(1)).unwrap_or(day)
}

/// The local day of an instant.
pub fn day(zone: Tz, at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&zone).date_naive()
}

/// An instant as people at the site read it, with its offset, so that a repeated hour is told apart.
pub fn shown(zone: Tz, at: DateTime<Utc>) -> String {
    at.with_timezone(&zone).format("%Y-%m-%d %H:%M (UTC%:z)").to_string()
}

/// Whether a date's year is one that is read.
pub(crate) fn in_range(day: NaiveDate) -> bool {
    YEARS.contains(&day.year())
}

#[cfg(test)]
mod tests {

    use super::*;

    const NL: Tz = chrono_tz::Europe::Amsterdam;

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    fn local(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap()
    }

    #[test]
    fn zones_by_name() {
        assert_eq!(zone("Europe/Amsterdam"), Ok(NL));
        assert_eq!(zone("europe/amsterdam "), Ok(NL));
        assert_eq!(zone("Amsterdam").unwrap_err(), "did you mean \"Europe/Amsterdam\"?");
        assert_eq!(zone("Europe/Amsterdm").unwrap_err(), "did you mean \"Europe/Amsterdam\"?");
        assert!(zone("somewhere").unwrap_err().contains("IANA"));
        assert_eq!(zone("+01:00"), Ok(chrono_tz::Etc::GMTMinus1));
        assert_eq!(zone("UTC+1"), zone("+0100"));
        assert_eq!(zone("-3"), Ok(chrono_tz::Etc::GMTPlus3));
        assert_eq!((zone("Z"), zone("utc")), (Ok(Tz::UTC), Ok(Tz::UTC)));
        assert!(zone("+05:30").unwrap_err().contains("Asia/Kolkata"));
        assert!(zone("+19:00").is_err());
    }

    #[test]
    fn days_have_92_96_and_100_quarters() {
        let quarters = |text: &str| {
            let day: NaiveDate = text.parse().unwrap();
            (day_start(NL, next_day(day)) - day_start(NL, day)).num_minutes() / 15
        };
        assert_eq!(quarters("2023-03-26"), 92);
        assert_eq!(quarters("2023-06-13"), 96);
        assert_eq!(quarters("2023-10-29"), 100);
    }

    #[test]
    fn the_skipped_hour_is_moved_on() {
        assert_eq!(instant(NL, local("2023-03-26 02:30")), (at("2023-03-26T03:30:00+02:00"), Reading::Skipped));
        assert_eq!(instant(NL, local("2023-03-26 03:00")), (at("2023-03-26T03:00:00+02:00"), Reading::Once));
    }

    #[test]
    fn the_repeated_hour_is_the_first() {
        assert_eq!(instant(NL, local("2023-10-29 02:30")), (at("2023-10-29T02:30:00+02:00"), Reading::Twice));
        assert_eq!(second_instant(NL, local("2023-10-29 02:30")), Some(at("2023-10-29T02:30:00+01:00")));
        assert_eq!(second_instant(NL, local("2023-10-29 03:30")), None);
    }

    #[test]
    fn a_day_without_midnight_begins_when_it_begins() {
        // Beirut goes from 00:00 to 01:00.
        let zone = chrono_tz::Asia::Beirut;
        let day: NaiveDate = "2022-03-27".parse().unwrap();
        assert_eq!(day_start(zone, day), at("2022-03-27T01:00:00+03:00"));
    }
}
