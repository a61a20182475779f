//! What really is, whatever anybody was told: for those who judge, never for those who steer.

use chrono::{DateTime, Utc};

/// The truth at an instant. It holds until the plant moves on.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// By node.
    pub nodes: Vec<NodeTruth>,
    /// By device.
    pub devices: Vec<DeviceTruth>,
}

/// What flows through a board, in A by grid phase, import positive.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct NodeTruth {
    /// What the building draws at this board and below, less PV.
    pub building_a: [f64; 3],
    /// What devices draw at this board and below.
    pub devices_a: [f64; 3],
    /// How much more devices whose connection is known to be cut may draw by what they hold than they draw now.
    pub reserve_a: [f64; 3],
}

impl NodeTruth {
    /// All that flows.
    pub fn total_a(&self, phase: usize) -> f64 {
        self.building_a[phase] + self.devices_a[phase]
    }
}

/// What a device does.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct DeviceTruth {
    /// What it draws on its own L1, L2, L3 in A.
    pub drawn_a: [f64; 3],
    /// The limit it holds in A per phase; `None`, it holds none.
    pub holds_a: Option<f64>,
    /// What it really lets a vehicle draw in A per phase, with its quirks: 0, or at least 6.
    pub allows_a: f64,
    /// Whether its connection is cut, and the fast loop has been told.
    pub silent: bool,
    /// Index into [`World::stays`](super::world::World::stays) of the vehicle that is plugged in.
    pub stay: Option<usize>,
    /// Whether that vehicle would draw current if it were offered any: it is neither full nor asleep.
    pub hungry: bool,
    /// Energy that went through the device since the world began, in kWh, import positive.
    pub energy_kwh: f64,
    /// What of it was lost in vehicles and batteries, in kWh.
    pub lost_kwh: f64,
}

/// What became of a stay.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct StayTruth {
    /// When it really plugged in; later than wished where the device was taken. `None`, not yet.
    pub plugged_in: Option<DateTime<Utc>>,
    /// When it left; `None`, not yet.
    pub left: Option<DateTime<Utc>>,
    /// Energy it got at the device in kWh, less what it fed in.
    pub energy_kwh: f64,
    /// Energy in its battery in kWh.
    pub soc_kwh: f64,
    /// How often it began to draw.
    pub starts: u32,
}

/// Somebody who looks on.
pub trait Watcher {
    /// The truth was this for a while.
    fn held(&mut self, from: DateTime<Utc>, until: DateTime<Utc>, truth: &Truth);
}

/// Nobody looks on.
impl Watcher for () {
    fn held(&mut self, _from: DateTime<Utc>, _until: DateTime<Utc>, _truth: &Truth) {}
}
