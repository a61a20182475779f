//! No clock quarter-hour is above its cap on average: the contract's, in both directions, and grid operators', where they
//! were in force from its beginning. What the building does alone does not count, what is added to it does.

use chrono::{DateTime, TimeDelta, Utc};

use super::orders::{Order, flows, orders};
use super::{Finding, Rule};
use crate::control::event::{Limit, Scope};
use crate::control::setup::Setup;
use crate::plant::truth::Truth;
use crate::plant::world::World;

const QUARTER_S: i64 = 900;

/// So much above the cap is none yet, as a share of it, and in kW at least: meters of class 1 cannot tell it.
const ALLOWANCE: f64 = 0.01;
const ALLOWANCE_KW: f64 = 0.1;

#[derive(Debug)]
struct Cap {
    kw: f64,
    /// 1 for import, −1 for export.
    way: f64,
    /// `None`, the grid connection, for ever.
    order: Option<Order>,
    /// Of the quarter so far, all and the building's, in kW·s.
    sum: f64,
    alone: f64,
}

#[derive(Debug)]
pub(super) struct Quarter {
    caps: Vec<Cap>,
    roots: Vec<usize>,
    /// The quarter that is counted.
    begins: Option<DateTime<Utc>>,
}

impl Quarter {
    pub(super) fn new(setup: &Setup, world: &World) -> Quarter {
        let cap = |kw: f64, way: f64, order: Option<Order>| Cap { kw, way, order, sum: 0.0, alone: 0.0 };
        let contract = setup.import_cap_kw.map(|kw| cap(kw, 1.0, None));
        let mut caps: Vec<Cap> = contract.into_iter().collect();
        caps.extend(setup.export_cap_kw.map(|kw| cap(kw, -1.0, None)));
        caps.extend(orders(world).into_iter().filter_map(|order| match order.signal.limit {
            Limit::Quarter(kw) => Some(cap(kw, 1.0, Some(order))),
            Limit::Amps(_) | Limit::Power(_) | Limit::Emergency(_) => None,
        }));
        let roots = (0..setup.nodes.len()).filter(|&node| setup.nodes[node].parent.is_none()).collect();
        Quarter { caps, roots, begins: None }
    }

    pub(super) fn held(
        &mut self,
        setup: &Setup,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
        truth: &Truth,
        found: &mut Vec<Finding>,
    ) {
        if self.caps.is_empty() {
            return;
        }
        let mut at = from;
        while at < until {
            let begins = at - TimeDelta::milliseconds(at.timestamp_millis().rem_euclid(QUARTER_S * 1000));
            if self.begins != Some(begins) {
                self.end(found);
                self.begins = Some(begins);
            }
            let to = until.min(begins + TimeDelta::seconds(QUARTER_S));
            let seconds = (to - at).num_milliseconds() as f64 / 1000.0;
            for cap in &mut self.caps {
                let (is_a, alone_a) = match &cap.order {
                    Some(order) => flows(&order.signal.on, setup, truth),
                    None => at_roots(&self.roots, truth),
                };
                cap.sum += cap.way * setup.kw(is_a.iter().sum(), 1) * seconds;
                cap.alone += cap.way * setup.kw(alone_a.iter().sum(), 1) * seconds;
            }
            at = to;
        }
    }

    /// The quarter is over.
    pub(super) fn end(&mut self, found: &mut Vec<Finding>) {
        let Some(begins) = self.begins.take() else { return };
        for cap in &mut self.caps {
            let [is_kw, alone_kw] = [cap.sum, cap.alone].map(|sum| sum / QUARTER_S as f64);
            (cap.sum, cap.alone) = (0.0, 0.0);
            let whole = cap.order.as_ref().is_none_or(|order| {
                order.in_force(begins) && order.in_force(begins + TimeDelta::seconds(QUARTER_S - 1))
            });
            let most_kw = cap.kw.max(alone_kw) + (ALLOWANCE * cap.kw).max(ALLOWANCE_KW);
            if whole && is_kw > most_kw {
                let finding = Finding::new(Rule::Quarter, begins, QUARTER_S as f64, is_kw, cap.kw);
                let node = match cap.order.as_ref().map(|order| &order.signal.on) {
                    Some(Scope::Node(node)) => Some(*node),
                    Some(Scope::Devices(_)) => None,
                    None => self.roots.first().copied(),
                };
                found.push(Finding { node, ..finding });
            }
        }
    }
}

fn at_roots(roots: &[usize], truth: &Truth) -> ([f64; 3], [f64; 3]) {
    let mut sums = ([0.0; 3], [0.0; 3]);
    for &node in roots {
        for phase in 0..3 {
            sums.0[phase] += truth.nodes[node].total_a(phase);
            sums.1[phase] += truth.nodes[node].building_a[phase];
        }
    }
    sums
}
