//! Measurements.

#![expect(clippy::float_cmp, reason = "sums that come out exactly")]

use chrono::{DateTime, Utc};

use super::at;
use crate::store::{Grain, Measured, Measurements, Page, Point, Store};

fn shown(site: &str, place: &str, second: i64, amps: f64) -> Measured {
    Measured {
        site: site.to_owned(),
        place: place.to_owned(),
        at: at(second),
        phases_a: [amps, -amps, 0.5],
        power_kw: None,
        energy_kwh: None,
    }
}

fn ask(grain: Grain, from: i64, until: i64) -> Measurements {
    Measurements {
        site: "depot".to_owned(),
        place: None,
        from: at(from),
        until: at(until),
        grain,
        after: None,
        limit: 10_000,
    }
}

async fn points(store: &dyn Store, ask: &Measurements) -> Vec<Point> {
    let page = store.measured(ask).await.unwrap();
    assert!(!page.more);
    page.items
}

pub async fn a_measurement_for_the_same_place_and_time_is_replaced(store: &dyn Store) {
    let first = shown("depot", "node/HV", 1, 10.0);
    let second = Measured { power_kw: Some(7.0), energy_kwh: Some(1234.5), ..shown("depot", "node/HV", 1, 11.0) };
    let other = shown("depot", "node/V1", 1, 20.0);
    store.measure(&[first.clone(), other.clone(), shown("depot-2", "node/HV", 1, 5.0)]).await.unwrap();
    // In a batch the last counts too.
    store.measure(&[first, second.clone()]).await.unwrap();
    let found = points(store, &ask(Grain::Raw, 0, 10)).await;
    let expected = |mean: Measured| Point { highest_a: mean.phases_a, mean, grain: Grain::Raw, count: 1 };
    assert_eq!(found, [expected(second), expected(other)]);
    assert_eq!(points(store, &ask(Grain::Raw, 0, 1)).await, [], "before, not at");
    let one = Measurements { place: Some("node/V1".to_owned()), ..ask(Grain::Raw, 1, 2) };
    assert_eq!(points(store, &one).await.len(), 1);
    let nowhere = Measurements { site: "nowhere".to_owned(), ..ask(Grain::Raw, 0, 10) };
    assert_eq!(points(store, &nowhere).await, []);
}

pub async fn finer_measurements_are_rolled_up_for_the_answer(store: &dyn Store) {
    // A quarter-hour and a minute of seconds: 0, 1, 2, …; power every second second; the counter rises.
    let rows: Vec<Measured> = (0..960)
        .map(|second| Measured {
            power_kw: (second % 2 == 0).then_some(second as f64),
            energy_kwh: (second % 60 != 59).then_some(second as f64 / 100.0),
            ..shown("depot", "node/HV", second, second as f64)
        })
        .collect();
    store.measure(&rows).await.unwrap();

    let minutes = points(store, &ask(Grain::Minute, 0, 960)).await;
    assert_eq!(minutes.len(), 16);
    let second = &minutes[1];
    assert_eq!((second.mean.at, second.grain, second.count), (at(60), Grain::Minute, 60));
    assert_eq!(second.mean.phases_a, [89.5, -89.5, 0.5], "the mean of 60 to 119");
    assert_eq!(second.highest_a, [119.0, -60.0, 0.5]);
    assert_eq!(second.mean.power_kw, Some(89.0), "the mean of 60, 62, … 118");
    assert_eq!(second.mean.energy_kwh, Some(1.18), "the last that was said, of second 118");

    let quarters = points(store, &ask(Grain::Quarter, 0, 960)).await;
    assert_eq!(
        quarters.iter().map(|point| (point.mean.at, point.count)).collect::<Vec<_>>(),
        [(at(0), 900), (at(900), 60)]
    );
    assert_eq!(quarters[0].mean.phases_a[0], 449.5);
    assert_eq!(quarters[0].highest_a[0], 899.0);

    // A point is in the answer when it begins within, and then whole.
    let within = points(store, &ask(Grain::Minute, 61, 121)).await;
    assert_eq!(within.iter().map(|point| (point.mean.at, point.count)).collect::<Vec<_>>(), [(at(120), 60)]);
}

pub async fn rolling_up_changes_no_sum_and_twice_is_as_once(store: &dyn Store) {
    // Dyadic values, so that sums are exact in any order.
    let row = |place: &str, second: i64| Measured {
        power_kw: Some(second as f64 / 8.0),
        energy_kwh: Some(second as f64),
        ..shown("depot", place, second, (second % 37) as f64 / 4.0)
    };
    let all: Vec<Measured> =
        (0..7200).step_by(7).flat_map(|second| [row("node/HV", second), row("charger/Station 1", second)]).collect();
    store.measure(&all).await.unwrap();
    store.measure(&[shown("other", "node/HV", 5, 1.0)]).await.unwrap();
    let quarters = points(store, &ask(Grain::Quarter, 0, 7200)).await;
    let minutes = points(store, &ask(Grain::Minute, 0, 7200)).await;
    assert_eq!(quarters.len(), 16);

    // Seconds before 01:30:30 become minutes (up to 01:30), minutes before 00:50 quarter-hours (up to 00:45).
    let gone = store.roll_up(at(5430), at(3000)).await.unwrap();
    assert!(gone > 1500);
    assert_eq!(points(store, &ask(Grain::Quarter, 0, 7200)).await, quarters);
    assert_eq!(points(store, &ask(Grain::Minute, 2700, 7200)).await, minutes_from(&minutes, at(2700)));
    let as_is = points(store, &ask(Grain::Raw, 0, 7200)).await;
    let coarse =
        |grain| as_is.iter().filter(|point| point.grain == grain).map(|point| point.mean.at).collect::<Vec<_>>();
    assert_eq!(coarse(Grain::Quarter).len(), 2 * 3);
    assert_eq!(coarse(Grain::Quarter).into_iter().max(), Some(at(1800)));
    assert_eq!(
        (coarse(Grain::Minute).into_iter().min(), coarse(Grain::Minute).into_iter().max()),
        (Some(at(2700)), Some(at(5340)))
    );
    assert_eq!(coarse(Grain::Raw).into_iter().min(), Some(at(5404)), "the first multiple of 7 s after 01:30");

    assert_eq!(store.roll_up(at(5430), at(3000)).await.unwrap(), 0);
    assert_eq!(points(store, &ask(Grain::Raw, 0, 7200)).await, as_is);
    // All the rest, in one go.
    store.roll_up(at(90_000), at(90_000)).await.unwrap();
    assert_eq!(points(store, &ask(Grain::Raw, 0, 7200)).await, quarters);
}

fn minutes_from(minutes: &[Point], from: DateTime<Utc>) -> Vec<Point> {
    minutes.iter().filter(|point| point.mean.at >= from).cloned().collect()
}

pub async fn what_comes_late_is_added(store: &dyn Store) {
    store.measure(&[shown("depot", "node/HV", 3, 8.0), shown("depot", "node/HV", 4, 16.0)]).await.unwrap();
    store.roll_up(at(900), at(0)).await.unwrap();
    store.measure(&[shown("depot", "node/HV", 0, 36.0)]).await.unwrap();
    let expected = |grain| {
        let mut point =
            Point { mean: shown("depot", "node/HV", 0, 20.0), highest_a: [36.0, -8.0, 0.5], grain, count: 3 };
        point.mean.phases_a = [20.0, -20.0, 0.5];
        point
    };
    // A second and a minute that begin at the same time are one point, in every answer.
    assert_eq!(points(store, &ask(Grain::Raw, 0, 900)).await, [expected(Grain::Minute)]);
    store.roll_up(at(900), at(0)).await.unwrap();
    assert_eq!(points(store, &ask(Grain::Raw, 0, 900)).await, [expected(Grain::Minute)]);
    store.roll_up(at(900), at(900)).await.unwrap();
    assert_eq!(points(store, &ask(Grain::Raw, 0, 900)).await, [expected(Grain::Quarter)]);
}

pub async fn pages_of_every_grain_miss_and_repeat_nothing(store: &dyn Store) {
    let mut rows = Vec::new();
    for place in ["node/HV", "charger/B", "charger/A", "node/V1"] {
        rows.extend((0..3600).step_by(11).map(|second| shown("depot", place, second, second as f64)));
    }
    store.measure(&rows).await.unwrap();
    store.roll_up(at(2000), at(1000)).await.unwrap();
    for grain in [Grain::Raw, Grain::Minute, Grain::Quarter] {
        let all = points(store, &ask(grain, 0, 3600)).await;
        let order: Vec<_> = all.iter().map(|point| (point.mean.place.clone(), point.mean.at)).collect();
        assert!(order.is_sorted(), "by place and time");
        assert_eq!(all.iter().map(|point| point.count).sum::<u32>(), 4 * 328);
        for limit in [1, 3, 7, 1000] {
            let mut seen = Vec::new();
            let mut page_of = Measurements { limit, ..ask(grain, 0, 3600) };
            loop {
                let Page { items, more } = store.measured(&page_of).await.unwrap();
                assert!(items.len() == limit as usize || !more);
                page_of.after = items.last().map(|point| (point.mean.place.clone(), point.mean.at));
                seen.extend(items);
                if !more {
                    break;
                }
            }
            assert_eq!(seen, all, "{grain:?} in pages of {limit}");
        }
    }
}
