//! Stamps of the customer port (P1) of Dutch, Belgian and Luxembourgish meters.

use chrono::{DateTime, FixedOffset, NaiveDateTime, Offset, TimeZone, Utc};
use chrono_tz::Tz;

/// The zone of the meters.
const ZONE: Tz = chrono_tz::Europe::Amsterdam;

/// The instant of a stamp of a telegram: `YYMMDDhhmmss` as the wall clock shows it, then `S` in summer time or `W` in winter
/// time, so that the hour that the clock repeats is told apart. `None` for what is none, or where the letter is not that of
/// the season. Source: DSMR 5.0.2, P1 companion standard, tag 0-0:1.0.0.
pub fn p1_stamp(text: &str) -> Option<DateTime<Utc>> {
    let (wall, offset_h) = match (text.strip_suffix('S'), text.strip_suffix('W')) {
        (Some(wall), _) => (wall, 2),
        (_, Some(wall)) => (wall, 1),
        (None, None) => return None,
    };
    if wall.len() != 12 || !wall.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let wall = NaiveDateTime::parse_from_str(wall, "%y%m%d%H%M%S").ok()?;
    let offset = FixedOffset::east_opt(offset_h * 3600)?;
    let at = offset.from_local_datetime(&wall).single()?.to_utc();
    (ZONE.offset_from_utc_datetime(&at.naive_utc()).fix() == offset).then_some(at)
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn the_letter_tells_the_two_hours_apart() {
        let at = |text: &str| p1_stamp(text).map(|at| at.to_rfc3339());
        assert_eq!(at("201025023000S").unwrap(), "2020-10-25T00:30:00+00:00");
        assert_eq!(at("201025023000W").unwrap(), "2020-10-25T01:30:00+00:00");
        assert_eq!(at("101209113020W").unwrap(), "2010-12-09T10:30:20+00:00");
        assert_eq!(at("170124213128W").unwrap(), "2017-01-24T20:31:28+00:00");
    }

    #[test]
    fn what_is_no_stamp() {
        // Winter time in summer would be an hour off.
        for text in
            ["200701120000W", "200101120000S", "200329023000S", "201025023000", "2010250230S", "20102502300AS", ""]
        {
            assert_eq!(p1_stamp(text), None, "{text}");
        }
    }
}
