//! The linear relaxation for the bound, and dives into it for a plan.
//!
//! A dive solves the relaxation with ties broken at random, settles what is left between 0 and a minimum, and solves again
//! with that settled, until nothing is loose. Breaking the ties is what makes it work: without it an interior point spreads
//! every vehicle over all slots of the same price. Where a round costs too much, its settling is taken back and half as
//! much is settled. Another dive breaks the ties another way.

use super::Search;
use crate::bound::bound_eur;
use crate::round::{Rule, Tilt, choose, order, pattern, settle, snapped};
use crate::schedule::Site;
use crate::solver::interior::{Relaxation, Warm};

/// How exactly the relaxation is solved, as a fraction of the flexible cost.
const TOLERANCE: f64 = 1e-5;
/// How exactly the relaxations of a dive are solved: below what breaks the ties.
const DIVE_TOLERANCE: f64 = 1e-8;
/// From where the next relaxation starts, as a fraction of the flexible cost.
const HALFWAY: f64 = 0.1;
/// What breaks ties, as a fraction of the mean price of energy; or of the gap asked for where that is less.
const TIE: f64 = 1e-3;
/// The least that can break them in double precision.
const LEAST_TIE: f64 = 1e-5;
/// Dives, at most.
const DIVES: u64 = 12;
/// Rounds of a dive, at most.
const ROUNDS: usize = 30;
/// What settling units one by one may cost in the first round of a dive, all together, as a fraction of the gap asked for.
const ALONE: f64 = 0.1;
/// A minimum is handed out once this fraction of it has come together, by round.
const SHARES: [f64; 6] = [0.5, 0.3, 0.2, 0.1, 0.05, 0.0];

/// Finds a bound, then plans, until the gap is proven or nothing more comes of it.
pub fn search(search: &mut Search<'_>) {
    search.progress("solving the relaxation");
    let scale = search.flexible_eur();
    let mut relaxation = Relaxation::of(search.model, TOLERANCE * scale, HALFWAY * scale);
    let solution = relaxation.solve(None, &|| search.go_on());
    let bound = bound_eur(search.model, &relaxation.frames, &relaxation.ways, &solution.prices);
    search.raise_bound(bound, Some(solution.prices.clone()));
    search.progress("solving the relaxation");
    relaxation.tolerance_eur = DIVE_TOLERANCE * search.flexible_eur();
    for dive in 0..DIVES {
        if search.done() || !search.go_on() {
            return;
        }
        self::dive(search, &relaxation, solution.warm.clone(), dive);
        if !search.done() && search.go_on() {
            improve(search, &relaxation);
        }
    }
}

/// One dive; offers what it finds.
pub fn dive(search: &mut Search<'_>, relaxation: &Relaxation<'_>, mut warm: Option<Warm>, number: u64) {
    let model = search.model;
    let order = order(model);
    let tilt = tilt(search, number);
    let mut relaxation = Relaxation { tilt_eur: tilt.clone(), ..relaxation.clone() };
    let allowed_eur = search.settings.gap * search.flexible_eur();
    let units = model.units.len().max(1) as f64;
    for round in 0..ROUNDS {
        let solution = relaxation.solve(warm.as_ref(), &|| search.go_on());
        if !search.go_on() {
            return;
        }
        let mut site = Site::of(model, snapped(model, &solution), solution.peak_kw);
        if !solution.converged && site.objective_eur() > search.bound_eur + 100.0 * allowed_eur.max(0.01) {
            return;
        }
        let most_eur = ALONE * allowed_eur / units * 2_f64.powi(i32::try_from(round).unwrap_or(0));
        let share = SHARES[round.min(SHARES.len() - 1)];
        let settled = settle(&mut site, &order, &tilt, Rule { most_eur, share }, &mut relaxation.frames);
        if settled.slots == 0 {
            search.offer(site.schedule, "decomposition");
            search.progress("searching for a plan");
            if settled.units == 0 || search.done() {
                return;
            }
        } else {
            search.progress("searching for a plan");
        }
        if round == 0 {
            warm = solution.warm.or(warm);
        }
    }
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
            choose_if_better(&mut site, unit, &[]);
        }
        search.offer(site.schedule, "decomposition");
        let after = search.best.as_ref().map_or(before, |best| best.objective_eur);
        if search.done() || after > before - 1e-2 * search.settings.gap * search.flexible_eur() - 1e-9 {
            return;
        }
    }
}

/// Chooses a unit anew and takes it back unless that is cheaper.
pub fn choose_if_better(site: &mut Site<'_>, unit: usize, tilt: &[f64]) {
    let before = site.unit_eur(unit);
    let (up, down) = (site.schedule.up[unit].clone(), site.schedule.down[unit].clone());
    let fits = choose(site, unit, tilt);
    if !fits || site.unit_eur(unit) >= before {
        site.take_out(unit);
        site.put(unit, up, down);
    }
}

/// What breaks ties: earlier is a little cheaper, for each unit by another rate, and chance decides the rest.
pub fn tilt(search: &Search<'_>, number: u64) -> Tilt {
    let model = search.model;
    let prices = &model.connection.import_eur_kwh;
    let mean = prices.iter().map(|p| p.abs()).sum::<f64>() / prices.len().max(1) as f64;
    let tie = TIE.min(search.settings.gap).max(LEAST_TIE) * mean.max(0.01);
    let slots = model.slots as f64;
    model
        .units
        .iter()
        .enumerate()
        .map(|(i, unit)| {
            let mut chance = Chance::of(number, i as u64);
            let rate = 0.2 + 0.8 * chance.next();
            let kwh = unit.kw.max(0.0) * model.slot_h * 4.0;
            (0..unit.len())
                .map(|k| tie * kwh * (0.8 * rate * k as f64 / slots + 0.2 * chance.next()))
                .collect()
        })
        .collect()
}

/// A stream of numbers that are the same in every run (Steele, Lea & Flood, *Fast splittable pseudorandom number
/// generators*, 2014: SplitMix64).
struct Chance(u64);

impl Chance {
    fn of(number: u64, unit: u64) -> Self {
        Self(number.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ unit.wrapping_mul(0xD1B5_4A32_D192_ED03))
    }

    /// A number from 0 to 1.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

