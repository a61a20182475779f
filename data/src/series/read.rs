//! One column of a file as a series: which column, in which unit.

use chrono_tz::Tz;

use super::columns::{Wanted, columns};
use super::{Quantity, Series, Unit, filter, stamps};
use crate::quality::QualityFlag;
use crate::refusal::{Fault, Refusal};
use crate::table::{self, Table};
use crate::text::choices;

/// What is known of a file besides its content.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reading<'a> {
    /// The zone of stamps without offset.
    pub zone: Option<Tz>,
    /// The name of the column; `None`, the only one that can be meant.
    pub column: Option<&'a str>,
    /// The unit; `None`, the header says it.
    pub unit: Option<Unit>,
    /// Which rows are meant, by column and value, where a file holds several series below each other.
    pub filter: &'a [(String, String)],
    /// The name of the column of stamps; `None`, one that is called like it.
    pub time: Option<&'a str>,
}

/// A series as a file holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryFile {
    /// The values in the unit that is read, on intervals of at least a quarter of an hour.
    pub series: Series,
    /// Name of the column they come from.
    pub column: String,
    /// The unit the column is in.
    pub unit: Unit,
    /// What could not be used as it stands there.
    pub flags: Vec<QualityFlag>,
    /// What the reader should know, in words.
    pub notes: Vec<String>,
}

/// Reads one series from a file: CSV, packed with gzip or not, or Parquet. See [`read_history`].
///
/// # Errors
///
/// As [`read_history`].
pub fn read(bytes: &[u8], quantity: Quantity, reading: &Reading<'_>) -> Result<Series, Refusal> {
    Ok(read_history(bytes, quantity, reading)?.series)
}

/// Reads one series from a file: CSV, packed with gzip or not, or Parquet, and says what was strange about it.
///
/// Intervals of a quarter of an hour and multiples of it stay as they are; others, from a second on, and those of a
/// clock that is not exact, are gathered to quarter-hours.
///
/// # Errors
///
/// [`Refusal`] by row and column, or with the choices where column, unit, zone or rows cannot be known.
pub fn read_history(bytes: &[u8], quantity: Quantity, reading: &Reading<'_>) -> Result<HistoryFile, Refusal> {
    let table = table::read(bytes)?;
    let stamp = stamps::column(&table, reading.time)?;
    let filtered = reading.filter.iter().map(|(name, _)| table.column(name)).collect::<Result<Vec<_>, _>>()?;
    let column = column(&table, stamp, &filtered, quantity, reading.column)?;
    let unit = unit(&table.header()[column], quantity, reading.unit)?;
    let rows = filter::rows(&table, reading.filter)?;
    let wanted = Wanted { stamp, columns: &[(column, unit)], zone: reading.zone };
    let mut read = columns(&table, &rows, &wanted)?;
    let series = read.series.pop().ok_or_else(no_column)?;
    let column = table.header()[column].clone();
    Ok(HistoryFile { series, column, unit: read.units[0], flags: read.flags, notes: read.notes })
}

/// The index of the column that is asked for, or that alone can be meant.
pub(super) fn column(
    table: &Table,
    stamp: usize,
    filtered: &[usize],
    quantity: Quantity,
    said: Option<&str>,
) -> Result<usize, Refusal> {
    if let Some(name) = said {
        return table.column(name);
    }
    let header = table.header();
    let others: Vec<usize> =
        (0..header.len()).filter(|k| *k != stamp && !filtered.contains(k) && !header[*k].is_empty()).collect();
    let fits = |&&k: &&usize| Unit::of_header(&header[k]).is_some_and(|unit| unit.quantity == quantity);
    let fitting: Vec<usize> = others.iter().filter(fits).copied().collect();
    match (fitting.as_slice(), others.as_slice()) {
        (&[only], _) | (&[], &[only]) => Ok(only),
        (&[], &[]) => Err(no_column()),
        (fitting, others) => {
            let which = if fitting.is_empty() { others } else { fitting };
            let names: Vec<String> = which.iter().map(|&k| header[k].clone()).collect();
            let wrong = format!("leaves open which column is meant: {}", choices(&names));
            Err(Fault::of_table("the header", "", wrong, "name the column, or leave the others out").into())
        }
    }
}

fn no_column() -> Refusal {
    Fault::of_table("the header", "", "names no column of values", "add one beside the stamps").into()
}

/// The unit that is said, or that the header says.
pub(super) fn unit(header: &str, quantity: Quantity, said: Option<Unit>) -> Result<Unit, Refusal> {
    let listed = quantity.units().join(", ");
    match said.or_else(|| Unit::of_header(header)) {
        Some(unit) if unit.quantity == quantity => Ok(unit),
        Some(unit) => {
            let wrong = format!("is in {}, which is not what is wanted here", unit.name);
            Err(Fault::of_table("the header", header, wrong, format!("give one of {listed}")).into())
        }
        None => {
            let remedy = format!("say the unit, or end the column's name in it: {listed}");
            Err(Fault::of_table("the header", header, "does not say its unit", remedy).into())
        }
    }
}
