//! How evenly energy was shared among those who got less than they could have: Jain's index (Jain, Chiu, Hawe 1984) of
//! the share of the possible that each one got, by priority. 1 is even; 1 ÷ n is one who has it all.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::control::setup::Setup;
use crate::plant::truth::StayTruth;
use crate::plant::world::World;

/// Who got more than this share of the possible was not limited.
const UNLIMITED: f64 = 0.99;

/// A class of vehicles.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Class {
    /// Their priority.
    pub priority: u8,
    /// How many were limited.
    pub limited: usize,
    /// Jain's index of their shares of the possible; 1 where there are none.
    pub jain: f64,
}

/// The classes, by priority.
pub(super) fn classes(setup: &Setup, world: &World, stays: &[StayTruth], now: DateTime<Utc>) -> Vec<Class> {
    let mut shares: std::collections::BTreeMap<u8, Vec<f64>> = std::collections::BTreeMap::new();
    for (stay, is) in world.stays.iter().zip(stays) {
        let Some(plugged_in) = is.plugged_in else { continue };
        let device = &setup.devices[stay.device];
        let hours = (is.left.unwrap_or(now) - plugged_in).num_seconds() as f64 / 3600.0;
        let phases = usize::from(stay.car.phases).min(device.phases.len());
        let possible_kwh = (setup.kw(stay.car.max_a.min(device.max_a), phases) * hours).min(stay.need_kwh);
        let class = shares.entry(stay.told.priority).or_default();
        if possible_kwh > 0.0 && is.energy_kwh < UNLIMITED * possible_kwh {
            class.push((is.energy_kwh / possible_kwh).max(0.0));
        }
    }
    shares
        .into_iter()
        .map(|(priority, shares)| Class { priority, limited: shares.len(), jain: jain(&shares) })
        .collect()
}

fn jain(shares: &[f64]) -> f64 {
    let sum: f64 = shares.iter().sum();
    let squares: f64 = shares.iter().map(|share| share * share).sum();
    if squares > 0.0 { sum * sum / (squares * shares.len() as f64) } else { 1.0 }
}

#[cfg(test)]
mod tests {
    #[test]
    fn even_is_one_and_one_of_four_is_a_quarter() {
        assert_eq!(super::jain(&[0.5, 0.5, 0.5]), 1.0);
        assert_eq!(super::jain(&[0.8, 0.0, 0.0, 0.0]), 0.25);
        assert_eq!(super::jain(&[]), 1.0);
    }
}
