//! The imbalance limit: the largest less the smallest phase current of a board.
//!
//! It works on what is expected to flow, the building as measured and the devices as granted, because setpoints are upper
//! limits and cannot promise a current. What is granted on the fullest phase alone gives way, in proportion to what it has
//! above its minimum, then from the end of the line. What the building does by itself is left.

use kwartier_data::instance::PhaseIndex;

use super::setup::Kind;
use super::share::{Claim, Grant, LAYERS};
use super::state::State;
use super::wants::Wanted;

/// Rounds for one board: each relieves one phase of what it has more than another one.
const ROUNDS: usize = 12;

/// Two phases, of which the first may have more.
const PAIRS: [(PhaseIndex, PhaseIndex); 6] = [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)];

/// What two phases of a meter may be wrong by together, in A.
const METERS_A: f64 = 0.5;

/// The aim is changed every so many s: devices need time to follow.
const LEARNS_S: f64 = 12.0;

/// It is relaxed by so many A where the meter shows so many A less than allowed.
const RELAX_A: f64 = 0.5;
const RELAXED_A: f64 = 2.0;

/// A building's phases move against each other all the time. Who has to give way gives way so far that it lasts, and who gets
/// more leaves so much, in A: chargers are not told something else every few seconds.
const CALM_A: f64 = 2.0;

/// Amperes that count as nothing.
const SLACK_A: f64 = 0.01;

pub(super) fn keep(state: &mut State, wanted: &[Wanted], claims: &[Claim], grants: &mut [Grant]) {
    let setup = state.setup.clone();
    for node in setup.downwards.iter().rev().copied() {
        let Some(limit_a) = setup.nodes[node].imbalance_a else { continue };
        state.nodes[node].imbalance_expected_a = limit_a;
        let below: Vec<usize> = (0..wanted.len()).filter(|&k| setup.hangs_below(wanted[k].device, node)).collect();
        if below.iter().all(|&k| PAIRS.iter().all(|&(p, q)| !adds(state, &wanted[k], p, q))) {
            continue;
        }
        // With a meter: what flows now, and what the grants change of it. Without one nobody knows how the building is spread:
        // at worst all on one phase.
        let metered = state.nodes[node].believed().is_some();
        let unknown_a = if metered { 0.0 } else { state.nodes[node].building_a.into_iter().fold(0.0, f64::max) };
        let Flow { all_a: flows_a, of_a } = flow(state, wanted, &below, node);
        // Where the building alone is more out of balance, nothing is added to its fullest phase.
        let allowed_a = limit_a - setup.settings.margin_a - METERS_A - unknown_a - state.nodes[node].imbalance_bias.0;
        let spread_a = |&(p, q): &(usize, usize), grants: &[Grant]| {
            let net_a = |((&k, grant), now_a): ((&usize, &Grant), &[f64; 3])| {
                let (wanted, granted_a) = (&wanted[k], grant.amps);
                match (adds(state, wanted, p, q), adds(state, wanted, q, p)) {
                    (true, _) => granted_a - now_a[p],
                    (false, true) if wanted.sure => now_a[q] - relies_on_a(state, node, wanted, q, granted_a),
                    (false, true) => (now_a[q] - granted_a).max(0.0),
                    (false, false) => 0.0,
                }
            };
            flows_a[p] - flows_a[q] + below.iter().zip(grants).zip(&of_a).map(net_a).sum::<f64>()
        };
        // Grants of those below, until no phase has more than so many A more than another one.
        let within = |allowed_a: f64, mut grants: Vec<Grant>| {
            for _ in 0..ROUNDS {
                let guilty_of = |&(p, q): &(usize, usize)| -> Vec<usize> {
                    let on = |i: &usize| grants[*i].amps > 0.0 && adds(state, &wanted[below[*i]], p, q);
                    (0..below.len()).filter(on).collect()
                };
                let worst = PAIRS
                    .iter()
                    .map(|pair| (pair, spread_a(pair, &grants) - allowed_a))
                    .filter(|(pair, excess_a)| *excess_a > SLACK_A && !guilty_of(pair).is_empty())
                    .max_by(|(_, a), (_, b)| a.total_cmp(b));
                let Some((pair, excess_a)) = worst else { break };
                let guilty = guilty_of(pair);
                relieve(&guilty, excess_a, 3 * node + pair.0, |i| claims[below[i]].min_a, &mut grants);
            }
            grants
        };
        let wishes: Vec<Grant> = below.iter().map(|&k| grants[k]).collect();
        let calm = within(allowed_a - CALM_A, wishes.clone());
        // What is calm as it is, is allowed.
        let most = if calm == wishes { wishes } else { within(allowed_a, wishes) };
        let has_a = |k: usize| state.devices[wanted[k].device].granted_a;
        let kept: Vec<Grant> = below
            .iter()
            .zip(most.iter().zip(&calm))
            .map(|(&k, (most, calm))| settled(has_a(k), *most, *calm))
            .collect();
        let expected_a = PAIRS.iter().map(|pair| spread_a(pair, &kept)).fold(0.0, f64::max);
        below.iter().zip(kept).for_each(|(&k, grant)| grants[k] = grant);
        state.nodes[node].imbalance_expected_a = expected_a;
    }
}

/// Whether what a device draws may come on a phase and not on another one.
fn adds(state: &State, wanted: &Wanted, phase: PhaseIndex, other: PhaseIndex) -> bool {
    if !state.setup.devices[wanted.device].phases_known {
        return wanted.phases.len() < 3 || !wanted.sure;
    }
    let place = |phase: PhaseIndex| wanted.phases.iter().position(|own| *own == phase);
    match (place(phase), place(other)) {
        (Some(_), None) => true,
        // It may use no more than its first phases.
        (Some(_), Some(_)) if wanted.either => true,
        (Some(own), Some(others)) => !wanted.sure && own < others,
        (None, _) => false,
    }
}

/// What flows at a board now.
struct Flow {
    /// By phase, in A.
    all_a: [f64; 3],
    /// What of that is each device's below, by phase in A.
    of_a: Vec<[f64; 3]>,
}

/// What flows at a board: with a meter what that shows; without one what devices in nobody's hands show, and nothing of it is
/// anybody's else.
fn flow(state: &State, wanted: &[Wanted], below: &[usize], node: usize) -> Flow {
    let setup = &*state.setup;
    let mut of_a = vec![[0.0; 3]; below.len()];
    let Some(meter) = state.nodes[node].believed() else {
        return Flow { all_a: others(state, wanted, node, |_| true), of_a };
    };
    let seen = |kind| setup.nodes[node].meter.is_some_and(|meter| meter.sees(kind));
    let (seen_a, unseen_a) = (others(state, wanted, node, seen), others(state, wanted, node, |kind| !seen(kind)));
    // A device that has just been given current, or moved, may draw it already or not. What it surely draws, and what it may
    // beyond that:
    let mut may_a = vec![[0.0; 3]; below.len()];
    for (i, &k) in below.iter().enumerate().filter(|(_, k)| seen(setup.devices[wanted[**k].device].kind)) {
        for phase in 0..3 {
            let (sure_a, most_a) = draws_a(state, &wanted[k], phase);
            (of_a[i][phase], may_a[i][phase]) = (sure_a, most_a - sure_a);
        }
    }
    for phase in (0..3).filter(|&phase| may_a.iter().any(|amps| amps[phase] > 0.0)) {
        // The meter tells which, as far as the building is known.
        let sum = |amps: &[[f64; 3]]| {
            let loads = below.iter().zip(amps).filter(|(k, _)| wanted[**k].phases.contains(&phase));
            loads.map(|(_, amps)| amps[phase]).sum::<f64>()
        };
        let unexplained_a = meter.phases_a[phase] - state.nodes[node].building_a[phase] - seen_a[phase] - sum(&of_a);
        let share = (unexplained_a / sum(&may_a).max(SLACK_A)).clamp(0.0, 1.0);
        for (of_a, may_a) in of_a.iter_mut().zip(&may_a) {
            of_a[phase] += share * may_a[phase];
        }
    }
    Flow { all_a: std::array::from_fn(|phase| meter.phases_a[phase] + unseen_a[phase]), of_a }
}

/// What a device is taken to draw on a phase now, in A, surely and at most: what it shows and what it may; what it may where it
/// shows nothing.
fn draws_a(state: &State, wanted: &Wanted, phase: PhaseIndex) -> (f64, f64) {
    let (about, known) = (&state.setup.devices[wanted.device], &state.devices[wanted.device]);
    let own = about.phases.iter().position(|of| *of == phase).unwrap_or(0);
    let most_a = known.held.most_a(state.clock.sure_s);
    if !known.held.tells(state.clock) {
        return (most_a, most_a);
    }
    let shown_a = known.held.shown_a.map_or(0.0, |(amps, _)| amps[own]);
    // Who is being moved from one phase to another one draws on either, or on none.
    let may_a = if wanted.either { most_a.max(shown_a) } else { known.held.expected_a(state.clock)[own] };
    (shown_a.min(may_a), may_a)
}

/// What a device may be relied on to draw on a phase, in A: no more than it has shown. One that never shows anything is taken
/// at its grant where the board's meter tells soon enough that this is wrong.
fn relies_on_a(state: &State, node: usize, wanted: &Wanted, phase: PhaseIndex, granted_a: f64) -> f64 {
    let (about, known) = (&state.setup.devices[wanted.device], &state.devices[wanted.device]);
    let own = about.phases.iter().position(|of| *of == phase);
    match (known.held.shown_a, own) {
        (Some((amps, _)), Some(own)) => granted_a.min(amps[own].max(0.0)),
        _ if state.meter_believed(node) => granted_a,
        _ => 0.0,
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
        // What the building does alone cannot be helped.
        let above_a = spread(meter.phases_a) - (limit_a - setup.settings.margin_a).max(spread(known.building_a));
        let bias_a = if above_a > 0.0 {
            // So much that something of what was granted has to give way.
            let aimed_a = limit_a - setup.settings.margin_a - METERS_A;
            (bias_a + above_a).max(aimed_a - known.imbalance_expected_a + above_a).min(limit_a)
        } else if above_a < -RELAXED_A {
            (bias_a - RELAX_A).max(0.0)
        } else {
            bias_a
        };
        known.imbalance_bias = (bias_a, sure_s);
    }
}

/// What devices of some kinds below a board show that are in nobody's hands now, by phase, in A.
fn others(state: &State, wanted: &[Wanted], node: usize, of: impl Fn(Kind) -> bool) -> [f64; 3] {
    let setup = &*state.setup;
    let mut steered = vec![false; setup.devices.len()];
    for wanted in wanted {
        steered[wanted.device] = true;
    }
    let mut amps = [0.0; 3];
    for (k, device) in setup.devices.iter().enumerate() {
        if steered[k] || !of(device.kind) || !setup.hangs_below(k, node) {
            continue;
        }
        let Some((shown_a, _)) = state.devices[k].held.shown_a else { continue };
        device.phases.iter().enumerate().for_each(|(own, &phase)| amps[phase] += shown_a[own]);
    }
    amps
}

/// What a device that has so many amperes gets, where so much is allowed at most and so much would last: what would last once it
/// has to change at all. Who may be on at all is not kept off for calm's sake.
fn settled(has_a: f64, most: Grant, calm: Grant) -> Grant {
    if calm.amps <= 0.0 {
        return most;
    }
    if has_a > most.amps || has_a < calm.amps { calm } else { Grant { amps: has_a, ..most } }
}

/// The fullest phase less the emptiest one.
fn spread(amps: [f64; 3]) -> f64 {
    let [a, b, c] = amps;
    a.max(b).max(c) - a.min(b).min(c)
}

/// Takes an excess off those who cause it, in the name of a board's phase.
fn relieve(guilty: &[usize], excess_a: f64, row: usize, min_a: impl Fn(usize) -> f64, grants: &mut [Grant]) {
    let above_a: f64 = guilty.iter().map(|&k| grants[k].amps - min_a(k)).sum();
    if above_a >= excess_a {
        for &k in guilty {
            let own_a = grants[k].amps - min_a(k);
            grants[k].amps -= excess_a * own_a / above_a;
            grants[k].stopped_by = Some(row);
        }
        return;
    }
    let mut left_a = excess_a - above_a;
    for &k in guilty {
        grants[k].amps = grants[k].amps.min(min_a(k));
        grants[k].stopped_by = Some(row);
    }
    for &k in guilty.iter().rev() {
        if left_a <= SLACK_A {
            break;
        }
        left_a -= grants[k].amps;
        grants[k] = Grant { amps: 0.0, layer: LAYERS, stopped_by: Some(row) };
    }
}
