//! Which readings can be true: a meter is held against what the devices below it show and what can be fed in.
//!
//! A building draws no less than what its plants feed in at their best. So a phase of a meter is never below what plants,
//! batteries and vehicles below may feed in, and all phases together never below that and what the devices below show that
//! they draw. The first follows from the reading alone and is proven at once, but for a single slip. For the second, a
//! device may have stopped since it last told: it is proven by what was told since the doubt began. The sum of the phases is
//! looked at because a station may hang on other phases than it says.
//!
//! A reading in doubt is not taken in: the building stays where it was, then counts as without a meter. After proof the
//! meter must have shown what can be for a while until it is believed again, longer each time it lies.

use super::building::Below;
use super::command::{Distrust, Notice, Output};
use super::setup::{Kind, Setup};
use super::state::{MeterState, State};

/// What meters and stations may be wrong by, in A on a phase; and stations as a share of what they show.
const SLACK_A: f64 = 2.0;
const SHARE: f64 = 0.1;

/// A reading that cannot be is a slip unless it goes on for so long, in s.
const SLIP_S: f64 = 2.0;

/// What a device tells is of another instant than a meter's reading, by so much at most in s.
pub(super) const LAG_S: f64 = 5.0;

/// A meter that has lied must have shown what can be for so long, in s; twice as long each time, so often.
const CALM_S: f64 = 60.0;
const LONGEST: u32 = 5;

/// Its lies are forgotten once it has been believed for so long, in s.
const FORGOTTEN_S: f64 = 3600.0;

/// A device that fed in may still do so in a reading that is heard so many s later.
const FED_S: f64 = 30.0;

/// Doubts about a meter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Doubt {
    /// Since when, on the clock of what may have passed.
    pub since_s: f64,
    /// Whether it is proven that the meter is wrong.
    pub proven: bool,
    /// Since when it shows again what can be, on the sure clock.
    pub fits_since_s: Option<f64>,
}

/// Remembers which devices may be feeding in.
pub(super) fn feeders(state: &mut State) {
    let (setup, clock) = (state.setup.clone(), state.clock);
    for &device in &*state.feeders.clone() {
        let about = &setup.devices[device];
        let known = &mut state.devices[device];
        let told = known.held.confirmed_a < 0.0 || known.held.pending.is_some_and(|sent| sent.amps < 0.0);
        let shows = known.held.shown_a.is_some_and(|(amps, _)| amps.iter().any(|amps| *amps < 0.0));
        let unknown = !about.managed || !known.known || known.disobeys_since_s.is_some();
        if told || shows || unknown {
            known.fed_in_s = clock.maybe_s;
        }
    }
}

/// The most that may be fed in through each board by what its meter sees, by phase in A.
fn feeding(state: &State) -> Vec<[f64; 3]> {
    let setup = &*state.setup;
    let mut feeding_a: Vec<[f64; 3]> = setup.nodes.iter().map(|node| node.feeds_a).collect();
    for &device in &*state.feeders {
        let (known, about) = (&state.devices[device], &setup.devices[device]);
        if state.clock.maybe_s - known.fed_in_s > FED_S {
            continue;
        }
        for node in setup.chain(about.node) {
            if setup.nodes[node].meter.is_some_and(|meter| meter.sees(about.kind)) {
                about.phases.iter().for_each(|&phase| feeding_a[node][phase] += about.max_discharge_a);
            }
        }
    }
    feeding_a
}

/// Takes in the readings that can be true, and decides which meters are in doubt.
pub(super) fn judge(state: &mut State, below: &Below) {
    let feeding_a = feeding(state);
    let (sure_s, maybe_s) = (state.clock.sure_s, state.clock.maybe_s);
    for (node, feeds_a) in feeding_a.iter().enumerate() {
        let Some(meter) = &state.nodes[node].meter else { continue };
        let Some((phases_a, heard_s)) = meter.fresh else { continue };
        let before = meter.doubt;
        let since_s = before.map_or(maybe_s, |doubt| doubt.since_s);
        let least_a: f64 = below.least_seen_a[node].iter().sum();
        let impossible = (0..3).any(|phase| phases_a[phase] < -feeds_a[phase] - SLACK_A);
        let short = |drawn_a: f64| {
            phases_a.iter().sum::<f64>() < (1.0 - SHARE) * drawn_a - feeds_a.iter().sum::<f64>() - 3.0 * SLACK_A
        };
        let doubtful = impossible || short(least_a);
        let lasts_s = maybe_s - since_s;
        let proven = before.is_some_and(|doubt| doubt.proven)
            || (impossible && lasts_s >= SLIP_S)
            || (lasts_s >= LAG_S && short(told_since(state, node, since_s + LAG_S)));
        let Some(meter) = &mut state.nodes[node].meter else { continue };
        meter.fresh = None;
        if proven && !before.is_some_and(|doubt| doubt.proven) {
            meter.lies += 1;
        }
        if doubtful {
            meter.doubt = Some(Doubt { since_s, proven, fits_since_s: None });
            continue;
        }
        if let Some(doubt) = before.filter(|doubt| doubt.proven) {
            let fits_since_s = doubt.fits_since_s.unwrap_or(sure_s);
            if sure_s - fits_since_s < calm_s(meter.lies) {
                meter.doubt = Some(Doubt { fits_since_s: Some(fits_since_s), ..doubt });
                continue;
            }
        }
        if before.is_some() || meter.lies == 0 {
            meter.fits_since_s = sure_s;
        } else if sure_s - meter.fits_since_s > FORGOTTEN_S {
            meter.lies = 0;
        }
        meter.doubt = None;
        meter.take(phases_a, heard_s, sure_s);
    }
}

/// For how long a meter must have shown what can be, in s, after it has lied so often.
fn calm_s(lies: u32) -> f64 {
    CALM_S * f64::from(1_u32 << lies.saturating_sub(1).min(LONGEST))
}

/// The devices below a board that its meter sees.
fn seen(setup: &Setup, node: usize) -> impl Iterator<Item = usize> + '_ {
    let meter = setup.nodes[node].meter;
    setup.below(node).filter(move |&device| meter.is_some_and(|meter| meter.sees(setup.devices[device].kind)))
}

/// When the last of the devices in a meter's reading told what it draws, on the sure clock; never, where one has not for long. A
/// station without a vehicle has nothing to tell.
pub(super) fn told_by_all_s(state: &State, node: usize) -> f64 {
    let told_s = seen(&state.setup, node).filter_map(|device| {
        let known = &state.devices[device];
        let idle = state.setup.devices[device].kind == Kind::Station && known.stay.is_none();
        if known.held.tells(state.clock) { Some(known.held.shown_at_s) } else { (!idle).then_some(f64::NEG_INFINITY) }
    });
    told_s.fold(f64::INFINITY, f64::min)
}

/// What the devices in a meter's reading have shown since an instant that they draw, together on all phases, in A.
fn told_since(state: &State, node: usize, since_s: f64) -> f64 {
    let setup = &*state.setup;
    seen(setup, node)
        .filter(|&device| state.devices[device].held.shown_a.is_some_and(|(_, at_s)| at_s >= since_s))
        .map(|device| {
            let own = 0..setup.devices[device].phases.len();
            let least_a = state.devices[device].held.least_a(state.clock.maybe_s);
            own.map(|own| least_a[own]).sum::<f64>()
        })
        .sum()
}

/// Decides which meters are believed, and tells.
pub(super) fn believe(state: &mut State, output: &mut Output) {
    let (clock, timeout_s) = (state.clock, state.setup.settings.meter_timeout_s);
    for (node, known) in state.nodes.iter_mut().enumerate() {
        let (shown_a, told_s) = (known.shown_below_a, known.told_below_s);
        let Some(meter) = &mut known.meter else { continue };
        let silent = clock.maybe_s - meter.heard_s > timeout_s;
        let frozen = meter.is_frozen(shown_a, told_s, clock.sure_s);
        meter.distrust = match meter.doubt {
            Some(Doubt { proven: true, .. }) => Some(Distrust::Impossible),
            Some(_) if silent => Some(Distrust::Impossible),
            _ if silent && meter.odd > 0 => Some(Distrust::Absurd),
            _ if silent => Some(Distrust::Silent),
            _ if frozen => Some(Distrust::Frozen),
            _ => None,
        };
        // What may only be a device that stopped and has not told yet is nobody's business.
        let unproven = meter.doubt.is_some_and(|doubt| !doubt.proven);
        match meter.distrust {
            Some(reason) if !meter.told && !unproven => {
                meter.told = true;
                output.notices.push(Notice::MeterLost { node, reason });
            }
            None if meter.told => {
                meter.told = false;
                output.notices.push(Notice::MeterBack { node });
            }
            _ => {}
        }
    }
}

/// In how many s a doubt has to be looked at again.
pub(super) fn look_in_s(meter: &MeterState, sure_s: f64) -> Option<f64> {
    let doubt = meter.doubt?;
    Some(match (doubt.proven, doubt.fits_since_s) {
        (false, _) => 1.0,
        (true, Some(since_s)) => (since_s + calm_s(meter.lies) - sure_s).max(1.0),
        (true, None) => 10.0,
    })
}
