//! A site as an installer hands it over and an operator keeps it: boards, stations, meters, fallback values, tariff, PV,
//! batteries, loads, vehicles and their groups, what their stays are usually like. The file is TOML, described in `docs/formats/site.md`; over HTTP it is the
//! same content as JSON.
//!
//! The types here are the file's shape, with the defaults filled in; names are strings, nothing is checked beyond types.
//! `file::parse` reads the file, `check::check` tells everything an electrician would want to know of it.
//!
//! Conventions: currents in ampere RMS per phase, power in kW, energy in kWh, money in EUR; times of day are local to
//! [`Site::time_zone`], written `HH:MM`.

pub mod check;
pub mod file;
pub mod load;
pub mod rotation;
pub mod tariff;
pub mod template;
pub mod tree;

use serde::{Deserialize, Serialize};

pub use tariff::Tariff;
pub use template::Template;

/// Version of the site file.
pub const FORMAT: u32 = 1;

/// A site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// Version of the format, 1.
    pub format: u32,
    /// What people call the site.
    pub name: String,
    /// The zone of every local time in the file and in tables for this site, an IANA name such as `Europe/Amsterdam`.
    pub time_zone: String,
    /// Phase to neutral voltage in V.
    #[serde(default = "voltage_v")]
    pub voltage_v: f64,
    /// Latitude in degrees north, for sun and weather.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latitude_deg: Option<f64>,
    /// Longitude in degrees east.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longitude_deg: Option<f64>,
    /// Price area of the day-ahead market, one of [`AREAS`](crate::feeds::AREAS) such as `NL`; absent, no prices are fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_area: Option<String>,
    /// Active power ÷ apparent power of the building; turns its kW into amperes.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub building_power_factor: f64,
    /// What the contract with the grid operator allows.
    #[serde(default, skip_serializing_if = "Connection::is_empty")]
    pub connection: Connection,
    /// What energy costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tariff: Option<Tariff>,
    /// What vehicles are taken for where nothing else says it.
    #[serde(default)]
    pub vehicle_defaults: VehicleDefaults,
    /// Distribution boards; the one without a parent is the grid connection.
    pub boards: Vec<Board>,
    /// Charging stations.
    #[serde(default)]
    pub stations: Vec<Station>,
    /// Meters, and what each of them sees.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub meters: Vec<Meter>,
    /// Photovoltaic plants.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pv: Vec<PvPlant>,
    /// Stationary batteries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub batteries: Vec<Battery>,
    /// Flexible building loads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub loads: Vec<Load>,
    /// User groups and their priorities.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Group>,
    /// Known vehicles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vehicles: Vec<Vehicle>,
    /// What stays are usually like.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub templates: Vec<Template>,
}

impl Site {
    /// A site of boards and stations, of which nothing else is known.
    pub fn new(name: String, time_zone: String, boards: Vec<Board>, stations: Vec<Station>) -> Self {
        Site {
            format: FORMAT,
            name,
            time_zone,
            voltage_v: voltage_v(),
            latitude_deg: None,
            longitude_deg: None,
            price_area: None,
            building_power_factor: one(),
            connection: Connection::default(),
            tariff: None,
            vehicle_defaults: VehicleDefaults::default(),
            boards,
            stations,
            meters: Vec::new(),
            pv: Vec::new(),
            batteries: Vec::new(),
            loads: Vec::new(),
            groups: Vec::new(),
            vehicles: Vec::new(),
            templates: Vec::new(),
        }
    }
}

/// What the contract with the grid operator allows, on the average of a quarter-hour.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connection {
    /// Highest import in kW; absent, what the fuses let through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import_cap_kw: Option<f64>,
    /// Highest export in kW; absent, what the fuses let through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export_cap_kw: Option<f64>,
}

impl Connection {
    fn is_empty(&self) -> bool {
        *self == Connection::default()
    }
}

/// One number for all three phases, or one each.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PerPhase {
    /// The same on L1, L2 and L3.
    Same(f64),
    /// L1, L2, L3.
    Each([f64; 3]),
}

impl PerPhase {
    /// The values of L1, L2, L3.
    pub fn phases(self) -> [f64; 3] {
        match self {
            PerPhase::Same(value) => [value; 3],
            PerPhase::Each(values) => values,
        }
    }
}

/// A current that may depend on phase and hour of the local day, in A.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum HourlyByPhase {
    /// Always the same.
    Constant(PerPhase),
    /// 24 values a phase, from midnight on.
    Hourly {
        /// L1 by hour.
        l1: Vec<f64>,
        /// L2 by hour.
        l2: Vec<f64>,
        /// L3 by hour.
        l3: Vec<f64>,
    },
}

/// One number, or 24, one for each hour of the local day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Hourly {
    /// Always the same.
    Constant(f64),
    /// 24 values from midnight on.
    Hours(Vec<f64>),
}

impl Hourly {
    /// 24 numbers, as one where they are the same.
    #[expect(clippy::float_cmp, reason = "the same figure, or another")]
    pub fn of(by_hour: &[f64; 24]) -> Self {
        let same = by_hour.iter().all(|value| *value == by_hour[0]);
        if same { Hourly::Constant(by_hour[0]) } else { Hourly::Hours(by_hour.to_vec()) }
    }

    /// One for each hour of the local day; the highest stands for hours that are missing.
    pub fn by_hour(&self) -> [f64; 24] {
        match self {
            Hourly::Constant(value) => [*value; 24],
            Hourly::Hours(hours) => day(hours),
        }
    }
}

impl HourlyByPhase {
    /// L1, L2, L3, each by hour of the local day; the highest stands for hours that are missing.
    pub fn by_hour(&self) -> [[f64; 24]; 3] {
        match self {
            HourlyByPhase::Constant(value) => value.phases().map(|amps| [amps; 24]),
            HourlyByPhase::Hourly { l1, l2, l3 } => [l1, l2, l3].map(|hours| day(hours)),
        }
    }
}

/// 24 values; the highest stands for hours that are missing.
fn day(hours: &[f64]) -> [f64; 24] {
    let highest = hours.iter().copied().fold(0.0, f64::max);
    std::array::from_fn(|hour| hours.get(hour).copied().unwrap_or(highest))
}

/// A distribution board.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Board {
    /// Name.
    pub id: String,
    /// Name of the board that feeds it; absent for the grid connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Operating limit in A: fuse or cable after derating, in both directions.
    pub limit_a: PerPhase,
    /// Limit on the largest less the smallest phase current in A; absent, none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imbalance_limit_a: Option<f64>,
    /// The same in percent of the board's highest `limit_a`; where both are given, the lower one counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imbalance_limit_percent: Option<f64>,
    /// For how long a phase may be above its limit before anything is shed, in s: motors start. What is more than 1.6
    /// times the limit sheds at once.
    #[serde(default = "tolerance_s", skip_serializing_if = "is_tolerance_s")]
    pub tolerance_s: f64,
    /// The most that the building, without stations, PV, batteries and flexible loads, is credibly ever going to draw at
    /// this board itself (not at boards below it), in A. It counts whenever nothing is measured. Absent, unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub building_max_a: Option<HourlyByPhase>,
}

impl Board {
    /// A board of which only this is known.
    pub fn new(id: String, parent: Option<String>, limit_a: PerPhase) -> Self {
        Board {
            id,
            parent,
            limit_a,
            imbalance_limit_a: None,
            imbalance_limit_percent: None,
            tolerance_s: tolerance_s(),
            building_max_a: None,
        }
    }

    /// The lower of both imbalance limits in A; `None`, no limit.
    pub fn imbalance_a(&self) -> Option<f64> {
        let rating_a = self.limit_a.phases().into_iter().fold(0.0, f64::max);
        let by_percent = self.imbalance_limit_percent.map(|percent| percent / 100.0 * rating_a);
        [self.imbalance_limit_a, by_percent].into_iter().flatten().reduce(f64::min)
    }
}

/// A charging station.
#[expect(clippy::struct_excessive_bools, reason = "each stands for itself")]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Station {
    /// Name; OCPP's identity of the station.
    pub id: String,
    /// Name of its board.
    pub board: String,
    /// Make and model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Serial number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Which grid phase hangs on the station's own L1, L2, L3: letters R = L1, S = L2, T = L3, `x` where none does, as in
    /// OCPP's `ConnectorPhaseRotation` relative to the grid. Absent, unknown, and then nothing is planned for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<String>,
    /// Highest current per phase in A.
    pub max_a: f64,
    /// What it may draw when it hears nothing from us, in A per phase; 0 to stop. Absent, nothing is stored in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback_a: Option<Hourly>,
    /// What a vehicle here gets before anything is shared out, in A per phase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guaranteed_a: Option<f64>,
    /// Whether it takes setpoints. One that does not always counts with all it may draw.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub managed: bool,
    /// How long station and vehicle together may take to follow a setpoint, in s.
    #[serde(default = "reaction_s", skip_serializing_if = "is_reaction_s")]
    pub reaction_s: f64,
    /// Whether it still holds its fallback after it has lost power. One that does not may draw all it can then.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub keeps_fallback: bool,
    /// Whether it can charge on one phase a vehicle that could charge on three, and back.
    #[serde(default, skip_serializing_if = "is_no")]
    pub switches_phases: bool,
    /// Whether it can choose on which of its phases a vehicle charges that charges on one (OCPP 2.0.1: `phaseToUse`).
    #[serde(default, skip_serializing_if = "is_no")]
    pub chooses_phase: bool,
    /// Highest current per phase in A that it can feed in from a vehicle; absent, it cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_discharge_a: Option<f64>,
}

impl Station {
    /// A station of which only this is known; the rest as in a file that does not say more.
    pub fn new(id: String, board: String, max_a: f64) -> Self {
        Station {
            id,
            board,
            model: None,
            serial: None,
            rotation: None,
            max_a,
            fallback_a: None,
            guaranteed_a: None,
            managed: true,
            reaction_s: reaction_s(),
            keeps_fallback: true,
            switches_phases: false,
            chooses_phase: false,
            max_discharge_a: None,
        }
    }
}

/// Something a meter sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Included {
    /// What the building draws by itself.
    Building,
    /// Charging stations.
    Stations,
    /// Photovoltaic plants.
    Pv,
    /// Stationary batteries.
    Batteries,
    /// Flexible building loads.
    Loads,
}

/// A meter that measures the phases of a board.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meter {
    /// Name.
    pub id: String,
    /// The board whose supply it sits in.
    pub board: String,
    /// What of all that hangs below its board it sees; absent, everything.
    #[serde(default = "everything", skip_serializing_if = "is_everything")]
    pub includes: Vec<Included>,
}

/// A photovoltaic plant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PvPlant {
    /// Name.
    pub id: String,
    /// Name of its board.
    pub board: String,
    /// Grid phases it feeds; absent, all three.
    #[serde(default = "all_phases")]
    pub phases: Vec<String>,
    /// Peak power in kW.
    pub peak_kw: f64,
    /// Whether it may be turned down.
    #[serde(default)]
    pub curtailable: bool,
    /// Tilt in degrees from the horizontal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tilt_deg: Option<f64>,
    /// Direction it faces in degrees clockwise from north.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub azimuth_deg: Option<f64>,
}

/// A stationary battery, balanced over three phases.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Battery {
    /// Name.
    pub id: String,
    /// Name of its board.
    pub board: String,
    /// Usable capacity in kWh.
    pub capacity_kwh: f64,
    /// Highest charging power in kW.
    pub max_charge_kw: f64,
    /// Highest discharging power in kW.
    pub max_discharge_kw: f64,
    /// One-way efficiency, a fraction.
    #[serde(default = "battery_efficiency")]
    pub efficiency: f64,
    /// Wear in EUR per kWh discharged.
    #[serde(default)]
    pub wear_eur_kwh: f64,
    /// Energy at the start where nothing tells it, in kWh; absent, half of the capacity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soc_kwh: Option<f64>,
    /// Energy wanted at the end of a plan in kWh; absent, as much as at its start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_soc_kwh: Option<f64>,
}

/// A flexible building load (heat pump, boiler) with a daily window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// Name.
    pub id: String,
    /// Name of its board.
    pub board: String,
    /// Grid phases it draws from; absent, all three.
    #[serde(default = "all_phases")]
    pub phases: Vec<String>,
    /// Local time of day from which it may run; absent, midnight.
    #[serde(default = "midnight")]
    pub from: String,
    /// Local time of day at which it has to be done, the next day's where it is not after `from`; absent, midnight.
    #[serde(default = "midnight")]
    pub until: String,
    /// Lowest power other than 0, in kW.
    #[serde(default)]
    pub min_kw: f64,
    /// Highest power in kW.
    pub max_kw: f64,
    /// Energy wanted in each window in kWh.
    pub need_kwh: f64,
    /// What each kWh short is worth in EUR/kWh.
    #[serde(default = "shortfall_eur_kwh")]
    pub shortfall_eur_kwh: f64,
    /// Who goes first when it does not fit: the higher number.
    #[serde(default)]
    pub priority: u8,
}

/// A user group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Name.
    pub id: String,
    /// Who goes first when it does not fit: the higher number.
    #[serde(default)]
    pub priority: u8,
    /// What each kWh short is worth in EUR/kWh; absent, that of the vehicle defaults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shortfall_eur_kwh: Option<f64>,
    /// What a vehicle of the group gets before anything is shared out, in A per phase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guaranteed_a: Option<f64>,
}

/// What a vehicle is taken for where nothing else says it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VehicleDefaults {
    /// How many phases it uses: 1, 2 or 3.
    #[serde(default = "three")]
    pub phases: u8,
    /// Lowest current per phase other than 0, in A (IEC 61851-1: 6 A).
    #[serde(default = "min_a")]
    pub min_a: f64,
    /// Highest current per phase in A.
    #[serde(default = "vehicle_max_a")]
    pub max_a: f64,
    /// Energy into the battery ÷ energy at the charger, a fraction.
    #[serde(default = "vehicle_efficiency")]
    pub efficiency: f64,
    /// Battery capacity in kWh.
    #[serde(default = "vehicle_capacity_kwh")]
    pub capacity_kwh: f64,
    /// What each kWh short at departure is worth in EUR/kWh.
    #[serde(default = "shortfall_eur_kwh")]
    pub shortfall_eur_kwh: f64,
}

impl Default for VehicleDefaults {
    fn default() -> Self {
        VehicleDefaults {
            phases: three(),
            min_a: min_a(),
            max_a: vehicle_max_a(),
            efficiency: vehicle_efficiency(),
            capacity_kwh: vehicle_capacity_kwh(),
            shortfall_eur_kwh: shortfall_eur_kwh(),
        }
    }
}

/// A known vehicle: what differs from [`VehicleDefaults`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vehicle {
    /// Name; no plate, no driver.
    pub id: String,
    /// Name of its group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// How many phases it uses: 1, 2 or 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phases: Option<u8>,
    /// Lowest current per phase other than 0, in A.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_a: Option<f64>,
    /// Highest current per phase in A.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_a: Option<f64>,
    /// Energy into the battery ÷ energy at the charger, a fraction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub efficiency: Option<f64>,
    /// Battery capacity in kWh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity_kwh: Option<f64>,
    /// Discharge ability; absent, none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub v2g: Option<V2g>,
}

/// A vehicle's ability to discharge into the site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct V2g {
    /// Lowest discharge current per phase other than 0, in A.
    #[serde(default = "min_a")]
    pub min_a: f64,
    /// Highest discharge current per phase in A.
    pub max_a: f64,
    /// Energy at the charger ÷ energy out of the battery, a fraction.
    #[serde(default = "vehicle_efficiency")]
    pub efficiency: f64,
    /// Energy the battery never falls below in kWh.
    pub min_soc_kwh: f64,
    /// Wear in EUR per kWh at the charger.
    #[serde(default)]
    pub wear_eur_kwh: f64,
}

fn voltage_v() -> f64 {
    230.0
}

fn one() -> f64 {
    1.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
#[expect(clippy::float_cmp, reason = "the default itself, not a computed number")]
fn is_one(value: &f64) -> bool {
    *value == 1.0
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_yes(value: &bool) -> bool {
    *value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_no(value: &bool) -> bool {
    !*value
}

/// A motor has started after two seconds; fuses and cables bear much more for much longer (IEC 60269-1, IEC 60898-1).
fn tolerance_s() -> f64 {
    2.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
#[expect(clippy::float_cmp, reason = "the default itself, not a computed number")]
fn is_tolerance_s(value: &f64) -> bool {
    *value == tolerance_s()
}

/// A vehicle follows within 5 s (IEC 61851-1, table A.6); the rest is the station and the way there.
fn reaction_s() -> f64 {
    10.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
#[expect(clippy::float_cmp, reason = "the default itself, not a computed number")]
fn is_reaction_s(value: &f64) -> bool {
    *value == reaction_s()
}

fn three() -> u8 {
    3
}

fn min_a() -> f64 {
    6.0
}

fn vehicle_max_a() -> f64 {
    16.0
}

fn vehicle_efficiency() -> f64 {
    0.9
}

fn vehicle_capacity_kwh() -> f64 {
    60.0
}

fn shortfall_eur_kwh() -> f64 {
    1.0
}

fn battery_efficiency() -> f64 {
    0.95
}

fn midnight() -> String {
    "00:00".to_owned()
}

fn all_phases() -> Vec<String> {
    ["L1", "L2", "L3"].map(str::to_owned).to_vec()
}

fn everything() -> Vec<Included> {
    vec![Included::Building, Included::Stations, Included::Pv, Included::Batteries, Included::Loads]
}

fn is_everything(includes: &[Included]) -> bool {
    everything().iter().all(|what| includes.contains(what))
}
