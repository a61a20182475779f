//! Emergency power, and who goes first: vehicles, groups, loads.

use kwartier_data::site::{Battery, Load};
use kwartier_engine::control::event::{Action, Emergency, Limit, Scope, Signal, Targets};
use kwartier_engine::control::settings::{Settings, Split};
use kwartier_engine::control::{Event, Why};
use proptest::prelude::*;

use super::cases::cases;
use super::depot::{Depot, board, site, station};
use super::safety::{happen, happenings, sites};

/// A generator at a board until further notice.
fn generator(depot: &Depot, node: usize, kw: f64, priority: Option<u8>) -> Event {
    let limit = Limit::Emergency(Emergency::of(None, Some(kw), priority, 230.0));
    Event::Signal(Signal { id: "G".to_owned(), on: Scope::Node(node), limit, from: depot.now, until: None })
}

fn over() -> Event {
    Event::Withdrawn { id: "G".to_owned() }
}

/// Four stations on one board, and a heat pump of 1 to 3 kW that may run.
fn depot(limit_a: f64, heat_priority: u8, split: Split) -> Depot {
    let stations = (0..4).map(|k| station(&format!("S{k}"), "HV", "RST", 16.0)).collect();
    let mut site = site(vec![board("HV", None, limit_a, 10.0)], stations, &["HV"]);
    site.loads.push(Load {
        id: "Heat pump".to_owned(),
        board: "HV".to_owned(),
        phases: ["L1", "L2", "L3"].map(str::to_owned).to_vec(),
        from: "00:00".to_owned(),
        until: "00:00".to_owned(),
        min_kw: 1.0,
        max_kw: 6.9,
        need_kwh: 10.0,
        shortfall_eur_kwh: 0.3,
        priority: heat_priority,
    });
    let mut depot = Depot::new(&site, Settings { margin_a: 0.5, split, ..Settings::default() });
    depot.chargers[4].takes_a = 10.0;
    depot.events.push(Event::Wish { device: 4, amps: 10.0 });
    depot
}

fn drawn(depot: &Depot) -> Vec<f64> {
    (0..depot.chargers.len()).map(|device| depot.draws_a(device)).collect()
}

#[test]
fn priority_vehicles_go_on_within_what_a_generator_gives() {
    let mut depot = depot(80.5, 1, Split::Prioritised);
    [2, 0, 1, 0].into_iter().enumerate().for_each(|(device, priority)| depot.plug_as(device, 16.0, priority, 6.0));
    depot.building_a[0] = [4.0; 3];
    depot.seconds(180);
    assert!(drawn(&depot).iter().sum::<f64>() > 65.0, "{:?}", drawn(&depot));
    // 13.8 kW are 20 A on each phase. Who is below the priority gets nothing, its guarantee and a boost notwithstanding.
    let until = depot.now + chrono::TimeDelta::hours(2);
    depot.events.push(Event::Override { device: 1, action: Some(Action::Boost), until });
    let signal = generator(&depot, 0, 13.8, Some(1));
    depot.events.push(signal);
    depot.seconds(10);
    assert!(depot.flows_a(0).into_iter().all(|amps| amps <= 20.0), "{:?}", depot.flows_a(0));
    let off = depot.sent.iter().rfind(|setpoint| setpoint.device == 1).unwrap();
    assert_eq!((off.amps, off.why), (0.0, Why::Grid));
    for _ in 0..600 {
        depot.second();
        assert!(depot.flows_a(0).into_iter().all(|amps| amps <= 20.0), "{:?}", depot.flows_a(0));
        assert_eq!([depot.draws_a(1), depot.draws_a(3)], [0.0; 2]);
    }
    assert!(depot.draws_a(0) >= 6.0, "{:?}", drawn(&depot));
    // No priority at all: everything is off.
    let signal = generator(&depot, 0, 13.8, None);
    depot.events.push(signal);
    depot.seconds(20);
    assert_eq!(drawn(&depot), [0.0; 5]);
    depot.events.push(over());
    depot.seconds(400);
    assert!(drawn(&depot).iter().sum::<f64>() > 65.0, "the grid is back: {:?}", drawn(&depot));
    assert_eq!(depot.longest_over_s(), 0);
}

#[test]
fn a_generator_at_one_board_is_nothing_to_the_others() {
    let stations = vec![station("A", "UV1", "RST", 16.0), station("B", "HV", "RST", 16.0)];
    let boards = vec![board("HV", None, 60.0, 4.0), board("UV1", Some("HV"), 40.0, 4.0)];
    let mut depot = Depot::new(&site(boards, stations, &["HV", "UV1"]), Settings::default());
    (0..2).for_each(|device| depot.plug(device, 16.0));
    depot.seconds(120);
    let signal = generator(&depot, 1, 6.9, Some(0));
    depot.events.push(signal);
    depot.seconds(120);
    assert_eq!(depot.draws_a(1), 16.0);
    assert!((6.0..=10.0).contains(&depot.draws_a(0)), "{}", depot.draws_a(0));
}

#[test]
fn nothing_is_fed_into_a_generator() {
    let mut site = site(vec![board("HV", None, 60.0, 20.0)], vec![station("A", "HV", "RST", 16.0)], &["HV"]);
    site.batteries.push(Battery {
        id: "Store".to_owned(),
        board: "HV".to_owned(),
        capacity_kwh: 20.0,
        max_charge_kw: 6.9,
        max_discharge_kw: 6.9,
        efficiency: 0.95,
        wear_eur_kwh: 0.0,
        soc_kwh: None,
        end_soc_kwh: None,
    });
    let mut depot = Depot::new(&site, Settings::default());
    depot.building_a[0] = [15.0; 3];
    let plan = |depot: &Depot, amps: f64| {
        let targets =
            Targets { start: depot.now, slot_s: 900, amps: vec![None, Some(vec![amps; 8])], costs_eur_kwh: Vec::new() };
        Event::Planned(std::sync::Arc::new(targets))
    };
    let feeds = plan(&depot, -8.0);
    depot.events.push(feeds.clone());
    depot.seconds(30);
    assert_eq!(depot.state.as_ref().unwrap().granted_a(1), -8.0);
    let signal = generator(&depot, 0, 30.0, Some(0));
    depot.events.push(signal);
    depot.seconds(5);
    assert_eq!(depot.state.as_ref().unwrap().granted_a(1), 0.0, "at once, not when the setpoint is renewed");
    depot.events.push(over());
    depot.seconds(30);
    assert_eq!(depot.state.as_ref().unwrap().granted_a(1), -8.0);
    // The plan ends it as well.
    let rests = plan(&depot, 0.0);
    depot.events.push(rests);
    depot.seconds(5);
    assert_eq!(depot.state.as_ref().unwrap().granted_a(1), 0.0);
}

/// A process that must run, a heat pump that may wait: loads stand in one line with vehicles.
#[test]
fn loads_and_vehicles_are_served_by_priority() {
    // 40 A for four vehicles of 16 A and a load of 10 A.
    let mut process = depot(40.5, 3, Split::Prioritised);
    (0..4).for_each(|device| process.plug_as(device, 16.0, 1, 0.0));
    process.seconds(300);
    assert_eq!(process.draws_a(4), 10.0, "{:?}", drawn(&process));
    let mut heat = depot(40.5, 0, Split::Prioritised);
    (0..4).for_each(|device| heat.plug_as(device, 16.0, 1, 0.0));
    heat.seconds(300);
    assert!(heat.draws_a(4) < 6.0, "it waits: {:?}", drawn(&heat));
    assert!((0..4).map(|device| heat.draws_a(device)).sum::<f64>() > 33.0, "{:?}", drawn(&heat));
    assert_eq!((process.longest_over_s(), heat.longest_over_s()), (0, 0));
}

#[test]
fn a_group_with_priority_is_filled_first_and_an_equal_split_knows_none() {
    let mut ranked = depot(40.5, 0, Split::Prioritised);
    [1, 1, 0, 0].into_iter().enumerate().for_each(|(device, group)| ranked.plug_as(device, 16.0, group, 0.0));
    ranked.events.push(Event::Wish { device: 4, amps: 0.0 });
    ranked.seconds(300);
    let amps = drawn(&ranked);
    assert!(amps[0] == 14.0 && amps[1] == 14.0 && amps[2] == 6.0 && amps[3] == 6.0, "{amps:?}");
    let mut equal = depot(40.5, 0, Split::Equal);
    [1, 1, 0, 0].into_iter().enumerate().for_each(|(device, group)| equal.plug_as(device, 16.0, group, 0.0));
    equal.events.push(Event::Wish { device: 4, amps: 0.0 });
    equal.seconds(300);
    assert_eq!(drawn(&equal)[..4], [10.0; 4]);
}

proptest! {
    #![proptest_config(cases(200))]

    /// Whatever happens, but for what keeps the loop from hearing: what flows through a board on emergency power is more than that
    /// gives, or than the building alone, for no longer than a vehicle takes to show what it draws (10 s) and to follow (5 s).
    #[test]
    fn a_generator_is_never_overloaded_for_long(
        mut depot in sites(),
        before in happenings(),
        after in happenings(),
        kw in 6.0..30.0_f64,
    ) {
        let heard = |what: &super::safety::Happening| {
            use super::safety::Happening::{Answers, Lies, Link, Meter, Restart};
            // What keeps the loop from hearing or from being heard is excused elsewhere.
            !matches!(what, Answers(..) | Lies(..) | Link(..) | Meter(..) | Restart)
        };
        for (seconds, happening) in before.iter().filter(|(_, what)| heard(what)) {
            depot.seconds(*seconds);
            happen(&mut depot, happening);
        }
        let signal = generator(&depot, 0, kw, Some(0));
        depot.events.push(signal);
        depot.seconds(10);
        let limit_a = kw * 1000.0 / 3.0 / 230.0;
        let mut over_s = 0;
        for (seconds, happening) in after.iter().filter(|(_, what)| heard(what)) {
            for _ in 0..*seconds {
                depot.second();
                let building_a: [f64; 3] = std::array::from_fn(|phase| depot.building_a.iter().map(|amps| amps[phase]).sum());
                let over = (0..3).any(|phase| depot.flows_a(0)[phase] > limit_a.max(building_a[phase]) + 1.0);
                over_s = if over { over_s + 1 } else { 0 };
                prop_assert!(over_s <= 15, "{:?} of {limit_a}, building {building_a:?}", depot.flows_a(0));
            }
            happen(&mut depot, happening);
            if matches!(happening, super::safety::Happening::Building(..)) {
                // What comes on top of an excess that is being answered has to be answered in its turn.
                over_s = 0;
            }
        }
    }
}
