//! A roster: who stays where, when.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A row of a roster: its columns by name, as `docs/formats/inputs.md` lists them, the same as those of the CSV table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct RosterRow(pub BTreeMap<String, Cell>);

/// A cell of a roster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Cell {
    /// Text: names, days, times, amounts with their unit.
    Text(String),
    /// A number.
    Number(f64),
}

/// A roster as it is kept: its table as CSV, which every writing of it is brought to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptRoster {
    /// The table.
    pub csv: String,
    /// How many rows it has.
    pub rows: usize,
}

/// A roster in a list.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RosterHead {
    /// Its name.
    pub id: String,
    /// Its version; also its `ETag`.
    pub version: u64,
    /// When it changed last.
    pub changed: DateTime<Utc>,
    /// How many rows it has.
    pub rows: usize,
}

/// What became of a roster that was put.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RosterPut {
    /// Its name.
    pub id: String,
    /// Its version now.
    pub version: u64,
    /// How many rows it has.
    pub rows: usize,
    /// How many sessions of the next two days it makes expected.
    pub expected: usize,
}
