//! A planning instance: everything a day-ahead plan depends on, checked and with every name resolved.
//!
//! [`Instance`] is what the engine plans. It is obtained from a file by [`parse`] (or from a wire value by
//! [`Instance::from_wire`]), which refuses anything the format forbids; code that holds an `Instance` need not check
//! again. The file format is `docs/formats/plan.md`; its JSON shape is [`wire::Instance`].
//!
//! Conventions: currents in ampere RMS per phase, signed (consumption positive); power in kW, energy in kWh, money in
//! EUR; efficiencies are fractions in (0, 1]; `voltage_v` is phase to neutral. A slot is `slot_minutes` long, slot 0
//! begins at `start`; windows are half open in slots, `[arrive, depart)`.

mod check;
pub mod wire;
mod write;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

pub use self::check::{MAX_BOARD_SLOTS, MAX_SLOTS, parse};
pub use crate::refusal::{Fault, Refusal};

/// Index of a grid phase: 0 = L1, 1 = L2, 2 = L3.
pub type PhaseIndex = usize;

/// Names of the grid phases, by [`PhaseIndex`].
pub const PHASE_NAMES: [&str; 3] = ["L1", "L2", "L3"];

/// A checked planning instance.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// Beginning of slot 0.
    pub start: DateTime<Utc>,
    /// What people call the site.
    pub name: Option<String>,
    /// Time zone of the site, for showing times; `None`, UTC.
    pub time_zone: Option<Tz>,
    /// Length of a slot in minutes.
    pub slot_minutes: u32,
    /// Number of slots.
    pub slots: usize,
    /// Phase to neutral voltage.
    pub voltage_v: f64,
    /// The tree of distribution boards, in the order of the file.
    pub nodes: Vec<Node>,
    /// What the buildings draw, summed by node: `base_load_a[node][phase][slot]` in A.
    pub base_load_a: Vec<[Vec<f64>; 3]>,
    /// Photovoltaic plants.
    pub pv: Vec<Pv>,
    /// The grid connection's prices and caps.
    pub grid: Grid,
    /// Charge points.
    pub chargers: Vec<Charger>,
    /// Vehicle stays.
    pub sessions: Vec<Session>,
    /// Stationary batteries.
    pub batteries: Vec<Battery>,
    /// Flexible building loads.
    pub loads: Vec<Load>,
}

/// A distribution board (or, with no parent, the grid connection).
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Name, unique among nodes.
    pub id: String,
    /// Index of the parent node; `None` for the grid connection.
    pub parent: Option<usize>,
    /// Operating limit of L1, L2, L3 in A, in both directions.
    pub limit_a: [f64; 3],
    /// Limit on the largest less the smallest signed phase current, in A.
    pub imbalance_limit_a: Option<f64>,
}

/// A photovoltaic plant, spread evenly over its phases.
#[derive(Debug, Clone, PartialEq)]
pub struct Pv {
    /// Name, unique among plants.
    pub id: String,
    /// Index of its node.
    pub node: usize,
    /// Grid phases it feeds, ascending and distinct.
    pub phases: Vec<PhaseIndex>,
    /// Forecast power per slot in kW.
    pub kw: Vec<f64>,
    /// Whether it may be turned down.
    pub curtailable: bool,
}

/// Prices and caps at the grid connection.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// Price of imported energy per slot, EUR/kWh.
    pub import_eur_kwh: Vec<f64>,
    /// Price paid for exported energy per slot, EUR/kWh.
    pub export_eur_kwh: Vec<f64>,
    /// Cap on the slot's average import in kW.
    pub import_cap_kw: Option<Vec<f64>>,
    /// Cap on the slot's average export in kW.
    pub export_cap_kw: Option<Vec<f64>>,
    /// Price per kW by which the highest slot-average import exceeds `peak_so_far_kw`, EUR/kW.
    pub peak_eur_kw: f64,
    /// Highest import of the billing period before this horizon, kW.
    pub peak_so_far_kw: f64,
    /// Active power of all base load per slot in kW; absent, it is amperes × voltage.
    pub base_kw: Option<Vec<f64>>,
    /// Carbon intensity of imported energy per slot, kg/kWh; for reports alone.
    pub co2_kg_kwh: Option<Vec<f64>>,
}

/// A charge point.
#[derive(Debug, Clone, PartialEq)]
pub struct Charger {
    /// Name, unique among chargers.
    pub id: String,
    /// Index of its node.
    pub node: usize,
    /// Grid phase behind the charger's own L1, L2, L3: a permutation of 0, 1, 2.
    pub phase_map: [PhaseIndex; 3],
    /// Highest current per phase in A.
    pub max_a: f64,
}

/// A vehicle's stay at a charger.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// Name, unique among sessions.
    pub id: String,
    /// Index of its charger.
    pub charger: usize,
    /// First slot of the stay.
    pub arrive: usize,
    /// First slot after the stay.
    pub depart: usize,
    /// How many of the charger's phases it uses: 1, 2 or 3.
    pub phases: usize,
    /// Lowest current per phase other than 0, in A.
    pub min_a: f64,
    /// Highest current per phase the vehicle takes, in A (the charger's own limit applies as well).
    pub max_a: f64,
    /// Energy into the battery ÷ energy at the charger.
    pub efficiency: f64,
    /// Battery capacity in kWh.
    pub capacity_kwh: f64,
    /// Energy in the battery on arrival in kWh.
    pub soc_kwh: f64,
    /// Energy to be added by departure in kWh.
    pub need_kwh: f64,
    /// What each kWh short costs, EUR/kWh.
    pub shortfall_eur_kwh: f64,
    /// Discharge ability.
    pub v2g: Option<V2g>,
}

/// A vehicle's ability to discharge into the site.
#[derive(Debug, Clone, PartialEq)]
pub struct V2g {
    /// Lowest discharge current per phase other than 0, in A.
    pub min_a: f64,
    /// Highest discharge current per phase in A (the charger's own limit applies as well).
    pub max_a: f64,
    /// Energy at the charger ÷ energy out of the battery.
    pub efficiency: f64,
    /// Energy the battery never falls below in kWh (or the energy on arrival, where that is lower).
    pub min_soc_kwh: f64,
    /// Wear per kWh drawn at the charger, EUR/kWh.
    pub wear_eur_kwh: f64,
}

/// A stationary battery, balanced over three phases.
#[derive(Debug, Clone, PartialEq)]
pub struct Battery {
    /// Name, unique among batteries.
    pub id: String,
    /// Index of its node.
    pub node: usize,
    /// Capacity in kWh.
    pub capacity_kwh: f64,
    /// Energy at the start in kWh.
    pub soc_kwh: f64,
    /// Energy wanted at the end in kWh.
    pub end_soc_kwh: f64,
    /// What each kWh below `end_soc_kwh` at the end costs, EUR/kWh.
    pub shortfall_eur_kwh: f64,
    /// Highest charging power in kW.
    pub max_charge_kw: f64,
    /// Highest discharging power in kW.
    pub max_discharge_kw: f64,
    /// One-way efficiency.
    pub efficiency: f64,
    /// Wear per kWh discharged, EUR/kWh.
    pub wear_eur_kwh: f64,
}

/// A flexible building load (heat pump, boiler): 0, or any power in `[min_kw, max_kw]`, within its window.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    /// Name, unique among loads.
    pub id: String,
    /// Index of its node.
    pub node: usize,
    /// Grid phases it draws from, ascending and distinct.
    pub phases: Vec<PhaseIndex>,
    /// First slot of its window.
    pub earliest: usize,
    /// First slot after its window.
    pub latest: usize,
    /// Lowest power other than 0, in kW.
    pub min_kw: f64,
    /// Highest power in kW.
    pub max_kw: f64,
    /// Energy wanted in kWh, or more.
    pub need_kwh: f64,
    /// What each kWh short costs, EUR/kWh.
    pub shortfall_eur_kwh: f64,
}

impl Instance {
    /// Length of a slot in hours.
    pub fn slot_h(&self) -> f64 {
        f64::from(self.slot_minutes) / 60.0
    }

    /// kW per ampere of one phase.
    pub fn kw_per_a(&self) -> f64 {
        self.voltage_v / 1000.0
    }

    /// Index of the grid connection.
    pub fn root(&self) -> usize {
        self.nodes.iter().position(|n| n.parent.is_none()).unwrap_or(0)
    }

    /// The node itself and its ancestors up to the grid connection.
    pub fn path(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(Some(node), |&n| self.nodes[n].parent)
    }

    /// Grid phases a session loads.
    pub fn session_phases(&self, session: &Session) -> &[PhaseIndex] {
        &self.chargers[session.charger].phase_map[..session.phases]
    }

    /// Highest charging current per phase of a session in A: the lower of vehicle and charger.
    pub fn session_max_a(&self, session: &Session) -> f64 {
        session.max_a.min(self.chargers[session.charger].max_a)
    }

    /// Active power of base load less the PV that cannot be turned down, per slot in kW: from `grid.base_kw` where
    /// given, else from the currents.
    pub fn fixed_kw(&self, slot: usize) -> f64 {
        let load_kw = match &self.grid.base_kw {
            Some(base) => base[slot],
            None => self.kw_per_a() * self.base_load_a.iter().flatten().map(|series| series[slot]).sum::<f64>(),
        };
        load_kw - self.pv.iter().filter(|v| !v.curtailable).map(|v| v.kw[slot]).sum::<f64>()
    }
}
