//! Currents by board, phase and change of the hour.

use super::{ByHour, HOURS};
use crate::control::setup::{Device, Setup};

/// By phase and by the hour at whose beginning it counts: the higher of that hour and the one before.
pub(super) type Day = [[f64; HOURS]; 3];

/// The hour before.
pub(super) fn before(hour: usize) -> usize {
    (hour + HOURS - 1) % HOURS
}

/// The higher of an hour's value and that of the one before.
pub(super) fn at_change(by_hour: &ByHour, hour: usize) -> f64 {
    by_hour[hour].max(by_hour[before(hour)])
}

/// Grid phases that a device loads; all three where that is not documented.
pub(super) fn phases(device: &Device) -> Vec<usize> {
    if device.phases_known { device.phases.clone() } else { vec![0, 1, 2] }
}

/// The most that the building draws below each board by phase and hour, 0 where unknown.
pub(super) fn buildings(setup: &Setup) -> Vec<Day> {
    let own = setup.nodes.iter().map(|node| node.building_max_a.unwrap_or([[0.0; HOURS]; 3]));
    let mut below: Vec<Day> = own.collect();
    for &node in setup.downwards.iter().rev() {
        let Some(parent) = setup.nodes[node].parent else { continue };
        let add = below[node];
        for (sum, add) in below[parent].iter_mut().flatten().zip(add.iter().flatten()) {
            *sum += add;
        }
    }
    below
}

/// The sum below each board of what every device draws by hour.
pub(super) fn sums(
    setup: &Setup,
    amount: impl Fn(usize, &Device) -> ByHour,
    value: fn(&ByHour, usize) -> f64,
) -> Vec<Day> {
    let mut sums: Vec<Day> = vec![[[0.0; HOURS]; 3]; setup.nodes.len()];
    for (k, device) in setup.devices.iter().enumerate() {
        let by_hour = amount(k, device);
        for node in setup.chain(device.node) {
            for phase in phases(device) {
                for hour in 0..HOURS {
                    sums[node][phase][hour] += value(&by_hour, hour);
                }
            }
        }
    }
    sums
}
