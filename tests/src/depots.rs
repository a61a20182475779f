//! Random depots with random faults, from a seed: what the fast loop is tried on by the thousand.
//!
//! What is drawn keeps to what an installer would have made sure of: any one station alone fits above the worst of the
//! building under every board, fallbacks fit together, and the building stays below its worst figure but for motors that
//! start. At most one station a depot does not do what it should, the others lose messages, reboot, are cut off.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::Range;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::site::{Board, Hourly, HourlyByPhase, Included, Meter, PerPhase, PvPlant, Site, Station};
use kwartier_engine::control::event::{Action, Emergency, Event, Limit, Scope, Signal, Targets};
use kwartier_engine::control::settings::{Settings, Split};
use kwartier_engine::control::setup::Setup;
use kwartier_engine::plant::world::{
    Car, Charger, Fault, Meter as MeterOf, MeterFault, Noise, Pv, Stay, Told, What, World,
};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};

/// A depot and its day.
#[derive(Debug)]
pub struct Depot {
    /// What the fast loop knows.
    pub setup: Setup,
    /// What happens.
    pub world: World,
}

/// The depot of a seed: `hours` of it, from an instant in the winter of 2026.
pub fn depot(seed: u64, hours: i64) -> Depot {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let site = site(&mut dice, 2..7);
    let split = if dice.random_bool(0.3) { Split::Equal } else { Split::Prioritised };
    let setup = Setup::of(&site, chrono_tz::Europe::Amsterdam, Settings { split, ..Settings::default() });
    let start =
        DateTime::from_timestamp(1_768_431_600, 0).unwrap_or_default() + TimeDelta::hours(dice.random_range(0..24));
    let mut world = world(&mut dice, &setup, start, start + TimeDelta::hours(hours));
    for plant in &site.pv {
        world.pv.extend(sun(&mut dice, &setup, plant, &world));
    }
    Depot { setup, world }
}

/// What a plant gives: a day's arc of local sun, with clouds.
fn sun(dice: &mut ChaCha8Rng, setup: &Setup, plant: &PvPlant, world: &World) -> Option<Pv> {
    let clear = dice.random_range(0.2..0.8_f64);
    let steps = (world.end - world.start).num_minutes() / 15 + 1;
    let kw = (0..steps).map(|step| {
        let hour = setup.hour(world.start + TimeDelta::minutes(15 * step));
        let height = ((hour as f64 - 6.0) / 12.0 * std::f64::consts::PI).sin();
        if (6..18).contains(&hour) { plant.peak_kw * clear * height } else { 0.0 }
    });
    let noise = Noise { sigma: 0.15, correlation_s: 60.0, ..Noise::default() };
    Some(Pv { node: setup.node(&plant.board)?, phases: vec![0, 1, 2], kw: kw.collect(), noise })
}

/// A site with so many stations.
pub(crate) fn site(dice: &mut ChaCha8Rng, stations: Range<usize>) -> Site {
    let subs = dice.random_range(0..3_usize);
    let worst = |dice: &mut ChaCha8Rng| dice.random_range(5.0..15.0_f64).round();
    let figure = |amps: f64| Some(HourlyByPhase::Constant(PerPhase::Same(amps)));
    let mut worst_a = vec![worst(dice)];
    let mut boards =
        vec![Board { building_max_a: figure(worst_a[0]), ..Board::new("HV".to_owned(), None, PerPhase::Same(0.0)) }];
    for k in 0..subs {
        worst_a.push(worst(dice));
        boards.push(Board {
            building_max_a: figure(worst_a[k + 1]),
            ..Board::new(format!("UV{}", k + 1), Some("HV".to_owned()), PerPhase::Same(0.0))
        });
    }
    let rotations = ["RST", "STR", "TRS", "RTS"];
    let count = dice.random_range(stations);
    let mut stations = Vec::new();
    let mut on = vec![0.0_f64; subs + 1];
    for k in 0..count {
        let board = dice.random_range(0..=subs);
        on[board] += 1.0;
        let max_a = [16.0, 16.0, 32.0][dice.random_range(0..3)];
        stations.push(Station {
            rotation: Some(rotations[dice.random_range(0..4)].to_owned()),
            switches_phases: dice.random_bool(0.2),
            guaranteed_a: dice.random_bool(0.2).then_some(6.0),
            ..Station::new(format!("S{k}"), boards[board].id.clone(), max_a)
        });
    }
    // Fallbacks of 6 A fit everywhere, and so does the largest station alone.
    for k in 0..=subs {
        let (below, worst_below): (f64, f64) =
            if k == 0 { (on.iter().sum(), worst_a.iter().sum()) } else { (on[k], worst_a[k]) };
        let least: f64 = worst_below + f64::max(6.0 * below, 32.0);
        boards[k].limit_a = PerPhase::Same((least + dice.random_range(1.0..20.0_f64)).round());
        if dice.random_bool(0.2) {
            boards[k].imbalance_limit_a = Some(dice.random_range(12.0..30.0_f64).round());
        }
    }
    let fallback_a = if dice.random_bool(0.8) { 6.0 } else { 0.0 };
    for station in &mut stations {
        station.fallback_a = Some(Hourly::Constant(fallback_a));
    }
    let mut others = apart(&(&boards, &stations));
    for station in &mut stations {
        station.chooses_phase = others.random_bool(0.3);
    }
    let metered: Vec<String> = boards
        .iter()
        .enumerate()
        .filter(|(k, _)| dice.random_bool(if *k == 0 { 0.95 } else { 0.6 }))
        .map(|(_, board)| board.id.clone())
        .collect();
    let mut site = Site::new("Random".to_owned(), "Europe/Amsterdam".to_owned(), boards, stations);
    if dice.random_bool(0.3) {
        site.pv.push(PvPlant {
            id: "Roof".to_owned(),
            board: site.boards[dice.random_range(0..=subs)].id.clone(),
            phases: ["L1", "L2", "L3"].map(str::to_owned).to_vec(),
            peak_kw: dice.random_range(3.0..15.0),
            curtailable: false,
            tilt_deg: None,
            azimuth_deg: None,
        });
    }
    site.meters = metered
        .into_iter()
        .map(|board| Meter {
            id: format!("M {board}"),
            board,
            includes: vec![Included::Building, Included::Stations, Included::Pv, Included::Batteries, Included::Loads],
        })
        .collect();
    site
}

/// Dice for what was thought of later: by what was drawn already, so that all other draws stay as they were.
fn apart(drawn: &impl std::fmt::Debug) -> ChaCha8Rng {
    let mut hasher = DefaultHasher::new();
    format!("{drawn:?}").hash(&mut hasher);
    ChaCha8Rng::seed_from_u64(hasher.finish())
}

/// What happens on a site.
pub(crate) fn world(dice: &mut ChaCha8Rng, setup: &Setup, start: DateTime<Utc>, end: DateTime<Utc>) -> World {
    let steps = usize::try_from((end - start).num_minutes() / 15 + 1).unwrap_or(1);
    let building_a = setup
        .nodes
        .iter()
        .map(|node| {
            let worst_a = node.building_max_a.map_or(0.0, |figure| figure[0][0]);
            std::array::from_fn(|_| {
                let mut level = dice.random_range(0.1..0.8_f64);
                (0..steps)
                    .map(|_| {
                        level = (level + dice.random_range(-0.2..0.2)).clamp(0.05, 0.8);
                        level * worst_a
                    })
                    .collect()
            })
        })
        .collect();
    let noise = setup.nodes.iter().map(|_| Noise {
        sigma: dice.random_range(0.0..0.08),
        correlation_s: dice.random_range(20.0..300.0),
        motors_per_h: if dice.random_bool(0.3) { dice.random_range(0.0..4.0) } else { 0.0 },
        motor_a: dice.random_range(5.0..25.0),
        motor_s: dice.random_range(0.5..2.0),
    });
    let mut world = World { building_a, noise: noise.collect(), ..World::empty(start, end) };
    world.chargers = setup.devices.iter().map(|_| charger(dice)).collect();
    // Who can choose a phase tells on which it draws; else nobody would ever know.
    for (charger, _) in world.chargers.iter_mut().zip(&setup.devices).filter(|(_, device)| device.chooses_phase) {
        charger.meter_every_s.get_or_insert(30.0);
    }
    world.meters = setup
        .nodes
        .iter()
        .map(|_| MeterOf {
            clock_s: dice.random_range(-30.0..30.0),
            resolution_a: [0.0, 0.1, 1.0][dice.random_range(0..3)],
            latency_s: dice.random_range(0.0..1.0),
        })
        .collect();
    let odd = dice.random_range(0..setup.devices.len());
    match dice.random_range(0..6) {
        0 => world.chargers[odd].ignores_phases = true,
        // Without a meter nobody would ever know.
        1 => world.chargers[odd].zero_means_unlimited = setup.nodes.iter().all(|node| node.meter.is_some()),
        2 => world.chargers[odd].keeps_fallback = false,
        _ => {}
    }
    for device in 0..setup.devices.len() {
        stays(dice, &mut world, device, start, end);
    }
    world.stays.sort_by_key(|stay| (stay.plugs_in, stay.device));
    faults(dice, &mut world, setup, odd, start, end);
    world
}

fn charger(dice: &mut ChaCha8Rng) -> Charger {
    Charger {
        latency_s: dice.random_range(0.1..1.5),
        command_loss: if dice.random_bool(0.2) { 0.05 } else { 0.0 },
        answer_loss: if dice.random_bool(0.2) { 0.05 } else { 0.0 },
        reject: if dice.random_bool(0.1) { 0.05 } else { 0.0 },
        meter_every_s: [Some(5.0), Some(10.0), Some(30.0), Some(60.0), None][dice.random_range(0..5)],
        rounds_down_to_a: [0.0, 0.0, 1.0][dice.random_range(0..3)],
        ..Charger::default()
    }
}

fn stays(dice: &mut ChaCha8Rng, world: &mut World, device: usize, start: DateTime<Utc>, end: DateTime<Utc>) {
    let mut at = start + TimeDelta::minutes(dice.random_range(0..300));
    let mut number = 0;
    while at < end {
        let stays_min = dice.random_range(60..900);
        let leaves = at + TimeDelta::minutes(stays_min);
        let phases = [1, 3, 3, 2][dice.random_range(0..4)];
        let need_kwh = dice.random_range(3.0..40.0_f64);
        let car = Car {
            phases,
            max_a: [16.0, 16.0, 32.0][dice.random_range(0..3)],
            reaction_s: dice.random_range(1.0..5.0),
            ramp_a_s: dice.random_range(1.0..8.0),
            sleeps_after_s: dice.random_bool(0.2).then_some(600.0),
            wakes_at_step: [Some(1), Some(2), None][dice.random_range(0..3)],
            ..Car::default()
        };
        world.stays.push(Stay {
            id: format!("{device}-{number}"),
            device,
            plugs_in: at,
            leaves,
            comes: dice.random_bool(0.95),
            soc_kwh: dice.random_range(5.0..50.0),
            need_kwh,
            told: Told {
                phases: dice.random_bool(0.6).then_some(phases),
                need_kwh: dice.random_bool(0.7).then_some(need_kwh),
                departure: dice.random_bool(0.7).then_some(leaves),
                priority: dice.random_range(0..3),
                guaranteed_a: 0.0,
            },
            car,
        });
        number += 1;
        at = leaves + TimeDelta::minutes(dice.random_range(10..300));
    }
}

fn faults(
    dice: &mut ChaCha8Rng,
    world: &mut World,
    setup: &Setup,
    odd: usize,
    start: DateTime<Utc>,
    end: DateTime<Utc>,
) {
    let whole_s = (end - start).num_seconds();
    for number in 0..dice.random_range(0..8) {
        let from = start + TimeDelta::seconds(dice.random_range(0..whole_s));
        let until = from + TimeDelta::seconds([5, 20, 120, 1800][dice.random_range(0..4)]);
        let node = dice.random_range(0..setup.nodes.len());
        let device = dice.random_range(0..setup.devices.len());
        // A station that breaks rules and a meter that is lost at the same time is one fault too many, and so is one that
        // takes its time to hear that it has to stop.
        let kind = dice.random_range(0..15);
        let kind = if world.chargers[odd].zero_means_unlimited && (kind < 5 || kind == 9) { 7 } else { kind };
        let what = match kind {
            0 => What::Meter { node, how: MeterFault::Silent },
            1 => What::Meter { node, how: MeterFault::Scaled { by: [100.0, 10.0, 0.1][dice.random_range(0..3)] } },
            2 => What::Meter {
                node,
                how: [MeterFault::NotANumber, MeterFault::Frozen, MeterFault::Negative, MeterFault::SignFlipped]
                    [dice.random_range(0..4)],
            },
            3 => What::Meter { node, how: MeterFault::Late { by_s: dice.random_range(1.0..60.0) } },
            4 => What::Meter { node, how: MeterFault::OutOfOrder },
            5 => What::Link { devices: vec![device], noticed_after_s: dice.random_range(0.0..60.0) },
            6 => What::Link { devices: Vec::new(), noticed_after_s: dice.random_range(0.0..60.0) },
            7 => What::Reboot { device },
            8 => What::Rejects { device: odd },
            9 => What::Slow { device: odd, latency_s: dice.random_range(2.0..4.0) },
            10 => What::Building { node, amps: room(setup, node, dice) },
            11 => What::Restart,
            12 => What::Clock { jump_s: [-3600.0, -5.0, 5.0, 3600.0][dice.random_range(0..4)], drift_ppm: 50.0 },
            13 => {
                let limit = Limit::Power(dice.random_range(5.0..30.0));
                let on = if dice.random_bool(0.5) { Scope::Node(node) } else { Scope::Devices(vec![device, odd]) };
                let signal = Signal { id: format!("G{number}"), on, limit, from, until: Some(until) };
                world.signals.push((from, Event::Signal(signal)));
                continue;
            }
            _ => {
                let action = [Action::Boost, Action::Stop, Action::AtMost(8.0)][dice.random_range(0..3)];
                world.signals.push((from, Event::Override { device, action: Some(action), until }));
                continue;
            }
        };
        world.faults.push(Fault { from, until, what });
    }
    let mut others = apart(&world.stays);
    if others.random_bool(0.15) {
        let from = start + TimeDelta::seconds(others.random_range(0..whole_s));
        let until = from + TimeDelta::minutes(others.random_range(2..90));
        let priority = others.random_bool(0.7).then(|| others.random_range(0..3));
        let kw = others.random_range(5.0..25.0);
        let limit = Limit::Emergency(Emergency::of(None, Some(kw), priority, setup.voltage_v));
        let on = Scope::Node(others.random_range(0..setup.nodes.len()));
        let signal = Signal { id: "Generator".to_owned(), on, limit, from, until: Some(until) };
        world.signals.push((from, Event::Signal(signal)));
    }
    // A controller whose clock is an hour off cannot know when an order begins and ends.
    let lost = |fault: &Fault| matches!(fault.what, What::Clock { jump_s, .. } if jump_s.abs() > 60.0);
    if world.faults.iter().any(lost) {
        world.signals.clear();
    }
    world.signals.sort_by_key(|(at, _)| *at);
}

/// While no link is up nobody can lower anything: what is held is held until it lapses, 120 s after it was last renewed, and
/// then the vehicle has its time to follow.
const LAPSES_S: i64 = 130;

/// Whether something that was found, and lasted so many s, began while links were cut and lasted no longer than what was held
/// takes to lapse.
pub fn lapses(faults: &[Fault], from: DateTime<Utc>, seconds: f64) -> bool {
    faults.iter().any(|fault| {
        matches!(fault.what, What::Link { .. })
            && (fault.from..=fault.until).contains(&from)
            && seconds <= LAPSES_S as f64
            && from - fault.from <= TimeDelta::seconds(LAPSES_S)
    })
}

/// What the building may still draw more at a board by its worst figure, on one phase.
fn room(setup: &Setup, node: usize, dice: &mut ChaCha8Rng) -> [f64; 3] {
    let worst_a = setup.nodes[node].building_max_a.map_or(0.0, |figure| figure[0][0]);
    let mut amps = [0.0; 3];
    amps[dice.random_range(0..3)] = 0.15 * worst_a;
    amps
}

/// A plan by rule for every second seed: each device charges in every other half-hour, at its full current.
pub fn rule(depot: &Depot, seed: u64) -> Option<Arc<Targets>> {
    let slots = 2 * 24;
    let amps = (0..depot.setup.devices.len()).map(|device| {
        let shift = usize::try_from(seed).unwrap_or(0) + device;
        let full_a = depot.setup.devices[device].max_a;
        Some((0..slots).map(|slot| if (slot + shift).is_multiple_of(2) { full_a } else { 0.0 }).collect())
    });
    let targets = Targets { start: depot.world.start, slot_s: 1800, amps: amps.collect(), costs_eur_kwh: Vec::new() };
    seed.is_multiple_of(2).then(|| Arc::new(targets))
}
