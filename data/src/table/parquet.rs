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
        kind if kind.is_primitive_numeric() || matches!(kind, DataType::Decimal(..)) => {
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

#[cfg(test)]
mod tests {

    use chrono::{DateTime, NaiveDateTime};
    use polars::prelude::{
        Categories, DataFrame, IntoColumn, NamedFrom, ParquetWriter, Series, StringChunked, TimeZone,
    };

    use super::*;
    use crate::local::Stamp;

    fn file(columns: Vec<Cells>) -> Vec<u8> {
        let mut bytes = Vec::new();
        ParquetWriter::new(&mut bytes).finish(&mut DataFrame::new_infer_height(columns).unwrap()).unwrap();
        bytes
    }

    fn numbers(name: &str, kind: &DataType) -> Cells {
        Series::new(name.into(), [Some(1_i64), None, Some(3)]).cast(kind).unwrap().into_column()
    }

    #[test]
    fn numbers_of_every_type() {
        let kinds = [
            DataType::Int8,
            DataType::Int16,
            DataType::Int32,
            DataType::Int64,
            DataType::UInt8,
            DataType::UInt16,
            DataType::UInt32,
            DataType::UInt64,
            DataType::Float32,
            DataType::Float64,
            DataType::Decimal(10, 2),
            DataType::String,
        ];
        let columns = kinds.iter().map(|kind| numbers(&kind.to_string(), kind)).collect();
        let table = read(&file(columns)).unwrap();
        for (column, kind) in kinds.iter().enumerate() {
            let cells: Vec<_> = (0..3).map(|row| table.number(column, row)).collect();
            assert_eq!(cells, [Ok(Some(1.0)), Ok(None), Ok(Some(3.0))], "{kind}");
            assert_eq!(table.text(column, 2).parse::<f64>(), Ok(3.0), "{kind}");
        }
        assert_eq!(table.place(2, 0), "row 3, \"i8\"");
    }

    #[test]
    fn stamps_of_every_type() {
        let seconds = 1_700_000_000_i64;
        let counts = |per_second: i64| Series::new("t".into(), [seconds * per_second, -1]);
        let utc = TimeZone::opt_try_new(Some("UTC")).unwrap();
        let units = [
            (TimeUnit::Milliseconds, 1_000),
            (TimeUnit::Microseconds, 1_000_000),
            (TimeUnit::Nanoseconds, 1_000_000_000),
        ];
        let at = DateTime::from_timestamp(seconds, 0).unwrap();
        for (unit, per_second) in units {
            for (zone, expected) in [(None, Stamp::Local(at.naive_utc())), (utc.clone(), Stamp::Absolute(at))] {
                let column = counts(per_second).cast(&DataType::Datetime(unit, zone)).unwrap().into_column();
                let table = read(&file(vec![column])).unwrap();
                assert_eq!(table.stamp(0, 0), Some(expected), "{unit:?}");
                assert_eq!(table.stamp(0, 1), None, "a second before 1970 is no time of a meter");
            }
        }
        let days = Series::new("t".into(), [19_675_i32]).cast(&DataType::Date).unwrap().into_column();
        let midnight: NaiveDateTime = "2023-11-14T00:00:00".parse().unwrap();
        assert_eq!(read(&file(vec![days])).unwrap().stamp(0, 0), Some(Stamp::Local(midnight)));
    }

    #[test]
    fn names_that_repeat_and_yes_and_no() {
        let names = Series::from(StringChunked::new("site".into(), ["A", "B", "A"]));
        let kind = DataType::from_categories(Categories::global());
        let flags = Series::new("valid".into(), [true, false, true]).into_column();
        let table = read(&file(vec![names.cast(&kind).unwrap().into_column(), flags])).unwrap();
        assert_eq!((table.text(0, 2).as_ref(), table.number(1, 1)), ("A", Ok(Some(0.0))));
    }

    #[test]
    fn a_file_that_is_cut_is_refused() {
        let whole = file(vec![numbers("a", &DataType::Int64), numbers("b", &DataType::Float64)]);
        for length in MARK.len()..whole.len() {
            assert!(read(&whole[..length]).is_err());
        }
    }
}
