//! The demo's site and what is kept of it before it begins.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use kwartier_data::local::{self, next_day, previous_day};
use kwartier_data::site::{Site, file};

use super::past::{Past, SHARES};
use crate::access::{TOP_TENANT, audit, claim};
use crate::fetch::{Spot, SpotRow, at_site};
use crate::planning::foresee;
use crate::resource::charger::{KeptCharger, KeptOcpp};
use crate::resource::feed::Source;
use crate::resource::price::Price;
use crate::resource::session::KeptSession;
use crate::store::{Change, Expect, Fault, Grain, Key, Kind, List, Measured, Measurements, Store};

/// The id of the demo's site.
pub const SITE: &str = "demo";

/// How far back the building's meters are played.
const HISTORY: TimeDelta = TimeDelta::days(42);

const FILE: &[u8] = include_bytes!("../../../data/samples/depot-site.toml");

/// The site as it comes with the program.
pub fn site() -> Result<Site, String> {
    let parsed = file::parse(FILE).map_err(|findings| format!("{findings:?}"))?;
    // Nobody plays the vehicles that its templates are about.
    Ok(Site { name: "Demo depot".to_owned(), templates: Vec::new(), ..parsed.site })
}

/// Makes sure that the demo's site is kept, with its chargers and prices; what vehicles of an earlier run were there are
/// gone.
pub async fn prepare(store: &dyn Store, past: &Past, now: DateTime<Utc>) -> Result<(), String> {
    let fault = |fault: Fault| fault.to_string();
    let mut changes = Vec::new();
    let key = Key::new(Kind::Site, TOP_TENANT, SITE);
    let what = if let Some(document) = store.read(&key, None).await.map_err(fault)? {
        let kept: Site = serde_json::from_value(document.body.unwrap_or_default()).map_err(|why| why.to_string())?;
        // A demo of an older release had its prices by itself.
        let site = Site { price_area: kept.price_area.clone().or(site()?.price_area), ..kept.clone() };
        if site != kept {
            let expect = Expect::Version(document.version);
            changes.push(Change::Put { key: key.clone(), body: json(&site)?, expect });
        }
        site
    } else {
        let site = site()?;
        changes.extend(begin(&key, &site)?);
        site
    };
    // Its stations are new ones each time, and know nothing of what those before them were doing.
    for document in store.all(List::of(Kind::Station, SITE)).await.map_err(fault)? {
        changes.push(Change::Delete { key: document.key, expect: Expect::Any });
    }
    for document in store.all(List::of(Kind::Session, SITE)).await.map_err(fault)? {
        let kept = document.body.and_then(|body| serde_json::from_value::<KeptSession>(body).ok());
        let Some(kept) = kept.filter(|kept| kept.ended.is_none()) else { continue };
        let body = json(&KeptSession { ended: Some(now), ..kept })?;
        changes.push(Change::Put { key: document.key, body, expect: Expect::Any });
    }
    for (day, prices) in until_tonight(&what, past, now)? {
        changes.extend(put_prices(store, day, prices).await?);
    }
    store.write(now, changes).await.map_err(fault)?;
    measured(store, &what, past, now).await.map_err(fault)
}

/// What the building's meters would have shown in the weeks before, where nothing is kept of it: plans are made on a
/// forecast, and a forecast needs a past.
async fn measured(store: &dyn Store, site: &Site, past: &Past, now: DateTime<Utc>) -> Result<(), Fault> {
    let Some(root) = site.boards.iter().find(|board| board.parent.is_none()) else { return Ok(()) };
    let place = foresee::place(&root.id);
    let quarter = TimeDelta::minutes(15);
    let whole = now - TimeDelta::seconds(now.timestamp().rem_euclid(quarter.num_seconds()));
    let whole = whole - TimeDelta::nanoseconds(i64::from(whole.timestamp_subsec_nanos()));
    let ask = Measurements {
        site: SITE.to_owned(),
        place: Some(place.clone()),
        from: whole - HISTORY,
        until: whole,
        grain: Grain::Quarter,
        after: None,
        limit: 10_000,
    };
    let known: HashSet<DateTime<Utc>> = store.measured(&ask).await?.items.iter().map(|point| point.mean.at).collect();
    let peak_kw: f64 = site.pv.iter().map(|plant| plant.peak_kw).sum();
    let quarters = (0..HISTORY.num_minutes() / quarter.num_minutes()).filter_map(|k| i32::try_from(k).ok());
    let missing = quarters.map(|k| whole - HISTORY + quarter * k).filter(|at| !known.contains(at));
    let row = |at: DateTime<Utc>| {
        let kw = past.building_kw(at) - past.pv_kw(at) * peak_kw;
        let amps = kw * 1000.0 / site.voltage_v;
        Measured {
            site: SITE.to_owned(),
            place: place.clone(),
            at,
            phases_a: SHARES.map(|share| share * amps),
            power_kw: Some(kw),
            energy_kwh: None,
        }
    };
    let rows: Vec<Measured> = missing.map(row).collect();
    store.measure(&rows).await
}

/// The site with its name and chargers, for the first time.
fn begin(key: &Key, site: &Site) -> Result<Vec<Change>, String> {
    let at = audit::At { tenant: TOP_TENANT, site: Some(SITE) };
    let mut changes = vec![
        Change::Put { key: key.clone(), body: json(site)?, expect: Expect::Absent },
        audit::by_system(at, key, audit::Did::Put(None)),
    ];
    if let Ok(Change::Put { key, body, .. }) = claim(SITE, TOP_TENANT) {
        // One that is left from a demo that was deleted is ours too.
        changes.push(Change::Put { key, body, expect: Expect::Any });
    }
    for station in &site.stations {
        // They connect themselves; they get their password once there is one.
        let charger = KeptCharger { ocpp: Some(KeptOcpp { password: None, security_profile: 1, quirks: None }) };
        let key = Key::new(Kind::Charger, SITE, &station.id);
        changes.push(Change::Put { key, body: json(&charger)?, expect: Expect::Any });
    }
    Ok(changes)
}

/// The prices of yesterday and today, by UTC day: what feeds do not tell any more, and what the first plan is made on.
fn until_tonight(site: &Site, past: &Past, now: DateTime<Utc>) -> Result<BTreeMap<NaiveDate, Vec<Price>>, String> {
    let zone = local::zone(&site.time_zone)?;
    let today = local::day(zone, now);
    let (from, end) = (local::day_start(zone, previous_day(today)), local::day_start(zone, next_day(today)));
    let hours = (0..(end - from).num_hours()).map(|hour| from + TimeDelta::hours(hour));
    let row = |start| SpotRow { start, minutes: 60, eur_kwh: past.price_eur_kwh(start), doubt: None };
    let spot = Spot { source: Source::EnergyCharts, rows: hours.map(row).collect() };
    let mut days: BTreeMap<NaiveDate, Vec<Price>> = BTreeMap::new();
    for price in at_site(site, &spot, 0.0)? {
        days.entry(price.start.date_naive()).or_default().push(price);
    }
    Ok(days)
}

/// Prices of a UTC day, beside those that are kept of it.
async fn put_prices(store: &dyn Store, day: NaiveDate, prices: Vec<Price>) -> Result<Option<Change>, String> {
    let key = Key::new(Kind::Prices, SITE, day.to_string());
    let was = store.read(&key, None).await.map_err(|fault| fault.to_string())?;
    let kept = was.and_then(|was| serde_json::from_value::<Vec<Price>>(was.body?).ok()).unwrap_or_default();
    let unknown = |price: &Price| kept.iter().all(|known| known.start != price.start);
    let mut all: Vec<Price> = prices.into_iter().filter(unknown).collect();
    if all.is_empty() {
        return Ok(None);
    }
    all.extend(kept);
    all.sort_by_key(|price| price.start);
    Ok(Some(Change::Put { key, body: json(&all)?, expect: Expect::Any }))
}

/// A value as it is kept.
pub fn json(value: &impl serde::Serialize) -> Result<serde_json::Value, String> {
    serde_json::to_value(value).map_err(|fault| fault.to_string())
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn prices_until_tonight_are_whole_and_hold_taxes() {
        let (site, past) = (site().unwrap(), Past::read().unwrap());
        let now: DateTime<Utc> = "2026-01-14T11:59:00Z".parse().unwrap();
        let known: Vec<Price> = until_tonight(&site, &past, now).unwrap().into_values().flatten().collect();
        assert_eq!(known.len(), 48);
        assert!(known.windows(2).all(|pair| pair[0].start + TimeDelta::hours(1) == pair[1].start));
        let spot = past.price_eur_kwh(known[0].start);
        assert!(known[0].import_eur_kwh > spot + 0.05);
    }
}
