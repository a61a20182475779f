//! What 2.1 adds: limits that end with the link, limits that are updated by themselves, vehicles that feed in.

use ocpp_types::v21;
use serde_json::{Value, json};

use super::door::Version;
use super::frame::typed;
use super::station::{About, Call, Follows, Station, Transaction};
use super::station_tests::{about, accepted, at, setpoint, settle, transaction};

/// One of 2.1 with a transaction, that says whether it takes updates.
fn charging(updates: bool, about: About) -> Station {
    let mut station = Station::new(about, Version::V21);
    while let Some(call) = station.next(at(0), &mut Vec::new()) {
        let variable = json!({ "name": "SupportsDynamicProfiles" });
        let said = json!({ "getVariableResult": [
            { "attributeStatus": "Accepted", "attributeValue": updates.to_string(), "variable": variable },
        ] });
        let asked = call.payload["getVariableData"].as_array().into_iter().flatten();
        let answer = if asked.into_iter().any(|one| one["variable"] == variable) { said } else { accepted() };
        station.answered(&answer);
    }
    station.begins(1, Transaction { id: json!("t"), ..transaction(7) });
    station
}

fn checked(call: &Call) {
    match call.action {
        "SetChargingProfile" => drop(typed::<v21::SetChargingProfileRequest>(&call.payload).unwrap()),
        "UpdateDynamicSchedule" => drop(typed::<v21::UpdateDynamicScheduleRequest>(&call.payload).unwrap()),
        other => panic!("{other} is no limit"),
    }
}

/// What it is told of a setpoint, and whether that counts as taken.
fn told(station: &mut Station, number: u64, limit_a: f64, second: i64) -> (Vec<Call>, Vec<Follows>) {
    station.told(setpoint(number, limit_a, second));
    let (calls, follows) = settle(station, second);
    calls.iter().for_each(checked);
    (calls, follows)
}

fn actions(calls: &[Call]) -> Vec<&str> {
    calls.iter().map(|call| call.action).collect()
}

#[test]
fn what_only_changes_its_limit_is_updated_and_lapses_as_long_after_that() {
    let mut station = charging(true, about());
    let (calls, follows) = told(&mut station, 1, 16.0, 0);
    let profile = &calls[0].payload["chargingProfile"];
    assert_eq!((calls.len(), &profile["chargingProfileKind"]), (1, &json!("Dynamic")));
    let schedule = &profile["chargingSchedule"][0];
    // It ends by itself two seconds before the setpoint does, and not on a date that an update could not move.
    assert_eq!(
        (&schedule["duration"], &profile["validTo"], &schedule["startSchedule"]),
        (&json!(118), &Value::Null, &Value::Null)
    );
    assert_eq!(follows, [Follows::Setpoint { number: 1, accepted: true }]);
    let (calls, follows) = told(&mut station, 2, 12.5, 5);
    let update = json!({ "chargingProfileId": profile["id"], "scheduleUpdate": { "limit": 12.5 } });
    assert_eq!((actions(&calls), &calls[0].payload), (vec!["UpdateDynamicSchedule"], &update));
    assert_eq!(follows, [Follows::Setpoint { number: 2, accepted: true }]);
    // The same again is not said before half of its time is over, and then as an update.
    assert_eq!(actions(&told(&mut station, 3, 12.5, 10).0), [""; 0]);
    assert_eq!(actions(&told(&mut station, 4, 12.5, 70).0), ["UpdateDynamicSchedule"]);
    // One that has lapsed is set anew, and so is one that should end with the link and did not.
    assert_eq!(actions(&told(&mut station, 5, 12.5, 300).0), ["SetChargingProfile"]);
    assert_eq!(actions(&told(&mut station, 6, 8.0, 301).0), ["SetChargingProfile"]);
    assert_eq!(actions(&told(&mut station, 7, 7.0, 302).0), ["UpdateDynamicSchedule"]);
}

#[test]
fn an_update_never_makes_a_limit_outlast_its_setpoint() {
    let mut station = charging(true, about());
    told(&mut station, 1, 16.0, 0);
    // It is told four seconds late: as an update it would hold for two seconds too long.
    station.told(setpoint(2, 14.0, 10));
    let call = station.next(at(14), &mut Vec::new()).unwrap();
    assert_eq!(call.action, "SetChargingProfile");
    assert_eq!(call.payload["chargingProfile"]["chargingSchedule"][0]["duration"], 114);
}

#[test]
fn one_that_refuses_updates_is_told_profiles_that_stand_by_themselves() {
    for refuses in ["a profile", "an update", "with a code"] {
        let mut station = charging(true, about());
        if refuses != "a profile" {
            told(&mut station, 1, 16.0, 0);
        }
        station.told(setpoint(2, 12.0, 1));
        let first = station.next(at(1), &mut Vec::new()).unwrap();
        assert_eq!(first.action == "UpdateDynamicSchedule", refuses != "a profile");
        let follows = match refuses {
            "with a code" => station.refused("NotSupported"),
            _ => station.answered(&json!({ "status": "Rejected" })),
        };
        assert_eq!(follows, [], "it is not lost yet");
        let (calls, follows) = settle(&mut station, 1);
        let kinds = calls.iter().map(|call| &call.payload["chargingProfile"]["chargingProfileKind"]);
        assert_eq!(kinds.collect::<Vec<_>>(), ["Absolute"], "{refuses}");
        assert_eq!(follows, [Follows::Setpoint { number: 2, accepted: true }]);
        let (calls, _) = told(&mut station, 3, 10.0, 2);
        assert_eq!(calls[0].payload["chargingProfile"]["chargingProfileKind"], "Absolute", "nor the next time");
    }
}

#[test]
fn an_update_without_an_answer_is_not_counted_as_taken() {
    let mut station = charging(true, about());
    told(&mut station, 1, 16.0, 0);
    station.told(setpoint(2, 12.0, 1));
    station.next(at(1), &mut Vec::new()).unwrap();
    assert_eq!(station.unanswered(), []);
    let (calls, _) = told(&mut station, 3, 12.0, 12);
    assert_eq!(actions(&calls), ["SetChargingProfile"], "nobody knows what it holds");
}

#[test]
fn one_that_does_not_say_that_it_takes_updates_gets_none() {
    let mut station = charging(false, about());
    let kinds = |calls: Vec<Call>| calls[0].payload["chargingProfile"]["chargingProfileKind"].clone();
    assert_eq!(kinds(told(&mut station, 1, 16.0, 0).0), "Absolute");
    assert_eq!(kinds(told(&mut station, 2, 12.0, 1).0), "Absolute");
}

#[test]
fn what_feeds_in_follows_a_setpoint_in_watts_of_all_phases_and_draws_nothing() {
    for updates in [false, true] {
        let mut station = charging(updates, About { feeds_in: true, ..about() });
        let (calls, follows) = told(&mut station, 1, -10.0, 0);
        let profile = &calls[0].payload["chargingProfile"];
        let period = json!({
            "startPeriod": 0, "operationMode": "CentralSetpoint", "numberPhases": 3,
            "setpoint": -6900.0, "dischargeLimit": -6900.0, "limit": 0.0,
        });
        assert_eq!(profile["chargingSchedule"][0]["chargingSchedulePeriod"], json!([period]));
        assert_eq!(profile["chargingSchedule"][0]["chargingRateUnit"], "W");
        // Nobody sees what a board is driven to backwards when the link is gone.
        assert_eq!(profile["maxOfflineDuration"], 65);
        assert_eq!(follows, [Follows::Setpoint { number: 1, accepted: true }]);
        let (calls, _) = told(&mut station, 2, -5.0, 1);
        if updates {
            let update = json!({ "setpoint": -3450.0, "dischargeLimit": -3450.0, "limit": 0.0 });
            assert_eq!((calls[0].action, &calls[0].payload["scheduleUpdate"]), ("UpdateDynamicSchedule", &update));
        }
        // An update changes no mode.
        let (calls, _) = told(&mut station, 3, 12.0, 2);
        let period = &calls[0].payload["chargingProfile"]["chargingSchedule"][0]["chargingSchedulePeriod"][0];
        assert_eq!((&period["limit"], &period["operationMode"]), (&json!(12.0), &Value::Null));
    }
}

#[test]
fn nothing_feeds_in_before_2_1_nor_where_the_site_does_not_say_so_nor_outside_of_transactions() {
    let not_here = charging(true, about());
    let mut old = Station::new(About { feeds_in: true, ..about() }, Version::V201);
    settle(&mut old, 0);
    old.begins(1, Transaction { id: json!("t"), ..transaction(7) });
    for mut station in [not_here, old] {
        station.told(setpoint(1, -10.0, 0));
        let (calls, _) = settle(&mut station, 0);
        let period = &calls[0].payload["chargingProfile"]["chargingSchedule"][0]["chargingSchedulePeriod"][0];
        assert_eq!((&period["limit"], &period["setpoint"]), (&json!(0.0), &Value::Null));
    }
    let mut station = charging(true, About { feeds_in: true, ..about() });
    station.ends(1);
    let (calls, _) = told(&mut station, 1, -10.0, 0);
    let profile = &calls[0].payload["chargingProfile"];
    assert_eq!(profile["chargingProfilePurpose"], "TxDefaultProfile");
    assert_eq!(profile["chargingSchedule"][0]["chargingSchedulePeriod"], json!([{ "startPeriod": 0, "limit": 0.0 }]));
}

#[test]
fn in_2_1_what_is_above_the_fallback_does_not_outlast_the_link() {
    for (version, limit_a, offline) in
        [(Version::V21, 16.0, json!(65)), (Version::V21, 8.0, Value::Null), (Version::V201, 16.0, Value::Null)]
    {
        let mut station = Station::new(about(), version);
        settle(&mut station, 0);
        station.begins(1, Transaction { id: json!("t"), ..transaction(7) });
        station.told(setpoint(1, limit_a, 0));
        let (calls, _) = settle(&mut station, 0);
        let profile = &calls[0].payload["chargingProfile"];
        assert_eq!(profile["maxOfflineDuration"], offline, "{version:?} {limit_a}");
        assert_eq!(profile["invalidAfterOfflineDuration"], if offline.is_null() { Value::Null } else { json!(true) });
        if version == Version::V21 {
            typed::<v21::SetChargingProfileRequest>(&calls[0].payload).unwrap();
        }
    }
}
