//! A meter is held against what the devices below it show.

use kwartier_data::site::PvPlant;
use kwartier_engine::control::Event;
use kwartier_engine::control::command::{Distrust, Notice};
use kwartier_engine::control::event::Action;
use kwartier_engine::control::settings::Settings;

use super::depot::{Depot, board, site, station};

/// Four stations of 16 A and a building of at most 20 A on a board of 63 A, and a plant of so many kW.
fn four(peak_kw: f64) -> Depot {
    let stations = (0..4).map(|k| station(&format!("S{k}"), "HV", "RST", 16.0)).collect();
    let mut site = site(vec![board("HV", None, 63.0, 20.0)], stations, &["HV"]);
    if peak_kw > 0.0 {
        site.pv.push(PvPlant {
            id: "Roof".to_owned(),
            board: "HV".to_owned(),
            phases: ["L1", "L2", "L3"].map(str::to_owned).to_vec(),
            peak_kw,
            curtailable: false,
            tilt_deg: None,
            azimuth_deg: None,
        });
    }
    Depot::new(&site, Settings::default())
}

fn all_charge(depot: &mut Depot) {
    (0..4).for_each(|device| depot.plug(device, 16.0));
}

const LOST: Notice = Notice::MeterLost { node: 0, reason: Distrust::Impossible };
const BACK: Notice = Notice::MeterBack { node: 0 };

#[test]
fn a_meter_that_runs_backwards_is_not_believed_and_comes_back_by_itself() {
    let mut depot = four(0.0);
    all_charge(&mut depot);
    depot.building_a[0] = [10.0; 3];
    depot.seconds(180);
    let before_a = depot.draws_a(0);
    assert!(before_a > 12.5, "{before_a} A of 13");
    depot.meter_shows[0] = |amps| -amps;
    assert_eq!(depot.of_meters(5), [LOST]);
    depot.building_a[0] = [20.0; 3];
    assert_eq!(depot.of_meters(600), []);
    // 63 A less 1 A and 20 A of the building, for four.
    assert!((depot.draws_a(0) - 10.5).abs() < 0.1, "{} A", depot.draws_a(0));
    // As long as they take to obey, no longer.
    assert!(depot.longest_over_s() <= depot.reaction_s);
    depot.building_a[0] = [10.0; 3];
    depot.meter_shows[0] = |amps| amps;
    assert_eq!(depot.of_meters(50), []);
    assert_eq!(depot.of_meters(30), [BACK]);
    depot.seconds(180);
    assert!(depot.draws_a(0) > 12.5);
}

#[test]
fn a_meter_that_shows_the_same_while_a_vehicle_stops_is_found_with_the_next_report() {
    let mut depot = four(0.0);
    all_charge(&mut depot);
    depot.building_a[0] = [10.0; 3];
    depot.seconds(180);
    depot.meter_shows[0] = |_| 62.0;
    assert_eq!(depot.of_meters(30), [], "nothing else has changed");
    let until = depot.now + chrono::TimeDelta::minutes(10);
    depot.events.push(Event::Override { device: 0, action: Some(Action::Stop), until });
    // It obeys in time and tells within 10 s.
    assert_eq!(depot.of_meters(25), [Notice::MeterLost { node: 0, reason: Distrust::Frozen }]);
}

#[test]
fn a_single_reading_that_cannot_be_is_passed_over() {
    let mut depot = four(0.0);
    all_charge(&mut depot);
    depot.seconds(180);
    let before = depot.sent.len();
    depot.meter_shows[0] = |amps| -amps;
    depot.second();
    depot.meter_shows[0] = |amps| amps;
    assert_eq!(depot.of_meters(20), []);
    let sent: Vec<f64> = depot.sent[before..].iter().map(|setpoint| setpoint.amps).collect();
    assert!(sent.iter().all(|amps| *amps > 15.0), "nothing is shed for it: {sent:?}");
}

#[test]
fn a_meter_that_shows_a_tenth_is_found_by_what_the_stations_show() {
    let mut depot = four(0.0);
    all_charge(&mut depot);
    depot.building_a[0] = [15.0; 3];
    depot.seconds(180);
    depot.meter_shows[0] = |amps| amps / 10.0;
    // Stations tell every 10 s, and what they told before the doubt proves nothing.
    assert_eq!(depot.of_meters(20), [LOST]);
    depot.seconds(300);
    assert_eq!(depot.longest_over_s(), 0);
}

#[test]
fn sun_that_is_fed_in_is_believed_and_more_than_the_plant_can_is_not() {
    // 12 kW are 17.4 A on each phase, 21.7 A for moments.
    let mut depot = four(12.0);
    depot.building_a[0] = [-15.0; 3];
    all_charge(&mut depot);
    assert_eq!(depot.of_meters(180), []);
    assert_eq!(depot.draws_a(0), 16.0);
    (0..4).for_each(|device| depot.unplug(device));
    assert_eq!(depot.of_meters(60), []);
    assert!(depot.state.as_ref().unwrap().meter_believed(0));
    depot.building_a[0] = [-24.0; 3];
    assert_eq!(depot.of_meters(10), [LOST]);
}

#[test]
fn behind_the_sun_a_meter_that_runs_backwards_hides_no_overload() {
    let mut depot = four(20.0);
    depot.meter_shows[0] = |amps| -amps;
    all_charge(&mut depot);
    for amps in [2.0, 19.0, 5.0, 20.0] {
        depot.building_a[0] = [amps; 3];
        depot.seconds(600);
    }
    assert!(depot.longest_over_s() <= 10, "{} s", depot.longest_over_s());
}

#[test]
fn a_vehicle_that_stops_before_its_station_tells_is_no_fault_of_the_meter() {
    let mut depot = four(0.0);
    all_charge(&mut depot);
    depot.seconds(180);
    depot.tells = vec![false; 4];
    for device in 0..4 {
        depot.chargers[device].takes_a = 0.0;
    }
    assert_eq!(depot.of_meters(45), []);
    depot.tells = vec![true; 4];
    assert_eq!(depot.of_meters(120), []);
    assert!(depot.state.as_ref().unwrap().meter_believed(0));
}

#[test]
fn a_loop_that_starts_behind_a_meter_that_lies_counts_the_worst_building() {
    let mut depot = four(0.0);
    all_charge(&mut depot);
    depot.building_a[0] = [20.0; 3];
    depot.seconds(180);
    depot.meter_shows[0] = |amps| -amps;
    depot.restart();
    let told = depot.of_meters(300);
    assert_eq!(told, [LOST]);
    assert!((depot.draws_a(0) - 10.5).abs() < 0.1, "{} A", depot.draws_a(0));
    assert_eq!(depot.longest_over_s(), 0);
}

#[test]
fn what_a_vehicle_may_feed_in_is_no_fault_of_the_meter() {
    let mut site = site(vec![board("HV", None, 63.0, 20.0)], vec![station("S0", "HV", "RST", 32.0)], &["HV"]);
    site.stations[0].max_discharge_a = Some(16.0);
    let mut depot = Depot::new(&site, Settings::default());
    depot.seconds(5);
    depot.building_a[0] = [2.0; 3];
    depot.plug(0, 32.0);
    // Until it has told what it holds, it may be feeding in.
    depot.events.push(Event::Booted { device: 0 });
    depot.building_a[0] = [-10.0; 3];
    assert_eq!(depot.of_meters(20), []);
    depot.events.push(Event::Holds { device: 0, amps: Some(0.0) });
    assert_eq!(depot.of_meters(60), [LOST]);
}

#[test]
fn a_meter_that_shows_a_tenth_is_not_believed_before_it_has_followed() {
    // 40 A of building, of which the meter shows 4; the fuse would carry 14 A for four beside the worst of it.
    let stations = (0..4).map(|k| station(&format!("S{k}"), "HV", "RST", 32.0)).collect();
    let mut depot = Depot::new(&site(vec![board("HV", None, 63.0, 40.0)], stations, &["HV"]), Settings::default());
    depot.meter_shows[0] = |amps| amps / 10.0;
    depot.building_a[0] = [40.0; 3];
    depot.seconds(60);
    (0..4).for_each(|device| depot.plug(device, 32.0));
    depot.seconds(600);
    assert_eq!(depot.longest_over_s(), 0);
    assert!(depot.draws_a(0) > 6.0, "what fits beside the worst building is given");
}

#[test]
fn a_meter_that_shows_a_tenth_from_one_moment_on_gives_nobody_more() {
    let stations = (0..4).map(|k| station(&format!("S{k}"), "HV", "RST", 32.0)).collect();
    let mut depot = Depot::new(&site(vec![board("HV", None, 63.0, 40.0)], stations, &["HV"]), Settings::default());
    depot.building_a[0] = [20.0; 3];
    depot.plug(0, 32.0);
    depot.seconds(120);
    assert_eq!(depot.draws_a(0), 32.0, "it has followed");
    depot.unplug(0);
    depot.building_a[0] = [40.0; 3];
    depot.seconds(60);
    depot.meter_shows[0] = |amps| amps / 10.0;
    depot.seconds(60);
    (0..4).for_each(|device| depot.plug(device, 32.0));
    depot.seconds(600);
    assert!(depot.longest_over_s() <= 10, "{} s", depot.longest_over_s());
}

#[test]
fn a_meter_that_tells_late_is_not_believed_however_long_that_lasts() {
    let mut depot = four(0.0);
    all_charge(&mut depot);
    depot.building_a[0] = [10.0; 3];
    depot.seconds(2400);
    assert!(depot.draws_a(0) > 12.5);
    depot.meters_late_s = 25;
    let late = Notice::MeterLost { node: 0, reason: Distrust::Silent };
    assert_eq!(depot.of_meters(60), [late]);
    for minute in 0..28_u32 {
        depot.building_a[0] = [if minute % 3 == 0 { 20.0 } else { 10.0 }; 3];
        assert_eq!(depot.of_meters(60), []);
        assert!((depot.draws_a(0) - 10.5).abs() < 0.1, "minute {minute}: {} A", depot.draws_a(0));
    }
    assert_eq!(depot.longest_over_s(), 0);
    depot.meters_late_s = 0;
    assert_eq!(depot.of_meters(60), [BACK]);
}

#[test]
fn where_our_clock_was_set_the_meter_comes_back_within_an_hour() {
    let mut depot = four(0.0);
    all_charge(&mut depot);
    depot.building_a[0] = [10.0; 3];
    depot.seconds(600);
    // By so little that it might as well be time that has passed.
    depot.now += chrono::TimeDelta::seconds(30);
    depot.meters_behind_s = 30;
    assert_eq!(depot.of_meters(60), [Notice::MeterLost { node: 0, reason: Distrust::Silent }]);
    assert_eq!(depot.of_meters(3600), [BACK]);
    assert_eq!(depot.longest_over_s(), 0);
    assert!(depot.draws_a(0) > 12.5);
}

/// The installer's figure is wrong, and vehicles draw less than they were given: what they show is believed, so that one lowering is
/// enough.
#[test]
fn a_building_beyond_the_installers_figure_is_shed_for_at_once() {
    let stations = (0..4).map(|k| station(&format!("S{k}"), "HV", "RST", 32.0)).collect();
    let site = site(vec![board("HV", None, 63.0, 20.0)], stations, &["HV"]);
    let mut depot = Depot::new(&site, Settings::default());
    (0..4).for_each(|device| depot.plug(device, 10.0));
    depot.building_a[0] = [5.0; 3];
    depot.seconds(50);
    let state = depot.state.as_ref().unwrap();
    assert!(depot.draws_a(3) > 9.5 && state.granted_a(3) > 12.0, "{} of {} A", depot.draws_a(3), state.granted_a(3));
    depot.building_a[0] = [45.0; 3];
    depot.seconds(60);
    // The tolerance of 2 s, and the second in which each is noticed, sent and obeyed.
    assert!(depot.longest_over_s() <= 2 + depot.reaction_s + 1, "{} s", depot.longest_over_s());
    assert!((0..4).any(|device| depot.draws_a(device) > 5.0), "not everybody has to stop");
}
