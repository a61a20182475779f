//! From a scenario, its site and a seed to the days that the plant plays.

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::local::{self, TimeOfDay, next_day, previous_day};
use kwartier_data::series::Series;
use kwartier_data::site::Site;
use kwartier_data::site::rotation::Rotation;
use kwartier_engine::control::setup::{Kind, Setup};
use kwartier_engine::plant::population::Habit;
use kwartier_engine::plant::world::{Charger, Meter, Noise, Pv, Run, Stay, Store, World};

use kwartier_forecast::sessions::Place;

use super::inputs::{self, Grid, Inputs, QUARTER_S};
use super::scenario::{Pattern, Scenario, Sessions, Source, Times};
use super::visits::{self, Visits};
use super::{breaks, signals};
use crate::cli::failure::Failure;
use crate::cli::usable_site;

/// The longest scenario in h: a month.
const LONGEST_H: f64 = 31.0 * 24.0;

/// All that is played, and what planners may know of it.
#[derive(Debug, Clone)]
pub struct Days {
    /// The site.
    pub site: Site,
    /// The site as the fast loop sees it.
    pub setup: Setup,
    /// Times by the site's clock.
    pub times: Times,
    /// What the plant plays.
    pub world: World,
    /// Its series.
    pub inputs: Inputs,
    /// Who comes; [`World::stays`] are in the same order.
    pub visits: Visits,
    /// What kind of place it is, for forecasts of visits.
    pub place: Place,
    /// What the reader should know.
    pub notes: Vec<String>,
}

/// Everything of a scenario for a seed.
pub fn days(scenario: &Scenario, source: &Source, seed: u64) -> Result<Days, Failure> {
    let path = source.beside(&scenario.site);
    let site = usable_site(&path)?;
    let zone = local::zone(&site.time_zone)
        .map_err(|remedy| source.wrong("site", &site.time_zone, &format!("is no time zone; {remedy}")))?;
    let times =
        Times::beginning(zone, &scenario.start).map_err(|wrong| source.wrong("start", &scenario.start, &wrong))?;
    if times.start.timestamp().rem_euclid(QUARTER_S) != 0 {
        return Err(source.wrong("start", &scenario.start, "is within a quarter-hour; write the beginning of one"));
    }
    if !(scenario.hours >= 0.25 && scenario.hours <= LONGEST_H) {
        let wrong = "is not from a quarter of an hour to a month; write a number of hours, such as 24";
        return Err(source.wrong("hours", &scenario.hours.to_string(), wrong));
    }
    if scenario.history_days > 400 {
        let wrong = "is more than 400; give series from files for a longer past";
        return Err(source.wrong("history_days", &scenario.history_days.to_string(), wrong));
    }
    let end = times.start + super::scenario::seconds(3600.0 * scenario.hours);
    let setup = Setup::of(&site, zone, scenario.policy.control.clone());
    let grid = Grid::new(zone, times.start, end, scenario.history_days);
    let inputs = inputs::inputs(scenario, source, &site, grid, seed)?;
    let context = visits::Context { scenario, source, site: &site, setup: &setup, times, end };
    let visits = context.visits(seed)?;
    let mut world = World::empty(times.start, end);
    world.stays = visits.coming.iter().map(|visit| visit.stay.clone()).collect::<Vec<Stay>>();
    series(&mut world, source, &site, &setup, &inputs)?;
    world.chargers = chargers(scenario, source, &setup)?;
    world.meters = meters(scenario, source, &setup)?;
    world.stores = stores(&site, &setup);
    world.runs = runs(&site, &setup, times.start, end);
    world.faults = breaks::faults(scenario, source, &setup, (&site, &inputs), (times, end), seed)?;
    world.signals = signals::signals(scenario, source, &setup, times, end)?;
    let place = match scenario.sessions {
        Sessions::Generated { pattern: Pattern::Depot, .. }
        | Sessions::Observed { place: Habit::Depot, .. }
        | Sessions::Roster { .. } => Place::Depot,
        Sessions::Generated { pattern: Pattern::Home, .. } | Sessions::Observed { place: Habit::Home, .. } => {
            Place::Home
        }
        Sessions::Generated { pattern: Pattern::Workplace, .. }
        | Sessions::Observed { place: Habit::Workplace, .. } => Place::Workplace,
        _ => Place::Public,
    };
    let mut notes = Vec::new();
    if visits.turned_away > 0 {
        notes.push(format!("{} vehicles found no station free and went away again", visits.turned_away));
    }
    Ok(Days { site, setup, times, world, inputs, visits, place, notes })
}

/// The building and the sun by quarter-hours.
fn series(world: &mut World, source: &Source, site: &Site, setup: &Setup, inputs: &Inputs) -> Result<(), Failure> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a month of quarter-hours at most")]
    let steps = ((world.end - world.start).as_seconds_f64() / QUARTER_S as f64).ceil() as usize;
    let start = world.start;
    let means = |series: &Series, path: &str| {
        series.means(start, TimeDelta::seconds(QUARTER_S), steps).map_err(|missing| {
            let wrong = format!(
                "says nothing of {}; give a file that covers the scenario, from {} on",
                missing.slot.format("%Y-%m-%dT%H:%MZ"),
                start.format("%Y-%m-%dT%H:%MZ")
            );
            source.wrong(path, "", &wrong)
        })
    };
    world.step_s = 900;
    world.building_a = vec![std::array::from_fn(|_| Vec::new()); setup.nodes.len()];
    world.noise = vec![Noise::default(); setup.nodes.len()];
    for draw in &inputs.building {
        for phase in 0..3 {
            world.building_a[draw.node][phase] = means(&draw.phases_a[phase], "building")?;
        }
        world.noise[draw.node] = draw.noise;
    }
    for delivery in &inputs.pv {
        let plant = &site.pv[delivery.plant];
        let Some(node) = setup.node(&plant.board) else { continue };
        let phases =
            (0..3).filter(|&k| plant.phases.iter().any(|name| name == kwartier_data::PHASE_NAMES[k])).collect();
        let kw = means(&delivery.kw, "pv")?.into_iter().map(|kw| kw.max(0.0)).collect();
        world.pv.push(Pv { node, phases, kw, noise: delivery.noise });
    }
    if let Some(prices) = &inputs.prices {
        means(prices, "prices")?;
    }
    Ok(())
}

/// How each device behaves: what the scenario says, else as the site file says.
fn chargers(scenario: &Scenario, source: &Source, setup: &Setup) -> Result<Vec<Charger>, Failure> {
    let usual = |k: usize| Charger { keeps_fallback: setup.devices[k].keeps_fallback, ..Charger::default() };
    let mut all: Vec<Charger> = (0..setup.devices.len()).map(usual).collect();
    for (k, entry) in scenario.chargers.iter().enumerate() {
        let path = format!("chargers[{k}]");
        if entry.behaviour.true_phases.is_some() {
            let wrong = "says how stations are wired by numbers; write true_rotation beside behaviour, as in \"STR\"";
            return Err(source.wrong(&format!("{path}.behaviour.true_phases"), "", wrong));
        }
        let true_phases = match &entry.true_rotation {
            None => None,
            Some(text) => {
                Some(Rotation::parse(text).map(|rotation| rotation.phases().collect::<Vec<_>>()).map_err(|no| {
                    let (wrong, remedy) = no.says();
                    source.wrong(&format!("{path}.true_rotation"), text, &format!("{wrong}; {remedy}"))
                })?)
            }
        };
        let behaviour = Charger { true_phases, ..entry.behaviour.clone() };
        let named = devices(source, setup, &format!("{path}.stations"), &entry.stations, true)?;
        for device in named {
            all[device] = behaviour.clone();
        }
    }
    Ok(all)
}

fn meters(scenario: &Scenario, source: &Source, setup: &Setup) -> Result<Vec<Meter>, Failure> {
    let mut all = vec![Meter::default(); setup.nodes.len()];
    for (k, entry) in scenario.meters.iter().enumerate() {
        if entry.boards.is_empty() {
            all.fill(entry.behaviour);
        }
        for board in &entry.boards {
            all[node(source, setup, &format!("meters[{k}].boards"), board)?] = entry.behaviour;
        }
    }
    Ok(all)
}

/// Stationary batteries with what is in them.
pub fn stores(site: &Site, setup: &Setup) -> Vec<Store> {
    let store = |battery: &kwartier_data::site::Battery| {
        let device = setup.devices.iter().position(|d| d.kind == Kind::Battery && d.id == battery.id)?;
        Some(Store {
            device,
            soc_kwh: battery.soc_kwh.unwrap_or(battery.capacity_kwh / 2.0),
            range_kwh: [0.0, battery.capacity_kwh],
            efficiency: [battery.efficiency; 2],
        })
    };
    site.batteries.iter().filter_map(store).collect()
}

/// Each load runs at full power from the beginning of its window until it has what it needs.
pub fn runs(site: &Site, setup: &Setup, start: DateTime<Utc>, end: DateTime<Utc>) -> Vec<Run> {
    let zone = setup.zone;
    let mut runs = Vec::new();
    for load in &site.loads {
        let device = setup.devices.iter().position(|d| d.kind == Kind::Load && d.id == load.id);
        let (Some(device), Some(from)) = (device, TimeOfDay::parse(&load.from)) else { continue };
        let mut day = previous_day(local::day(zone, start));
        let last = local::day(zone, end);
        while day <= last {
            let begin = from.on(zone, day);
            day = next_day(day);
            let until = begin + super::scenario::seconds(3600.0 * load.need_kwh / load.max_kw.max(1e-3));
            if until > start && begin < end {
                let amps = setup.devices[device].max_a;
                runs.push(Run { device, from: begin.max(start), until: until.min(end), amps });
            }
        }
    }
    runs
}

/// The devices of some names; none named, all stations, or all devices.
pub fn devices(
    source: &Source,
    setup: &Setup,
    path: &str,
    names: &[String],
    stations: bool,
) -> Result<Vec<usize>, Failure> {
    if names.is_empty() {
        let all = (0..setup.devices.len()).filter(|&k| !stations || setup.devices[k].kind == Kind::Station);
        return Ok(all.collect());
    }
    names.iter().map(|name| device(source, setup, path, name)).collect()
}

/// The device of a name.
pub fn device(source: &Source, setup: &Setup, path: &str, name: &str) -> Result<usize, Failure> {
    let wrong = "is no device of the site; write the id of a station, load or battery of the site file";
    setup.device(name).ok_or_else(|| source.wrong(path, name, wrong))
}

/// The board of a name.
pub fn node(source: &Source, setup: &Setup, path: &str, name: &str) -> Result<usize, Failure> {
    let wrong = "is no board of the site; write the id of one of its boards";
    setup.node(name).ok_or_else(|| source.wrong(path, name, wrong))
}
