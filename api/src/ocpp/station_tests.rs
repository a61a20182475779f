//! What a charger is sent, step by step.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::door::Version;
use super::quirks::{LimitUnit, Quirks};
use super::station::{About, Call, Command, Follows, Outcome, Standing, Station, Transaction};
use crate::resource::setpoint::{Setpoint, Trace};

pub(super) fn about() -> About {
    About {
        max_a: 32.0,
        fallback_a: [8.0; 24],
        zone: chrono_tz::Europe::Amsterdam,
        phases: 3,
        voltage_v: 230.0,
        switches_phases: false,
        feeds_in: false,
    }
}

pub(super) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::seconds(seconds)
}

pub(super) fn setpoint(number: u64, limit_a: f64, from_s: i64) -> Setpoint {
    Setpoint {
        number,
        charger: "A".to_owned(),
        limit_a,
        phases: 3,
        phase: None,
        limit_w: limit_a * 690.0,
        at: at(from_s),
        valid_until: at(from_s + 120),
        then_a: Some(8.0),
        trace: Trace { why: "plan".to_owned(), plan: None, taken: None, confirmed: None },
    }
}

pub(super) fn transaction(id: i64) -> Transaction {
    Transaction {
        id: json!(id),
        session: format!("s{id}"),
        since: None,
        from_kwh: None,
        from_exported_kwh: None,
        standing: Standing::Accepted,
    }
}

pub(super) fn accepted() -> Value {
    json!({ "status": "Accepted" })
}

/// Takes and accepts all that it is sent until there is nothing more.
pub(super) fn settle(station: &mut Station, seconds: i64) -> (Vec<Call>, Vec<Follows>) {
    let (mut calls, mut follows) = (Vec::new(), Vec::new());
    while let Some(call) = station.next(at(seconds), &mut follows) {
        if call.action == "GetCompositeSchedule" {
            station.refused("NotSupported");
            continue;
        }
        calls.push(call);
        follows.extend(station.answered(&accepted()));
    }
    (calls, follows)
}

fn profile(call: &Call) -> (&str, i64, f64) {
    let profile = &call.payload["csChargingProfiles"];
    let limit = profile["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"].as_f64();
    let purpose = profile["chargingProfilePurpose"].as_str();
    (purpose.unwrap_or_default(), profile["stackLevel"].as_i64().unwrap_or(-1), limit.unwrap_or(-1.0))
}

#[test]
fn one_that_has_started_is_cleared_and_told_everything_again() {
    let mut station = Station::new(about(), Version::V16);
    settle(&mut station, 0);
    station.booted();
    let (calls, _) = settle(&mut station, 1);
    assert_eq!(calls[0].action, "ClearChargingProfile");
    let told: Vec<_> = calls.iter().filter(|call| call.action == "SetChargingProfile").map(profile).collect::<Vec<_>>();
    assert_eq!(told, [("TxDefaultProfile", 0, 8.0), ("ChargePointMaxProfile", 0, 32.0)]);
}

#[test]
fn one_call_is_outstanding_and_only_the_latest_setpoint_is_sent() {
    let mut station = Station::new(about(), Version::V16);
    settle(&mut station, 0);
    station.begins(1, transaction(7));
    station.told(setpoint(1, 16.0, 0));
    let mut follows = Vec::new();
    let first = station.next(at(0), &mut follows).unwrap();
    assert_eq!((profile(&first), &first.payload["connectorId"]), (("TxProfile", 1, 16.0), &json!(1)));
    assert_eq!(first.payload["csChargingProfiles"]["transactionId"], 7);
    for number in 2..50 {
        station.told(setpoint(number, 6.0 + f64::from(u32::try_from(number % 20).unwrap()), 1));
        assert_eq!(station.next(at(1), &mut follows), None, "one is outstanding");
    }
    assert_eq!(station.answered(&accepted()), [Follows::Setpoint { number: 1, accepted: true }]);
    let (calls, follows) = settle(&mut station, 1);
    assert_eq!(calls.iter().map(profile).collect::<Vec<_>>(), [("TxProfile", 1, 15.0)]);
    assert_eq!(follows, [Follows::Setpoint { number: 49, accepted: true }]);
}

#[test]
fn what_is_held_already_is_not_written_again_before_half_of_its_time_is_over() {
    let mut station = Station::new(about(), Version::V16);
    settle(&mut station, 0);
    station.begins(1, transaction(7));
    station.told(setpoint(1, 16.0, 0));
    assert_eq!(settle(&mut station, 0).0.len(), 1);
    station.told(setpoint(2, 16.0, 10));
    let (calls, follows) = settle(&mut station, 10);
    assert_eq!((calls.len(), follows), (0, vec![Follows::Setpoint { number: 2, accepted: true }]));
    station.told(setpoint(3, 16.0, 60));
    assert_eq!(settle(&mut station, 60).0.len(), 1);
}

#[test]
fn outside_of_transactions_nothing_above_the_fallback_is_stored() {
    let mut station = Station::new(about(), Version::V16);
    settle(&mut station, 0);
    for (number, limit_a, stored_a) in [(1, 32.0, 8.0), (2, 0.0, 0.0), (3, 6.0, 6.0)] {
        station.told(setpoint(number, limit_a, 0));
        let (calls, _) = settle(&mut station, 0);
        assert_eq!(calls.iter().map(profile).collect::<Vec<_>>(), [("TxDefaultProfile", 1, stored_a)]);
    }
}

#[test]
fn of_two_vehicles_one_that_does_not_answer_is_not_spoken_for_by_the_other() {
    let mut station = Station::new(about(), Version::V16);
    settle(&mut station, 0);
    station.begins(1, transaction(7));
    station.begins(2, transaction(8));
    station.told(setpoint(1, 20.0, 0));
    let mut follows = Vec::new();
    let first = station.next(at(0), &mut follows).unwrap();
    assert_eq!(profile(&first), ("TxProfile", 1, 10.0), "each has half");
    assert_eq!(station.unanswered(), []);
    let (_, follows) = settle(&mut station, 20);
    assert_eq!(follows, [], "nobody knows what the first one holds");
    // Where both cannot have their minimum, one has all.
    station.told(setpoint(2, 8.0, 20));
    let (calls, follows) = settle(&mut station, 20);
    let of_transactions = calls.iter().map(profile).filter(|(purpose, ..)| *purpose == "TxProfile");
    assert_eq!(of_transactions.map(|(_, _, amps)| amps).collect::<Vec<_>>(), [8.0, 0.0]);
    assert_eq!(follows, [Follows::Setpoint { number: 2, accepted: true }]);
}

#[test]
fn the_connectors_of_a_charger_that_is_alone_share_its_fallback() {
    let stored = |fallback_a: f64, has: &dyn Fn(&mut Station)| {
        let mut station = Station::new(About { fallback_a: [fallback_a; 24], ..about() }, Version::V16);
        settle(&mut station, 0);
        has(&mut station);
        station.told(setpoint(1, 32.0, 0));
        let (calls, _) = settle(&mut station, 0);
        let waiting =
            calls.iter().map(profile).find(|(purpose, level, _)| (*purpose, *level) == ("TxDefaultProfile", 1));
        let base = calls.iter().map(profile).find(|(purpose, level, _)| (*purpose, *level) == ("TxDefaultProfile", 0));
        (base.map(|(.., amps)| amps), waiting.map(|(.., amps)| amps), station.stores())
    };
    let two = |station: &mut Station| (1..=2).for_each(|connector| station.has(connector));
    assert_eq!(stored(16.0, &|station| station.has(1)).0, None, "with one connector nothing has to be told again");
    let (base_a, waiting_a, kept) = stored(16.0, &two);
    assert_eq!((base_a, waiting_a), (Some(8.0), Some(8.0)));
    // Each would have less than a vehicle can charge with.
    assert_eq!(stored(10.0, &two).0, Some(0.0));
    // A transaction at a second connector shows that there is one.
    assert_eq!(
        stored(16.0, &|station| [1, 2].into_iter().for_each(|k| station.begins(k, transaction(k)))).0,
        Some(8.0)
    );
    // One that comes back is known to have two.
    let mut again = Station::new(About { fallback_a: [16.0; 24], ..about() }, Version::V16);
    assert_eq!(again.stores_a(), None, "nobody knows what a charger stores that has taken nothing");
    again.has_stored(kept.as_ref(), at(0));
    assert_eq!(again.stores_a(), Some([16.0; 24]), "both together");
    assert!(settle(&mut again, 0).0.iter().all(|call| call.action != "SetChargingProfile"));
}

#[test]
fn a_fallback_that_is_taken_in_a_transaction_says_nothing_of_what_is_held_there() {
    let mut station = Station::new(about(), Version::V16);
    let mut follows = settle(&mut station, 0).1;
    assert_eq!(follows, [Follows::Holds(8.0)], "nothing else was told and nobody charges");
    station.begins(1, transaction(7));
    station.told(setpoint(1, 20.0, 0));
    station.next(at(0), &mut follows).unwrap();
    station.unanswered();
    station.has(2);
    let follows = settle(&mut station, 20).1;
    assert_eq!(follows, [Follows::Setpoint { number: 1, accepted: true }], "what was sent before may have arrived too");
}

#[test]
fn what_changes_while_the_fallback_is_under_way_is_told_too() {
    let mut station = Station::new(About { fallback_a: [16.0; 24], ..about() }, Version::V16);
    station.has(1);
    let first = station.next(at(0), &mut Vec::new()).unwrap();
    assert_eq!(profile(&first), ("TxDefaultProfile", 0, 16.0));
    station.has(2);
    station.answered(&accepted());
    let (calls, _) = settle(&mut station, 0);
    assert_eq!(profile(&calls[0]), ("TxDefaultProfile", 0, 8.0));
}

#[test]
fn what_is_stored_for_good_is_told_again_when_clocks_change_and_not_when_it_comes_back() {
    // 27 March 2022, 01:00 UTC: summer begins.
    let change = DateTime::parse_from_rfc3339("2022-03-27T01:00:00Z").unwrap().to_utc();
    let told = |station: &mut Station, now| {
        let (mut follows, mut count) = (Vec::new(), 0);
        while let Some(call) = station.next(now, &mut follows) {
            count += usize::from(call.action == "SetChargingProfile");
            station.answered(&accepted());
        }
        count
    };
    let before = change - TimeDelta::hours(1);
    let mut station = Station::new(about(), Version::V16);
    assert_eq!(told(&mut station, before), 2);
    let stored = station.stores();
    let mut again = Station::new(about(), Version::V16);
    again.has_stored(stored.as_ref(), before);
    assert_eq!(told(&mut again, before), 0);
    assert_eq!(told(&mut again, change), 1, "the fallback");
    let mut later = Station::new(about(), Version::V16);
    later.has_stored(stored.as_ref(), change);
    assert_eq!(told(&mut later, change), 2);
}

#[test]
fn the_same_command_is_done_once_and_no_answer_is_an_outcome() {
    let mut station = Station::new(about(), Version::V16);
    settle(&mut station, 0);
    let reset = |ticket| Command { ticket, action: "Reset", payload: json!({ "type": "Soft" }) };
    assert_eq!((station.command(reset(1)), station.command(reset(2))), (1, 1));
    let mut follows = Vec::new();
    assert_eq!(station.next(at(0), &mut follows).unwrap().action, "Reset");
    assert_eq!(station.unanswered(), [Follows::Command(1, Outcome::NoAnswer)]);
    assert_eq!(station.next(at(0), &mut follows), None);
}

#[test]
fn a_charger_that_takes_watts_alone_is_told_watts() {
    let mut station = Station::new(about(), Version::V16);
    let mut follows = Vec::new();
    let mut told = Vec::new();
    while let Some(call) = station.next(at(0), &mut follows) {
        let answer = match call.action {
            "GetConfiguration" => json!({ "configurationKey": [
                { "key": "ChargingScheduleAllowedChargingRateUnit", "readonly": true, "value": "Power" },
                { "key": "ChargeProfileMaxStackLevel", "readonly": true, "value": "5" },
            ] }),
            _ => accepted(),
        };
        station.answered(&answer);
        told.push(call);
    }
    let watts: Vec<_> = told
        .iter()
        .filter(|call| call.payload["csChargingProfiles"]["chargingSchedule"]["chargingRateUnit"] == "W")
        .map(profile)
        .collect();
    assert_eq!(watts, [("TxDefaultProfile", 0, 5520.0), ("ChargePointMaxProfile", 0, 22_080.0)]);
}

/// Something that happens to a charger.
#[derive(Debug, Clone)]
enum Step {
    Told(f64),
    Begins,
    Ends,
    Answered,
    Refused,
    Unanswered,
    Booted,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop_oneof![Just(0.0), 6.0..32.0].prop_map(Step::Told),
        1 => Just(Step::Begins),
        1 => Just(Step::Ends),
        6 => Just(Step::Answered),
        1 => Just(Step::Refused),
        1 => Just(Step::Unanswered),
        1 => Just(Step::Booted),
    ]
}

proptest! {
    /// Whatever happens: a confirmed number is that of a setpoint which the charger has accepted at that height or lower, and
    /// no setpoint is above the latest.
    #[test]
    fn what_is_confirmed_was_taken(steps in prop::collection::vec(step(), 1..120)) {
        let mut station = Station::new(about(), Version::V16);
        let (mut latest, mut number, mut begun) = (0.0, 0, 0);
        let mut limits = std::collections::BTreeMap::new();
        let mut sent: Option<(String, f64)> = None;
        for (second, step) in (0_i64..).zip(steps) {
            let mut follows = Vec::new();
            match step {
                Step::Told(limit_a) => {
                    number += 1;
                    latest = limit_a;
                    limits.insert(number, limit_a);
                    station.told(setpoint(number, limit_a, second));
                }
                Step::Begins => {
                    begun += 1;
                    station.begins(1, transaction(begun));
                }
                Step::Ends => station.ends(1),
                Step::Answered => {
                    let taken = sent.take();
                    follows = station.answered(&accepted());
                    for follows in &follows {
                        if let Follows::Setpoint { number, accepted: true } = follows {
                            let (_, amps) = taken.clone().expect("something was taken");
                            prop_assert!(amps <= limits[number] + 1e-9, "{amps} A for {}", limits[number]);
                        }
                    }
                }
                Step::Refused => {
                    sent = None;
                    let refused = station.refused("InternalError");
                    let taken = refused.iter().any(|one| matches!(one, Follows::Setpoint { accepted: true, .. }));
                    prop_assert!(!taken);
                }
                Step::Unanswered => {
                    sent = None;
                    prop_assert_eq!(station.unanswered(), vec![]);
                }
                Step::Booted => {
                    sent = None;
                    station.booted();
                }
            }
            if let Some(call) = station.next(at(second), &mut follows) {
                prop_assert!(sent.is_none(), "two are outstanding");
                let (purpose, level, limit) = profile(&call);
                prop_assert!(level < 1 || limit <= latest + 1e-9, "{purpose} of {limit} A, told {latest} A");
                sent = Some((purpose.to_owned(), limit));
            }
        }
    }
}

#[test]
fn who_is_not_let_in_gets_nothing_is_told_to_end_and_takes_no_share() {
    let mut station = Station::new(about(), Version::V16);
    settle(&mut station, 0);
    station.begins(1, transaction(7));
    station.begins(2, Transaction { standing: Standing::Refused, ..transaction(8) });
    station.told(setpoint(1, 20.0, 0));
    let (calls, _) = settle(&mut station, 0);
    let limits: Vec<_> = calls.iter().map(profile).filter(|(purpose, ..)| *purpose == "TxProfile").collect();
    assert_eq!(limits, [("TxProfile", 1, 20.0), ("TxProfile", 1, 0.0)]);
    let stops: Vec<_> = calls.iter().filter(|call| call.action == "RemoteStopTransaction").collect();
    assert_eq!(stops.len(), 1);
    assert_eq!(stops[0].payload["transactionId"], 8);
    // One that waits for its card is held at nothing, and not told to end; then it has its share.
    station.ends(2);
    station.begins(2, Transaction { standing: Standing::Waiting, ..transaction(9) });
    let waits: Vec<_> = settle(&mut station, 1).0.iter().map(|call| (call.action, profile(call).2)).collect();
    assert_eq!(waits, [("SetChargingProfile", 0.0)]);
    station.lets_in(2, "s9".to_owned());
    let shares: Vec<_> = settle(&mut station, 2).0.iter().map(|call| profile(call).2).collect();
    assert_eq!(shares, [10.0, 10.0]);
}

#[test]
fn one_that_does_not_end_is_told_three_times() {
    let mut station = Station::new(about(), Version::V201);
    settle(&mut station, 0);
    station.begins(1, Transaction { standing: Standing::Refused, ..transaction(8) });
    let mut told = 0;
    while let Some(call) = station.next(at(1), &mut Vec::new()) {
        told += usize::from(call.action == "RequestStopTransaction");
        station.answered(&json!({ "status": "Rejected" }));
        assert!(told < 10);
    }
    assert_eq!(told, 3);
}

#[test]
fn chargers_that_differ_are_told_what_they_take() {
    let told = |quirks: Quirks, limit_a: f64| {
        let mut station = Station::new(about(), Version::V16);
        station.wants(quirks);
        let base = settle(&mut station, 0).0;
        station.begins(1, transaction(7));
        station.told(setpoint(1, limit_a, 0));
        let (calls, follows) = settle(&mut station, 0);
        assert_eq!(follows, [Follows::Setpoint { number: 1, accepted: true }], "{quirks:?}");
        (base, calls)
    };
    let usual = Quirks::default();
    let (_, calls) = told(Quirks { pause_a: Some(5.0), ..usual }, 0.0);
    assert_eq!(profile(&calls[0]), ("TxProfile", 1, 5.0), "never 0");
    let mut station = Station::new(About { fallback_a: [0.0; 24], ..about() }, Version::V16);
    station.wants(Quirks { pause_a: Some(5.0), ..usual });
    let (base, follows) = settle(&mut station, 0);
    let stored = base.iter().filter(|call| call.action == "SetChargingProfile").map(profile).collect::<Vec<_>>();
    assert_eq!(stored, [("TxDefaultProfile", 0, 5.0), ("ChargePointMaxProfile", 0, 32.0)], "as a fallback neither");
    assert_eq!(follows, [Follows::Holds(0.0)], "a vehicle pauses there");
    let (_, calls) = told(Quirks { tx_profile: Some(false), ..usual }, 16.0);
    assert_eq!((profile(&calls[0]), &calls[0].payload["connectorId"]), (("TxDefaultProfile", 1, 16.0), &json!(1)));
    // One level and no profiles of transactions: nothing may take the fallback's place.
    let (_, calls) = told(Quirks { tx_profile: Some(false), levels: Some(0), ..usual }, 16.0);
    assert_eq!(calls, []);
    let (base, _) = told(Quirks { max_profile: Some(false), ..usual }, 16.0);
    assert!(base.iter().all(|call| profile(call).0 != "ChargePointMaxProfile"));
    let (_, calls) = told(Quirks { says_phases: Some(true), unit: Some(LimitUnit::W), ..usual }, 16.0);
    let period = &calls[0].payload["csChargingProfiles"]["chargingSchedule"]["chargingSchedulePeriod"][0];
    assert_eq!((&period["limit"], &period["numberPhases"]), (&json!(11_040.0), &json!(3)));
    let mut station = Station::new(about(), Version::V16);
    station.wants(Quirks { clear: Some(false), ..usual });
    settle(&mut station, 0);
    station.booted();
    assert!(settle(&mut station, 1).0.iter().all(|call| call.action != "ClearChargingProfile"));
}

#[test]
fn what_a_charger_says_of_itself_counts_less_than_what_is_known_of_it() {
    let mut station = Station::new(about(), Version::V16);
    station.wants(Quirks { unit: Some(LimitUnit::A), ..Quirks::default() });
    let watts = json!({ "configurationKey": [
        { "key": "ChargingScheduleAllowedChargingRateUnit", "readonly": true, "value": "Power" },
    ] });
    while let Some(call) = station.next(at(0), &mut Vec::new()) {
        let unit = &call.payload["csChargingProfiles"]["chargingSchedule"]["chargingRateUnit"];
        assert!(unit.is_null() || unit == "A", "{call:?}");
        let answer = if call.action == "GetConfiguration" { watts.clone() } else { accepted() };
        station.answered(&answer);
    }
}

#[test]
fn a_charger_that_wants_time_is_raised_late_and_lowered_at_once() {
    let mut station = Station::new(about(), Version::V16);
    station.wants(Quirks { interval_s: Some(30), ..Quirks::default() });
    settle(&mut station, 0);
    station.begins(1, transaction(7));
    let mut limits = |number: u64, limit_a: f64, second: i64| {
        station.told(setpoint(number, limit_a, second));
        settle(&mut station, second).0.iter().map(|call| profile(call).2).collect::<Vec<_>>()
    };
    assert_eq!(limits(1, 10.0, 0), [10.0]);
    assert_eq!(limits(2, 16.0, 10), [0.0; 0], "too soon");
    assert_eq!(limits(3, 6.0, 11), [6.0], "less is told at once");
    assert_eq!(limits(4, 16.0, 40), [0.0; 0], "30 s after the last one");
    assert_eq!(limits(5, 16.0, 41), [16.0]);
}

/// Takes all that it is sent, and tells the same limits whenever it is asked what it holds.
fn tells(station: &mut Station, seconds: i64, periods: &Value) -> (Vec<&'static str>, Vec<Follows>) {
    let (mut asked, mut follows) = (Vec::new(), Vec::new());
    while let Some(call) = station.next(at(seconds), &mut follows) {
        asked.push(call.action);
        let schedule = json!({ "chargingRateUnit": "A", "chargingSchedulePeriod": periods });
        let composite = json!({ "status": "Accepted", "chargingSchedule": schedule });
        let answer = if call.action == "GetCompositeSchedule" { composite } else { accepted() };
        follows.extend(station.answered(&answer));
        assert!(asked.len() < 30, "{asked:?}");
    }
    (asked, follows)
}

#[test]
fn a_charger_that_holds_more_than_it_has_taken_counts_with_that_and_is_told_again() {
    let mut station = Station::new(about(), Version::V16);
    settle(&mut station, 0);
    station.begins(1, transaction(7));
    station.told(setpoint(1, 10.0, 0));
    let (asked, follows) = tells(&mut station, 0, &json!([{ "startPeriod": 0, "limit": 32.0 }]));
    assert!(follows.contains(&Follows::Holds(32.0)), "{follows:?}");
    assert!(matches!(follows.iter().find(|one| matches!(one, Follows::More(_))), Some(Follows::More(Some(_)))));
    assert_eq!(asked, ["SetChargingProfile", "GetCompositeSchedule", "SetChargingProfile"], "not asked again at once");
    // A minute later it holds what it should, and its fallback after that.
    let right = json!([{ "startPeriod": 0, "limit": 10.0 }, { "startPeriod": 90, "limit": 8.0 }]);
    let (asked, follows) = tells(&mut station, 61, &right);
    assert_eq!((asked, follows), (vec!["GetCompositeSchedule"], vec![Follows::More(None)]));
    // One that would go on above its fallback is told of, and counts no more than before.
    station.told(setpoint(2, 12.0, 130));
    let (_, follows) = tells(&mut station, 130, &json!([{ "startPeriod": 0, "limit": 12.0 }]));
    assert!(follows.iter().any(|one| matches!(one, Follows::More(Some(_)))), "{follows:?}");
    assert!(!follows.iter().any(|one| matches!(one, Follows::Holds(_))), "{follows:?}");
}

#[test]
fn a_charger_that_does_not_tell_is_not_asked_again_until_it_starts() {
    let mut station = Station::new(about(), Version::V201);
    settle(&mut station, 0);
    station.begins(1, transaction(7));
    let asked = |station: &mut Station, number: u64, second: i64| {
        station.told(setpoint(number, 10.0 + f64::from(u32::try_from(number).unwrap()), second));
        let mut count = 0;
        while let Some(call) = station.next(at(second), &mut Vec::new()) {
            let composite = call.action == "GetCompositeSchedule";
            count += usize::from(composite);
            if composite {
                station.refused("NotSupported")
            } else {
                station.answered(&accepted())
            };
        }
        count
    };
    assert_eq!((asked(&mut station, 1, 0), asked(&mut station, 2, 100)), (1, 0));
    station.booted();
    assert_eq!(asked(&mut station, 3, 200), 1);
}

#[test]
fn one_that_comes_back_without_starting_is_asked_for_its_status_and_what_it_measures() {
    let mut station = Station::new(about(), Version::V16);
    let asked = |station: &mut Station| {
        let calls = settle(station, 0).0.into_iter().filter(|call| call.action == "TriggerMessage");
        calls.map(|call| call.payload["requestedMessage"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(asked(&mut station), ["StatusNotification", "MeterValues"]);
    station.booted();
    assert_eq!(asked(&mut station), [""; 0], "one that has started says so by itself");
}
