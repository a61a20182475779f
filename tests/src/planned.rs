//! Random depots as files for `kwartier simulate`: the sites and faults of [`depots`](crate::depots), with prices, sun,
//! batteries and visits beside them, played by the program itself with planner and forecasts.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use chrono::{DateTime, SecondsFormat, TimeDelta, Timelike, Utc};
use kwartier_data::site::file;
use kwartier_data::site::tariff::{Component, Direction, Price, Tariff};
use kwartier_data::site::{Battery, Site};
use kwartier_engine::control::event::{Action, Emergency, Event, Limit, Scope};
use kwartier_engine::control::settings::Settings;
use kwartier_engine::control::setup::Setup;
use kwartier_engine::plant::world::{Fault, What, World};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};

use crate::depots;

/// A random depot and its day, as files.
#[derive(Debug)]
pub struct Planned {
    /// The site file.
    pub site: String,
    /// The scenario, which names it `site.toml`.
    pub scenario: String,
    /// What breaks, as in the scenario.
    pub faults: Vec<Fault>,
}

/// What became of a day.
#[derive(Debug)]
pub struct Day {
    /// `summary.json`.
    pub summary: Value,
    /// Limits that were broken, and energy that does not add up, beyond what [`depots::lapses`] allows.
    pub found: Vec<Value>,
}

impl Day {
    /// Energy that vehicles got, in kWh.
    pub fn energy_kwh(&self) -> f64 {
        self.summary["vehicles"]["got_kwh"].as_f64().unwrap_or(0.0)
    }

    /// Plans made, and those that failed.
    pub fn plans(&self) -> (u64, u64) {
        let count = |k: usize| self.summary["plans"][k].as_u64().unwrap_or(0);
        (count(0), count(1))
    }
}

/// First days: some without a winter or summer of their own, two on which the clocks change.
const STARTS: [&str; 6] = [
    "2026-01-14T11:00:00Z",
    "2026-04-16T16:00:00Z",
    "2026-06-19T04:00:00Z",
    "2026-09-07T22:00:00Z",
    "2026-03-28T17:00:00Z",
    "2026-10-24T16:00:00Z",
];

/// The depot of a seed and `hours` of it.
///
/// # Errors
///
/// Words for what cannot be written.
pub fn planned(seed: u64, hours: i64) -> Result<Planned, String> {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let mut site = depots::site(&mut dice, 3..11);
    furnish(&mut dice, &mut site);
    let setup = Setup::of(&site, chrono_tz::Europe::Amsterdam, Settings::default());
    let start: DateTime<Utc> =
        STARTS[dice.random_range(0..STARTS.len())].parse().map_err(|fault| format!("{fault}"))?;
    let mut world = depots::world(&mut dice, &setup, start, start + TimeDelta::hours(hours));
    // A scenario does not take faults of what is not there.
    world.faults.retain(|fault| match fault.what {
        What::Meter { node, .. } => setup.nodes[node].meter.is_some(),
        What::Pv { .. } => !site.pv.is_empty(),
        _ => true,
    });
    let scenario = scenario(&mut dice, &site, &setup, &world, hours);
    let scenario = toml::to_string(&scenario).map_err(|fault| fault.to_string())?;
    let site = file::write(&site).map_err(|fault| fault.to_string())?;
    Ok(Planned { site, scenario, faults: world.faults })
}

/// Plays the depot of a seed in a folder with the program, which has to be `kwartier`.
///
/// # Errors
///
/// Words for what did not work.
pub fn play(program: &Path, folder: &Path, seed: u64, hours: i64) -> Result<Day, String> {
    let planned = planned(seed, hours)?;
    let wrong = |fault: io::Error| format!("{}: {fault}", folder.display());
    fs::create_dir_all(folder).map_err(wrong)?;
    fs::write(folder.join("site.toml"), &planned.site).map_err(wrong)?;
    fs::write(folder.join("scenario.toml"), &planned.scenario).map_err(wrong)?;
    let run = Command::new(program)
        .args(["simulate", "--json", "--quiet", "--no-twin", "--seed", &seed.to_string(), "--out"])
        .arg(folder)
        .arg(folder.join("scenario.toml"))
        .output()
        .map_err(|fault| format!("{}: {fault}", program.display()))?;
    let summary: Value = serde_json::from_slice(&run.stdout)
        .map_err(|_| format!("seed {seed}: {}", String::from_utf8_lossy(&run.stderr)))?;
    let found = summary["judged"]["findings"].as_array().into_iter().flatten();
    let found = found.filter(|finding| breaks(&planned.faults, finding)).cloned().collect();
    Ok(Day { summary, found })
}

/// Whether a finding is of a limit, or of energy that does not add up, and not excused.
fn breaks(faults: &[Fault], finding: &Value) -> bool {
    let hard = ["overload", "quarter", "balance"].iter().any(|rule| finding["rule"] == *rule);
    let from = finding["from"].as_str().and_then(|text| text.parse().ok());
    let excused =
        from.zip(finding["seconds"].as_f64()).is_some_and(|(from, seconds)| depots::lapses(faults, from, seconds));
    hard && !excused
}

/// Prices for everybody, batteries for some.
fn furnish(dice: &mut ChaCha8Rng, site: &mut Site) {
    let part = |name: &str, direction, price| Component {
        name: name.to_owned(),
        direction,
        from: None,
        until: None,
        vat: false,
        price,
    };
    let mut components = vec![
        part("Spot", Direction::Import, Price::Spot { factor: 1.0 }),
        part("Tax", Direction::Import, Price::Fixed { eur_kwh: 0.1 }),
        part("Feed-in", Direction::Export, Price::Spot { factor: 0.9 }),
    ];
    if dice.random_bool(0.3) {
        components.push(part("Peak", Direction::Import, Price::Peak { eur_kw_month: 3.0 }));
    }
    site.tariff = Some(Tariff { components, ..Tariff::default() });
    site.latitude_deg = Some(52.1);
    site.longitude_deg = Some(5.1);
    if dice.random_bool(0.2) {
        let power_kw = dice.random_range(2.0..6.0_f64).round();
        site.batteries.push(Battery {
            id: "Store".to_owned(),
            board: site.boards[0].id.clone(),
            capacity_kwh: 3.0 * power_kw,
            max_charge_kw: power_kw,
            max_discharge_kw: power_kw,
            efficiency: 0.95,
            wear_eur_kwh: 0.03,
            soc_kwh: None,
            end_soc_kwh: None,
        });
    }
}

fn scenario(dice: &mut ChaCha8Rng, site: &Site, setup: &Setup, world: &World, hours: i64) -> Value {
    let one = |dice: &mut ChaCha8Rng, names: &[&'static str]| names[dice.random_range(0..names.len())];
    let start = world.start.with_timezone(&setup.zone).format("%Y-%m-%d %H:%M").to_string();
    let per_day = (setup.devices.len() as f64 * dice.random_range(0.7..1.4)).round();
    let sessions = if dice.random_bool(0.5) {
        json!({ "kind": "observed", "per_day": per_day, "place": one(dice, &["depot", "workplace", "public", "home"]) })
    } else {
        json!({ "kind": "generated", "per_day": per_day, "pattern": one(dice, &["depot", "workplace", "home", "visitors"]) })
    };
    let mut scenario = json!({
        "format": 1,
        "name": "Random",
        "site": "site.toml",
        "start": start,
        "hours": hours,
        "history_days": 8,
        "policy": {
            "planner": one(dice, &["optimal", "optimal", "optimal", "rule"]),
            "forecast": one(dice, &["ours", "ours", "naive", "perfect"]),
            "replan_minutes": 120,
            "horizon_h": 12.0,
            "gap": 0.05,
            "control": {
                "split": one(dice, &["equal", "prioritised"]),
                "management": one(dice, &["dynamic", "dynamic", "dynamic", "static"]),
            },
        },
        "prices": { "kind": "generated", "mean_eur_kwh": 0.09, "spread_eur_kwh": 0.08 },
        "building": buildings(setup, world),
        "sessions": sessions,
        "told": {
            "announced": dice.random_bool(0.5),
            "phases": dice.random_range(0.0..1.0),
            "need": dice.random_range(0.5..1.0),
            "need_error": dice.random_range(0.0..0.3),
            "departure": dice.random_range(0.5..1.0),
            "departure_error_min": dice.random_range(0.0..60.0),
            "no_show": 0.05,
            "early": 0.1,
        },
        "chargers": of_devices(setup, world),
        "meters": of_boards(setup, world),
        "faults": world.faults.iter().map(|fault| broken(setup, fault)).collect::<Vec<_>>(),
        "signals": world.signals.iter().filter_map(|(from, event)| said(setup, *from, event)).collect::<Vec<_>>(),
    });
    if !site.pv.is_empty() {
        scenario["pv"] = json!([{
            "kind": "generated",
            "plant": "Roof",
            "clearness": dice.random_range(0.2..0.9),
            "noise": { "sigma": 0.15, "correlation_s": 120.0 },
        }]);
    }
    scenario
}

/// What the building draws by the hour: as in the world at the beginning of each.
fn buildings(setup: &Setup, world: &World) -> Vec<Value> {
    let board = |(node, phases): (usize, &[Vec<f64>; 3])| {
        let hourly = |amps: &Vec<f64>| {
            let mut hours = [amps.first().copied().unwrap_or(0.0); 24];
            for (step, amps) in amps.iter().enumerate().take(96) {
                let at = world.start + TimeDelta::minutes(15) * i32::try_from(step).unwrap_or(0);
                if at.minute() == 0 {
                    hours[setup.hour(at)] = *amps;
                }
            }
            hours
        };
        let [l1, l2, l3] = [0, 1, 2].map(|phase| hourly(&phases[phase]).to_vec());
        let board = &setup.nodes[node].id;
        json!({ "kind": "hours", "board": board, "l1": l1, "l2": l2, "l3": l3, "noise": world.noise[node] })
    };
    world.building_a.iter().enumerate().map(board).collect()
}

fn of_devices(setup: &Setup, world: &World) -> Vec<Value> {
    let stations = setup.devices.iter().zip(&world.chargers);
    stations.map(|(device, charger)| json!({ "stations": [device.id], "behaviour": without_nulls(charger) })).collect()
}

fn of_boards(setup: &Setup, world: &World) -> Vec<Value> {
    let boards = setup.nodes.iter().zip(&world.meters);
    boards.map(|(node, meter)| json!({ "boards": [node.id], "behaviour": meter })).collect()
}

/// TOML knows no null: what is not there is left out.
fn without_nulls(value: &impl serde::Serialize) -> Value {
    let mut value = serde_json::to_value(value).unwrap_or_default();
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    value
}

fn stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn broken(setup: &Setup, fault: &Fault) -> Value {
    let name = |device: usize| setup.devices[device].id.clone();
    let board = |node: usize| setup.nodes[node].id.clone();
    let what = match &fault.what {
        What::Meter { node, how } => json!({ "kind": "meter", "board": board(*node), "how": how }),
        What::Link { devices, noticed_after_s } => {
            let devices: Vec<String> = devices.iter().map(|&device| name(device)).collect();
            json!({ "kind": "link", "devices": devices, "noticed_after_s": noticed_after_s })
        }
        What::Reboot { device } => json!({ "kind": "reboot", "devices": [name(*device)] }),
        What::Ignores { device } => json!({ "kind": "ignores", "device": name(*device) }),
        What::Rejects { device } => json!({ "kind": "rejects", "device": name(*device) }),
        What::Overdraws { device, by_a } => json!({ "kind": "overdraws", "device": name(*device), "by_a": by_a }),
        What::Slow { device, latency_s } => json!({ "kind": "slow", "device": name(*device), "latency_s": latency_s }),
        What::Building { node, amps } => json!({ "kind": "building", "board": board(*node), "amps": amps }),
        What::Pv { share, .. } => json!({ "kind": "pv", "plant": "Roof", "share": share }),
        What::Restart => json!({ "kind": "restart" }),
        What::Clock { jump_s, drift_ppm } => json!({ "kind": "clock", "jump_s": jump_s, "drift_ppm": drift_ppm }),
    };
    json!({ "from": stamp(fault.from), "until": stamp(fault.until), "what": what })
}

/// A grid operator's limit or an override as a scenario says it.
fn said(setup: &Setup, from: DateTime<Utc>, event: &Event) -> Option<Value> {
    let name = |device: usize| setup.devices[device].id.clone();
    let (until, what) = match event {
        Event::Signal(signal) => {
            let what = match (&signal.on, signal.limit) {
                (Scope::Node(node), Limit::Emergency(Emergency { amps, kw, priority })) => {
                    let board = &setup.nodes[*node].id;
                    without_nulls(
                        &json!({ "kind": "emergency", "board": board, "amps": amps, "kw": kw, "priority": priority }),
                    )
                }
                (Scope::Node(node), Limit::Power(kw)) => {
                    json!({ "kind": "board", "board": setup.nodes[*node].id, "kw": kw })
                }
                (Scope::Devices(devices), Limit::Power(kw)) => {
                    let devices: Vec<String> = devices.iter().map(|&device| name(device)).collect();
                    json!({ "kind": "devices", "devices": devices, "kw": kw })
                }
                _ => return None,
            };
            (signal.until?, what)
        }
        Event::Override { device, action, until } => {
            let what = match (*action)? {
                Action::Boost => json!({ "kind": "boost", "device": name(*device) }),
                Action::Stop => json!({ "kind": "stop", "device": name(*device) }),
                Action::AtMost(amps) => json!({ "kind": "at_most", "device": name(*device), "amps": amps }),
            };
            (*until, what)
        }
        _ => return None,
    };
    Some(json!({ "from": stamp(from), "until": stamp(until), "what": what }))
}
