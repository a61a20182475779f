//! What breaks: as the scenario says, and by chance.

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::site::Site;
use kwartier_engine::control::setup::{Kind, Setup};
use kwartier_engine::plant::world::{Fault, MeterFault, What};

use super::dice::{Dice, Subject};
use super::inputs::Inputs;
use super::scenario::{self, Scenario, Source, Times, seconds};
use super::world::{device, devices, node};
use crate::cli::failure::Failure;

/// All faults of a scenario, in the order in which they begin.
pub fn faults(
    scenario: &Scenario,
    source: &Source,
    setup: &Setup,
    (site, inputs): (&Site, &Inputs),
    (times, end): (Times, DateTime<Utc>),
    seed: u64,
) -> Result<Vec<Fault>, Failure> {
    let mut all = Vec::new();
    for (k, fault) in scenario.faults.iter().enumerate() {
        let path = |key: &str| format!("faults[{k}].{key}");
        let at = |key: &str, text: &String| times.at(text).map_err(|wrong| source.wrong(&path(key), text, &wrong));
        let from = at("from", &fault.from)?;
        let until = fault.until.as_ref().map(|text| at("until", text)).transpose()?;
        if let (true, Some(text)) = (until.is_some_and(|until| until <= from), &fault.until) {
            let wrong = format!("is not after the beginning, {}; write +1 behind it for the day after", shown(from));
            return Err(source.wrong(&path("until"), text, &wrong));
        }
        let momentary = matches!(
            fault.what,
            scenario::What::Reboot { .. } | scenario::What::Restart | scenario::What::Clock { .. }
        );
        let until = until.unwrap_or(if momentary { from } else { end });
        for what in named(&fault.what, source, setup, (site, inputs), &path("what"))? {
            all.push(Fault { from, until, what });
        }
    }
    by_chance(scenario, setup, inputs, (times.start, end), &mut Dice::of(seed, Subject::Faults), &mut all);
    all.sort_by_key(|fault| fault.from);
    Ok(all)
}

fn shown(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%MZ").to_string()
}

/// A fault with its names as indices; one for each device that reboots.
fn named(
    what: &scenario::What,
    source: &Source,
    setup: &Setup,
    (site, inputs): (&Site, &Inputs),
    path: &str,
) -> Result<Vec<What>, Failure> {
    let one = |name: &str| device(source, setup, &format!("{path}.device"), name);
    let board = |name: &str| node(source, setup, &format!("{path}.board"), name);
    let what = match what {
        scenario::What::Meter { board: name, how } => {
            let node = board(name)?;
            if setup.nodes[node].meter.is_none() {
                let wrong = "has no meter; name a board that a meter of the site file sits at";
                return Err(source.wrong(&format!("{path}.board"), name, wrong));
            }
            What::Meter { node, how: *how }
        }
        scenario::What::Link { devices: names, noticed_after_s } => {
            let devices = if names.is_empty() {
                Vec::new()
            } else {
                devices(source, setup, &format!("{path}.devices"), names, false)?
            };
            What::Link { devices, noticed_after_s: *noticed_after_s }
        }
        scenario::What::Reboot { devices: names } => {
            let devices = devices(source, setup, &format!("{path}.devices"), names, true)?;
            return Ok(devices.into_iter().map(|device| What::Reboot { device }).collect());
        }
        scenario::What::Ignores { device } => What::Ignores { device: one(device)? },
        scenario::What::Rejects { device } => What::Rejects { device: one(device)? },
        scenario::What::Overdraws { device, by_a } => What::Overdraws { device: one(device)?, by_a: *by_a },
        scenario::What::Slow { device, latency_s } => What::Slow { device: one(device)?, latency_s: *latency_s },
        scenario::What::Building { board: name, amps } => What::Building { node: board(name)?, amps: *amps },
        scenario::What::Pv { plant, share } => {
            let wrong = "delivers nothing in this scenario; name a plant of [[pv]]";
            let entry = inputs.pv.iter().position(|entry| site.pv[entry.plant].id == *plant);
            let plant = entry.ok_or_else(|| source.wrong(&format!("{path}.plant"), plant, wrong))?;
            What::Pv { plant, share: share.clamp(0.0, 1.0) }
        }
        scenario::What::Restart => What::Restart,
        scenario::What::Clock { jump_s, drift_ppm } => What::Clock { jump_s: *jump_s, drift_ppm: *drift_ppm },
    };
    Ok(vec![what])
}

/// Faults that nobody wrote down: each kind comes as often as the scenario says, whenever it likes.
fn by_chance(
    scenario: &Scenario,
    setup: &Setup,
    inputs: &Inputs,
    (start, end): (DateTime<Utc>, DateTime<Utc>),
    dice: &mut Dice,
    all: &mut Vec<Fault>,
) {
    type Make = fn(&mut Dice, &Ground) -> Option<What>;
    let chance = &scenario.chance;
    let ground = Ground::of(setup, inputs);
    let kinds: [(f64, Make); 12] = [
        (chance.meter_per_day, |dice, ground| {
            let node = *ground.metered.get(dice.one_of(ground.metered.len()))?;
            Some(What::Meter { node, how: meter_fault(dice) })
        }),
        (chance.link_per_day, |dice, ground| {
            let devices: Vec<usize> = ground.stations.iter().copied().filter(|_| dice.happens(0.3)).collect();
            (!devices.is_empty()).then_some(What::Link { devices, noticed_after_s: 60.0 })
        }),
        (chance.link_all_per_day, |_, _| Some(What::Link { devices: Vec::new(), noticed_after_s: 60.0 })),
        (chance.reboot_per_day, |dice, ground| Some(What::Reboot { device: ground.station(dice)? })),
        (chance.ignores_per_day, |dice, ground| Some(What::Ignores { device: ground.station(dice)? })),
        (chance.rejects_per_day, |dice, ground| Some(What::Rejects { device: ground.station(dice)? })),
        (chance.overdraws_per_day, |dice, ground| {
            Some(What::Overdraws { device: ground.station(dice)?, by_a: 1.0 + 5.0 * dice.unit() })
        }),
        (chance.slow_per_day, |dice, ground| {
            Some(What::Slow { device: ground.station(dice)?, latency_s: 5.0 + 40.0 * dice.unit() })
        }),
        (chance.building_per_day, |dice, ground| {
            let (node, limit_a) = *ground.limits_a.get(dice.one_of(ground.limits_a.len()))?;
            let phase = dice.one_of(4);
            let amps = std::array::from_fn(|k| if phase == 3 || phase == k { 0.1 * limit_a } else { 0.0 });
            Some(What::Building { node, amps })
        }),
        (chance.pv_per_day, |dice, ground| {
            (ground.plants > 0).then(|| What::Pv { plant: dice.one_of(ground.plants), share: 0.5 * dice.unit() })
        }),
        (chance.restart_per_day, |_, _| Some(What::Restart)),
        (chance.clock_per_day, |dice, _| {
            Some(What::Clock { jump_s: 240.0 * (dice.unit() - 0.5), drift_ppm: 50.0 * dice.normal() })
        }),
    ];
    for (per_day, make) in kinds {
        if per_day <= 0.0 {
            continue;
        }
        let mut at = start + seconds(86_400.0 / per_day * dice.wait());
        while at < end {
            let lasts = seconds(60.0 * chance.minutes * dice.wait());
            if let Some(what) = make(dice, &ground) {
                let momentary = matches!(what, What::Reboot { .. } | What::Restart | What::Clock { .. });
                let until = if momentary { at } else { (at + lasts.max(TimeDelta::seconds(1))).min(end) };
                all.push(Fault { from: at, until, what });
            }
            at += seconds(86_400.0 / per_day * dice.wait()).max(TimeDelta::seconds(1));
        }
    }
}

/// What can break.
struct Ground {
    stations: Vec<usize>,
    metered: Vec<usize>,
    /// Boards at which the building draws something, with their limits.
    limits_a: Vec<(usize, f64)>,
    plants: usize,
}

impl Ground {
    fn of(setup: &Setup, inputs: &Inputs) -> Ground {
        let stations = (0..setup.devices.len()).filter(|&k| setup.devices[k].kind == Kind::Station).collect();
        let metered = (0..setup.nodes.len()).filter(|&k| setup.nodes[k].meter.is_some()).collect();
        let draws =
            |k: &usize| setup.nodes[*k].building_max_a.is_some_and(|most| most.iter().flatten().any(|a| *a > 0.0));
        let limits_a = (0..setup.nodes.len()).filter(draws).map(|k| (k, setup.nodes[k].limit_a[0])).collect();
        Ground { stations, metered, limits_a, plants: inputs.pv.len() }
    }

    fn station(&self, dice: &mut Dice) -> Option<usize> {
        self.stations.get(dice.one_of(self.stations.len())).copied()
    }
}

fn meter_fault(dice: &mut Dice) -> MeterFault {
    match dice.one_of(8) {
        0 | 1 => MeterFault::Silent,
        2 => MeterFault::Frozen,
        3 => MeterFault::Scaled { by: 10.0 },
        4 => MeterFault::NotANumber,
        5 => MeterFault::Negative,
        6 => MeterFault::Late { by_s: 5.0 + 25.0 * dice.unit() },
        _ => MeterFault::OutOfOrder,
    }
}
