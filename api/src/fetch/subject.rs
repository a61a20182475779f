//! What is asked for: the prices of an area and a day, the weather at a place.

use std::fmt;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Timelike, Utc};
use kwartier_data::feeds::{Area, Span};
use kwartier_data::history::Position;
use serde::{Deserialize, Serialize};

/// How far ahead weather is asked for.
const WEATHER_AHEAD: TimeDelta = TimeDelta::hours(54);

/// What is asked for. Sites that are alike share it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The prices of a day of the market.
    Prices {
        /// Name of the area.
        area: String,
        /// The day.
        day: NaiveDate,
    },
    /// The weather at a place, to a hundredth of a degree: a kilometre.
    Weather {
        /// Hundredths of degrees north.
        latitude_cdeg: i32,
        /// Hundredths of degrees east.
        longitude_cdeg: i32,
    },
}

impl Subject {
    /// The weather at a place.
    pub fn weather(latitude_deg: f64, longitude_deg: f64) -> Subject {
        #[expect(clippy::cast_possible_truncation, reason = "a place's degrees are below 180")]
        let cdeg = |deg: f64| (deg * 100.0).round() as i32;
        Subject::Weather { latitude_cdeg: cdeg(latitude_deg), longitude_cdeg: cdeg(longitude_deg) }
    }

    /// The place of weather.
    pub fn place(&self) -> Option<Position> {
        let Subject::Weather { latitude_cdeg, longitude_cdeg } = self else { return None };
        let deg = |cdeg: i32| f64::from(cdeg) / 100.0;
        Some(Position { latitude_deg: deg(*latitude_cdeg), longitude_deg: deg(*longitude_cdeg) })
    }

    /// The area of prices.
    pub fn area(&self) -> Option<&'static Area> {
        match self {
            Subject::Prices { area, .. } => Area::parse(area),
            Subject::Weather { .. } => None,
        }
    }

    /// The span of time that is asked for.
    pub fn span(&self, now: DateTime<Utc>) -> Span {
        match (self, self.area()) {
            (Subject::Prices { day, .. }, Some(area)) => Span::of_day(area.market_zone(), *day),
            _ => {
                let from =
                    now - TimeDelta::minutes(i64::from(now.minute())) - TimeDelta::seconds(i64::from(now.second()));
                let from = from - TimeDelta::nanoseconds(i64::from(now.timestamp_subsec_nanos()));
                Span { from, to: from + WEATHER_AHEAD }
            }
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Prices { area, day } => write!(f, "{area} {day}"),
            Subject::Weather { .. } => f.write_str("weather"),
        }
    }
}

/// Tomorrow's prices should be there from this minute of the market's day on: 12:50.
const PUBLISHED_MIN: u32 = 12 * 60 + 50;

/// From this minute on they are late: 14:30.
const LATE_MIN: u32 = 14 * 60 + 30;

/// The days of an area whose prices are wanted at an instant: today, and tomorrow once its auction may be over.
pub fn days(area: &Area, now: DateTime<Utc>) -> Vec<NaiveDate> {
    let wall = now.with_timezone(&area.market_zone());
    let today = wall.date_naive();
    let tomorrow = today.checked_add_days(Days::new(1));
    let minute = wall.hour() * 60 + wall.minute();
    [Some(today), tomorrow.filter(|_| minute >= PUBLISHED_MIN)].into_iter().flatten().collect()
}

/// Whether the prices of a day should be known by an instant.
pub fn is_due(area: &Area, day: NaiveDate, now: DateTime<Utc>) -> bool {
    let wall = now.with_timezone(&area.market_zone());
    let minute = wall.hour() * 60 + wall.minute();
    day <= wall.date_naive() || minute >= LATE_MIN
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn tomorrow_is_asked_for_from_ten_to_one_on_and_late_from_half_past_two() {
        let area = Area::parse("NL").unwrap();
        let count = |text: &str| days(area, at(text)).len();
        assert_eq!((count("2026-07-01T10:49:59Z"), count("2026-07-01T10:50:00Z")), (1, 2), "summer time");
        assert_eq!((count("2026-12-01T11:49:59Z"), count("2026-12-01T11:50:00Z")), (1, 2), "winter time");
        // The market's day, not UTC's: on the evening of the 1st it is the 2nd in Brussels already.
        assert_eq!(days(area, at("2026-07-01T22:30:00Z")), [NaiveDate::from_ymd_opt(2026, 7, 2).unwrap()]);
        let tomorrow = NaiveDate::from_ymd_opt(2026, 7, 2).unwrap();
        assert!(!is_due(area, tomorrow, at("2026-07-01T12:29:59Z")));
        assert!(is_due(area, tomorrow, at("2026-07-01T12:30:00Z")));
    }

    #[test]
    fn a_day_of_the_change_of_clocks_has_its_own_length_and_a_place_its_sign() {
        let day = Subject::Prices { area: "NL".to_owned(), day: NaiveDate::from_ymd_opt(2026, 10, 25).unwrap() };
        assert_eq!(day.span(at("2026-10-24T12:00:00Z")).length(), TimeDelta::hours(25));
        let place = Subject::weather(-33.868, -151.207).place().unwrap();
        assert_eq!((place.latitude_deg, place.longitude_deg), (-33.87, -151.21));
    }
}
