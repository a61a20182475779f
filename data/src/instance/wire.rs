//! The JSON shape of an instance, field for field; nothing in it is checked beyond its types.
//!
//! Times are indices of slots, names are strings, arrays over time have one number per slot. What the fields mean, and
//! what is required of them, stands at the types of the same names in [`super`]; the units are those of the names.
//! A field the format does not know is refused.

use serde::{Deserialize, Deserializer, Serialize};

use crate::json;

/// A planning instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instance {
    /// Version of the format, 1.
    pub format: u64,
    /// Beginning of slot 0, RFC 3339.
    pub start: String,
    /// What people call the site; absent or null, it has no name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Time zone of the site, an IANA name; absent or null, UTC. For showing times and nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Length of a slot in minutes.
    pub slot_minutes: u64,
    /// Number of slots.
    pub slots: u64,
    /// Phase to neutral voltage in V.
    pub voltage_v: f64,
    /// Distribution boards.
    #[serde(deserialize_with = "json::objects")]
    pub nodes: Vec<Node>,
    /// What the buildings draw; absent, nothing.
    #[serde(default, deserialize_with = "json::objects")]
    pub base_load_a: Vec<BaseLoad>,
    /// Photovoltaic plants; absent, none.
    #[serde(default, deserialize_with = "json::objects")]
    pub pv: Vec<Pv>,
    /// The grid connection's prices and caps.
    #[serde(deserialize_with = "json::object")]
    pub grid: Grid,
    /// Charge points.
    #[serde(deserialize_with = "json::objects")]
    pub chargers: Vec<Charger>,
    /// Vehicle stays.
    #[serde(deserialize_with = "json::objects")]
    pub sessions: Vec<Session>,
    /// Stationary batteries; absent, none.
    #[serde(default, deserialize_with = "json::objects")]
    pub batteries: Vec<Battery>,
    /// Flexible building loads; absent, none.
    #[serde(default, deserialize_with = "json::objects")]
    pub loads: Vec<Load>,
}

/// A distribution board.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Name.
    pub id: String,
    /// Name of the parent; `null` (which must be written) for the grid connection.
    #[serde(deserialize_with = "written")]
    pub parent: Option<String>,
    /// Operating limits of L1, L2, L3 in A.
    pub limit_a: Vec<f64>,
    /// Limit on the spread of the phase currents in A; absent or null, none.
    pub imbalance_limit_a: Option<f64>,
}

/// What a building draws at one board, in A per phase and slot. Entries for the same board add up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaseLoad {
    /// Name of the board.
    pub node: String,
    /// Current of L1 in A.
    pub l1: Vec<f64>,
    /// Current of L2 in A.
    pub l2: Vec<f64>,
    /// Current of L3 in A.
    pub l3: Vec<f64>,
}

/// A photovoltaic plant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pv {
    /// Name.
    pub id: String,
    /// Name of its board.
    pub node: String,
    /// Names of the grid phases it feeds.
    pub phases: Vec<String>,
    /// Forecast power in kW.
    pub kw: Vec<f64>,
    /// Whether it may be turned down.
    pub curtailable: bool,
}

/// Prices and caps at the grid connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grid {
    /// Price of imported energy in EUR/kWh.
    pub import_eur_kwh: Vec<f64>,
    /// Price paid for exported energy in EUR/kWh.
    pub export_eur_kwh: Vec<f64>,
    /// Cap on the import in kW; absent or null, none.
    pub import_cap_kw: Option<Vec<f64>>,
    /// Cap on the export in kW; absent or null, none.
    pub export_cap_kw: Option<Vec<f64>>,
    /// Price of a higher import peak in EUR/kW.
    pub peak_eur_kw: f64,
    /// Highest import so far in kW.
    pub peak_so_far_kw: f64,
    /// Active power of all base load in kW; absent or null, amperes × voltage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_kw: Option<Vec<f64>>,
    /// Carbon intensity of imported energy in kg/kWh; absent or null, unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub co2_kg_kwh: Option<Vec<f64>>,
}

/// A charge point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Charger {
    /// Name.
    pub id: String,
    /// Name of its board.
    pub node: String,
    /// Names of the grid phases behind the charger's own L1, L2, L3.
    pub phase_map: Vec<String>,
    /// Highest current per phase in A.
    pub max_a: f64,
}

/// A vehicle's stay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// Name.
    pub id: String,
    /// Name of its charger.
    pub charger: String,
    /// First slot of the stay.
    pub arrive: u64,
    /// First slot after the stay.
    pub depart: u64,
    /// How many of the charger's phases it uses.
    pub phases: u64,
    /// Lowest charging current per phase other than 0, in A.
    pub min_a: f64,
    /// Highest charging current per phase in A.
    pub max_a: f64,
    /// Energy into the battery ÷ energy at the charger, a fraction.
    pub efficiency: f64,
    /// Battery capacity in kWh.
    pub capacity_kwh: f64,
    /// Energy in the battery on arrival in kWh.
    pub soc_kwh: f64,
    /// Energy to be added in kWh.
    pub need_kwh: f64,
    /// Price of each kWh short in EUR/kWh.
    pub shortfall_eur_kwh: f64,
    /// Discharge ability; absent or null, none.
    #[serde(default, deserialize_with = "json::object_or_null", skip_serializing_if = "Option::is_none")]
    pub v2g: Option<V2g>,
}

/// A vehicle's ability to discharge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct V2g {
    /// Lowest discharging current per phase other than 0, in A.
    pub min_a: f64,
    /// Highest discharging current per phase in A.
    pub max_a: f64,
    /// Energy at the charger ÷ energy out of the battery, a fraction.
    pub efficiency: f64,
    /// Energy to stay above in kWh.
    pub min_soc_kwh: f64,
    /// Wear in EUR per kWh at the charger.
    pub wear_eur_kwh: f64,
}

impl From<&crate::site::V2g> for V2g {
    fn from(known: &crate::site::V2g) -> V2g {
        V2g {
            min_a: known.min_a,
            max_a: known.max_a,
            efficiency: known.efficiency,
            min_soc_kwh: known.min_soc_kwh,
            wear_eur_kwh: known.wear_eur_kwh,
        }
    }
}

/// A stationary battery.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Battery {
    /// Name.
    pub id: String,
    /// Name of its board.
    pub node: String,
    /// Capacity in kWh.
    pub capacity_kwh: f64,
    /// Energy at the start in kWh.
    pub soc_kwh: f64,
    /// Energy wanted at the end in kWh.
    pub end_soc_kwh: f64,
    /// Price of each kWh short at the end in EUR/kWh; absent, 1.
    #[serde(default = "battery_shortfall_eur_kwh")]
    pub shortfall_eur_kwh: f64,
    /// Highest charging power in kW.
    pub max_charge_kw: f64,
    /// Highest discharging power in kW.
    pub max_discharge_kw: f64,
    /// One-way efficiency, a fraction.
    pub efficiency: f64,
    /// Wear in EUR per kWh discharged.
    pub wear_eur_kwh: f64,
}

/// A flexible building load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// Name.
    pub id: String,
    /// Name of its board.
    pub node: String,
    /// Names of the grid phases it draws from.
    pub phases: Vec<String>,
    /// First slot of its window.
    pub earliest: u64,
    /// First slot after its window.
    pub latest: u64,
    /// Lowest power other than 0, in kW.
    pub min_kw: f64,
    /// Highest power in kW.
    pub max_kw: f64,
    /// Energy wanted in kWh.
    pub need_kwh: f64,
    /// Price of each kWh short in EUR/kWh.
    pub shortfall_eur_kwh: f64,
}

/// The price of a stationary battery's missing energy where the file gives none, EUR/kWh.
fn battery_shortfall_eur_kwh() -> f64 {
    1.0
}

/// Reads a field that may be null and may not be absent: with a function of its own, serde does not supply `None`.
fn written<'de, D: Deserializer<'de>>(field: D) -> Result<Option<String>, D::Error> {
    Option::deserialize(field)
}
