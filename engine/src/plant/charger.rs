//! What a device does with commands: how long they take, which it follows, what it holds when it hears nothing.
//!
//! The quirks are those that were seen in the field; the table with sources stands in `docs/simulation.md`.

use super::chance::Chance;
use super::queue::{Ms, ms};
use super::world::Charger;
use crate::control::command::Setpoint;
use crate::control::setup::{Device, Kind, LOWEST_A};

/// How much a latency varies: a command takes this share more or less.
const LATENCY_SPREAD: f64 = 0.5;

/// A command on its way, and what will become of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct OnItsWay {
    pub(super) setpoint: Setpoint,
    accepted: bool,
    answered: bool,
}

/// What became of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Took {
    /// The answer, where one arrives: whether it accepted.
    pub(super) answer: Option<bool>,
    /// Whether contactors open because it charges on another number of phases.
    pub(super) switches: bool,
    /// Whether a vehicle that charges on one phase is put on another one.
    pub(super) moves: bool,
}

impl Took {
    /// Nothing has changed.
    fn nothing(answer: Option<bool>) -> Took {
        Took { answer, switches: false, moves: false }
    }
}

/// A device's own electronics.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)]
pub(super) struct Electronics {
    kind: Kind,
    max_a: f64,
    max_discharge_a: f64,
    switches_phases: bool,
    chooses_phase: bool,
    managed: bool,
    fallback_a: Option<[f64; 24]>,
    pub(super) charger: Charger,
    /// Grid phases on its own L1, L2, L3.
    pub(super) phases: Vec<usize>,
    chance: Chance,
    /// The limit in force in A per phase; `None`, none.
    pub(super) holds_a: Option<f64>,
    /// The limit it says that it holds.
    pub(super) claims_a: Option<f64>,
    /// On how many phases it charges.
    pub(super) in_use: usize,
    /// On which of its own phases a vehicle is that charges on one.
    pub(super) single: usize,
    /// Whether the stored fallback is what it holds.
    pub(super) on_fallback: bool,
    /// When the last command arrives: they keep their order.
    last: Ms,
    /// Faults in force, by number.
    pub(super) ignoring: u32,
    pub(super) rejecting: u32,
    pub(super) cut: u32,
    pub(super) overdraws_a: f64,
    pub(super) slow_s: Option<f64>,
    pub(super) booting: bool,
    /// Whether the fast loop knows that the connection is cut.
    pub(super) silent: bool,
    /// Counts what makes a planned end of booting void.
    pub(super) era: u32,
    /// Counts setpoints taken and lost: what makes a planned lapse void.
    pub(super) lease: u32,
}

impl Electronics {
    /// A device that has been running on its fallback.
    pub(super) fn new(device: &Device, charger: Charger, chance: Chance, hour: usize) -> Electronics {
        let phases = charger.true_phases.clone().unwrap_or_else(|| device.phases.clone());
        let phases: Vec<usize> = phases.into_iter().filter(|&phase| phase < 3).take(3).collect();
        let mut own = Electronics {
            kind: device.kind,
            max_a: device.max_a,
            max_discharge_a: device.max_discharge_a,
            switches_phases: device.switches_phases && !charger.ignores_phases,
            chooses_phase: device.chooses_phase && !charger.ignores_phases,
            managed: device.managed,
            fallback_a: device.fallback_a,
            in_use: phases.len(),
            single: 0,
            phases,
            charger,
            chance,
            holds_a: None,
            claims_a: None,
            on_fallback: true,
            last: 0,
            ignoring: 0,
            rejecting: 0,
            cut: 0,
            overdraws_a: 0.0,
            slow_s: None,
            booting: false,
            silent: false,
            era: 0,
            lease: 0,
        };
        own.fall_back(hour);
        if own.charger.ignores || !own.managed {
            own.holds_a = None;
            own.on_fallback = false;
        }
        own
    }

    /// Whether it can be reached.
    pub(super) fn reachable(&self) -> bool {
        self.cut == 0 && !self.booting && self.managed
    }

    /// A command is sent. Returns when it arrives; `None`, it gets lost.
    pub(super) fn sent(&mut self, now: Ms, setpoint: Setpoint) -> Option<(Ms, OnItsWay)> {
        // As many draws for every command, whatever becomes of it.
        let lost = self.chance.happens(self.charger.command_loss);
        let rejected = self.chance.happens(self.charger.reject);
        let unanswered = self.chance.happens(self.charger.answer_loss);
        let spread = self.chance.between(1.0 - LATENCY_SPREAD, 1.0 + LATENCY_SPREAD);
        if lost || !self.reachable() {
            return None;
        }
        let latency_s = self.slow_s.unwrap_or(self.charger.latency_s) * spread;
        self.last = self.last.max(now + ms(latency_s).max(1));
        Some((self.last, OnItsWay { setpoint, accepted: !rejected, answered: !unanswered }))
    }

    /// A command arrives.
    pub(super) fn takes(&mut self, command: OnItsWay) -> Took {
        if !self.reachable() {
            return Took::nothing(None);
        }
        let accepted = command.accepted && self.rejecting == 0;
        let answer = command.answered.then_some(accepted);
        if !accepted {
            return Took::nothing(answer);
        }
        let amps = self.rounded(command.setpoint.amps);
        self.claims_a = Some(amps);
        if self.ignoring > 0 || self.charger.ignores {
            return Took::nothing(answer);
        }
        let resumes = amps > 0.0 && self.holds_a == Some(0.0) && !self.on_fallback;
        self.holds_a = if resumes && self.charger.zero_means_unlimited { None } else { Some(amps) };
        self.on_fallback = false;
        self.lease += 1;
        let wanted = if self.switches_phases { usize::from(command.setpoint.phases.max(1)) } else { 3 };
        let before = std::mem::replace(&mut self.in_use, wanted.min(self.phases.len()));
        let moves = command.setpoint.phase.is_some_and(|phase| self.chooses(usize::from(phase)));
        Took { answer, switches: before != self.in_use, moves }
    }

    /// It holds a limit because whoever plays it says so.
    pub(super) fn holds(&mut self, amps: Option<f64>, phases: u8, phase: Option<u8>) -> Took {
        self.holds_a = amps;
        self.claims_a = amps;
        self.on_fallback = false;
        self.lease += 1;
        let wanted = if self.switches_phases { usize::from(phases.max(1)) } else { 3 };
        let before = std::mem::replace(&mut self.in_use, wanted.min(self.phases.len()));
        let moves = phase.is_some_and(|phase| self.chooses(usize::from(phase)));
        Took { answer: None, switches: before != self.in_use, moves }
    }

    /// Whoever charges on one phase is put on this one, where it can be chosen. Whether that is another one than before.
    fn chooses(&mut self, phase: usize) -> bool {
        let chosen = if self.chooses_phase && phase < self.phases.len() { phase } else { self.single };
        std::mem::replace(&mut self.single, chosen) != chosen
    }

    /// It goes over to what it has stored for when it hears nothing. Whether a vehicle that charges on one phase is put on
    /// another one: nobody chooses for the device then, and it takes the next one.
    pub(super) fn fall_back(&mut self, hour: usize) -> bool {
        let moves = !self.on_fallback && self.chooses((self.single + 1) % self.phases.len().max(1));
        self.holds_a = self.fallback_a.map(|hours| hours[hour.min(23)]);
        self.claims_a = self.holds_a;
        self.on_fallback = true;
        self.lease += 1;
        moves
    }

    /// It has lost power and comes back.
    pub(super) fn booted(&mut self, hour: usize) {
        self.booting = false;
        self.in_use = self.phases.len();
        self.fall_back(hour);
        if !self.charger.keeps_fallback || self.charger.ignores || !self.managed {
            self.holds_a = None;
            self.claims_a = None;
            self.on_fallback = false;
        }
    }

    /// How long a setpoint that it has just taken is good for; `None`, for ever.
    pub(super) fn lapses_in(&self, setpoint: &Setpoint) -> Option<Ms> {
        Some(ms(self.charger.expires_after_s?.min(setpoint.valid_s)).max(1))
    }

    /// What it lets flow per phase in A: 0, at least 6 where vehicles charge, or less than 0.
    pub(super) fn allows_a(&self) -> f64 {
        if self.booting {
            return 0.0;
        }
        let limit_a = self.holds_a.map_or(self.max_a, |amps| amps.min(self.max_a));
        if limit_a <= 0.0 {
            return limit_a.max(-self.max_discharge_a);
        }
        if self.kind == Kind::Station && limit_a < LOWEST_A {
            return 0.0;
        }
        limit_a + self.charger.overdraws_a + self.overdraws_a
    }

    fn rounded(&self, amps: f64) -> f64 {
        let step_a = self.charger.rounds_down_to_a;
        // A setpoint that is a multiple but for the last digit is one.
        if step_a > 0.0 { (amps / step_a + 1e-9).floor() * step_a } else { amps }
    }
}
