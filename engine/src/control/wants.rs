//! What each device wants, by layer of authority, and who stands where in line.

use super::building::{Phases, phases_used, which};
use super::event::{Action, Emergency, Limit, Scope, Targets};
use super::now::Now;
use super::phases;
use super::rooms::Rooms;
use super::settings::Split;
use super::setup::Kind;
use super::share::{Claim, LAYERS};
use super::state::{State, Stay};

/// A vehicle that has less time to spare than this in h is charged as fast as it can: forecasts and plans are not exact.
const LAST_CALL_H: f64 = 0.5;

/// Near full a vehicle's power falls: the last of what it needs, so many kWh, may take so many times as long as at full power.
const TAPER_KWH: f64 = 5.0;
const TAPER: f64 = 2.0;

/// Who is guaranteed a minimum waits no longer than this, in s; where phases have to be kept in balance, than that.
const GUARANTEED_PAUSE_S: f64 = 60.0;
const BALANCED_PAUSE_S: f64 = 120.0;

/// So much less than needed is nothing to act on, in kWh: meters of stations show no less.
const SHORT_KWH: f64 = 0.05;

/// Prices of energy that differ by less are the same, in EUR/kWh.
const SAME_EUR_KWH: f64 = 1e-4;

/// Who has been here for so long has been planned for, in s.
const PLANNED_S: f64 = 60.0;

/// The pause of who is stopped again and again doubles so often.
const LONGEST_PAUSE: u32 = 3;
const LONGEST_GUARANTEED: u32 = 4;

/// A device that takes setpoints and wants current.
#[expect(clippy::struct_excessive_bools, reason = "each stands for itself")]
pub(super) struct Wanted {
    pub device: usize,
    /// Grid phases that it loads, in the order of its own.
    pub phases: Phases,
    /// Whether that is known; else it may use only the first of them, or the first two.
    pub sure: bool,
    /// Whether it uses one of them, and it is not known which.
    pub either: bool,
    /// On how many phases it is told to charge.
    pub told: u8,
    /// What it wants of the plan's layer in A.
    pub plan_a: f64,
    /// Whether it charges because of an override.
    pub boosted: bool,
    /// Whether it catches up on a plan that no longer gives it what it needs.
    pub behind: bool,
}

/// All devices that want current and what they claim, the first in line first.
pub(super) fn wanted(state: &State, now: &Now, rooms: &Rooms) -> (Vec<Wanted>, Vec<Claim>) {
    let mut surplus_kw = surplus_kw(state);
    let (mut all, mut claims) = (Vec::with_capacity(now.line.len()), Vec::with_capacity(now.line.len()));
    for place in &now.line {
        if let Some((wanted, claim)) = want(state, now, rooms, *place, &mut surplus_kw) {
            all.push(wanted);
            claims.push(claim);
        }
    }
    (all, claims)
}

/// Where a device stands in line, as one number: lines are long.
///
/// Its class, the highest first; then those that run and have not had their turn, then those that wait, then those that have had
/// theirs; within these who has waited longest, or has run shortest; then the order of the site file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(u128);

impl Place {
    fn of(class: u8, group: u8, since_s: f64, device: usize) -> Place {
        // Numbers that stand in the order of the seconds: of negative ones the larger has the smaller bits.
        let bits = since_s.to_bits();
        let since = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
        Place(
            u128::from(u8::MAX - class) << 112
                | u128::from(group) << 104
                | u128::from(since) << 40
                | device as u128 & DEVICES,
        )
    }

    #[expect(clippy::cast_possible_truncation, reason = "nothing is above the class")]
    fn class(self) -> u8 {
        u8::MAX - (self.0 >> 112) as u8
    }

    fn device(self) -> usize {
        (self.0 & DEVICES) as usize
    }
}

/// The bits of a [`Place`] that say which device it is.
const DEVICES: u128 = (1 << 40) - 1;

fn class(state: &State, device: usize) -> u8 {
    match state.setup.settings.split {
        Split::Equal => 0,
        Split::Prioritised => {
            let own = state.setup.devices[device].priority;
            state.devices[device].stay.as_ref().map_or(own, |stay| stay.session.priority)
        }
    }
}

/// Where a device stands.
pub(super) fn place(state: &State, device: usize) -> Place {
    let known = &state.devices[device];
    let class = class(state, device);
    let since_s = known.switched_at_s;
    if known.granted_a > 0.0 {
        let had = state.clock.sure_s - since_s >= state.setup.settings.turn_s;
        Place::of(class, if had { 2 } else { 0 }, -since_s, device)
    } else {
        let waits_since_s = since_s.max(known.stay.as_ref().map_or(f64::NEG_INFINITY, |stay| stay.since_s));
        Place::of(class, 1, waits_since_s, device)
    }
}

fn want(state: &State, now: &Now, rooms: &Rooms, place: Place, surplus_kw: &mut f64) -> Option<(Wanted, Claim)> {
    let (device, class) = (place.device(), place.class());
    let (setup, known, at) = (&*state.setup, &state.devices[device], state.clock.now);
    let about = &setup.devices[device];
    if shed(state, device) {
        return None;
    }
    let action = action(state, device);
    if action == Some(Action::Stop) || is_suspect(state, device) {
        return None;
    }
    let told = known.stay.as_ref().and_then(|stay| stay.session.phases);
    // Who can choose may just have been told where.
    let used = if about.chooses_phase { phases_used(state, device) } else { now.devices[device].used };
    let mut phases = which(used);
    if known.single_since_s.is_some() && about.phases_known {
        let own = known.choice.told.map_or(0, usize::from);
        phases = about.phases.get(own).copied().into_iter().collect();
    }
    let told_phases = if known.single_since_s.is_some() { 1 } else { u8::try_from(about.phases.len()).unwrap_or(3) };
    let (min_a, mut cap_a) = bounds(state, device);
    if let Some(Action::AtMost(most_a)) = action {
        cap_a = cap_a.min(most_a);
    }
    cap_a *= state.cut_above(device);
    cap_a = cap_a.min(known.clamped.asks_for_a(state.clock.sure_s));
    if setup.chain(about.node).any(|node| state.nodes[node].blind) {
        let fallback_a = about.fallback_a.map_or(0.0, |hours| hours[state.clock.hour]);
        cap_a = cap_a.min(fallback_a);
    }
    if cap_a < min_a || cap_a <= 0.0 {
        return None;
    }
    let planned_a = state.targets.as_ref().and_then(|targets| targets.at(device, at));
    let plan_a = match (&known.stay, about.kind) {
        (Some(stay), Kind::Station) => of_stay(state, stay, planned_a, cap_a, phases.len())?,
        (None, Kind::Station) => return None,
        (_, _) => planned_a.unwrap_or_else(|| known.wish_a.unwrap_or(0.0)).max(0.0),
    };
    let at_least = |amps: f64| if amps > 0.0 { amps.clamp(min_a, cap_a) } else { 0.0 };
    let guaranteed_a = known.stay.as_ref().map_or(0.0, |stay| stay.session.guaranteed_a.max(about.guaranteed_a));
    let boosted = action == Some(Action::Boost);
    let first_a = if boosted { cap_a } else { at_least(guaranteed_a) };
    let plan_a = at_least(plan_a).max(first_a);
    let behind = plan_a < cap_a
        && known
            .stay
            .as_ref()
            .is_some_and(|stay| catches_up(state, device) || falls_short(state, device, stay, phases.len()));
    let early = !behind && plan_a < cap_a && known.stay.is_some() && costs_no_more(state, device);
    let spare_a = match about.kind {
        _ if behind || early => cap_a,
        Kind::Station => spare(state, plan_a, min_a, cap_a, phases.len(), surplus_kw),
        Kind::Load | Kind::Battery => plan_a,
    };
    let want_a: [f64; LAYERS] = [first_a, plan_a, spare_a.max(plan_a)];
    let from = want_a.iter().position(|amps| *amps > 0.0)?;
    let stopped = known.stay.as_ref().is_some_and(|stay| known.granted_a <= 0.0 && known.switched_at_s >= stay.since_s);
    if stopped && !boosted && state.clock.sure_s - known.switched_at_s < pause_s(state, device, from == 0) {
        return None;
    }
    let loads = rooms.loads(state, device, &phases);
    let either = about.chooses_phase && phases.len() > 1 && phases::is_single(known);
    let sure = phases.len() == 1 || known.stay.is_none() || known.uses.is_some() || told.is_some();
    let phases = about.phases.iter().copied().filter(|phase| phases.contains(phase)).collect();
    let wanted = Wanted { device, phases, sure, either, told: told_phases, plan_a, boosted, behind };
    Some((wanted, Claim { min_a, want_a, class, loads, from }))
}

/// The override of a vehicle that holds now.
fn action(state: &State, device: usize) -> Option<Action> {
    state.devices[device].action.filter(|(_, until)| state.clock.now < *until).map(|(action, _)| action)
}

/// Whether a vehicle is there that gets nothing because somebody has stopped it.
pub(super) fn is_stopped(state: &State, device: usize) -> bool {
    state.devices[device].stay.is_some() && action(state, device) == Some(Action::Stop)
}

/// Whether a device gets nothing because it may be what has driven a board above its limit.
pub(super) fn is_suspect(state: &State, device: usize) -> bool {
    state.clock.sure_s < state.devices[device].suspect.0
}

/// Whether a device gets nothing because it hangs on emergency power that is for others. Batteries stand still there.
pub(super) fn shed(state: &State, device: usize) -> bool {
    if state.signals.is_empty() {
        return false;
    }
    let setup = &*state.setup;
    let about = &setup.devices[device];
    let priority = state.devices[device].stay.as_ref().map_or(about.priority, |stay| stay.session.priority);
    supplies(state, device).any(|supply| about.kind == Kind::Battery || !supply.supplies(priority))
}

/// The emergency power that a device hangs on now.
pub(super) fn supplies(state: &State, device: usize) -> impl Iterator<Item = Emergency> + '_ {
    let hangs_on = move |on: &Scope| match on {
        Scope::Node(node) => state.setup.hangs_below(device, *node),
        Scope::Devices(devices) => devices.contains(&device),
    };
    state.signals.iter().filter(move |signal| signal.in_force(state.clock.now)).filter_map(move |signal| {
        match signal.limit {
            Limit::Emergency(supply) if hangs_on(&signal.on) => Some(supply),
            _ => None,
        }
    })
}

/// How long a device that was stopped waits before it starts again, in s: longer each time, because starts wear contactors and
/// vehicles give up. Whose minimum is guaranteed waits as long only where phases have to be kept in balance: there it comes
/// back into the same imbalance.
fn pause_s(state: &State, device: usize, guaranteed: bool) -> f64 {
    let (setup, known) = (&*state.setup, &state.devices[device]);
    let balanced = setup.chain(setup.devices[device].node).any(|node| setup.nodes[node].imbalance_a.is_some());
    let times = known.stops.saturating_sub(1).min(if guaranteed { LONGEST_GUARANTEED } else { LONGEST_PAUSE });
    match (guaranteed, balanced) {
        (true, false) => GUARANTEED_PAUSE_S.min(setup.settings.pause_s),
        (true, true) => BALANCED_PAUSE_S.min(setup.settings.pause_s) * f64::from(1_u32 << times),
        (false, _) => setup.settings.pause_s * f64::from(1_u32 << times),
    }
}

/// Lowest and highest current in A per phase.
pub(super) fn bounds(state: &State, device: usize) -> (f64, f64) {
    let about = &state.setup.devices[device];
    match &state.devices[device].stay {
        Some(stay) => {
            let session = &stay.session;
            let min_a = about.min_a.max(session.min_a);
            (min_a, about.max_a.min(session.max_a).min(stay.takes_a.max(min_a)))
        }
        None => {
            (about.min_a, about.max_a.min(state.devices[device].wish_a.map_or(f64::INFINITY, |amps| amps.max(0.0))))
        }
    }
}

/// What a vehicle wants of the plan's layer; `None`, nothing at all.
fn of_stay(state: &State, stay: &Stay, planned_a: Option<f64>, cap_a: f64, phases: usize) -> Option<f64> {
    if state.clock.sure_s < stay.waking_until_s {
        return None;
    }
    let left_kwh = stay.session.need_kwh.map(|need_kwh| need_kwh - stay.got_kwh);
    if left_kwh.is_some_and(|left_kwh| left_kwh <= 0.0) {
        return None;
    }
    let Some(planned_a) = planned_a else { return Some(cap_a) };
    if let (Some(left_kwh), Some(departure)) = (left_kwh, stay.session.departure) {
        #[expect(clippy::cast_precision_loss, reason = "seconds of a stay")]
        let left_h = (departure - state.clock.now).num_seconds() as f64 / 3600.0;
        let slow_kwh = (TAPER - 1.0) * left_kwh.min(TAPER_KWH);
        let needed_h = (left_kwh + slow_kwh) / state.setup.kw(cap_a, phases).max(0.01);
        if left_h - needed_h < LAST_CALL_H {
            return Some(cap_a);
        }
    }
    Some(planned_a.max(0.0))
}

/// What the plan in force wants of a device in each slot, in A, and the slot that runs.
fn planned(state: &State, device: usize) -> Option<(&Targets, &[f64], usize)> {
    let targets = state.targets.as_deref()?;
    let amps = targets.amps.get(device)?.as_deref()?;
    let slot = targets.slot(state.clock.now).filter(|&slot| slot < amps.len())?;
    Some((targets, amps, slot))
}

/// Whether the plan no longer gives a vehicle what it needs by its departure: it has been late, limited or cut off, or took less
/// than it was offered; or the plan found no room for it where the meter shows that there is some. One of which nobody knows what
/// it needs falls short when the plan has nothing for it, once it has had what was guessed, or has been here for long enough to be
/// planned for: it takes what it needs, and no more. Until there is a new plan it may have what nobody else wants.
fn falls_short(state: &State, device: usize, stay: &Stay, phases: usize) -> bool {
    let Some((targets, amps, slot)) = planned(state, device) else { return false };
    let last = stay.session.departure.map_or(Some(amps.len()), |departure| targets.slot(departure));
    let Some(last) = last.filter(|&last| last <= amps.len()) else { return false };
    let slot_h = f64::from(targets.slot_s) / 3600.0;
    let ahead = amps.iter().take(last).skip(slot).map(|amps| state.setup.kw(amps.max(0.0), phases) * slot_h);
    match (stay.session.need_kwh, stay.session.departure) {
        (Some(need_kwh), Some(_)) => need_kwh - stay.got_kwh - SHORT_KWH > ahead.sum::<f64>(),
        (Some(_), None) => false,
        (None, _) => {
            let planned = state.clock.sure_s - stay.since_s > PLANNED_S;
            (stay.got_kwh > 0.0 || planned) && ahead.sum::<f64>() <= 0.0
        }
    }
}

/// Whether a vehicle may as well have now what it is to have later: a kWh costs no more than in any slot that the plan has chosen for
/// it, and nobody knows what comes in between.
fn costs_no_more(state: &State, device: usize) -> bool {
    let Some((targets, amps, slot)) = planned(state, device) else { return false };
    let Some(cost) = targets.costs_eur_kwh.get(slot) else { return false };
    let later = amps.iter().zip(&targets.costs_eur_kwh).skip(slot + 1).filter(|(amps, _)| **amps > 0.0);
    let least = later.map(|(_, cost)| *cost).fold(f64::INFINITY, f64::min);
    amps[slot] >= 0.0 && least < f64::INFINITY && *cost <= least + SAME_EUR_KWH
}

/// Whether a vehicle has begun to catch up, and not for a whole turn yet: what it lacks of its plan is often had within seconds,
/// and would be lacking again in the next slot. Nobody starts for that.
fn catches_up(state: &State, device: usize) -> bool {
    let since_s = state.devices[device].behind_since_s;
    since_s.is_some_and(|since_s| state.clock.sure_s - since_s < state.setup.settings.turn_s)
}

/// What a vehicle may have of power that would be fed in, in A per phase, beside what the plan gives.
fn spare(state: &State, plan_a: f64, min_a: f64, cap_a: f64, phases: usize, surplus_kw: &mut f64) -> f64 {
    if *surplus_kw <= 0.0 {
        return plan_a;
    }
    let per_a = state.setup.kw(1.0, phases).max(1e-3);
    let more_a = (*surplus_kw / per_a).min(cap_a - plan_a);
    if plan_a + more_a < min_a || more_a <= 0.0 {
        return plan_a;
    }
    *surplus_kw -= more_a * per_a;
    plan_a + more_a
}

/// Power that is fed in now, with what devices already take of it, in kW.
fn surplus_kw(state: &State) -> f64 {
    let setup = &*state.setup;
    if !setup.settings.surplus || state.targets.is_none() {
        return 0.0;
    }
    let Some(root) = setup.root() else { return 0.0 };
    let Some(meter) = state.nodes[root].believed() else { return 0.0 };
    let net_kw = setup.kw(meter.phases_a.into_iter().sum(), 1);
    let taken_kw: f64 = state
        .devices
        .iter()
        .enumerate()
        .filter(|(_, known)| known.spare_a > 0.0)
        .map(|(k, known)| setup.kw(known.spare_a, setup.devices[k].phases.len()))
        .sum();
    taken_kw - net_kw
}

impl State {
    /// The share that overloads which nothing explains leave to a device.
    pub(super) fn cut_above(&self, device: usize) -> f64 {
        let setup = &*self.setup;
        let cuts = setup.chain(setup.devices[device].node).filter_map(|node| self.nodes[node].cut);
        cuts.map(|(share, _)| share).fold(1.0, f64::min)
    }
}
