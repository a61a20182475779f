//! Vehicles on one phase where stations can choose it.

use kwartier_data::site::Station;
use kwartier_engine::control::settings::Settings;

use super::depot::{Depot, board, site, station};

/// Stations on one board, all wired alike, that can choose; vehicles charge on one phase.
fn depot(stations: usize, limit_a: f64) -> Depot {
    let stations = (0..stations).map(|k| choosing(&format!("S{k}"))).collect();
    let settings = Settings { margin_a: 0.5, ..Settings::default() };
    let mut depot = Depot::new(&site(vec![board("HV", None, limit_a, 10.0)], stations, &["HV"]), settings);
    depot.chargers.iter_mut().for_each(|charger| charger.phases = 1);
    // Until each has told what it draws.
    depot.seconds(15);
    depot
}

fn choosing(id: &str) -> Station {
    Station { chooses_phase: true, ..station(id, "HV", "RST", 16.0) }
}

/// How many commands moved a vehicle that was charging.
fn moves(depot: &Depot, device: usize) -> usize {
    let told = depot.sent.iter().filter(|setpoint| setpoint.device == device).filter_map(|setpoint| setpoint.phase);
    let told: Vec<u8> = told.collect();
    told.windows(2).filter(|pair| pair[0] != pair[1]).count()
}

#[test]
fn who_comes_is_put_on_the_emptiest_phase() {
    let mut depot = depot(3, 30.5);
    depot.building_a[0] = [10.0, 0.0, 4.0];
    (0..3).for_each(|device| {
        depot.plug(device, 16.0);
        depot.seconds(120);
    });
    let drawn: Vec<f64> = (0..3).map(|device| depot.draws_a(device)).collect();
    assert_eq!(drawn, [16.0; 3], "one on each phase: {:?}", depot.flows_a(0));
    assert_eq!(depot.flows_a(0), [26.0, 16.0, 20.0]);
    assert_eq!(depot.longest_over_s(), 0);
    // A car on three phases is told none.
    depot.unplug(0);
    depot.chargers[0].phases = 3;
    depot.plug(0, 16.0);
    depot.seconds(60);
    let last = depot.sent.iter().rfind(|setpoint| setpoint.device == 0).unwrap();
    assert_eq!((last.phase, last.phases), (None, 3));
}

#[test]
fn who_has_too_little_is_moved_once_and_not_back() {
    let mut depot = depot(2, 30.5);
    depot.plug(0, 16.0);
    depot.seconds(120);
    let first = depot.chargers[0].single;
    // The building comes to stay where it charges.
    depot.building_a[0][first] = 22.0;
    depot.seconds(30);
    assert!(depot.draws_a(0) < 9.0, "{}", depot.draws_a(0));
    depot.seconds(180);
    assert_ne!(depot.chargers[0].single, first);
    assert_eq!(depot.draws_a(0), 16.0);
    assert_eq!(moves(&depot, 0), 1);
    // It goes back and forth: the vehicle does not, but once a quarter-hour at most, and four times in all.
    for round in 0..60 {
        depot.building_a[0] = [0.0; 3];
        depot.building_a[0][if round % 2 == 0 { depot.chargers[0].single } else { first }] = 22.0;
        depot.seconds(120);
    }
    assert!((2..=5).contains(&moves(&depot, 0)), "{}", moves(&depot, 0));
    assert!(depot.longest_over_s() <= 10, "the building comes at once, a vehicle follows");
}

#[test]
fn what_lasts_only_a_moment_moves_nobody() {
    let mut depot = depot(1, 30.5);
    depot.plug(0, 16.0);
    depot.seconds(120);
    let first = depot.chargers[0].single;
    depot.building_a[0][first] = 20.0;
    depot.seconds(40);
    depot.building_a[0][first] = 0.0;
    depot.seconds(300);
    assert_eq!((moves(&depot, 0), depot.draws_a(0)), (0, 16.0));
}

#[test]
fn nobody_is_moved_who_has_what_the_plan_gives() {
    let mut depot = depot(1, 30.5);
    depot.events.push(kwartier_engine::control::Event::Planned(std::sync::Arc::new(
        kwartier_engine::control::event::Targets {
            start: depot.now,
            slot_s: 900,
            amps: vec![Some(vec![8.0; 96])],
            costs_eur_kwh: Vec::new(),
        },
    )));
    depot.plug(0, 16.0);
    depot.seconds(120);
    let first = depot.chargers[0].single;
    depot.building_a[0][first] = 21.0;
    depot.seconds(600);
    assert_eq!((moves(&depot, 0), depot.draws_a(0)), (0, 8.0));
}

/// It stays where it is, whatever it is told: no fuse notices, and it charges as one does that cannot choose.
#[test]
fn who_does_not_follow_is_found_and_breaks_nothing() {
    let mut depot = depot(3, 30.5);
    depot.chargers.iter_mut().for_each(|charger| charger.chooses = false);
    (0..3).for_each(|device| depot.plug(device, 16.0));
    depot.building_a[0] = [6.0, 3.0, 0.0];
    depot.seconds(900);
    assert_eq!(depot.longest_over_s(), 0);
    let drawn: f64 = (0..3).map(|device| depot.draws_a(device)).sum();
    assert!(drawn > 20.0, "{drawn} A of 24 A on L1");
    // Once found out it counts where it is, and nowhere else.
    depot.building_a[0] = [6.0, 30.0, 30.0];
    depot.seconds(300);
    let drawn: f64 = (0..3).map(|device| depot.draws_a(device)).sum();
    assert!(drawn > 20.0, "{drawn} A of 24 A on L1");
}

/// What was chosen is lost with the connection: then it may be on any.
#[test]
fn who_is_out_of_reach_counts_on_every_phase() {
    let mut depot = depot(2, 26.5);
    depot.plug(0, 16.0);
    depot.seconds(120);
    depot.chargers[0].up = false;
    depot.events.push(kwartier_engine::control::Event::Link { device: 0, up: false });
    depot.chargers[1].phases = 3;
    depot.plug(1, 16.0);
    depot.seconds(60);
    assert!(depot.draws_a(1) <= 10.0, "16 A of 26 A may be on any phase: {}", depot.draws_a(1));
    depot.chargers[0].single = (depot.chargers[0].single + 1) % 3;
    depot.seconds(120);
    assert_eq!(depot.longest_over_s(), 0);
}
