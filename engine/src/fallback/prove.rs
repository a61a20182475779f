//! Whether what is stored fits, and if not, where.

use super::room::{Day, at_change, before, buildings, sums};
use super::{ByHour, HOURS, SLACK_A, is_reliable};
use crate::control::setup::{Device, Setup};

/// A board on which what may flow with nobody in control is more than its limit, where that is worst.
#[derive(Debug, Clone, PartialEq)]
pub struct Overfull {
    /// Index of the board.
    pub node: usize,
    /// Grid phase, 0 = L1.
    pub phase: usize,
    /// The hour of the local day.
    pub hour: usize,
    /// Whether it is only at the beginning of that hour, while clocks that are off still show the one before.
    pub at_change: bool,
    /// What the building below draws at most, in A.
    pub building_a: f64,
    /// What devices below count with their rating: no fallback, not kept after a loss of power, or not managed.
    pub rated_a: f64,
    /// What the others below have stored.
    pub stored_a: f64,
    /// The board's limit.
    pub limit_a: f64,
}

/// What a device draws when it hears nothing, by hour of the local day.
pub fn counted(device: &Device) -> ByHour {
    device.fallback_a.filter(|_| is_reliable(device)).unwrap_or([device.max_a; HOURS])
}

/// The boards on which the fallback does not fit, each once, in the order of the site. Overload by the building alone is
/// none of the fallback's.
pub fn prove(setup: &Setup) -> Vec<Overfull> {
    let buildings = buildings(setup);
    let is_stored = |device: &Device| device.fallback_a.is_some() && is_reliable(device);
    let amount = |stored: bool| {
        move |_: usize, device: &Device| if is_stored(device) == stored { counted(device) } else { [0.0; HOURS] }
    };
    let within: fn(&ByHour, usize) -> f64 = |by_hour, hour| by_hour[hour];
    let mut found: Vec<Option<Overfull>> = vec![None; setup.nodes.len()];
    // What is over within an hour is told before what is over only at its beginning.
    for (at_a_change, value) in [(false, within), (true, at_change as fn(&ByHour, usize) -> f64)] {
        let (stored, rated) = (sums(setup, amount(true), value), sums(setup, amount(false), value));
        for (node, found) in found.iter_mut().enumerate().filter(|(_, found)| found.is_none()) {
            *found = worst(setup, node, &buildings[node], (&stored[node], &rated[node]), (at_a_change, value));
        }
    }
    found.into_iter().flatten().collect()
}

fn worst(
    setup: &Setup,
    node: usize,
    building: &Day,
    (stored, rated): (&Day, &Day),
    (at_change, value): (bool, fn(&ByHour, usize) -> f64),
) -> Option<Overfull> {
    let mut worst: Option<(f64, Overfull)> = None;
    for phase in 0..3 {
        for hour in 0..HOURS {
            let of = Overfull {
                node,
                phase,
                hour,
                at_change,
                building_a: value(&building[phase], hour),
                rated_a: rated[phase][hour],
                stored_a: stored[phase][hour],
                limit_a: setup.nodes[node].limit_a[phase],
            };
            let over_a = of.building_a + of.rated_a + of.stored_a - of.limit_a;
            let counts = of.rated_a + of.stored_a > 0.0 && over_a > SLACK_A;
            if counts && worst.as_ref().is_none_or(|(worst_a, _)| over_a > worst_a + SLACK_A) {
                worst = Some((over_a, of));
            }
        }
    }
    worst.map(|(_, of)| of)
}

impl Overfull {
    /// The lowest and highest of what other values would store at that moment in the devices below the board; `None` where
    /// no values can help, since nothing can be chosen for any of them.
    pub fn fits(&self, setup: &Setup, values: &[Option<ByHour>]) -> Option<(f64, f64)> {
        let below =
            setup.devices.iter().zip(values).filter(|(device, _)| setup.chain(device.node).any(|n| n == self.node));
        let at = |value: &ByHour| {
            if self.at_change { at_change(value, self.hour).min(value[before(self.hour)]) } else { value[self.hour] }
        };
        below.filter_map(|(_, value)| value.as_ref().map(at)).fold(None, |range, amps| {
            Some(range.map_or((amps, amps), |(low, high): (f64, f64)| (low.min(amps), high.max(amps))))
        })
    }
}
