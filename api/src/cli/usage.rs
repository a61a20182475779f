//! What a building is used for, by name: on the command line and in scenarios.

use clap::ValueEnum;
use kwartier_forecast::prior::Use;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a building is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Usage {
    /// A home, or several.
    Home,
    /// Offices.
    Office,
    /// A shop, open on Saturdays.
    Shop,
    /// A school.
    School,
    /// A workshop or factory in one shift.
    Workshop,
    /// A warehouse or depot with work from early to late.
    Depot,
}

impl From<Usage> for Use {
    fn from(usage: Usage) -> Self {
        match usage {
            Usage::Home => Use::Home,
            Usage::Office => Use::Office,
            Usage::Shop => Use::Shop,
            Usage::School => Use::School,
            Usage::Workshop => Use::Workshop,
            Usage::Depot => Use::Depot,
        }
    }
}
