//! A scenario as its TOML file says it: which site, which days, what comes from where, who steers, what breaks. The file is
//! described in `docs/formats/scenario.md`.
//!
//! The types here are the file's shape; what serde cannot see (names, times, files) is checked where it is used.

mod check;
mod faults;
mod people;
mod read;
mod schema;
mod time;

use std::path::PathBuf;

use kwartier_engine::control::settings::Settings;
use kwartier_engine::plant::world::{Charger, Meter, Noise};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::cli::usage::Usage;

pub use faults::{Chance, Fault, Signal, SignalWhat, What};
pub use people::{Fleet, OneStay, Pattern, Sessions, Told};
pub use read::{Source, read};
pub use schema::schema;
pub use time::{Times, seconds};

/// A scenario.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Version of the format, 1.
    pub format: u32,
    /// What people call it.
    pub name: String,
    /// What it shows.
    #[serde(default)]
    pub about: String,
    /// The site file, from the scenario's folder.
    pub site: PathBuf,
    /// When it begins: a date and time, by the site's clock where it has no offset.
    pub start: String,
    /// How long it lasts in h.
    #[serde(default = "day_h")]
    pub hours: f64,
    /// For how many days before the start building, sun and prices are made up too, so that forecasts have a past.
    #[serde(default = "history_days")]
    pub history_days: u32,
    /// Who decides, and by what.
    #[serde(default)]
    pub policy: Policy,
    /// Spot prices; absent, the tariff needs none.
    #[serde(default)]
    pub prices: Option<Prices>,
    /// What the building draws. Boards of which nothing is said draw nothing.
    #[serde(default)]
    pub building: Vec<Building>,
    /// What PV plants deliver. Plants of which nothing is said deliver nothing.
    #[serde(default)]
    pub pv: Vec<Sun>,
    /// Where visits come from.
    #[serde(default)]
    pub sessions: Sessions,
    /// Visits one by one, besides those.
    #[serde(default)]
    pub stays: Vec<OneStay>,
    /// What is known of visits, and how true that is.
    #[serde(default)]
    pub told: Told,
    /// What cars there are; absent, a usual mixture.
    #[serde(default)]
    pub cars: Vec<Fleet>,
    /// How stations behave, where they are not as usual.
    #[serde(default)]
    pub chargers: Vec<Chargers>,
    /// How meters behave, where they are not as usual.
    #[serde(default)]
    pub meters: Vec<Meters>,
    /// What breaks when.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// A TOML file with further `faults`.
    #[serde(default)]
    pub faults_from: Option<PathBuf>,
    /// What breaks by chance.
    #[serde(default)]
    pub chance: Chance,
    /// What grid operators and people say when.
    #[serde(default)]
    pub signals: Vec<Signal>,
    /// A TOML file with further `signals`.
    #[serde(default)]
    pub signals_from: Option<PathBuf>,
}

/// Who decides, and by what. Each key can be set on the command line to compare policies on the same days.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Who plans ahead.
    pub planner: Planner,
    /// What planners know of what is to come.
    pub forecast: Foresight,
    /// Whether devices are steered at all.
    pub steering: Steering,
    /// A new plan is made after so many min.
    pub replan_minutes: u32,
    /// How far a plan looks ahead in h.
    pub horizon_h: f64,
    /// The gap that a plan is content with, as a fraction of the flexible cost.
    pub gap: f64,
    /// The quantile of the building's forecast that fuses are planned against.
    pub risk: f64,
    /// How the fast loop goes about it.
    pub control: Settings,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            planner: Planner::default(),
            forecast: Foresight::default(),
            steering: Steering::default(),
            replan_minutes: 60,
            horizon_h: 24.0,
            gap: 0.01,
            risk: 0.9,
            control: Settings::default(),
        }
    }
}

impl Policy {
    /// Whether anybody plans ahead.
    pub fn plans(&self) -> bool {
        self.planner != Planner::None && self.steering == Steering::Control
    }
}

/// Who plans ahead.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Planner {
    /// The planner.
    #[default]
    Optimal,
    /// Each vehicle in its cheapest hours, first come, first served, within the fuses.
    Rule,
    /// Nobody: load management alone.
    None,
}

/// What planners know of what is to come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Foresight {
    /// The same time a week or a day ago, and what is told of visits.
    Naive,
    /// Our forecasts, and what is told of visits.
    #[default]
    Ours,
    /// What will really be.
    Perfect,
}

/// Whether devices are steered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Steering {
    /// By the fast loop.
    #[default]
    Control,
    /// Everything draws what it can, whatever the fuses say: what would be without us.
    Uncontrolled,
}

/// Spot prices.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Prices {
    /// From a file, as `kwartier site instance --prices` reads them.
    File {
        /// The file, from the scenario's folder.
        path: PathBuf,
        /// The column, where there are several.
        #[serde(default)]
        column: Option<String>,
        /// The unit, where the column's name does not end in it.
        #[serde(default)]
        unit: Option<String>,
        /// Zone of stamps without offset.
        #[serde(default)]
        zone: Option<String>,
    },
    /// The same every day.
    Hours {
        /// 24 prices by hour of the local day, in EUR/kWh.
        eur_kwh: Vec<f64>,
    },
    /// Made up: dear in the morning and evening, cheap at night and at noon, different every day.
    Generated {
        /// Mean in EUR/kWh.
        mean_eur_kwh: f64,
        /// Half of what lies between cheap and dear hours, in EUR/kWh.
        spread_eur_kwh: f64,
    },
}

/// What the building draws.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Building {
    /// From a file, as `kwartier site instance --building` reads it. A total is drawn at the grid connection itself.
    File {
        /// The file, from the scenario's folder.
        path: PathBuf,
        /// Zone of stamps without offset.
        #[serde(default)]
        zone: Option<String>,
        /// How it wavers.
        #[serde(default)]
        noise: Noise,
    },
    /// The same every day.
    Hours {
        /// The board.
        board: String,
        /// 24 values by hour of the local day on each phase, in A; where `l2` and `l3` are absent, `l1` is all three.
        l1: Vec<f64>,
        /// L2.
        #[serde(default)]
        l2: Option<Vec<f64>>,
        /// L3.
        #[serde(default)]
        l3: Option<Vec<f64>>,
        /// How it wavers.
        #[serde(default)]
        noise: Noise,
    },
    /// Made up: a usual building of a kind, different every day.
    Generated {
        /// The board.
        board: String,
        /// What it is used for.
        usage: Usage,
        /// What it draws in a year in kWh.
        annual_kwh: f64,
        /// How much more of it than a third is on L1, and less on L3, as a fraction.
        #[serde(default)]
        unbalance: f64,
        /// How it wavers.
        #[serde(default)]
        noise: Noise,
    },
}

/// What PV plants deliver.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Sun {
    /// From a file, as `kwartier site instance --pv` reads it.
    File {
        /// The file, from the scenario's folder.
        path: PathBuf,
        /// Zone of stamps without offset.
        #[serde(default)]
        zone: Option<String>,
        /// How clouds make it waver.
        #[serde(default)]
        noise: Noise,
    },
    /// Made up, from where the sun stands.
    Generated {
        /// The plant.
        plant: String,
        /// How clear the sky is on average, 0 to 1.
        clearness: f64,
        /// How clouds make it waver.
        #[serde(default)]
        noise: Noise,
    },
}

/// How some stations behave.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chargers {
    /// Which; empty, all. What stands later in the file counts.
    #[serde(default)]
    pub stations: Vec<String>,
    /// How they are really wired, where the site file is wrong: letters as there.
    #[serde(default)]
    pub true_rotation: Option<String>,
    /// How they behave.
    #[serde(default)]
    pub behaviour: Charger,
}

/// How some meters behave.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meters {
    /// At which boards; empty, all.
    #[serde(default)]
    pub boards: Vec<String>,
    /// How they measure.
    pub behaviour: Meter,
}

fn day_h() -> f64 {
    24.0
}

/// Four weeks: what methods that learn need to tell weekdays apart.
fn history_days() -> u32 {
    28
}
