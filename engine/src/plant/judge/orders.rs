//! A grid operator's limit on current or power is kept, from when it was told and is in force, but for the time that the
//! slowest device may take to react. What the building does alone does not count, what is added to it does.

use chrono::{DateTime, Utc};

use super::lasting::{Ended, Lasting};
use super::{Finding, Rule, below, reaction_s};
use crate::control::event::{Emergency, Event, Limit, Scope, Signal};
use crate::control::setup::Setup;
use crate::plant::truth::Truth;
use crate::plant::world::World;

/// So much more than the limit on a phase is none yet, in A. On power it is the same on one phase.
const ALLOWANCE_A: f64 = 1.0;

/// A limit from when to when it really has to be kept.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) signal: Signal,
    pub(super) from: DateTime<Utc>,
    pub(super) until: Option<DateTime<Utc>>,
}

impl Order {
    pub(super) fn in_force(&self, at: DateTime<Utc>) -> bool {
        self.from <= at && self.until.is_none_or(|until| at < until)
    }
}

/// All limits that are told in the course of the days.
pub(super) fn orders(world: &World) -> Vec<Order> {
    let mut all: Vec<Order> = Vec::new();
    let mut signals: Vec<&(DateTime<Utc>, Event)> = world.signals.iter().collect();
    signals.sort_by_key(|(at, _)| *at);
    for (at, event) in signals {
        let id = match event {
            Event::Signal(signal) => &signal.id,
            Event::Withdrawn { id } => id,
            _ => continue,
        };
        for order in all.iter_mut().filter(|order| order.signal.id == *id) {
            order.until = Some(order.until.map_or(*at, |until| until.min(*at)));
        }
        if let Event::Signal(signal) = event {
            all.push(Order { from: signal.from.max(*at), until: signal.until, signal: signal.clone() });
        }
    }
    all
}

#[derive(Debug)]
pub(super) struct Orders {
    /// Each with its devices, the time they may take in s, and what lasts, by phase and of all together.
    orders: Vec<(Order, f64, [Lasting; 4])>,
}

impl Orders {
    pub(super) fn new(setup: &Setup, world: &World) -> Orders {
        let with = |order: Order| {
            let devices = match &order.signal.on {
                Scope::Node(node) => below(setup, *node),
                Scope::Devices(devices) => devices.clone(),
            };
            let allowed_s = reaction_s(setup, &devices);
            (order, allowed_s, <[Lasting; 4]>::default())
        };
        Orders { orders: orders(world).into_iter().map(with).collect() }
    }

    pub(super) fn held(&mut self, setup: &Setup, from: DateTime<Utc>, truth: &Truth, found: &mut Vec<Finding>) {
        for (order, allowed_s, lasting) in &mut self.orders {
            let over = if order.in_force(from) { over(setup, order, truth) } else { [None; 4] };
            for phase in 0..4 {
                judge(lasting[phase].is(from, over[phase]), order, phase, *allowed_s, found);
            }
        }
    }

    pub(super) fn end(&mut self, now: DateTime<Utc>, found: &mut Vec<Finding>) {
        for (order, allowed_s, lasting) in &mut self.orders {
            for phase in 0..4 {
                judge(lasting[phase].is(now, None), order, phase, *allowed_s, found);
            }
        }
    }
}

/// What flows where a limit holds, by phase in A, and what of it is the building's.
pub(super) fn flows(scope: &Scope, setup: &Setup, truth: &Truth) -> ([f64; 3], [f64; 3]) {
    match scope {
        Scope::Node(node) => {
            let Some(flows) = truth.nodes.get(*node) else { return ([0.0; 3], [0.0; 3]) };
            ([0, 1, 2].map(|phase| flows.total_a(phase) + flows.reserve_a[phase]), flows.building_a)
        }
        Scope::Devices(devices) => {
            let mut sum_a = [0.0; 3];
            for (device, is) in devices.iter().filter_map(|&k| Some((setup.devices.get(k)?, truth.devices.get(k)?))) {
                for own in 0..3 {
                    let held_a = if is.silent && own < device.phases.len() { is.allows_a } else { 0.0 };
                    sum_a[own] += is.drawn_a[own].max(held_a);
                }
            }
            (sum_a, [0.0; 3])
        }
    }
}

/// By how much an order is exceeded: by phase in A, and all together in kW.
fn over(setup: &Setup, order: &Order, truth: &Truth) -> [Option<(f64, f64)>; 4] {
    let (is_a, alone_a) = flows(&order.signal.on, setup, truth);
    let amps = |limit_a: [f64; 3], phase: usize| {
        let most_a = limit_a[phase].max(alone_a[phase]) + ALLOWANCE_A;
        (is_a[phase] > most_a).then_some((is_a[phase], limit_a[phase]))
    };
    let power = |limit_kw: f64| {
        let is_kw = setup.kw(is_a.iter().sum(), 1);
        let most_kw = limit_kw.max(setup.kw(alone_a.iter().sum(), 1)) + setup.kw(ALLOWANCE_A, 1);
        (is_kw > most_kw).then_some((is_kw, limit_kw))
    };
    match order.signal.limit {
        Limit::Amps(limit_a) => [amps(limit_a, 0), amps(limit_a, 1), amps(limit_a, 2), None],
        Limit::Power(limit_kw) => [None, None, None, power(limit_kw)],
        Limit::Emergency(Emergency { amps: limit_a, kw, .. }) => {
            [amps(limit_a, 0), amps(limit_a, 1), amps(limit_a, 2), power(kw)]
        }
        Limit::Quarter(_) => [None; 4],
    }
}

fn judge(ended: Option<Ended>, order: &Order, phase: usize, allowed_s: f64, found: &mut Vec<Finding>) {
    let Some(ended) = ended.filter(|ended| ended.seconds > allowed_s) else { return };
    let finding = Finding::new(Rule::Order, ended.from, ended.seconds, ended.worst, ended.limit);
    let node = if let Scope::Node(node) = order.signal.on { Some(node) } else { None };
    found.push(Finding { node, phase: Some(phase).filter(|&phase| phase < 3), ..finding });
}
