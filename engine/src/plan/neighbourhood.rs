//! Large neighbourhood search: most vehicles keep their pattern, a few that cost more than they need are planned anew
//! together, by a dive of their own.
//!
//! Who costs more than they need is known from the bound: at its prices every unit has a least cost, and what it pays above
//! that is its part of the gap. Those, and neighbours drawn at random, are freed (Shaw, 1998; Danna, Rothberg & Le Pape,
//! *Exploring relaxation induced neighborhoods*, 2005).

// Counts of units and of neighbourhoods are far below what any integer holds.
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use super::Search;
use super::chance::Chance;
use super::decomposition::{at_once, dives};
use crate::bound::regrets_eur;
use crate::round::pattern;
use crate::solver::interior::{Frame, Relaxation};

/// Neighbourhoods without a better plan, at most.
pub const PATIENCE: usize = 24;
/// The same where the exact model comes next and takes a minute, and where it takes a second.
pub const SHORTLY: usize = 10;
pub const BRIEFLY: usize = 3;
/// Units freed, as a fraction of all, from the smallest neighbourhood to the largest.
const SIZES: [f64; 4] = [0.1, 0.2, 0.35, 0.5];
/// Number of the first dive.
pub const FIRST: u64 = 1_000;
/// The fewest units freed.
const LEAST_UNITS: usize = 5;
/// Chance decides with the regret who is freed: of two that pay the same above their least, one may count this many times the
/// other.
const CHANCE: f64 = 20.0;

/// Searches neighbourhoods of the best plan, `patience` in vain, until the gap is proven or nothing more comes of it.
pub fn search(search: &mut Search<'_>, relaxation: &Relaxation<'_>, patience: usize) {
    let model = search.model;
    let free: Vec<Frame> = relaxation.frames.clone();
    let mut in_vain = 0;
    let mut number = 0_u64;
    while in_vain < patience && !search.done() && search.go_on() {
        let Some(best) = &search.best else { return };
        let before = best.objective_eur;
        let regrets = regrets_eur(model, &free, &search.prices, &best.schedule);
        let kept = pattern(model, &best.schedule);
        let jobs = (number..number + at_once(search)).map(|number| {
            let mut frames = kept.clone();
            for unit in freed(&regrets, number, SIZES[number as usize % SIZES.len()]) {
                frames[unit].clone_from(&free[unit]);
            }
            // The decomposition's own dives have the small numbers.
            (FIRST + number, Relaxation { frames, ..relaxation.clone() }, None)
        });
        let jobs: Vec<_> = jobs.collect();
        number += jobs.len() as u64;
        dives(search, jobs);
        let after = search.best.as_ref().map_or(before, |best| best.objective_eur);
        let least_eur = 0.02 * search.settings.gap * search.flexible_eur();
        in_vain = if after < before - least_eur { 0 } else { in_vain + 1 };
    }
}

/// The units to free: by regret, shuffled a little.
fn freed(regrets: &[f64], number: u64, size: f64) -> Vec<usize> {
    let floor = regrets.iter().map(|r| r.max(0.0)).sum::<f64>() / regrets.len().max(1) as f64 * 0.05 + 1e-9;
    let mut weighed: Vec<(f64, usize)> = regrets
        .iter()
        .enumerate()
        .map(|(i, regret)| {
            let mut chance = Chance::of(0x5EED + number, i as u64);
            ((regret.max(0.0) + floor) * chance.next().max(1.0 / CHANCE), i)
        })
        .collect();
    weighed.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let count = ((regrets.len() as f64 * size) as usize).max(LEAST_UNITS).min(regrets.len());
    weighed.into_iter().take(count).map(|(_, i)| i).collect()
}
