//! Among plans that cost the same (within what the gap leaves), the calmer one: fewer starts, then earlier.

use super::Search;
use crate::model::unit::{Is, Store};
use crate::round::{choose_if, order};
use crate::schedule::Site;

/// How much of what the gap leaves may be spent on calm.
const SPEND: f64 = 0.5;
/// What makes a slot later in the window dearer, per unit of quantity, in EUR: below any price that matters.
const LATER_EUR: f64 = 1e-9;

/// Rearranges the best plan unit by unit.
pub fn tidy(search: &mut Search<'_>) {
    let Some(best) = &search.best else { return };
    search.progress("tidying");
    let model = search.model;
    let left_eur = (search.settings.gap - search.gap()) * search.flexible_eur();
    let mut budget_eur = SPEND * left_eur.max(0.0);
    let before_eur = best.objective_eur;
    let mut site = Site::of(model, best.schedule.clone(), 0.0);
    site.peak_kw = site.highest_kw();
    let share_eur = budget_eur / model.units.len().max(1) as f64 * 4.0;
    for unit in order(model) {
        if !search.go_on() {
            return;
        }
        let of = &model.units[unit];
        if !matches!((of.is, &of.store), (Is::Session(_) | Is::Load(_), Store::Sum(_))) {
            continue;
        }
        let tilt: Vec<f64> = (0..of.len()).map(|k| LATER_EUR * k as f64).collect();
        let before = calm(&site.schedule.up[unit]);
        choose_if(&mut site, unit, &tilt, |site, more_eur| {
            let worth_it = calm(&site.schedule.up[unit]) < before && more_eur <= share_eur.min(budget_eur);
            if worth_it {
                budget_eur -= more_eur.max(0.0);
            }
            worth_it
        });
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
