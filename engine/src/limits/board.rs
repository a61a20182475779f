//! What flows through a board: the devices below it as sums that follow every change, and the building.

use super::Counted;
use super::meter::Shown;
use crate::control::setup::{Device, Setup};

/// Sums over the devices below each board, by board and grid phase, in A.
#[derive(Debug, Clone)]
#[expect(clippy::struct_field_names, reason = "the unit")]
pub(super) struct Sums {
    /// The most that they may draw.
    pub(super) most_a: Vec<[f64; 3]>,
    /// The least: what they may feed in, below 0.
    pub(super) least_a: Vec<[f64; 3]>,
    /// What those in the reading of the board's meter draw, at least and at most.
    pub(super) seen_a: Vec<[[f64; 3]; 2]>,
}

impl Sums {
    pub(super) fn of(nodes: usize) -> Self {
        Sums { most_a: vec![[0.0; 3]; nodes], least_a: vec![[0.0; 3]; nodes], seen_a: vec![[[0.0; 3]; 2]; nodes] }
    }

    /// Replaces what a device counts with.
    pub(super) fn shift(&mut self, setup: &Setup, device: &Device, before: &Counted, now: &Counted) {
        for node in setup.chain(device.node) {
            add(&mut self.most_a[node], &before.most_a, &now.most_a);
            add(&mut self.least_a[node], &before.least_a, &now.least_a);
            if setup.nodes[node].meter.is_some_and(|seen| seen.sees(device.kind)) {
                for side in 0..2 {
                    add(&mut self.seen_a[node][side], &before.seen_a[side], &now.seen_a[side]);
                }
            }
        }
    }
}

fn add(sum: &mut [f64; 3], before: &[f64; 3], now: &[f64; 3]) {
    for k in 0..3 {
        sum[k] += now[k] - before[k];
    }
}

/// What the building below a board draws, boards below included, in A.
#[derive(Debug, Clone, Copy)]
pub(super) struct Building {
    /// At most; infinite where nothing tells.
    pub(super) most_a: [f64; 3],
    /// At least; below 0 where PV feeds in.
    pub(super) least_a: [f64; 3],
}

/// The building below every board, from the lowest board up.
pub(super) fn buildings(setup: &Setup, shown: &[Shown], sums: &Sums, now_s: f64, hours: [usize; 2]) -> Vec<Building> {
    let mut buildings = vec![Building { most_a: [0.0; 3], least_a: [0.0; 3] }; setup.nodes.len()];
    for &k in setup.downwards.iter().rev() {
        let node = &setup.nodes[k];
        // So far what the boards below have added.
        let below = buildings[k];
        let credible_a: [f64; 3] = std::array::from_fn(|phase| {
            let own_a = node.building_max_a.map_or(f64::INFINITY, |by_hour| {
                hours.map(|hour| by_hour[phase][hour]).into_iter().fold(0.0, f64::max)
            });
            own_a + below.most_a[phase]
        });
        let meter = &shown[k];
        buildings[k] = if node.meter.is_some() && meter.is_believed(now_s, &setup.settings) {
            Building {
                // Devices that do not show what they draw leave a wide range: within it the installer's figure counts. What
                // the meter shows is never more than both together.
                most_a: std::array::from_fn(|phase| {
                    let shown_a = meter.phases_a[phase];
                    let upper_a = shown_a - sums.seen_a[k][0][phase];
                    let sees_all = node.meter.is_some_and(|seen| seen.stations && seen.loads && seen.batteries);
                    let lower_a = if sees_all { shown_a - sums.most_a[k][phase] } else { upper_a };
                    upper_a.min(credible_a[phase].max(lower_a))
                }),
                least_a: std::array::from_fn(|phase| meter.phases_a[phase] - sums.seen_a[k][1][phase]),
            }
        } else {
            // The installer's figure, or the highest ever seen; the last value where that was higher.
            Building {
                most_a: std::array::from_fn(|phase| {
                    let credible_a = if credible_a[phase].is_finite() {
                        credible_a[phase]
                    } else {
                        meter.highest_a.map_or(f64::INFINITY, |highest_a| highest_a[phase])
                    };
                    meter.last_a.map_or(credible_a, |last_a| credible_a.max(last_a[phase]))
                }),
                least_a: std::array::from_fn(|phase| {
                    let seen_a = meter.lowest_a.map_or(0.0, |lowest_a| lowest_a[phase].min(0.0));
                    seen_a.min(below.least_a[phase])
                }),
            }
        };
        if let Some(parent) = node.parent {
            for phase in 0..3 {
                buildings[parent].most_a[phase] += buildings[k].most_a[phase];
                buildings[parent].least_a[phase] += buildings[k].least_a[phase];
            }
        }
    }
    buildings
}
