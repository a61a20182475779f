//! No vehicle is switched on and off without end: contactors wear out and some cars give up.

use chrono::{DateTime, Utc};

use super::{Finding, Rule};
use crate::plant::truth::StayTruth;
use crate::plant::world::World;

/// So many starts an hour are what taking turns of a quarter-hour needs at most; some more for the beginning and faults.
const PER_HOUR: f64 = 4.0;
const ANYWAY: f64 = 4.0;

/// Judges all stays. Returns the most starts of any.
pub(super) fn judge(world: &World, stays: &[StayTruth], now: DateTime<Utc>, found: &mut Vec<Finding>) -> u32 {
    for (stay, is) in world.stays.iter().zip(stays) {
        let Some(plugged_in) = is.plugged_in else { continue };
        let seconds = (is.left.unwrap_or(now) - plugged_in).num_seconds() as f64;
        let most = ANYWAY + PER_HOUR * seconds / 3600.0;
        if f64::from(is.starts) > most {
            let finding = Finding::new(Rule::Starts, plugged_in, seconds, f64::from(is.starts), most);
            found.push(Finding { device: Some(stay.device), ..finding });
        }
    }
    stays.iter().map(|stay| stay.starts).max().unwrap_or(0)
}
