//! Grants into commands: decreases at once, increases into what is free now.

use super::building::which;
use super::command::{Output, Setpoint, Why};
use super::held::Sent;
use super::now::Now;
use super::phases;
use super::rooms::Rooms;
use super::settings::Settings;
use super::setup::Kind;
use super::share::{Claim, Grant, LAYERS};
use super::state::{DeviceState, SILENT, State};
use super::wants::{self, Wanted};

/// Setpoints are whole tenths of an ampere, as OCPP sends them (1.6: `limit` with at most one decimal).
const STEP_A: f64 = 0.1;

/// Decreases smaller than this are not worth a message, in A; the margin below every limit is larger.
const NOTHING_A: f64 = 0.05;

/// A decrease must be answered within so many s, or is sent again; and so many s after it was refused.
const DECREASE_ANSWER_S: f64 = 3.0;
const REFUSED_S: f64 = 1.0;

/// Whatever else was refused is not so urgent: so many s after the first time, twice as many after the second. A charger that has
/// just started, or whose transaction begins, takes it then.
const NOT_URGENT_S: f64 = 5.0;

/// Who shows more than it was told is told again after so many s.
const TOLD_AGAIN_S: f64 = 5.0;

/// Increases smaller than the dead band wait for so long, in s.
const SMALL_S: f64 = 60.0;

/// For so long a setpoint above the fallback is good without being renewed, in s, and for so long one that is not.
const VALID_ABOVE_S: f64 = 120.0;
const VALID_BELOW_S: f64 = 1200.0;

/// A setpoint is renewed when this share of the time it is good for has passed: one renewal may get lost.
const RENEWED: f64 = 0.5;

/// What was refused, or not answered again and again, is tried again after so many s.
const RETRY_S: f64 = 30.0;

/// Sends what follows from the grants.
pub(super) fn send(
    state: &mut State,
    now: &Now,
    rooms: &mut Rooms,
    wanted: &[Wanted],
    claims: &[Claim],
    grants: &[Grant],
    output: &mut Output,
) {
    let setup = state.setup.clone();
    let mut place = vec![None; setup.devices.len()];
    for (k, wanted) in wanted.iter().enumerate() {
        place[wanted.device] = Some(k);
    }
    // Decreases first.
    for device in 0..setup.devices.len() {
        if !setup.devices[device].managed || !state.devices[device].up || discharges(state, device) {
            continue;
        }
        let (target_a, phases, why) = match place[device] {
            Some(k) => {
                let target_a = lowered(state, device, grants[k], claims[k].min_a);
                (target_a, wanted[k].told, why(rooms, &wanted[k], grants[k]))
            }
            None if wants::shed(state, device) => (0.0, state.devices[device].granted_phases, Why::Grid),
            None if wants::is_stopped(state, device) => (0.0, state.devices[device].granted_phases, Why::Override),
            None if wants::is_suspect(state, device) => (0.0, state.devices[device].granted_phases, Why::Limit),
            None if now.devices[device].missed && charges(state, device) => {
                (told_again_a(state, now, rooms, device), state.devices[device].granted_phases, Why::Limit)
            }
            None => (0.0, state.devices[device].granted_phases, Why::Idle),
        };
        phases::moves(state, rooms, device);
        remember(state, device, place[device].map(|k| (&wanted[k], grants[k])));
        let known = &state.devices[device];
        let steerable = known.steerable(true);
        // Who fed in and no longer does draws nothing, for which room is always kept.
        let stops = known.granted_a < 0.0;
        let lower = target_a < known.granted_a - NOTHING_A || !known.known || stops;
        let target_a = if steerable || lower { target_a } else { known.granted_a.min(target_a) };
        let untold = steerable && known.failures == 0 && known.held.pending.is_none() && known.choice.is_untold();
        let raises = place[device].is_some() && target_a > known.granted_a;
        if (lower && due(known, steerable, state.clock.sure_s)) || overdue(known, state, raises) || untold {
            let amps = target_a.min(if known.known { known.granted_a.max(0.0) } else { target_a });
            command(state, device, amps, phases, why, output);
        }
    }
    for ((wanted, claim), grant) in wanted.iter().zip(claims).zip(grants) {
        raise(state, rooms, wanted, claim, *grant, output);
    }
}

fn raise(state: &mut State, rooms: &mut Rooms, wanted: &Wanted, claim: &Claim, grant: Grant, output: &mut Output) {
    let (device, min_a) = (wanted.device, claim.min_a);
    let known = &state.devices[device];
    let target_a = floor(grant.amps, min_a);
    let (sure_s, settings) = (state.clock.sure_s, &state.setup.settings);
    let starts = known.granted_a <= 0.0;
    let more_a = target_a - known.granted_a;
    // Small ones wait, but not for ever.
    let small_a = if sure_s - known.raised_at_s < SMALL_S { settings.deadband_a } else { STEP_A / 2.0 };
    if more_a < small_a {
        return;
    }
    if known.held.pending.is_some() || (!starts && sure_s - known.raised_at_s < settings.raise_every_s) {
        return;
    }
    if sure_s - known.sent_at_s < refused_s(known) {
        return;
    }
    // What the meter shows meanwhile tells nothing: a decrease that was obeyed and one that was not look the same.
    if !starts && known.held.settles(sure_s) {
        return;
    }
    // What it may draw already is taken off the spare room: only what goes beyond that needs room.
    let most_a = known.most_a(&state.setup, device, state.clock);
    let free_a = claim.loads.iter().map(|(row, per_a)| rooms.spare[*row] / per_a).fold(f64::INFINITY, f64::min);
    let amps = floor(target_a.min(most_a + free_a.max(0.0)), min_a);
    if amps < known.granted_a + STEP_A / 2.0 || (amps < target_a && amps - known.granted_a < small_a) {
        return;
    }
    let added_a = (amps - most_a).max(0.0);
    claim.loads.iter().for_each(|(row, per_a)| rooms.spare[*row] -= per_a * added_a);
    let why = why(rooms, wanted, grant);
    state.devices[device].raised_at_s = sure_s;
    command(state, device, amps, wanted.told, why, output);
}

/// Whether a device has something to charge, or is no station.
fn charges(state: &State, device: usize) -> bool {
    state.devices[device].stay.is_some() || state.setup.devices[device].kind != Kind::Station
}

/// What a device is told that has not answered, in A: the same, while the others make room for what it may still draw; less where
/// they cannot.
fn told_again_a(state: &State, now: &Now, rooms: &Rooms, device: usize) -> f64 {
    let one = &now.devices[device];
    let loads = rooms.loads(state, device, &which(one.used));
    let free_a = loads.iter().map(|(row, per_a)| rooms.left[*row] / per_a).fold(0.0, f64::min);
    let granted_a = state.devices[device].granted_a;
    granted_a.min(floor((one.counts_a() + free_a).max(0.0), wants::bounds(state, device).0))
}

/// Whether a device may be bothered again.
fn due(known: &DeviceState, steerable: bool, sure_s: f64) -> bool {
    if steerable && known.failures == 0 {
        return known.held.pending.is_none_or(|sent| sure_s > sent.at_s);
    }
    sure_s - known.sent_at_s >= retry_s(known)
}

/// After how many s a decrease that was not answered, or anything that was refused, is sent again.
fn retry_s(known: &DeviceState) -> f64 {
    match (known.failures < SILENT, known.held.pending) {
        (true, Some(_)) => DECREASE_ANSWER_S,
        (true, None) => REFUSED_S,
        (false, _) => RETRY_S,
    }
}

/// After how many s what was refused and is no decrease is sent again.
fn refused_s(known: &DeviceState) -> f64 {
    if known.failures < SILENT { NOT_URGENT_S * f64::from(known.failures) } else { RETRY_S }
}

/// When a device has to be told again, on the sure clock.
pub(super) fn again_at_s(known: &DeviceState) -> f64 {
    if known.exceeds_since_s.is_some() && known.disobeys_since_s.is_none() {
        known.sent_at_s + TOLD_AGAIN_S
    } else if known.failures > 0 && known.held.pending.is_none() {
        known.sent_at_s + retry_s(known)
    } else {
        f64::INFINITY
    }
}

/// Until when an answer is awaited, on the sure clock.
pub(super) fn answer_by_s(known: &DeviceState, settings: &Settings) -> f64 {
    let Some(sent) = known.held.pending else { return f64::INFINITY };
    let patience_s = if sent.amps < known.held.confirmed_a { DECREASE_ANSWER_S } else { settings.answer_timeout_s };
    sent.at_s + if known.failures < SILENT { patience_s } else { RETRY_S }
}

/// Whether a setpoint must be sent again: it has not been answered, is about to lapse, or was refused.
/// What is to be raised anyway is not told before that what it has is refused.
fn overdue(known: &DeviceState, state: &State, raises: bool) -> bool {
    let sure_s = state.clock.sure_s;
    if known.held.pending.is_some() {
        return sure_s >= answer_by_s(known, &state.setup.settings);
    }
    if known.exceeds_since_s.is_some() && known.disobeys_since_s.is_none() {
        return sure_s - known.sent_at_s >= TOLD_AGAIN_S;
    }
    // What was refused has not been renewed either.
    let refused_s = if known.failures > 0 && !raises { refused_s(known) } else { f64::INFINITY };
    let renewed_s = state.setup.settings.renew_s.min(RENEWED * known.valid_s);
    sure_s - known.sent_at_s >= refused_s.min(renewed_s)
}

/// Remembers what later steps need of a grant.
fn remember(state: &mut State, device: usize, granted: Option<(&Wanted, Grant)>) {
    let sure_s = state.clock.sure_s;
    let known = &mut state.devices[device];
    let left_out = granted.is_some_and(|(_, grant)| grant.amps <= 0.0);
    known.left_out_since_s = if left_out { known.left_out_since_s.or(Some(sure_s)) } else { None };
    known.spare_a = granted.map_or(0.0, |(wanted, grant)| (grant.amps - wanted.plan_a).max(0.0));
    let behind = granted.is_some_and(|(wanted, grant)| wanted.behind && grant.amps > 0.0);
    known.behind_since_s = if behind { known.behind_since_s.or(Some(sure_s)) } else { None };
}

/// Sends a setpoint, and counts the higher of old and new until it has been obeyed.
fn command(state: &mut State, device: usize, amps: f64, phases: u8, why: Why, output: &mut Output) {
    let sure_s = state.clock.sure_s;
    let number = state.next_number;
    state.next_number += 1;
    let known = &mut state.devices[device];
    // Since when it leaves decreases unanswered, and since when it was on or off before a start that it leaves unanswered.
    let (before, confirmed_a) = (known.held.pending, known.held.confirmed_a);
    let since_s = before.filter(|sent| sent.amps < confirmed_a).map_or(sure_s, |sent| sent.since_s);
    let switched_at_s = before.filter(|_| confirmed_a <= 0.0).map_or(known.switched_at_s, |sent| sent.switched_at_s);
    if known.held.pending.is_some() {
        if sure_s >= answer_by_s(known, &state.setup.settings) {
            known.failures += 1;
        }
        known.held.superseded();
    }
    if (known.granted_a > 0.0) != (amps > 0.0) {
        known.stops = match amps > 0.0 {
            true => known.stops,
            false if matches!(why, Why::Idle | Why::Override) => 0,
            // A whole turn makes good for half of the stops before it: where it was stopped again and again, it will be.
            false if sure_s - known.switched_at_s >= state.setup.settings.turn_s => known.stops / 2,
            false => known.stops + 1,
        };
        known.switched_at_s = sure_s;
    }
    let fallback_a =
        state.setup.devices[device].fallback_a.map_or(0.0, |hours| hours.into_iter().fold(f64::INFINITY, f64::min));
    // What feeds in while nobody looks may drive a board backwards.
    let valid_s = if amps > fallback_a || amps < 0.0 { VALID_ABOVE_S } else { VALID_BELOW_S };
    known.granted_a = amps;
    known.granted_phases = phases;
    known.sent_at_s = sure_s;
    known.valid_s = valid_s;
    let phase = known.choice.told;
    let phases = if phase.is_some() { 1 } else { phases };
    known.held.pending = Some(Sent { number, amps, phase, at_s: sure_s, since_s, switched_at_s });
    output.setpoints.push(Setpoint { number, device, amps, phases, phase, valid_s, why });
}

/// A grant in whole steps. Where a limit has taken a little off what a device has, it takes the whole dead band: limits move all
/// the time, and each message wears the memory of a charger.
fn lowered(state: &State, device: usize, grant: Grant, min_a: f64) -> f64 {
    let (target_a, granted_a) = (floor(grant.amps, min_a), state.devices[device].granted_a);
    let limited = grant.stopped_by.is_some() && target_a > 0.0 && target_a < granted_a;
    if limited { target_a.min(floor(granted_a - state.setup.settings.deadband_a, min_a)).max(min_a) } else { target_a }
}

/// Down to whole steps; nothing below the minimum.
fn floor(amps: f64, min_a: f64) -> f64 {
    let amps = ((amps + 1e-6) / STEP_A).floor() * STEP_A;
    if amps + 1e-6 < min_a { 0.0 } else { amps.max(min_a) }
}

fn why(rooms: &Rooms, wanted: &Wanted, grant: Grant) -> Why {
    match (grant.stopped_by, grant.layer) {
        (Some(row), _) if rooms.is_grid(row) => Why::Grid,
        (Some(_), LAYERS) => Why::Turn,
        (Some(_), _) => Why::Limit,
        (None, 0) if wanted.boosted => Why::Override,
        (None, 0) => Why::Guaranteed,
        (None, 1) => Why::Plan,
        (None, 2) => Why::Spare,
        (None, _) => Why::Idle,
    }
}

/// What a device is planned to feed in, in A per phase; 0 where it is not or cannot.
fn feeds_a(state: &State, device: usize) -> f64 {
    let (setup, known) = (&*state.setup, &state.devices[device]);
    let about = &setup.devices[device];
    let supplied = || wants::supplies(state, device).next().is_some();
    if about.max_discharge_a <= 0.0 || !known.steerable(about.managed) || supplied() {
        return 0.0;
    }
    let planned_a = state.targets.as_ref().and_then(|targets| targets.at(device, state.clock.now));
    let asked_a = planned_a.or(known.wish_a).unwrap_or(0.0);
    let most_a = match (&known.stay, about.kind) {
        (Some(stay), Kind::Station) => about.max_discharge_a.min(stay.session.max_discharge_a),
        (None, Kind::Station) => 0.0,
        (_, _) => about.max_discharge_a,
    };
    (-asked_a).clamp(0.0, most_a)
}

fn discharges(state: &State, device: usize) -> bool {
    state.setup.devices[device].max_discharge_a > 0.0 && feeds_a(state, device) > 0.0
}

/// Sends what feeds in: as planned, as far as no board is driven above its limit backwards. It needs a meter to see that.
pub(super) fn discharge(state: &mut State, output: &mut Output) {
    if state.feeders.is_empty() {
        return;
    }
    let setup = state.setup.clone();
    let mut room_a: Vec<[f64; 3]> = (0..setup.nodes.len())
        .map(|node| {
            let known = &state.nodes[node];
            let lowest_a = known.dip_a.map(|(amps, _)| amps.min(0.0));
            std::array::from_fn(|phase| setup.nodes[node].limit_a[phase] - setup.settings.margin_a + lowest_a[phase])
        })
        .collect();
    for &device in &*state.feeders.clone() {
        let wish_a = feeds_a(state, device);
        if wish_a <= 0.0 {
            continue;
        }
        let about = &setup.devices[device];
        let seen = setup.chain(about.node).any(|node| state.meter_believed(node));
        let mut amps = if seen { wish_a } else { 0.0 };
        for node in setup.chain(about.node) {
            about.phases.iter().for_each(|&phase| amps = amps.min(room_a[node][phase].max(0.0)));
        }
        let amps = (amps / STEP_A).floor() * STEP_A;
        for node in setup.chain(about.node) {
            about.phases.iter().for_each(|&phase| room_a[node][phase] -= amps);
        }
        let known = &state.devices[device];
        let changed = (known.granted_a + amps).abs() > state.setup.settings.deadband_a;
        if (changed && due(known, true, state.clock.sure_s)) || overdue(known, state, false) {
            let phases = u8::try_from(about.phases.len()).unwrap_or(3);
            command(state, device, -amps, phases, Why::Plan, output);
        }
    }
}
