//! What flowed when: a row whenever a board or a device changes. It hashes to the same value in every run of the same
//! scenario and seed, and becomes a Parquet file.

use chrono::{DateTime, Utc};
use kwartier_engine::control::setup::Setup;
use kwartier_engine::plant::truth::Truth;
use polars::prelude::*;

/// Changes smaller than this are not told, in A.
const RESOLUTION_A: f64 = 0.01;

/// What a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Board,
    Device,
}

/// A row.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Row {
    at_ms: i64,
    what: What,
    index: usize,
    /// L1, L2, L3: of the grid for a board, its own for a device.
    amps: [f64; 3],
    setpoint_a: Option<f64>,
    held_a: Option<f64>,
}

/// All rows so far.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    rows: Vec<Row>,
    boards: Vec<Option<Row>>,
    devices: Vec<Option<Row>>,
}

impl Trace {
    /// No rows of a site.
    pub fn new(setup: &Setup) -> Trace {
        Trace { rows: Vec::new(), boards: vec![None; setup.nodes.len()], devices: vec![None; setup.devices.len()] }
    }

    /// From an instant on, this is the truth; `setpoints` are those sent last, by device.
    pub fn add(&mut self, at: DateTime<Utc>, truth: &Truth, setpoints: &[Option<f64>]) {
        let at_ms = at.timestamp_millis();
        let round = |amps: f64| (amps / RESOLUTION_A).round() * RESOLUTION_A;
        for (index, node) in truth.nodes.iter().enumerate() {
            let amps = [0, 1, 2].map(|phase| round(node.total_a(phase)));
            let row = Row { at_ms, what: What::Board, index, amps, setpoint_a: None, held_a: None };
            note(&mut self.rows, &mut self.boards[index], row);
        }
        for (index, device) in truth.devices.iter().enumerate() {
            let (setpoint_a, held_a) = (setpoints[index].map(round), device.holds_a.map(round));
            let amps = device.drawn_a.map(round);
            let row = Row { at_ms, what: What::Device, index, amps, setpoint_a, held_a };
            note(&mut self.rows, &mut self.devices[index], row);
        }
    }

    /// What all rows hash to.
    pub fn hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for row in &self.rows {
            hasher.update(&row.at_ms.to_le_bytes());
            hasher.update(&[u8::from(row.what == What::Device)]);
            hasher.update(&(row.index as u64).to_le_bytes());
            let optional = [row.setpoint_a, row.held_a].map(|amps| amps.unwrap_or(f64::MAX));
            for amps in row.amps.into_iter().chain(optional) {
                hasher.update(&amps.to_bits().to_le_bytes());
            }
        }
        hasher.finalize().to_hex().to_string()
    }

    /// The rows as a Parquet file: `time,what,id,l1_a,l2_a,l3_a,setpoint_a,held_a`.
    pub fn parquet(&self, setup: &Setup) -> Result<Vec<u8>, String> {
        let column = |value: fn(&Row) -> f64| self.rows.iter().map(value).collect::<Vec<f64>>();
        let optional = |value: fn(&Row) -> Option<f64>| self.rows.iter().map(value).collect::<Vec<Option<f64>>>();
        let name = |row: &Row| match row.what {
            What::Board => setup.nodes[row.index].id.as_str(),
            What::Device => setup.devices[row.index].id.as_str(),
        };
        let kind = |row: &Row| match row.what {
            What::Board => "board",
            What::Device => "device",
        };
        let times = self.rows.iter().map(|row| row.at_ms).collect::<Vec<i64>>();
        let times =
            Series::new("time".into(), times).cast(&DataType::Datetime(TimeUnit::Milliseconds, Some(TimeZone::UTC)));
        let columns = vec![
            times.map_err(|fault| fault.to_string())?.into(),
            Column::new("what".into(), self.rows.iter().map(kind).collect::<Vec<&str>>()),
            Column::new("id".into(), self.rows.iter().map(name).collect::<Vec<&str>>()),
            Column::new("l1_a".into(), column(|row| row.amps[0])),
            Column::new("l2_a".into(), column(|row| row.amps[1])),
            Column::new("l3_a".into(), column(|row| row.amps[2])),
            Column::new("setpoint_a".into(), optional(|row| row.setpoint_a)),
            Column::new("held_a".into(), optional(|row| row.held_a)),
        ];
        let mut frame = DataFrame::new(self.rows.len(), columns).map_err(|fault| fault.to_string())?;
        let mut file = Vec::new();
        ParquetWriter::new(&mut file).finish(&mut frame).map_err(|fault| fault.to_string())?;
        Ok(file)
    }
}

/// Takes in a row where it differs from the last one of the same thing.
fn note(rows: &mut Vec<Row>, last: &mut Option<Row>, row: Row) {
    let same = last.is_some_and(|last| Row { at_ms: row.at_ms, ..last } == row);
    if !same {
        *last = Some(row);
        rows.push(row);
    }
}
