//! Among plans that cost the same (within what the gap leaves), the calmer one: fewer starts, then earlier.

use super::Search;
use crate::model::unit::{Is, Store};
use crate::round::{choose, choose_if, order};
use crate::schedule::Site;

/// How much of what the gap leaves may be spent on calm.
const SPEND: f64 = 0.5;
/// What makes a slot later in the window dearer, per unit of quantity, in EUR: below any price that matters.
const LATER_EUR: f64 = 1e-9;

/// With how many others each unit is rearranged, those that leave next.
const PARTNERS: usize = 8;
/// Passes over all pairs, at most.
const PASSES: usize = 4;
/// Pairs that are tried in all: on a large site this takes a few tenths of a second.
const PAIRS: usize = 3000;

/// Rearranges the best plan: unit by unit, then in pairs, since on a full site the room that one needs to be calm is
/// another's.
pub fn tidy(search: &mut Search<'_>) {
    let Some(best) = &search.best else { return };
    search.progress("tidying");
    let model = search.model;
    let left_eur = (search.settings.gap - search.gap()) * search.flexible_eur();
    let before_eur = best.objective_eur;
    let mut site = Site::of(model, best.schedule.clone(), 0.0);
    site.peak_kw = site.highest_kw();
    let mut units: Vec<usize> = order(model)
        .into_iter()
        .filter(|&unit| {
            let of = &model.units[unit];
            matches!((of.is, &of.store), (Is::Session(_) | Is::Load(_), Store::Sum(_)))
        })
        .collect();
    let mut budget = Budget { left_eur: SPEND * left_eur.max(0.0), share_eur: 0.0 };
    budget.share_eur = budget.left_eur / model.units.len().max(1) as f64 * 4.0;
    for &unit in &units {
        if !search.go_on() {
            return;
        }
        let before = calm(&site.schedule.up[unit]);
        let tilt = later(&site, unit);
        choose_if(&mut site, unit, &tilt, |site, more_eur| {
            calm(&site.schedule.up[unit]) < before && budget.spend(more_eur)
        });
    }
    units.sort_by_key(|&unit| model.units[unit].to());
    if !in_pairs(search, &mut site, &units, &mut budget) {
        return;
    }
    // The tidied plan replaces the best one although it may cost a little more, within the gap.
    let schedule = site.schedule;
    let kept = search.best.take();
    let method = search.method;
    let offered = search.offer(schedule, method);
    let within = search.best.as_ref().is_some_and(|best| {
        best.objective_eur <= before_eur + 1e-9 || search.gap_of(best.objective_eur) <= search.settings.gap
    });
    if !offered || !within {
        search.best = kept;
        search.method = method;
    }
}

/// What calm may cost.
struct Budget {
    left_eur: f64,
    /// At most so much at once.
    share_eur: f64,
}

impl Budget {
    /// Whether so much is there; if so, it is spent.
    fn spend(&mut self, more_eur: f64) -> bool {
        let there = more_eur <= self.share_eur.min(self.left_eur);
        if there {
            self.left_eur -= more_eur.max(0.0);
        }
        there
    }
}

/// What makes later slots of a unit's window dearer.
fn later(site: &Site<'_>, unit: usize) -> Vec<f64> {
    (0..site.model.units[unit].len()).map(|k| LATER_EUR * k as f64).collect()
}

/// Rearranges pairs of units, in the order in which they leave, until nothing more comes of it; whether there was time.
fn in_pairs(search: &Search<'_>, site: &mut Site<'_>, units: &[usize], budget: &mut Budget) -> bool {
    let mut tries = 0;
    for _ in 0..PASSES {
        let mut improved = false;
        for (i, &first) in units.iter().enumerate() {
            if !search.go_on() {
                return false;
            }
            for &second in units.iter().skip(i + 1).take(PARTNERS) {
                if starts(site, first) + starts(site, second) <= 2 || !overlap(site, first, second) {
                    continue;
                }
                tries += 1;
                improved |= pair(site, first, second, budget) || pair(site, second, first, budget);
            }
            if tries >= PAIRS {
                return true;
            }
        }
        if !improved {
            break;
        }
    }
    true
}

/// Whether two units' windows have a slot in common.
fn overlap(site: &Site<'_>, a: usize, b: usize) -> bool {
    let (a, b) = (&site.model.units[a], &site.model.units[b]);
    a.from < b.to() && b.from < a.to()
}

fn starts(site: &Site<'_>, unit: usize) -> usize {
    calm(&site.schedule.up[unit]).0
}

/// Chooses two units anew, the first in all the room of both; takes it back unless they then start less often. Whether it
/// was kept.
fn pair(site: &mut Site<'_>, first: usize, second: usize, budget: &mut Budget) -> bool {
    let before = starts(site, first) + starts(site, second);
    let before_eur = site.units_eur(&[first, second]);
    let kept = [first, second].map(|unit| site.schedule.up[unit].clone());
    site.take_out(second);
    site.put(second, vec![0.0; kept[1].len()], Vec::new());
    let fit = [first, second].map(|unit| {
        let tilt = later(site, unit);
        choose(site, unit, &tilt)
    });
    if fit == [true; 2]
        && starts(site, first) + starts(site, second) < before
        && budget.spend(site.units_eur(&[first, second]) - before_eur)
    {
        return true;
    }
    for (unit, up) in [first, second].into_iter().zip(kept) {
        site.take_out(unit);
        site.put(unit, up, Vec::new());
    }
    false
}

/// How restless a series is: starts, then the mean slot in which it runs.
fn calm(series: &[f64]) -> (usize, u64) {
    let mut starts = 0;
    let mut slots = 0;
    let mut running = false;
    for (k, &x) in series.iter().enumerate() {
        if x > 0.0 {
            starts += usize::from(!running);
            slots += k as u64;
        }
        running = x > 0.0;
    }
    (starts, slots)
}
