//! The obvious guesses that the model is measured against. Each sees at every arrival all that had ended by then.

use chrono::{DateTime, Utc};

use super::memory::{Case, Memory, Target};
use super::prior::Place;
use super::spread::Spread;
use super::visit::DayKind;

/// Fewer visits than this make no distribution of an hour: neighbouring hours are taken in, then all.
const ENOUGH: usize = 10;

/// Hours to either side that are taken in first.
const BESIDE_H: f64 = 2.0;

/// One's own history counts by n ÷ (n + this) against the table of the group.
const SHRUNK: f64 = 5.0;

/// One's own visits that are looked back on: all there are, in practice.
const ALL: usize = usize::MAX;

/// One distribution for all visits that had ended by an instant; the prior before there is any.
pub(super) fn one_distribution(
    memory: &Memory,
    place: Place,
    target: Target,
    case: &Case,
    at: DateTime<Utc>,
) -> Spread {
    let prior = match target {
        Target::Stay => place.stay_h(&case.wall),
        Target::Energy => place.kwh(&case.wall),
    };
    among(memory, target, at, |_| true, 1).unwrap_or(prior)
}

/// The visits of the group that arrived in the same hour on the same kind of day, working or free.
pub(super) fn table(memory: &Memory, place: Place, target: Target, case: &Case, at: DateTime<Utc>) -> Spread {
    let free = |case: &Case| case.wall.kind != DayKind::Working;
    let like = |past: &Case, beside_h: f64| {
        let apart = (past.wall.hour.floor() - case.wall.hour.floor()).abs();
        past.visit.group == case.visit.group && free(past) == free(case) && apart.min(24.0 - apart) <= beside_h
    };
    among(memory, target, at, |past| like(past, 0.0), ENOUGH)
        .or_else(|| among(memory, target, at, |past| like(past, BESIDE_H), ENOUGH))
        .or_else(|| among(memory, target, at, |past| past.visit.group == case.visit.group, ENOUGH))
        .unwrap_or_else(|| one_distribution(memory, place, target, case, at))
}

/// The party's own visits, shrunk to the table of the group.
pub(super) fn own_history(memory: &Memory, place: Place, target: Target, case: &Case, at: DateTime<Utc>) -> Spread {
    let group = table(memory, place, target, case, at);
    let mut own: Vec<f64> = memory.own(&case.visit, at, ALL).iter().filter_map(|past| target.of(&past.visit)).collect();
    own.sort_by(f64::total_cmp);
    let weighted: Vec<(f64, f64)> = own.iter().map(|&value| (value, 1.0)).collect();
    let count = own.len() as f64;
    Spread::of_weighted(&weighted).map_or(group, |own| group.toward(&own, count / (count + SHRUNK)))
}

/// The distribution of the visits that had ended and are like this one, if there are enough.
fn among(
    memory: &Memory,
    target: Target,
    at: DateTime<Utc>,
    like: impl Fn(&Case) -> bool,
    enough: usize,
) -> Option<Spread> {
    let mut sorted: Vec<(f64, f64)> = memory
        .cases
        .iter()
        .filter(|past| past.ended_by(at) && like(past))
        .filter_map(|past| Some((target.of(&past.visit)?, 1.0)))
        .collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    (sorted.len() >= enough).then(|| Spread::of_weighted(&sorted)).flatten()
}
