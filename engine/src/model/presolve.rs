//! What can never run because some board on its way to the grid cannot carry it, whatever else is done.
//!
//! A charge point whose board has less than its 6 A to spare, even with every plant, battery and discharging vehicle
//! below that board at full power, stays off. Saying so up front closes most of the difference between the problem and
//! its linear relaxation on days when a building fills its own fuse.

use super::Model;

/// Headroom below this is rounding, in the unit's quantity.
const NOTHING: f64 = 1e-7;

/// Lowers the highest quantities of all units to what their boards and the connection can carry.
pub(super) fn strike_out(model: &mut Model) {
    // What is struck out in one round may deliver no longer in the next; two rounds find nearly all.
    for _ in 0..2 {
        let relief = Relief::of(model);
        for unit in &mut model.units {
            for k in 0..unit.up_max.len() {
                let (up, down) = relief.headroom(&model.boards, &model.connection, unit, k);
                unit.up_max[k] = clip(unit.up_min, unit.up_max[k], up);
                if unit.has_down() {
                    unit.down_max[k] = clip(unit.down_min, unit.down_max[k], down);
                }
            }
        }
    }
}

fn clip(min: f64, max: f64, headroom: f64) -> f64 {
    let max = max.min(headroom);
    if max < NOTHING || max < min - NOTHING { 0.0 } else { max.max(min) }
}

/// The lowest and highest flexible current of each phase of each board, were every unit to help, and the same for the
/// power at the connection.
pub struct Relief {
    low_a: Vec<f64>,
    high_a: Vec<f64>,
    low_kw: Vec<f64>,
    high_kw: Vec<f64>,
}

use super::boards::Boards;
use super::connection::Connection;
use super::unit::Unit;

/// Lowest and highest signed quantity of a unit, consumption positive.
fn range(unit: &Unit, k: usize) -> (f64, f64) {
    let (up, down) = (unit.up_max[k], unit.down_at(k));
    if unit.kw < 0.0 { (-up, down) } else { (-down, up) }
}

impl Relief {
    /// What the units of a model can do for each other.
    pub fn of(model: &Model) -> Self {
        let boards = &model.boards;
        let size = boards.high_a.len();
        let mut relief = Self {
            low_a: vec![0.0; size],
            high_a: vec![0.0; size],
            low_kw: vec![0.0; model.slots],
            high_kw: vec![0.0; model.slots],
        };
        for unit in &model.units {
            for k in 0..unit.len() {
                let (low, high) = range(unit, k);
                let slot = unit.from + k;
                relief.low_kw[slot] += low * unit.kw.abs();
                relief.high_kw[slot] += high * unit.kw.abs();
                for phase in (0..3).filter(|&p| unit.phases[p]) {
                    let i = boards.at(unit.node, phase, slot);
                    relief.low_a[i] += low * unit.amperes.abs();
                    relief.high_a[i] += high * unit.amperes.abs();
                }
            }
        }
        boards.carry_up(&mut relief.low_a);
        boards.carry_up(&mut relief.high_a);
        relief
    }

    /// Highest quantity of a unit up and down when all others do what helps most.
    fn headroom(&self, boards: &Boards, connection: &Connection, unit: &Unit, k: usize) -> (f64, f64) {
        let (low, high) = range(unit, k);
        let slot = unit.from + k;
        let (per_a, per_kw) = (unit.amperes.abs(), unit.kw.abs());
        let fixed_kw = connection.fixed_kw[slot];
        // More consumption, more delivery.
        let mut more = (connection.high_kw[slot] - fixed_kw - (self.low_kw[slot] - low * per_kw)) / per_kw;
        let mut less = (self.high_kw[slot] - high * per_kw - (connection.low_kw[slot] - fixed_kw)) / per_kw;
        for node in boards.path(unit.node) {
            for phase in (0..3).filter(|&p| unit.phases[p]) {
                let i = boards.at(node, phase, slot);
                more = more.min((boards.high_a[i] - (self.low_a[i] - low * per_a)) / per_a);
                less = less.min((self.high_a[i] - high * per_a - boards.low_a[i]) / per_a);
            }
        }
        if unit.kw < 0.0 { (less, more) } else { (more, less) }
    }

    /// The phase of a board that leaves a unit least when it consumes in a slot of its window and all others do what helps
    /// most; none where the cap on import leaves it less than any board.
    pub fn narrowest(&self, model: &Model, unit: &Unit, k: usize) -> Option<(usize, usize)> {
        let (low, _) = range(unit, k);
        let slot = unit.from + k;
        let boards = &model.boards;
        let connection = &model.connection;
        let cap = (connection.high_kw[slot] - connection.fixed_kw[slot] - self.low_kw[slot]) / unit.kw.abs() + low;
        let mut least = (cap, None);
        for node in boards.path(unit.node) {
            for phase in (0..3).filter(|&p| unit.phases[p]) {
                let i = boards.at(node, phase, slot);
                let room = (boards.high_a[i] - self.low_a[i]) / unit.amperes.abs() + low;
                if room < least.0 {
                    least = (room, Some((node, phase)));
                }
            }
        }
        least.1
    }
}
