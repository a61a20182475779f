//! What every charger stores for the time in which it hears nothing: by hour of the local day where it can, one value where
//! not.
//!
//! Any subset of chargers may fall back at any moment, and the others get what is left: `control` and the clamp keep the
//! fallback of those out of reach free. So all subsets are safe as soon as all together are:
//!
//! ```text
//! building at its worst + rating of those without a fallback to rely on + fallback of all others ≤ limit
//! ```
//!
//! on every phase of every board at every hour. The building counts with `building_max_a`, since nobody measures it when
//! everything is dead. A charger that is not managed, or that forgets its fallback when it loses power, counts with its
//! rating. Each charger goes by its own clock, so around a change of the hour each may hold either hour's value, and the
//! building may already draw that of the next: at a change, the higher of both counts for every one of them. That
//! holds as long as no clock is off by more than half an hour.
//!
//! Flexible loads and batteries count with what [`Device::fallback_a`] says: they stop.

pub mod full;
pub mod propose;
pub mod prove;
mod room;

use crate::control::setup::{Device, Kind};

/// A value for each hour of the local day, in A per phase.
pub type ByHour = [f64; HOURS];

/// Hours of a day.
const HOURS: usize = 24;

/// Sums of currents are compared with so much tolerance, in A: rounding.
const SLACK_A: f64 = 1e-6;

/// Whether a device goes over to what is stored in it, whatever happens.
pub fn is_reliable(device: &Device) -> bool {
    device.managed && device.keeps_fallback
}

/// Whether a fallback can be chosen for a device.
pub fn is_open(device: &Device) -> bool {
    device.kind == Kind::Station && is_reliable(device)
}
