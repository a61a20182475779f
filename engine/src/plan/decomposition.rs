//! The linear relaxation for the bound, and dives into it for a plan.
//!
//! A dive solves the relaxation with ties broken at random, settles what is left between 0 and a minimum, and solves again
//! with that settled, until nothing is loose. Breaking the ties is what makes it work: without it an interior point spreads
//! every vehicle over all slots of the same price. Whatever is still loose after a round, choosing the units concerned one
//! by one makes a plan of it, so that a dive may end early. Another dive breaks the ties another way.

use rayon::prelude::*;

use super::chance::Chance;
use super::{Search, neighbourhood};
use crate::bound::bound_eur;
use crate::model::Model;
use crate::round::{Rule, Tilt, choose, choose_if, order, pattern, settle, snapped};
use crate::schedule::{Schedule, Site};
use crate::solver::interior::{Frame, Relaxation, Row, RowPrices, Warm};

/// How exactly the relaxation is solved, as a fraction of the flexible cost.
const TOLERANCE: f64 = 1e-5;
/// How exactly the relaxations of a dive are solved: below what breaks the ties.
const DIVE_TOLERANCE: f64 = 1e-8;
/// From where the next relaxation starts, as a fraction of the flexible cost.
const HALFWAY: f64 = 0.3;
/// What breaks ties, as a fraction of the mean price of energy: larger finds plans more surely, smaller finds better ones.
const TIE: f64 = 1e-2;
/// How much of what breaks ties is the same for neighbouring slots, in every other dive. It makes calm plans; pure chance
/// makes some plans sooner.
const ALIKE: f64 = 0.95;
/// On larger sites than this plans are found by chance alone, for the sake of time.
const CALM_UNITS: usize = 1500;
/// Rounds of a calm dive, at most: by then it has found a plan, or the others on the boards are in its way.
const CALM_ROUNDS: usize = 10;
/// The least mean price that is believed, in EUR/kWh: on some days prices cancel out.
const LEAST_MEAN: f64 = 0.01;
/// A gap below this is asked for in vain; rounds of a dive are as generous as for this one.
const LEAST_GAP: f64 = 1e-4;
/// A row with a price below this does not bind, EUR per unit.
const FREE: f64 = 1e-7;
/// Turns of dives, at most.
const DIVES: u64 = 3;
/// A plan with a larger gap than this is not worth improving: another dive finds a better one.
const WORTH_IMPROVING: f64 = 0.1;
/// Rounds of a dive, at most.
const ROUNDS: usize = 30;
/// What settling units one by one may cost all together, by round, as a fraction of the gap asked for.
const ALONE: [f64; 4] = [0.1, 0.2, 0.4, 0.8];
/// A relaxation that did not converge is of no use this many allowed gaps above the bound.
const HOPELESS: f64 = 100.0;
/// A round that costs more than this many allowed gaps is made again, gentler.
const JUMP: f64 = 0.3;
/// The gentlest round settles this fraction of what is loose.
const LEAST_PART: f64 = 0.2;
/// Dives made at once where there are at most so many units: one relaxation is then too small for two cores.
const AT_ONCE: u64 = 2;
const SMALL: usize = 400;
/// A minimum is handed out once this fraction of it has come together, by round.
const SHARES: [f64; 6] = [0.5, 0.3, 0.2, 0.1, 0.05, 0.0];

/// Finds a bound, then plans, until the gap is proven or nothing more comes of it.
pub fn search(search: &mut Search<'_>) {
    dive_first(search);
    improve_best(search, neighbourhood::PATIENCE);
}

/// Solves the relaxation for a bound, and dives until there is a plan worth improving.
pub fn dive_first(search: &mut Search<'_>) {
    search.progress("solving the relaxation");
    let scale = search.flexible_eur();
    let mut relaxation = Relaxation::of(search.model, TOLERANCE * scale, HALFWAY * scale);
    relaxation.known = rows(&search.prices);
    let solution = relaxation.solve(None, &|| search.go_on());
    let bound = bound_eur(search.model, &relaxation.frames, &relaxation.ways, &solution.prices);
    search.raise_priced_bound(bound, solution.prices);
    let relaxation = to_dive_into(search);
    search.progress("searching for a plan");
    for turn in 0..DIVES {
        if search.done() || !search.go_on() {
            return;
        }
        let first = turn * AT_ONCE;
        let jobs = (first..first + at_once(search)).map(|number| (number, relaxation.clone(), solution.warm.clone()));
        dives(search, jobs.collect());
        if search.gap() < WORTH_IMPROVING {
            break;
        }
    }
}

/// Improves the best plan, until so many neighbourhoods were searched in vain.
pub fn improve_best(search: &mut Search<'_>, patience: usize) {
    if search.done() || !search.go_on() {
        return;
    }
    let relaxation = to_dive_into(search);
    improve(search, &relaxation);
    neighbourhood::search(search, &relaxation, patience);
}

/// The relaxation as dives use it: exact enough for ties to stay broken.
pub fn to_dive_into<'a>(search: &Search<'a>) -> Relaxation<'a> {
    let scale = search.flexible_eur();
    let mut relaxation = Relaxation::of(search.model, DIVE_TOLERANCE * scale, HALFWAY * scale);
    relaxation.known = rows(&search.prices);
    relaxation
}

/// Rows that have a price.
fn rows(prices: &RowPrices) -> Vec<Row> {
    let binding = prices.0.iter().filter(|(row, y)| y.abs() > FREE && !matches!(row, Row::Balance { .. }));
    binding.map(|(row, _)| *row).collect()
}

/// How many dives are made at once. Not the number of cores: what is found must not depend on the machine.
pub fn at_once(search: &Search<'_>) -> u64 {
    if search.model.units.len() <= SMALL { AT_ONCE } else { 1 }
}

/// Makes several dives at once, each with a number, a relaxation and a start; offers what they find in their order.
pub fn dives(search: &mut Search<'_>, jobs: Vec<(u64, Relaxation<'_>, Option<Warm>)>) {
    let among = &*search;
    let found: Vec<Option<Schedule>> =
        jobs.into_par_iter().map(|(number, relaxation, warm)| dive(among, &relaxation, warm, number)).collect();
    for schedule in found.into_iter().flatten() {
        // The first that is good enough: what comes after it may be cheaper, and less calm.
        if search.done() {
            break;
        }
        search.offer(schedule, "decomposition");
    }
    search.progress("searching for a plan");
}

/// One dive; returns the cheapest schedule it comes by.
pub fn dive(search: &Search<'_>, relaxation: &Relaxation<'_>, mut warm: Option<Warm>, number: u64) -> Option<Schedule> {
    let model = search.model;
    let order = order(model);
    let tilt = tilt(model, number);
    let mut relaxation = Relaxation { tilt_eur: tilt.clone(), ..relaxation.clone() };
    let allowed_eur = search.settings.gap.max(LEAST_GAP) * search.flexible_eur();
    let units = model.units.len().max(1) as f64;
    // On crowded boards every round costs; half of the searches around a plan go on regardless.
    let gentle = number < neighbourhood::FIRST || number.is_multiple_of(2);
    let mut best: Option<(f64, Schedule)> = None;
    let mut before: Option<Before> = None;
    let rounds = if is_calm(model, number) { CALM_ROUNDS } else { ROUNDS };
    for round in 0..rounds {
        let solution = relaxation.solve(warm.as_ref(), &|| search.go_on());
        if !search.go_on() {
            break;
        }
        let mut site = Site::of(model, snapped(model, &solution), solution.peak_kw);
        let mut objective = site.objective_eur();
        if !solution.converged && objective > search.bound_eur + HOPELESS * allowed_eur {
            break;
        }
        let mut part = 1.0;
        match before.take() {
            // The last round cost too much: once more from where it began, with half as much settled.
            Some(last) if gentle && objective - last.objective_eur > JUMP * allowed_eur && last.part > LEAST_PART => {
                part = 0.5 * last.part;
                relaxation.frames = last.frames;
                site = last.site;
                objective = last.objective_eur;
            }
            _ => {}
        }
        before = Some(Before { frames: relaxation.frames.clone(), site: site.clone(), objective_eur: objective, part });
        let most_eur = ALONE[round.min(ALONE.len() - 1)] * allowed_eur / units;
        let share = SHARES[round.min(SHARES.len() - 1)];
        let rule = Rule { most_eur, share, part };
        let settled = settle(&mut site, &order, &tilt, rule, &mut relaxation.frames, &|| search.go_on());
        // Whether or not something is loose yet: a plan comes of it by choosing who is left one by one.
        let mut whole = true;
        for &unit in &settled.left {
            if !search.go_on() {
                break;
            }
            whole &= choose(&mut site, unit, &tilt[unit]);
        }
        if !search.go_on() {
            break;
        }
        let objective = site.objective_eur();
        if whole && site.holds() && best.as_ref().is_none_or(|best| objective < best.0) {
            best = Some((objective, site.schedule));
        }
        let enough = best.as_ref().is_some_and(|best| search.gap_of(best.0) <= search.settings.gap);
        if enough || (settled.slots == 0 && settled.units == 0) {
            break;
        }
        warm = solution.warm.or(warm);
    }
    best.map(|best| best.1)
}

/// Where a round of a dive began.
struct Before<'a> {
    frames: Vec<Frame>,
    site: Site<'a>,
    objective_eur: f64,
    /// How much of what was loose it settled.
    part: f64,
}

/// The linear program with the best plan's pattern, then each unit anew, as long as that helps.
fn improve(search: &mut Search<'_>, relaxation: &Relaxation<'_>) {
    let model = search.model;
    let order = order(model);
    while let Some(best) = &search.best {
        let before = best.objective_eur;
        let frames = pattern(model, &best.schedule);
        let solution = Relaxation { frames, ..relaxation.clone() }.solve(None, &|| search.go_on());
        search.offer(snapped(model, &solution), "decomposition");
        let Some(best) = &search.best else { return };
        let mut site = Site::of(model, best.schedule.clone(), solution.peak_kw);
        for &unit in &order {
            if !search.go_on() {
                return;
            }
            choose_if(&mut site, unit, &[], |_, more_eur| more_eur < 0.0);
        }
        search.offer(site.schedule, "decomposition");
        let after = search.best.as_ref().map_or(before, |best| best.objective_eur);
        if search.done() || after > before - 1e-2 * search.settings.gap * search.flexible_eur() - 1e-9 {
            return;
        }
    }
}

/// Whether a dive looks for a calm plan: every other one does, where there is time for its rounds.
fn is_calm(model: &Model, number: u64) -> bool {
    number.is_multiple_of(2) && model.units.len() <= CALM_UNITS
}

/// What breaks ties: chance, another for each dive.
pub fn tilt(model: &Model, number: u64) -> Tilt {
    let prices = &model.connection.import_eur_kwh;
    let mean = prices.iter().map(|p| p.abs()).sum::<f64>() / prices.len().max(1) as f64;
    let tie = TIE * mean.max(LEAST_MEAN);
    model
        .units
        .iter()
        .enumerate()
        .map(|(i, unit)| {
            let mut chance = Chance::of(number, i as u64);
            let kwh = unit.kw.max(0.0) * model.slot_h;
            // Away from a slot of its own every unit finds slots dearer and dearer: its energy comes in few pieces.
            let (center, length) = (chance.next() * unit.len() as f64, unit.len().max(1) as f64);
            let away = |k: usize| (k as f64 + 0.5 - center).abs() / length;
            let alike = if is_calm(model, number) { ALIKE } else { 0.0 };
            (0..unit.len()).map(|k| tie * kwh * (alike * away(k) + (1.0 - alike) * chance.next())).collect()
        })
        .collect()
}
