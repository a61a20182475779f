//! One column of a CSV file as a series.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::stamps::{self, Clock};
use super::{MAX_VALUES, Quantity, Series, Unit};
use crate::refusal::{Fault, Faults, Refusal, number as shown};
use crate::text::{self, Row, Table, choices, place, words};

/// What is known of a file besides its content.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reading<'a> {
    /// The zone of stamps without offset.
    pub zone: Option<Tz>,
    /// The name of the column; `None`, the only one that can be meant.
    pub column: Option<&'a str>,
    /// The unit; `None`, the header says it.
    pub unit: Option<Unit>,
}

/// A series as a file holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryFile {
    /// The values in the unit that is read.
    pub series: Series,
    /// The unit the column is in.
    pub unit: Unit,
    /// What the reader should know, in words.
    pub notes: Vec<String>,
}

/// Reads one series from a CSV file, packed with gzip or not.
///
/// # Errors
///
/// [`Refusal`] by row and column, or with the choices where column or unit cannot be known.
pub fn read(bytes: &[u8], quantity: Quantity, reading: &Reading<'_>) -> Result<Series, Refusal> {
    Ok(read_history(bytes, quantity, reading)?.series)
}

/// Reads one series from a CSV file, packed with gzip or not, and says in which unit it is.
///
/// # Errors
///
/// As [`read`].
pub fn read_history(bytes: &[u8], quantity: Quantity, reading: &Reading<'_>) -> Result<HistoryFile, Refusal> {
    let table = text::csv(bytes)?;
    let stamp = stamps::column(&table)?;
    let column = column(&table, stamp, quantity, reading)?;
    let unit = unit(&table.header[column], quantity, reading.unit)?;
    let rows: Vec<&Row> = table.rows.iter().collect();
    let mut series = columns(&table, &rows, stamp, &[(column, unit)], reading.zone)?;
    match series.pop() {
        Some(series) => Ok(HistoryFile { series, unit, notes: Vec::new() }),
        None => Err(Fault::of_table("the table", "", "holds no series", "give a column of values").into()),
    }
}

/// The index of the column that is asked for, or that alone can be meant.
fn column(table: &Table, stamp: usize, quantity: Quantity, reading: &Reading<'_>) -> Result<usize, Refusal> {
    if let Some(name) = reading.column {
        let wanted = words(name);
        return table.header.iter().position(|header| words(header) == wanted).ok_or_else(|| {
            let wrong = format!("is no column; the columns are {}", choices(&table.header));
            Fault::of_table("the header", name, wrong, "name one of them").into()
        });
    }
    let others: Vec<usize> = (0..table.header.len()).filter(|&k| k != stamp && !table.header[k].is_empty()).collect();
    let fits = |&&k: &&usize| Unit::of_header(&table.header[k]).is_some_and(|unit| unit.quantity == quantity);
    let fitting: Vec<usize> = others.iter().filter(fits).copied().collect();
    match (fitting.as_slice(), others.as_slice()) {
        (&[only], _) | (&[], &[only]) => Ok(only),
        (&[], &[]) => {
            Err(Fault::of_table("the header", "", "names no column of values", "add one beside the stamps").into())
        }
        (fitting, others) => {
            let which = if fitting.is_empty() { others } else { fitting };
            let names: Vec<String> = which.iter().map(|&k| table.header[k].clone()).collect();
            let wrong = format!("leaves open which column is meant: {}", choices(&names));
            Err(Fault::of_table("the header", "", wrong, "name the column, or leave the others out").into())
        }
    }
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

/// Some columns of some rows as series, all on the same steps.
pub(super) fn columns(
    table: &Table,
    rows: &[&Row],
    stamp: usize,
    wanted: &[(usize, Unit)],
    zone: Option<Tz>,
) -> Result<Vec<Series>, Refusal> {
    let mut faults = Faults::default();
    let mut clock = Clock::new(zone);
    let mut stamps: Vec<(u64, DateTime<Utc>)> = Vec::with_capacity(rows.len());
    let mut cells: Vec<Vec<Option<f64>>> = Vec::with_capacity(rows.len());
    for row in rows {
        let values: Vec<Option<f64>> =
            wanted.iter().map(|&(column, _)| value(table, row, column, &mut faults)).collect();
        // Some exports hold an empty row for the hour that the clock skips.
        if values.iter().all(Option::is_none) && wanted.iter().all(|&(column, _)| row.cell(column).is_empty()) {
            continue;
        }
        match clock.read(row.cell(stamp), row.line, &table.header[stamp]) {
            Ok(at) => {
                stamps.push((row.line, at));
                cells.push(values);
            }
            Err(fault) => faults.add(fault),
        }
    }
    faults.or(())?;
    let step = stamps::step(&stamps, &table.header[stamp])?;
    let start = stamps[0].1;
    let interval = |at: DateTime<Utc>| usize::try_from((at - start).num_seconds() / step.num_seconds()).unwrap_or(0);
    let count = stamps.last().map_or(0, |&(_, last)| interval(last) + 1);
    if count > MAX_VALUES {
        let wrong = format!("spans {count} steps of {} s, over {MAX_VALUES}", step.num_seconds());
        return Err(Fault::of_table("the table", "", wrong, "cut out the days that are needed").into());
    }
    let mut series = vec![Series { start, step, values: vec![None; count] }; wanted.len()];
    let mut faults = Faults::default();
    for (&(line, at), values) in stamps.iter().zip(&cells) {
        for ((series, value), &(column, unit)) in series.iter_mut().zip(values).zip(wanted) {
            let Some(value) = *value else { continue };
            let converted = unit.convert(value, step);
            if converted.abs() > unit.quantity.largest() {
                faults.add(unbelievable(&table.header[column], line, value, unit));
            }
            series.values[interval(at)] = Some(converted);
        }
    }
    faults.or(series)
}

fn unbelievable(column: &str, line: u64, value: f64, unit: Unit) -> Fault {
    let wrong = format!("{} is more than is believed", unit.name);
    let remedy = format!("check the unit: {}", unit.quantity.units().join(", "));
    let value = shown(value);
    Fault { value, ..Fault::of_table(place(line, column), "", wrong, remedy) }
}

/// A cell as a number; `None` where it is empty or wrong.
fn value(table: &Table, row: &Row, column: usize, faults: &mut Faults) -> Option<f64> {
    let cell = row.cell(column);
    if cell.is_empty() {
        return None;
    }
    match text::number(cell, table.decimal_comma) {
        Ok(value) => Some(value),
        Err(no) => {
            faults.add(Fault::of_table(place(row.line, &table.header[column]), cell, no.wrong, no.remedy));
            None
        }
    }
}
