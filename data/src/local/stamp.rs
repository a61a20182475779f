//! Dates and times as tables hold them.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};

use super::{TimeOfDay, in_range, next_day};

/// A date with a time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stamp {
    /// With `Z` or an offset: an instant.
    Absolute(DateTime<Utc>),
    /// What a wall clock shows.
    Local(NaiveDateTime),
}

/// Reads `YYYY-MM-DD`, `YYYY/MM/DD`, `YYYY.MM.DD`, `DD-MM-YYYY` or `DD.MM.YYYY`.
///
/// Dates with slashes that begin with a day or a month are not read: nobody can tell `03/04/2026`.
pub fn date(text: &str) -> Option<NaiveDate> {
    let text = text.trim();
    let separator = text.chars().find(|c| !c.is_ascii_digit())?;
    let mut parts = text.split(separator);
    let (a, b, c) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || ![a, b, c].iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit())) {
        return None;
    }
    let (year, month, day) = match (separator, a.len(), c.len()) {
        ('-' | '.' | '/', 4, 1..=2) => (a, b, c),
        ('-' | '.', 1..=2, 4) => (c, b, a),
        _ => return None,
    };
    let day = NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)?;
    in_range(day).then_some(day)
}

/// Reads a date and a time of day, `T` or blanks between them, with or without seconds, with or without `Z` or an
/// offset.
pub fn stamp(text: &str) -> Option<Stamp> {
    let text = text.trim();
    if let Some(local) = plain(text) {
        return Some(local);
    }
    let (day, rest) = text.split_once(['T', 't', ' '])?;
    let (day, rest) = (date(day.trim_end_matches(','))?, rest.trim());
    let (wall, offset) = split_offset(rest)?;
    let local = if TimeOfDay::parse(wall).is_some_and(|time| time.minutes() == 24 * 60) {
        next_day(day).and_time(NaiveTime::MIN)
    } else {
        day.and_time(clock(wall)?)
    };
    Some(match offset {
        Some(offset) => Stamp::Absolute(offset.from_local_datetime(&local).single()?.to_utc()),
        None => Stamp::Local(local),
    })
}

/// `YYYY-MM-DD HH:MM`, then `:SS`, `Z`, both or neither: what nearly all of a million stamps look like, without a search.
fn plain(text: &str) -> Option<Stamp> {
    let bytes = text.as_bytes();
    let (bytes, absolute) = bytes.strip_suffix(b"Z").map_or((bytes, false), |bytes| (bytes, true));
    let number = |at: usize, digits: usize| {
        bytes
            .get(at..at + digits)?
            .iter()
            .try_fold(0_u32, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0')))
    };
    let signs = bytes.get(4) == Some(&b'-')
        && bytes.get(7) == Some(&b'-')
        && matches!(bytes.get(10), Some(b'T' | b' '))
        && bytes.get(13) == Some(&b':');
    let second = match bytes.len() {
        16 => 0,
        19 if bytes[16] == b':' => number(17, 2)?,
        _ => return None,
    };
    if !signs {
        return None;
    }
    let day = NaiveDate::from_ymd_opt(i32::try_from(number(0, 4)?).ok()?, number(5, 2)?, number(8, 2)?)?;
    let local = day.and_hms_opt(number(11, 2)?, number(14, 2)?, second)?;
    in_range(day).then_some(if absolute { Stamp::Absolute(local.and_utc()) } else { Stamp::Local(local) })
}

/// `HH:MM`, `HH:MM:SS` or with fractions of a second, which are dropped.
fn clock(text: &str) -> Option<NaiveTime> {
    let whole = text.split('.').next()?;
    match whole.matches(':').count() {
        1 => NaiveTime::parse_from_str(whole, "%H:%M").ok(),
        _ => NaiveTime::parse_from_str(whole, "%H:%M:%S").ok(),
    }
}

/// The time of day, and its offset where it has one.
fn split_offset(text: &str) -> Option<(&str, Option<FixedOffset>)> {
    if let Some(wall) = text.strip_suffix(['Z', 'z']) {
        return Some((wall.trim(), FixedOffset::east_opt(0)));
    }
    let Some(at) = text.rfind(['+', '-']) else { return Some((text, None)) };
    let digits: String = text[at + 1..].chars().filter(|&c| c != ':').collect();
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let hours: i32 = digits[..2].parse().ok()?;
    let minutes: i32 = if digits.len() == 4 { digits[2..].parse().ok()? } else { 0 };
    let seconds = (hours * 60 + minutes) * 60;
    let east = if text[at..].starts_with('-') { -seconds } else { seconds };
    Some((text[..at].trim(), Some(FixedOffset::east_opt(east)?)))
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn stamps() {
        let local = |text: &str| Stamp::Local(NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap());
        let instant = |text: &str| Stamp::Absolute(DateTime::parse_from_rfc3339(text).unwrap().to_utc());
        for (text, expected) in [
            ("2026-11-25 17:30", local("2026-11-25 17:30:00")),
            ("2026-11-25T17:30:05", local("2026-11-25 17:30:05")),
            ("2026/11/25 17:30", local("2026-11-25 17:30:00")),
            ("25-11-2026 17:30", local("2026-11-25 17:30:00")),
            ("25.11.2026  7:30", local("2026-11-25 07:30:00")),
            ("5.1.2026, 7:30", local("2026-01-05 07:30:00")),
            ("2026-11-25 24:00", local("2026-11-26 00:00:00")),
            ("2026-11-25T17:30Z", instant("2026-11-25T17:30:00Z")),
            ("2026-11-25 17:30:00.000+01:00", instant("2026-11-25T16:30:00Z")),
            ("2026-11-25T17:30:00-0330", instant("2026-11-25T21:00:00Z")),
            ("2026-11-25T17:30:00 +01", instant("2026-11-25T16:30:00Z")),
        ] {
            assert_eq!(stamp(text).unwrap(), expected, "{text}");
        }
        for text in [
            "",
            "2026-11-25",
            "03/04/2026 10:00",
            "2026-02-30 10:00",
            "25-11-26 10:00",
            "2026-11-25 25:00",
            "2026-11-25 10",
            "2026-11-25 10:00 CET",
            "1026-11-25 10:00",
            "tomorrow 10:00",
            "2026-11-25 10:00+1",
        ] {
            assert_eq!(stamp(text), None, "{text}");
        }
    }
}
