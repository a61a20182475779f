//! A plan: what every flexible thing does in every slot, what it costs, and how far from the optimum it can be.
//!
//! The file format is `docs/formats/plan.md`. Fields beyond the format's own are additions of ours and may be absent in
//! plans from elsewhere; unknown fields are ignored on reading, because more are welcome.

use serde::{Deserialize, Serialize};

use crate::json::{self, Part};
use crate::refusal::Refusal;

/// Version of the file format.
pub const FORMAT: u32 = 1;

/// The parts in which a misshapen file is searched for further faults.
const PARTS: [Part; 4] = [
    Part::list::<SessionPlan>("sessions", "session"),
    Part::list::<BatteryPlan>("batteries", "battery"),
    Part::list::<PvPlan>("pv", "pv"),
    Part::list::<LoadPlan>("loads", "load"),
];

/// Reads a plan from a file's bytes. Whether it fits an instance is not asked here.
///
/// # Errors
///
/// [`Refusal`] when the bytes are no JSON, are not of the plan's shape, or state a format other than 1.
pub fn parse(bytes: &[u8]) -> Result<Plan, Refusal> {
    let plan: Plan = json::read(bytes, &PARTS)?;
    if plan.format == FORMAT { Ok(plan) } else { Err(json::unknown_format(&plan.format.to_string()).into()) }
}

/// A day-ahead plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Format version, 1.
    pub format: u32,
    /// Whether optimality (within the gap asked for) was proven.
    pub status: Status,
    /// What the plan costs in EUR.
    pub objective_eur: f64,
    /// A proven lower bound on what any plan costs, in EUR.
    pub bound_eur: f64,
    /// Seconds spent solving, with the data in memory.
    #[serde(default)]
    pub solve_seconds: f64,
    /// (objective − bound) ÷ flexible cost, as a fraction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<f64>,
    /// What made the plan and why it stopped.
    #[serde(default, deserialize_with = "json::object_or_null", skip_serializing_if = "Option::is_none")]
    pub made: Option<Made>,
    /// One entry for each session of the instance.
    #[serde(deserialize_with = "json::objects")]
    pub sessions: Vec<SessionPlan>,
    /// One entry for each battery.
    #[serde(deserialize_with = "json::objects")]
    pub batteries: Vec<BatteryPlan>,
    /// One entry for each PV plant.
    #[serde(deserialize_with = "json::objects")]
    pub pv: Vec<PvPlan>,
    /// One entry for each flexible load.
    #[serde(deserialize_with = "json::objects")]
    pub loads: Vec<LoadPlan>,
    /// Shadow prices: they prove a bound, and are the head start of the next plan.
    #[serde(default, deserialize_with = "json::object_or_null", skip_serializing_if = "Option::is_none")]
    pub prices: Option<Prices>,
}

/// How sure the plan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The gap asked for is proven.
    Optimal,
    /// Every limit holds; the gap asked for is not proven.
    Feasible,
}

/// Where a plan comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Made {
    /// Beginning of slot 0 (RFC 3339, UTC), so that a later instance can align this plan with itself.
    pub start: String,
    /// Length of a slot in minutes.
    pub slot_minutes: u32,
    /// The method that produced the plan: `decomposition`, `exact`, `previous` or `rule`.
    pub method: String,
    /// Why it stopped: `gap`, `exhausted`, `time_limit` or `cancelled`.
    pub ended: String,
    /// What proves the bound.
    #[serde(default)]
    pub bound_by: BoundBy,
    /// What went wrong on the way, if anything: a rung of the ladder each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
}

/// What proves a bound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BoundBy {
    /// The plan's prices, by weak duality.
    #[default]
    Prices,
    /// Branching on the direction of the meter, with prices of its own in each branch.
    Branching,
    /// The exact model's solver.
    Exact,
}

/// What a vehicle does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionPlan {
    /// The session's name.
    pub id: String,
    /// Charging current per phase and slot in A.
    #[serde(default)]
    pub charge_a: Vec<f64>,
    /// Discharging current per phase and slot in A.
    #[serde(default)]
    pub discharge_a: Vec<f64>,
    /// Energy short of its need at departure in kWh.
    #[serde(default)]
    pub shortfall_kwh: f64,
}

/// What a battery does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BatteryPlan {
    /// The battery's name.
    pub id: String,
    /// Charging power per slot in kW.
    #[serde(default)]
    pub charge_kw: Vec<f64>,
    /// Discharging power per slot in kW.
    #[serde(default)]
    pub discharge_kw: Vec<f64>,
}

/// What a PV plant delivers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PvPlan {
    /// The plant's name.
    pub id: String,
    /// Power used per slot in kW.
    #[serde(default)]
    pub used_kw: Vec<f64>,
}

/// What a flexible load does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadPlan {
    /// The load's name.
    pub id: String,
    /// Power per slot in kW.
    #[serde(default)]
    pub kw: Vec<f64>,
    /// Energy short of its need in kWh.
    #[serde(default)]
    pub shortfall_kwh: f64,
}

/// Shadow prices of everything the vehicles share. With these, a bound can be checked vehicle by vehicle: the stated one, or a
/// lower one where branching or the exact model raised it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Prices {
    /// What one more kWh at the grid connection is worth, per slot, EUR/kWh.
    pub energy_eur_kwh: Vec<f64>,
    /// What one more kW of import peak is worth, per slot, EUR/kW. They add up to the peak price, or to more where the cap
    /// on import keeps the peak from rising.
    pub peak_eur_kw: Vec<f64>,
    /// What one more ampere is worth at the boards that bind; all others are 0.
    #[serde(deserialize_with = "json::objects")]
    pub boards: Vec<BoardPrice>,
}

/// The price of one more ampere at one limit in one slot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BoardPrice {
    /// The board's name.
    pub node: String,
    /// Which limit binds.
    pub limit: BoardLimit,
    /// The slot.
    pub slot: usize,
    /// EUR per ampere in this slot: positive when the limit binds upward, negative when downward.
    pub eur_a: f64,
}

/// A limit of a board.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum BoardLimit {
    /// The current of L1.
    L1,
    /// The current of L2.
    L2,
    /// The current of L3.
    L3,
    /// The difference of L1 and L2.
    #[serde(rename = "L1-L2")]
    L1L2,
    /// The difference of L2 and L3.
    #[serde(rename = "L2-L3")]
    L2L3,
    /// The difference of L3 and L1.
    #[serde(rename = "L3-L1")]
    L3L1,
}
