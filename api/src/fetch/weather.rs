//! The weather at a place: every forecast of it that came, kept with when it came, so that a forecast of the building learns from
//! what was known and not from what then was.

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::feeds::SkyForecast;
use kwartier_data::history::{Sky, Weather, WeatherRow};
use kwartier_data::site::Site;
use serde::{Deserialize, Serialize};

use super::subject::Subject;
use crate::http::change::{body, kept};
use crate::store::{Change, Expect, Fault, Key, Kind, Store};

/// Weather is kept by the hour.
const STEP: TimeDelta = TimeDelta::hours(1);

/// How many forecasts back are looked at: six weeks of one every three hours.
const MOST: u32 = 400;

/// A forecast as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    known_at: DateTime<Utc>,
    start: DateTime<Utc>,
    /// Of each hour: global, direct and diffuse irradiance, temperature, wind.
    hours: Vec<[Option<f64>; 5]>,
}

/// The place whose weather a site wants.
pub fn place(site: &Site) -> Option<Subject> {
    let (latitude_deg, longitude_deg) = site.latitude_deg.zip(site.longitude_deg)?;
    Some(Subject::weather(latitude_deg, longitude_deg))
}

fn key(place: &Subject) -> Option<Key> {
    let at = place.place()?;
    Some(Key::new(Kind::Forecast, format!("{:.2}/{:.2}", at.latitude_deg, at.longitude_deg), "weather"))
}

/// Keeps a forecast that came.
///
/// # Errors
///
/// Why it cannot be kept.
pub async fn keep(store: &dyn Store, place: &Subject, sky: &SkyForecast) -> Result<(), Fault> {
    let Some(key) = key(place) else { return Ok(()) };
    let mean = |quantity: fn(&Sky) -> Option<f64>| sky.values.series(STEP, |sky| quantity(sky).unwrap_or(f64::NAN));
    let quantities: [fn(&Sky) -> Option<f64>; 5] =
        [|sky| sky.ghi_wm2, |sky| sky.dni_wm2, |sky| sky.dhi_wm2, |sky| sky.temp_c, |sky| sky.wind_ms];
    let series = quantities.map(mean);
    let Some(first) = series[0].as_ref() else { return Ok(()) };
    let value = |k: usize, quantity: usize| {
        let value = series[quantity].as_ref().and_then(|series| series.values.get(k).copied().flatten());
        value.filter(|value| value.is_finite()).map(|value| (value * 10.0).round() / 10.0)
    };
    let suspect = |at: DateTime<Utc>| sky.suspect.iter().any(|span| span.from <= at && at < span.to);
    let hour = |k: usize| {
        let at = first.start + STEP * i32::try_from(k).unwrap_or(i32::MAX);
        // A sun that cannot be is no sun that is known.
        std::array::from_fn(|quantity| value(k, quantity).filter(|_| quantity >= 3 || !suspect(at)))
    };
    let hours = (0..first.values.len()).map(hour).collect();
    let kept = Kept { known_at: sky.known_at, start: first.start, hours };
    store.write(sky.known_at, vec![Change::Put { key, body: body(&kept)?, expect: Expect::Any }]).await.map(drop)
}

/// The weather at a site, as it was known at each instant since; empty, it names no place or nothing came yet.
///
/// # Errors
///
/// Why it cannot be read.
pub async fn known(store: &dyn Store, site: &Site) -> Result<Weather, Fault> {
    let Some(key) = place(site).as_ref().and_then(key) else { return Ok(Weather::default()) };
    let mut rows = Vec::new();
    for document in store.history(&key, None, MOST).await?.iter().filter(|document| document.body.is_some()) {
        let Kept { known_at, start, hours } = kept(document)?;
        rows.extend(hours.into_iter().enumerate().map(|(k, [ghi_wm2, dni_wm2, dhi_wm2, temp_c, wind_ms])| {
            WeatherRow {
                start: start + STEP * i32::try_from(k).unwrap_or(i32::MAX),
                known_at,
                sky: Sky { ghi_wm2, dni_wm2, dhi_wm2, temp_c, wind_ms },
            }
        }));
    }
    Ok(Weather::new(rows, STEP))
}
