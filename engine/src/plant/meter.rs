//! A board's meter: it publishes every second, as exactly, as late and as wrongly as the world says.
//!
//! Seconds in which nothing has changed are not played: a reading is made when what flows has changed, and whenever
//! somebody looks; in between the last one stands.

use super::queue::{Ms, ms};
use super::world::{Meter, MeterFault};

/// A reading on its way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Reading {
    /// When it was made, true time.
    pub(super) at: Ms,
    /// L1, L2, L3 in A.
    pub(super) amps: [f64; 3],
}

/// A meter and its state.
#[derive(Debug, Clone)]
pub(super) struct Measuring {
    meter: Meter,
    /// Faults in force, the latest last.
    faults: Vec<(usize, MeterFault)>,
    /// What it shows while it is frozen.
    frozen_a: Option<[f64; 3]>,
    /// The last reading that arrived.
    arrived: Option<Reading>,
    /// A reading that is held back until the next one has arrived.
    held_back: Option<Reading>,
    /// Whether a reading is due at the next whole second.
    pub(super) due: bool,
}

impl Measuring {
    /// A meter without faults.
    pub(super) fn new(meter: Meter) -> Measuring {
        Measuring { meter, faults: Vec::new(), frozen_a: None, arrived: None, held_back: None, due: false }
    }

    /// A fault begins while so much flows.
    pub(super) fn begins(&mut self, fault: usize, how: MeterFault, flows_a: [f64; 3]) {
        if how == MeterFault::Frozen {
            self.frozen_a = Some(self.arrived.map_or(flows_a, |reading| reading.amps));
        }
        self.faults.push((fault, how));
    }

    /// A fault ends.
    pub(super) fn ends(&mut self, fault: usize) {
        self.faults.retain(|&(index, _)| index != fault);
        if !self.has(MeterFault::Frozen) {
            self.frozen_a = None;
        }
        if !self.has(MeterFault::OutOfOrder) {
            self.held_back = None;
        }
    }

    /// How long a reading takes to arrive.
    pub(super) fn latency(&self) -> Ms {
        let late = self.faults.iter().map(|(_, how)| if let MeterFault::Late { by_s } = how { *by_s } else { 0.0 });
        ms(self.meter.latency_s + late.fold(0.0, f64::max))
    }

    /// What its clock shows more than the true time.
    pub(super) fn clock(&self) -> Ms {
        ms(self.meter.clock_s)
    }

    /// Makes a reading of what flows; `None`, it is silent.
    pub(super) fn read(&self, at: Ms, flows_a: [f64; 3]) -> Option<Reading> {
        if self.has(MeterFault::Silent) {
            return None;
        }
        let exact_a = self.frozen_a.unwrap_or_else(|| flows_a.map(|amps| self.rounded(amps)));
        let amps = self.faults.iter().fold(exact_a, |amps, (_, how)| amps.map(|amps| shown(*how, amps)));
        Some(Reading { at, amps })
    }

    /// What is shown anew at an instant without anything having changed; `None`, it has been shown, or it is silent.
    pub(super) fn again(&self, now: Ms, flows_a: [f64; 3]) -> Option<Reading> {
        let latency = self.latency();
        let at = now - latency;
        if self.arrived.is_some_and(|last| last.at >= at) || (latency > 0 && self.arrived.is_none()) {
            return None;
        }
        let reading = self.read(at, flows_a)?;
        // What is on its way is not known yet: the last that arrived stands.
        if latency > 0 { self.arrived.map(|last| Reading { at, ..last }) } else { Some(reading) }
    }

    /// A reading arrives. Returns what is heard of it, in this order.
    pub(super) fn arrives(&mut self, reading: Reading) -> [Option<Reading>; 2] {
        if self.arrived.is_none_or(|last| last.at < reading.at) {
            self.arrived = Some(reading);
        }
        if !self.has(MeterFault::OutOfOrder) {
            return [Some(reading), None];
        }
        if let Some(earlier) = self.held_back.take() {
            return [Some(reading), Some(earlier)];
        }
        self.held_back = Some(reading);
        [None, None]
    }

    fn has(&self, fault: MeterFault) -> bool {
        self.faults.iter().any(|(_, how)| *how == fault)
    }

    fn rounded(&self, amps: f64) -> f64 {
        let step_a = self.meter.resolution_a;
        if step_a > 0.0 { (amps / step_a).round() * step_a } else { amps }
    }
}

/// What a fault makes of a value.
fn shown(how: MeterFault, amps: f64) -> f64 {
    match how {
        MeterFault::Scaled { by } => amps * by,
        MeterFault::NotANumber => f64::NAN,
        MeterFault::Negative => -amps.abs(),
        MeterFault::SignFlipped => -amps,
        MeterFault::Silent | MeterFault::Frozen | MeterFault::Late { .. } | MeterFault::OutOfOrder => amps,
    }
}
