//! What is noticed beside the currents themselves: devices that do not obey, vehicles that sleep or take less, boards on
//! which nothing helps, overrides and phases that have run out.

use super::building::Below;
use super::command::{Notice, Output};
use super::setup::Kind;
use super::state::{DeviceState, State};

/// A device that shows more than it may for so long disobeys, in s beyond its reaction.
const DISOBEYS_S: f64 = 10.0;

/// One that has shown no more than it may for so long obeys again, in s.
const OBEYS_S: f64 = 60.0;

/// A vehicle that shows less than offered for so long is taken to want no more, in s.
const TAKES_LESS_S: f64 = 60.0;

/// It is offered so much more than it takes, in A, so that a change of mind shows.
const HEADROOM_A: f64 = 2.0;

/// A vehicle that takes nothing of what it is offered for so long sleeps, or is full, in s.
const ASLEEP_S: f64 = 90.0;

/// It is woken after so many s without current, by a pause of [`WAKING_S`] (IEC 61851-1, annex A: a vehicle may sleep until
/// the pilot changes); tried so often, each time after twice as long.
const WAKE_AFTER_S: f64 = 300.0;
const WAKINGS: u32 = 3;
const WAKING_S: f64 = 15.0;

/// A device that can switch does so after it has been left out for so long, in s, and goes back after [`SINGLE_S`].
const SINGLE_AFTER_S: f64 = 60.0;
const SINGLE_S: f64 = 900.0;

/// A board above its limit for so long although room was made, in s beyond its tolerance: something is not as documented.
const NOTHING_HELPS_S: f64 = 6.0;

/// A raise within the last so many s may be what has driven a board above its limit.
const JUST_NOW_S: f64 = 20.0;

/// Who may be the cause of that gets nothing for so long, in s, and twice as long each time.
const SUSPECT_S: f64 = 120.0;

/// Then all devices below are cut to this share, again and again.
const CUT: f64 = 0.5;

/// Until nothing has been wrong for so long, in s.
const CUT_FOR_S: f64 = 600.0;

/// Current above the limit that counts, in A.
const ABOVE_A: f64 = 0.5;

pub(super) fn devices(state: &mut State, output: &mut Output) {
    let (setup, sure_s, now) = (state.setup.clone(), state.clock.sure_s, state.clock.now);
    for (device, about) in setup.devices.iter().enumerate() {
        let known = &mut state.devices[device];
        if known.action.is_some_and(|(_, until)| now >= until) {
            known.action = None;
        }
        obeys(known, device, about.reaction_s, sure_s, output);
        single(known, about.switches_phases, sure_s);
        if about.kind == Kind::Station {
            sleeps(known, device, sure_s, output);
        }
    }
}

fn obeys(known: &mut DeviceState, device: usize, reaction_s: f64, sure_s: f64, output: &mut Output) {
    if known.known && known.held.exceeds(sure_s) {
        let since_s = *known.exceeds_since_s.get_or_insert(sure_s);
        if known.disobeys_since_s.is_some() {
            known.disobeys_since_s = Some(sure_s);
        } else if sure_s - since_s > reaction_s + DISOBEYS_S {
            known.disobeys_since_s = Some(sure_s);
            output.notices.push(Notice::Disobeys { device });
        }
    } else {
        known.exceeds_since_s = None;
        if known.disobeys_since_s.is_some_and(|since_s| sure_s - since_s > OBEYS_S) {
            known.disobeys_since_s = None;
            output.notices.push(Notice::Obeys { device });
        }
    }
}

fn single(known: &mut DeviceState, switches: bool, sure_s: f64) {
    if !switches {
        return;
    }
    match known.single_since_s {
        Some(since_s) if sure_s - since_s > SINGLE_S => {
            known.single_since_s = None;
            // What was seen meanwhile tells nothing of what it uses now.
            (known.uses, known.using) = (None, None);
        }
        None if known.left_out_since_s.is_some_and(|since_s| sure_s - since_s > SINGLE_AFTER_S) => {
            known.single_since_s = Some(sure_s);
        }
        _ => {}
    }
}

fn sleeps(known: &mut DeviceState, device: usize, sure_s: f64, output: &mut Output) {
    let granted_a = known.held.confirmed_a.min(known.granted_a);
    let shown = known.held.shown_a.is_some();
    let shown_a = known.held.shown_most_a();
    let Some(stay) = &mut known.stay else {
        known.asleep_told = false;
        return;
    };
    if !shown || granted_a <= 0.0 {
        stay.less_since_s = None;
        stay.refuses_since_s = None;
        return;
    }
    // Takes less: it is offered what it takes and a little more.
    if shown_a < granted_a - HEADROOM_A {
        let since_s = *stay.less_since_s.get_or_insert(sure_s);
        if sure_s - since_s > TAKES_LESS_S {
            stay.takes_a = shown_a + HEADROOM_A;
        }
    } else {
        stay.less_since_s = None;
        if shown_a > stay.takes_a - HEADROOM_A / 2.0 {
            stay.takes_a *= 2.0;
        }
    }

    if shown_a >= 1.0 {
        stay.refuses_since_s = None;
        known.asleep_told = false;
        return;
    }
    let since_s = *stay.refuses_since_s.get_or_insert(sure_s);
    if sure_s - since_s > ASLEEP_S && !known.asleep_told {
        known.asleep_told = true;
        output.notices.push(Notice::Asleep { device });
    }
    let patience_s = WAKE_AFTER_S * f64::from(1_u32 << stay.woken.min(WAKINGS));
    if stay.woken < WAKINGS && sure_s - since_s > patience_s {
        stay.woken += 1;
        stay.waking_until_s = sure_s + WAKING_S;
        stay.refuses_since_s = None;
    }
}

/// Boards above their limit although the devices below left room: a wiring that is not as documented, a load that nobody
/// knows. All below give way, whatever phase they are thought to be on.
pub(super) fn boards(state: &mut State, below: &Below, output: &mut Output) {
    let (setup, sure_s) = (state.setup.clone(), state.clock.sure_s);
    let mut above = Vec::new();
    for (node, about) in setup.nodes.iter().enumerate() {
        let known = &mut state.nodes[node];
        if let Some((_, since_s)) = known.cut
            && sure_s - since_s > CUT_FOR_S
        {
            known.cut = None;
        }
        let shown = known.believed().map(|meter| meter.phases_a);
        let fullest = shown.and_then(|amps| (0..3).find(|&phase| amps[phase] > about.limit_a[phase] + ABOVE_A));
        let Some((phase, amps)) = fullest.zip(shown) else {
            known.above_since_s = None;
            known.overload_told = false;
            continue;
        };
        let since_s = *known.above_since_s.get_or_insert(sure_s);
        if sure_s - since_s >= about.tolerance_s {
            above.push(node);
        }
        if sure_s - since_s <= about.tolerance_s + NOTHING_HELPS_S {
            continue;
        }
        known.above_since_s = Some(sure_s);
        if below.most_a[node].iter().sum::<f64>() > 0.0 {
            let share = known.cut.map_or(1.0, |(share, _)| share);
            known.cut = Some((share * CUT, sure_s));
        }
        if !known.overload_told {
            known.overload_told = true;
            output.notices.push(Notice::Overload { node, phase, amps: amps[phase] });
        }
    }
    for node in above {
        suspect(state, node);
    }
}

/// Whoever was started just before a board went above its limit, and has not shown since that it keeps to what it was given, is
/// taken to be the cause: some chargers take the first setpoint after a pause for no limit at all. So is who was given more and shows
/// that it takes too much.
fn suspect(state: &mut State, node: usize) {
    let (setup, clock) = (state.setup.clone(), state.clock);
    for device in setup.below(node) {
        let known = &mut state.devices[device];
        let raised_s = clock.sure_s - known.raised_at_s;
        if raised_s > JUST_NOW_S || known.granted_a <= 0.0 {
            continue;
        }
        let shown_since = known
            .held
            .shown_a
            .is_some_and(|(_, at_s)| clock.maybe_s - at_s < raised_s - setup.devices[device].reaction_s);
        let started = clock.sure_s - known.switched_at_s <= JUST_NOW_S;
        if (started && !shown_since) || known.held.exceeds(clock.sure_s) {
            let (_, times) = known.suspect;
            known.suspect = (clock.sure_s + SUSPECT_S * f64::from(1_u32 << times.min(5)), times + 1);
        }
    }
}
