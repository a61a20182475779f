//! What a device may be drawing: what it holds, what it may have been told, and what it shows.

use std::collections::VecDeque;

use super::Counted;
use crate::control::command::Setpoint;
use crate::control::setup::Device;

/// A vehicle that has drawn on the same phases alone for so long uses no others, in s. Three readings of most chargers.
const LEARNT_S: f64 = 60.0;

/// Commands without an answer that are kept one by one; older ones are kept as the range they span.
const PENDING: usize = 16;

/// After so many s what a device said that it draws is no longer believed: chargers report once a minute or more often.
pub(super) const BELIEVED_S: f64 = 90.0;

/// One that nobody has heard of for so long, in s, holds nothing any more of what it was told by whoever was here before: setpoints
/// above the fallback are good for 120 s.
pub(super) const LAPSED_S: f64 = 140.0;

/// A device draws more than it may once it is so many A above: meters of chargers err by about that much.
const OVER_A: f64 = 1.0;

/// A device that says it draws more than so many times its rating says nothing.
const ABSURD: f64 = 3.0;

/// Below this a phase is not in use, in A: standby of cars and chargers.
const USED_A: f64 = 1.0;

/// What one device holds and shows.
#[expect(clippy::struct_excessive_bools, reason = "each stands for itself")]
#[derive(Debug, Clone, Default)]
pub(super) struct Held {
    /// The lowest and highest setpoint that it may be holding; `None`, nothing is known.
    range_a: Option<[f64; 2]>,
    /// Commands that have no answer yet, oldest first.
    pending: VecDeque<Command>,
    /// What it has refused last: it may take that later all the same.
    refused: Option<Command>,
    /// What it has stored for when it is alone, by hour in A, as far as that was told.
    stored_a: Option<[f64; 24]>,
    /// Whether it may have gone over to its fallback: out of reach, or back and not yet told otherwise.
    adrift: bool,
    down: bool,
    /// Whether it has been heard of, and whether that has been waited for for long enough.
    heard: bool,
    lapsed: bool,
    /// On how many phases the vehicle charges, where it is known.
    vehicle_phases: Option<u8>,
    /// On how many phases it was told to charge, where it can choose, by the last command that it took.
    told_phases: Option<u8>,
    /// On which of its own phases a vehicle on one was told to charge, where it can choose, by the last command that it took.
    told_phase: Option<u8>,
    /// Its own phases that carried current when it last showed any, and whether it has shown that it goes where it is told.
    on: [bool; 3],
    follows: bool,
    /// The stay that was announced last, while it lasts.
    stay: Option<String>,
    /// The phases that its vehicle draws on, and since when it draws on no others.
    using: Option<([bool; 3], f64)>,
    /// The phases that it has been seen to use.
    uses: Option<[bool; 3]>,
    /// What it said that it draws: all within the time in which meters may lag, and the one before; oldest first.
    drawn: VecDeque<Drawn>,
    /// Since when it has been drawing more than it may.
    over_since_s: Option<f64>,
    disobeys: bool,
}

/// A command that may be in force.
#[derive(Debug, Clone, Copy)]
struct Command {
    number: u64,
    amps: f64,
    phases: u8,
    phase: Option<u8>,
}

/// What a device said that it draws, on its own phases in A.
#[derive(Debug, Clone, Copy)]
struct Drawn {
    at_s: f64,
    phases_a: [f64; 3],
}

/// The lower and the higher fallback of two hours; `None`, it has none that can be relied on.
pub(super) fn fallback_now(device: &Device, hours: [usize; 2]) -> Option<[f64; 2]> {
    let by_hour = device.fallback_a.as_ref()?;
    let [a, b] = hours.map(|hour| by_hour[hour % 24]);
    Some([a.min(b), a.max(b)])
}

impl Held {
    pub(super) fn is_adrift(&self) -> bool {
        self.adrift || self.range_a.is_none()
    }

    /// Nobody has heard of it for so long that what it was told by whoever was here before is no longer in force.
    pub(super) fn lapses(&mut self) {
        self.lapsed = !self.heard;
    }

    /// It tells what it has stored for when it is alone.
    pub(super) fn stores(&mut self, by_hour_a: [f64; 24], device: &Device) {
        // Whatever it stores, it draws no more than it can.
        let most_a = device.max_a.max(0.0);
        self.stored_a = Some(by_hour_a.map(|amps| if amps.is_nan() { most_a } else { amps.clamp(0.0, most_a) }));
    }

    /// The lowest and the highest that it may hold when it is alone: by the site, and by what it has stored.
    fn fallback_now(&self, device: &Device, hours: [usize; 2]) -> Option<[f64; 2]> {
        let [low_a, high_a] = fallback_now(device, hours)?;
        let stored = hours.into_iter().filter_map(|hour| Some(self.stored_a?[hour % 24]));
        Some(stored.fold([low_a, high_a], |[low_a, high_a], amps| [low_a.min(amps), high_a.max(amps)]))
    }

    fn is_heard(&mut self) {
        (self.heard, self.lapsed) = (true, false);
    }

    pub(super) fn link(&mut self, up: bool) {
        self.down = !up;
        if up {
            self.is_heard();
        } else {
            self.adrift = true;
            self.told_phase = None;
            self.forget_phases();
            self.forget_draws();
        }
    }

    fn forget_phases(&mut self) {
        (self.using, self.uses) = (None, None);
    }

    /// What it drew is no longer known; what was more than it may is held on to.
    fn forget_draws(&mut self) {
        let peak_a = self.draws().into_iter().flatten().fold(0.0, f64::max);
        self.range_a = self.range_a.map(|[low, high]| [low, high.max(peak_a)]);
        self.drawn.clear();
    }

    pub(super) fn booted(&mut self, device: &Device) {
        self.is_heard();
        self.adrift = true;
        self.told_phase = None;
        self.forget_phases();
        self.forget_draws();
        if !device.keeps_fallback {
            self.range_a = None;
        }
    }

    pub(super) fn holds(&mut self, amps: f64, device: &Device) {
        self.is_heard();
        // Whatever it says that it holds, it draws no more than it can.
        let most_a = device.max_a.max(0.0);
        let amps = if amps.is_nan() { most_a } else { amps.clamp(-device.max_discharge_a.max(0.0), most_a) };
        self.range_a = Some([amps, amps]);
        self.told_phases = None;
        self.told_phase = None;
        self.adrift = self.down;
    }

    pub(super) fn answered(&mut self, number: u64, accepted: bool) {
        let Some(index) = self.pending.iter().position(|pending| pending.number == number) else {
            if let Some(late) = self.refused.filter(|refused| accepted && refused.number == number) {
                self.range_a = self.range_a.map(|[low_a, high_a]| [low_a.min(late.amps), high_a.max(late.amps)]);
                self.told_phases = self.told_phases.map(|told| told.max(late.phases));
                self.told_phase = self.told_phase.filter(|told| late.phase.is_none_or(|phase| phase == *told));
            }
            return;
        };
        if accepted {
            let Command { amps, phases, phase, .. } = self.pending[index];
            // What was told before and is not answered may have moved it.
            let moved = |earlier: Command| earlier.phase.is_some() && earlier.phase != self.told_phase;
            let moved = self.pending.drain(..=index).take(index).any(moved);
            self.range_a = Some([amps, amps]);
            self.told_phases = Some(phases);
            self.told_phase = phase.or(self.told_phase.filter(|_| !moved));
            self.adrift = self.down;
        } else {
            self.refused = self.pending.remove(index);
        }
    }

    pub(super) fn plugged(&mut self, stay: Option<&str>, phases: Option<u8>) {
        self.vehicle_phases = phases.filter(|&phases| phases > 0);
        self.over_since_s = None;
        if self.stay.as_deref() != stay {
            self.stay = stay.map(str::to_owned);
            self.forget_phases();
        }
    }

    /// The vehicle is gone: a socket without one draws nothing.
    pub(super) fn unplugged(&mut self, now_s: f64, lag_s: f64) {
        self.plugged(None, None);
        self.on = [false; 3];
        if !self.drawn.is_empty() {
            self.shows(now_s, [0.0; 3], lag_s);
        }
    }

    pub(super) fn sent(&mut self, setpoint: &Setpoint) {
        let Setpoint { number, amps, phases, phase, .. } = *setpoint;
        self.pending.push_back(Command { number, amps, phases, phase });
        if self.pending.len() > PENDING
            && let Some(oldest) = self.pending.pop_front()
        {
            self.range_a = self.range_a.map(|[low, high]| [low.min(oldest.amps), high.max(oldest.amps)]);
            self.told_phases = self.told_phases.map(|told| told.max(oldest.phases));
            // It may have taken it or not.
            self.told_phase = self.told_phase.filter(|told| oldest.phase.is_none_or(|phase| phase == *told));
        }
    }

    pub(super) fn drew(&mut self, now_s: f64, phases_a: [f64; 3], device: &Device, hours: [usize; 2], lag_s: f64) {
        if phases_a.iter().any(|a| !a.is_finite() || a.abs() > ABSURD * device.max_a.max(device.max_discharge_a)) {
            return;
        }
        self.shows(now_s, phases_a, lag_s);
        let on = phases_a.map(|amps| amps.abs() > USED_A);
        self.learn(now_s, on);
        if on != [false; 3] {
            self.on = on;
            if let Some(told) = self.told_phase.filter(|_| self.vehicle_phases == Some(1)) {
                let there = (0..3).all(|own| on[own] == (own == usize::from(told)));
                self.follows = there && (self.follows || told > 0);
            }
        }
        let peak_a = phases_a.into_iter().fold(0.0, f64::max);
        if peak_a > self.most(device, hours).max(0.0) + OVER_A {
            let since_s = *self.over_since_s.get_or_insert(now_s);
            self.disobeys |= now_s - since_s > device.reaction_s;
        } else {
            self.over_since_s = None;
            self.disobeys = false;
        }
    }

    /// Learns on which phases a vehicle draws. Nothing is learnt where the device can change that.
    fn learn(&mut self, now_s: f64, on: [bool; 3]) {
        if on == [false; 3] || self.stay.is_none() {
            self.using = None;
            return;
        }
        match self.using {
            Some((phases, since_s)) if phases == on => {
                if now_s - since_s >= LEARNT_S {
                    self.uses = Some(on);
                }
            }
            _ => self.using = Some((on, now_s)),
        }
        // What counts at once goes on counting.
        if let Some(uses) = &mut self.uses {
            (0..3).for_each(|own| uses[own] |= on[own]);
        }
    }

    /// A reading, with those that meters may lag behind.
    fn shows(&mut self, now_s: f64, phases_a: [f64; 3], lag_s: f64) {
        self.drawn.push_back(Drawn { at_s: now_s, phases_a });
        while self.drawn.get(1).is_some_and(|second| now_s - second.at_s >= lag_s) {
            self.drawn.pop_front();
        }
    }

    /// What it draws by its last reading.
    fn draws(&self) -> Option<[f64; 3]> {
        self.drawn.back().map(|drawn| drawn.phases_a)
    }

    /// The lowest and highest that it may have drawn while a meter was read that counts now.
    fn recently(&self, now_s: f64, lag_s: f64) -> [[f64; 3]; 2] {
        let mut range = [[f64::INFINITY; 3], [f64::NEG_INFINITY; 3]];
        for (k, drawn) in self.drawn.iter().enumerate() {
            if self.drawn.get(k + 1).is_some_and(|next| now_s - next.at_s >= lag_s) {
                continue;
            }
            for phase in 0..3 {
                range[0][phase] = range[0][phase].min(drawn.phases_a[phase]);
                range[1][phase] = range[1][phase].max(drawn.phases_a[phase]);
            }
        }
        match self.drawn.back() {
            Some(last) if now_s - last.at_s >= lag_s => [last.phases_a; 2],
            _ => range,
        }
    }

    /// The highest setpoint that may be in force, in A.
    fn most(&self, device: &Device, hours: [usize; 2]) -> f64 {
        // None of them is for more than it can draw, which is what counts where nothing is known.
        let pending = self.pending.iter().map(|pending| pending.amps);
        pending.fold(self.most_before(device, hours), f64::max)
    }

    /// The same before any of the commands that have no answer yet, in A.
    fn most_before(&self, device: &Device, hours: [usize; 2]) -> f64 {
        if !device.managed {
            return device.max_a;
        }
        let high_a = match self.range_a {
            Some([_, high_a]) => high_a,
            None if self.lapsed => 0.0,
            None => return device.max_a,
        };
        if !self.adrift && !self.lapsed {
            return high_a;
        }
        let fallback = self.fallback_now(device, hours).filter(|_| device.keeps_fallback);
        high_a.max(fallback.map_or(device.max_a, |[_, high_a]| high_a))
    }

    /// The most that it may be feeding in, as a current below 0.
    fn feeding(&self, device: &Device) -> f64 {
        let all_a = -device.max_discharge_a.max(0.0);
        let Some([low_a, _]) = self.range_a.filter(|_| device.managed) else { return all_a };
        self.pending.iter().fold(low_a, |least_a, pending| least_a.min(pending.amps)).min(0.0).max(all_a)
    }

    /// A setpoint that surely is in force already, whichever command has reached it: up to it, nothing new is granted.
    pub(super) fn surely(&self, device: &Device, hours: [usize; 2]) -> f64 {
        let Some([low_a, high_a]) = self.range_a.filter(|_| device.managed) else { return 0.0 };
        let fallback = self.fallback_now(device, hours).filter(|_| self.adrift).map(|[low_a, _]| low_a);
        let in_force = self.pending.iter().map(|pending| pending.amps).chain(fallback).chain([high_a]);
        let (lowest, highest) =
            in_force.fold((low_a, low_a), |(lowest, highest), amps| (lowest.min(amps), highest.max(amps)));
        if lowest >= 0.0 {
            lowest
        } else if highest <= 0.0 {
            highest
        } else {
            0.0
        }
    }

    /// Grid phases on which it counts, with what has been sent, or with a command besides.
    pub(super) fn phases(&self, device: &Device, besides: Option<&Setpoint>) -> [bool; 3] {
        let mut counts = [!device.phases_known; 3];
        let told = self.told_phases.filter(|_| device.switches_phases && self.range_a.is_some() && !self.adrift);
        let told = told.map(|told| {
            self.pending
                .iter()
                .map(|pending| pending.phases)
                .chain(besides.map(|besides| besides.phases))
                .fold(told, u8::max)
        });
        let vehicle = self.vehicle_phases.filter(|_| device.managed && !self.disobeys);
        let used = [told, vehicle].into_iter().flatten().min().unwrap_or(3).max(1);
        let can_change = device.switches_phases || device.chooses_phase;
        let uses = self.uses.filter(|_| device.managed && !self.disobeys && !self.adrift && !can_change);
        for (own, &phase) in device.phases.iter().enumerate().take(3) {
            // What it showed before its link was lost, it may still draw.
            let draws = self.draws().map_or(self.on[own], |phases_a| phases_a[own].abs() > USED_A);
            let may = if used == 1 && device.chooses_phase {
                self.may_be_on(own, besides)
            } else {
                own < usize::from(used) && uses.is_none_or(|uses| uses[own])
            };
            counts[phase] |= may || draws;
        }
        counts
    }

    /// Whether a vehicle that charges on one phase may be on this one of a device's own, where it can choose: on any, unless it
    /// has taken a command for one; then on that one, on those where later commands give it current, and where it showed some. One
    /// that has not shown that it follows may be on its first all the same.
    fn may_be_on(&self, own: usize, besides: Option<&Setpoint>) -> bool {
        let Some(told) = self.told_phase.filter(|_| self.range_a.is_some() && !self.adrift) else { return true };
        let pending = self.pending.iter().map(|pending| (pending.amps, pending.phase));
        let later = pending.chain(besides.map(|besides| (besides.amps, besides.phase)));
        let mut goes = later.scan(told, |on, (amps, phase)| {
            *on = phase.unwrap_or(*on);
            Some((amps, usize::from(*on)))
        });
        let is_told = usize::from(told) == own || goes.any(|(amps, on)| amps != 0.0 && on == own);
        self.on[own] || is_told || (own == 0 && !self.follows)
    }

    /// What it counts with in the sums.
    pub(super) fn counted(&self, device: &Device, now_s: f64, hours: [usize; 2], lag_s: f64) -> Counted {
        let most_a = if self.disobeys { device.max_a } else { self.most(device, hours) };
        let feeding_a = self.feeding(device);
        let mut counted = Counted::default();
        for (phase, _) in self.phases(device, None).into_iter().enumerate().filter(|(_, counts)| *counts) {
            counted.most_a[phase] = most_a.max(0.0);
            counted.least_a[phase] = feeding_a;
        }
        let Some(now_a) = self.draws().filter(|_| self.is_believed(now_s)) else {
            // What it draws is not known: nothing of a reading is surely its own, and up to all it may draw can be.
            counted.seen_a = [counted.least_a, counted.most_a];
            return counted;
        };
        let [low_a, high_a] = self.recently(now_s, lag_s);
        // What is more than it was given goes on counting when it is given more.
        let before_a = self.most_before(device, hours).max(0.0);
        let counts_a = |most_a: f64, now_a: f64| {
            if now_a > most_a.min(before_a) + OVER_A { most_a.max(now_a) } else { most_a }
        };
        if device.phases_known {
            for (own, &phase) in device.phases.iter().enumerate().take(3) {
                counted.seen_a[0][phase] = low_a[own];
                counted.seen_a[1][phase] = high_a[own];
                if most_a < 0.0 && now_a[own] < 0.0 {
                    // It feeds in as it was told to: that relieves, as far as it is measured.
                    counted.most_a[phase] = most_a.max(high_a[own]);
                } else {
                    counted.most_a[phase] = counts_a(counted.most_a[phase], now_a[own]);
                }
            }
        } else {
            // Its phases may hang anywhere: on each, surely only what all of them draw, and at most what any does.
            let least_a = low_a.into_iter().fold(f64::INFINITY, f64::min);
            let highest_a = high_a.into_iter().fold(0.0, f64::max);
            counted.seen_a = [[if device.phases.len() == 3 { least_a } else { least_a.min(0.0) }; 3], [highest_a; 3]];
            let peak_a = now_a.into_iter().fold(0.0, f64::max);
            counted.most_a = counted.most_a.map(|most_a| counts_a(most_a, peak_a));
        }
        counted
    }

    fn is_believed(&self, now_s: f64) -> bool {
        self.drawn.back().is_some_and(|drawn| now_s - drawn.at_s < BELIEVED_S)
    }
}
