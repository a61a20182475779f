//! Rosters: which vehicle stays at which station, from when to when, and how much energy it needs.
//!
//! A row holds for one stay (dates) or for every week (days and times of day, a template). [`parse`] reads a table,
//! [`Roster::stays`] says who stays within a horizon. The format is described in `docs/formats/inputs.md`.
//!
//! A row may leave open when the vehicle leaves and how much it needs, if it is known beforehand that a forecast says so:
//! [`parse_open`] reads such a table, [`Roster::open`] lists the stays to be forecast, [`Roster::expect`] takes what was.

mod columns;
mod row;
mod stays;
mod table;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

pub use stays::{Expected, OpenStay, Stay};

use crate::local::{TimeOfDay, Weekdays};
use crate::refusal::Refusal;

/// A roster: every row read, none against another.
#[derive(Debug, Clone, PartialEq)]
pub struct Roster {
    /// The rows in the order of the table.
    pub rows: Vec<Entry>,
    /// The zone of its times.
    pub zone: Tz,
    /// What is expected of stays that their rows leave open, by row and local day of arrival.
    expected: BTreeMap<(u64, NaiveDate), Expected>,
}

/// A row of a roster.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its number as a spreadsheet counts it, from 1.
    pub row: u64,
    /// Name of the vehicle.
    pub vehicle: String,
    /// Name of the station.
    pub station: String,
    /// When it stays.
    pub when: When,
    /// What is in its battery on arrival.
    pub soc: Option<Charge>,
    /// What it wants in its battery at departure.
    pub target: Option<Charge>,
    /// Energy to be added in kWh, whatever the state of charge.
    pub need_kwh: Option<f64>,
    /// What differs from the vehicle as the site knows it.
    pub vehicle_facts: Facts,
}

/// When a vehicle stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Once.
    Once {
        /// Arrival.
        arrival: DateTime<Utc>,
        /// Departure, later; `None` where it is open.
        departure: Option<DateTime<Utc>>,
    },
    /// On some days of every week.
    Weekly {
        /// Days of arrival.
        days: Weekdays,
        /// Time of arrival.
        arrival: TimeOfDay,
        /// Time of departure; `None` where it is open.
        departure: Option<TimeOfDay>,
        /// Days from arrival to departure, 0 for the same day and where the departure is open.
        plus_days: u32,
    },
}

/// An amount of energy in a battery.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Charge {
    /// In percent of the capacity.
    Percent(f64),
    /// In kWh.
    Kwh(f64),
}

impl Charge {
    /// The amount in kWh of a battery of this capacity.
    pub fn kwh(self, capacity_kwh: f64) -> f64 {
        match self {
            Charge::Percent(percent) => capacity_kwh * percent / 100.0,
            Charge::Kwh(kwh) => kwh,
        }
    }
}

/// What a row says of its vehicle; what is absent, the site's vehicles and defaults say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// Name of its group.
    pub group: Option<String>,
    /// How many phases it uses: 1, 2 or 3.
    pub phases: Option<u8>,
    /// Lowest current per phase other than 0, in A.
    pub min_a: Option<f64>,
    /// Highest current per phase in A.
    pub max_a: Option<f64>,
    /// Energy into the battery ÷ energy at the charger, a fraction.
    pub efficiency: Option<f64>,
    /// Battery capacity in kWh.
    pub capacity_kwh: Option<f64>,
}

/// Reads a roster from a CSV or XLSX file whose times are those of `zone`.
///
/// # Errors
///
/// [`Refusal`] with every cell that cannot be used, by row and column.
pub fn parse(bytes: &[u8], zone: Tz) -> Result<Roster, Refusal> {
    read(bytes, zone, false)
}

/// Reads a roster whose rows may leave open when the vehicle leaves and how much it needs.
///
/// # Errors
///
/// As of [`parse`].
pub fn parse_open(bytes: &[u8], zone: Tz) -> Result<Roster, Refusal> {
    read(bytes, zone, true)
}

/// The header and the rows of a roster's table, as they are written.
///
/// # Errors
///
/// [`Refusal`] when the bytes are no table.
pub fn cells(bytes: &[u8]) -> Result<(Vec<String>, Vec<Vec<String>>), Refusal> {
    let table = table::read(bytes)?;
    Ok((table.header, table.rows.into_iter().map(|row| row.cells).collect()))
}

fn read(bytes: &[u8], zone: Tz, open: bool) -> Result<Roster, Refusal> {
    let table = table::read(bytes)?;
    let columns = columns::Columns::of(&table.header, open)?;
    let rows = row::entries(&table, &columns, zone, open)?;
    Ok(Roster::new(rows, zone))
}

impl Roster {
    /// A roster of rows, nothing expected yet.
    pub fn new(rows: Vec<Entry>, zone: Tz) -> Self {
        Roster { rows, zone, expected: BTreeMap::new() }
    }
}

impl Entry {
    /// Whether its row says neither how full the vehicle arrives nor how much it needs.
    pub fn needs_open(&self) -> bool {
        self.soc.is_none() && self.need_kwh.is_none()
    }
}

/// The local day on which a stay begins, for names and overrides.
fn first_day(zone: Tz, arrival: DateTime<Utc>) -> NaiveDate {
    crate::local::day(zone, arrival)
}
