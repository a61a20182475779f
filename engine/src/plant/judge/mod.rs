//! Who judges a run: one rule a file, each from what really flowed, none with anything of the code it judges.
//!
//! [`Judges`] looks on as a [`Watcher`], hears what the fast loop hears, and says in the end what was found. The rules are
//! those of `docs/simulation.md`; findings are faults of whoever steered, or of the simulation itself ([`Rule::Balance`]).

mod balance;
mod fairness;
mod guaranteed;
mod imbalance;
mod lasting;
mod orders;
mod overload;
mod quarter;
mod starts;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use serde::Serialize;

use self::balance::Balance;
pub use self::fairness::Class;
use self::guaranteed::Guaranteed;
use self::imbalance::Imbalance;
use self::orders::Orders;
use self::overload::Overload;
use self::quarter::Quarter;
use super::Plant;
use super::truth::{Truth, Watcher};
use super::world::World;
use crate::control::event::Event;
use crate::control::setup::Setup;

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// A phase of a board above its limit for too long; A.
    Overload,
    /// A board out of balance for too long; A.
    Imbalance,
    /// A quarter-hour above its cap; kW on average.
    Quarter,
    /// A grid operator's limit exceeded for too long; A, or kW where no phase is given.
    Order,
    /// A vehicle without its guaranteed minimum although there was room; A.
    Guaranteed,
    /// A stay with too many starts; a number.
    Starts,
    /// Energy that came from nowhere or went nowhere; kWh.
    Balance,
}

/// What a judge found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// The rule that was broken.
    pub rule: Rule,
    /// From when.
    pub from: DateTime<Utc>,
    /// For how long, in s.
    pub seconds: f64,
    /// Index of the board.
    pub node: Option<usize>,
    /// Index of the device.
    pub device: Option<usize>,
    /// Grid phase, 0 = L1.
    pub phase: Option<usize>,
    /// The worst value, in the unit of the rule.
    pub value: f64,
    /// What would have been allowed.
    pub limit: f64,
}

impl Finding {
    /// A finding of which no more is known.
    fn new(rule: Rule, from: DateTime<Utc>, seconds: f64, value: f64, limit: f64) -> Finding {
        Finding { rule, from, seconds, node: None, device: None, phase: None, value, limit }
    }
}

/// The outcome.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// What was found, by time.
    pub findings: Vec<Finding>,
    /// By board: how far its fullest phase stayed below its limit, in A; negative where it was above, however briefly.
    pub closest_a: Vec<f64>,
    /// How evenly energy was shared among those who got less than they could have, by priority.
    pub fairness: Vec<Class>,
    /// The most starts of any stay.
    pub most_starts: u32,
}

/// The judges of one run.
#[derive(Debug)]
pub struct Judges {
    setup: Setup,
    world: World,
    overload: Overload,
    imbalance: Imbalance,
    quarter: Quarter,
    orders: Orders,
    guaranteed: Guaranteed,
    balance: Balance,
    findings: Vec<Finding>,
}

impl Judges {
    /// Judges of days that begin.
    pub fn new(setup: &Setup, world: &World) -> Judges {
        Judges {
            overload: Overload::new(setup),
            imbalance: Imbalance::new(setup),
            quarter: Quarter::new(setup, world),
            orders: Orders::new(setup, world),
            guaranteed: Guaranteed::new(setup),
            balance: Balance::new(setup, world),
            setup: setup.clone(),
            world: world.clone(),
            findings: Vec::new(),
        }
    }

    /// They hear what the fast loop hears.
    pub fn hear(&mut self, events: &[Event]) {
        for event in events {
            if let Event::Meter { node, at, phases_a } = event {
                self.balance.hear(*node, *at, *phases_a);
            }
        }
    }

    /// What was found, at the end of the days.
    pub fn report(mut self, plant: &Plant) -> Report {
        let now = plant.now();
        let found = &mut self.findings;
        self.overload.end(now, found);
        self.imbalance.end(now, found);
        self.quarter.end(found);
        self.orders.end(now, found);
        self.guaranteed.end(now, found);
        self.balance.end(&self.world, plant, found);
        let most_starts = starts::judge(&self.world, plant.stays(), now, found);
        found.sort_by_key(|finding| (finding.from, finding.rule, finding.node, finding.device, finding.phase));
        Report {
            closest_a: self.overload.closest_a(),
            fairness: fairness::classes(&self.setup, &self.world, plant.stays(), now),
            most_starts,
            findings: self.findings,
        }
    }
}

impl Watcher for Judges {
    fn held(&mut self, from: DateTime<Utc>, until: DateTime<Utc>, truth: &Truth) {
        let found = &mut self.findings;
        self.overload.held(&self.setup, from, truth, found);
        self.imbalance.held(&self.setup, from, truth, found);
        self.quarter.held(&self.setup, from, until, truth, found);
        self.orders.held(&self.setup, from, truth, found);
        self.guaranteed.held(&self.setup, &self.world, from, truth, found);
        self.balance.held(&self.setup, from, until, truth);
    }
}

/// Devices on a board and below it.
fn below(setup: &Setup, node: usize) -> Vec<usize> {
    (0..setup.devices.len()).filter(|&device| setup.chain(setup.devices[device].node).any(|n| n == node)).collect()
}

/// How long it may take until devices have obeyed, in s: the slowest of them; 10 where there are none.
fn reaction_s(setup: &Setup, devices: &[usize]) -> f64 {
    let slowest = devices.iter().map(|&device| setup.devices[device].reaction_s).reduce(f64::max);
    slowest.unwrap_or(10.0)
}
