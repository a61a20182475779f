//! A battery: dynamic programming over its slots and a grid of energies, charge and discharge kept apart.

// Steps of a grid of a few hundred points are counted in both directions.
#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)]

use crate::model::unit::Chain;
use crate::schedule::Site;

/// Steps of the grid that one slot at full power makes, at most.
const STEPS_A_SLOT: f64 = 16.0;
/// Points of the grid, at most (about).
const POINTS: f64 = 160.0;
/// Points of the grid and steps of a slot, at the very most.
const MOST_POINTS: f64 = 1000.0;
const MOST_STEPS: f64 = 64.0;
/// What a unit of quantity beyond the room on a board costs while nothing else is possible, in EUR.
const BEYOND_EUR: f64 = 1e3;
/// Quantities this close are the same.
const SAME: f64 = 1e-9;

/// What one slot may do: steps of the grid, quantity and cost.
type Action = (i32, f64, f64);

/// Chooses the quantities, up and down, of a unit that is out of the site.
pub fn choose(site: &Site<'_>, unit: usize, store: &Chain, tilt: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let of = &site.model.units[unit];
    let n = of.len();
    let full_up = of.up_max.iter().copied().fold(0.0, f64::max) * store.gain_kwh;
    let full_down = of.down_max.iter().copied().fold(0.0, f64::max) * store.drain_kwh;
    let full = if full_up > 0.0 { full_up } else { full_down };
    if full <= 0.0 || store.room_kwh <= 0.0 {
        return (vec![0.0; n], vec![0.0; n]);
    }
    let step = full / (POINTS * full / store.room_kwh).clamp(1.0, STEPS_A_SLOT).floor();
    // Next to nothing of power, or a store as large as a lake: the grid stays small and the unit may stay at rest.
    let step = step.max(store.room_kwh / MOST_POINTS).max(full_up.max(full_down) / MOST_STEPS);
    // The grid is anchored at the energy on arrival, so that doing nothing is on it.
    let below = (store.start_kwh / step + SAME).floor() as usize;
    let above = ((store.room_kwh - store.start_kwh) / step + SAME).floor() as usize;
    let points = below + above + 1;
    let energy = |i: usize| store.start_kwh + (i as f64 - below as f64) * step;

    // Cost to go, last slot first; the choice of each slot and point is kept.
    let mut to_go: Vec<f64> =
        (0..points).map(|i| store.short_eur_kwh * (store.target_kwh - energy(i)).max(0.0)).collect();
    let mut actions = Vec::with_capacity(n);
    let mut choices = vec![0_u16; n * points];
    for k in (0..n).rev() {
        let slot_actions = slot_actions(site, unit, store, k, step, tilt.get(k).copied().unwrap_or(0.0));
        let mut next = vec![f64::INFINITY; points];
        for (a, &(steps, _, eur)) in slot_actions.iter().enumerate() {
            let shift = steps as isize;
            let first = (-shift).max(0) as usize;
            let last = (points as isize - shift.max(0)).max(0) as usize;
            for i in first..last {
                let total = eur + to_go[(i as isize + shift) as usize];
                if total < next[i] {
                    next[i] = total;
                    choices[k * points + i] = a as u16;
                }
            }
        }
        to_go = next;
        actions.push(slot_actions);
    }
    actions.reverse();
    let (mut up, mut down) = (vec![0.0; n], vec![0.0; n]);
    let mut i = below;
    for k in 0..n {
        let Some(&(steps, z, _)) = actions[k].get(usize::from(choices[k * points + i])) else { continue };
        up[k] = z.max(0.0);
        down[k] = (-z).max(0.0);
        i = (i as isize + steps as isize).clamp(0, points as isize - 1) as usize;
    }
    (up, down)
}

/// What a slot may do: rest, and each step of the grid that is within range and room; with nothing in room, all there is, at a
/// cost that makes it the last resort.
fn slot_actions(site: &Site<'_>, unit: usize, store: &Chain, k: usize, step: f64, tilt: f64) -> Vec<Action> {
    let of = &site.model.units[unit];
    let (low, high) = site.room(unit, k);
    let eur = |z: f64| site.slot_eur(unit, k, z) + tilt * z.max(0.0);
    let mut all: Vec<(i32, f64)> = vec![(0, 0.0)];
    let steps = |max: f64, kwh: f64| (max * kwh / step + 1e-6).floor() as i32;
    for i in 1..=steps(of.up_max[k], store.gain_kwh) {
        let z = f64::from(i) * step / store.gain_kwh;
        if z >= of.up_min - SAME {
            all.push((i, z.min(of.up_max[k])));
        }
    }
    for i in 1..=steps(of.down_at(k), store.drain_kwh) {
        let z = f64::from(i) * step / store.drain_kwh;
        if z >= of.down_min - SAME {
            all.push((-i, -z.min(of.down_at(k))));
        }
    }
    let beyond = |z: f64| (low - z).max(z - high).max(0.0);
    let fits = |z: f64| beyond(z) <= 1e-7;
    let within: Vec<Action> = all.iter().filter(|a| fits(a.1)).map(|&(i, z)| (i, z, eur(z))).collect();
    let wrong = |&(i, z): &(i32, f64)| (i, z, eur(z) + BEYOND_EUR * beyond(z));
    match within.first() {
        None => all.iter().map(wrong).collect(),
        // Rest is always there: the energy's own range may leave nothing else.
        Some(&(0, _, _)) => within,
        Some(_) => all.iter().take(1).map(wrong).chain(within).collect(),
    }
}
