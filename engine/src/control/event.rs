//! What happens to the fast loop.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

/// Something that happened. Devices and boards are indices into [`Setup`](super::setup::Setup).
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A meter shows the phase currents of a board.
    Meter {
        /// The board.
        node: usize,
        /// When it was measured, by the meter's clock.
        at: DateTime<Utc>,
        /// L1, L2, L3 of the grid in A, import positive.
        phases_a: [f64; 3],
    },
    /// A device shows what it draws.
    Drawn {
        /// The device.
        device: usize,
        /// Its own L1, L2, L3 in A, import positive; 0 for phases that it does not have.
        phases_a: [f64; 3],
        /// Energy of the session so far at the charger in kWh, where it tells.
        session_kwh: Option<f64>,
    },
    /// The connection to a device came up or went down.
    Link {
        /// The device.
        device: usize,
        /// Whether it is connected.
        up: bool,
    },
    /// A device has restarted: what it holds is unknown until it tells.
    Booted {
        /// The device.
        device: usize,
    },
    /// A device tells what limit it really holds (OCPP `GetCompositeSchedule`).
    Holds {
        /// The device.
        device: usize,
        /// The limit in A per phase; `None`, none.
        amps: Option<f64>,
    },
    /// What a device has stored for when it is alone. Where the site now says something else, it may hold either.
    Stores {
        /// The device.
        device: usize,
        /// By hour of the local day, in A per phase.
        by_hour_a: [f64; 24],
    },
    /// A device has answered a command.
    Answered {
        /// The device.
        device: usize,
        /// [`Setpoint::number`](super::command::Setpoint::number) of the command.
        number: u64,
        /// Whether it accepted.
        accepted: bool,
    },
    /// A vehicle is plugged in, or what is known of its stay has changed.
    Session {
        /// The device.
        device: usize,
        /// The stay.
        session: Session,
    },
    /// A vehicle is gone.
    Unplugged {
        /// The device.
        device: usize,
    },
    /// A flexible load or battery may run (at most so much), or must not; as [`Event::Session`] is for stations.
    Wish {
        /// The device.
        device: usize,
        /// The most it may draw in A per phase; 0, nothing. A battery that shall discharge has a negative one.
        amps: f64,
    },
    /// A plan comes into force.
    Planned(Arc<Targets>),
    /// A grid operator's limit, new or changed.
    Signal(Signal),
    /// A grid operator's limit is withdrawn.
    Withdrawn {
        /// [`Signal::id`].
        id: String,
    },
    /// Somebody wants one device to do something else for a while.
    Override {
        /// The device.
        device: usize,
        /// What; `None` takes it back.
        action: Option<Action>,
        /// When it ends by itself.
        until: DateTime<Utc>,
    },
}

/// What an event is about: indices into [`Setup`](super::setup::Setup), to be looked at or moved.
#[derive(Debug)]
pub enum About<'l> {
    /// A device.
    Device(&'l mut usize),
    /// Several devices.
    Devices(&'l mut Vec<usize>),
    /// A board.
    Node(&'l mut usize),
    /// Nothing that has an index.
    Nothing,
}

impl Event {
    /// What it is about. A plan knows devices by their places in it, and is made for one state of a site.
    pub fn about(&mut self) -> About<'_> {
        match self {
            Event::Meter { node, .. } | Event::Signal(Signal { on: Scope::Node(node), .. }) => About::Node(node),
            Event::Drawn { device, .. }
            | Event::Link { device, .. }
            | Event::Booted { device }
            | Event::Holds { device, .. }
            | Event::Stores { device, .. }
            | Event::Answered { device, .. }
            | Event::Session { device, .. }
            | Event::Unplugged { device }
            | Event::Wish { device, .. }
            | Event::Override { device, .. } => About::Device(device),
            Event::Signal(Signal { on: Scope::Devices(devices), .. }) => About::Devices(devices),
            Event::Planned(_) | Event::Withdrawn { .. } => About::Nothing,
        }
    }
}

/// What is known of a vehicle's stay.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// Name of the stay; a new one begins the energy count again.
    pub id: String,
    /// On how many phases it charges; `None`, not known yet.
    pub phases: Option<u8>,
    /// Lowest current per phase that it charges with, in A.
    pub min_a: f64,
    /// Highest current per phase that it takes, in A.
    pub max_a: f64,
    /// Highest current per phase that it can feed in, in A; 0, it cannot.
    pub max_discharge_a: f64,
    /// Energy still wanted when it arrived, at the charger, in kWh; `None`, unknown: as much as it takes.
    pub need_kwh: Option<f64>,
    /// When it leaves; `None`, unknown.
    pub departure: Option<DateTime<Utc>>,
    /// Who goes first: the higher number.
    pub priority: u8,
    /// What it gets before anything is shared out, in A per phase.
    pub guaranteed_a: f64,
}

/// What a plan wants of each device.
#[derive(Debug, Clone, PartialEq)]
pub struct Targets {
    /// Beginning of slot 0.
    pub start: DateTime<Utc>,
    /// Length of a slot in s.
    pub slot_s: u32,
    /// By device: A per phase in each slot, negative to discharge; `None`, the plan does not know it.
    pub amps: Vec<Option<Vec<f64>>>,
    /// What one more kWh at the grid connection costs in each slot, in EUR/kWh; empty where that is not known, or where peaks have
    /// a price too.
    pub costs_eur_kwh: Vec<f64>,
}

impl Targets {
    /// What the plan wants of a device at an instant; `None` before, after and without.
    pub fn at(&self, device: usize, at: DateTime<Utc>) -> Option<f64> {
        self.amps.get(device)?.as_ref()?.get(self.slot(at)?).copied()
    }

    /// The slot of an instant; `None` before the plan begins.
    pub fn slot(&self, at: DateTime<Utc>) -> Option<usize> {
        usize::try_from((at - self.start).num_seconds().div_euclid(i64::from(self.slot_s.max(1)))).ok()
    }
}

/// A limit set by a grid operator, or by what supplies the site instead of the grid.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// Name.
    pub id: String,
    /// What it limits.
    pub on: Scope,
    /// To what.
    pub limit: Limit,
    /// From when on.
    pub from: DateTime<Utc>,
    /// Until when; `None`, until it is withdrawn.
    pub until: Option<DateTime<Utc>>,
}

/// A limit is kept so much longer before and after, because whoever sets it and the loop have not the same clock.
const CLOCKS: TimeDelta = TimeDelta::seconds(10);

impl Signal {
    /// Whether it is to be kept at an instant.
    pub fn in_force(&self, now: DateTime<Utc>) -> bool {
        self.from - CLOCKS <= now && self.until.is_none_or(|until| now < until + CLOCKS)
    }

    /// When it begins to be kept, if it is not yet.
    pub fn begins(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        Some(self.from - CLOCKS).filter(|from| *from > now)
    }
}

/// What a grid operator's limit limits.
#[derive(Debug, Clone, PartialEq)]
pub enum Scope {
    /// All that goes through a board, the building included.
    Node(usize),
    /// These devices together, and nothing else (§14a `EnWG`).
    Devices(Vec<usize>),
}

/// The height of a grid operator's limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// L1, L2, L3 in A, at every moment.
    Amps([f64; 3]),
    /// Active power in kW, at every moment.
    Power(f64),
    /// Active power in kW, on the average of each clock quarter-hour.
    Quarter(f64),
    /// What a generator or an inverter gives that supplies all of it, at every moment, as long as the grid does not.
    Emergency(Emergency),
}

/// Emergency power. Nothing is fed into it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Emergency {
    /// L1, L2, L3 in A.
    pub amps: [f64; 3],
    /// All phases together, in kW.
    pub kw: f64,
    /// Vehicles and flexible loads of this priority and above go on; `None`, none of them does.
    pub priority: Option<u8>,
}

impl Emergency {
    /// What is not said of the phases is a third of the power, what is not said of the power is that of the phases.
    pub fn of(amps: Option<[f64; 3]>, kw: Option<f64>, priority: Option<u8>, voltage_v: f64) -> Emergency {
        let amps = amps.unwrap_or_else(|| [kw.unwrap_or(0.0) * 1000.0 / 3.0 / voltage_v; 3]);
        let kw = kw.unwrap_or_else(|| amps.iter().sum::<f64>() * voltage_v / 1000.0);
        Emergency { amps, kw, priority }
    }

    /// Whether who has a priority goes on.
    pub fn supplies(&self, priority: u8) -> bool {
        self.priority.is_some_and(|least| priority >= least)
    }
}

/// What an override asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Action {
    /// As much as safety lets it have, whatever the plan says.
    Boost,
    /// Nothing.
    Stop,
    /// At most so many A per phase.
    AtMost(f64),
}
