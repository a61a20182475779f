//! No phase of a board carries more than its limit and 1 A for longer than the slowest station below it may take to react,
//! or than the board tolerates. What silent stations hold counts as if it flowed. What the building does alone does not
//! count, what is added to it does.

use chrono::{DateTime, Utc};

use super::lasting::{Ended, Lasting};
use super::{Finding, Rule, below, reaction_s};
use crate::control::setup::Setup;
use crate::plant::truth::Truth;

/// So much more than the limit is none yet, in A.
const ALLOWANCE_A: f64 = 1.0;

/// Above so many times the limit a board's tolerance does not count (`docs/formats/site.md`, `tolerance_s`).
const TOLERATED: f64 = 1.6;

#[derive(Debug)]
pub(super) struct Overload {
    /// By node: how long reacting may take, and how long anything may be tolerated, in s.
    reaction_s: Vec<f64>,
    tolerance_s: Vec<f64>,
    /// By node, phase, direction (import, export).
    over: Vec<[[Lasting; 2]; 3]>,
    closest_a: Vec<f64>,
}

impl Overload {
    pub(super) fn new(setup: &Setup) -> Overload {
        let nodes = 0..setup.nodes.len();
        Overload {
            reaction_s: nodes.clone().map(|node| reaction_s(setup, &below(setup, node))).collect(),
            tolerance_s: setup.nodes.iter().map(|node| node.tolerance_s).collect(),
            over: nodes.map(|_| Default::default()).collect(),
            closest_a: vec![f64::INFINITY; setup.nodes.len()],
        }
    }

    pub(super) fn held(&mut self, setup: &Setup, from: DateTime<Utc>, truth: &Truth, found: &mut Vec<Finding>) {
        for (node, flows) in truth.nodes.iter().enumerate() {
            for phase in 0..3 {
                let limit_a = setup.nodes[node].limit_a[phase];
                let alone_a = flows.building_a[phase];
                let in_a = flows.total_a(phase) + flows.reserve_a[phase];
                let out_a = -flows.total_a(phase);
                self.closest_a[node] = self.closest_a[node].min(limit_a - in_a.max(out_a));
                for (way, (flows_a, alone_a)) in [(in_a, alone_a), (out_a, -alone_a)].into_iter().enumerate() {
                    let most_a = limit_a.max(alone_a) + ALLOWANCE_A;
                    let over = (flows_a > most_a).then_some((flows_a, limit_a));
                    let ended = self.over[node][phase][way].is(from, over);
                    self.judge(ended, node, phase, found);
                }
            }
        }
    }

    pub(super) fn end(&mut self, now: DateTime<Utc>, found: &mut Vec<Finding>) {
        for node in 0..self.over.len() {
            for phase in 0..3 {
                for way in 0..2 {
                    let ended = self.over[node][phase][way].is(now, None);
                    self.judge(ended, node, phase, found);
                }
            }
        }
    }

    pub(super) fn closest_a(&self) -> Vec<f64> {
        self.closest_a.clone()
    }

    fn judge(&self, ended: Option<Ended>, node: usize, phase: usize, found: &mut Vec<Finding>) {
        let Some(ended) = ended else { return };
        let tolerated = ended.worst <= TOLERATED * ended.limit;
        let allowed_s =
            if tolerated { self.reaction_s[node].max(self.tolerance_s[node]) } else { self.reaction_s[node] };
        if ended.seconds > allowed_s {
            let finding = Finding::new(Rule::Overload, ended.from, ended.seconds, ended.worst, ended.limit);
            found.push(Finding { node: Some(node), phase: Some(phase), ..finding });
        }
    }
}
