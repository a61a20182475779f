//! Visits: where they come from, in what cars, and what is told of them.

use std::path::PathBuf;

use kwartier_engine::plant::population::Habit;
use kwartier_engine::plant::world::Car;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where visits come from.
#[derive(Debug, Clone, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Sessions {
    /// None but those that stand one by one in `stays`.
    #[default]
    None,
    /// From a roster, as `kwartier site instance --roster` reads it.
    Roster {
        /// The file, from the scenario's folder.
        path: PathBuf,
    },
    /// As they were, from a file of sessions as `kwartier forecast sessions` reads it.
    History {
        /// The file, from the scenario's folder.
        path: PathBuf,
        /// Zone of times without offset.
        #[serde(default)]
        zone: Option<String>,
        /// The day of the file that stands for the day of the scenario's start; absent, the same date.
        #[serde(default)]
        day: Option<String>,
        /// Which rows are meant, by column and value, such as `where = { site = "7" }`.
        #[serde(default)]
        r#where: std::collections::BTreeMap<String, String>,
        /// Other names of columns: theirs by ours, such as `map = { kwh = "kWhDelivered" }`.
        #[serde(default)]
        map: std::collections::BTreeMap<String, String>,
    },
    /// Drawn from what was observed in the Netherlands at places of a kind, in the cars that are registered there.
    Observed {
        /// How many come on average, on days on which anybody does.
        per_day: f64,
        /// What kind of place it is.
        place: Habit,
        /// Share of the cars that fall asleep after a quarter of an hour without current.
        #[serde(default = "sleepers")]
        sleepers: f64,
    },
    /// Drawn from a pattern of round figures.
    Generated {
        /// How many come a day.
        per_day: f64,
        /// When they come and go, and what they need.
        pattern: Pattern,
    },
}

/// When vehicles come and go, and what they need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pattern {
    /// Vans of a depot: back in the late afternoon, gone in the morning.
    Depot,
    /// Employees: from the morning to the afternoon of working days.
    Workplace,
    /// Residents: home in the evening, away in the morning.
    Home,
    /// Visitors and customers: for an hour or three by day.
    Visitors,
}

/// A visit.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneStay {
    /// Name.
    pub vehicle: String,
    /// The station.
    pub station: String,
    /// When it plugs in.
    pub from: String,
    /// When it means to leave.
    pub until: String,
    /// When it really leaves, where that differs.
    #[serde(default)]
    pub leaves: Option<String>,
    /// Whether it comes at all.
    #[serde(default = "yes")]
    pub comes: bool,
    /// What it needs at the station in kWh.
    pub need_kwh: f64,
    /// State of charge on arrival, 0 to 1; absent, what its need leaves of its capacity.
    #[serde(default)]
    pub soc: Option<f64>,
    /// Name of its group in the site file.
    #[serde(default)]
    pub group: Option<String>,
    /// The car.
    #[serde(default)]
    pub car: Car,
}

/// What is known of visits, and how true it is.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Told {
    /// Whether planners are told of visits before they begin. Rosters and single stays always are.
    pub announced: bool,
    /// Probability that the number of phases is known from the start.
    pub phases: f64,
    /// Probability that the need is told.
    pub need: f64,
    /// Standard deviation of what is told of the need, as a fraction of it.
    pub need_error: f64,
    /// Probability that the departure is told.
    pub departure: f64,
    /// Standard deviation of what is told of the departure, in min.
    pub departure_error_min: f64,
    /// Probability that an announced vehicle does not come.
    pub no_show: f64,
    /// Probability that one leaves early.
    pub early: f64,
    /// How much earlier at most, as a fraction of its stay.
    pub early_by: f64,
}

impl Default for Told {
    fn default() -> Self {
        Told {
            announced: false,
            phases: 0.0,
            need: 1.0,
            need_error: 0.0,
            departure: 1.0,
            departure_error_min: 0.0,
            no_show: 0.0,
            early: 0.0,
            early_by: 0.5,
        }
    }
}

/// A kind of car.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fleet {
    /// How many of all cars are of this kind, relative to the others.
    #[serde(default = "one")]
    pub share: f64,
    /// The car.
    pub car: Car,
}

impl Fleet {
    /// What stands on car parks in the Netherlands and Germany, in round figures: cars on three phases of 11 kW, plug-in
    /// hybrids on one, some older ones on two or with a charger of 22 kW.
    pub fn usual() -> Vec<Fleet> {
        let kind = |share: f64, phases: u8, max_a: f64, capacity_kwh: f64| Fleet {
            share,
            car: Car { phases, max_a, capacity_kwh, ..Car::default() },
        };
        vec![
            kind(0.6, 3, 16.0, 64.0),
            kind(0.2, 1, 16.0, 13.0),
            kind(0.1, 1, 32.0, 40.0),
            kind(0.05, 2, 16.0, 36.0),
            kind(0.05, 3, 32.0, 52.0),
        ]
    }
}

fn yes() -> bool {
    true
}

fn one() -> f64 {
    1.0
}

fn sleepers() -> f64 {
    0.05
}
