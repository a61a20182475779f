//! What a station must do.

use chrono::TimeDelta;
use kwartier_engine::plant::profiles::Edition;
use serde_json::{Value, json};

use super::{Count, Desk, Do, Held, Make, Quirk, Seen, Station, at, make, until, v2_profile, v16_profile};

#[test]
fn nothing_flows_without_a_transaction_and_what_lapses_falls_back() {
    let mut desk = Desk::new(Edition::V16, &[]);
    desk.station.connected(desk.now);
    desk.settle(false);
    // Nobody has answered its start: it says nothing else, and a vehicle gets nothing.
    desk.plugs_in(1, 0.0);
    assert_eq!(desk.amps(), Some(0.0));
    assert_eq!(desk.times("Authorize"), 0);

    let mut desk = Desk::new(Edition::V16, &[]).connected();
    assert_eq!(desk.amps(), None);
    desk.ask("SetChargingProfile", &v16_profile(2, "TxDefaultProfile", 0, 8.0, &json!({})));
    desk.plugs_in(1, 0.0);
    assert_eq!(desk.amps(), Some(8.0));
    let status = desk.status("SetChargingProfile", &v16_profile(3, "TxProfile", 1, 16.0, &until(60)));
    assert_eq!((status.as_str(), desk.amps()), ("Accepted", Some(16.0)));
    desk.pass(59);
    assert_eq!(desk.amps(), Some(16.0));
    desk.pass(1);
    assert_eq!(desk.amps(), Some(8.0));
    // The profile of a transaction goes with it; without one it is refused.
    desk.leaves();
    assert_eq!(desk.status("SetChargingProfile", &v16_profile(3, "TxProfile", 1, 16.0, &json!({}))), "Rejected");
    assert_eq!(desk.station.store.installed().len(), 1);
}

#[test]
fn cut_off_it_goes_on_and_tells_later_in_order() {
    let mut desk = Desk::new(Edition::V16, &[]).connected();
    desk.plugs_in(1, 8.0);
    let before = desk.said.len();
    desk.station.cut(desk.now);
    desk.settle(true);
    desk.pass(30);
    desk.leaves();
    desk.plugs_in(2, 8.0);
    assert_eq!(desk.amps(), None, "whom nobody can ask for may charge");
    desk.pass(30);
    assert_eq!(desk.said[before..].matches("MeterValues").count(), 0);
    desk = desk.connected();
    let later = &desk.said[before..];
    let places: Vec<usize> =
        ["StopTransaction", "StartTransaction"].iter().map(|what| later.find(what).unwrap()).collect();
    assert!(places.is_sorted(), "{later}");
    assert_eq!(later.matches("BootNotification").count(), 0, "{later}");
    // It tells when it really was.
    assert!(later.contains("\"timestamp\":\"2026-03-02T10:00:30.000Z\""), "{later}");
}

#[test]
fn what_was_not_answered_is_asked_again_only_if_it_matters() {
    let mut desk = Desk::new(Edition::V16, &[]).connected();
    desk.plugs_in(1, 0.0);
    desk.ask("TriggerMessage", &json!({"requestedMessage": "Heartbeat"}));
    let starts = desk.times("StartTransaction");
    desk.leaves();
    // Nobody answers from here on.
    let seen = Seen { vehicle: Some(2), at: Some(desk.now), ..Seen::default() };
    desk.station.sees(desk.now, seen);
    desk.settle(false);
    for _ in 0..35 {
        desk.now += TimeDelta::seconds(1);
        desk.station.due(desk.now);
        desk.settle(false);
    }
    assert!(desk.counts.contains(&Count::Failed));
    assert_eq!(desk.times("StartTransaction"), starts, "who was not let in does not charge");
    assert_eq!(desk.amps(), Some(0.0));
    // Then somebody does.
    desk.pass(30);
    assert_eq!(desk.times("StartTransaction"), starts + 1);
}

#[test]
fn it_starts_anew_as_it_is_told_and_remembers_what_it_must() {
    for (quirks, kept) in [(&[][..], Some(8.0)), (&[Quirk::ForgetsAtReboot][..], None)] {
        let mut desk = Desk::new(Edition::V16, quirks).connected();
        desk.ask("SetChargingProfile", &v16_profile(2, "TxDefaultProfile", 0, 8.0, &json!({})));
        desk.plugs_in(1, 8.0);
        assert_eq!(desk.status("Reset", &json!({"type": "Soft"})), "Accepted");
        assert_eq!(desk.times("\"reason\":\"SoftReset\""), 1);
        desk.pass(2);
        assert_eq!((desk.hangups, desk.station.powered(), desk.amps()), (1, false, Some(0.0)));
        desk.station.cut(desk.now);
        desk.pass(30);
        assert!(desk.station.powered());
        desk = desk.connected();
        assert_eq!(desk.times("BootNotification"), 2);
        assert_eq!(desk.amps(), kept);
    }
}

#[test]
fn it_answers_what_it_cannot_do_with_the_errors_of_the_specification() {
    let code = |edition, action: &str, payload: Value| {
        let mut station = Station::new(make(edition, &[]), at(0));
        station.take();
        station.heard(at(1), &json!([2, "q", action, payload]).to_string());
        let frame =
            station.take().into_iter().find_map(|what| if let Do::Send(frame) = what { Some(frame) } else { None });
        let parts: Value = serde_json::from_str(&frame.unwrap()).unwrap();
        assert_eq!((&parts[0], &parts[1]), (&json!(4), &json!("q")), "{parts}");
        parts[2].as_str().unwrap().to_owned()
    };
    assert_eq!(code(Edition::V16, "Fly", json!({})), "NotImplemented");
    assert_eq!(code(Edition::V16, "Reset", json!({})), "OccurenceConstraintViolation");
    assert_eq!(code(Edition::V2, "Reset", json!({})), "OccurrenceConstraintViolation");
    assert_eq!(code(Edition::V16, "Reset", json!({"type": "Gentle"})), "PropertyConstraintViolation");
    assert_eq!(code(Edition::V16, "UnlockConnector", json!({"connectorId": "one"})), "TypeConstraintViolation");
    let elsewhere = json!({"connectorId": 5, "csChargingProfiles": v16_profile(1, "TxDefaultProfile", 0, 9.0, &json!({}))["csChargingProfiles"]});
    assert_eq!(code(Edition::V16, "SetChargingProfile", elsewhere), "PropertyConstraintViolation");
}

#[test]
fn afar_it_starts_and_stops_reserves_and_goes_out_of_order() {
    let mut desk = Desk::new(Edition::V16, &[]).connected();
    let expiry = json!({"connectorId": 1, "expiryDate": at(60), "idTag": "VIP", "reservationId": 4});
    assert_eq!(desk.status("ReserveNow", &expiry), "Accepted");
    assert_eq!(desk.times("\"status\":\"Reserved\""), 1);
    assert_eq!(
        desk.status("ReserveNow", &json!({"connectorId": 1, "expiryDate": at(60), "idTag": "X", "reservationId": 5})),
        "Occupied"
    );
    let profile = v16_profile(3, "TxProfile", 1, 9.0, &json!({}))["csChargingProfiles"].clone();
    desk.status("RemoteStartTransaction", &json!({"connectorId": 1, "idTag": "VIP"}));
    desk.plugs_in(1, 0.0);
    assert_eq!(desk.times("\"idTag\":\"VIP\",\"meterStart\":1000,\"reservationId\":4"), 1, "{}", desk.said);
    assert_eq!(desk.status("RemoteStopTransaction", &json!({"transactionId": 8})), "Rejected");
    assert_eq!(desk.status("RemoteStopTransaction", &json!({"transactionId": 7})), "Accepted");
    assert_eq!(desk.amps(), Some(0.0));
    let start = json!({"connectorId": 1, "idTag": "VIP", "chargingProfile": profile});
    assert_eq!(desk.status("RemoteStartTransaction", &start), "Accepted");
    assert_eq!(desk.amps(), Some(9.0));
    assert_eq!(desk.status("ChangeAvailability", &json!({"connectorId": 1, "type": "Inoperative"})), "Scheduled");
    desk.leaves();
    assert_eq!(desk.times("\"status\":\"Unavailable\""), 1);
    desk.plugs_in(2, 0.0);
    assert_eq!(desk.amps(), Some(0.0));
    assert_eq!(desk.status("ChangeAvailability", &json!({"connectorId": 1, "type": "Operative"})), "Accepted");
    assert_eq!(desk.amps(), None);
    assert_eq!(desk.status("TriggerMessage", &json!({"requestedMessage": "BootNotification"})), "Rejected");
    desk.ask("GetDiagnostics", &json!({"location": "ftp://nowhere/"}));
    desk.ask("UpdateFirmware", &json!({"location": "ftp://nowhere/", "retrieveDate": at(0)}));
    desk.pass(20);
    assert_eq!(desk.times("{\"status\":\"Uploaded\"}") + desk.times("{\"status\":\"Installed\"}"), 2);
}

#[test]
fn a_station_of_2_0_1_tells_what_it_is() {
    let mut desk = Desk::new(Edition::V2, &[]).connected();
    let wanted =
        |component: &str, variable: &str| json!({"component": {"name": component}, "variable": {"name": variable}});
    let all =
        [wanted("SmartChargingCtrlr", "RateUnit"), wanted("SmartChargingCtrlr", "Colour"), wanted("Oven", "Heat")];
    let answer = desk.ask("GetVariables", &json!({"getVariableData": all}));
    let results: Vec<&str> = answer["getVariableResult"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["attributeStatus"].as_str().unwrap())
        .collect();
    assert_eq!(results, ["Accepted", "UnknownVariable", "UnknownComponent"]);
    assert_eq!(answer["getVariableResult"][0]["attributeValue"], "A,W");
    let mut change = wanted("SampledDataCtrlr", "TxUpdatedInterval");
    change["attributeValue"] = json!("2");
    desk.ask("SetVariables", &json!({"setVariableData": [change]}));
    assert_eq!(desk.status("GetBaseReport", &json!({"requestId": 1, "reportBase": "FullInventory"})), "Accepted");
    assert_eq!(desk.times("NotifyReport"), 1);
    desk.plugs_in(1, 8.0);
    desk.pass(6);
    assert_eq!(desk.times("MeterValuePeriodic"), 3);
    // Another profile in the same place is refused, the same one is not.
    assert_eq!(desk.status("SetChargingProfile", &v2_profile(1, "TxDefaultProfile", 0, 8.0, None)), "Accepted");
    let other = desk.ask("SetChargingProfile", &v2_profile(2, "TxDefaultProfile", 0, 9.0, None));
    assert_eq!(other["statusInfo"]["reasonCode"], "DuplicateProfile");
    assert_eq!(desk.held, Some(Held { amps: Some(8.0), phases: 1, phase: Some(1) }));
    let composite = desk.ask("GetCompositeSchedule", &json!({"evseId": 1, "duration": 60, "chargingRateUnit": "W"}));
    assert_eq!(composite["schedule"]["chargingSchedulePeriod"][0]["limit"], 1840.0);
    assert_eq!(desk.status("ClearChargingProfile", &json!({"chargingProfileCriteria": {"stackLevel": 3}})), "Unknown");
    assert_eq!(desk.status("ClearChargingProfile", &json!({"chargingProfileId": 1})), "Accepted");
    assert_eq!(desk.amps(), None);
}

#[test]
fn a_vehicle_says_what_it_wants_before_it_is_given_a_profile() {
    let mut desk = Desk::of(Make { iso15118: true, ..make(Edition::V2, &[]) }).connected();
    desk.plugs_in(1, 0.0);
    let name = desk.station.transaction.as_ref().unwrap().id.clone().unwrap();
    let early = desk.ask("SetChargingProfile", &v2_profile(2, "TxProfile", 1, 12.0, Some(&name)));
    assert_eq!(early["statusInfo"]["reasonCode"], "InvalidMessageSeq");
    desk.pass(2);
    assert_eq!(desk.times("\"energyAmount\":20000"), 1, "{}", desk.said);
    assert_eq!(desk.status("SetChargingProfile", &v2_profile(2, "TxProfile", 1, 12.0, Some(&name))), "Accepted");
    assert_eq!(desk.times("NotifyEVChargingSchedule"), 1);
    // The next one has not said anything yet.
    desk.leaves();
    desk.plugs_in(2, 0.0);
    let name = desk.station.transaction.as_ref().unwrap().id.clone().unwrap();
    let early = desk.ask("SetChargingProfile", &v2_profile(2, "TxProfile", 1, 12.0, Some(&name)));
    assert_eq!(early["status"], "Rejected");
}
