//! Everything about the simulated days that does not depend on what is commanded: what the building draws, who comes and
//! goes, how stations and vehicles behave, what breaks, what is told.
//!
//! Nodes and devices are indices into [`Setup`](crate::control::setup::Setup), phases are grid phases (0 = L1) unless they
//! are said to be a device's own. Currents are A RMS per phase, import positive.

use chrono::{DateTime, Utc};
use kwartier_data::instance::PhaseIndex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::control::event::Event;

/// The simulated days.
#[derive(Debug, Clone, PartialEq)]
pub struct World {
    /// When they begin.
    pub start: DateTime<Utc>,
    /// When they end.
    pub end: DateTime<Utc>,
    /// Length of a step of [`World::building_a`] and [`Pv::kw`] in s.
    pub step_s: u32,
    /// What the building draws at each node itself, without PV and flexible loads: `building_a[node][phase][step]` in A.
    /// The last step goes on to the end; an empty list is 0.
    pub building_a: Vec<[Vec<f64>; 3]>,
    /// How the building wavers around that, by node; nodes that are missing do not.
    pub noise: Vec<Noise>,
    /// Photovoltaic plants.
    pub pv: Vec<Pv>,
    /// Vehicles, in the order in which they plug in. Two on one device must not overlap: who comes while the other is
    /// still there waits until it has left.
    pub stays: Vec<Stay>,
    /// How each device behaves, by index; devices that are missing are as [`Charger::default`] on their documented phases.
    pub chargers: Vec<Charger>,
    /// Batteries' state.
    pub stores: Vec<Store>,
    /// What flexible loads want to run.
    pub runs: Vec<Run>,
    /// How each node's meter behaves, by index; nodes that are missing are as [`Meter::default`].
    pub meters: Vec<Meter>,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// What the fast loop is told, and when: grid operator's limits, overrides, wishes. Plans come from the runner.
    pub signals: Vec<(DateTime<Utc>, Event)>,
}

impl World {
    /// Days on which nothing is there and nothing happens.
    pub fn empty(start: DateTime<Utc>, end: DateTime<Utc>) -> World {
        World {
            start,
            end,
            step_s: 900,
            building_a: Vec::new(),
            noise: Vec::new(),
            pv: Vec::new(),
            stays: Vec::new(),
            chargers: Vec::new(),
            stores: Vec::new(),
            runs: Vec::new(),
            meters: Vec::new(),
            faults: Vec::new(),
            signals: Vec::new(),
        }
    }
}

/// How a building or the sun wavers: a level that holds for a while, then another, and motors that start.
///
/// Levels last exponentially long, so that their autocorrelation is exp(−t ÷ `correlation_s`) as that of the usual
/// Ornstein–Uhlenbeck noise, and nothing has to be computed in between.
#[derive(Debug, Clone, Copy, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Noise {
    /// Standard deviation of a level as a fraction of the value it wavers around; 0, it does not.
    pub sigma: f64,
    /// Mean length of a level in s; 0, it does not waver.
    pub correlation_s: f64,
    /// How often three-phase motors start, per hour on average.
    pub motors_per_h: f64,
    /// What a motor draws more while it starts, in A on each phase. 5 to 8 times its rating is usual (IEC 60034-12).
    pub motor_a: f64,
    /// How long a motor takes to start in s.
    pub motor_s: f64,
}

/// A photovoltaic plant. It counts with the building: meters always see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Pv {
    /// Its node.
    pub node: usize,
    /// Grid phases it feeds, evenly.
    pub phases: Vec<PhaseIndex>,
    /// Power in kW by step of [`World::step_s`]; the last one goes on.
    pub kw: Vec<f64>,
    /// How clouds make it waver. Motors are not looked at.
    pub noise: Noise,
}

/// A vehicle that comes, or was expected to.
#[derive(Debug, Clone, PartialEq)]
pub struct Stay {
    /// Name.
    pub id: String,
    /// The device.
    pub device: usize,
    /// When it plugs in.
    pub plugs_in: DateTime<Utc>,
    /// When it really leaves.
    pub leaves: DateTime<Utc>,
    /// Whether it comes at all; false is a no-show, of which only planners hear.
    pub comes: bool,
    /// The vehicle.
    pub car: Car,
    /// Energy in its battery when it plugs in, in kWh.
    pub soc_kwh: f64,
    /// Energy it really needs, at the charger, in kWh. It goes on charging beyond it until it is full.
    pub need_kwh: f64,
    /// What the fast loop and planners are told of it.
    pub told: Told,
}

/// What is told of a stay when it plugs in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Told {
    /// On how many phases it charges; `None`, nobody knows.
    pub phases: Option<u8>,
    /// Energy it needs at the charger in kWh; `None`, nobody knows.
    pub need_kwh: Option<f64>,
    /// When it leaves; `None`, nobody knows.
    pub departure: Option<DateTime<Utc>>,
    /// Who goes first: the higher number.
    pub priority: u8,
    /// What it gets before anything is shared out, in A per phase.
    pub guaranteed_a: f64,
}

/// A vehicle.
#[derive(Debug, Clone, Copy, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Car {
    /// On how many phases its charger on board works: 1 to 3.
    pub phases: u8,
    /// Lowest current per phase that it charges with in A; offered less, it pauses. At least 6 (IEC 61851-1).
    pub min_a: f64,
    /// Highest current per phase in A.
    pub max_a: f64,
    /// Capacity of its battery in kWh.
    pub capacity_kwh: f64,
    /// Share of the power above `own_kw` that arrives in the battery; the other way round when it discharges.
    pub efficiency: f64,
    /// What it draws for itself while it charges or discharges, in kW: pumps and control units.
    pub own_kw: f64,
    /// State of charge (0 to 1) above which its power falls, linearly to 15 % of the full one when it is full, or to
    /// `min_a` where that is more.
    pub taper_from_soc: f64,
    /// How long it takes to follow what it is offered, in s. At most 5 by IEC 61851-1.
    pub reaction_s: f64,
    /// How fast its current rises, in A/s. It falls at once.
    pub ramp_a_s: f64,
    /// Offered nothing for so many s, it falls asleep; `None`, never.
    pub sleeps_after_s: Option<f64>,
    /// How many steps from nothing to `min_a` or more wake it: 1, it resumes when it is offered current again; 2, it
    /// sleeps through the first one. `None`, it sleeps until it is plugged in again.
    pub wakes_at_step: Option<u8>,
    /// Highest current per phase that it can feed in, in A; 0, it cannot.
    pub max_discharge_a: f64,
}

impl Default for Car {
    /// A usual car of 2023: 11 kW on three phases, 60 kWh.
    fn default() -> Self {
        Car {
            phases: 3,
            min_a: 6.0,
            max_a: 16.0,
            capacity_kwh: 60.0,
            efficiency: 0.93,
            own_kw: 0.2,
            taper_from_soc: 0.9,
            reaction_s: 3.0,
            ramp_a_s: 2.0,
            sleeps_after_s: None,
            wakes_at_step: Some(1),
            max_discharge_a: 0.0,
        }
    }
}

/// How a device takes commands and tells what it does. For loads and batteries only what is not about vehicles counts.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools)]
pub struct Charger {
    /// How long a command takes until it is in force and answered, in s on average; each one takes half to one and a half
    /// times as long.
    pub latency_s: f64,
    /// Probability that a command gets lost on the way.
    pub command_loss: f64,
    /// Probability that an answer gets lost on the way back.
    pub answer_loss: f64,
    /// Probability that it rejects a command.
    pub reject: f64,
    /// Every so many s it tells what it draws; `None`, never.
    pub meter_every_s: Option<f64>,
    /// Whether it tells the session's energy with it.
    pub tells_energy: bool,
    /// Whether it tells what limit it holds (`GetCompositeSchedule`) when it has booted or is connected again.
    pub tells_limit: bool,
    /// Grid phases that really hang on its own L1, L2, L3; `None`, those that are documented.
    pub true_phases: Option<Vec<PhaseIndex>>,
    /// Whether it still holds its fallback after it has restarted; else nothing limits it then.
    pub keeps_fallback: bool,
    /// It accepts every command and follows none.
    pub ignores: bool,
    /// It charges on as many phases as the vehicle can, whatever is asked for.
    pub ignores_phases: bool,
    /// So many A more flow per phase than it allows, where the vehicle takes them.
    pub overdraws_a: f64,
    /// After 0 A the next setpoint above 0 stands for no limit at all.
    pub zero_means_unlimited: bool,
    /// It takes whole multiples of so many A, rounded down; 0, any current.
    pub rounds_down_to_a: f64,
    /// How long a setpoint is good for at most without being renewed, in s, whatever it says itself
    /// ([`Setpoint::valid_s`](crate::control::command::Setpoint::valid_s)); then the stored fallback holds. `None`, it
    /// holds for ever.
    pub expires_after_s: Option<f64>,
    /// How long it takes to boot in s. It draws nothing meanwhile.
    pub boot_s: f64,
}

impl Default for Charger {
    fn default() -> Self {
        Charger {
            latency_s: 1.0,
            command_loss: 0.0,
            answer_loss: 0.0,
            reject: 0.0,
            meter_every_s: Some(10.0),
            tells_energy: true,
            tells_limit: true,
            true_phases: None,
            keeps_fallback: true,
            ignores: false,
            ignores_phases: false,
            overdraws_a: 0.0,
            zero_means_unlimited: false,
            rounds_down_to_a: 0.0,
            expires_after_s: Some(600.0),
            boot_s: 45.0,
        }
    }
}

/// A stationary battery. It follows its setpoint within what it holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Store {
    /// The device.
    pub device: usize,
    /// Energy in it at the beginning, in kWh.
    pub soc_kwh: f64,
    /// Least and most that it holds, in kWh.
    pub range_kwh: [f64; 2],
    /// Share of what it draws that is stored, and share of what it takes out that is fed in.
    pub efficiency: [f64; 2],
}

/// A time in which a flexible load wants to run. The fast loop is told by [`Event::Wish`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Run {
    /// The device.
    pub device: usize,
    /// From when.
    pub from: DateTime<Utc>,
    /// Until when.
    pub until: DateTime<Utc>,
    /// What it draws if it may, in A per phase.
    pub amps: f64,
}

/// How a board's meter measures. It publishes every second.
#[derive(Debug, Clone, Copy, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Meter {
    /// What its clock shows more than the true time, in s.
    pub clock_s: f64,
    /// It shows whole multiples of so many A; 0, exact values.
    pub resolution_a: f64,
    /// How long a reading takes to arrive, in s.
    pub latency_s: f64,
}

impl Default for Meter {
    fn default() -> Self {
        Meter { clock_s: 0.0, resolution_a: 0.1, latency_s: 0.0 }
    }
}

/// Something that goes wrong for a while.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// From when.
    pub from: DateTime<Utc>,
    /// Until when. Faults of a moment ([`What::Reboot`], [`What::Restart`], [`What::Clock`]) do not look at it.
    pub until: DateTime<Utc>,
    /// What.
    pub what: What,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// A board's meter.
    Meter {
        /// The board.
        node: usize,
        /// What it does.
        how: MeterFault,
    },
    /// Connections to devices are cut.
    Link {
        /// The devices; empty, all.
        devices: Vec<usize>,
        /// How long it takes until the cut is noticed, in s: no close frame arrives, a heartbeat is missing.
        noticed_after_s: f64,
    },
    /// A device loses power for a moment and boots.
    Reboot {
        /// The device.
        device: usize,
    },
    /// A device accepts commands and follows none.
    Ignores {
        /// The device.
        device: usize,
    },
    /// A device rejects commands.
    Rejects {
        /// The device.
        device: usize,
    },
    /// A device lets more flow than it should.
    Overdraws {
        /// The device.
        device: usize,
        /// How much more, in A per phase.
        by_a: f64,
    },
    /// A device takes longer for each command.
    Slow {
        /// The device.
        device: usize,
        /// How long, in s.
        latency_s: f64,
    },
    /// The building draws more: a step, or for a few seconds a motor that starts.
    Building {
        /// The node.
        node: usize,
        /// L1, L2, L3 in A.
        amps: [f64; 3],
    },
    /// A plant feeds in less.
    Pv {
        /// Index into [`World::pv`].
        plant: usize,
        /// What is left of its power, 0 to 1.
        share: f64,
    },
    /// The controller is killed and starts again, knowing nothing but what devices hold. The runner does this.
    Restart,
    /// The controller's clock jumps, and goes wrong from then on. The runner does this.
    Clock {
        /// By how much it jumps in s; forwards where positive.
        jump_s: f64,
        /// How much too fast it goes from then on, in millionths.
        drift_ppm: f64,
    },
}

/// What a meter does wrong.
#[derive(Debug, Clone, Copy, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum MeterFault {
    /// It says nothing.
    Silent,
    /// It repeats its last values, freshly stamped.
    Frozen,
    /// Its values are multiplied.
    Scaled {
        /// By how much.
        by: f64,
    },
    /// It says that nothing is a number.
    NotANumber,
    /// Its values are negative, whatever flows.
    Negative,
    /// Import and export are exchanged.
    SignFlipped,
    /// Its readings arrive late.
    Late {
        /// By so many s.
        by_s: f64,
    },
    /// Every second reading arrives after the one that follows it.
    OutOfOrder,
}
