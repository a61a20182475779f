//! What the boosted trees see of a visit: the clock, what its party did before, what its station and the site saw last, what
//! was stated, and what the most alike past visits say.

use chrono::{DateTime, Utc};

use super::memory::{Case, Memory, Target};
use super::spread::Spread;
use super::visit::hours;
use crate::boost::single;

/// Visits of a party that are looked back on: a quarter of a year of working days; who changes is followed within weeks.
const OWN: usize = 60;

/// Visits at a station, and at the site, that are looked back on.
const LATELY: usize = 30;

/// Width in time of day of the party's mean at this hour, in hours.
const SAME_HOUR_H: f64 = 1.5;

/// Each visit weighs this much of the next in the party's running mean: half after four.
const FADING: f64 = 0.84;

/// How many features there are.
pub(super) const FEATURES: usize = 36;

/// The features of a visit from what had ended by `at`, `NaN` where there is nothing to say. `like` are the distributions of
/// stay and energy by [`super::likeness`], that of the target first.
pub(super) fn features(memory: &Memory, case: &Case, at: DateTime<Utc>, like: [&Spread; 2]) -> Vec<f32> {
    let own = memory.own(&case.visit, at, OWN);
    let mut row: Vec<f64> = Vec::with_capacity(FEATURES);
    row.extend([case.wall.hour, f64::from(case.wall.weekday), f64::from(case.wall.kind as u8)]);
    row.push(own.len() as f64);
    let since = own.last().and_then(|last| last.visit.departure);
    row.push(since.map_or(f64::NAN, |departure| hours(case.visit.arrival - departure).max(0.0).ln_1p()));
    for target in [Target::Stay, Target::Energy] {
        habits(&mut row, case, &own, target);
    }
    let station = memory.at_station(&case.visit, at, LATELY);
    let ended = memory.cases.partition_point(|past| past.ended_by(at));
    let lately: Vec<&Case> = memory.cases[ended.saturating_sub(LATELY)..ended].iter().collect();
    for target in [Target::Stay, Target::Energy] {
        row.extend([mean(&values(&station, target)), mean(&values(&lately, target))]);
    }
    row.extend([case.ln_stated_h, case.ln_asked_kwh].map(|stated| stated.unwrap_or(f64::NAN)));
    row.extend([1, 2, 4, 7, 10, 12].map(|index| like[0].0[index]));
    row.push(like[1].0[super::spread::MIDDLE]);
    debug_assert_eq!(row.len(), FEATURES, "every feature is there");
    row.into_iter().map(single).collect()
}

/// What a party did before, of one target: nine features.
fn habits(row: &mut Vec<f64>, case: &Case, own: &[&Case], target: Target) {
    let known: Vec<(&Case, f64)> =
        own.iter().filter_map(|past| Some((*past, level(target, target.of(&past.visit)?)))).collect();
    let mut sorted: Vec<f64> = known.iter().map(|&(_, value)| value).collect();
    sorted.sort_by(f64::total_cmp);
    let (mut near, mut fading, mut kept) = ((0.0, 0.0), (0.0, 0.0), (0.0, 0.0));
    for &(past, value) in &known {
        let apart = (past.wall.hour - case.wall.hour).abs();
        let apart = apart.min(24.0 - apart) / SAME_HOUR_H;
        // What is far in time of day counts a little, so that there is a mean.
        let weight = (-0.5 * apart * apart).exp() + 1e-6;
        near = (near.0 + weight * value, near.1 + weight);
        fading = (fading.0 * FADING + value, fading.1 * FADING + 1.0);
        if let Some(stated) = target.stated(&past.visit) {
            // How this party's deeds compare to its words.
            kept = (kept.0 + value - level(target, stated), kept.1 + 1.0);
        }
    }
    row.extend([
        mean(&sorted),
        part(&sorted, 0.1),
        part(&sorted, 0.5),
        part(&sorted, 0.9),
        sorted.last().copied().unwrap_or(f64::NAN),
        known.last().map_or(f64::NAN, |&(_, value)| value),
        near.0 / near.1,
        fading.0 / fading.1,
        kept.0 / kept.1,
    ]);
}

/// Stays are compared by their logarithm, energy as it is.
fn level(target: Target, value: f64) -> f64 {
    match target {
        Target::Stay => value.max(0.01).ln(),
        Target::Energy => value,
    }
}

fn values(cases: &[&Case], target: Target) -> Vec<f64> {
    cases.iter().filter_map(|past| Some(level(target, target.of(&past.visit)?))).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The quantile of sorted values; `NaN` without any.
fn part(sorted: &[f64], level: f64) -> f64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the length")]
    let index = (level * sorted.len() as f64) as usize;
    sorted.get(index.min(sorted.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}
