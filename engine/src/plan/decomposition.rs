//! The linear relaxation for the bound, and dives into it for a plan.
//!
//! A dive solves the relaxation with ties broken at random, settles what is left between 0 and a minimum, and solves again
//! with that settled, until nothing is loose. Breaking the ties is what makes it work: without it an interior point spreads
//! every vehicle over all slots of the same price. Where a round costs too much, its settling is taken back and half as
//! much is settled. Another dive breaks the ties another way.

use super::chance::Chance;
use super::{Search, neighbourhood};
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
/// What breaks ties, as a fraction of the mean price of energy: larger finds plans more surely, smaller finds better ones.
const TIE: f64 = 1e-2;
/// The least mean price that is believed, in EUR/kWh: on some days prices cancel out.
const LEAST_MEAN: f64 = 0.01;
/// A gap below this is asked for in vain; rounds of a dive are as generous as for this one.
const LEAST_GAP: f64 = 1e-4;
/// Dives, at most.
const DIVES: u64 = 3;
/// A plan with a larger gap than this is not worth improving: another dive finds a better one.
const WORTH_IMPROVING: f64 = 0.1;
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
    if std::env::var("DBG").is_ok() { eprintln!("lp it {} conv {} rows {} bound {bound} t {:?}", solution.iterations, solution.converged, solution.prices.0.len(), search.watch.elapsed()); }
    search.progress("solving the relaxation");
    relaxation.tolerance_eur = DIVE_TOLERANCE * search.flexible_eur();
    for number in 0..DIVES {
        if search.done() || !search.go_on() {
            return;
        }
        dive(search, &relaxation, solution.warm.clone(), number);
        if !search.done() && search.go_on() && search.gap() < WORTH_IMPROVING {
            improve(search, &relaxation);
        }
        if search.gap() < WORTH_IMPROVING {
            break;
        }
    }
    neighbourhood::search(search, &relaxation);
    if std::env::var("DBG").is_ok() {
        let best = search.best.as_ref().unwrap();
        let r = crate::bound::regrets_eur(search.model, &relaxation.frames, &search.prices, &best.schedule);
        let tot: f64 = r.iter().sum();
        eprintln!("objective {} bound {} regrets {tot}", best.objective_eur, search.bound_eur);
        let mut ix: Vec<usize> = (0..r.len()).collect(); ix.sort_by(|a,b| r[*b].total_cmp(&r[*a]));
        for &i in ix.iter().take(12) { let u=&search.model.units[i]; eprintln!("  {:?} regret {:.4} min {} kw {} from {} len {} short {:.3}", u.is, r[i], u.up_min, u.kw, u.from, u.len(), crate::schedule::shortfall_kwh(u,&best.schedule.up[i],&best.schedule.down[i])); }
        let site = Site::of(search.model, best.schedule.clone(), 0.0);
        let peak = site.net_kw.iter().copied().fold(search.model.connection.peak_so_far_kw, f64::max);
        eprintln!("peak plan {peak} lp {} psf {}", solution.peak_kw, search.model.connection.peak_so_far_kw);
        for (row,y) in &search.prices.0 { if !matches!(row, crate::solver::interior::Row::Balance{..}) && y.abs()>1e-3 { 
            let slack = match *row { crate::solver::interior::Row::Peak{slot} => peak-site.net_kw[slot], crate::solver::interior::Row::Fuse{node,phase,slot} => { let i=search.model.boards.at(node,phase,slot); if *y<0.0 {search.model.boards.high_a[i]-site.flow_a[i]} else {site.flow_a[i]-search.model.boards.low_a[i]} }, _ => -1.0 };
            eprintln!("  {row:?} y {y:.5} unused {slack:.3} cost {:.4}", -y*slack.abs()); } }
    }
}

/// One dive; offers what it finds.
pub fn dive(search: &mut Search<'_>, relaxation: &Relaxation<'_>, mut warm: Option<Warm>, number: u64) {
    let model = search.model;
    let order = order(model);
    let tilt = tilt(search, number);
    let mut relaxation = Relaxation { tilt_eur: tilt.clone(), ..relaxation.clone() };
    let allowed_eur = search.settings.gap.max(LEAST_GAP) * search.flexible_eur();
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
        if std::env::var("DBG").is_ok() { eprintln!("dive {number} round {round} it {} conv {} lp-gap {:.4} {} {} after {:.4} t {:?}", solution.iterations, solution.converged, 100.0*search.gap_of(Site::of(model, snapped(model,&solution), solution.peak_kw).objective_eur()), settled.units, settled.slots, 100.0*search.gap_of(site.objective_eur()), search.watch.elapsed()); }
        // Whether or not something is loose yet: a plan comes of it by choosing who is left one by one.
        for &unit in &settled.left {
            choose(&mut site, unit, &tilt[unit]);
        }
        search.offer(site.schedule, "decomposition");
        search.progress("searching for a plan");
        if search.done() || (settled.slots == 0 && settled.units == 0) {
            return;
        }
        warm = solution.warm.or(warm);
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

/// What breaks ties: chance, another for each dive.
pub fn tilt(search: &Search<'_>, number: u64) -> Tilt {
    let model = search.model;
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
            (0..unit.len()).map(|_| tie * kwh * chance.next()).collect()
        })
        .collect()
}
