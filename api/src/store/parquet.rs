//! A month of quarter-hours of a site as a Parquet file: for us, and for whoever wants to read it with other tools.
//!
//! Columns: `place`, `start` (UTC, of the quarter-hour), `count` (measurements in it), `l1_a`, `l2_a`, `l3_a` (means),
//! `l1_highest_a` … `l3_highest_a`, `power_count`, `power_kw` (mean), `energy_kwh` (the counter, last). Rows are ordered by
//! place and start.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use polars::prelude::*;

use super::measurement::Grain;
use super::rolling::{Piece, Sum};

/// Quarter-hours of places.
pub type Quarters = Vec<(String, Piece)>;

/// The file.
pub fn write(quarters: &Quarters) -> Result<Vec<u8>, String> {
    let pieces = || quarters.iter().map(|(_, piece)| piece);
    let real = |value: fn(&Sum) -> f64| pieces().map(|piece| value(&piece.sum)).collect::<Vec<f64>>();
    let count = |value: fn(&Sum) -> u64| pieces().map(|piece| value(&piece.sum)).collect::<Vec<u64>>();
    let optional =
        |value: fn(&Sum) -> Option<f64>| pieces().map(|piece| value(&piece.sum)).collect::<Vec<Option<f64>>>();
    let starts = Series::new("start".into(), pieces().map(|piece| piece.at).collect::<Vec<i64>>());
    let utc = DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
    let columns = vec![
        Column::new("place".into(), quarters.iter().map(|(place, _)| place.as_str()).collect::<Vec<&str>>()),
        starts.cast(&utc).map_err(|fault| fault.to_string())?.into(),
        Column::new("count".into(), count(|sum| sum.count)),
        Column::new("l1_a".into(), real(|sum| sum.sum_a[0] / sum.count as f64)),
        Column::new("l2_a".into(), real(|sum| sum.sum_a[1] / sum.count as f64)),
        Column::new("l3_a".into(), real(|sum| sum.sum_a[2] / sum.count as f64)),
        Column::new("l1_highest_a".into(), real(|sum| sum.highest_a[0])),
        Column::new("l2_highest_a".into(), real(|sum| sum.highest_a[1])),
        Column::new("l3_highest_a".into(), real(|sum| sum.highest_a[2])),
        Column::new("power_count".into(), count(|sum| sum.power_count)),
        Column::new(
            "power_kw".into(),
            optional(|sum| (sum.power_count > 0).then(|| sum.power_sum_kw / sum.power_count as f64)),
        ),
        Column::new("energy_kwh".into(), optional(|sum| sum.energy_kwh)),
    ];
    let mut frame = DataFrame::new(quarters.len(), columns).map_err(|fault| fault.to_string())?;
    let mut file = Vec::new();
    ParquetWriter::new(&mut file).finish(&mut frame).map_err(|fault| fault.to_string())?;
    Ok(file)
}

/// What is in a file. The reader panics on some files that are damaged, so it runs where that is caught.
pub fn read(file: &[u8]) -> Result<Quarters, String> {
    match catch_unwind(AssertUnwindSafe(|| rows(file))) {
        Ok(read) => read.map_err(|fault| fault.to_string()),
        Err(_) => Err("it is damaged".to_owned()),
    }
}

fn rows(file: &[u8]) -> PolarsResult<Quarters> {
    // One thread: a panic stays where it is caught.
    let reader = ParquetReader::new(Cursor::new(file)).read_parallel(ParallelStrategy::None).set_rechunk(true);
    let frame = reader.finish()?;
    let real = |name: &str| frame.column(name)?.f64().cloned();
    let count = |name: &str| frame.column(name)?.u64().cloned();
    let places = frame.column("place")?.str()?;
    let starts = frame.column("start")?.cast(&DataType::Int64)?;
    let starts = starts.i64()?;
    let counts = count("count")?;
    let means = [real("l1_a")?, real("l2_a")?, real("l3_a")?];
    let highest = [real("l1_highest_a")?, real("l2_highest_a")?, real("l3_highest_a")?];
    let power_counts = count("power_count")?;
    let (powers, energies) = (real("power_kw")?, real("energy_kwh")?);
    let row = |row: usize| {
        let count = counts.get(row)?;
        let power_count = power_counts.get(row)?;
        let mut sum = Sum {
            count,
            sum_a: [0.0; 3],
            highest_a: [0.0; 3],
            power_count,
            power_sum_kw: powers.get(row).unwrap_or_default() * power_count as f64,
            energy_kwh: energies.get(row),
        };
        for phase in 0..3 {
            sum.sum_a[phase] = means[phase].get(row)? * count as f64;
            sum.highest_a[phase] = highest[phase].get(row)?;
        }
        Some((places.get(row)?.to_owned(), Piece { at: starts.get(row)?, grain: Grain::Quarter, sum }))
    };
    let missing = || PolarsError::ComputeError("a value is missing".into());
    (0..frame.height()).map(|index| row(index).ok_or_else(missing)).collect()
}
