//! On which phase a vehicle charges that charges on one, where its station can choose (OCPP 2.0.1: `phaseToUse`).
//!
//! Who arrives is put on the phase with the most room, which costs nothing. Who charges is moved only where it gets less than
//! it wants and would for a while have clearly more elsewhere, because contactors open for that and vehicles take offence.
//!
//! A station that is told a phase is not believed to be on it. What counts is every phase on which it may be: the one told,
//! the one taken before, the one on which it shows current; and its first one, on which those charge that do not choose at
//! all, until it has once shown current on another one that it was told. One that is not in our hands may be on any. So a
//! station that ignores what it is told costs room and no fuse.

use kwartier_data::instance::PhaseIndex;

use super::building::{Phases, which};
use super::now::Now;
use super::rooms::Rooms;
use super::setup::Device;
use super::share::{Claim, Grant, LAYERS};
use super::state::{DeviceState, State};
use super::wants::{Wanted, bounds};

/// A vehicle is moved for so many A more, and not for less.
const GAIN_A: f64 = 3.0;

/// Another phase must have been better for so long, in s.
const LASTS_S: f64 = 60.0;

/// Room that was seen there and is not had within so many s is not waited for any longer.
const WAITS_S: f64 = 180.0;

/// A vehicle is moved so often in its stay.
const MOST_MOVES: u32 = 4;

/// A station that shows current elsewhere so many s after it has taken a phase does not follow: contactors need 10 s, meters up
/// to a minute.
const FOLLOWS_S: f64 = 90.0;

/// What is known of the phase that a station has chosen. Phases are its own, 0 = L1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Choice {
    /// What it was told last, for the vehicle that is there.
    pub told: Option<u8>,
    /// When that was, on the sure clock.
    pub told_at_s: f64,
    /// What it took last; `None`, it may be on any.
    pub taken: Option<u8>,
    /// On which phase its vehicle would have more, and since when that is so, on the sure clock.
    pub better: Option<(u8, f64)>,
    /// Where its vehicle is to be as soon as there is room for it.
    pub aim: Option<u8>,
    /// How often the vehicle that is there was moved.
    pub moves: u32,
    /// Whether it has ever shown what it draws: of one that never does nobody would know whether it follows, and it is not told.
    pub shows: bool,
    /// Whether it has shown that it follows.
    pub follows: bool,
}

impl Choice {
    /// What is left of it for the next vehicle.
    pub(super) fn of_next_vehicle(self) -> Choice {
        Choice { taken: self.taken, shows: self.shows, follows: self.follows, ..Choice::default() }
    }

    /// Whether it still has to be told.
    pub(super) fn is_untold(&self) -> bool {
        self.told.is_some() && self.told != self.taken
    }
}

/// Whether a vehicle that charges on one phase may be on this one of its station's. `uses`: where it was seen.
pub(super) fn may_be_on(choice: &Choice, uses: Option<u8>, own: usize) -> bool {
    let is = |phase: Option<u8>| phase.is_some_and(|phase| usize::from(phase) == own);
    let wanted = is(choice.told) || is(choice.aim);
    match uses {
        Some(bits) => wanted || bits >> own & 1 == 1,
        None => wanted || choice.taken.is_none() || is(choice.taken) || (!choice.follows && own == 0),
    }
}

/// Whether the vehicle at a device charges on one phase: because it was said, or because it is told to. One of which nothing was
/// said counts with the last clamp on all phases that it might use, so that nothing is gained by moving it.
pub(super) fn is_single(known: &DeviceState) -> bool {
    let told = known.stay.as_ref().and_then(|stay| stay.session.phases);
    known.stay.is_some() && (told == Some(1) || known.single_since_s.is_some())
}

/// Whether a device has a vehicle now for which it can choose a phase.
pub(super) fn chooses_now(about: &Device, known: &DeviceState) -> bool {
    about.chooses_phase && is_single(known)
}

/// Looks which stations follow, and forgets what is known of those that are in nobody's hands.
pub(super) fn watch(state: &mut State) {
    let (setup, sure_s) = (state.setup.clone(), state.clock.sure_s);
    for &device in &*state.choosers.clone() {
        let (about, known) = (&setup.devices[device], &mut state.devices[device]);
        if !known.steerable(about.managed) {
            (known.uses, known.using) = (None, None);
            (known.choice.taken, known.choice.aim, known.choice.better) = (None, None, None);
            continue;
        }
        if !is_single(known) {
            (known.choice.told, known.choice.aim, known.choice.better) = (None, None, None);
            continue;
        }
        let choice = &mut known.choice;
        let (Some(told), Some(bits)) = (choice.told, known.uses) else { continue };
        if choice.taken != Some(told) {
            continue;
        }
        if bits == 1 << told {
            choice.follows |= told > 0;
        } else if bits.is_power_of_two() && known.using.is_some() && sure_s - choice.told_at_s > FOLLOWS_S {
            // It does as it likes: that is where it is, and there it stays.
            let is = u8::try_from(bits.trailing_zeros()).ok();
            *choice = Choice { told: is, taken: is, moves: MOST_MOVES, follows: false, ..*choice };
        }
    }
}

/// A device has taken a command, and with it the phase that this told it. Who then draws nothing begins anew there.
pub(super) fn taken(known: &mut DeviceState, phase: Option<u8>) {
    if phase.is_some() {
        known.choice.taken = phase;
        if known.held.confirmed_a <= 0.0 {
            (known.uses, known.using) = (None, None);
        }
    }
}

/// Puts those that have come on the phase with the most room.
pub(super) fn arrive(state: &mut State, now: &Now, rooms: &Rooms) {
    let setup = state.setup.clone();
    let waits = |state: &State, device: usize| {
        let known = &state.devices[device];
        let idle = known.granted_a <= 0.0 && known.choice.told.is_none() && known.choice.shows;
        idle && known.steerable(true) && is_single(known)
    };
    let waiting: Vec<usize> = state.choosers.iter().copied().filter(|&device| waits(state, device)).collect();
    if waiting.is_empty() {
        return;
    }
    let granted = (0..setup.devices.len()).map(|device| {
        let one = &now.devices[device];
        let amps = if one.steerable { state.devices[device].granted_a.max(0.0) } else { 0.0 };
        (device, amps, which(one.used))
    });
    let mut free_a = free_a(state, rooms, granted);
    for device in waiting {
        let (about, (_, cap_a)) = (&setup.devices[device], bounds(state, device));
        let known = &state.devices[device];
        // Whether it follows shows on any phase but its first.
        let order = |own: &usize| if known.choice.follows { *own } else { (*own + 2) % 3 };
        let mut phases: Vec<usize> = (0..about.phases.len()).collect();
        phases.sort_by_key(order);
        let room_a = |own: &usize| room_a(state, &free_a, device, *own).min(cap_a);
        let best = phases.into_iter().rev().max_by(|a, b| room_a(a).total_cmp(&room_a(b)));
        let Some((best, given_a)) = best.map(|own| (own, room_a(&own).max(0.0))) else { continue };
        take(&mut free_a, state, device, best, given_a);
        let choice = &mut state.devices[device].choice;
        (choice.told, choice.told_at_s) = (u8::try_from(best).ok(), state.clock.sure_s);
    }
}

/// Looks who would have clearly more on another phase.
pub(super) fn look(state: &mut State, rooms: &Rooms, wanted: &[Wanted], claims: &[Claim], grants: &[Grant]) {
    if state.choosers.is_empty() {
        return;
    }
    let (setup, sure_s) = (state.setup.clone(), state.clock.sure_s);
    let candidates: Vec<usize> = (0..wanted.len()).filter(|&k| setup.devices[wanted[k].device].chooses_phase).collect();
    if candidates.is_empty() {
        return;
    }
    let given = wanted.iter().zip(grants).map(|(wanted, grant)| (wanted.device, grant.amps, wanted.phases.clone()));
    let mut free_a = free_a(state, rooms, given);
    for k in candidates {
        let (device, want_a, has_a) = (wanted[k].device, claims[k].want_a[LAYERS - 1], grants[k].amps);
        let better = better(state, &free_a, &wanted[k], want_a, has_a, claims[k].min_a);
        let known = &mut state.devices[device];
        let before = known.choice.better.filter(|(phase, _)| Some(*phase) == better);
        known.choice.better = better.map(|phase| before.unwrap_or((phase, sure_s)));
        match (known.choice.aim, known.choice.better) {
            (Some(_), Some((_, since_s))) if sure_s - since_s < WAITS_S => {}
            (None, Some((phase, since_s))) if sure_s - since_s >= LASTS_S => {
                known.choice.aim = Some(phase);
                take(&mut free_a, state, device, usize::from(phase), want_a);
            }
            (Some(_), _) => (known.choice.aim, known.choice.better) = (None, None),
            (None, _) => {}
        }
    }
}

/// The phase on which a vehicle would have clearly more than it has.
fn better(state: &State, free_a: &[f64], wanted: &Wanted, want_a: f64, has_a: f64, min_a: f64) -> Option<u8> {
    let device = wanted.device;
    let (about, known) = (&state.setup.devices[device], &state.devices[device]);
    let choice = &known.choice;
    let settled = !choice.is_untold() && (choice.moves == 0 || lately_s(state, choice) >= state.setup.settings.turn_s);
    let seen = known.uses.filter(|bits| bits.is_power_of_two()).map(|bits| bits.trailing_zeros() as usize);
    let now = seen.or(choice.told.map(usize::from))?;
    let may =
        settled && choice.moves < MOST_MOVES && is_single(known) && (has_a <= 0.0 || known.held.tells(state.clock));
    if !may || want_a - has_a < GAIN_A {
        return None;
    }
    // What it has counts wherever it may be, there already as well.
    let its_own_a = |own: usize| if wanted.phases.contains(&about.phases[own]) { has_a } else { 0.0 };
    let would_a = |own: usize| (room_a(state, free_a, device, own) + its_own_a(own)).min(want_a);
    let balances = |own: usize| {
        let (from, to) = (about.phases[now.min(about.phases.len() - 1)], about.phases[own]);
        state.setup.chain(about.node).filter(|&node| state.setup.nodes[node].imbalance_a.is_some()).all(|node| {
            let limit_a = state.setup.nodes[node].limit_a;
            let load_a = |phase: PhaseIndex| limit_a[phase] - free_a[3 * node + phase];
            load_a(from) - load_a(to) >= GAIN_A
        })
    };
    let others = (0..about.phases.len()).filter(|&own| own != now && balances(own));
    let best = others.max_by(|&a, &b| would_a(a).total_cmp(&would_a(b)).then(b.cmp(&a)))?;
    (would_a(best) >= min_a.max(has_a + GAIN_A)).then(|| u8::try_from(best).ok())?
}

/// How long ago a station was told its phase, in s.
fn lately_s(state: &State, choice: &Choice) -> f64 {
    state.clock.sure_s - choice.told_at_s
}

/// Whether a vehicle can be moved now to where it is aimed: all that it may draw fits there beside all that others may.
pub(super) fn moves(state: &mut State, rooms: &Rooms, device: usize) {
    let Some(aim) = state.devices[device].choice.aim else { return };
    let about = &state.setup.devices[device];
    let Some(&phase) = about.phases.get(usize::from(aim)) else { return };
    let fits = state.setup.chain(about.node).all(|node| rooms.spare[3 * node + phase] >= 0.0);
    if fits && state.devices[device].held.pending.is_none() {
        let choice = &mut state.devices[device].choice;
        *choice = Choice {
            told: Some(aim),
            told_at_s: state.clock.sure_s,
            aim: None,
            better: None,
            moves: choice.moves + 1,
            ..*choice
        };
    }
}

/// What every phase of every board has left beside what devices are given: device, A, grid phases.
fn free_a(state: &State, rooms: &Rooms, given: impl Iterator<Item = (usize, f64, Phases)>) -> Vec<f64> {
    let mut free_a = rooms.left[..3 * state.setup.nodes.len()].to_vec();
    for (device, amps, phases) in given.filter(|(_, amps, _)| *amps > 0.0) {
        for node in state.setup.chain(state.setup.devices[device].node) {
            for &phase in &phases {
                free_a[3 * node + phase] -= amps;
            }
        }
    }
    free_a
}

/// What the boards above a device have left on one of its own phases.
fn room_a(state: &State, free_a: &[f64], device: usize, own: usize) -> f64 {
    let about = &state.setup.devices[device];
    state.setup.chain(about.node).map(|node| free_a[3 * node + about.phases[own]]).fold(f64::INFINITY, f64::min)
}

/// Takes what a device is given off the boards above it.
fn take(free_a: &mut [f64], state: &State, device: usize, own: usize, amps: f64) {
    let about = &state.setup.devices[device];
    state.setup.chain(about.node).for_each(|node| free_a[3 * node + about.phases[own]] -= amps);
}
