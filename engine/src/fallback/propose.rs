//! The most generous fallback that is safe: as much as possible for whoever gets least.
//!
//! Values are whole amperes, 0 or at least 6. First those with a guaranteed minimum are filled up to it, then all. Within
//! each, everybody's value at every hour rises together, 0, 6, 7 ..., and one that would break a limit stays where it is:
//! the lexicographic max-min order, in steps of an ampere. Where the last step is not enough for all that share a limit,
//! those that load fewer phases go first, since more of them get it, then the order of the site file.

use super::room::{Day, at_change, before, buildings, phases, sums};
use super::{ByHour, HOURS, SLACK_A, is_open};
use crate::control::setup::{Device, LOWEST_A, Setup};

/// The lowest step above 0.
const FIRST_A: u32 = 6;
const _: () = assert!(LOWEST_A == 6.0);

/// What to store in each device; `None` for those in which nothing is stored or relied on. `constant` tells which can only
/// store one value for all hours.
///
/// Boards whose `building_max_a` is unknown count without a building: there, the values are not proven.
pub fn propose(setup: &Setup, constant: impl Fn(usize) -> bool) -> Vec<Option<ByHour>> {
    let buildings = buildings(setup);
    let fixed = sums(setup, |_, device| fixed(device), at_change);
    let mut filling = Filling {
        setup,
        values: setup.devices.iter().map(|device| is_open(device).then_some([0.0; HOURS])).collect(),
        spare: (0..setup.nodes.len()).map(|node| spare(setup, node, &buildings[node], &fixed[node])).collect(),
    };
    let mut groups: Vec<Group> = Vec::new();
    let mut order: Vec<usize> = (0..setup.devices.len()).filter(|&k| filling.values[k].is_some()).collect();
    order.sort_by_key(|&k| phases(&setup.devices[k]).len());
    for device in order {
        if constant(device) {
            groups.push(Group { device, hours: (0..HOURS).collect(), open: true });
        } else {
            groups.extend((0..HOURS).map(|hour| Group { device, hours: vec![hour], open: true }));
        }
    }
    filling.fill(&mut groups, |device| device.guaranteed_a.ceil().min(device.max_a));
    filling.fill(&mut groups, |device| device.max_a);
    filling.values
}

/// What a device draws that nothing can be chosen for.
fn fixed(device: &Device) -> ByHour {
    if is_open(device) { [0.0; HOURS] } else { super::prove::counted(device) }
}

fn spare(setup: &Setup, node: usize, building: &Day, fixed: &Day) -> Day {
    std::array::from_fn(|phase| {
        std::array::from_fn(|hour| {
            setup.nodes[node].limit_a[phase] - at_change(&building[phase], hour) - fixed[phase][hour]
        })
    })
}

/// Hours of a device that share a value.
struct Group {
    device: usize,
    hours: Vec<usize>,
    /// Whether it may still rise.
    open: bool,
}

struct Filling<'a> {
    setup: &'a Setup,
    values: Vec<Option<ByHour>>,
    /// What is left by board, phase and change of the hour.
    spare: Vec<Day>,
}

impl Filling<'_> {
    fn fill(&mut self, groups: &mut [Group], most: impl Fn(&Device) -> f64) {
        let highest_a = groups.iter().map(|group| most(&self.setup.devices[group.device])).fold(0.0, f64::max);
        let mut step = FIRST_A;
        while f64::from(step) <= highest_a {
            let level_a = f64::from(step);
            for group in groups.iter_mut().filter(|group| group.open) {
                let reached = self.values[group.device].is_none_or(|value| value[group.hours[0]] >= level_a);
                if !reached && most(&self.setup.devices[group.device]) >= level_a {
                    group.open = self.raise(group, level_a);
                }
            }
            step += 1;
        }
    }

    /// Raises a group where that fits everywhere; whether it did.
    fn raise(&mut self, group: &Group, level_a: f64) -> bool {
        let Some(old) = self.values[group.device] else { return false };
        let mut new = old;
        group.hours.iter().for_each(|&hour| new[hour] = level_a);
        let device = &self.setup.devices[group.device];
        let phases = phases(device);
        let mut changes: Vec<(usize, f64)> = Vec::with_capacity(group.hours.len() + 1);
        for hour in 0..HOURS {
            if group.hours.contains(&hour) || group.hours.contains(&before(hour)) {
                changes.push((hour, at_change(&new, hour) - at_change(&old, hour)));
            }
        }
        changes.retain(|(_, more_a)| *more_a > 0.0);
        let fits = self.setup.chain(device.node).all(|node| {
            phases
                .iter()
                .all(|&phase| changes.iter().all(|&(hour, more_a)| more_a <= self.spare[node][phase][hour] + SLACK_A))
        });
        if fits {
            for node in self.setup.chain(device.node) {
                for &phase in &phases {
                    changes.iter().for_each(|&(hour, more_a)| self.spare[node][phase][hour] -= more_a);
                }
            }
            self.values[group.device] = Some(new);
        }
        fits
    }
}
