//! From the linear relaxation to a plan: each unit in turn gets its exact best schedule given all others.
//!
//! The relaxation lets a vehicle take 3 A where its charger gives 0 or 6. All others held where they are, the room left
//! on every board is known, and one unit's problem is small enough to solve as it is: a need by choosing slots
//! (`sum.rs`), a battery over a grid of energies (`chain.rs`). Limits that hold before hold after, so the limits are kept
//! at every moment and the method can be stopped anywhere.
//!
//! What the pattern of on and off leaves open, the linear program with this pattern then decides for all units together
//! ([`pattern`]).

mod chain;
mod dive;
mod sum;

pub use dive::{Rule, Settled, settle};

use crate::model::Model;
use crate::model::unit::{Is, Store, Unit};
use crate::schedule::{NOTHING, Schedule, Site};
use crate::solver::interior::{Frame, Solution};

/// A quantity this close to 0 is 0.
const SNAP: f64 = 1e-4;
/// A quantity this close to its highest is there.
const SNAP_UP: f64 = 1e-6;
/// How far a quantity may be beyond its room, many together.
const FITS: f64 = 1e-6;

/// What tells apart two schedules that cost the same: EUR per unit of quantity up, per slot of each unit's window.
pub type Tilt = Vec<Vec<f64>>;

/// A relaxation's answer, values next to a bound put on it.
pub fn snapped(model: &Model, solution: &Solution) -> Schedule {
    let mut schedule = Schedule { up: solution.up.clone(), down: solution.down.clone() };
    for (i, unit) in model.units.iter().enumerate() {
        for k in 0..unit.len() {
            schedule.up[i][k] = snap(schedule.up[i][k], unit.up_max[k]);
            if unit.has_down() {
                schedule.down[i][k] = snap(schedule.down[i][k], unit.down_max[k]);
            }
        }
    }
    schedule
}

fn snap(value: f64, max: f64) -> f64 {
    // Down to nothing freely; up only by what many units together may add to a full board.
    if value < SNAP {
        0.0
    } else if value > max - SNAP_UP {
        max
    } else {
        value
    }
}

/// Whether a unit's schedule is 0 or within its range in every slot, one direction at a time, and its store holds.
pub fn is_whole(unit: &Unit, up: &[f64], down: &[f64]) -> bool {
    let apart = |value: f64, min: f64| value == 0.0 || value >= min - NOTHING;
    let directions = (0..unit.len()).all(|k| {
        let d = down.get(k).copied().unwrap_or(0.0);
        apart(up[k], unit.up_min) && apart(d, unit.down_min) && (up[k] == 0.0 || d == 0.0)
    });
    directions && store_holds(unit, up, down)
}

/// Whether the energy stays in its range.
fn store_holds(unit: &Unit, up: &[f64], down: &[f64]) -> bool {
    const KWH: f64 = 1e-6;
    match &unit.store {
        Store::None => true,
        Store::Sum(of) => of.gain_kwh * up.iter().sum::<f64>() <= of.room_kwh + KWH,
        Store::Chain(of) => {
            let mut energy = of.start_kwh;
            up.iter().zip(down).all(|(u, d)| {
                energy += of.gain_kwh * u - of.drain_kwh * d;
                (-KWH..=of.room_kwh + KWH).contains(&energy)
            })
        }
    }
}

/// The order in which units are chosen: those with a minimum first, what can take any value last, to make room.
pub fn order(model: &Model) -> Vec<usize> {
    let rank = |u: &Unit| match (u.is, &u.store) {
        (Is::Session(_), Store::Chain(_)) => 0,
        (Is::Session(_), _) => 1,
        (Is::Load(_), _) => 2,
        (Is::Battery(_), _) => 3,
        (Is::Pv(_), _) => 4,
    };
    let mut order: Vec<usize> = (0..model.units.len()).collect();
    order.sort_by_key(|&i| rank(&model.units[i]));
    order
}

/// Chooses one unit anew, all others held; whether the limits hold for what was found.
pub fn choose(site: &mut Site<'_>, unit: usize, tilt: &[f64]) -> bool {
    site.take_out(unit);
    let of = &site.model.units[unit];
    let (up, down) = match &of.store {
        Store::None => (free(site, unit), Vec::new()),
        Store::Sum(store) => (sum::choose(site, unit, store, tilt), Vec::new()),
        Store::Chain(store) => chain::choose(site, unit, store, tilt),
    };
    let z = |k: usize| up[k] - down.get(k).copied().unwrap_or(0.0);
    let within = |k: usize| {
        let (low, high) = site.room(unit, k);
        (low - FITS..=high + FITS).contains(&z(k))
    };
    let fits = (0..of.len()).all(within) && is_whole(of, &up, &down);
    site.put(unit, up, down);
    fits
}

/// Chooses one unit anew and takes it back unless it fits and what it costs more, in EUR, is accepted; whether it was.
pub fn choose_if(site: &mut Site<'_>, unit: usize, tilt: &[f64], accept: impl FnOnce(&Site<'_>, f64) -> bool) -> bool {
    let before = site.unit_eur(unit);
    let (up, down) = (site.schedule.up[unit].clone(), site.schedule.down[unit].clone());
    if choose(site, unit, tilt) && accept(site, site.unit_eur(unit) - before) {
        return true;
    }
    site.take_out(unit);
    site.put(unit, up, down);
    false
}

/// A plant: the best power of each slot by itself.
fn free(site: &Site<'_>, unit: usize) -> Vec<f64> {
    let of = &site.model.units[unit];
    (0..of.len())
        .map(|k| {
            let (low, high) = site.room(unit, k);
            let (low, high) = (low.max(0.0), high.min(of.up_max[k]));
            if low > high {
                // The others break a limit in both directions: half way breaks each least.
                return (0.5 * (low + high)).clamp(0.0, of.up_max[k]);
            }
            let eur = |x: f64| site.slot_eur(unit, k, x);
            let zero = (-site.net_kw[of.from + k] / of.kw).clamp(low, high);
            // Largest first: of equals, the sun is used.
            [high, zero, low].into_iter().reduce(|a, b| if eur(b) < eur(a) - 1e-12 { b } else { a }).unwrap_or(high)
        })
        .collect()
}

/// The frames that a schedule's pattern of on and off leaves.
pub fn pattern(model: &Model, schedule: &Schedule) -> Vec<Frame> {
    let units = model.units.iter().zip(schedule.up.iter().zip(&schedule.down));
    units.map(|(unit, (up, down))| pattern_of(unit, up, down)).collect()
}

/// The frame that a unit's pattern of on and off leaves.
fn pattern_of(unit: &Unit, up: &[f64], down: &[f64]) -> Frame {
    let mut frame = Frame::default();
    let open = |x: f64, other: f64, min: f64, max: f64| {
        if other > 0.0 || (x == 0.0 && min > 0.0) { (0.0, 0.0) } else { (min.min(max), max) }
    };
    for k in 0..unit.len() {
        let (u, d) = (up[k], down.get(k).copied().unwrap_or(0.0));
        frame.up.push(open(u, d, unit.up_min, unit.up_max[k]));
        if unit.has_down() {
            // A battery at rest may wake up in the direction it was made for.
            let at_rest = u == 0.0 && d == 0.0 && frame.up[k].1 > 0.0;
            frame.down.push(if at_rest { (0.0, 0.0) } else { open(d, u, unit.down_min, unit.down_max[k]) });
        }
    }
    frame
}
