//! The plan in force: moved to the new horizon, mended where the world has changed, and with its own prices perhaps
//! already proven good enough. Then it is handed out as it is, and what runs keeps running.

// Slots number at most a few thousand.
#![allow(clippy::cast_possible_wrap)]

use std::collections::{HashMap, HashSet};

use chrono::DateTime;
use kwartier_data::plan::{Plan, SessionPlan};

use super::{Search, decomposition, neighbourhood, prices};
use crate::bound::bound_eur;
use crate::model::unit::{Is, Unit};
use crate::round::{choose, is_whole, order};
use crate::schedule::{Schedule, Site, shortfall_kwh};
use crate::solver::interior::Relaxation;

/// A mended plan within this gap is worth working on; further off, a new one is made from scratch.
const NEAR: f64 = 0.1;
/// Neighbourhoods tried in vain before a new plan is made from scratch.
const TRIES: usize = 2;
/// A shortfall that is worth choosing a unit anew, in kWh.
const SHORT_KWH: f64 = 1e-3;

/// Offers the previous plan, mended; takes its prices for a bound.
pub fn mend(search: &mut Search<'_>, previous: &Plan) {
    search.progress("mending the previous plan");
    let Some(shift) = shift(search, previous) else {
        search.remarks.push("the previous plan's slots do not line up with the instance's; it was not used".to_owned());
        return;
    };
    let model = search.model;
    if let Some(stated) = &previous.prices {
        let rows = prices::rows(search.instance, model, stated, shift);
        let free = Relaxation::of(model, 1.0, 1.0);
        search.raise_priced_bound(bound_eur(model, &free.frames, &free.ways, &rows), rows);
    }
    let aligned = aligned(search, previous, shift);
    let schedule = Schedule::of_plan(search.instance, model, &aligned);
    let known: HashSet<&str> = previous.sessions.iter().map(|s| s.id.as_str()).collect();
    let mut site = Site::of(model, schedule, 0.0);
    site.peak_kw = site.highest_kw();
    search.offer(site.schedule.clone(), "previous");
    if search.done() {
        // Good enough as it is: nothing moves.
        return;
    }
    // First those that no longer hold by themselves or are new, then, should limits still be broken, whoever is in the way.
    let order = order(model);
    for &unit in &order {
        if !search.go_on() {
            return;
        }
        if needs_choosing(search, &site, unit, &model.units[unit], &known) {
            choose(&mut site, unit, &[]);
        }
    }
    search.offer(site.schedule.clone(), "previous");
    for &unit in &order {
        if !search.go_on() {
            return;
        }
        if !site.fits(unit) {
            choose(&mut site, unit, &[]);
        }
    }
    search.offer(site.schedule, "previous");
    search.progress("mending the previous plan");
    if !search.done() && search.gap() < NEAR {
        // Those who are new or in the way are planned together with a few others; the rest keep their pattern.
        let relaxation = decomposition::to_dive_into(search);
        neighbourhood::search(search, &relaxation, TRIES);
    }
}

fn needs_choosing(search: &Search<'_>, site: &Site<'_>, unit: usize, of: &Unit, known: &HashSet<&str>) -> bool {
    let (up, down) = (&site.schedule.up[unit], &site.schedule.down[unit]);
    let is_new = matches!(of.is, Is::Session(s) if !known.contains(search.instance.sessions[s].id.as_str()));
    is_new || !is_whole(of, up, down) || shortfall_kwh(of, up, down) > SHORT_KWH
}

/// How many slots later this instance begins than the plan did; `None` where slots do not line up.
fn shift(search: &Search<'_>, previous: &Plan) -> Option<i64> {
    let Some(made) = &previous.made else { return Some(0) };
    let start = DateTime::parse_from_rfc3339(&made.start).ok()?;
    let seconds = (search.instance.start - start.to_utc()).num_seconds();
    let slot = i64::from(search.instance.slot_minutes) * 60;
    (made.slot_minutes == search.instance.slot_minutes && seconds % slot == 0).then(|| seconds / slot)
}

/// The previous plan in the words of this instance: same order, same slots, what is unknown idle.
fn aligned(search: &Search<'_>, previous: &Plan, shift: i64) -> Plan {
    let instance = search.instance;
    let moved = |series: Option<&Vec<f64>>, otherwise: &[f64]| -> Vec<f64> {
        (0..instance.slots)
            .map(|t| {
                let old = usize::try_from(t as i64 + shift).ok();
                let value = old.zip(series).and_then(|(old, series)| series.get(old).copied());
                value.filter(|v| v.is_finite() && *v >= 0.0).unwrap_or_else(|| otherwise.get(t).copied().unwrap_or(0.0))
            })
            .collect()
    };
    let sessions: HashMap<&str, &SessionPlan> = previous.sessions.iter().map(|s| (s.id.as_str(), s)).collect();
    let mut plan = Schedule::idle(search.model).plan(instance, search.model);
    for session in &mut plan.sessions {
        let old = sessions.get(session.id.as_str());
        session.charge_a = moved(old.map(|o| &o.charge_a), &[]);
        session.discharge_a = moved(old.map(|o| &o.discharge_a), &[]);
    }
    for battery in &mut plan.batteries {
        let old = previous.batteries.iter().find(|o| o.id == battery.id);
        battery.charge_kw = moved(old.map(|o| &o.charge_kw), &[]);
        battery.discharge_kw = moved(old.map(|o| &o.discharge_kw), &[]);
    }
    for plant in &mut plan.pv {
        let old = previous.pv.iter().find(|o| o.id == plant.id);
        let all = plant.used_kw.clone();
        plant.used_kw = moved(old.map(|o| &o.used_kw), &all);
    }
    for load in &mut plan.loads {
        let old = previous.loads.iter().find(|o| o.id == load.id);
        load.kw = moved(old.map(|o| &o.kw), &[]);
    }
    plan
}
