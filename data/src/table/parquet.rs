//! Parquet to columns of numbers, times and text.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use polars::prelude::{Column as Cells, DataType, ParallelStrategy, ParquetReader, PolarsResult, SerReader, TimeUnit};

use super::csv::Lines;
use super::{Column, MAX_BYTES, MAX_ROWS, Table};
use crate::refusal::{Fault, Refusal};

/// What every Parquet file begins and ends with.
pub(super) const MARK: &[u8] = b"PAR1";

/// Reads a Parquet file.
///
/// The reader is made for files that were written well and panics on some that were not, so it runs where that is caught.
pub(super) fn read(bytes: &[u8]) -> Result<Table, Refusal> {
    let damaged = |what: &str| {
        let wrong = format!("is a Parquet file that cannot be read: {what}");
        Refusal::from(Fault::of_table("the table", "", wrong, "fetch or write it again"))
    };
    if bytes.len() < 2 * MARK.len() || !bytes.ends_with(MARK) {
        return Err(damaged("its end is missing"));
    }
    match catch_unwind(AssertUnwindSafe(|| columns(bytes))) {
        Ok(Ok(Ok(table))) => Ok(table),
        Ok(Ok(Err(too_large))) => Err(too_large.into()),
        Ok(Err(fault)) => Err(damaged(&fault.to_string().lines().collect::<Vec<_>>().join(" "))),
        Err(_) => Err(damaged("it is damaged")),
    }
}

/// The table; the inner error where it is too large to be read.
fn columns(bytes: &[u8]) -> PolarsResult<Result<Table, Fault>> {
    // One thread: the files are small, and a panic stays where it is caught.
    let mut reader = ParquetReader::new(Cursor::new(bytes)).read_parallel(ParallelStrategy::None).set_rechunk(true);
    let metadata = reader.get_metadata()?;
    let unpacked: u64 =
        metadata.row_groups.iter().map(|group| group.total_byte_size() as u64).fold(0, u64::saturating_add);
    if metadata.num_rows > MAX_ROWS || unpacked > MAX_BYTES {
        let wrong = format!("is larger than {MAX_ROWS} rows or {} MiB unpacked", MAX_BYTES >> 20);
        return Ok(Err(Fault::of_table("the table", "", wrong, "cut out the days that are needed")));
    }
    let frame = reader.finish()?;
    let header: Vec<String> = frame.get_column_names().iter().map(|name| name.trim().to_owned()).collect();
    if header.is_empty() {
        return Ok(Err(Fault::of_table(
            "the table",
            "",
            "has no columns",
            "give a column of stamps and one of values",
        )));
    }
    let columns = frame.columns().iter().map(column).collect::<PolarsResult<_>>()?;
    Ok(Ok(Table { header, columns, rows: frame.height(), decimal_comma: false, lines: Lines::of_rows() }))
}

fn column(cells: &Cells) -> PolarsResult<Column> {
    Ok(match cells.dtype() {
        DataType::String => Column::Text(cells.str()?.rechunk().into_owned()),
        DataType::Categorical(..) | DataType::Enum(..) => {
            Column::Text(cells.cast(&DataType::String)?.str()?.rechunk().into_owned())
        }
        DataType::Boolean => Column::Number(cells.cast(&DataType::Float64)?.f64()?.rechunk().into_owned()),
        kind if kind.is_primitive_numeric() => {
            Column::Number(cells.cast(&DataType::Float64)?.f64()?.rechunk().into_owned())
        }
        DataType::Datetime(unit, zone) => {
            let per_second = match unit {
                TimeUnit::Nanoseconds => 1_000_000_000,
                TimeUnit::Microseconds => 1_000_000,
                TimeUnit::Milliseconds => 1_000,
            };
            let absolute = zone.is_some();
            let counts = cells.cast(&DataType::Int64)?;
            let seconds = counts.i64()?.iter().map(|count| count.map(|count| count.div_euclid(per_second)));
            Column::Time { seconds: seconds.collect(), absolute }
        }
        DataType::Date => {
            let days = cells.cast(&DataType::Int64)?;
            let seconds = days.i64()?.iter().map(|day| day.map(|day| day.saturating_mul(86_400)));
            Column::Time { seconds: seconds.collect(), absolute: false }
        }
        other => Column::Other(other.to_string()),
    })
}
