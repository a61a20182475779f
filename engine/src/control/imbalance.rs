//! The imbalance limit: the largest less the smallest phase current of a board.
//!
//! It works on what is expected to flow, the building as measured and the devices as granted, because setpoints are upper
//! limits and cannot promise a current. What is granted on the fullest phase alone gives way, in proportion to what it has
//! above its minimum, then from the end of the line. What the building does by itself is left.

use super::setup::Setup;
use super::share::{Grant, LAYERS};
use super::state::State;
use super::wants::Wanted;

/// Rounds for one board: each relieves one phase.
const ROUNDS: usize = 6;

/// Amperes that count as nothing.
const SLACK_A: f64 = 0.01;

pub(super) fn keep(state: &State, wanted: &[Wanted], grants: &mut [Grant]) {
    let setup = &*state.setup;
    for node in setup.downwards.iter().rev().copied() {
        let Some(limit_a) = setup.nodes[node].imbalance_a else { continue };
        let below: Vec<usize> = (0..wanted.len()).filter(|&k| is_below(setup, wanted[k].device, node)).collect();
        if below.iter().all(|&k| wanted[k].phases.len() == 3) {
            continue;
        }
        let others_a = others(state, wanted, node);
        let alone_a: [f64; 3] = std::array::from_fn(|phase| state.nodes[node].building_a[phase] + others_a[phase]);
        let allowed_a = (limit_a - setup.settings.margin_a).max(spread(alone_a).2);
        for _ in 0..ROUNDS {
            let mut amps = alone_a;
            for &k in &below {
                wanted[k].phases.iter().for_each(|&phase| amps[phase] += grants[k].amps);
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
                .filter(|&k| wanted[k].phases.contains(&fullest) && !wanted[k].phases.contains(&emptiest))
                .collect();
            if guilty.is_empty() {
                break;
            }
            relieve(&guilty, excess_a, wanted, grants);
        }
    }
}

fn is_below(setup: &Setup, device: usize, node: usize) -> bool {
    setup.chain(setup.devices[device].node).any(|above| above == node)
}

/// What devices below a board show that are in nobody's hands now, by phase, in A.
fn others(state: &State, wanted: &[Wanted], node: usize) -> [f64; 3] {
    let setup = &*state.setup;
    let mut steered = vec![false; setup.devices.len()];
    wanted.iter().for_each(|wanted| steered[wanted.device] = true);
    let mut amps = [0.0; 3];
    for (k, device) in setup.devices.iter().enumerate() {
        if steered[k] || !is_below(setup, k, node) {
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

/// Takes an excess off those who cause it.
fn relieve(guilty: &[usize], excess_a: f64, wanted: &[Wanted], grants: &mut [Grant]) {
    let above_a: f64 = guilty.iter().map(|&k| grants[k].amps - wanted[k].claim.min_a).sum();
    if above_a >= excess_a {
        for &k in guilty {
            let own_a = grants[k].amps - wanted[k].claim.min_a;
            grants[k].amps -= excess_a * own_a / above_a;
        }
        return;
    }
    let mut left_a = excess_a - above_a;
    guilty.iter().for_each(|&k| grants[k].amps = grants[k].amps.min(wanted[k].claim.min_a));
    for &k in guilty.iter().rev() {
        if left_a <= SLACK_A {
            break;
        }
        left_a -= grants[k].amps;
        grants[k] = Grant { amps: 0.0, layer: LAYERS, stopped_by: None };
    }
}
