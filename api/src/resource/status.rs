//! What a site looks like right now: what the page and the API show.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::session::Origin;
use super::setpoint::Setpoint;

/// A site right now.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SiteStatus {
    /// Its id.
    pub site: String,
    /// What people call it.
    pub name: String,
    /// When this was so.
    pub at: DateTime<Utc>,
    /// Counts the states of the site since the service started, from 1: it changed so often.
    pub setup: u64,
    /// Its boards.
    pub nodes: Vec<NodeStatus>,
    /// Its chargers, loads and batteries.
    pub chargers: Vec<ChargerStatus>,
    /// The plan in force.
    pub plan: Option<PlanStatus>,
    /// How the site is steered now.
    pub steering: Steering,
    /// What an operator should know now.
    pub alarms: Vec<Alarm>,
}

/// How a site is steered: the rungs of the ladder, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Steering {
    /// By a plan.
    Plan,
    /// Without a plan: what is free is shared out.
    Share,
    /// The fast loop failed this second: what was told before lapses to the fallback.
    Fallback,
}

/// A board right now.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct NodeStatus {
    /// Name.
    pub id: String,
    /// The board that feeds it.
    pub parent: Option<String>,
    /// Limit of L1, L2, L3 in A.
    pub limit_a: [f64; 3],
    /// What its meter shows on L1, L2, L3 in A; absent where it has none or is not believed.
    pub measured_a: Option<[f64; 3]>,
    /// What flows on L1, L2, L3 in A as far as it is known: measured, else what is seen below and taken for the building.
    pub drawn_a: [f64; 3],
    /// What is counted with on L1, L2, L3 in A: measured where a meter is believed, else the safe assumption.
    pub counted_a: [f64; 3],
    /// Whether its meter is believed; absent, it has none.
    pub meter_believed: Option<bool>,
}

/// A charger right now.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ChargerStatus {
    /// Name.
    pub id: String,
    /// Name of its board.
    pub node: String,
    /// Whether it can be reached.
    pub online: bool,
    /// What it draws on its own L1, L2, L3 in A.
    pub drawn_a: Option<[f64; 3]>,
    /// The last setpoint.
    pub setpoint: Option<Setpoint>,
    /// The session there.
    pub session: Option<SessionStatus>,
}

/// A session right now.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SessionStatus {
    /// Its id.
    pub id: String,
    /// Name of the vehicle.
    pub vehicle: Option<String>,
    /// What the vehicle belongs to.
    pub group: Option<String>,
    /// When the stay began; absent where nobody said it.
    pub arrival: Option<DateTime<Utc>>,
    /// When it leaves.
    pub departure: Option<DateTime<Utc>>,
    /// Energy wanted at the charger, in kWh.
    pub need_kwh: Option<f64>,
    /// Where the departure that is planned with is from.
    pub departure_from: Origin,
    /// Where the need that is planned with is from.
    pub need_from: Origin,
    /// When the plan takes it to leave, which is `departure` where somebody says it.
    pub planned_until: Option<DateTime<Utc>>,
    /// Energy got so far at the charger, in kWh.
    pub energy_kwh: f64,
    /// What it will have got at its departure by the plan, in kWh at the charger.
    pub expected_kwh: Option<f64>,
}

/// The plan in force.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PlanStatus {
    /// Its id.
    pub id: Uuid,
    /// When it was made.
    pub at: DateTime<Utc>,
    /// What it rests on: `fresh`, or what was missing and what stood for it.
    pub basis: Vec<String>,
    /// Beginning of its first slot.
    pub start: DateTime<Utc>,
    /// Length of a slot in minutes.
    pub slot_minutes: u32,
    /// Price of each slot in EUR/kWh.
    pub price_eur_kwh: Vec<f64>,
    /// Power of all chargers together in each slot, in kW.
    pub charging_kw: Vec<f64>,
    /// Its cost in EUR, and the proven bound below which no plan can be.
    pub cost_eur: f64,
    /// The bound in EUR.
    pub bound_eur: Option<f64>,
}

/// What an operator should know.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Alarm {
    /// Since when.
    pub since: DateTime<Utc>,
    /// What kind: `meter_lost`, `disobeys`, `holds_more`, `faulted`, `overload`, `asleep`, `no_plan`, `not_plugged_in`, …
    pub kind: String,
    /// What it is about: `node/HV`, `charger/Station 1`, `vehicle/Van 1`.
    pub about: String,
    /// In words.
    pub text: String,
}
