//! Days whose outcome is known exactly, and rules that hold on any day.

#![allow(clippy::expect_used)]

use std::fmt::Write;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use super::Plant;
use super::truth::{Truth, Watcher};
use super::world::{Car, Charger, Fault, Meter, MeterFault, Noise, Pv, Run, Stay, Store, Told, What, World};
use crate::control::command::{Setpoint, Why};
use crate::control::event::Event;
use crate::control::settings::Settings;
use crate::control::setup::{Device, Kind, Node, Seen, Setup};

pub(super) fn instant(seconds: f64) -> DateTime<Utc> {
    let start: DateTime<Utc> = "2023-06-13T10:00:00Z".parse().expect("an instant");
    start + TimeDelta::milliseconds(super::queue::ms(seconds))
}

/// A board of 63 A with a meter that sees everything, and stations of 32 A.
pub(super) fn setup(stations: usize) -> Setup {
    Setup {
        zone: chrono_tz::Europe::Amsterdam,
        voltage_v: 230.0,
        nodes: vec![Node {
            id: "main".into(),
            parent: None,
            limit_a: [63.0; 3],
            tolerance_s: 2.0,
            imbalance_a: None,
            building_max_a: None,
            feeds_a: [0.0; 3],
            meter: Some(Seen { stations: true, loads: true, batteries: true }),
        }],
        downwards: vec![0],
        devices: (0..stations)
            .map(|k| Device {
                id: format!("s{k}"),
                kind: Kind::Station,
                node: 0,
                phases: vec![0, 1, 2],
                phases_known: true,
                min_a: 6.0,
                max_a: 32.0,
                max_discharge_a: 0.0,
                fallback_a: Some([8.0; 24]),
                keeps_fallback: true,
                reaction_s: 10.0,
                guaranteed_a: 0.0,
                switches_phases: true,
                chooses_phase: false,
                managed: true,
                priority: 0,
            })
            .collect(),
        import_cap_kw: None,
        export_cap_kw: None,
        settings: Settings::default(),
    }
}

/// A charger and a car that follow at once.
fn prompt() -> (Charger, Car) {
    let charger = Charger { latency_s: 0.0, expires_after_s: None, ..Charger::default() };
    (charger, Car { reaction_s: 0.0, ramp_a_s: 0.0, taper_from_soc: 1.0, ..Car::default() })
}

pub(super) fn stay(device: usize, from_s: f64, until_s: f64, car: Car, soc_kwh: f64) -> Stay {
    Stay {
        id: format!("{device} at {from_s}"),
        device,
        plugs_in: instant(from_s),
        leaves: instant(until_s),
        comes: true,
        car,
        soc_kwh,
        need_kwh: 20.0,
        told: Told { phases: Some(car.phases), need_kwh: None, departure: None, priority: 0, guaranteed_a: 0.0 },
    }
}

pub(super) fn world(charger: Charger, stays: Vec<Stay>) -> World {
    let stations = stays.iter().map(|stay| stay.device + 1).max().unwrap_or(1);
    let chargers = vec![charger; stations];
    World { stays, chargers, ..World::empty(instant(0.0), instant(86_400.0)) }
}

fn command(device: usize, number: u64, amps: f64) -> Setpoint {
    Setpoint { number, device, amps, phases: 3, phase: None, valid_s: 1e9, why: Why::Plan }
}

/// What an instant after now brings.
fn go(plant: &mut Plant, seconds: f64) -> Vec<Event> {
    plant.advance(instant(seconds), &mut ())
}

fn drawn(plant: &Plant) -> f64 {
    plant.truth().devices[0].drawn_a[0]
}

#[test]
fn a_station_that_somebody_else_plays_holds_what_it_is_made_to_hold() {
    let (charger, car) = prompt();
    let mut plant = Plant::new(&setup(1), world(charger, vec![stay(0, 0.0, 7200.0, car, 10.0)]), 1);
    go(&mut plant, 1.0);
    plant.hold(0, Some(10.0), 3, None);
    go(&mut plant, 2.0);
    assert_eq!(plant.truth().devices[0].drawn_a, [10.0; 3]);
    // It does not lapse, whatever a setpoint would have done.
    go(&mut plant, 3000.0);
    assert_eq!(drawn(&plant), 10.0);
    plant.hold(0, Some(14.0), 1, None);
    go(&mut plant, 3060.0);
    assert_eq!(plant.truth().devices[0].drawn_a, [14.0, 0.0, 0.0]);
    plant.hold(0, None, 3, None);
    go(&mut plant, 3120.0);
    assert_eq!(drawn(&plant), 16.0);
    // Silent, it counts with all that its vehicle may draw.
    plant.silence(0, true);
    assert!(plant.truth().devices[0].silent);
    assert_eq!(plant.truth().nodes[0].reserve_a, [16.0; 3]);
    plant.silence(0, false);
    assert_eq!(plant.truth().nodes[0].reserve_a, [0.0; 3]);
}

#[test]
fn sixteen_amps_on_three_phases_are_eleven_kilowatts() {
    let (charger, car) = prompt();
    let mut plant = Plant::new(&setup(1), world(charger, vec![stay(0, 0.0, 7200.0, car, 10.0)]), 1);
    go(&mut plant, 1.0);
    plant.send(&command(0, 1, 16.0));
    go(&mut plant, 2.0);
    let before = plant.stays()[0];
    go(&mut plant, 3602.0);
    let after = plant.stays()[0];
    assert!((after.energy_kwh - before.energy_kwh - 11.04).abs() < 1e-9);
    let stored = (11.04 - car.own_kw) * car.efficiency;
    assert!((after.soc_kwh - before.soc_kwh - stored).abs() < 1e-9);
    assert_eq!(plant.truth().nodes[0].devices_a, [16.0; 3]);
}

#[test]
fn power_falls_near_full_and_the_car_stops_when_it_is() {
    let (charger, car) = prompt();
    let car = Car { taper_from_soc: 0.8, ..car };
    let mut plant = Plant::new(&setup(1), world(charger, vec![stay(0, 0.0, 80_000.0, car, 47.9)]), 1);
    go(&mut plant, 1.0);
    plant.send(&command(0, 1, 16.0));
    go(&mut plant, 10.0);
    assert_eq!(drawn(&plant), 16.0);
    let mut seen = Vec::new();
    for minute in 1..300 {
        go(&mut plant, f64::from(minute) * 60.0);
        seen.push(drawn(&plant));
    }
    assert!(seen.windows(2).all(|pair| pair[1] <= pair[0]), "{seen:?}");
    assert!(seen.contains(&6.0) && seen.last() == Some(&0.0), "{seen:?}");
    assert!((plant.stays()[0].soc_kwh - 60.0).abs() < 1e-4);
    assert!(!plant.truth().devices[0].hungry);
}

#[test]
fn a_car_reacts_within_its_time_and_rises_by_its_ramp() {
    let charger = Charger { latency_s: 0.0, ..Charger::default() };
    let car = Car { reaction_s: 4.0, ramp_a_s: 2.0, ..Car::default() };
    let mut plant = Plant::new(&setup(1), world(charger, vec![stay(0, 0.0, 7200.0, car, 10.0)]), 1);
    go(&mut plant, 3.9);
    assert_eq!(drawn(&plant), 0.0);
    go(&mut plant, 4.1);
    // By way of its lowest current to the fallback of 8 A.
    assert_eq!(drawn(&plant), 6.0);
    go(&mut plant, 5.1);
    assert_eq!(drawn(&plant), 8.0);
    plant.send(&command(0, 1, 5.0));
    go(&mut plant, 9.0);
    assert_eq!(drawn(&plant), 8.0);
    go(&mut plant, 9.2);
    assert_eq!(drawn(&plant), 0.0);
}

#[test]
fn a_sleeper_wakes_at_the_step_it_wants() {
    for (wakes_at_step, awake) in [(Some(1), [true, true]), (Some(2), [false, true]), (None, [false, false])] {
        let (charger, car) = prompt();
        let car = Car { sleeps_after_s: Some(600.0), wakes_at_step, ..car };
        let mut plant = Plant::new(&setup(1), world(charger, vec![stay(0, 1.0, 7200.0, car, 10.0)]), 1);
        plant.send(&command(0, 1, 0.0));
        go(&mut plant, 700.0);
        for (step, awake) in awake.into_iter().enumerate() {
            let at = 700.0 + 100.0 * step as f64;
            plant.send(&command(0, 10 + step as u64, 10.0));
            go(&mut plant, at + 10.0);
            assert_eq!(drawn(&plant) > 0.0, awake, "{wakes_at_step:?}");
            plant.send(&command(0, 20 + step as u64, 0.0));
            go(&mut plant, at + 100.0);
        }
    }
}

#[test]
fn a_setpoint_lapses_to_the_fallback_after_the_connection_is_cut() {
    let (charger, car) = prompt();
    let charger = Charger { expires_after_s: Some(600.0), ..charger };
    let cut = What::Link { devices: vec![0], noticed_after_s: 60.0 };
    let faults = vec![Fault { from: instant(100.0), until: instant(2000.0), what: cut }];
    let world = World { faults, ..world(charger, vec![stay(0, 0.0, 7200.0, car, 10.0)]) };
    let mut plant = Plant::new(&setup(1), world, 1);
    plant.send(&command(0, 1, 16.0));
    go(&mut plant, 150.0);
    plant.send(&command(0, 2, 6.0));
    let events = go(&mut plant, 399.0);
    assert!(events.contains(&Event::Link { device: 0, up: false }));
    assert_eq!(drawn(&plant), 16.0);
    assert!(plant.truth().devices[0].silent);
    go(&mut plant, 701.0);
    assert_eq!(drawn(&plant), 8.0);
    let events = go(&mut plant, 2010.0);
    assert!(events.contains(&Event::Link { device: 0, up: true }));
    assert!(events.contains(&Event::Holds { device: 0, amps: Some(8.0) }));
}

#[test]
fn a_setpoint_that_nobody_renews_lapses_although_the_connection_lasts() {
    let (charger, car) = prompt();
    let charger = Charger { expires_after_s: Some(600.0), ..charger };
    let mut plant = Plant::new(&setup(1), world(charger, vec![stay(0, 0.0, 7200.0, car, 10.0)]), 1);
    let good_for = |number: u64, valid_s: f64| Setpoint { valid_s, ..command(0, number, 16.0) };
    plant.send(&good_for(1, 120.0));
    go(&mut plant, 100.0);
    plant.send(&good_for(2, 120.0));
    go(&mut plant, 219.0);
    assert_eq!(drawn(&plant), 16.0, "renewed");
    go(&mut plant, 221.0);
    assert_eq!(drawn(&plant), 8.0);
    // However long it is said to be good for, the station's own time counts too.
    plant.send(&good_for(3, 1e6));
    go(&mut plant, 820.0);
    assert_eq!(drawn(&plant), 16.0);
    go(&mut plant, 823.0);
    assert_eq!(drawn(&plant), 8.0);
}

#[test]
fn what_a_silent_charger_holds_counts_whole_even_if_little_flows() {
    let (charger, car) = prompt();
    let charger = Charger { expires_after_s: None, ..charger };
    let cut = What::Link { devices: Vec::new(), noticed_after_s: 10.0 };
    let faults = vec![Fault { from: instant(100.0), until: instant(2000.0), what: cut }];
    let one = Car { phases: 1, max_a: 10.0, ..car };
    let world = World { faults, ..world(charger, vec![stay(0, 0.0, 7200.0, one, 10.0)]) };
    let mut plant = Plant::new(&setup(1), world, 1);
    plant.send(&command(0, 1, 25.0));
    go(&mut plant, 109.0);
    assert_eq!(plant.truth().nodes[0].reserve_a, [0.0; 3]);
    go(&mut plant, 111.0);
    assert_eq!(plant.truth().nodes[0].devices_a, [10.0, 0.0, 0.0]);
    // Its vehicle has one phase.
    assert_eq!(plant.truth().nodes[0].reserve_a, [15.0, 0.0, 0.0]);
}

#[test]
fn a_reboot_without_stored_profile_gives_the_rating() {
    for (keeps_fallback, then) in [(true, 8.0), (false, 32.0)] {
        let (charger, car) = prompt();
        let charger = Charger { keeps_fallback, boot_s: 30.0, ..charger };
        let faults = vec![Fault { from: instant(100.0), until: instant(100.0), what: What::Reboot { device: 0 } }];
        let car = Car { max_a: 40.0, ..car };
        let world = World { faults, ..world(charger, vec![stay(0, 0.0, 7200.0, car, 10.0)]) };
        let mut plant = Plant::new(&setup(1), world, 1);
        plant.send(&command(0, 1, 16.0));
        go(&mut plant, 99.0);
        assert_eq!(drawn(&plant), 16.0);
        go(&mut plant, 129.0);
        assert_eq!(drawn(&plant), 0.0);
        assert!(go(&mut plant, 131.0).contains(&Event::Booted { device: 0 }));
        assert_eq!(drawn(&plant), then);
    }
}

#[test]
fn quirks_do_what_they_are_called() {
    let (charger, car) = prompt();
    let car = Car { max_a: 32.0, ..car };
    let after = |charger: Charger, amps: &[f64]| {
        let mut plant = Plant::new(&setup(1), world(charger, vec![stay(0, 0.0, 7200.0, car, 10.0)]), 1);
        for (k, &amps) in amps.iter().enumerate() {
            plant.send(&command(0, k as u64 + 1, amps));
            go(&mut plant, 10.0 * (k + 1) as f64);
        }
        drawn(&plant)
    };
    assert_eq!(after(charger.clone(), &[10.7]), 10.7);
    assert_eq!(after(Charger { rounds_down_to_a: 1.0, ..charger.clone() }, &[10.7]), 10.0);
    assert_eq!(after(Charger { rounds_down_to_a: 4.0, ..charger.clone() }, &[7.0]), 0.0);
    assert_eq!(after(Charger { zero_means_unlimited: true, ..charger.clone() }, &[10.0, 0.0, 10.0]), 32.0);
    assert_eq!(after(Charger { overdraws_a: 3.0, ..charger.clone() }, &[10.0]), 13.0);
    assert_eq!(after(Charger { ignores: true, ..charger.clone() }, &[10.0]), 32.0);
    assert_eq!(after(Charger { reject: 1.0, ..charger.clone() }, &[10.0]), 8.0);
    assert_eq!(after(Charger { command_loss: 1.0, ..charger }, &[10.0]), 8.0);
}

#[test]
fn a_wrong_rotation_loads_the_true_phase() {
    let (charger, car) = prompt();
    let charger = Charger { true_phases: Some(vec![1, 2, 0]), ..charger };
    let one = Car { phases: 1, ..car };
    let mut plant = Plant::new(&setup(1), world(charger, vec![stay(0, 0.0, 7200.0, one, 10.0)]), 1);
    go(&mut plant, 10.0);
    assert_eq!(plant.truth().devices[0].drawn_a, [8.0, 0.0, 0.0]);
    assert_eq!(plant.truth().nodes[0].devices_a, [0.0, 8.0, 0.0]);
}

#[test]
fn what_flows_goes_up_the_tree_and_each_meter_sees_its_own() {
    let mut setup = setup(2);
    let sub = Node { id: "sub".into(), parent: Some(0), meter: None, ..setup.nodes[0].clone() };
    setup.nodes.push(sub);
    setup.nodes[0].meter = Some(Seen { stations: false, loads: true, batteries: true });
    setup.devices[1].node = 1;
    let (charger, car) = prompt();
    let stays = vec![stay(0, 0.0, 7200.0, car, 10.0), stay(1, 0.0, 7200.0, car, 10.0)];
    let building_a = vec![std::array::from_fn(|_| vec![5.0]), std::array::from_fn(|_| vec![3.0])];
    let pv = vec![Pv { node: 1, phases: vec![2], kw: vec![0.46], noise: Noise::default() }];
    let mut plant = Plant::new(&setup, World { building_a, pv, ..world(charger, stays) }, 1);
    let events = go(&mut plant, 10.0);
    assert_eq!(plant.truth().nodes[0].building_a, [8.0, 8.0, 6.0]);
    assert_eq!(plant.truth().nodes[0].devices_a, [16.0; 3]);
    assert_eq!(plant.truth().nodes[1].building_a, [3.0, 3.0, 1.0]);
    assert_eq!(plant.truth().nodes[1].devices_a, [8.0; 3]);
    let meter = events.iter().rev().find_map(|event| match event {
        Event::Meter { node: 0, phases_a, .. } => Some(*phases_a),
        _ => None,
    });
    assert_eq!(meter, Some([8.0, 8.0, 6.0]));
}

#[test]
fn loads_run_when_they_may_and_batteries_stop_when_they_are_empty() {
    let mut setup = setup(2);
    setup.devices[0] =
        Device { kind: Kind::Load, min_a: 5.0, max_a: 20.0, fallback_a: Some([0.0; 24]), ..setup.devices[0].clone() };
    setup.devices[1] = Device {
        kind: Kind::Battery,
        min_a: 0.0,
        max_discharge_a: 32.0,
        fallback_a: Some([0.0; 24]),
        ..setup.devices[1].clone()
    };
    let (charger, _) = prompt();
    let world = World {
        chargers: vec![charger; 2],
        runs: vec![Run { device: 0, from: instant(100.0), until: instant(4000.0), amps: 12.0 }],
        stores: vec![Store { device: 1, soc_kwh: 6.9, range_kwh: [0.0, 20.0], efficiency: [0.9, 1.0] }],
        ..World::empty(instant(0.0), instant(86_400.0))
    };
    let mut plant = Plant::new(&setup, world, 1);
    plant.send(&command(0, 1, 20.0));
    plant.send(&command(1, 2, -10.0));
    assert!(go(&mut plant, 100.0).contains(&Event::Wish { device: 0, amps: 12.0 }));
    assert_eq!(plant.truth().nodes[0].devices_a, [2.0; 3]);
    plant.send(&command(0, 3, 4.0));
    go(&mut plant, 200.0);
    assert_eq!(plant.truth().devices[0].drawn_a, [0.0; 3]);
    // 6.9 kWh at 6.9 kW last an hour.
    go(&mut plant, 3590.0);
    assert_eq!(plant.truth().devices[1].drawn_a, [-10.0; 3]);
    go(&mut plant, 3610.0);
    assert_eq!(plant.truth().devices[1].drawn_a, [0.0; 3]);
    assert!(plant.stored_kwh(1).is_some_and(|kwh| kwh.abs() < 1e-4));
}

#[test]
fn a_vehicle_feeds_in_what_it_can_and_loses_on_the_way() {
    let mut setup = setup(1);
    setup.devices[0].max_discharge_a = 16.0;
    let (charger, car) = prompt();
    let car = Car { max_discharge_a: 10.0, ..car };
    let mut plant = Plant::new(&setup, world(charger, vec![stay(0, 0.0, 7200.0, car, 40.0)]), 1);
    plant.send(&command(0, 1, -16.0));
    go(&mut plant, 1.0);
    let before = plant.stays()[0];
    assert_eq!(plant.truth().devices[0].drawn_a, [-10.0; 3]);
    go(&mut plant, 3601.0);
    let after = plant.stays()[0];
    assert!((before.energy_kwh - after.energy_kwh - 6.9).abs() < 1e-9);
    assert!((before.soc_kwh - after.soc_kwh - (6.9 + car.own_kw) / car.efficiency).abs() < 1e-9);
}

/// L1 as the meter shows it, with stamps in s, on a day on which the building steps from 10 to 20 A at 100 s.
fn shown(how: MeterFault, from: f64, meter: Meter) -> Vec<(i64, f64)> {
    let (charger, _) = prompt();
    let step = What::Building { node: 0, amps: [10.0; 3] };
    let faults = vec![
        Fault { from: instant(100.0), until: instant(1000.0), what: step },
        Fault { from: instant(from), until: instant(500.0), what: What::Meter { node: 0, how } },
    ];
    let world = World {
        faults,
        meters: vec![meter],
        building_a: vec![std::array::from_fn(|_| vec![10.0])],
        ..world(charger, Vec::new())
    };
    let mut plant = Plant::new(&setup(1), world, 1);
    let mut seen = Vec::new();
    for second in (10..=200).step_by(10) {
        for event in go(&mut plant, f64::from(second)) {
            if let Event::Meter { at, phases_a, .. } = event {
                seen.push(((at - instant(0.0)).num_seconds(), phases_a[0]));
            }
        }
    }
    seen
}

#[test]
fn meters_show_what_their_faults_say() {
    let meter = Meter::default();
    let at = |seen: &[(i64, f64)], second: i64| seen.iter().rev().find(|(s, _)| *s == second).map(|(_, amps)| *amps);
    let honest = shown(MeterFault::Scaled { by: 1.0 }, 50.0, meter);
    assert_eq!((at(&honest, 90), at(&honest, 110)), (Some(10.0), Some(20.0)));
    let frozen = shown(MeterFault::Frozen, 50.0, meter);
    assert_eq!(at(&frozen, 110), Some(10.0));
    assert_eq!(at(&shown(MeterFault::Silent, 50.0, meter), 110), None);
    assert_eq!(at(&shown(MeterFault::Scaled { by: 10.0 }, 50.0, meter), 110), Some(200.0));
    assert_eq!(at(&shown(MeterFault::SignFlipped, 50.0, meter), 110), Some(-20.0));
    assert!(at(&shown(MeterFault::NotANumber, 50.0, meter), 110).expect("a value").is_nan());
    let fast = shown(MeterFault::Scaled { by: 1.0 }, 50.0, Meter { clock_s: 7.0, ..meter });
    assert_eq!(at(&fast, 117), Some(20.0));
    let late = shown(MeterFault::Late { by_s: 5.0 }, 50.0, meter);
    assert_eq!((at(&late, 105), at(&late, 110)), (Some(20.0), None));
    let mixed = shown(MeterFault::OutOfOrder, 50.0, meter);
    let stamps: Vec<i64> = mixed.iter().map(|(second, _)| *second).filter(|&second| second > 50).collect();
    assert!(stamps.windows(2).any(|pair| pair[1] < pair[0]), "{stamps:?}");
    let mut sorted = stamps.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), stamps.len());
}

/// Looks whether the truth can be.
#[derive(Default)]
struct Physics {
    building_kwh: f64,
    through_kwh: f64,
}

impl Watcher for Physics {
    fn held(&mut self, from: DateTime<Utc>, until: DateTime<Utc>, truth: &Truth) {
        let hours = (until - from).num_milliseconds() as f64 / 3_600_000.0;
        for phase in 0..3 {
            self.through_kwh += truth.nodes[0].total_a(phase) * 0.23 * hours;
            self.building_kwh += truth.nodes[0].building_a[phase] * 0.23 * hours;
        }
        for device in &truth.devices {
            let amps = device.drawn_a[0];
            assert!(amps == 0.0 || amps >= 6.0, "{amps} A");
        }
    }
}

/// A day of stays, noise and faults with a setpoint for somebody at every event. Returns what was heard, as text.
fn day(seed: u64, setpoints: &[(usize, u8)], faulted: bool) -> (Plant, Physics, String) {
    let charger = Charger { command_loss: 0.1, answer_loss: 0.1, reject: 0.05, ..Charger::default() };
    let mut stays = Vec::new();
    for (device, phases) in [(0, 1), (1, 2), (2, 3)] {
        let car = Car { phases, sleeps_after_s: Some(3000.0), ..Car::default() };
        stays.push(stay(device, 600.0 * (device + 1) as f64, 30_000.0, car, 20.0));
        stays.push(stay(device, 29_000.0, 70_000.0, car, 50.0));
    }
    let at = |from: f64, until: f64, what| Fault { from: instant(from), until: instant(until), what };
    let faults = vec![
        at(5000.0, 9000.0, What::Link { devices: vec![1], noticed_after_s: 45.0 }),
        at(7000.0, 7000.0, What::Reboot { device: 0 }),
        at(8000.0, 8000.0, What::Reboot { device: 1 }),
        at(12_000.0, 13_000.0, What::Meter { node: 0, how: MeterFault::OutOfOrder }),
        at(15_000.0, 16_000.0, What::Slow { device: 2, latency_s: 20.0 }),
        at(17_000.0, 18_000.0, What::Ignores { device: 2 }),
    ];
    let noise = Noise { sigma: 0.1, correlation_s: 120.0, motors_per_h: 2.0, motor_a: 20.0, motor_s: 3.0 };
    let world = World {
        faults: if faulted { faults } else { Vec::new() },
        building_a: vec![std::array::from_fn(|_| vec![10.0, 20.0, 15.0])],
        noise: vec![noise],
        ..world(charger, stays)
    };
    let mut plant = Plant::new(&setup(3), world, seed);
    let mut physics = Physics::default();
    let mut heard = String::new();
    let mut number = 0;
    while let Some(at) = plant.next_at().filter(|&at| at <= instant(86_400.0)) {
        for event in plant.advance(at, &mut physics) {
            write!(heard, "{event:?}").expect("text");
        }
        number += 1;
        if let Some(&(device, amps)) = setpoints.get(number / 5 % setpoints.len().max(1)).filter(|_| number % 5 == 0) {
            plant.send(&command(device, number as u64, f64::from(amps)));
        }
        for device in &plant.truth().devices {
            assert!(device.drawn_a[0] <= 32.0);
        }
    }
    plant.advance(instant(86_400.0), &mut physics);
    (plant, physics, heard)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn energy_is_conserved_and_the_same_seed_makes_the_same_day(
        seed in 0_u64..1000,
        setpoints in prop::collection::vec((0_usize..3, 0_u8..33), 1..40),
        faulted: bool,
    ) {
        let (plant, physics, heard) = day(seed, &setpoints, faulted);
        let devices: f64 = plant.truth().devices.iter().map(|device| device.energy_kwh).sum();
        prop_assert!((physics.through_kwh - physics.building_kwh - devices).abs() < 1e-6);
        let lost: f64 = plant.truth().devices.iter().map(|device| device.lost_kwh).sum();
        let before: f64 = plant.world.stays.iter().map(|stay| stay.soc_kwh).sum();
        let after: f64 = plant.stays().iter().map(|stay| stay.soc_kwh).sum();
        prop_assert!((devices - lost - (after - before)).abs() < 1e-6);
        prop_assert!(lost >= 0.0 && (devices == 0.0 || lost > 0.0));
        prop_assert!(plant.stays().iter().all(|stay| stay.soc_kwh < 60.0 + 1e-3));
        let (_, _, again) = day(seed, &setpoints, faulted);
        prop_assert!(heard == again);
    }

    #[test]
    fn a_car_never_draws_more_than_its_charger_has_allowed_lately(
        setpoints in prop::collection::vec(0_u8..33, 1..60),
        every_s in 1_u8..120,
    ) {
        let charger = Charger { latency_s: 0.0, ..Charger::default() };
        let car = Car { reaction_s: 5.0, max_a: 32.0, ..Car::default() };
        let mut plant = Plant::new(&setup(1), world(charger, vec![stay(0, 0.0, 80_000.0, car, 0.0)]), 3);
        let mut allowed = vec![8.0; 10];
        let mut second = 0;
        for (k, &amps) in setpoints.iter().enumerate() {
            plant.send(&command(0, k as u64, f64::from(amps)));
            for _ in 0..every_s {
                second += 1;
                go(&mut plant, f64::from(second));
                allowed.push(plant.truth().devices[0].allows_a);
                let lately = allowed[allowed.len() - 7..].iter().copied().fold(0.0, f64::max);
                prop_assert!(drawn(&plant) <= lately);
            }
        }
    }
}
