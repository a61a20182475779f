//! What is asked for: the prices of an area and a day, those of a contract, the weather at a place, the power of a plant, the
//! carbon intensity of an area.

use std::fmt;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use kwartier_data::feeds::{Area, Span};
use kwartier_data::history::Position;
use kwartier_data::local;
use kwartier_data::site::{PvPlant, Site};
use serde::{Deserialize, Serialize};

/// How far ahead weather and the sun's power are asked for, and carbon intensity.
const AHEAD: TimeDelta = TimeDelta::hours(54);

/// How far back carbon intensity is asked for, which is measured late.
const MEASURED_BACK: TimeDelta = TimeDelta::hours(24);

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
    /// What a site's contract bills on a day of its own zone.
    Contract {
        /// Id of the site.
        site: String,
        /// The name of its zone.
        zone: String,
        /// The day.
        day: NaiveDate,
    },
    /// The power of a plant.
    Pv {
        /// Id of the site.
        site: String,
        /// Name of the plant.
        plant: String,
        /// Its peak power in W.
        peak_w: u32,
        /// How it lies; absent, the site does not say all of it.
        roof: Option<Roof>,
    },
    /// The carbon intensity of an area.
    Carbon {
        /// Name of the area.
        area: String,
    },
}

/// How a plant lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Roof {
    /// Hundredths of degrees north.
    pub latitude_cdeg: i32,
    /// Hundredths of degrees east.
    pub longitude_cdeg: i32,
    /// Degrees from the horizontal.
    pub tilt_deg: i32,
    /// The direction it faces, in degrees clockwise from north.
    pub azimuth_deg: i32,
}

impl Subject {
    /// The power of a plant of a site.
    pub fn pv(id: &str, site: &Site, plant: &PvPlant) -> Subject {
        let roof = || {
            Some(Roof {
                latitude_cdeg: whole(site.latitude_deg? * 100.0),
                longitude_cdeg: whole(site.longitude_deg? * 100.0),
                tilt_deg: whole(plant.tilt_deg?),
                azimuth_deg: whole(plant.azimuth_deg?).rem_euclid(360),
            })
        };
        let peak_w = u32::try_from(whole(plant.peak_kw * 1000.0)).unwrap_or(0);
        Subject::Pv { site: id.to_owned(), plant: plant.id.clone(), peak_w, roof: roof() }
    }

    /// What a site's contract bills on the days that are wanted at an instant; none where the site's zone is none.
    pub fn contract(id: &str, site: &Site, now: DateTime<Utc>) -> Vec<Subject> {
        let Ok(zone) = local::zone(&site.time_zone) else { return Vec::new() };
        let day = |day| Subject::Contract { site: id.to_owned(), zone: zone.name().to_owned(), day };
        days_in(zone, now).into_iter().map(day).collect()
    }

    /// The weather at a place.
    pub fn weather(latitude_deg: f64, longitude_deg: f64) -> Subject {
        Subject::Weather { latitude_cdeg: whole(latitude_deg * 100.0), longitude_cdeg: whole(longitude_deg * 100.0) }
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
            _ => None,
        }
    }

    /// The day that it is about; `None`, it is not about one.
    pub fn day(&self) -> Option<NaiveDate> {
        match self {
            Subject::Prices { day, .. } | Subject::Contract { day, .. } => Some(*day),
            _ => None,
        }
    }

    /// The span of time that is asked for.
    pub fn span(&self, now: DateTime<Utc>) -> Span {
        let from = now - TimeDelta::minutes(i64::from(now.minute())) - TimeDelta::seconds(i64::from(now.second()));
        let from = from - TimeDelta::nanoseconds(i64::from(now.timestamp_subsec_nanos()));
        match (self, self.area()) {
            (Subject::Prices { day, .. }, Some(area)) => Span::of_day(area.market_zone(), *day),
            (Subject::Contract { zone, day, .. }, _) => Span::of_day(clock(zone), *day),
            (Subject::Carbon { .. }, _) => Span { from: from - MEASURED_BACK, to: from + AHEAD },
            _ => Span { from, to: from + AHEAD },
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Prices { area, day } => write!(f, "{area} {day}"),
            Subject::Weather { .. } => f.write_str("weather"),
            Subject::Contract { site, day, .. } => write!(f, "contract of {site} {day}"),
            Subject::Pv { site, .. } => write!(f, "sun at {site}"),
            Subject::Carbon { area } => write!(f, "carbon {area}"),
        }
    }
}

/// Tomorrow's prices should be there from this minute of the market's day on: 12:50.
const PUBLISHED_MIN: u32 = 12 * 60 + 50;

/// From this minute on they are late: 14:30.
const LATE_MIN: u32 = 14 * 60 + 30;

/// Those of contracts are late from this minute of the site's day on: 20:00. Suppliers follow the market, some by hours.
const CONTRACT_LATE_MIN: u32 = 20 * 60;

/// The days of an area whose prices are wanted at an instant: today, and tomorrow once its auction may be over.
pub fn days(area: &Area, now: DateTime<Utc>) -> Vec<NaiveDate> {
    days_in(area.market_zone(), now)
}

fn days_in(zone: Tz, now: DateTime<Utc>) -> Vec<NaiveDate> {
    let wall = now.with_timezone(&zone);
    let today = wall.date_naive();
    let tomorrow = today.checked_add_days(Days::new(1));
    let minute = wall.hour() * 60 + wall.minute();
    [Some(today), tomorrow.filter(|_| minute >= PUBLISHED_MIN)].into_iter().flatten().collect()
}

/// Whether prices should be known by an instant; what is not about a day's prices is due at once.
pub fn is_due(subject: &Subject, now: DateTime<Utc>) -> bool {
    let (zone, day, late_min) = match (subject, subject.area()) {
        (Subject::Prices { day, .. }, Some(area)) => (area.market_zone(), day, LATE_MIN),
        (Subject::Contract { zone, day, .. }, _) => (clock(zone), day, CONTRACT_LATE_MIN),
        _ => return true,
    };
    let wall = now.with_timezone(&zone);
    *day <= wall.date_naive() || wall.hour() * 60 + wall.minute() >= late_min
}

/// The zone of a name that came from one.
fn clock(name: &str) -> Tz {
    name.parse().unwrap_or(Tz::UTC)
}

/// The nearest whole number; what a site says is checked, and far below the ends.
#[expect(clippy::cast_possible_truncation, reason = "a cast saturates")]
fn whole(value: f64) -> i32 {
    value.round() as i32
}

#[cfg(test)]
mod tests {

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
        let day = NaiveDate::from_ymd_opt(2026, 7, 2).unwrap();
        let tomorrow = Subject::Prices { area: "NL".to_owned(), day };
        assert!(!is_due(&tomorrow, at("2026-07-01T12:29:59Z")));
        assert!(is_due(&tomorrow, at("2026-07-01T12:30:00Z")));
        let contract = Subject::Contract { site: "home".to_owned(), zone: "Europe/London".to_owned(), day };
        assert!(!is_due(&contract, at("2026-07-01T18:59:59Z")) && is_due(&contract, at("2026-07-01T19:00:00Z")));
    }

    #[test]
    fn a_day_of_the_change_of_clocks_has_its_own_length_and_a_place_its_sign() {
        let day = Subject::Prices { area: "NL".to_owned(), day: NaiveDate::from_ymd_opt(2026, 10, 25).unwrap() };
        assert_eq!(day.span(at("2026-10-24T12:00:00Z")).length(), TimeDelta::hours(25));
        let place = Subject::weather(-33.868, -151.207).place().unwrap();
        assert_eq!((place.latitude_deg, place.longitude_deg), (-33.87, -151.21));
    }
}
