//! What plants are forecast to deliver: every forecast that came, kept with when it came. For a forecast of the building it stands in
//! the place of the weather's irradiance, once there is enough of it to learn from; with a forecast of the building that somebody
//! has put it is taken off that.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::feeds::{PvPower, Values};
use kwartier_data::history::{Sky, WeatherRow};
use kwartier_data::site::Site;
use serde::{Deserialize, Serialize};

use super::subject::Subject;
use crate::http::change::{body, kept};
use crate::resource::forecast::{ForecastRow, KeptForecast};
use crate::store::{Change, Expect, Fault, Key, Kind, Store};

/// It is kept by the hour.
const STEP_S: i64 = 3600;

/// How many forecasts back are looked at: six weeks of one every three hours.
const MOST: u32 = 400;

/// What all peak power together has under a sun of 1,000 W/m², which peak power is measured at.
const PEAK_WM2: f64 = 1000.0;

/// A forecast as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    known_at: DateTime<Utc>,
    /// Of each hour: its beginning in seconds since 1970, mean power in kW, and where it is said, what it is above in nine cases of
    /// ten, and in one.
    hours: Vec<(i64, f64, Option<f64>, Option<f64>)>,
}

fn key(site: &str, plant: &str) -> Key {
    Key::new(Kind::Forecast, site, format!("sun/{plant}"))
}

/// Keeps a forecast of a plant that came.
///
/// # Errors
///
/// Why it cannot be kept.
pub async fn keep(store: &dyn Store, of: &Subject, power: &Values<PvPower>, at: DateTime<Utc>) -> Result<(), Fault> {
    let Subject::Pv { site, plant, .. } = of else { return Ok(()) };
    let kept = Kept { known_at: at, hours: hours(power) };
    let change = Change::Put { key: key(site, plant), body: body(&kept)?, expect: Expect::Any };
    store.write(at, vec![change]).await.map(drop)
}

/// The power of the hours of the clock. Where an interval ends within an hour, as at sunset, nothing is delivered in the rest of it.
fn hours(power: &Values<PvPower>) -> Vec<(i64, f64, Option<f64>, Option<f64>)> {
    let mut sums: BTreeMap<i64, (f64, Option<f64>, Option<f64>)> = BTreeMap::new();
    for row in &power.rows {
        let (from, to) = (row.start.timestamp(), row.end.timestamp());
        let mut hour = from - from.rem_euclid(STEP_S);
        while hour < to {
            let share = (to.min(hour + STEP_S) - from.max(hour)) as f64 / STEP_S as f64;
            let first = (0.0, row.value.low_kw.map(|_| 0.0), row.value.high_kw.map(|_| 0.0));
            let sum = sums.entry(hour).or_insert(first);
            sum.0 += share * row.value.kw;
            sum.1 = sum.1.zip(row.value.low_kw).map(|(sum, kw)| sum + share * kw);
            sum.2 = sum.2.zip(row.value.high_kw).map(|(sum, kw)| sum + share * kw);
            hour += STEP_S;
        }
    }
    sums.into_iter().map(|(hour, (kw, low, high))| (hour, kw, low, high)).collect()
}

/// What all plants of a site together were forecast to deliver, as the irradiance that would make it, as it was known at each instant
/// since; empty, there is a plant of which nothing came yet.
///
/// # Errors
///
/// Why it cannot be read.
pub async fn known(store: &dyn Store, id: &str, site: &Site) -> Result<Vec<WeatherRow>, Fault> {
    let peak_kw: f64 = site.pv.iter().map(|plant| plant.peak_kw).sum();
    if peak_kw <= 0.0 {
        return Ok(Vec::new());
    }
    let mut by_plant: Vec<Vec<Kept>> = Vec::new();
    for plant in &site.pv {
        let mut past = Vec::new();
        for document in store.history(&key(id, &plant.id), None, MOST).await?.iter().filter(|old| old.body.is_some()) {
            past.push(kept::<Kept>(document)?);
        }
        past.sort_by_key(|kept| kept.known_at);
        by_plant.push(past);
    }
    let mut rows = Vec::new();
    let mut latest: Vec<BTreeMap<i64, f64>> = vec![BTreeMap::new(); by_plant.len()];
    let mut came: Vec<(usize, &Kept)> =
        by_plant.iter().enumerate().flat_map(|(plant, past)| past.iter().map(move |kept| (plant, kept))).collect();
    came.sort_by_key(|(_, kept)| kept.known_at);
    for (plant, kept) in came {
        latest[plant].extend(kept.hours.iter().map(|(hour, kw, ..)| (*hour, *kw)));
        for (hour, ..) in &kept.hours {
            let powers: Option<Vec<f64>> = latest.iter().map(|hours| hours.get(hour).copied()).collect();
            let start = DateTime::from_timestamp(*hour, 0);
            let (Some(powers), Some(start)) = (powers, start) else { continue };
            let ghi_wm2 = Some(powers.iter().sum::<f64>() / peak_kw * PEAK_WM2);
            rows.push(WeatherRow { start, known_at: kept.known_at, sky: Sky { ghi_wm2, ..Sky::default() } });
        }
    }
    Ok(rows)
}

/// What all plants of a site together are forecast to deliver; `None`, there is a plant of which nothing came yet.
///
/// # Errors
///
/// Why it cannot be read.
pub async fn latest(store: &dyn Store, id: &str, site: &Site) -> Result<Option<KeptForecast>, Fault> {
    let mut sum: Option<BTreeMap<i64, (f64, f64, f64)>> = None;
    for plant in &site.pv {
        let Some(document) = store.read(&key(id, &plant.id), None).await? else { return Ok(None) };
        let Kept { hours, .. } = kept(&document)?;
        let own = hours.into_iter().map(|(hour, kw, low, high)| (hour, (kw, low.unwrap_or(kw), high.unwrap_or(kw))));
        let own: BTreeMap<i64, (f64, f64, f64)> = own.collect();
        sum = Some(match sum {
            None => own,
            // Of an hour that one of them says nothing of, nothing is said. Plants of a site have clouds in common.
            Some(sum) => {
                let both = |(hour, a): (i64, (f64, f64, f64))| {
                    own.get(&hour).map(|b| (hour, (a.0 + b.0, a.1 + b.1, a.2 + b.2)))
                };
                sum.into_iter().filter_map(both).collect()
            }
        });
    }
    let row = |(hour, (kw, low, high)): (i64, (f64, f64, f64))| {
        Some(ForecastRow {
            start: DateTime::from_timestamp(hour, 0)?,
            mean: kw,
            q05: Some(low),
            q10: Some(low),
            q25: Some(f64::midpoint(low, kw)),
            q50: Some(kw),
            q75: Some(f64::midpoint(kw, high)),
            q90: Some(high),
            q95: Some(high),
        })
    };
    Ok(sum.map(|sum| KeptForecast { minutes: 60, rows: sum.into_iter().filter_map(row).collect() }))
}

/// Forecasts of plants are believed to say more than the weather once they go back so far: before that there is nothing to learn
/// from how they were.
const LEARNT: TimeDelta = TimeDelta::days(14);

/// The weather with the sun that plants' forecasts tell, in the order in which it became known; as it is where they do not go back far
/// enough, and there is an irradiance in it.
pub fn within(weather: Vec<WeatherRow>, sun: Vec<WeatherRow>, now: DateTime<Utc>) -> Vec<WeatherRow> {
    let dark = weather.iter().all(|row| row.sky.ghi_wm2.is_none());
    let learnt = sun.first().is_some_and(|first| now - first.known_at >= LEARNT);
    if sun.is_empty() || !(learnt || dark) {
        return weather;
    }
    let sunless = |row: WeatherRow| {
        let sky = Sky { ghi_wm2: None, dni_wm2: None, dhi_wm2: None, ..row.sky };
        (false, WeatherRow { sky, ..row })
    };
    let mut all: Vec<(bool, WeatherRow)> = weather.into_iter().map(sunless).collect();
    all.extend(sun.into_iter().map(|row| (true, row)));
    all.sort_by_key(|(_, row)| (row.known_at, row.start));
    let mut skies: BTreeMap<DateTime<Utc>, Sky> = BTreeMap::new();
    let told = all.into_iter().map(|(is_sun, row)| {
        let sky = skies.entry(row.start).or_default();
        *sky = if is_sun { Sky { ghi_wm2: row.sky.ghi_wm2, ..*sky } } else { Sky { ghi_wm2: sky.ghi_wm2, ..row.sky } };
        WeatherRow { sky: *sky, ..row }
    });
    told.collect()
}

#[cfg(test)]
mod tests {

    use kwartier_data::feeds::Row;
    use kwartier_data::site::PvPlant;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn power(rows: &[(&str, &str, f64, Option<f64>)]) -> Values<PvPower> {
        let row = |(start, end, kw, low): &(&str, &str, f64, Option<f64>)| Row {
            start: at(start),
            end: at(end),
            value: PvPower { kw: *kw, low_kw: *low, high_kw: None },
        };
        Values { rows: rows.iter().map(row).collect(), missing: Vec::new(), notes: Vec::new() }
    }

    fn plant(id: &str, peak_kw: f64) -> PvPlant {
        toml::from_str(&format!("id = {id:?}\nboard = \"HV\"\npeak_kw = {peak_kw}")).unwrap()
    }

    fn site(plants: Vec<PvPlant>) -> Site {
        let site = Site::new("Depot".to_owned(), "Europe/Amsterdam".to_owned(), Vec::new(), Vec::new());
        Site { pv: plants, ..site }
    }

    #[test]
    fn an_hour_that_the_sun_rises_in_has_a_part_of_its_power() {
        let rising = power(&[
            ("2026-06-01T03:30:00Z", "2026-06-01T04:00:00Z", 2.0, Some(1.0)),
            ("2026-06-01T04:00:00Z", "2026-06-01T05:00:00Z", 6.0, Some(4.0)),
        ]);
        let three = at("2026-06-01T03:00:00Z").timestamp();
        assert_eq!(hours(&rising), [(three, 1.0, Some(0.5), None), (three + STEP_S, 6.0, Some(4.0), None)]);
    }

    #[tokio::test]
    async fn plants_count_together_each_from_when_it_was_known() {
        let folder = tempfile::tempdir().unwrap();
        let store = crate::store::open(folder.path().to_str().unwrap()).await.unwrap();
        let site = site(vec![plant("east", 10.0), plant("west", 30.0)]);
        let of = |name: usize| Subject::pv("depot", &site, &site.pv[name]);
        let noon = power(&[("2026-06-01T10:00:00Z", "2026-06-01T11:00:00Z", 8.0, None)]);
        keep(&*store, &of(0), &noon, at("2026-06-01T06:00:00Z")).await.unwrap();
        assert!(known(&*store, "depot", &site).await.unwrap().is_empty(), "nothing is known of the other");
        assert_eq!(latest(&*store, "depot", &site).await.unwrap(), None);
        let other = power(&[("2026-06-01T10:00:00Z", "2026-06-01T11:00:00Z", 12.0, Some(4.0))]);
        keep(&*store, &of(1), &other, at("2026-06-01T07:00:00Z")).await.unwrap();
        let rows = known(&*store, "depot", &site).await.unwrap();
        assert_eq!((rows.len(), rows[0].known_at, rows[0].sky.ghi_wm2), (1, at("2026-06-01T07:00:00Z"), Some(500.0)));
        let forecast = latest(&*store, "depot", &site).await.unwrap().unwrap();
        let row = &forecast.rows[0];
        assert_eq!((row.mean, row.q10, row.q50, row.q95), (20.0, Some(12.0), Some(20.0), Some(20.0)));
        assert!(known(&*store, "elsewhere", &site).await.unwrap().is_empty());
    }

    #[test]
    fn the_suns_own_forecast_takes_the_place_of_the_weathers_once_it_is_learnt() {
        let now = at("2026-06-20T06:00:00Z");
        let row =
            |known_at: &str, sky: Sky| WeatherRow { start: at("2026-06-20T10:00:00Z"), known_at: at(known_at), sky };
        let ghi = |ghi_wm2| Sky { ghi_wm2, ..Sky::default() };
        let weather = vec![row("2026-06-20T03:00:00Z", Sky { temp_c: Some(20.0), ..ghi(Some(700.0)) })];
        let young = vec![row("2026-06-19T05:00:00Z", ghi(Some(300.0)))];
        assert_eq!(within(weather.clone(), young, now), weather);
        let mut old = vec![row("2026-06-01T05:00:00Z", ghi(Some(300.0)))];
        old.push(row("2026-06-20T05:00:00Z", ghi(Some(400.0))));
        let told = within(weather.clone(), old.clone(), now);
        let said: Vec<_> = told.iter().map(|row| (row.sky.temp_c, row.sky.ghi_wm2)).collect();
        assert_eq!(said, [(None, Some(300.0)), (Some(20.0), Some(300.0)), (Some(20.0), Some(400.0))]);
        let dark = vec![row("2026-06-20T03:00:00Z", Sky { temp_c: Some(20.0), ..Sky::default() })];
        assert_eq!(within(dark, old[1..].to_vec(), now).len(), 2, "there is no other sun");
    }
}
