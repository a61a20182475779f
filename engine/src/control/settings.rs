//! How the fast loop goes about its work.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is known of the building while chargers are steered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Management {
    /// A fixed ceiling: each board's limit less the most that the building credibly draws. Meters are not looked at.
    Static,
    /// What the meters show.
    #[default]
    Dynamic,
}

/// How what is there is shared out among those who want more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// The same share of what each could take, whoever it is.
    Equal,
    /// Higher priorities are filled first; within one, as [`Split::Equal`].
    #[default]
    Prioritised,
}

/// The settings. Their defaults are meant to stay.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// What is known of the building.
    pub management: Management,
    /// How it is shared out.
    pub split: Split,
    /// Kept free below every limit in A, for what meters and chargers get wrong.
    pub margin_a: f64,
    /// After so many s without a reading a meter is no longer believed.
    pub meter_timeout_s: f64,
    /// After so many s without an answer a command counts as not obeyed, and is sent again.
    pub answer_timeout_s: f64,
    /// Every setpoint is sent again after so many s, or at half of the time it is good for
    /// ([`Setpoint::valid_s`](super::command::Setpoint::valid_s)) where that is sooner.
    pub renew_s: f64,
    /// Shortest time a vehicle charges before another one takes its turn, in s.
    pub turn_s: f64,
    /// Shortest time a vehicle waits before it starts again, in s.
    pub pause_s: f64,
    /// Shortest time between two increases of one charger, in s.
    pub raise_every_s: f64,
    /// Increases smaller than this wait, in A.
    pub deadband_a: f64,
    /// Whether power that would be fed in goes to vehicles that still want energy, beyond the plan.
    pub surplus: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            management: Management::default(),
            split: Split::default(),
            margin_a: 1.0,
            meter_timeout_s: 10.0,
            answer_timeout_s: 10.0,
            renew_s: 240.0,
            turn_s: 900.0,
            pause_s: 300.0,
            raise_every_s: 10.0,
            deadband_a: 0.5,
            surplus: true,
        }
    }
}
