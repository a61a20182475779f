//! The imbalance limit: the largest less the smallest phase current of a board.
//!
//! It works on what is expected to flow, the building as measured and the devices as granted, because setpoints are upper
//! limits and cannot promise a current. What is granted on the fullest phase alone gives way, in proportion to what it has
//! above its minimum, then from the end of the line. What the building does by itself is left.

use super::share::{Claim, Grant, LAYERS};
use super::state::State;
use super::wants::Wanted;

/// Rounds for one board: each relieves one phase.
const ROUNDS: usize = 6;

/// What two phases of a meter may be wrong by together, in A.
const METERS_A: f64 = 0.5;

/// The aim is changed every so many s: devices need time to follow.
const LEARNS_S: f64 = 12.0;

/// It is relaxed by so many A where the meter shows so many A less than allowed.
const RELAX_A: f64 = 0.5;
const RELAXED_A: f64 = 2.0;

/// Amperes that count as nothing.
const SLACK_A: f64 = 0.01;

pub(super) fn keep(state: &State, wanted: &[Wanted], claims: &[Claim], grants: &mut [Grant]) {
    let setup = &*state.setup;
    for node in setup.downwards.iter().rev().copied() {
        let Some(limit_a) = setup.nodes[node].imbalance_a else { continue };
        let below: Vec<usize> = (0..wanted.len()).filter(|&k| setup.hangs_below(wanted[k].device, node)).collect();
        if below.iter().all(|&k| wanted[k].alone.len() == 3) {
            continue;
        }
        let others_a = others(state, wanted, node);
        let alone_a: [f64; 3] = std::array::from_fn(|phase| state.nodes[node].building_a[phase] + others_a[phase]);
        // Without a meter nobody knows how the building is spread: at worst all on one phase.
        let (alone_a, unknown_a) = if state.meter_believed(node) {
            (alone_a, 0.0)
        } else {
            (others_a, state.nodes[node].building_a.into_iter().fold(0.0, f64::max))
        };
        // Where the building alone is more out of balance, nothing is added to its fullest phase.
        let allowed_a = limit_a - setup.settings.margin_a - METERS_A - unknown_a - state.nodes[node].imbalance_bias.0;
        for _ in 0..ROUNDS {
            let mut amps = alone_a;
            for &k in &below {
                wanted[k].alone.iter().for_each(|&phase| amps[phase] += grants[k].amps);
            }
            let (fullest, emptiest, spread_a) = spread(amps);
            let excess_a = spread_a - allowed_a;
            if excess_a <= SLACK_A {
                break;
            }
            let guilty: Vec<usize> = below
                .iter()
                .copied()
                .filter(|&k| grants[k].amps > 0.0)
                .filter(|&k| wanted[k].alone.contains(&fullest) && !wanted[k].alone.contains(&emptiest))
                .collect();
            if guilty.is_empty() {
                break;
            }
            relieve(&guilty, excess_a, 3 * node + fullest, claims, grants);
        }
    }
}

/// What is expected to flow and what flows differ: where the meter shows more imbalance than is allowed, less is aimed at,
/// until it does not.
pub(super) fn learn(state: &mut State) {
    let setup = state.setup.clone();
    for (node, about) in setup.nodes.iter().enumerate() {
        let Some(limit_a) = about.imbalance_a else { continue };
        let sure_s = state.clock.sure_s;
        let known = &mut state.nodes[node];
        let Some(meter) = known.believed() else { continue };
        let (bias_a, at_s) = known.imbalance_bias;
        if sure_s - at_s < LEARNS_S {
            continue;
        }
        let above_a = spread(meter.phases_a).2 - (limit_a - setup.settings.margin_a);
        let bias_a = if above_a > 0.0 {
            (bias_a + above_a).min(limit_a)
        } else if above_a < -RELAXED_A {
            (bias_a - RELAX_A).max(0.0)
        } else {
            bias_a
        };
        known.imbalance_bias = (bias_a, sure_s);
    }
}

/// What devices below a board show that are in nobody's hands now, by phase, in A.
fn others(state: &State, wanted: &[Wanted], node: usize) -> [f64; 3] {
    let setup = &*state.setup;
    let mut steered = vec![false; setup.devices.len()];
    for wanted in wanted {
        steered[wanted.device] = true;
    }
    let mut amps = [0.0; 3];
    for (k, device) in setup.devices.iter().enumerate() {
        if steered[k] || !setup.hangs_below(k, node) {
            continue;
        }
        let Some((shown_a, _)) = state.devices[k].held.shown_a else { continue };
        device.phases.iter().enumerate().for_each(|(own, &phase)| amps[phase] += shown_a[own]);
    }
    amps
}

/// The fullest phase, the emptiest, and the difference.
fn spread(amps: [f64; 3]) -> (usize, usize, f64) {
    let mut fullest = 0;
    let mut emptiest = 0;
    for phase in 1..3 {
        if amps[phase] > amps[fullest] {
            fullest = phase;
        }
        if amps[phase] < amps[emptiest] {
            emptiest = phase;
        }
    }
    (fullest, emptiest, amps[fullest] - amps[emptiest])
}

/// Takes an excess off those who cause it, in the name of a board's phase.
fn relieve(guilty: &[usize], excess_a: f64, row: usize, claims: &[Claim], grants: &mut [Grant]) {
    let above_a: f64 = guilty.iter().map(|&k| grants[k].amps - claims[k].min_a).sum();
    if above_a >= excess_a {
        for &k in guilty {
            let own_a = grants[k].amps - claims[k].min_a;
            grants[k].amps -= excess_a * own_a / above_a;
        }
        return;
    }
    let mut left_a = excess_a - above_a;
    for &k in guilty {
        grants[k].amps = grants[k].amps.min(claims[k].min_a);
    }
    for &k in guilty.iter().rev() {
        if left_a <= SLACK_A {
            break;
        }
        left_a -= grants[k].amps;
        grants[k] = Grant { amps: 0.0, layer: LAYERS, stopped_by: Some(row) };
    }
}
