//! Events into knowledge.

use super::ahead::Ahead;
use super::event::Event;
use super::held::Held;
use super::phases;
use super::state::{DeviceState, MeterState, State, Stay};

/// A reading above so many times the highest limit of its board cannot be: no fuse carries it for a second.
const ABSURD_TIMES: f64 = 10.0;

/// After so many readings from the past in a row the meter's clock has been set back.
const SET_BACK: u32 = 5;

/// Phases count as used above this current in A: below it is the charger's own electronics.
const USED_A: f64 = 2.0;

/// For how long the same phases must have been used until they are believed, in s.
const LEARNT_S: f64 = 30.0;

pub(super) fn hear(state: &mut State, event: &Event) {
    match event {
        Event::Meter { node, at, phases_a } => meter(state, *node, *at, *phases_a),
        Event::Drawn { device, phases_a, session_kwh } => drawn(state, *device, *phases_a, *session_kwh),
        Event::Link { device, up } => {
            let Some(known) = state.devices.get_mut(*device) else { return };
            if *up && !known.up {
                // What was on its way when the link went may have arrived or not.
                known.failures = 0;
            }
            known.up = *up;
            known.met |= *up;
        }
        Event::Booted { device } => {
            let Some(known) = state.devices.get_mut(*device) else { return };
            known.known = false;
            known.up = true;
            known.met = true;
            // What it did not answer before says nothing of what it hears now.
            known.failures = 0;
            known.choice.taken = None;
            known.held = Held::unknown(&state.setup.devices[*device]);
        }
        Event::Holds { device, amps } => {
            let rating_a = state.setup.devices.get(*device).map_or(0.0, |device| device.max_a);
            let Some(known) = state.devices.get_mut(*device) else { return };
            let amps = amps.filter(|amps| amps.is_finite()).map_or(rating_a, |amps| amps.min(rating_a));
            known.held.confirmed_a = amps;
            known.held.lowest_a = known.held.lowest_a.min(amps);
            known.held.confirmed_at_s = state.clock.sure_s;
            known.held.settling.clear();
            if !known.known {
                known.granted_a = amps;
                if amps > 0.0 {
                    known.switched_at_s = state.clock.sure_s;
                }
                known.known = true;
            }
        }
        Event::Stores { device, by_hour_a } => {
            let rating_a = state.setup.devices.get(*device).map_or(0.0, |device| device.max_a);
            let Some(known) = state.devices.get_mut(*device) else { return };
            known.stored_a = Some(by_hour_a.map(|amps| if amps.is_finite() { amps } else { rating_a }));
        }
        Event::Answered { device, number, accepted } => answered(state, *device, *number, *accepted),
        Event::Session { device, session } => {
            let sure_s = state.clock.sure_s;
            let Some(known) = state.devices.get_mut(*device) else { return };
            match &mut known.stay {
                Some(stay) if stay.session.id == session.id => stay.session = session.clone(),
                _ => {
                    known.uses = None;
                    known.using = None;
                    known.choice = known.choice.of_next_vehicle();
                    if known.stay.is_some() {
                        // What was shown was another vehicle's.
                        known.held.shown_a = None;
                    }
                    known.stay = Some(Stay {
                        session: session.clone(),
                        got_kwh: 0.0,
                        since_s: sure_s,
                        takes_a: f64::INFINITY,
                        less_since_s: None,
                        refuses_since_s: None,
                        woken: 0,
                        waking_until_s: f64::NEG_INFINITY,
                    });
                }
            }
            state.replan = true;
        }
        Event::Unplugged { device } => {
            let Some(known) = state.devices.get_mut(*device) else { return };
            known.stay = None;
            known.uses = None;
            known.using = None;
            known.choice = known.choice.of_next_vehicle();
            // A socket without a vehicle draws nothing.
            known.held.shown_a = None;
            state.replan = true;
        }
        Event::Wish { device, amps } => {
            if let Some(known) = state.devices.get_mut(*device) {
                known.wish_a = amps.is_finite().then_some(*amps);
            }
        }
        Event::Planned(targets) => state.targets = Some(targets.clone()),
        Event::Signal(signal) => {
            state.signals.retain(|known| known.id != signal.id);
            state.signals.push(signal.clone());
            state.replan = true;
        }
        Event::Withdrawn { id } => {
            state.signals.retain(|known| known.id != *id);
            state.replan = true;
        }
        Event::Override { device, action, until } => {
            if let Some(known) = state.devices.get_mut(*device) {
                known.action = action.map(|action| (action, *until));
                state.replan = true;
            }
        }
    }
}

fn answered(state: &mut State, device: usize, number: u64, accepted: bool) {
    let sure_s = state.clock.sure_s;
    let Some(known) = state.devices.get_mut(device) else { return };
    if accepted {
        known.held.takes_refused(number);
    }
    // An answer to an older command tells nothing of the one on its way.
    if known.held.pending.is_none_or(|sent| sent.number != number) {
        return;
    }
    known.known = true;
    if accepted {
        known.failures = 0;
        let phase = known.held.pending.and_then(|sent| sent.phase);
        known.held.accepted(sure_s, state.setup.devices[device].reaction_s);
        if known.granted_a <= 0.0 && known.held.confirmed_a > 0.0 {
            // It had refused to start, and starts after all.
            known.switched_at_s = sure_s;
        }
        known.granted_a = known.held.confirmed_a;
        phases::taken(known, phase);
    } else {
        known.failures += 1;
        known.held.refused = known.held.pending.take();
        if let Some(refused) = known.held.refused.filter(|_| known.granted_a > 0.0 && known.held.confirmed_a <= 0.0) {
            // It has not started, and needs no other pause before it does.
            known.switched_at_s = refused.switched_at_s;
        }
        known.granted_a = known.held.confirmed_a;
    }
}

fn drawn(state: &mut State, device: usize, phases_a: [f64; 3], session_kwh: Option<f64>) {
    let (sure_s, maybe_s) = (state.clock.sure_s, state.clock.maybe_s);
    let Some(known) = state.devices.get_mut(device) else { return };
    let highest_a = 4.0 * state.setup.devices[device].max_a.max(1.0);
    if phases_a.iter().any(|amps| !amps.is_finite() || amps.abs() > highest_a) {
        return;
    }
    known.held.shows(phases_a, sure_s, maybe_s);
    known.choice.shows = true;
    learn_phases(known, phases_a, sure_s);
    let Some(stay) = &mut known.stay else { return };
    // What is fed in has to be got again.
    let feeds_in = state.setup.devices[device].max_discharge_a > 0.0;
    if let Some(kwh) = session_kwh.filter(|kwh| kwh.is_finite() && (feeds_in || *kwh >= stay.got_kwh)) {
        stay.got_kwh = kwh;
    }
}

fn learn_phases(known: &mut DeviceState, phases_a: [f64; 3], sure_s: f64) {
    let mut bits = 0_u8;
    for (own, amps) in phases_a.iter().enumerate() {
        bits |= u8::from(*amps > USED_A) << own;
    }
    if bits == 0 {
        known.using = None;
        return;
    }
    match known.using {
        Some((seen, since_s)) if seen == bits => {
            if sure_s - since_s >= LEARNT_S {
                known.uses = Some(bits);
            }
        }
        _ => known.using = Some((bits, sure_s)),
    }
    // A phase more than was believed counts at once.
    if let Some(uses) = known.uses.filter(|uses| bits & !uses != 0) {
        known.uses = Some(uses | bits);
    }
}

fn meter(state: &mut State, node: usize, at: chrono::DateTime<chrono::Utc>, phases_a: [f64; 3]) {
    let Some(limits_a) = state.setup.nodes.get(node).map(|node| node.limit_a) else { return };
    if state.setup.nodes[node].meter.is_none() {
        return;
    }
    let clock = state.clock;
    let absurd_a = ABSURD_TIMES * limits_a.into_iter().fold(1.0, f64::max);
    let absurd = phases_a.iter().any(|amps| !amps.is_finite() || amps.abs() > absurd_a);
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of years fit")]
    let ahead_s = (clock.now - at).num_milliseconds() as f64 / 1000.0;
    let Some(meter) = &mut state.nodes[node].meter else {
        if !absurd {
            let meter = MeterState::new(at, Ahead::new(ahead_s, clock.maybe_s));
            state.nodes[node].meter = Some(MeterState { fresh: Some((phases_a, clock.maybe_s)), ..meter });
        }
        return;
    };
    if absurd {
        meter.odd += 1;
        return;
    }
    if at < meter.at {
        meter.odd += 1;
        if meter.odd < SET_BACK {
            return;
        }
        meter.ahead = Ahead::new(ahead_s, clock.maybe_s);
    }
    meter.odd = 0;
    meter.ahead.sees(ahead_s, clock.maybe_s);
    meter.at = at;
    meter.fresh = Some((phases_a, clock.maybe_s - (ahead_s - meter.ahead.least_s())));
}
