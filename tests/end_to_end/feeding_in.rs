//! A vehicle that feeds in by OCPP 2.1: from its needs and the prices of the day to the setpoint on the wire, and its fuse.

use std::time::Instant;

use chrono::{DurationRound as _, TimeDelta, Utc};
use serde_json::{Value, json};

use super::Folder;
use super::ocpp::{Charger, PASSWORD, PATIENCE, Service, runtime};

/// What flows on each phase of the board besides the vehicle, in A.
const BUILDING_A: f64 = 20.0;

/// A depot in which a van may feed in 16 A, while an hour costs ten times what the rest of the night does.
fn depot(service: &Service) {
    let site = json!({
        "format": 1, "name": "Feeds in", "time_zone": "Europe/Amsterdam",
        "boards": [{ "id": "HV", "limit_a": 63.0, "building_max_a": 30.0 }],
        "meters": [{ "id": "M", "board": "HV", "includes": ["building", "stations"] }],
        "stations": [{
            "id": "CP-1", "board": "HV", "rotation": "RST", "max_a": 32.0, "fallback_a": 6.0, "max_discharge_a": 16.0,
        }],
        "vehicles": [{
            "id": "van", "phases": 3, "max_a": 16.0, "capacity_kwh": 80.0, "v2g": { "max_a": 16.0, "min_soc_kwh": 20.0 },
        }],
    });
    put(service, "PUT", "/v1/sites/v2x", &site);
    let charger = json!({
        "node": "HV", "phase_map": "RST", "max_a": 32.0, "ocpp": { "password": PASSWORD, "security_profile": 1 },
    });
    put(service, "PUT", "/v1/sites/v2x/chargers/CP-1", &charger);
    let quarter = Utc::now().duration_trunc(TimeDelta::minutes(15)).expect("a quarter-hour");
    let prices: Vec<Value> = (0..96)
        .map(|number| {
            let price = if number < 5 { 1.0 } else { 0.1 };
            json!({
                "start": quarter + TimeDelta::minutes(15 * number), "minutes": 15,
                "import_eur_kwh": price, "export_eur_kwh": price * 0.9,
            })
        })
        .collect();
    put(service, "PUT", "/v1/sites/v2x/prices", &json!(prices));
    let session = json!({
        "charger": "CP-1", "vehicle": "van", "arrival": Utc::now(), "departure": quarter + TimeDelta::hours(12),
        "soc_kwh": 60.0, "target_kwh": 60.0,
    });
    put(service, "POST", "/v1/sites/v2x/sessions", &session);
}

fn put(service: &Service, method: &str, path: &str, body: &Value) {
    let (status, answer) = service.ask(method, path, body);
    assert!(status < 300, "{method} {path}: {status} {answer}");
}

/// What a call allows per phase in A, negative where it is to feed in; `None`, it is about something else.
fn limit_a(frame: &Value) -> Option<f64> {
    let profile = &frame[3]["chargingProfile"];
    if profile["chargingProfilePurpose"] != "TxProfile" {
        return None;
    }
    let schedule = &profile["chargingSchedule"][0];
    let period = &schedule["chargingSchedulePeriod"][0];
    let Some(watts) = period["setpoint"].as_f64() else { return period["limit"].as_f64() };
    let modes = (&period["operationMode"], &schedule["chargingRateUnit"], &period["limit"]);
    assert_eq!(modes, (&json!("CentralSetpoint"), &json!("W"), &json!(0.0)), "{frame}");
    Some(watts / 690.0)
}

#[test]
fn a_van_feeds_in_while_that_is_worth_it_and_stops_when_the_meter_falls_silent() {
    let folder = Folder::new();
    let service = Service::start(&folder.path("data"), "127.0.0.1:0");
    depot(&service);
    runtime().block_on(async {
        let mut charger = Charger::connect(&service, "CP-1", PASSWORD, "ocpp2.1").await.expect("a link");
        let boot = json!({ "reason": "PowerUp", "chargingStation": { "model": "M", "vendorName": "V" } });
        assert_eq!(charger.call("1", "BootNotification", boot).await.expect("an answer")[2]["status"], "Accepted");
        let token = json!({ "idToken": "CARD", "type": "ISO14443" });
        let answer = charger.call("2", "Authorize", json!({ "idToken": token })).await.expect("an answer");
        let may = answer[2]["allowedEnergyTransfer"].as_array().expect("what it may offer");
        assert!(may.contains(&json!("AC_BPT")), "{answer}");
        let started = json!({
            "eventType": "Started", "timestamp": Utc::now(), "triggerReason": "Authorized", "seqNo": 0,
            "transactionInfo": { "transactionId": "t", "chargingState": "Charging" },
            "evse": { "id": 1, "connectorId": 1 }, "idToken": token,
        });
        charger.call("3", "TransactionEvent", started).await.expect("an answer");
        let mut drawn_a = 0.0;
        let begun = Instant::now();
        while drawn_a > -10.0 {
            assert!(begun.elapsed() < PATIENCE, "it draws {drawn_a} A and never feeds in");
            let amps = BUILDING_A + drawn_a;
            let reading = json!([{ "at": Utc::now(), "node": "HV", "l1_a": amps, "l2_a": amps, "l3_a": amps }]);
            put(&service, "POST", "/v1/sites/v2x/measurements", &reading);
            let said = tokio::time::timeout(std::time::Duration::from_secs(1), charger.until(|frame| frame[0] == 2));
            if let Ok(frame) = said.await {
                drawn_a = limit_a(&frame.expect("a link")).unwrap_or(drawn_a);
            }
        }
        assert!(drawn_a >= -16.0, "{drawn_a} A is more than the station may");
        // The meter falls silent: nobody sees what the board does, so nothing is fed in.
        let stopped = charger.until(|frame| limit_a(frame).is_some_and(|amps| amps >= 0.0)).await;
        assert!(stopped.is_some(), "it is told to stop");
    });
}
