//! A vehicle that wants energy has its guaranteed minimum, or nobody had room for it.
//!
//! Judged only where it is clear that there was room: every board above had that much left on all phases, nothing was broken
//! lately, no grid operator's limit or override was in force, caps and imbalance were out of reach. It may wait
//! [`WAITS_S`]: pauses between turns take their time.

use chrono::{DateTime, TimeDelta, Utc};

use super::lasting::{Ended, Lasting};
use super::{Finding, Rule};
use crate::control::event::Event;
use crate::control::setup::Setup;
use crate::plant::truth::Truth;
use crate::plant::world::World;

/// For so long it may wait, in s.
const WAITS_S: f64 = 300.0;

/// For so long after a fault nothing is judged, in s.
const RECOVERS_S: i64 = 300;

/// So much is kept free below a limit, in A.
const MARGIN_A: f64 = 2.0;

#[derive(Debug)]
pub(super) struct Guaranteed {
    without: Vec<Lasting>,
    /// By device: the stay, and what had gone through the device when it began, in kWh.
    begun: Vec<Option<(usize, f64)>>,
}

impl Guaranteed {
    pub(super) fn new(setup: &Setup) -> Guaranteed {
        let devices = setup.devices.len();
        Guaranteed { without: vec![Lasting::default(); devices], begun: vec![None; devices] }
    }

    pub(super) fn held(
        &mut self,
        setup: &Setup,
        world: &World,
        from: DateTime<Utc>,
        truth: &Truth,
        found: &mut Vec<Finding>,
    ) {
        for device in 0..self.without.len() {
            let is = &truth.devices[device];
            let Some(index) = is.stay else {
                judge(self.without[device].is(from, None), device, found);
                continue;
            };
            let begun = self.begun[device].filter(|(stay, _)| *stay == index).unwrap_or((index, is.energy_kwh));
            self.begun[device] = Some(begun);
            let stay = &world.stays[index];
            let has_kwh = is.energy_kwh - begun.1;
            let due_a = setup.devices[device].guaranteed_a.max(stay.told.guaranteed_a);
            let due_a = due_a.min(stay.car.max_a).min(setup.devices[device].max_a);
            let lacks = due_a > 0.0
                && stay.told.need_kwh.is_none_or(|need_kwh| has_kwh < need_kwh)
                && is.hungry
                && is.allows_a < due_a - 0.01
                && !is.silent
                && room(setup, truth, device, due_a - is.allows_a)
                && !disturbed(world, from);
            judge(self.without[device].is(from, lacks.then_some((is.allows_a, due_a))), device, found);
        }
    }

    pub(super) fn end(&mut self, now: DateTime<Utc>, found: &mut Vec<Finding>) {
        for (device, without) in self.without.iter_mut().enumerate() {
            judge(without.is(now, None), device, found);
        }
    }
}

/// Whether a device could clearly draw so much more.
fn room(setup: &Setup, truth: &Truth, device: usize, more_a: f64) -> bool {
    setup.chain(setup.devices[device].node).all(|node| {
        let flows = &truth.nodes[node];
        let limit_a = setup.nodes[node].limit_a;
        let free =
            (0..3).all(|phase| flows.total_a(phase) + flows.reserve_a[phase] + more_a + MARGIN_A <= limit_a[phase]);
        free && setup.nodes[node].imbalance_a.is_none()
    }) && setup.import_cap_kw.is_none()
}

/// Whether something is or lately was broken, or in force.
fn disturbed(world: &World, at: DateTime<Utc>) -> bool {
    let lately = at - TimeDelta::seconds(RECOVERS_S);
    let fault = world.faults.iter().any(|fault| fault.from <= at && fault.until.max(fault.from) >= lately);
    let told = world.signals.iter().any(|(told, event)| {
        let until = match event {
            Event::Override { until, .. } => Some(*until),
            Event::Signal(signal) => signal.until,
            _ => Some(*told),
        };
        *told <= at && until.is_none_or(|until| until >= lately)
    });
    fault || told
}

fn judge(ended: Option<Ended>, device: usize, found: &mut Vec<Finding>) {
    if let Some(ended) = ended.filter(|ended| ended.seconds > WAITS_S) {
        let finding = Finding::new(Rule::Guaranteed, ended.from, ended.seconds, ended.worst, ended.limit);
        found.push(Finding { device: Some(device), ..finding });
    }
}
