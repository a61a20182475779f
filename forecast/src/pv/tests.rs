//! Plants that are made up, and what is found and said of them.

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::forecast::Belief;
use kwartier_data::history::{History, Position, Sky, Weather, WeatherRow};
use kwartier_data::series::Series;

use super::light::{Light, Plane};
use super::sun::SunPath;
use super::*;
use crate::method::Horizon;

const UTRECHT: Position = Position { latitude_deg: 52.09, longitude_deg: 5.12 };

/// How much of a clear sky gets through on an hour: days and hours of all kinds, always the same.
fn clouds(hour: usize) -> f64 {
    let chance = |seed: usize| (seed.wrapping_mul(2_654_435_761) >> 7) % 1000;
    let day = 0.25 + 0.75 * chance(hour / 24) as f64 / 1000.0;
    (day + 0.2 * (chance(hour + 77) as f64 / 1000.0 - 0.5)).clamp(0.05, 1.0)
}

/// A plant of 8 kWp on a plane, in the hours from 1 March 2023 on, with weather known a day ahead.
fn plant(plane: Plane, days: usize) -> (Series, Vec<WeatherRow>) {
    let start: DateTime<Utc> = "2023-03-01T00:00:00Z".parse().unwrap();
    let step = TimeDelta::hours(1);
    let at = |k: usize| start + step * i32::try_from(k).unwrap();
    let path = SunPath::over((0..days * 24).map(at), step, UTRECHT);
    let (mut values, mut rows) = (Vec::new(), Vec::new());
    for hour in 0..days * 24 {
        let suns = path.within(hour);
        let part = |light: &dyn Fn(Light, &super::sun::Sun) -> f64| {
            let of =
                |sun: &super::sun::Sun| light(Light::of_global(clouds(hour) * super::light::clear_wm2(sun), sun), sun);
            suns.iter().map(of).sum::<f64>() / suns.len() as f64
        };
        let ghi = part(&|light, _| light.global_wm2);
        values.push(Some(8.0 * 0.9 * part(&|light, sun| plane.output(sun, &light, Some(12.0), None))));
        let sky = Sky { ghi_wm2: Some(ghi), temp_c: Some(12.0), ..Sky::default() };
        rows.push(WeatherRow { start: at(hour), known_at: at(hour) - TimeDelta::hours(72), sky });
    }
    (Series { start, step, values }, rows)
}

fn predict(history: &History, plant: PvPlant, day: i64) -> Vec<Belief> {
    let past = history.as_of(history.truth().start + TimeDelta::days(day));
    let fitted = clear_sky(plant).fit(&past).unwrap();
    let beliefs = fitted.predict(&past, Horizon::from_origin(&past, TimeDelta::hours(48)));
    beliefs.into_iter().map(Option::unwrap).collect()
}

#[test]
fn planes_are_found_from_weather() {
    let east = Plane { tilt_deg: 30.0, azimuth_deg: 120.0 };
    let (series, rows) = plant(east, 120);
    let history =
        History::new(series, chrono_tz::Europe::Amsterdam).with_weather(Weather::new(rows, TimeDelta::hours(1)));
    let past = history.as_of(history.truth().end());
    let given = PvPlant { position: Some(UTRECHT), peak_kw: Some(8.0) };
    let found = fitted_plant(&past, given).unwrap();
    assert_eq!(found.planes.len(), 1, "{found:?}");
    let (plane, rated) = found.planes[0];
    assert!((plane.tilt_deg - 30.0).abs() < 4.0 && (plane.azimuth_deg - 120.0).abs() < 5.0, "{found:?}");
    assert!((rated - 7.2).abs() < 0.2, "{found:?}");
}

#[test]
fn days_tell_where_a_plant_is() {
    let (series, _) = plant(Plane { tilt_deg: 30.0, azimuth_deg: 180.0 }, 200);
    let history = History::new(series, chrono_tz::Europe::Amsterdam);
    let past = history.as_of(history.truth().end());
    let found = super::locate::locate(&past, None).unwrap().position;
    assert!((found.latitude_deg - 52.0).abs() < 4.0 && (found.longitude_deg - 5.1).abs() < 3.0, "{found:?}");
}

#[test]
fn day_one_needs_position_and_peak_alone() {
    let (mut series, rows) = plant(Plane { tilt_deg: 35.0, azimuth_deg: 180.0 }, 3);
    let truth = series.values.clone();
    series.values.clear();
    let history = History::new(series, chrono_tz::Europe::Amsterdam);
    let given = PvPlant { position: Some(UTRECHT), peak_kw: Some(8.0) };
    let blind = predict(&history, given, 0);
    assert_eq!(blind.len(), 48);
    assert_eq!(blind[0], Belief::certain(0.0));
    assert!(blind[12].quantiles[0] < 1.5 && blind[12].quantiles[6] > 4.0, "{:?}", blind[12]);
    let told = predict(&history.with_weather(Weather::new(rows, TimeDelta::hours(1))), given, 0);
    for (belief, truth) in told.iter().zip(truth) {
        assert!((belief.quantiles[3] - truth.unwrap()).abs() < 0.8, "{belief:?} {truth:?}");
    }
    let unknown = PvPlant { position: Some(UTRECHT), peak_kw: None };
    let empty = History::new(
        Series { start: DateTime::UNIX_EPOCH, step: TimeDelta::hours(1), values: Vec::new() },
        chrono_tz::UTC,
    );
    assert!(clear_sky(unknown).fit(&empty.as_of(DateTime::UNIX_EPOCH)).is_err());
}

#[test]
fn the_future_changes_nothing_and_bounds_hold() {
    let (series, rows) = plant(Plane { tilt_deg: 30.0, azimuth_deg: 200.0 }, 100);
    let nonsense: Vec<Option<f64>> =
        series.values.iter().enumerate().map(|(hour, value)| if hour < 80 * 24 { *value } else { Some(1e6) }).collect();
    let mut later = rows.clone();
    later.extend(rows[80 * 24..].iter().map(|row| WeatherRow {
        known_at: row.start,
        sky: Sky { ghi_wm2: Some(1e5), ..row.sky },
        ..*row
    }));
    let zone = chrono_tz::Europe::Amsterdam;
    let weather = |rows: Vec<WeatherRow>| Weather::new(rows, TimeDelta::hours(1));
    let other = Series { values: nonsense, ..series.clone() };
    for position in [None, Some(UTRECHT)] {
        let given = PvPlant { position, peak_kw: None };
        let honest = predict(&History::new(series.clone(), zone), given, 80);
        assert_eq!(honest, predict(&History::new(other.clone(), zone), given, 80));
        let (plain, mad) = (weather(rows.clone()), weather(later.clone()));
        let told = predict(&History::new(series.clone(), zone).with_weather(plain), given, 80);
        // The first hour's nonsense is known as it begins.
        let mad = predict(&History::new(other.clone(), zone).with_weather(mad), given, 80);
        assert_eq!(told[1..], mad[1..]);
        for (hour, belief) in honest.iter().chain(&told).enumerate() {
            assert!(belief.quantiles.is_sorted() && belief.quantiles[0] >= 0.0 && belief.quantiles[6] <= 9.0);
            // In Utrecht in May it is dark from 20 to 2 UTC.
            if hour % 24 < 2 || hour % 24 > 20 {
                assert_eq!(*belief, Belief::certain(0.0), "{hour}");
            }
        }
    }
}

#[test]
fn saved_and_restored_a_plant_says_the_same_and_can_be_refreshed() {
    let (series, rows) = plant(Plane { tilt_deg: 30.0, azimuth_deg: 200.0 }, 110);
    let zone = chrono_tz::Europe::Amsterdam;
    let start = series.start;
    let plain = History::new(series, zone);
    for history in [plain.clone(), plain.with_weather(Weather::new(rows, TimeDelta::hours(1)))] {
        let method = clear_sky(PvPlant::default());
        let past = history.as_of(start + TimeDelta::days(100));
        let horizon = Horizon::from_origin(&past, TimeDelta::hours(48));
        let mut fitted = method.fit(&past).unwrap();
        let standing = fitted.standing().unwrap().clone();
        assert!(standing.uses_model && standing.skill > 0.1, "{standing}");
        let text = serde_json::to_string(&fitted.save().unwrap()).unwrap();
        let mut restored = method.restore(serde_json::from_str(&text).unwrap()).unwrap();
        assert_eq!(restored.predict(&past, horizon), fitted.predict(&past, horizon));
        // Nothing new, nothing learnt; and a later past is learnt from alike.
        restored.refresh(&past);
        assert_eq!(restored.standing(), Some(&standing));
        let later = history.as_of(start + TimeDelta::days(108));
        let horizon = Horizon::from_origin(&later, TimeDelta::hours(48));
        restored.refresh(&later);
        fitted.refresh(&later);
        assert_eq!(restored.predict(&later, horizon), fitted.predict(&later, horizon));
        assert_ne!(restored.standing(), Some(&standing));
    }
    let method = clear_sky(PvPlant::default());
    assert!(method.restore(serde_json::json!({"late": 1})).is_err_and(|wrong| wrong.contains("no fit of")));
}

#[test]
fn where_yesterday_is_always_right_it_is_used_within_what_the_sun_allows() {
    // The same each day, with a peak at odd hours that no sun makes.
    let (mut series, _) = plant(Plane { tilt_deg: 30.0, azimuth_deg: 180.0 }, 120);
    for (hour, value) in series.values.iter_mut().enumerate() {
        *value = Some(
            [
                0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 3.0, 0.4, 5.0, 0.9, 2.0, 6.0, 1.0, 4.0, 0.3, 2.0, 0.0, 0.0, 0.0,
                0.0, 0.0, 0.0, 0.0,
            ][hour % 24],
        );
    }
    let history = History::new(series, chrono_tz::UTC);
    let past = history.as_of(history.truth().start + TimeDelta::days(110));
    let fitted = clear_sky(PvPlant { position: Some(UTRECHT), peak_kw: None }).fit(&past).unwrap();
    let standing = fitted.standing().unwrap();
    assert!(!standing.uses_model, "{standing}");
    let beliefs = fitted.predict(&past, Horizon::from_origin(&past, TimeDelta::hours(24)));
    assert_eq!(beliefs[0], Some(Belief::certain(0.0)));
    assert!((beliefs[12].unwrap().quantiles[3] - 6.0).abs() < 1e-9, "{:?}", beliefs[12]);
    let restored = clear_sky(PvPlant::default()).restore(fitted.save().unwrap()).unwrap();
    assert_eq!(restored.predict(&past, Horizon::from_origin(&past, TimeDelta::hours(24))), beliefs);
}
