//! What breaks, and what others say.

use kwartier_engine::plant::world::MeterFault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something that breaks.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// From when.
    pub from: String,
    /// Until when; absent, it is over in a moment (reboots, restarts, clocks), or lasts to the end.
    #[serde(default)]
    pub until: Option<String>,
    /// What.
    pub what: What,
}

/// What breaks.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum What {
    /// A meter.
    Meter {
        /// Its board.
        board: String,
        /// How.
        how: MeterFault,
    },
    /// The connection to some stations is cut.
    Link {
        /// Which; empty, all devices.
        #[serde(default)]
        devices: Vec<String>,
        /// After how many s that is noticed.
        #[serde(default = "noticed_after_s")]
        noticed_after_s: f64,
    },
    /// Stations lose power for a moment.
    Reboot {
        /// Which; empty, all stations.
        #[serde(default)]
        devices: Vec<String>,
    },
    /// A device accepts commands and follows none.
    Ignores {
        /// The device.
        device: String,
    },
    /// A device rejects commands.
    Rejects {
        /// The device.
        device: String,
    },
    /// A device lets more flow than it should.
    Overdraws {
        /// The device.
        device: String,
        /// How much more in A per phase.
        by_a: f64,
    },
    /// A device takes longer for each command.
    Slow {
        /// The device.
        device: String,
        /// How long in s.
        latency_s: f64,
    },
    /// The building draws more.
    Building {
        /// The board.
        board: String,
        /// L1, L2, L3 in A.
        amps: [f64; 3],
    },
    /// A plant feeds in less.
    Pv {
        /// The plant.
        plant: String,
        /// What is left of its power, 0 to 1.
        share: f64,
    },
    /// The controller is killed and starts again.
    Restart,
    /// The controller's clock goes wrong.
    Clock {
        /// By how many s it jumps.
        jump_s: f64,
        /// How much too fast it goes from then on, in millionths.
        #[serde(default)]
        drift_ppm: f64,
    },
}

/// How often something breaks by chance, in times a day on average: independent of each other and of the time of day.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Chance {
    /// Mean length of what lasts, in min.
    pub minutes: f64,
    /// A meter breaks, in any way.
    pub meter_per_day: f64,
    /// The connection to some devices is cut.
    pub link_per_day: f64,
    /// The connection to all devices is cut.
    pub link_all_per_day: f64,
    /// A station reboots.
    pub reboot_per_day: f64,
    /// A station ignores its commands.
    pub ignores_per_day: f64,
    /// A station rejects its commands.
    pub rejects_per_day: f64,
    /// A station draws more than it should.
    pub overdraws_per_day: f64,
    /// A station is slow.
    pub slow_per_day: f64,
    /// The building draws a tenth of its board's limit more.
    pub building_per_day: f64,
    /// A plant loses its sun.
    pub pv_per_day: f64,
    /// The controller restarts.
    pub restart_per_day: f64,
    /// The controller's clock jumps, by up to two minutes.
    pub clock_per_day: f64,
}

impl Default for Chance {
    fn default() -> Self {
        Chance {
            minutes: 20.0,
            meter_per_day: 0.0,
            link_per_day: 0.0,
            link_all_per_day: 0.0,
            reboot_per_day: 0.0,
            ignores_per_day: 0.0,
            rejects_per_day: 0.0,
            overdraws_per_day: 0.0,
            slow_per_day: 0.0,
            building_per_day: 0.0,
            pv_per_day: 0.0,
            restart_per_day: 0.0,
            clock_per_day: 0.0,
        }
    }
}

/// Something that a grid operator or a person says.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signal {
    /// When it is said and begins.
    pub from: String,
    /// When it ends; absent, with the scenario.
    #[serde(default)]
    pub until: Option<String>,
    /// What.
    pub what: SignalWhat,
}

/// What is said.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum SignalWhat {
    /// A limit on all that goes through a board.
    Board {
        /// The board.
        board: String,
        /// L1, L2, L3 in A.
        #[serde(default)]
        amps: Option<[f64; 3]>,
        /// Active power in kW.
        #[serde(default)]
        kw: Option<f64>,
        /// Active power in kW on the average of each clock quarter-hour.
        #[serde(default)]
        quarter_kw: Option<f64>,
    },
    /// A generator or an inverter supplies a board instead of the grid.
    Emergency {
        /// The board.
        board: String,
        /// What it gives on L1, L2, L3 in A; absent, a third of `kw` on each.
        #[serde(default)]
        amps: Option<[f64; 3]>,
        /// What it gives altogether, in kW; absent, what `amps` are.
        #[serde(default)]
        kw: Option<f64>,
        /// Vehicles and flexible loads of this priority and above go on; absent, none of them does.
        #[serde(default)]
        priority: Option<u8>,
    },
    /// A limit on some devices together, and nothing else (§14a `EnWG`).
    Devices {
        /// Which; empty, all stations.
        #[serde(default)]
        devices: Vec<String>,
        /// Active power in kW; absent, what §14a `EnWG` leaves so many devices behind one EMS.
        #[serde(default)]
        kw: Option<f64>,
    },
    /// As much as safety lets it have.
    Boost {
        /// The device.
        device: String,
    },
    /// Nothing.
    Stop {
        /// The device.
        device: String,
    },
    /// At most so much.
    AtMost {
        /// The device.
        device: String,
        /// In A per phase.
        amps: f64,
    },
}

/// A heartbeat that is missing is noticed after a minute.
fn noticed_after_s() -> f64 {
    60.0
}
