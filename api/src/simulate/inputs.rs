//! Prices, building and sun of a scenario as series: from files, by the hour, or made up from the seed.

use std::path::Path;

use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use kwartier_data::history::History;
use kwartier_data::local;
use kwartier_data::series::{self, Quantity, Reading, Series, Unit};
use kwartier_data::site::Site;
use kwartier_engine::plant::world::Noise;
use kwartier_forecast::method::{Horizon, Method};
use kwartier_forecast::prior::{self, usual_building};

use super::dice::{Dice, Subject};
use super::scenario::{Building, Prices, Scenario, Source, Sun, Usage};
use crate::cli::failure::Failure;
use crate::cli::input;

/// A quarter of an hour in s: what everything is counted in.
pub const QUARTER_S: i64 = 900;

/// How long beyond the end everything is made up: as far as planners may look.
const BEYOND: TimeDelta = TimeDelta::hours(48);

/// Quarter-hours from before the scenario to after it.
#[derive(Debug, Clone, Copy)]
pub struct Grid {
    /// Beginning of the first.
    pub start: DateTime<Utc>,
    /// How many.
    pub steps: usize,
    /// The site's zone.
    pub zone: Tz,
}

impl Grid {
    /// For a scenario from one instant to another, with a past.
    pub fn new(zone: Tz, start: DateTime<Utc>, end: DateTime<Utc>, history_days: u32) -> Grid {
        let first = start - TimeDelta::days(i64::from(history_days));
        let steps = usize::try_from((end + BEYOND - first).num_seconds() / QUARTER_S).unwrap_or(0);
        Grid { start: first, steps, zone }
    }

    /// Beginning of a quarter-hour.
    pub fn at(&self, step: usize) -> DateTime<Utc> {
        self.start + TimeDelta::seconds(QUARTER_S) * i32::try_from(step).unwrap_or(i32::MAX)
    }

    fn series(&self, value: impl FnMut(usize) -> f64) -> Series {
        let values = (0..self.steps).map(value).map(Some).collect();
        Series { start: self.start, step: TimeDelta::seconds(QUARTER_S), values }
    }

    /// The hour of the local day of a quarter-hour.
    fn hour(&self, step: usize) -> usize {
        self.at(step).with_timezone(&self.zone).hour() as usize
    }

    /// The number of the local day of a quarter-hour since the grid's first one.
    fn day(&self, step: usize) -> usize {
        let first = local::day(self.zone, self.start);
        usize::try_from((local::day(self.zone, self.at(step)) - first).num_days()).unwrap_or(0)
    }

    fn days(&self) -> usize {
        self.day(self.steps.saturating_sub(1)) + 1
    }
}

/// What the building draws at a board itself.
#[derive(Debug, Clone)]
pub struct Draw {
    /// Index of the board.
    pub node: usize,
    /// Currents of L1, L2, L3 in A.
    pub phases_a: [Series; 3],
    /// How it wavers.
    pub noise: Noise,
}

/// What a plant delivers.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Index of the plant in the site file.
    pub plant: usize,
    /// Power in kW.
    pub kw: Series,
    /// How it wavers.
    pub noise: Noise,
}

/// All series of a scenario.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// Spot prices in EUR/kWh.
    pub prices: Option<Series>,
    /// The building, by board.
    pub building: Vec<Draw>,
    /// The plants.
    pub pv: Vec<Delivery>,
}

/// Reads and makes up all series of a scenario.
pub fn inputs(scenario: &Scenario, source: &Source, site: &Site, grid: Grid, seed: u64) -> Result<Inputs, Failure> {
    let prices = scenario.prices.as_ref().map(|prices| price(prices, source, grid, seed)).transpose()?;
    let mut building: Vec<Draw> = Vec::new();
    for (k, entry) in scenario.building.iter().enumerate() {
        let path = format!("building[{k}]");
        for draw in draws(entry, source, site, grid, (seed, k))? {
            if building.iter().any(|other| other.node == draw.node) {
                let board = &site.boards[draw.node].id;
                return Err(source.wrong(&path, board, "is said twice; leave one of the two out"));
            }
            building.push(draw);
        }
    }
    let mut pv: Vec<Delivery> = Vec::new();
    for (k, entry) in scenario.pv.iter().enumerate() {
        let path = format!("pv[{k}]");
        for delivery in deliveries(entry, source, site, grid, (seed, k))? {
            if pv.iter().any(|other| other.plant == delivery.plant) {
                let plant = &site.pv[delivery.plant].id;
                return Err(source.wrong(&path, plant, "is said twice; leave one of the two out"));
            }
            pv.push(delivery);
        }
    }
    Ok(Inputs { prices, building, pv })
}

fn zone(source: &Source, path: &str, name: Option<&String>) -> Result<Option<Tz>, Failure> {
    let read =
        |name: &String| local::zone(name).map_err(|remedy| source.wrong(path, name, &format!("is no zone; {remedy}")));
    name.map(read).transpose()
}

fn file<T>(
    source: &Source,
    path: &Path,
    kind: &'static str,
    read: impl FnOnce(&[u8]) -> Result<T, kwartier_data::Refusal>,
) -> Result<T, Failure> {
    input::parse(&source.beside(path), kind, read)
}

/// Cheap at night and at noon, dear in the morning and in the evening: by hour of the day, from -1 to 1.
const SHAPE: [f64; 24] = [
    -0.3, -0.4, -0.5, -0.5, -0.4, -0.1, 0.4, 0.8, 0.7, 0.2, -0.2, -0.5, -0.7, -0.8, -0.6, -0.2, 0.3, 0.8, 1.0, 0.9,
    0.6, 0.3, 0.1, -0.1,
];

fn price(prices: &Prices, source: &Source, grid: Grid, seed: u64) -> Result<Series, Failure> {
    match prices {
        Prices::File { path, column, unit, zone: name } => {
            let zone = zone(source, "prices.zone", name.as_ref())?;
            let unit = match unit {
                None => None,
                Some(name) => {
                    Some(Unit::parse(name).filter(|unit| unit.quantity == Quantity::Price).ok_or_else(|| {
                        source.wrong("prices.unit", name, "is no unit of prices; write EUR/MWh or EUR/kWh")
                    })?)
                }
            };
            let reading = Reading { zone, column: column.as_deref(), unit, ..Reading::default() };
            file(source, path, "price file", |bytes| series::read(bytes, Quantity::Price, &reading))
        }
        Prices::Hours { eur_kwh } => {
            if eur_kwh.len() != 24 {
                let wrong = format!("holds {} prices; write 24, one for each hour of the local day", eur_kwh.len());
                return Err(source.wrong("prices.eur_kwh", "", &wrong));
            }
            Ok(grid.series(|step| eur_kwh[grid.hour(step)]))
        }
        Prices::Generated { mean_eur_kwh, spread_eur_kwh } => {
            let mut dice = Dice::of(seed, Subject::Prices);
            let days: Vec<[f64; 2]> = (0..grid.days()).map(|_| [dice.normal(), dice.unit()]).collect();
            let hours = dice.wander(grid.days() * 25 + 25, 0.7);
            Ok(grid.series(|step| {
                let [level, spread] = days[grid.day(step)];
                let hour = usize::try_from((grid.at(step) - grid.start).num_hours()).unwrap_or(0);
                let shape =
                    SHAPE[grid.hour(step)] * (0.6 + 0.8 * spread) + 0.15 * hours.get(hour).copied().unwrap_or(0.0);
                mean_eur_kwh * (1.0 + 0.15 * level) + spread_eur_kwh * shape
            }))
        }
    }
}

fn draws(
    building: &Building,
    source: &Source,
    site: &Site,
    grid: Grid,
    (seed, k): (u64, usize),
) -> Result<Vec<Draw>, Failure> {
    let path = format!("building[{k}]");
    let node = |board: &str| {
        site.boards.iter().position(|known| known.id == board).ok_or_else(|| {
            source.wrong(&format!("{path}.board"), board, "is no board of the site; write the id of one of its boards")
        })
    };
    let a_per_kw = 1000.0 / (3.0 * site.voltage_v);
    match building {
        Building::File { path: file_path, zone: name, noise } => {
            let zone = zone(source, &format!("{path}.zone"), name.as_ref())?;
            let read = file(source, file_path, "building file", |bytes| series::read_building(bytes, zone))?;
            let root = site.boards.iter().position(|board| board.parent.is_none()).unwrap_or(0);
            match read {
                series::Building::Whole { phases_a, .. } => Ok(vec![Draw { node: root, phases_a, noise: *noise }]),
                series::Building::Total(kw) => {
                    let amps = kw.times(a_per_kw);
                    let phases_a = std::array::from_fn(|_| amps.clone());
                    Ok(vec![Draw { node: root, phases_a, noise: *noise }])
                }
                series::Building::Boards(boards) => boards
                    .into_iter()
                    .map(|draw| Ok(Draw { node: node(&draw.board)?, phases_a: draw.phases_a, noise: *noise }))
                    .collect(),
            }
        }
        Building::Hours { board, l1, l2, l3, noise } => {
            let phases = [l1, l2.as_ref().unwrap_or(l1), l3.as_ref().unwrap_or(l1)];
            if let Some(short) = phases.iter().find(|hours| hours.len() != 24) {
                let wrong = format!("holds {} currents; write 24, one for each hour of the local day", short.len());
                return Err(source.wrong(&path, "", &wrong));
            }
            let phases_a = phases.map(|hours| grid.series(|step| hours[grid.hour(step)]));
            Ok(vec![Draw { node: node(board)?, phases_a, noise: *noise }])
        }
        Building::Generated { board, usage, annual_kwh, unbalance, noise } => {
            let usual = usual_kw(*usage, *annual_kwh, grid);
            let mut dice = Dice::of(seed, Subject::Building(k));
            let days: Vec<f64> = (0..grid.days()).map(|_| 1.0 + 0.1 * dice.normal()).collect();
            let quarters = dice.wander(grid.steps, 0.9);
            let kw = |step: usize| (usual[step] * days[grid.day(step)] * (1.0 + 0.08 * quarters[step])).max(0.0);
            let share = [1.0 + unbalance, 1.0, 1.0 - unbalance];
            let phases_a = share.map(|share| grid.series(|step| kw(step) * a_per_kw * share));
            Ok(vec![Draw { node: node(board)?, phases_a, noise: *noise }])
        }
    }
}

/// What is usual in such a building, in kW by step.
fn usual_kw(usage: Usage, annual_kwh: f64, grid: Grid) -> Vec<f64> {
    let method: Box<dyn Method> = usual_building(prior::Building { usage: usage.into(), annual_kwh: Some(annual_kwh) });
    let unknown = Series { start: grid.start, step: TimeDelta::seconds(QUARTER_S), values: vec![None; grid.steps] };
    let history = History::new(unknown, grid.zone);
    let past = history.as_of(grid.at(grid.steps));
    let horizon = Horizon { start: grid.start, steps: grid.steps };
    let beliefs = method.fit(&past).map(|fitted| fitted.predict(&past, horizon)).unwrap_or_default();
    (0..grid.steps).map(|k| beliefs.get(k).copied().flatten().map_or(0.0, |belief| belief.mean)).collect()
}

fn deliveries(
    sun: &Sun,
    source: &Source,
    site: &Site,
    grid: Grid,
    (seed, k): (u64, usize),
) -> Result<Vec<Delivery>, Failure> {
    let path = format!("pv[{k}]");
    match sun {
        Sun::File { path: file_path, zone: name, noise } => {
            let zone = zone(source, &format!("{path}.zone"), name.as_ref())?;
            let powers = file(source, file_path, "PV file", |bytes| series::read_pv(bytes, &site.pv, zone))?;
            let plant = |power: series::PlantPower| {
                let plant = site.pv.iter().position(|plant| plant.id == power.plant)?;
                Some(Delivery { plant, kw: power.kw, noise: *noise })
            };
            Ok(powers.into_iter().filter_map(plant).collect())
        }
        Sun::Generated { plant: name, clearness, noise } => {
            let Some(plant) = site.pv.iter().position(|plant| plant.id == *name) else {
                let wrong = "is no plant of the site; write the id of one of its plants";
                return Err(source.wrong(&format!("{path}.plant"), name, wrong));
            };
            let (Some(latitude), Some(longitude)) = (site.latitude_deg, site.longitude_deg) else {
                let wrong = "needs to know where the site is; give latitude_deg and longitude_deg in the site file";
                return Err(source.wrong(&path, "", wrong));
            };
            let mut dice = Dice::of(seed, Subject::Sun(k));
            let days: Vec<f64> = (0..grid.days()).map(|_| 0.5 * dice.normal()).collect();
            let quarters = dice.wander(grid.steps, 0.9);
            let peak_kw = site.pv[plant].peak_kw;
            let kw = grid.series(|step| {
                let up = sun_up(grid.at(step) + TimeDelta::seconds(QUARTER_S / 2), latitude, longitude);
                let sky = (clearness + 0.25 * (days[grid.day(step)] + quarters[step])).clamp(0.05, 1.0);
                // The air takes more of a low sun; a plant gives at most about nine tenths of its peak.
                peak_kw * 0.9 * sky * up.max(0.0).powf(1.15)
            });
            Ok(vec![Delivery { plant, kw, noise: *noise }])
        }
    }
}

/// The sine of the sun's elevation, by its declination and hour angle; a degree or two off, which no scenario minds.
fn sun_up(at: DateTime<Utc>, latitude_deg: f64, longitude_deg: f64) -> f64 {
    let day = f64::from(at.ordinal0());
    let declination = -23.44_f64.to_radians() * (std::f64::consts::TAU * (day + 10.0) / 365.25).cos();
    let hour = f64::from(at.num_seconds_from_midnight()) / 3600.0 + longitude_deg / 15.0;
    let angle = std::f64::consts::TAU * (hour - 12.0) / 24.0;
    let latitude = latitude_deg.to_radians();
    latitude.sin() * declination.sin() + latitude.cos() * declination.cos() * angle.cos()
}
