//! The planning problem as the solvers see it: numbers and indices, one physical thing a file.
//!
//! | file | describes |
//! |---|---|
//! | `boards.rs` | the tree of boards: what each phase may still carry, and how far phases may differ |
//! | `connection.rs` | the meter: prices, caps, peak |
//! | `unit.rs` | everything flexible, as one kind of thing: a vehicle, a battery, a plant, a load |
//! | `presolve.rs` | what can never run because its board cannot carry it |
//!
//! `docs/model.md` states the same in mathematics and names the symbols.

pub mod boards;
pub mod connection;
mod presolve;
pub mod unit;

use kwartier_data::instance::Instance;

use self::boards::Boards;
use self::connection::Connection;
pub use self::presolve::Relief;
use self::unit::Unit;

/// A planning problem.
#[derive(Debug, Clone)]
pub struct Model {
    /// Number of slots.
    pub slots: usize,
    /// Length of a slot in hours.
    pub slot_h: f64,
    /// Everything flexible: sessions, batteries, curtailable plants, loads, in this order, each in the order of the instance.
    pub units: Vec<Unit>,
    /// The tree of boards.
    pub boards: Boards,
    /// The meter.
    pub connection: Connection,
    /// What no plan can avoid, in EUR: the shortfall of needs above what a battery has room for.
    pub constant_eur: f64,
}

impl Model {
    /// States an instance as numbers and strikes out what can never run.
    pub fn of(instance: &Instance) -> Self {
        let mut model = Self::stated(instance);
        presolve::strike_out(&mut model);
        model
    }

    /// States an instance as numbers, with what each unit could do were there no limits on boards and connection.
    pub fn stated(instance: &Instance) -> Self {
        let mut constant_eur = 0.0;
        let units = unit::all(instance, &mut constant_eur);
        let boards = Boards::of(instance);
        let connection = Connection::of(instance);
        Self { slots: instance.slots, slot_h: instance.slot_h(), units, boards, connection, constant_eur }
    }

    /// Whether net import and net export can both pay in one slot unless forbidden: where feed-in is priced above import.
    pub fn feed_in_pays(&self, slot: usize) -> bool {
        self.connection.export_eur_kwh[slot] > self.connection.import_eur_kwh[slot]
    }
}
