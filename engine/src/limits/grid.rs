//! What a grid operator allows at every moment. Averages of a quarter-hour are the controller's.

use chrono::{DateTime, TimeDelta, Utc};

use super::Counted;
use super::board::{Building, Sums};
use crate::control::event::{Limit, Scope, Signal};
use crate::control::setup::Setup;

/// Orders are kept so much longer before and after: clocks differ.
const CLOCKS: TimeDelta = TimeDelta::seconds(10);

/// All orders that have been heard and not withdrawn.
#[derive(Debug, Clone, Default)]
pub(super) struct Orders(Vec<Signal>);

impl Orders {
    pub(super) fn put(&mut self, signal: Signal) {
        self.remove(&signal.id);
        self.0.push(signal);
    }

    pub(super) fn remove(&mut self, id: &str) {
        self.0.retain(|signal| signal.id != id);
    }

    /// The orders in force at an instant.
    pub(super) fn at(&self, setup: &Setup, now: DateTime<Utc>, counted: &[Counted]) -> InForce {
        let mut found = InForce::default();
        let in_force =
            |signal: &&Signal| signal.from - CLOCKS <= now && signal.until.is_none_or(|until| now < until + CLOCKS);
        for signal in self.0.iter().filter(in_force) {
            match (&signal.on, signal.limit) {
                (_, Limit::Quarter(_)) => {}
                (Scope::Node(node), Limit::Amps(amps)) => found.nodes_a.push((*node, amps)),
                (Scope::Node(node), Limit::Power(kw)) => found.nodes_kw.push((*node, kw)),
                (Scope::Node(node), Limit::Emergency(supply)) => {
                    found.nodes_a.push((*node, supply.amps));
                    found.nodes_kw.push((*node, supply.kw));
                    found.islands.push(*node);
                }
                (Scope::Devices(devices), Limit::Emergency(supply)) => {
                    for limit in [Limit::Amps(supply.amps), Limit::Power(supply.kw)] {
                        found.groups.push(Group::of(setup, devices, limit, counted));
                    }
                    found.fed_alone.extend(devices);
                }
                (Scope::Devices(devices), limit) => found.groups.push(Group::of(setup, devices, limit, counted)),
            }
        }
        found
    }
}

/// The orders in force.
#[derive(Debug, Default)]
pub(super) struct InForce {
    nodes_a: Vec<(usize, [f64; 3])>,
    nodes_kw: Vec<(usize, f64)>,
    groups: Vec<Group>,
    /// Boards on emergency power, and devices: nothing is fed into it.
    islands: Vec<usize>,
    fed_alone: Vec<usize>,
}

/// Devices that share an order, and the most that they may draw together.
#[derive(Debug)]
struct Group {
    members: Vec<bool>,
    limit: Limit,
    most_a: [f64; 3],
}

impl Group {
    fn of(setup: &Setup, devices: &[usize], limit: Limit, counted: &[Counted]) -> Group {
        let mut members = vec![false; setup.devices.len()];
        for &k in devices {
            if let Some(member) = members.get_mut(k) {
                *member = true;
            }
        }
        let mut most_a = [0.0; 3];
        for (k, _) in members.iter().enumerate().filter(|(_, member)| **member) {
            (0..3).for_each(|phase| most_a[phase] += counted[k].most_a[phase].max(0.0));
        }
        Group { members, limit, most_a }
    }
}

impl InForce {
    /// Whether a device may feed in at all.
    pub(super) fn may_feed_in(&self, setup: &Setup, k: usize) -> bool {
        let island = setup.chain(setup.devices[k].node).any(|above| self.islands.contains(&above));
        !island && !self.fed_alone.contains(&k)
    }

    /// The lowest order in A for a phase of a board; infinite without.
    pub(super) fn node_a(&self, node: usize, phase: usize) -> f64 {
        let of_node = self.nodes_a.iter().filter(|(of, _)| *of == node);
        of_node.map(|(_, amps)| amps[phase].max(0.0)).fold(f64::INFINITY, f64::min)
    }

    /// Follows a change of what a device may draw.
    pub(super) fn shift(&mut self, setup: &Setup, k: usize, before: &Counted, now: &Counted) {
        debug_assert!(k < setup.devices.len());
        for group in self.groups.iter_mut().filter(|group| group.members[k]) {
            for phase in 0..3 {
                group.most_a[phase] += now.most_a[phase].max(0.0) - before.most_a[phase].max(0.0);
            }
        }
    }

    /// How many A per phase orders on power and on groups leave to a device.
    pub(super) fn room_a(
        &self,
        setup: &Setup,
        k: usize,
        counted: &[Counted],
        buildings: &[Building],
        sums: &Sums,
        phases: [bool; 3],
    ) -> f64 {
        let own = counted[k].most_a;
        let used = phases.iter().filter(|used| **used).count().max(1);
        let kw_per_a = setup.kw(1.0, used);
        let mut room_a = f64::INFINITY;
        for &(node, kw) in &self.nodes_kw {
            if setup.chain(setup.devices[k].node).all(|above| above != node) {
                continue;
            }
            let others: f64 =
                (0..3).map(|phase| buildings[node].most_a[phase] + sums.most_a[node][phase] - own[phase]).sum();
            room_a = room_a.min((kw - setup.kw(others, 1)) / kw_per_a);
        }
        for group in self.groups.iter().filter(|group| group.members[k]) {
            let others: [f64; 3] = std::array::from_fn(|phase| group.most_a[phase] - own[phase].max(0.0));
            match group.limit {
                Limit::Amps(amps) => {
                    for phase in (0..3).filter(|&phase| phases[phase]) {
                        room_a = room_a.min(amps[phase] - others[phase]);
                    }
                }
                Limit::Power(kw) => room_a = room_a.min((kw - setup.kw(others.iter().sum(), 1)) / kw_per_a),
                Limit::Quarter(_) | Limit::Emergency(_) => {}
            }
        }
        room_a
    }
}
