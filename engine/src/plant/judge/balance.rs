//! Energy is conserved: what flowed through the grid connection is what the building drew and what devices drew; what
//! devices drew is stored or lost; and a meter without faults saw what flowed, but for its rounding and the second it waits.

use chrono::{DateTime, Utc};

use super::{Finding, Rule, below};
use crate::control::setup::{Kind, Setup};
use crate::plant::Plant;
use crate::plant::truth::Truth;
use crate::plant::world::{What, World};

/// Sums of floats differ by no more than this, in kWh.
const EXACT_KWH: f64 = 1e-6;

/// What a meter may miss: a share of all that flowed either way, and so many kWh.
const METER_SHARE: f64 = 0.005;
const METER_KWH: f64 = 0.05;

/// A meter's and the true account of one board, in kWh.
#[derive(Debug)]
struct Account {
    node: usize,
    devices: Vec<usize>,
    /// The reading that stands, in kW.
    last: Option<(DateTime<Utc>, f64)>,
    seen_kwh: f64,
    true_kwh: f64,
    gross_kwh: f64,
}

#[derive(Debug)]
pub(super) struct Balance {
    volts_by_1000: f64,
    roots: Vec<usize>,
    loads: Vec<usize>,
    through_kwh: f64,
    building_kwh: f64,
    accounts: Vec<Account>,
}

impl Balance {
    pub(super) fn new(setup: &Setup, world: &World) -> Balance {
        let honest = |node: usize| {
            let meter = world.meters.get(node).copied().unwrap_or_default();
            let faulty =
                world.faults.iter().any(|f| matches!(f.what, What::Meter { node: other, .. } if other == node));
            meter.clock_s == 0.0 && meter.latency_s == 0.0 && !faulty
        };
        let accounts = (0..setup.nodes.len()).filter(|&node| honest(node)).filter_map(|node| {
            let seen = setup.nodes[node].meter?;
            let devices = below(setup, node).into_iter().filter(|&k| seen.sees(setup.devices[k].kind)).collect();
            Some(Account { node, devices, last: None, seen_kwh: 0.0, true_kwh: 0.0, gross_kwh: 0.0 })
        });
        Balance {
            volts_by_1000: setup.kw(1.0, 1),
            roots: (0..setup.nodes.len()).filter(|&node| setup.nodes[node].parent.is_none()).collect(),
            loads: (0..setup.devices.len()).filter(|&k| setup.devices[k].kind == Kind::Load).collect(),
            through_kwh: 0.0,
            building_kwh: 0.0,
            accounts: accounts.collect(),
        }
    }

    pub(super) fn hear(&mut self, node: usize, at: DateTime<Utc>, phases_a: [f64; 3]) {
        let kw = phases_a.iter().sum::<f64>() * self.volts_by_1000;
        for account in self.accounts.iter_mut().filter(|account| account.node == node) {
            if let Some((since, before_kw)) = account.last {
                account.seen_kwh += before_kw * hours(since, at);
            }
            account.last = Some((at, kw));
        }
    }

    pub(super) fn held(&mut self, setup: &Setup, from: DateTime<Utc>, until: DateTime<Utc>, truth: &Truth) {
        let hours = hours(from, until);
        for &node in &self.roots {
            let flows = &truth.nodes[node];
            self.through_kwh += setup.kw((0..3).map(|phase| flows.total_a(phase)).sum(), 1) * hours;
            self.building_kwh += setup.kw(flows.building_a.iter().sum(), 1) * hours;
        }
        for account in &mut self.accounts {
            let mut amps: f64 = truth.nodes[account.node].building_a.iter().sum();
            amps += account.devices.iter().map(|&k| truth.devices[k].drawn_a.iter().sum::<f64>()).sum::<f64>();
            account.true_kwh += setup.kw(amps, 1) * hours;
            account.gross_kwh += setup.kw(amps.abs(), 1) * hours;
        }
    }

    pub(super) fn end(&mut self, world: &World, plant: &Plant, found: &mut Vec<Finding>) {
        let truth = plant.truth();
        let length_s = (plant.now() - world.start).num_seconds() as f64;
        let mut judge = |is: f64, should: f64, allowed: f64, node: Option<usize>| {
            if (is - should).abs() > allowed {
                let finding = Finding::new(Rule::Balance, world.start, length_s, is, should);
                found.push(Finding { node, ..finding });
            }
        };
        let drawn_kwh: f64 = truth.devices.iter().map(|device| device.energy_kwh).sum();
        judge(self.through_kwh, self.building_kwh + drawn_kwh, EXACT_KWH, None);
        let lost_kwh: f64 = truth.devices.iter().map(|device| device.lost_kwh).sum();
        let in_cars = world.stays.iter().zip(plant.stays()).map(|(stay, is)| is.soc_kwh - stay.soc_kwh).sum::<f64>();
        let in_stores = world.stores.iter().filter_map(|store| Some(plant.stored_kwh(store.device)? - store.soc_kwh));
        let stored_kwh = in_cars + in_stores.sum::<f64>();
        let used_kwh: f64 = self.loads.iter().map(|&load| truth.devices[load].energy_kwh).sum();
        judge(drawn_kwh, stored_kwh + lost_kwh + used_kwh, EXACT_KWH, None);
        for account in &mut self.accounts {
            let Some((since, kw)) = account.last.take() else { continue };
            account.seen_kwh += kw * hours(since, plant.now());
            let allowed_kwh = METER_SHARE * account.gross_kwh + METER_KWH;
            judge(account.seen_kwh, account.true_kwh, allowed_kwh, Some(account.node));
        }
    }
}

fn hours(from: DateTime<Utc>, until: DateTime<Utc>) -> f64 {
    (until - from).num_milliseconds() as f64 / 3_600_000.0
}
