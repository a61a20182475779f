//! What goes into a statement and comes out of a row: the few types that both databases have.

use chrono::{DateTime, Utc};
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

use super::super::fault::Fault;
use super::trouble::corrupt;

/// A value, or nothing of its type.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A whole number, a time in microseconds, or a truth value.
    Int(Option<i64>),
    /// A number.
    Real(Option<f64>),
    /// Text.
    Text(Option<String>),
    /// Bytes.
    Bytes(Option<Vec<u8>>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Value {
        Value::Int(Some(value))
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Value {
        Value::Int(Some(i64::from(value)))
    }
}

impl From<u64> for Value {
    /// Versions and numbers of entries stay far below `i64::MAX`; what is above can match nothing that is kept.
    fn from(value: u64) -> Value {
        Value::Int(Some(i64::try_from(value).unwrap_or(i64::MAX)))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Int(Some(i64::from(value)))
    }
}

impl From<DateTime<Utc>> for Value {
    fn from(value: DateTime<Utc>) -> Value {
        Value::Int(Some(value.timestamp_micros()))
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Value {
        Value::Real(Some(value))
    }
}

impl From<Option<f64>> for Value {
    fn from(value: Option<f64>) -> Value {
        Value::Real(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Value {
        Value::Text(Some(value.to_owned()))
    }
}

impl From<String> for Value {
    fn from(value: String) -> Value {
        Value::Text(Some(value))
    }
}

impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Value {
        Value::Text(value)
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Value {
        Value::Bytes(Some(value))
    }
}

/// A row of an answer; columns are counted from 0.
pub enum Row {
    /// Of SQLite.
    Sqlite(SqliteRow),
    /// Of PostgreSQL.
    Postgres(PgRow),
}

macro_rules! read {
    ($row:expr, $column:expr, $type:ty) => {
        match $row {
            Row::Sqlite(row) => row.try_get::<$type, _>($column),
            Row::Postgres(row) => row.try_get::<$type, _>($column),
        }
        .map_err(|fault| corrupt(format!("column {}: {fault}", $column)))
    };
}

impl Row {
    /// A whole number.
    pub fn int(&self, column: usize) -> Result<i64, Fault> {
        read!(self, column, i64)
    }

    /// A whole number, or nothing.
    pub fn int_or_none(&self, column: usize) -> Result<Option<i64>, Fault> {
        read!(self, column, Option<i64>)
    }

    /// A whole number that is never negative.
    pub fn count(&self, column: usize) -> Result<u64, Fault> {
        let value = self.int(column)?;
        u64::try_from(value).map_err(|_| corrupt(format!("column {column}: {value} is negative")))
    }

    /// A number.
    pub fn real(&self, column: usize) -> Result<f64, Fault> {
        read!(self, column, f64)
    }

    /// A number, or nothing.
    pub fn real_or_none(&self, column: usize) -> Result<Option<f64>, Fault> {
        read!(self, column, Option<f64>)
    }

    /// Text.
    pub fn text(&self, column: usize) -> Result<String, Fault> {
        read!(self, column, String)
    }

    /// Text, or nothing.
    pub fn text_or_none(&self, column: usize) -> Result<Option<String>, Fault> {
        read!(self, column, Option<String>)
    }

    /// Bytes.
    pub fn bytes(&self, column: usize) -> Result<Vec<u8>, Fault> {
        read!(self, column, Vec<u8>)
    }

    /// A time.
    pub fn time(&self, column: usize) -> Result<DateTime<Utc>, Fault> {
        time(self.int(column)?)
    }

    /// JSON.
    pub fn json(&self, column: usize) -> Result<serde_json::Value, Fault> {
        parse(&self.text(column)?)
    }

    /// JSON, or nothing.
    pub fn json_or_none(&self, column: usize) -> Result<Option<serde_json::Value>, Fault> {
        self.text_or_none(column)?.as_deref().map(parse).transpose()
    }
}

/// The time of a number of microseconds since 1970.
pub fn time(micros: i64) -> Result<DateTime<Utc>, Fault> {
    DateTime::from_timestamp_micros(micros).ok_or_else(|| corrupt(format!("{micros} is no time in microseconds")))
}

fn parse(text: &str) -> Result<serde_json::Value, Fault> {
    serde_json::from_str(text).map_err(|fault| corrupt(format!("not JSON: {fault}")))
}
