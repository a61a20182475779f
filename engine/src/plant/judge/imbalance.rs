//! No board is out of balance (largest less smallest signed phase current) by more than its limit and 1 A for longer than a
//! minute. What the building does alone does not count, what is added to it does.

use chrono::{DateTime, Utc};

use super::lasting::{Ended, Lasting};
use super::{Finding, Rule};
use crate::control::setup::Setup;
use crate::plant::truth::Truth;

/// So much more than the limit is none yet, in A.
const ALLOWANCE_A: f64 = 1.0;

/// For so long it may last, in s.
const ALLOWED_S: f64 = 60.0;

#[derive(Debug)]
pub(super) struct Imbalance {
    over: Vec<Lasting>,
}

impl Imbalance {
    pub(super) fn new(setup: &Setup) -> Imbalance {
        Imbalance { over: vec![Lasting::default(); setup.nodes.len()] }
    }

    pub(super) fn held(&mut self, setup: &Setup, from: DateTime<Utc>, truth: &Truth, found: &mut Vec<Finding>) {
        for (node, flows) in truth.nodes.iter().enumerate() {
            let Some(limit_a) = setup.nodes[node].imbalance_a else { continue };
            let is_a = spread([0, 1, 2].map(|phase| flows.total_a(phase)));
            let most_a = limit_a.max(spread(flows.building_a)) + ALLOWANCE_A;
            let ended = self.over[node].is(from, (is_a > most_a).then_some((is_a, limit_a)));
            judge(ended, node, found);
        }
    }

    pub(super) fn end(&mut self, now: DateTime<Utc>, found: &mut Vec<Finding>) {
        for (node, over) in self.over.iter_mut().enumerate() {
            judge(over.is(now, None), node, found);
        }
    }
}

fn spread(amps: [f64; 3]) -> f64 {
    let [a, b, c] = amps;
    a.max(b).max(c) - a.min(b).min(c)
}

fn judge(ended: Option<Ended>, node: usize, found: &mut Vec<Finding>) {
    if let Some(ended) = ended.filter(|ended| ended.seconds > ALLOWED_S) {
        let finding = Finding::new(Rule::Imbalance, ended.from, ended.seconds, ended.worst, ended.limit);
        found.push(Finding { node: Some(node), ..finding });
    }
}
