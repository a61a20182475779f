//! Judges find what was planted, and nothing else.

use super::super::Plant;
use super::super::tests::{instant, setup, stay, world};
use super::super::truth::{DeviceTruth, NodeTruth, Truth, Watcher};
use super::super::world::{Car, Charger, Noise, World};
use super::*;
use crate::control::event::{Limit, Scope, Signal};

/// A board with so much of the building and of devices on every phase, one device.
fn truth(building_a: f64, devices_a: f64) -> Truth {
    let node = NodeTruth { building_a: [building_a; 3], devices_a: [devices_a; 3], reserve_a: [0.0; 3] };
    Truth { nodes: vec![node], devices: vec![DeviceTruth { drawn_a: [devices_a; 3], ..DeviceTruth::default() }] }
}

/// What is found when truths hold one after the other, each for so many s.
fn found(setup: &Setup, world: &World, course: &[(f64, Truth)]) -> Vec<Finding> {
    let mut judges = Judges::new(setup, world);
    let mut at = 0.0;
    for (seconds, truth) in course {
        judges.held(instant(at), instant(at + seconds), truth);
        at += seconds;
    }
    let now = instant(at);
    judges.overload.end(now, &mut judges.findings);
    judges.imbalance.end(now, &mut judges.findings);
    judges.quarter.end(&mut judges.findings);
    judges.orders.end(now, &mut judges.findings);
    judges.guaranteed.end(now, &mut judges.findings);
    judges.findings
}

fn quiet() -> World {
    World::empty(instant(0.0), instant(86_400.0))
}

#[test]
fn an_overload_of_eleven_seconds_is_found_and_one_of_nine_is_not() {
    let around = |seconds: f64, over: Truth| [(60.0, truth(20.0, 20.0)), (seconds, over), (60.0, truth(20.0, 20.0))];
    let over = || truth(50.0, 15.0);
    assert_eq!(found(&setup(1), &quiet(), &around(9.0, over())), []);
    let findings = found(&setup(1), &quiet(), &around(11.0, over()));
    assert_eq!(findings.len(), 3);
    let expected = Finding::new(Rule::Overload, instant(60.0), 11.0, 65.0, 63.0);
    assert_eq!(findings[0], Finding { node: Some(0), phase: Some(0), ..expected });
    // Within an ampere nothing is over.
    assert_eq!(found(&setup(1), &quiet(), &around(600.0, truth(50.0, 13.9))), []);
}

#[test]
fn the_building_alone_is_nobodys_fault_but_what_is_added_is() {
    assert_eq!(found(&setup(1), &quiet(), &[(600.0, truth(80.0, 0.0))]), []);
    assert_eq!(found(&setup(1), &quiet(), &[(600.0, truth(80.0, 6.0))]).len(), 3);
    assert_eq!(found(&setup(1), &quiet(), &[(600.0, truth(-20.0, -50.0))]).len(), 3);
}

#[test]
fn a_board_that_tolerates_more_is_given_it_up_to_a_height() {
    let mut setup = setup(1);
    setup.nodes[0].tolerance_s = 30.0;
    assert_eq!(found(&setup, &quiet(), &[(20.0, truth(50.0, 30.0))]), []);
    assert_eq!(found(&setup, &quiet(), &[(20.0, truth(50.0, 60.0))]).len(), 3);
}

#[test]
fn what_silent_chargers_hold_counts() {
    let mut held = truth(50.0, 6.0);
    held.nodes[0].reserve_a = [0.0, 0.0, 10.0];
    let findings = found(&setup(1), &quiet(), &[(20.0, held)]);
    assert_eq!(findings.iter().map(|finding| finding.phase).collect::<Vec<_>>(), [Some(2)]);
}

#[test]
fn a_board_out_of_balance_is_found_after_a_minute() {
    let mut setup = setup(1);
    setup.nodes[0].imbalance_a = Some(20.0);
    let mut uneven = truth(10.0, 0.0);
    uneven.nodes[0].devices_a = [25.0, 0.0, 0.0];
    assert_eq!(found(&setup, &quiet(), &[(59.0, uneven.clone()), (1.0, truth(10.0, 0.0))]), []);
    let findings = found(&setup, &quiet(), &[(61.0, uneven), (1.0, truth(10.0, 0.0))]);
    assert_eq!(
        findings.iter().map(|finding| (finding.rule, finding.value)).collect::<Vec<_>>(),
        [(Rule::Imbalance, 25.0)]
    );
}

#[test]
fn a_quarter_is_judged_by_its_average() {
    let mut setup = setup(1);
    setup.import_cap_kw = Some(20.7);
    // 30 A are 20.7 kW.
    assert_eq!(found(&setup, &quiet(), &[(450.0, truth(10.0, 40.0)), (450.0, truth(10.0, 0.0))]), []);
    let findings = found(&setup, &quiet(), &[(450.0, truth(10.0, 45.0)), (450.0, truth(10.0, 0.0))]);
    assert_eq!(findings.len(), 1);
    assert!((findings[0].value - 22.425).abs() < 1e-9 && findings[0].from == instant(0.0));
    assert_eq!(found(&setup, &quiet(), &[(900.0, truth(40.0, 0.0))]), []);
}

#[test]
fn an_order_counts_from_when_it_is_told_and_for_devices_alone() {
    let signal = Signal {
        id: "a".into(),
        on: Scope::Devices(vec![0]),
        limit: Limit::Power(4.2),
        from: instant(0.0),
        until: None,
    };
    let told = (instant(100.0), Event::Signal(signal));
    let world = World { signals: vec![told, (instant(300.0), Event::Withdrawn { id: "a".into() })], ..quiet() };
    let course =
        |seconds: f64| [(100.0, truth(20.0, 10.0)), (seconds, truth(20.0, 10.0)), (200.0 - seconds, truth(40.0, 6.0))];
    assert_eq!(found(&setup(1), &world, &course(9.0)), []);
    assert_eq!(found(&setup(1), &world, &course(11.0)).len(), 1);
}

#[test]
fn whoever_waits_for_a_guarantee_although_there_is_room_is_found() {
    let mut setup = setup(1);
    setup.devices[0].guaranteed_a = 6.0;
    let world = World { stays: vec![stay(0, 0.0, 7200.0, Car::default(), 10.0)], ..quiet() };
    let waits = |building_a: f64| {
        let mut waits = truth(building_a, 0.0);
        (waits.devices[0].stay, waits.devices[0].hungry) = (Some(0), true);
        [(400.0, waits)]
    };
    assert_eq!(found(&setup, &world, &waits(60.0)), []);
    let findings = found(&setup, &world, &waits(20.0));
    assert_eq!(
        findings.iter().map(|finding| (finding.rule, finding.device)).collect::<Vec<_>>(),
        [(Rule::Guaranteed, Some(0))]
    );
}

#[test]
fn a_plain_day_is_without_findings_and_its_energy_adds_up() {
    let setup = setup(2);
    let noise = Noise { sigma: 0.1, correlation_s: 120.0, motors_per_h: 1.0, motor_a: 20.0, motor_s: 3.0 };
    let stays = vec![
        stay(0, 100.0, 40_000.0, Car::default(), 10.0),
        stay(1, 5000.0, 60_000.0, Car { phases: 1, ..Car::default() }, 30.0),
    ];
    let building_a = vec![std::array::from_fn(|_| vec![10.0; 96])];
    let world = World { building_a, noise: vec![noise], ..world(Charger::default(), stays) };
    let mut judges = Judges::new(&setup, &world);
    let mut plant = Plant::new(&setup, world, 5);
    while let Some(at) = plant.next_at().filter(|&at| at <= instant(86_400.0)) {
        let events = plant.advance(at, &mut judges);
        judges.hear(&events);
    }
    let report = judges.report(&plant);
    assert_eq!(report.findings, []);
    assert_eq!(report.most_starts, 1);
    assert!(report.closest_a[0] > 0.0 && report.closest_a[0] < 45.0);
}
