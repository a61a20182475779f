//! What flowed when, for others: what all rows hash to, and a Parquet file of them.

use kwartier_engine::control::command::Why;
use kwartier_engine::control::setup::Setup;
use kwartier_engine::plant::trace::{Row, Trace, What};
use polars::prelude::*;

/// What all rows hash to.
pub fn hash(trace: &Trace) -> String {
    let mut hasher = blake3::Hasher::new();
    for row in trace.rows() {
        hasher.update(&row.bytes());
    }
    hasher.finalize().to_hex().to_string()
}

/// The rows as a Parquet file: `time,what,id,l1_a,l2_a,l3_a,setpoint_a,why,held_a`.
pub fn parquet(trace: &Trace, setup: &Setup) -> Result<Vec<u8>, String> {
    let column = |value: fn(&Row) -> f64| trace.rows().iter().map(value).collect::<Vec<f64>>();
    let optional = |value: fn(&Row) -> Option<f64>| trace.rows().iter().map(value).collect::<Vec<Option<f64>>>();
    let name = |row: &Row| match row.what {
        What::Board => setup.nodes[row.index].id.as_str(),
        What::Device => setup.devices[row.index].id.as_str(),
    };
    let kind = |row: &Row| match row.what {
        What::Board => "board",
        What::Device => "device",
    };
    let times = trace.rows().iter().map(|row| row.at_ms).collect::<Vec<i64>>();
    let times =
        Series::new("time".into(), times).cast(&DataType::Datetime(TimeUnit::Milliseconds, Some(TimeZone::UTC)));
    let columns = vec![
        times.map_err(|fault| fault.to_string())?.into(),
        Column::new("what".into(), trace.rows().iter().map(kind).collect::<Vec<&str>>()),
        Column::new("id".into(), trace.rows().iter().map(name).collect::<Vec<&str>>()),
        Column::new("l1_a".into(), column(|row| row.amps[0])),
        Column::new("l2_a".into(), column(|row| row.amps[1])),
        Column::new("l3_a".into(), column(|row| row.amps[2])),
        Column::new("setpoint_a".into(), optional(|row| row.setpoint_a)),
        Column::new("why".into(), trace.rows().iter().map(|row| row.why.map(Why::word)).collect::<Vec<Option<&str>>>()),
        Column::new("held_a".into(), optional(|row| row.held_a)),
    ];
    let mut frame = DataFrame::new(trace.rows().len(), columns).map_err(|fault| fault.to_string())?;
    let mut file = Vec::new();
    ParquetWriter::new(&mut file).finish(&mut frame).map_err(|fault| fault.to_string())?;
    Ok(file)
}
