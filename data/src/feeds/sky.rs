//! Weather as feeds forecast it, and whether the sun in it can be.

use chrono::{DateTime, TimeDelta, Utc};
use solar_positioning::{Location, SolarPositions};

use super::rows::{Row, Span, Values};
use crate::history::{Position, Sky, WeatherRow};

/// From this height of the sun on, no cloud makes it dark.
const HIGH_DEG: f64 = 10.0;

/// How long a sun that high may give nothing before it is a fault of the feed: an eclipse is over sooner.
const DARK: TimeDelta = TimeDelta::hours(2);

/// TT − UT in seconds; ten seconds off do not matter here.
const DELTA_T_S: f64 = 70.0;

/// Weather of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct SkyForecast {
    /// When it became known.
    pub known_at: DateTime<Utc>,
    /// Irradiances are means of their interval; temperature and wind are the means of what holds at its two ends.
    pub values: Values<Sky>,
    /// Where the sun is high and nothing arrives for hours: a fault of the feed rather than a cloud.
    pub suspect: Vec<Span>,
}

impl SkyForecast {
    /// The rows as a history keeps them.
    pub fn rows(&self) -> Vec<WeatherRow> {
        let row = |row: &Row<Sky>| WeatherRow { start: row.start, known_at: self.known_at, sky: row.value };
        self.values.rows.iter().map(row).collect()
    }
}

/// The spans of at least two hours in which the sun is high and the global irradiance is nothing.
pub(super) fn dark(rows: &[Row<Sky>], place: Position) -> Vec<Span> {
    let mut dark: Vec<Span> = Vec::new();
    for row in rows {
        let middle = row.start + row.length() / 2;
        if row.value.ghi_wm2 == Some(0.0) && height_deg(place, middle).is_some_and(|height| height > HIGH_DEG) {
            match dark.last_mut() {
                Some(span) if span.to == row.start => span.to = row.end,
                _ => dark.push(Span { from: row.start, to: row.end }),
            }
        }
    }
    dark.retain(|span| span.length() > DARK);
    dark
}

/// The height of the sun above the horizon in degrees.
fn height_deg(place: Position, at: DateTime<Utc>) -> Option<f64> {
    let location = Location { latitude: place.latitude_deg, longitude: place.longitude_deg };
    let sun = SolarPositions::grena3().for_time(&at, DELTA_T_S).ok()?;
    Some(sun.at(location, 0.0, None).ok()?.elevation_angle())
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn nothing_under_a_high_sun_is_suspect_and_night_is_not() {
        let midnight = DateTime::parse_from_rfc3339("2026-06-21T00:00:00Z").unwrap().to_utc();
        let rows: Vec<Row<Sky>> = (0..24)
            .map(|hour| {
                let sky = Sky { ghi_wm2: Some(0.0), ..Sky::default() };
                Row::lasting(midnight + TimeDelta::hours(hour), TimeDelta::hours(1), sky)
            })
            .collect();
        let utrecht = Position { latitude_deg: 52.1, longitude_deg: 5.1 };
        let spans = dark(&rows, utrecht);
        assert_eq!(spans.len(), 1);
        // The sun is above 10° from about 4:50 to 18:35 UTC on the longest day; the middle of an hour counts.
        assert_eq!((spans[0].from - midnight, spans[0].to - midnight), (TimeDelta::hours(5), TimeDelta::hours(19)));
        // The same clock on the other side of the Earth.
        let sydney = Position { latitude_deg: -33.9, longitude_deg: 151.2 };
        assert_ne!(dark(&rows, sydney), spans);
        assert_eq!(dark(&rows[..4], utrecht), []);
    }
}
