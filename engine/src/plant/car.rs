//! A vehicle on the cable: what it draws of what it is offered.
//!
//! Physics, and where it is from:
//! - Offered less than 6 A it pauses, it never draws anything in between (IEC 61851-1, table A.8).
//! - It follows a change of what it is offered within 5 s (IEC 61851-1, A.4): downwards at once when it reacts, upwards
//!   with a ramp, from a pause by way of its lowest current.
//! - Near full its power falls, linearly with the state of charge, until 15 % of the full one are left.
//! - After a long pause it may fall asleep, and be woken by a step from nothing, by a second one, or by replugging alone.
//! - It draws some 200 W for itself while it charges, which is why charging slowly wastes energy.
//!
//! Its current is constant between changes. A ramp is a stair of [`STEP_A`]; the falling branch is a stair of the same
//! height that lies above the line, so that what is simulated is never less than what would flow.

use super::queue::{Ms, ms};
use super::world::Car;

/// Height of the stairs that ramps and tapers are made of, in A.
const STEP_A: f64 = 1.0;

/// What is left of the power when the battery is full.
const LEFT_AT_FULL: f64 = 0.15;

/// Lowest current that can be offered, in A.
const PILOT_MIN_A: f64 = 6.0;

/// A battery counts as full or empty within so many kWh: what flows in some ms.
const NEAR_KWH: f64 = 1e-7;

/// A vehicle and its state.
#[derive(Debug, Clone)]
pub(super) struct OnCable {
    car: Car,
    /// Energy in its battery in kWh.
    pub(super) soc_kwh: f64,
    /// What it knows that it may draw, in A.
    offered_a: f64,
    /// What it draws per phase in A.
    pub(super) amps: f64,
    /// Since when it has been offered nothing.
    paused_at: Option<Ms>,
    asleep: bool,
    /// Steps from nothing to something since it fell asleep.
    steps: u8,
    /// When its current rises next.
    rises_at: Option<Ms>,
    /// How often it began to draw.
    pub(super) starts: u32,
}

impl OnCable {
    /// A vehicle that has just been plugged in, and has not looked yet at what it is offered.
    pub(super) fn new(mut car: Car, soc_kwh: f64, now: Ms) -> OnCable {
        car.min_a = car.min_a.max(PILOT_MIN_A);
        car.max_a = car.max_a.max(car.min_a);
        OnCable {
            car,
            soc_kwh,
            offered_a: 0.0,
            amps: 0.0,
            paused_at: Some(now),
            asleep: false,
            steps: 0,
            rises_at: None,
            starts: 0,
        }
    }

    /// On how many phases its charger on board works.
    pub(super) fn phases(&self) -> usize {
        usize::from(self.car.phases.clamp(1, 3))
    }

    /// How long it takes to react.
    pub(super) fn reaction(&self) -> Ms {
        ms(self.car.reaction_s)
    }

    /// Whether it would draw if it were offered enough.
    pub(super) fn hungry(&self) -> bool {
        !self.asleep && !self.full()
    }

    /// It reacts to what it has been offered.
    pub(super) fn hear(&mut self, now: Ms, offered_a: f64) {
        let (before, after) = (self.invited(self.offered_a), self.invited(offered_a));
        self.offered_a = offered_a;
        if after && !before {
            self.paused_at = None;
            self.step();
        } else if before && !after {
            self.paused_at = Some(now);
        }
        self.settle(now);
    }

    /// The current is interrupted.
    pub(super) fn interrupt(&mut self, now: Ms) {
        self.hear(now, 0.0);
    }

    /// Something of its own may be due: the next step of a ramp or taper, sleep, a full battery.
    pub(super) fn turn(&mut self, now: Ms) {
        if self.sleeps_at().is_some_and(|at| at <= now) {
            self.asleep = true;
            self.steps = 0;
        }
        if self.rises_at.is_some_and(|at| at <= now) {
            self.rises_at = None;
            self.amps = (self.amps + STEP_A).min(self.want_a());
        }
        self.settle(now);
    }

    /// When something of its own is due next, if nothing else happens, at so many kW at the device.
    pub(super) fn next(&self, now: Ms, kw: f64) -> Option<Ms> {
        let rate_kw = self.stored_kw(kw);
        let turns_at = if self.amps > 0.0 && rate_kw > 0.0 {
            Some((self.next_soc_kwh() - self.soc_kwh) / rate_kw)
        } else if self.amps < 0.0 && rate_kw < 0.0 {
            Some(self.soc_kwh / -rate_kw)
        } else {
            None
        };
        let turns_at = turns_at.map(|hours| now.saturating_add(ms(hours * 3600.0).max(1)));
        [turns_at, self.rises_at, self.sleeps_at()].into_iter().flatten().min()
    }

    /// Time passes at so many kW at the device. Returns what is lost, in kWh.
    pub(super) fn pass(&mut self, hours: f64, kw: f64) -> f64 {
        let stored_kwh = self.stored_kw(kw) * hours;
        self.soc_kwh += stored_kwh;
        kw * hours - stored_kwh
    }

    /// What arrives in the battery of so many kW at the device; negative, what leaves it.
    fn stored_kw(&self, kw: f64) -> f64 {
        if self.amps == 0.0 {
            return 0.0;
        }
        let rest_kw = kw - self.car.own_kw;
        if rest_kw > 0.0 { rest_kw * self.car.efficiency } else { rest_kw / self.car.efficiency }
    }

    /// Whether it may draw or feed in at all with so much on offer.
    fn invited(&self, offered_a: f64) -> bool {
        offered_a >= self.car.min_a || (offered_a < 0.0 && self.car.max_discharge_a > 0.0)
    }

    fn full(&self) -> bool {
        self.soc_kwh >= self.car.capacity_kwh - NEAR_KWH
    }

    fn step(&mut self) {
        if self.asleep {
            self.steps = self.steps.saturating_add(1);
            self.asleep = self.car.wakes_at_step.is_none_or(|steps| self.steps < steps);
        }
    }

    fn sleeps_at(&self) -> Option<Ms> {
        if self.asleep {
            return None;
        }
        Some(self.paused_at?.saturating_add(ms(self.car.sleeps_after_s?)))
    }

    /// The most it takes at its state of charge, in A.
    fn ceiling_a(&self) -> f64 {
        let above = self.soc_kwh / self.car.capacity_kwh - self.car.taper_from_soc;
        let branch = 1.0 - self.car.taper_from_soc;
        if above <= 0.0 || branch <= 0.0 {
            return self.car.max_a;
        }
        self.car.max_a * (1.0 - (1.0 - LEFT_AT_FULL) * (above / branch).min(1.0))
    }

    /// The state of charge at which its current changes next, in kWh.
    fn next_soc_kwh(&self) -> f64 {
        let below_a = (self.amps - STEP_A).max(self.car.min_a);
        if self.amps <= self.car.min_a {
            return self.car.capacity_kwh;
        }
        let along = (1.0 - below_a / self.car.max_a) / (1.0 - LEFT_AT_FULL);
        let soc = self.car.taper_from_soc + (1.0 - self.car.taper_from_soc) * along;
        (soc.min(1.0) * self.car.capacity_kwh).max(self.soc_kwh)
    }

    fn want_a(&self) -> f64 {
        if self.asleep || !self.invited(self.offered_a) {
            0.0
        } else if self.offered_a < 0.0 {
            if self.soc_kwh > NEAR_KWH { self.offered_a.max(-self.car.max_discharge_a) } else { 0.0 }
        } else if self.full() {
            0.0
        } else {
            self.offered_a.min(self.ceiling_a()).max(self.car.min_a)
        }
    }

    /// Brings what it draws to what it wants: downwards at once, upwards by the ramp.
    fn settle(&mut self, now: Ms) {
        let want_a = self.want_a();
        if self.amps == 0.0 && want_a != 0.0 {
            self.starts += 1;
        }
        if want_a <= self.amps || want_a <= 0.0 || self.car.ramp_a_s <= 0.0 {
            self.amps = want_a;
        } else if self.amps <= 0.0 {
            self.amps = self.car.min_a.min(want_a);
        }
        if want_a <= self.amps {
            self.rises_at = None;
        } else if self.rises_at.is_none() {
            self.rises_at = Some(now + ms(STEP_A / self.car.ramp_a_s).max(1));
        }
    }
}
