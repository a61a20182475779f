//! What the fast loop wants done.

use serde::Serialize;

/// The outcome of a step.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Output {
    /// Setpoints to send, decreases first.
    pub setpoints: Vec<Setpoint>,
    /// What an operator should know, once each time it begins.
    pub notices: Vec<Notice>,
    /// Whether the plan no longer fits what happens, and a new one should be made.
    pub replan: bool,
    /// When the loop wants to be asked again even if nothing happens.
    pub wake: Option<chrono::DateTime<chrono::Utc>>,
}

/// What a device may draw from now on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setpoint {
    /// Its number, rising; a later one stands for all before it.
    pub number: u64,
    /// Index of the device.
    pub device: usize,
    /// A per phase: 0, or at least the device's and vehicle's minimum; negative to discharge.
    pub amps: f64,
    /// On how many phases, where the device can choose; else as many as it has.
    pub phases: u8,
    /// On which of its own phases (0 = L1) a vehicle is to charge that charges on one, where the device can choose (OCPP 2.0.1:
    /// `phaseToUse`); `None`, as the device likes.
    pub phase: Option<u8>,
    /// How long it is good for without being renewed, in s; then the device falls back to what it stores. What is above the
    /// fallback lapses long before what is below it, so that a device that nobody reaches falls before others rise. The loop
    /// renews it at half of this time.
    pub valid_s: f64,
    /// Which limit, wish or rule decided.
    pub why: Why,
}

/// What decided a setpoint, in the order of authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// A fuse or the imbalance limit.
    Limit,
    /// A grid operator's limit.
    Grid,
    /// It waits for its turn: not everybody's minimum fits.
    Turn,
    /// The guaranteed minimum.
    Guaranteed,
    /// An override.
    Override,
    /// The plan.
    Plan,
    /// Power that would have been fed in, or a spare ampere.
    Spare,
    /// Nothing is plugged in, or nothing is wanted.
    Idle,
}

impl Why {
    /// In one word, as it is shown.
    pub fn word(self) -> &'static str {
        match self {
            Why::Limit => "limit",
            Why::Grid => "grid",
            Why::Turn => "turn",
            Why::Guaranteed => "guaranteed",
            Why::Override => "override",
            Why::Plan => "plan",
            Why::Spare => "spare",
            Why::Idle => "idle",
        }
    }
}

/// What an operator should know.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Notice {
    /// A meter is no longer believed; the worst credible building counts.
    MeterLost {
        /// Index of the board.
        node: usize,
        /// Why.
        reason: Distrust,
    },
    /// A meter is believed again.
    MeterBack {
        /// Index of the board.
        node: usize,
    },
    /// A device draws more than it may, or takes no commands: it counts with all it may draw.
    Disobeys {
        /// Index of the device.
        device: usize,
    },
    /// A device obeys again.
    Obeys {
        /// Index of the device.
        device: usize,
    },
    /// A board is above its limit and nothing is left that could be shed.
    Overload {
        /// Index of the board.
        node: usize,
        /// Grid phase, 0 = L1.
        phase: usize,
        /// What flows, in A.
        amps: f64,
    },
    /// A vehicle wants energy, is offered current and takes none.
    Asleep {
        /// Index of the device.
        device: usize,
    },
}

/// Why a meter is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Distrust {
    /// No reading for too long.
    Silent,
    /// The same values while what hangs below has changed.
    Frozen,
    /// Values that no meter shows: no numbers, far beyond any fuse, from the past.
    Absurd,
    /// Less than the devices below draw, or more fed in than can be.
    Impossible,
}
