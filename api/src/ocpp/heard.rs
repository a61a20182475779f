//! What a message means, in whatever version it was said.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::tags::Shown;

/// A charger shows that it is there after so long without anything else to say, in s.
pub const HEARTBEAT_S: u32 = 60;

/// What a message means, in whatever version it was said. Connectors are EVSEs in 2.x.
#[derive(Debug, Clone, PartialEq)]
pub enum Happened {
    /// It has started.
    Booted(Identity),
    /// A transaction has begun.
    Began {
        /// At which connector.
        connector: i64,
        /// The transaction's id.
        id: Value,
        /// When, by the charger's clock.
        at: DateTime<Utc>,
        /// The energy register then, in kWh.
        register_kwh: Option<f64>,
    },
    /// A transaction has ended.
    Ended {
        /// The transaction's id.
        id: Value,
        /// When, by the charger's clock.
        at: DateTime<Utc>,
        /// The energy register then, in kWh.
        register_kwh: Option<f64>,
    },
    /// Something was measured.
    Drew {
        /// At which connector; 0, of the whole charger.
        connector: i64,
        /// What.
        values: Value,
        /// In which transaction.
        transaction: Option<Value>,
    },
    /// A charger has told how one of its connectors is.
    Status {
        /// Which.
        connector: i64,
        /// Whether no vehicle is there.
        free: bool,
    },
    /// A vehicle has told what it needs: profiles sent before count no more.
    Needs {
        /// At which connector.
        connector: i64,
        /// What.
        needs: Needs,
    },
}

/// What a vehicle says that it needs (ISO 15118, by way of `NotifyEVChargingNeeds`).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Needs {
    /// When it leaves.
    pub departure: Option<DateTime<Utc>>,
    /// Energy that it wants from now on, at the charger, in kWh.
    pub energy_kwh: Option<f64>,
}

/// What a charger says it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Identity {
    /// Who made it.
    pub vendor: String,
    /// Which model.
    pub model: String,
    /// Its serial number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Which firmware.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware: Option<String>,
}

/// An answer, what the message meant, and which card it shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// The answer; what the card is worth is added to it.
    pub answer: Value,
    /// What the message meant.
    pub happened: Vec<Happened>,
    /// The card.
    pub shown: Option<Shown>,
}

impl Heard {
    /// One that shows no card.
    pub fn new(answer: Value, happened: Vec<Happened>) -> Heard {
        Heard { answer, happened, shown: None }
    }

    /// The same, with a card.
    pub fn shows(self, shown: Shown) -> Heard {
        Heard { shown: Some(shown), ..self }
    }
}

/// When something was, by what a message says; never ahead of us.
pub fn instant(payload: &Value, now: DateTime<Utc>) -> DateTime<Utc> {
    let said = payload["timestamp"].as_str().and_then(|at| at.parse::<DateTime<Utc>>().ok());
    said.map_or(now, |at| at.min(now))
}
