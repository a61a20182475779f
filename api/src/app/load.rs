//! What was kept, when the service starts: everything that the loop has to know of every site.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, Utc};
use kwartier_data::local;
use kwartier_data::site::Site;
use serde::de::DeserializeOwned;

use super::effect::Held;
use super::sites::Kept;
use crate::resource::charger::{KeptCharger, over_api};
use crate::resource::price::Price;
use crate::resource::session::KeptSession;
use crate::resource::signal::Signal;
use crate::store::{Document, Fault, Grain, Key, Kind, List, Measurements, Store};

/// Prices are read from so many days back on.
const PRICE_DAYS: u64 = 8;

/// What is usual is learnt from so far back on.
const HABITS: TimeDelta = TimeDelta::days(60);

/// Everything of every site. What cannot be read is told and left out: one bad document keeps no site from being steered.
pub async fn load(store: &dyn Store, now: DateTime<Utc>) -> Result<Vec<Kept>, Fault> {
    let mut chargers = by_site::<KeptCharger>(store, Kind::Charger).await?;
    let mut held = by_site::<Held>(store, Kind::Held).await?;
    let mut sessions = by_site::<KeptSession>(store, Kind::Session).await?;
    let mut signals = by_site::<Signal>(store, Kind::Signal).await?;
    let mut sites = Vec::new();
    for document in store.all(List::all(Kind::Site)).await? {
        let (tenant, site) = (document.key.owner.clone(), document.key.id.clone());
        let Some(what) = read::<Site>(&document) else { continue };
        let chargers = chargers.remove(&site).unwrap_or_default();
        let over_api = over_api(&what, chargers.iter().map(|(id, kept)| (id.as_str(), kept)));
        let mut sessions = sessions.remove(&site).unwrap_or_default();
        let ended = sessions.extract_if(.., |(_, kept)| kept.ended.is_some()).map(|(_, kept)| kept);
        let ended: Vec<KeptSession> = ended.filter(|kept| kept.ended.is_some_and(|at| at > now - HABITS)).collect();
        let mut signals = signals.remove(&site).unwrap_or_default();
        signals.retain(|(_, signal)| signal.until.is_none_or(|until| until > now));
        sites.push(Kept {
            tenant,
            over_api,
            held: held.remove(&site).unwrap_or_default(),
            sessions,
            ended,
            prices: prices(store, &site, now).await?,
            signals,
            plan: last_plan(store, &site, now).await?,
            peak_kw: peak_kw(store, &site, &what, now).await?,
            what: Arc::new(what),
            site,
        });
    }
    Ok(sites)
}

/// Prices from some days back on, in the order of their beginnings.
async fn prices(store: &dyn Store, site: &str, now: DateTime<Utc>) -> Result<Vec<Price>, Fault> {
    let oldest: NaiveDate = now.date_naive().checked_sub_days(Days::new(PRICE_DAYS)).unwrap_or(now.date_naive());
    let ask = List { after: Some((site.to_owned(), oldest.to_string())), ..List::of(Kind::Prices, site) };
    let days = store.all(ask).await?;
    Ok(days.iter().filter_map(read::<Vec<Price>>).flatten().collect())
}

async fn last_plan(store: &dyn Store, site: &str, now: DateTime<Utc>) -> Result<Option<crate::store::KeptPlan>, Fault> {
    match store.plans(site, now, 1).await?.first() {
        Some(head) => store.plan(head.id).await,
        None => Ok(None),
    }
}

/// The highest quarter-hour of this month in kW, by what the grid connection's meter has shown.
async fn peak_kw(store: &dyn Store, site: &str, what: &Site, now: DateTime<Utc>) -> Result<f64, Fault> {
    let root = what.boards.iter().find(|board| board.parent.is_none());
    let (Some(root), Ok(zone)) = (root, local::zone(&what.time_zone)) else { return Ok(0.0) };
    let today = local::day(zone, now);
    let from = local::day_start(zone, today.with_day(1).unwrap_or(today));
    let ask = Measurements {
        site: site.to_owned(),
        place: Some(format!("node/{}", root.id)),
        from,
        until: now,
        grain: Grain::Quarter,
        after: None,
        limit: 4000,
    };
    let quarters = store.measured(&ask).await?.items;
    let kw = |amps: [f64; 3]| amps.iter().sum::<f64>() * what.voltage_v / 1000.0;
    Ok(quarters.iter().map(|point| point.mean.power_kw.unwrap_or_else(|| kw(point.mean.phases_a))).fold(0.0, f64::max))
}

/// All documents of a kind, by site.
async fn by_site<T: DeserializeOwned>(
    store: &dyn Store,
    kind: Kind,
) -> Result<HashMap<String, Vec<(String, T)>>, Fault> {
    let mut found: HashMap<String, Vec<(String, T)>> = HashMap::new();
    for document in store.all(List::all(kind)).await? {
        if let Some(value) = read(&document) {
            let Key { owner, id, .. } = document.key;
            found.entry(owner).or_default().push((id, value));
        }
    }
    Ok(found)
}

fn read<T: DeserializeOwned>(document: &Document) -> Option<T> {
    let read = serde_json::from_value(document.body.clone()?);
    read.inspect_err(
        |fault| tracing::error!(document = %document.key, %fault, "what is kept cannot be read and is left out"),
    )
    .ok()
}
