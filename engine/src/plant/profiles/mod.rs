//! Charging profiles as a station keeps them: what is installed, what of it is in force, what it adds up to.
//!
//! This is the station's side of OCPP 1.6 and 2.0.1, for simulated stations. The service that steers real ones has code of
//! its own for what it believes that a station holds, and neither knows the other: were they one, a misreading of the
//! specification would agree with itself. Clauses are those of OCPP 1.6 edition 2, "E" of its errata sheet 4.0, and "K01" of
//! OCPP 2.0.1.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | what a profile is |
//! | `reach.rs` | when a profile is in force, and when that changes |
//! | `store.rs` | which profiles are installed; how they replace each other and are cleared |
//! | `composite.rs` | the limit at an instant, and the schedule of the next hours |
//! | `check.rs` | which profiles a station refuses |

mod check;
mod composite;
mod reach;
mod store;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};

pub use self::check::{Abilities, Refused};
pub use self::composite::{Limit, Span, Supply};
pub use self::store::{Clear, Installed, Store};

/// Whose rules count where the editions differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edition {
    /// OCPP 1.6.
    V16,
    /// OCPP 2.0.1.
    V2,
}

/// What a profile is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// The most that the whole station may draw (`ChargePointMaxProfile`, `ChargingStationMaxProfile`).
    StationMax,
    /// A limit from elsewhere (`ChargingStationExternalConstraints`), which no central system sends.
    External,
    /// What transactions without a profile of their own go by.
    TxDefault,
    /// What one transaction goes by.
    Tx,
}

/// What its times count from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An instant; without one, the start of charging (1.6: 7.13).
    Absolute,
    /// An instant, again every day.
    Daily,
    /// An instant, again every week.
    Weekly,
    /// The start of charging.
    Relative,
}

/// What its limits are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// A per phase.
    Amps,
    /// W on all phases together.
    Watts,
}

/// A charging profile.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Its number.
    pub id: i64,
    /// Of those of one purpose that are in force, the highest counts.
    pub stack_level: i64,
    /// What it is for.
    pub purpose: Purpose,
    /// What its times count from.
    pub kind: Kind,
    /// From when it may be in force; `None`, from its installation on.
    pub valid_from: Option<DateTime<Utc>>,
    /// Until when; `None`, for ever.
    pub valid_to: Option<DateTime<Utc>>,
    /// The transaction of a [`Purpose::Tx`] profile; `None`, the one that runs.
    pub transaction: Option<String>,
    /// Its limits.
    pub schedule: Schedule,
}

/// Limits over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// What the limits are in.
    pub unit: Unit,
    /// What the periods count from, where it is an instant.
    pub start: Option<DateTime<Utc>>,
    /// How long it lasts in s; `None`, the last period goes on.
    pub duration_s: Option<i64>,
    /// The limits, by time.
    pub periods: Vec<Period>,
}

/// A limit that holds until the next one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Period {
    /// From when, in s since the schedule's start.
    pub start_s: i64,
    /// The limit, in the schedule's unit.
    pub limit: f64,
    /// On how many phases; `None`, three.
    pub phases: Option<u8>,
    /// On which phase (1 to 3) a vehicle charges that charges on one; `None`, as the station likes.
    pub phase: Option<u8>,
}

/// A transaction that runs, or the one that would begin now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Running<'t> {
    /// Since when it charges; where nothing runs, now.
    pub since: DateTime<Utc>,
    /// Its id; `None`, nothing runs.
    pub id: Option<&'t str>,
}
