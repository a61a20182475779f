//! Lengths of time, instants and numbers as the command line takes them.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use kwartier_data::local::{self, Stamp, TimeOfDay};

use super::failure::Failure;

/// An instant as it was written, to be understood once the zone is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct When(Stamp);

impl When {
    /// Reads a date and time with `Z`, an offset, or neither.
    pub fn parse(text: &str) -> Result<Self, String> {
        let stamp = local::stamp(text).or_else(|| {
            let day = local::date(text)?;
            Some(Stamp::Local(day.and_hms_opt(0, 0, 0)?))
        });
        stamp.map(When).ok_or_else(|| {
            "a date and time is wanted, such as 2026-11-25T17:30:00Z, or 2026-11-25 17:30 with --tz".to_owned()
        })
    }

    /// The instant; what has no offset is what the clock of `zone` shows.
    pub fn at(self, zone: Option<Tz>) -> Result<DateTime<Utc>, String> {
        match (self.0, zone) {
            (Stamp::Absolute(at), _) => Ok(at),
            (Stamp::Local(wall), Some(zone)) => Ok(local::instant(zone, wall).0),
            (Stamp::Local(wall), None) => Err(format!(
                "{wall} says neither its offset nor its zone; write it with an offset or Z, or name the zone with --tz"
            )),
        }
    }
}

/// The instant of an option that may be absent.
pub fn instant(option: &str, when: Option<When>, zone: Option<Tz>) -> Result<Option<DateTime<Utc>>, Failure> {
    when.map(|when| when.at(zone)).transpose().map_err(|wrong| Failure::Arguments(format!("{option} {wrong}")))
}

/// Reads a length such as `48h`, `2d`, `90min`.
pub fn length(text: &str) -> Result<TimeDelta, String> {
    let wanted = || "a length is wanted, such as 48h, 2d or 90min".to_owned();
    let text = text.trim();
    let unit = text.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(wanted)?;
    let count: f64 = text[..unit].trim().parse().map_err(|_| wanted())?;
    let unit_s = match &text[unit..] {
        "min" | "m" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        "w" => 604_800.0,
        _ => return Err(wanted()),
    };
    let seconds = count * unit_s;
    // A century is more than any history; beyond it, numbers are mistakes.
    if !(seconds.is_finite() && (60.0..=3.2e9).contains(&seconds)) {
        return Err(wanted());
    }
    #[expect(clippy::cast_possible_truncation, reason = "at most a century")]
    Ok(TimeDelta::seconds(seconds.round() as i64))
}

/// Reads a number above 0.
pub fn positive(text: &str) -> Result<f64, String> {
    let value = text.parse::<f64>().ok().filter(|value| value.is_finite() && *value > 0.0);
    value.ok_or_else(|| "a number above 0 is wanted".to_owned())
}

/// Reads a latitude in degrees.
pub fn latitude(text: &str) -> Result<f64, String> {
    degrees(text, 90.0, "a latitude from -90 to 90 degrees is wanted, such as 52.1")
}

/// Reads a longitude in degrees.
pub fn longitude(text: &str) -> Result<f64, String> {
    degrees(text, 180.0, "a longitude from -180 to 180 degrees is wanted, east above 0, such as 5.2")
}

fn degrees(text: &str, most: f64, wanted: &str) -> Result<f64, String> {
    let value = text.parse::<f64>().ok().filter(|value| value.abs() <= most);
    value.ok_or_else(|| wanted.to_owned())
}

/// Reads `COLUMN=VALUE`.
pub fn pair(text: &str) -> Result<(String, String), String> {
    let (left, right) = text.split_once('=').ok_or_else(|| "two words with = between them are wanted".to_owned())?;
    Ok((left.trim().to_owned(), right.trim().to_owned()))
}

/// Reads when a backtest forecasts: a length such as `6h`, or times of day such as `00:00,12:00`.
pub fn times(text: &str) -> Result<kwartier_forecast::backtest::Origins, String> {
    use kwartier_forecast::backtest::Origins;
    let read = if text.contains(':') {
        text.split(',').map(TimeOfDay::parse).collect::<Option<Vec<TimeOfDay>>>().map(Origins::Daily)
    } else {
        length(text).ok().map(Origins::Every)
    };
    read.ok_or_else(|| "a length is wanted, such as 6h, or times of day, such as 00:00,12:00".to_owned())
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn lengths() {
        for (text, minutes) in [("48h", 2880), ("2d", 2880), ("90min", 90), ("1.5h", 90), ("1 w", 10080)] {
            assert_eq!(length(text).unwrap(), TimeDelta::minutes(minutes), "{text}");
        }
        for text in ["", "48", "h", "-2h", "0h", "1s", "2 years", "1e99d", "nanh"] {
            assert!(length(text).is_err(), "{text}");
        }
    }

    #[test]
    fn instants_with_and_without_zone() {
        let noon: DateTime<Utc> = "2026-07-01T12:00:00Z".parse().unwrap();
        let zone = Some(chrono_tz::Europe::Amsterdam);
        assert_eq!(When::parse("2026-07-01T12:00Z").unwrap().at(None), Ok(noon));
        assert_eq!(When::parse("2026-07-01 14:00").unwrap().at(zone), Ok(noon));
        assert_eq!(When::parse("2026-07-01").unwrap().at(zone).unwrap(), noon - TimeDelta::hours(14));
        assert!(When::parse("2026-07-01 14:00").unwrap().at(None).unwrap_err().contains("--tz"));
        assert!(When::parse("tomorrow").is_err());
    }
}
