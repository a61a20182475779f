//! The weather at a place: every forecast of it that came, kept with when it came, so that a forecast of the building learns from
//! what was known and not from what then was.

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::feeds::SkyForecast;
use kwartier_data::history::{Sky, Weather, WeatherRow};
use kwartier_data::site::Site;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::subject::Subject;
use super::sun;
use crate::http::change::{body, kept};
use crate::resource::weather::SkyRow;
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
    let change = Change::Put { key, body: body_of(sky)?, expect: Expect::Any };
    store.write(sky.known_at, vec![change]).await.map(drop)
}

/// Where the weather stands that somebody has put at a site.
pub fn own_key(site: &str) -> Key {
    Key::new(Kind::Forecast, site, "weather")
}

/// The weather that somebody has put at a site, by the hour; `None`, there is none.
///
/// # Errors
///
/// Why it cannot be read.
pub async fn put_at(store: &dyn Store, site: &str) -> Result<Option<Vec<SkyRow>>, Fault> {
    let Some(document) = store.read(&own_key(site), None).await? else { return Ok(None) };
    let Kept { start, hours, .. } = kept(&document)?;
    let row = |(k, [ghi_wm2, dni_wm2, dhi_wm2, temp_c, wind_ms]): (usize, [Option<f64>; 5])| SkyRow {
        start: start + STEP * i32::try_from(k).unwrap_or(i32::MAX),
        minutes: 60,
        ghi_wm2,
        dni_wm2,
        dhi_wm2,
        temp_c,
        wind_ms,
    };
    Ok(Some(hours.into_iter().enumerate().map(row).collect()))
}

/// A forecast as it is kept.
///
/// # Errors
///
/// That it cannot be worded.
pub fn body_of(sky: &SkyForecast) -> Result<Value, Fault> {
    let mean = |quantity: fn(&Sky) -> Option<f64>| sky.values.series(STEP, |sky| quantity(sky).unwrap_or(f64::NAN));
    let quantities: [fn(&Sky) -> Option<f64>; 5] =
        [|sky| sky.ghi_wm2, |sky| sky.dni_wm2, |sky| sky.dhi_wm2, |sky| sky.temp_c, |sky| sky.wind_ms];
    let series = quantities.map(mean);
    let start = sky.values.rows.first().map_or(sky.known_at, |row| row.start);
    let count = series.iter().flatten().map(|series| series.values.len()).max().unwrap_or(0);
    let value = |k: usize, quantity: usize| {
        let value = series[quantity].as_ref().and_then(|series| series.values.get(k).copied().flatten());
        value.filter(|value| value.is_finite()).map(|value| (value * 10.0).round() / 10.0)
    };
    let suspect = |at: DateTime<Utc>| sky.suspect.iter().any(|span| span.from <= at && at < span.to);
    let hour = |k: usize| {
        let at = start + STEP * i32::try_from(k).unwrap_or(i32::MAX);
        // A sun that cannot be is no sun that is known.
        std::array::from_fn(|quantity| value(k, quantity).filter(|_| quantity >= 3 || !suspect(at)))
    };
    let hours = (0..count).map(hour).collect();
    body(&Kept { known_at: sky.known_at, start, hours })
}

/// The weather at a site, as it was known at each instant since, with the sun as its plants' forecasts tell it where they are learnt;
/// empty, it names no place and nothing came yet. What somebody has put comes before what was fetched.
///
/// # Errors
///
/// Why it cannot be read.
pub async fn known(store: &dyn Store, id: &str, site: &Site, now: DateTime<Utc>) -> Result<Weather, Fault> {
    let own = own_key(id);
    let put = store.read(&own, None).await?.is_some().then_some(own);
    let told = match put.or_else(|| place(site).as_ref().and_then(key)) {
        Some(key) => rows(store, &key).await?,
        None => Vec::new(),
    };
    Ok(Weather::new(sun::within(told, sun::known(store, id, site).await?, now), STEP))
}

async fn rows(store: &dyn Store, key: &Key) -> Result<Vec<WeatherRow>, Fault> {
    let mut rows = Vec::new();
    for document in store.history(key, None, MOST).await?.iter().filter(|document| document.body.is_some()) {
        let Kept { known_at, start, hours } = kept(document)?;
        rows.extend(hours.into_iter().enumerate().map(|(k, [ghi_wm2, dni_wm2, dhi_wm2, temp_c, wind_ms])| {
            WeatherRow {
                start: start + STEP * i32::try_from(k).unwrap_or(i32::MAX),
                known_at,
                sky: Sky { ghi_wm2, dni_wm2, dhi_wm2, temp_c, wind_ms },
            }
        }));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {

    use kwartier_data::feeds::{Row, Span, Values};
    use kwartier_data::history::History;
    use kwartier_data::series::Series;

    use super::*;

    fn sky(known_at: DateTime<Utc>, start: DateTime<Utc>, temp_c: f64) -> SkyForecast {
        let step = TimeDelta::minutes(15);
        let row = |k: i32| Row {
            start: start + step * k,
            end: start + step * (k + 1),
            value: Sky { ghi_wm2: Some(f64::from(k) * 10.0), temp_c: Some(temp_c), ..Sky::default() },
        };
        let values = Values { rows: (0..8).map(row).collect(), missing: Vec::new(), notes: Vec::new() };
        let suspect = vec![Span { from: start + TimeDelta::hours(1), to: start + TimeDelta::hours(2) }];
        SkyForecast { known_at, values, suspect }
    }

    #[tokio::test]
    async fn each_forecast_is_known_from_when_it_came_and_a_sun_that_cannot_be_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let store = crate::store::open(folder.path().to_str().unwrap()).await.unwrap();
        let mut site = Site::new("Depot".to_owned(), "Europe/Amsterdam".to_owned(), Vec::new(), Vec::new());
        (site.latitude_deg, site.longitude_deg) = (Some(52.094), Some(5.118));
        let noon: DateTime<Utc> = "2026-06-01T12:00:00Z".parse().unwrap();
        let came = [noon - TimeDelta::hours(6), noon - TimeDelta::hours(3)];
        for (at, temp_c) in came.into_iter().zip([15.0, 21.0]) {
            keep(&*store, &place(&site).unwrap(), &sky(at, noon, temp_c)).await.unwrap();
        }
        let weather = known(&*store, "depot", &site, noon).await.unwrap();
        let series = Series { start: noon, step: TimeDelta::hours(1), values: vec![Some(1.0); 2] };
        let history = History::new(series, chrono_tz::UTC).with_weather(weather);
        let temp_c = |at| history.as_of(at).weather(noon).and_then(|sky| sky.temp_c);
        assert_eq!((temp_c(came[0]), temp_c(came[1])), (Some(15.0), Some(21.0)));
        assert_eq!(temp_c(came[0] - TimeDelta::seconds(1)), None, "nobody knew it yet");
        let sun = |hours| history.as_of(came[1]).weather(noon + TimeDelta::hours(hours)).unwrap().ghi_wm2;
        assert_eq!((sun(0), sun(1)), (Some(15.0), None), "the mean of four quarters; then suspect");
        // What somebody puts counts alone, until it is deleted.
        let own =
            Change::Put { key: own_key("depot"), body: body_of(&sky(noon, noon, 3.0)).unwrap(), expect: Expect::Any };
        store.write(noon, vec![own]).await.unwrap();
        assert_eq!(put_at(&*store, "depot").await.unwrap().unwrap()[0].temp_c, Some(3.0));
        let own = known(&*store, "depot", &site, noon).await.unwrap();
        assert_eq!(own, Weather::new(rows(&*store, &own_key("depot")).await.unwrap(), STEP));
        store.write(noon, vec![Change::Delete { key: own_key("depot"), expect: Expect::Any }]).await.unwrap();
        assert_ne!(known(&*store, "depot", &site, noon).await.unwrap(), own);
        site.latitude_deg = None;
        assert!(known(&*store, "depot", &site, noon).await.unwrap().is_empty());
    }
}
