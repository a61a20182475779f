//! What a building is expected to draw, from what its meters have shown.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::compose::{Horizon, quarter_of};
use kwartier_data::forecast::Belief;
use kwartier_data::history::Weather;
use kwartier_data::local;
use kwartier_data::series::{Building, Series};
use kwartier_forecast::{load, naive};
use parking_lot::Mutex;

use super::compose::{Outlook, horizon};
use super::request::Request;
use super::told::Told;
use crate::aside::aside;
use crate::fetch::{Used, sun, weather};
use crate::simulate::foresee::{Morning, Subject};
use crate::simulate::planner::quarters;
use crate::store::{Fault, Grain, Measurements, Point, Store};

/// So far back the past is looked at.
const PAST: TimeDelta = TimeDelta::days(42);

/// Fuses are planned against this quantile of the building.
const RISK: f64 = 0.9;

/// A forecast is used for so long before it is made anew.
const LASTS: TimeDelta = TimeDelta::hours(3);

/// Quarter-hours of a forecast beyond a plan's own, so that it lasts.
const BEYOND: usize = 16;

/// The place under which the loop keeps what the building draws at a board and below.
pub fn place(board: &str) -> String {
    format!("building/{board}")
}

/// A forecast of the building behind one board.
#[derive(Debug)]
struct Foreseen {
    /// For which state of the site.
    number: u64,
    made: DateTime<Utc>,
    start: DateTime<Utc>,
    /// Of the sum of the phases in A; `None`, nothing can be said.
    beliefs: Option<Vec<Belief>>,
    /// How it is spread over the phases.
    shares: [f64; 3],
}

/// Forecasts of all sites, each for as long as it lasts.
#[derive(Debug, Default)]
pub struct Foresight {
    by_site: Mutex<HashMap<String, Arc<Foreseen>>>,
    used: Used,
}

impl Foresight {
    /// What is expected at a site: what somebody has put, and for the rest what we forecast ourselves.
    pub async fn outlook(&self, store: &dyn Store, request: &Request) -> Outlook {
        let horizon = horizon(request);
        let mut basis = Vec::new();
        let told = Told::read(store, &request.site).await.unwrap_or_else(|fault| {
            tracing::warn!(site = request.site, %fault, "forecasts that were put cannot be read");
            basis.push("the forecasts that were put cannot be read".to_owned());
            Told::default()
        });
        let told = told_sun(store, request, told).await;
        let own = self.own(store, request, &horizon).await;
        let used_kwh = self.used.kwh(store, &request.site, &request.what, request.at).await;
        let building = building(request, &horizon, &told, &own, &mut basis);
        Outlook { building, prices: told.prices(), used_kwh, basis }
    }

    /// Our own forecast: the one that there is, as long as it lasts.
    async fn own(&self, store: &dyn Store, request: &Request, horizon: &Horizon) -> Arc<Foreseen> {
        let known = self.by_site.lock().get(&request.site).cloned();
        let lasts = |known: &Arc<Foreseen>| {
            known.number == request.number && request.at - known.made < LASTS && horizon.start >= known.start
        };
        if let Some(known) = known.filter(lasts) {
            return known;
        }
        let made = Arc::new(self.make(store, request, horizon).await);
        self.by_site.lock().insert(request.site.clone(), Arc::clone(&made));
        made
    }

    /// A site is gone.
    pub fn forget(&self, site: &str) {
        self.by_site.lock().remove(site);
    }

    async fn make(&self, store: &dyn Store, request: &Request, horizon: &Horizon) -> Foreseen {
        let nothing = Foreseen {
            number: request.number,
            made: request.at,
            start: horizon.start,
            beliefs: None,
            shares: [1.0 / 3.0; 3],
        };
        let Some(root) = request.setup.root() else { return nothing };
        let points = match past(store, request, &place(&request.setup.nodes[root].id)).await {
            Ok(points) => points,
            Err(fault) => {
                tracing::warn!(site = request.site, %fault, "the building's past cannot be read");
                return nothing;
            }
        };
        let (Some(first), Ok(zone)) = (points.first(), local::zone(&request.what.time_zone)) else { return nothing };
        let weather = weather::known(store, &request.site, &request.what, request.at).await.unwrap_or_else(|fault| {
            tracing::warn!(site = request.site, %fault, "the weather cannot be read");
            Weather::default()
        });
        let (series, shares) = series(&points, first.mean.at, horizon.start);
        let (at, start, count) = (request.at, horizon.start, horizon.slots + BEYOND);
        // Fitting takes a good part of a second.
        let foreseen = aside(move || {
            let methods = vec![load::method(), naive::last_week(), naive::last_day()];
            Subject::new(series, zone, methods).with_weather(weather).beliefs(
                at,
                Morning { day: local::day(zone, at), known_to: at },
                start,
                count,
            )
        });
        let beliefs = foreseen.await.unwrap_or_default();
        Foreseen { beliefs: complete(beliefs), shares, ..nothing }
    }
}

impl Foreseen {
    /// What is believed of a slot, in A over all phases.
    fn at(&self, horizon: &Horizon, slot: usize) -> Option<Belief> {
        let skipped = (horizon.start - self.start).num_minutes() / i64::from(horizon.slot_minutes);
        self.beliefs.as_ref()?.get(usize::try_from(skipped).ok()? + slot).copied()
    }
}

/// What was told, with the sun that feeds forecast where the building was told and its sun was not.
async fn told_sun(store: &dyn Store, request: &Request, mut told: Told) -> Told {
    if told.building.is_some() && told.pv.is_none() && !request.what.pv.is_empty() {
        told.pv = sun::latest(store, &request.site, &request.what).await.unwrap_or_else(|fault| {
            tracing::warn!(site = request.site, %fault, "forecasts of plants cannot be read");
            None
        });
    }
    told
}

/// What the building is expected to draw in each slot; `None`, nothing is known of it at all.
fn building(
    request: &Request,
    horizon: &Horizon,
    told: &Told,
    own: &Foreseen,
    basis: &mut Vec<String>,
) -> Option<Building> {
    let kw_per_a = request.setup.voltage_v * request.what.building_power_factor / 1000.0;
    let said = |slot: usize| told.net_kw(horizon.at(slot)).map(|kw| kw.map(|kw| kw / kw_per_a));
    let known = |slot: usize| said(slot).or_else(|| own.at(horizon, slot));
    let missing = (0..horizon.slots).filter(|slot| known(*slot).is_none()).count();
    // The slots of which nothing is known get the worst of the others.
    let worst = (0..horizon.slots).filter_map(known).max_by(|a, b| a.quantile(RISK).total_cmp(&b.quantile(RISK)))?;
    if missing > 0 {
        let hours = missing as f64 * f64::from(horizon.slot_minutes) / 60.0;
        basis.push(format!("{hours:.1} hours without a forecast of the building are planned with its worst hour"));
    }
    if told.building.is_none() && told.pv.is_some() {
        basis.push(
            "the forecast of PV is not used: put one of the building too, because meters show the two as one"
                .to_owned(),
        );
    }
    let beliefs: Vec<Belief> = (0..horizon.slots).map(|slot| known(slot).unwrap_or(worst)).collect();
    let phase = |share: f64| {
        let high = beliefs.iter().map(|belief| share * belief.quantile(RISK).max(belief.mean));
        quarters(horizon.start, high.collect())
    };
    let kw = quarters(horizon.start, beliefs.iter().map(|belief| belief.mean * kw_per_a).collect());
    Some(Building::Whole { phases_a: own.shares.map(phase), kw })
}

async fn past(store: &dyn Store, request: &Request, place: &str) -> Result<Vec<Point>, Fault> {
    let mut points: Vec<Point> = Vec::new();
    loop {
        let ask = Measurements {
            site: request.site.clone(),
            place: Some(place.to_owned()),
            from: request.at - PAST,
            until: request.at,
            grain: Grain::Quarter,
            after: points.last().map(|last| (place.to_owned(), last.mean.at)),
            limit: 10_000,
        };
        let page = store.measured(&ask).await?;
        let ends = !page.more || page.items.is_empty();
        points.extend(page.items);
        if ends {
            return Ok(points);
        }
    }
}

/// The sum of the phases by quarter-hours up to an instant, and each phase's share of it.
fn series(points: &[Point], first: DateTime<Utc>, until: DateTime<Utc>) -> (Series, [f64; 3]) {
    let quarter_s = Grain::Quarter.seconds();
    let start = quarter_of(first);
    let count = usize::try_from((until - start).num_seconds() / quarter_s).unwrap_or(0);
    let mut values = vec![None; count];
    let mut sums = [0.0; 3];
    for point in points {
        let index = usize::try_from((point.mean.at - start).num_seconds().div_euclid(quarter_s));
        let Some(value) = index.ok().and_then(|index| values.get_mut(index)) else { continue };
        *value = Some(point.mean.phases_a.iter().sum());
        (0..3).for_each(|phase| sums[phase] += point.mean.phases_a[phase].max(0.0));
    }
    let all: f64 = sums.iter().sum();
    let shares = if all > 0.0 { sums.map(|sum| sum / all) } else { [1.0 / 3.0; 3] };
    (Series { start, step: TimeDelta::seconds(quarter_s), values }, shares)
}

/// Beliefs without gaps: the last before one stands for it; `None` where there is none at all.
fn complete(beliefs: Vec<Option<Belief>>) -> Option<Vec<Belief>> {
    let mut last = beliefs.iter().flatten().next().copied()?;
    let filled = beliefs.into_iter().map(|belief| {
        last = belief.unwrap_or(last);
        last
    });
    Some(filled.collect())
}
