//! What the loop does, rule by rule.

use std::sync::Arc;

use chrono::TimeDelta;
use kwartier_data::site::Board;
use kwartier_engine::control::command::{Distrust, Notice};
use kwartier_engine::control::event::{Action, Limit, Scope, Signal, Targets};
use kwartier_engine::control::settings::{Management, Settings};
use kwartier_engine::control::{Event, Why};

use super::depot::{Depot, board, site, station};

fn four(limit_a: f64) -> Depot {
    let stations = (0..4).map(|k| station(&format!("S{k}"), "HV", "RST", 16.0)).collect();
    Depot::new(&site(vec![board("HV", None, limit_a, 10.0)], stations, &["HV"]), exact())
}

/// Vehicles on one phase at three stations of some rotations, on a board with a meter.
fn three_on_one_phase(rotations: [&str; 3], board: Board) -> Depot {
    let stations = rotations.iter().enumerate().map(|(k, of)| station(&format!("S{k}"), "HV", of, 16.0));
    let mut depot = Depot::new(&site(vec![board], stations.collect(), &["HV"]), exact());
    depot.chargers.iter_mut().for_each(|charger| charger.phases = 1);
    depot
}

/// With a margin that makes round numbers.
fn exact() -> Settings {
    Settings { margin_a: 0.5, ..Settings::default() }
}

#[test]
fn alone_a_vehicle_gets_all_and_four_share() {
    let mut depot = four(40.5);
    depot.plug(0, 16.0);
    depot.seconds(30);
    assert_eq!(depot.draws_a(0), 16.0);
    (1..4).for_each(|device| depot.plug(device, 16.0));
    depot.seconds(180);
    let drawn: Vec<f64> = (0..4).map(|device| depot.draws_a(device)).collect();
    assert_eq!(drawn, [10.0; 4]);
    assert_eq!(depot.longest_over_s(), 0);
}

#[test]
fn a_load_that_comes_to_stay_is_answered_at_once_and_a_motor_is_not() {
    let mut depot = four(40.5);
    (0..4).for_each(|device| depot.plug(device, 16.0));
    depot.seconds(120);
    let before = depot.sent.len();
    depot.building_a[0] = [20.0; 3];
    depot.seconds(2);
    depot.building_a[0] = [0.0; 3];
    depot.seconds(30);
    assert!(depot.sent[before..].iter().all(|setpoint| setpoint.amps >= 9.5), "a motor start sheds nothing");
    depot.building_a[0] = [16.0; 3];
    depot.seconds(9);
    assert!(depot.flows_a(0)[0] <= 40.5, "{:?}", depot.flows_a(0));
    let drawn: Vec<f64> = (0..4).map(|device| depot.draws_a(device)).collect();
    assert_eq!(drawn, [6.0; 4]);
    // What goes away is given back, once it has been away for a while.
    depot.building_a[0] = [0.0; 3];
    depot.seconds(180);
    assert_eq!(depot.draws_a(0), 10.0);
}

#[test]
fn who_has_restarted_is_told_at_once_however_often_it_did_not_answer() {
    let mut depot = four(80.5);
    (0..4).for_each(|device| depot.plug(device, 16.0));
    depot.seconds(120);
    // While it starts, it is told to draw less, and hears nothing.
    depot.chargers[0].answers = false;
    depot.building_a[0] = [40.0; 3];
    depot.seconds(45);
    // It has forgotten all that it held.
    depot.chargers[0].answers = true;
    depot.chargers[0].holds_a = 16.0;
    depot.events.extend([Event::Booted { device: 0 }, Event::Holds { device: 0, amps: None }]);
    depot.second();
    assert!(
        depot.last.setpoints.iter().any(|told| told.device == 0 && told.amps <= 11.0),
        "{:?}",
        depot.last.setpoints
    );
}

#[test]
fn one_phase_that_is_full_does_not_throttle_the_others() {
    let stations = ["RST", "STR", "TRS", "RST"]
        .iter()
        .enumerate()
        .map(|(k, rotation)| station(&format!("S{k}"), "HV", rotation, 16.0));
    let site = site(vec![board("HV", None, 40.0, 10.0)], stations.collect(), &["HV"]);
    let mut again = Depot::new(&site, exact());
    again.chargers.iter_mut().for_each(|charger| charger.phases = 1);
    (0..4).for_each(|device| again.plug(device, 16.0));
    again.building_a[0] = [25.0, 0.0, 0.0];
    again.seconds(180);
    assert_eq!([again.draws_a(1), again.draws_a(2)], [16.0; 2]);
    assert!(again.draws_a(0) < 8.0 && again.draws_a(3) < 8.0);
    assert!(again.flows_a(0)[0] <= 40.0);
}

#[test]
fn where_not_all_minima_fit_everybody_gets_a_turn() {
    let mut depot = four(20.0);
    (0..4).for_each(|device| depot.plug(device, 16.0));
    let mut on_s = [0; 4];
    for _ in 0..7200 {
        depot.second();
        (0..4).for_each(|device| on_s[device] += i64::from(depot.draws_a(device) > 0.0));
    }
    assert_eq!(depot.longest_over_s(), 0);
    // Three of four at a time: each three quarters of the time, within a turn.
    assert!(on_s.iter().all(|seconds| (4300..=6500).contains(seconds)), "{on_s:?}");
}

#[test]
fn a_silent_meter_means_the_worst_building_and_not_a_dead_site() {
    let mut depot = four(40.0);
    (0..4).for_each(|device| depot.plug(device, 16.0));
    depot.seconds(180);
    assert!(depot.draws_a(0) > 9.0);
    depot.meter_up[0] = false;
    let mut lost = Vec::new();
    for _ in 0..40 {
        depot.second();
        lost.extend(depot.last.notices.clone());
    }
    assert_eq!(lost, [Notice::MeterLost { node: 0, reason: Distrust::Silent }]);
    // 40 A less 10 A of the building and 0.5 A: 29.5 A for four.
    assert!((depot.draws_a(0) - 7.3).abs() < 0.1, "{}", depot.draws_a(0));
    depot.meter_up[0] = true;
    depot.seconds(180);
    assert!(depot.draws_a(0) > 9.0);
}

#[test]
fn static_management_looks_at_no_meter() {
    let stations = (0..4).map(|k| station(&format!("S{k}"), "HV", "RST", 16.0)).collect();
    let settings = Settings { management: Management::Static, ..exact() };
    let mut depot = Depot::new(&site(vec![board("HV", None, 40.5, 8.0)], stations, &["HV"]), settings);
    (0..4).for_each(|device| depot.plug(device, 16.0));
    depot.seconds(180);
    assert_eq!(depot.draws_a(0), 8.0);
}

#[test]
fn who_is_cut_off_counts_with_what_it_held_or_its_fallback() {
    let mut depot = four(40.5);
    (0..4).for_each(|device| depot.plug(device, 16.0));
    depot.seconds(180);
    assert_eq!(depot.draws_a(0), 10.0);
    depot.chargers[0].up = false;
    depot.events.push(Event::Link { device: 0, up: false });
    depot.seconds(180);
    assert_eq!(depot.state.as_ref().unwrap().most_a(0), 10.0);
    // Nobody sees whether it draws them, so they may be the building's as well, up to the worst of that.
    assert!((6.0..=10.0).contains(&depot.draws_a(1)), "{}", depot.draws_a(1));
    // It lapses to 6 A by itself; the meter shows that, but it may hold 10 A still.
    depot.chargers[0].holds_a = 6.0;
    depot.seconds(180);
    assert!(depot.draws_a(1) <= 10.0 + 1e-9);
    assert_eq!(depot.longest_over_s(), 0);
}

#[test]
fn who_does_not_obey_is_found_and_the_others_make_room() {
    let mut depot = four(40.5);
    depot.plug(0, 16.0);
    depot.seconds(30);
    depot.chargers[0].obeys = false;
    (1..4).for_each(|device| depot.plug(device, 16.0));
    let mut told = false;
    for _ in 0..120 {
        depot.second();
        told |= depot.last.notices.contains(&Notice::Disobeys { device: 0 });
    }
    assert!(told);
    assert_eq!(depot.draws_a(0), 16.0);
    assert!(depot.flows_a(0)[0] <= 40.5);
    assert_eq!(depot.longest_over_s(), 0, "what is not confirmed is not given away");
}

/// What is stored in a charger stands there until it takes another: the site may say less since.
#[test]
fn who_is_cut_off_counts_with_what_it_has_stored() {
    let mut depot = four(64.5);
    depot.seconds(10);
    depot.events.push(Event::Stores { device: 0, by_hour_a: [12.0; 24] });
    depot.chargers[0].up = false;
    depot.events.push(Event::Link { device: 0, up: false });
    depot.seconds(10);
    let most_a = |depot: &Depot| depot.state.as_ref().unwrap().most_a(0);
    assert_eq!(most_a(&depot), 12.0);
    depot.events.push(Event::Stores { device: 0, by_hour_a: [3.0; 24] });
    depot.seconds(1);
    assert_eq!(most_a(&depot), 6.0, "the site's is believed as well");
}

/// What is not confirmed is not obeyed: above a limit nobody waits until a station has left three commands unanswered.
#[test]
fn while_one_does_not_answer_the_others_make_room() {
    let mut depot = four(64.5);
    (0..4).for_each(|device| depot.plug(device, 16.0));
    depot.seconds(120);
    assert_eq!((0..4).map(|device| depot.draws_a(device)).sum::<f64>(), 64.0);
    // It wants less than it holds, and less than the others: what it still draws is theirs to make good.
    depot.chargers[0].answers = false;
    depot.building_a[0] = [10.0; 3];
    depot.seconds(11);
    assert_eq!(depot.draws_a(0), 16.0);
    assert!(depot.flows_a(0)[0] <= 64.5, "{:?}", depot.flows_a(0));
    let told_a = |depot: &Depot, device: usize| depot.state.as_ref().unwrap().granted_a(device);
    assert!(told_a(&depot, 0) > 6.0, "it is told its share, not to stop: {}", told_a(&depot, 0));
    // Where the others have nothing left to give, it is told less each time it is told anything.
    let mut worse = depot.clone();
    worse.building_a[0] = [60.0; 3];
    worse.seconds(12);
    assert!(told_a(&worse, 0) < 6.0, "{}", told_a(&worse, 0));
    // When it answers, all have the same again.
    depot.chargers[0].answers = true;
    depot.seconds(120);
    let drawn: Vec<f64> = (0..4).map(|device| depot.draws_a(device)).collect();
    assert!(drawn.iter().all(|amps| (amps - 13.5).abs() < 0.6), "{drawn:?}");
}

/// A station that has just started refuses what it is to raise until its transaction runs. It is asked again within seconds, and
/// does not count as one that hears nothing for that.
#[test]
fn what_is_raised_and_refused_is_asked_again_within_seconds() {
    let mut depot = four(64.5);
    depot.seconds(10);
    depot.chargers[0].accepts = false;
    depot.plug(0, 16.0);
    depot.seconds(12);
    assert!(!depot.state.as_ref().unwrap().refuses(0));
    depot.chargers[0].accepts = true;
    depot.seconds(15);
    assert_eq!(depot.draws_a(0), 16.0, "it has not waited for half a minute");
    depot.chargers[0].accepts = false;
    depot.seconds(180);
    assert!(depot.state.as_ref().unwrap().refuses(0), "who goes on refusing counts as one that hears nothing");
}

#[test]
fn a_plan_is_followed_and_an_override_goes_first() {
    let mut depot = four(70.0);
    (0..4).for_each(|device| depot.plug(device, 16.0));
    let later = [[0.0; 48], [12.0; 48]].concat();
    let amps = vec![Some(vec![12.0; 96]), Some(later), Some(vec![8.0; 96]), None];
    let targets = Targets { start: depot.now - TimeDelta::hours(1), slot_s: 900, amps, costs_eur_kwh: Vec::new() };
    depot.events.push(Event::Planned(Arc::new(targets)));
    depot.seconds(180);
    let drawn: Vec<f64> = (0..4).map(|device| depot.draws_a(device)).collect();
    assert_eq!(drawn, [12.0, 0.0, 8.0, 16.0]);
    let until = depot.now + TimeDelta::minutes(10);
    depot.events.push(Event::Override { device: 1, action: Some(Action::Boost), until });
    depot.events.push(Event::Override { device: 3, action: Some(Action::Stop), until });
    depot.seconds(200);
    let drawn: Vec<f64> = (0..4).map(|device| depot.draws_a(device)).collect();
    assert_eq!(drawn, [12.0, 16.0, 8.0, 0.0]);
    let why = |device: usize| depot.sent.iter().rfind(|setpoint| setpoint.device == device).map(|last| last.why);
    assert_eq!([0, 1, 2, 3].map(why), [Why::Plan, Why::Override, Why::Plan, Why::Override].map(Some));
    depot.seconds(600);
    let drawn: Vec<f64> = (0..4).map(|device| depot.draws_a(device)).collect();
    assert_eq!(drawn, [12.0, 0.0, 8.0, 16.0], "it has run out");
}

/// Nobody waits for a kWh that costs as much later, nor has one now that costs more.
#[test]
fn what_costs_no_more_is_had_now() {
    for (now_eur_kwh, charges) in [(0.2, true), (0.1, true), (0.21, false)] {
        let mut depot = four(70.0);
        (0..2).for_each(|device| depot.plug(device, 16.0));
        let later = [[0.0; 48], [12.0; 48]].concat();
        let amps = vec![Some(later.clone()), Some(vec![16.0; 96]), None, None];
        let costs_eur_kwh = [[now_eur_kwh; 48], [0.2; 48]].concat();
        let targets = Targets { start: depot.now - TimeDelta::hours(1), slot_s: 900, amps, costs_eur_kwh };
        depot.events.push(Event::Planned(Arc::new(targets)));
        depot.seconds(120);
        let drawn = (depot.draws_a(0), depot.draws_a(1));
        assert_eq!(drawn, (if charges { 16.0 } else { 0.0 }, 16.0), "at {now_eur_kwh} EUR/kWh");
    }
}

/// Plans that know little of a building leave room that the meter shows.
#[test]
fn who_has_no_room_in_the_plan_has_what_is_free() {
    let mut depot = four(70.0);
    (0..2).for_each(|device| depot.plug(device, 16.0));
    let amps = vec![Some(vec![0.0; 96]), Some([[0.0; 48], [12.0; 48]].concat()), None, None];
    let targets = Targets { start: depot.now - TimeDelta::hours(1), slot_s: 900, amps, costs_eur_kwh: Vec::new() };
    depot.events.push(Event::Planned(Arc::new(targets)));
    depot.seconds(50);
    assert_eq!(depot.draws_a(0), 0.0, "it may not have been planned for yet");
    depot.seconds(60);
    assert_eq!((depot.draws_a(0), depot.draws_a(1)), (16.0, 0.0), "the other one's turn is later");
}

#[test]
fn a_grid_operators_budget_counts_the_devices_alone() {
    let mut depot = four(100.0);
    (0..4).for_each(|device| depot.plug(device, 16.0));
    depot.building_a[0] = [30.0; 3];
    depot.seconds(180);
    assert_eq!(depot.draws_a(0), 16.0);
    depot.events.push(Event::Signal(Signal {
        id: "14a".to_owned(),
        on: Scope::Devices(vec![0, 1, 2, 3]),
        limit: Limit::Power(10.0),
        from: depot.now,
        until: None,
    }));
    depot.seconds(30);
    // 10 kW are 14.49 A on three phases: two at a time.
    let drawn: Vec<f64> = (0..4).map(|device| depot.draws_a(device)).collect();
    assert_eq!(drawn.iter().filter(|amps| **amps > 0.0).count(), 2, "{drawn:?}");
    let total_kw: f64 = drawn.iter().map(|amps| amps * 0.69).sum();
    assert!(total_kw <= 10.0 && total_kw > 9.5, "{total_kw}");
    assert!(depot.sent.iter().rev().take(4).any(|setpoint| setpoint.why == Why::Grid));
    depot.events.push(Event::Withdrawn { id: "14a".to_owned() });
    depot.seconds(200);
    assert_eq!(depot.draws_a(0), 16.0);
}

#[test]
fn imbalance_is_kept() {
    let percent = Board { imbalance_limit_percent: Some(40.0), ..board("HV", None, 63.0, 10.0) };
    let mut depot = three_on_one_phase(["RST", "RST", "RST"], percent);
    (0..3).for_each(|device| depot.plug(device, 16.0));
    depot.seconds(240);
    let flows_a = depot.flows_a(0);
    assert!(flows_a[0] <= 25.2 && flows_a[0] > 22.0, "{flows_a:?}");
}

/// Nobody but the loop renews setpoints, and a station that forgets them after their time never does.
#[test]
fn setpoints_are_renewed_before_they_lapse() {
    let mut depot = four(70.0);
    depot.plug(0, 16.0);
    depot.seconds(60);
    let before = depot.sent.len();
    let mut since_s = [0; 2];
    let mut longest_s = [0; 2];
    for _ in 0..1800 {
        depot.second();
        for device in 0..2 {
            let told = depot.sent[before..].iter().rev().find(|setpoint| setpoint.device == device);
            let now = told.is_some_and(|told| depot.last.setpoints.contains(told));
            since_s[device] = if now { 0 } else { since_s[device] + 1 };
            longest_s[device] = longest_s[device].max(since_s[device]);
        }
        assert_eq!(depot.draws_a(0), 16.0, "it never lapses");
    }
    // 16 A are above the fallback and good for 120 s; nothing at all is below it and good for 1,200 s.
    assert!((55..=61).contains(&longest_s[0]), "{longest_s:?}");
    assert!((200..=241).contains(&longest_s[1]), "{longest_s:?}");
    let more = depot.sent[before..].iter().filter(|setpoint| setpoint.device == 0);
    assert!(more.clone().all(|setpoint| setpoint.amps == 16.0) && more.count() <= 31, "as few as that takes");
}

/// What is refused has not been renewed: it is said again soon, and a station that goes on refusing counts with its fallback.
#[test]
fn a_renewal_that_is_refused_is_sent_again_soon() {
    let mut depot = four(70.0);
    depot.seconds(60);
    depot.chargers[0].accepts = false;
    depot.seconds(260);
    depot.plug(1, 16.0);
    assert_eq!(depot.state.as_ref().unwrap().most_a(0), 6.0, "it may have lapsed to its fallback");
    let tries = depot.sent.iter().filter(|setpoint| setpoint.device == 0).count();
    assert!((3..=8).contains(&tries), "{tries} in 260 s");
    depot.chargers[0].accepts = true;
    depot.seconds(40);
    assert_eq!(depot.state.as_ref().unwrap().most_a(0), 0.0);
}

/// A vehicle of which nothing is known may be on any of its station's first phases: where the building is out of balance
/// already, it must not come on the fullest of them.
#[test]
fn nothing_unknown_comes_on_a_phase_that_is_too_full_already() {
    let mut boards = vec![board("HV", None, 63.0, 30.0)];
    boards[0].imbalance_limit_a = Some(14.0);
    let mut depot = Depot::new(&site(boards, vec![station("S0", "HV", "RST", 16.0)], &["HV"]), exact());
    depot.tells[0] = false;
    depot.chargers[0].phases = 2;
    depot.building_a[0] = [12.0, 21.0, 3.0];
    depot.plug(0, 16.0);
    if let Some(Event::Session { session, .. }) = depot.events.last_mut() {
        session.phases = None;
    }
    depot.seconds(300);
    assert_eq!(depot.draws_a(0), 0.0);
    depot.building_a[0] = [12.0, 8.0, 12.0];
    depot.seconds(600);
    assert!(depot.draws_a(0) >= 6.0, "there is room now");
    let flows_a = depot.flows_a(0);
    assert!(flows_a[0] - flows_a[2] <= 15.0 && flows_a[1] - flows_a[2] <= 15.0, "{flows_a:?}");
}

/// What has just been given to a device flows a few seconds later: until then it loads its phase in the books alone, and vehicles
/// on other phases, which it is about to relieve, are not stopped for it.
#[test]
fn who_starts_on_another_phase_stops_nobody() {
    let amps = Board { imbalance_limit_a: Some(20.0), ..board("HV", None, 63.0, 10.0) };
    let mut depot = three_on_one_phase(["RST", "STR", "TRS"], amps);
    for device in 0..3 {
        depot.plug(device, 16.0);
        depot.seconds(120);
        for before in 0..=device {
            assert_eq!(depot.draws_a(before), 16.0, "device {before} once {device} has come");
        }
    }
    let charged = |before: u64, device: usize| {
        depot.sent.iter().any(|sent| sent.number < before && sent.device == device && sent.amps > 0.0)
    };
    let stopped = depot.sent.iter().find(|sent| sent.amps <= 0.0 && charged(sent.number, sent.device));
    assert_eq!(stopped, None, "nobody was stopped meanwhile");
}

/// What a vehicle lacks of its plan it may have within seconds, and lack again in the next slot: it is not switched on and off
/// for that.
#[test]
fn who_falls_behind_catches_up_for_a_whole_turn() {
    let mut depot = four(70.0);
    depot.plug(0, 16.0);
    if let Some(Event::Session { session, .. }) = depot.events.last_mut() {
        (session.need_kwh, session.departure) = (Some(11.2), Some(depot.now + TimeDelta::hours(4)));
    }
    // 11.04 kWh from an hour from now on: a little less than is needed.
    let amps = (0..16).map(|slot| if (4..8).contains(&slot) { 16.0 } else { 0.0 }).collect();
    let targets =
        Targets { start: depot.now, slot_s: 900, amps: vec![Some(amps), None, None, None], costs_eur_kwh: Vec::new() };
    depot.events.push(Event::Planned(Arc::new(targets)));
    depot.seconds(60);
    assert_eq!(depot.draws_a(0), 16.0, "nobody else wants what is left");
    depot.events.push(Event::Drawn { device: 0, phases_a: [16.0; 3], session_kwh: Some(0.3) });
    depot.seconds(800);
    assert_eq!(depot.draws_a(0), 16.0, "it lacks nothing any more, and goes on");
    depot.seconds(120);
    assert_eq!(depot.draws_a(0), 0.0, "the plan has the rest");
}

/// A charger may refuse a setpoint while no transaction runs, and be told the same one again when one has begun.
#[test]
fn what_is_refused_and_taken_later_counts_as_held() {
    let site = site(vec![board("HV", None, 63.0, 10.0)], vec![station("A", "HV", "RST", 32.0)], &["HV"]);
    let mut depot = Depot::new(&site, Settings::default());
    depot.seconds(10);
    depot.chargers[0].accepts = false;
    depot.plug(0, 32.0);
    let raised = |depot: &Depot| depot.last.setpoints.iter().copied().find(|sent| sent.amps >= 6.0);
    let sent = (0..60).find_map(|_| {
        depot.second();
        raised(&depot)
    });
    let sent = sent.expect("it is offered something");
    let most_a = |depot: &Depot| depot.state.as_ref().unwrap().most_a(0);
    let takes = Event::Answered { device: 0, number: sent.number, accepted: true };
    // It takes it at once after all, or only when the next one is on its way already.
    let mut later = depot.clone();
    depot.events.push(takes.clone());
    depot.second();
    assert!(most_a(&depot) >= sent.amps);
    later.second();
    assert!(most_a(&later) < sent.amps);
    later.events.insert(0, takes);
    later.second();
    assert!(most_a(&later) >= sent.amps);
}
