//! What flowed when: a row whenever a board or a device changes.

use chrono::{DateTime, Utc};

use super::truth::Truth;
use crate::control::command::Why;
use crate::control::setup::Setup;

/// Changes smaller than this are not told, in A.
const RESOLUTION_A: f64 = 0.01;

/// What a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A board.
    Board,
    /// A device.
    Device,
}

/// A row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// ms since 1970.
    pub at_ms: i64,
    /// What kind of thing it is about.
    pub what: What,
    /// Which.
    pub index: usize,
    /// L1, L2, L3 in A: of the grid for a board, its own for a device.
    pub amps: [f64; 3],
    /// What a device was sent last, in A.
    pub setpoint_a: Option<f64>,
    /// What decided that.
    pub why: Option<Why>,
    /// What it holds, in A.
    pub held_a: Option<f64>,
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

    /// From an instant on, this is the truth; `setpoints` are those sent last, by device: A per phase, and what decided them.
    pub fn add(&mut self, at: DateTime<Utc>, truth: &Truth, setpoints: &[Option<(f64, Why)>]) {
        let at_ms = at.timestamp_millis();
        let round = |amps: f64| (amps / RESOLUTION_A).round() * RESOLUTION_A;
        for (index, node) in truth.nodes.iter().enumerate() {
            let amps = [0, 1, 2].map(|phase| round(node.total_a(phase)));
            let row = Row { at_ms, what: What::Board, index, amps, setpoint_a: None, why: None, held_a: None };
            note(&mut self.rows, &mut self.boards[index], row);
        }
        for (index, device) in truth.devices.iter().enumerate() {
            let (setpoint_a, why) = setpoints[index].map(|(amps, why)| (round(amps), why)).unzip();
            let (amps, held_a) = (device.drawn_a.map(round), device.holds_a.map(round));
            let row = Row { at_ms, what: What::Device, index, amps, setpoint_a, why, held_a };
            note(&mut self.rows, &mut self.devices[index], row);
        }
    }

    /// All rows, in the order of time.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }
}

impl Row {
    /// Everything in it, for those who compare runs.
    pub fn bytes(&self) -> [u8; 58] {
        let mut bytes = [0; 58];
        bytes[..8].copy_from_slice(&self.at_ms.to_le_bytes());
        bytes[8] = u8::from(self.what == What::Device);
        bytes[9..17].copy_from_slice(&(self.index as u64).to_le_bytes());
        let optional = [self.setpoint_a, self.held_a].map(|amps| amps.unwrap_or(f64::MAX));
        let amps = self.amps.into_iter().chain(optional);
        amps.zip(bytes[17..].chunks_exact_mut(8))
            .for_each(|(amps, place)| place.copy_from_slice(&amps.to_bits().to_le_bytes()));
        bytes[57] = self.why.map_or(u8::MAX, |why| why as u8);
        bytes
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
