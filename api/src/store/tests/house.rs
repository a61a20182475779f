//! Keeping house.

use chrono::TimeDelta;
use serde_json::json;

use super::{at, put};
use crate::store::{
    Change, Grain, Key, Kind, LogPage, Measured, Measurements, NewEntry, Policy, Store, Stream, keep_house,
};

const DAY: i64 = 86_400;

pub async fn what_is_old_is_made_coarser_or_dropped(store: &dyn Store) {
    let meter = |second| Measured {
        site: "depot".to_owned(),
        place: "node/HV".to_owned(),
        at: at(second),
        phases_a: [1.0; 3],
        power_kw: None,
        energy_kwh: None,
    };
    let entry = |stream| Change::Log(NewEntry { stream, tenant: "tenant".to_owned(), site: None, body: json!({}) });
    let held = || put(Key::new(Kind::Held, "depot", "Station 1"), json!({}));
    let station = || put(Key::new(Kind::Station, "depot", "Station 1"), json!({}));
    let weather = || put(Key::new(Kind::Forecast, "52.09/5.12", "weather"), json!({}));
    for day in 0..60 {
        store.measure(&[meter(day * DAY), meter(day * DAY + 1)]).await.unwrap();
        let entries = vec![entry(Stream::Audit), entry(Stream::Setpoint), held(), station(), weather()];
        store.write(at(day * DAY), entries).await.unwrap();
    }
    let policy = Policy {
        seconds: TimeDelta::days(2),
        minutes: TimeDelta::days(10),
        forecasts: TimeDelta::days(50),
        ..Policy::default()
    };
    let now = at(60 * DAY);
    let kept = keep_house(store, now, &policy).await.unwrap();
    // Days 0 to 57 become minutes, of those 0 to 49 quarter-hours. Of 60 setpoints the 35 of days 25 to 59 stay; of what
    // the charger held, also the version of day 24, which was in force until day 25. Of what it said of itself, the last. Of the weather the
    // forecasts of days 0 to 8, which others had replaced before day 10.
    assert_eq!((kept.rolled_up, kept.dropped), (58 * 2 + 50, 25 + 24 + 59 + 9));
    let ask = Measurements {
        site: "depot".to_owned(),
        place: None,
        from: at(0),
        until: now,
        grain: Grain::Raw,
        after: None,
        limit: 1000,
    };
    let points = store.measured(&ask).await.unwrap().items;
    let of = |grain| points.iter().filter(|point| point.grain == grain).count();
    assert_eq!((of(Grain::Quarter), of(Grain::Minute), of(Grain::Raw)), (50, 8, 4));
    assert_eq!(points.iter().map(|point| point.count).sum::<u32>(), 120);
    let left = async |stream| {
        let ask = LogPage { stream, tenants: None, site: None, after: 0, limit: 1000 };
        store.log(&ask).await.unwrap().len()
    };
    assert_eq!((left(Stream::Audit).await, left(Stream::Setpoint).await), (60, 35));
    assert_eq!(keep_house(store, now, &policy).await.unwrap(), crate::store::house::Kept::default());
}
