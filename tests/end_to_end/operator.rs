//! What an operator asks of a charger and sees of it: commands, reports, faults, security events.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};

use super::chargers::python;
use super::ocpp::{Charger, PASSWORD, PATIENCE, Service, runtime};
use super::{Folder, workspace};

const COMMANDS: &str = "/v1/sites/a/chargers/CP-1/commands";

#[test]
fn a_command_reaches_a_charger_and_its_answer_comes_back() {
    let folder = Folder::new();
    let service = Arc::new(Service::start(&folder.path("data"), "127.0.0.1:0"));
    service.site("a", &["CP-1"]);
    assert_eq!(service.ask("POST", COMMANDS, &json!({ "command": "reset" })).0, 409, "it is not connected");
    let asks = Arc::clone(&service);
    let ask = move || asks.ask("POST", COMMANDS, &json!({ "command": "reset", "hard": true }));
    runtime().block_on(async {
        let mut charger = Charger::connect(&service, "CP-1", PASSWORD, "ocpp1.6").await.expect("a link");
        let boot = json!({ "chargePointModel": "M", "chargePointVendor": "V" });
        charger.call("1", "BootNotification", boot).await.expect("an answer");
        let asks = tokio::task::spawn_blocking(ask);
        let frame = charger.until(|frame| frame[2] == "Reset").await.expect("a reset");
        assert_eq!(frame[3]["type"], "Hard");
        let answer = asks.await.expect("an answer");
        assert_eq!(answer, (200, json!({ "result": "answered", "answer": { "status": "Accepted" } })));
    });
}

#[test]
fn all_that_a_charger_has_comes_back_as_one_answer() {
    let folder = Folder::new();
    let service = Arc::new(Service::start(&folder.path("data"), "127.0.0.1:0"));
    service.site("a", &["CP-1"]);
    let asks = Arc::clone(&service);
    runtime().block_on(async {
        let mut charger = Charger::connect(&service, "CP-1", PASSWORD, "ocpp2.0.1").await.expect("a link");
        let boot = json!({ "reason": "PowerUp", "chargingStation": { "model": "M", "vendorName": "V" } });
        charger.call("1", "BootNotification", boot).await.expect("an answer");
        let ask = move || asks.ask("POST", COMMANDS, &json!({ "command": "configuration" }));
        let asks = tokio::task::spawn_blocking(ask);
        let frame = charger.until(|frame| frame[2] == "GetBaseReport").await.expect("it is asked");
        for (number, last) in [(0, false), (1, true)] {
            let variable = json!({
                "component": { "name": "OCPPCommCtrlr" }, "variable": { "name": format!("V{number}") },
                "variableAttribute": [{ "value": "1" }],
            });
            let part = json!({
                "requestId": frame[3]["requestId"], "generatedAt": chrono::Utc::now(), "seqNo": number, "tbc": !last,
                "reportData": [variable],
            });
            let answer = charger.call(&format!("p{number}"), "NotifyReport", part).await.expect("an answer");
            assert_eq!(answer[0], 3, "{answer}");
        }
        let (status, answer) = asks.await.expect("an answer");
        assert_eq!((status, &answer["result"]), (200, &json!("answered")), "{answer}");
        let names = answer["answer"]["variables"].as_array().expect("variables").iter();
        assert_eq!(names.map(|one| &one["variable"]["name"]).collect::<Vec<_>>(), ["V0", "V1"]);
    });
}

#[test]
fn a_fault_and_a_security_event_are_seen() {
    let folder = Folder::new();
    let service = Service::start(&folder.path("data"), "127.0.0.1:0");
    service.site("a", &["CP-1"]);
    let alarms = || {
        let (_, status) = service.ask("GET", "/v1/sites/a/status", &Value::Null);
        let open = status["alarms"].as_array().expect("alarms").clone();
        open.into_iter().filter(|alarm| alarm["kind"] == "faulted").collect::<Vec<_>>()
    };
    let wait = |wanted: usize| {
        let begun = Instant::now();
        while alarms().len() != wanted {
            assert!(begun.elapsed() < PATIENCE, "{:?}", alarms());
        }
    };
    runtime().block_on(async {
        let mut charger = Charger::connect(&service, "CP-1", PASSWORD, "ocpp1.6").await.expect("a link");
        let boot = json!({ "chargePointModel": "M", "chargePointVendor": "V" });
        charger.call("1", "BootNotification", boot).await.expect("an answer");
        let status = |status: &str, code: &str| json!({ "connectorId": 1, "status": status, "errorCode": code });
        charger.call("2", "StatusNotification", status("Faulted", "GroundFailure")).await.expect("an answer");
        wait(1);
        assert_eq!(
            (&alarms()[0]["about"], &alarms()[0]["text"]),
            (&json!("charger/CP-1"), &json!("connector 1: GroundFailure"))
        );
        let event = json!({ "type": "TamperDetectionActivated", "timestamp": chrono::Utc::now() });
        charger.call("3", "SecurityEventNotification", event).await.expect("an answer");
        charger.call("4", "FirmwareStatusNotification", json!({ "status": "Downloading" })).await.expect("an answer");
        charger.call("5", "StatusNotification", status("Available", "NoError")).await.expect("an answer");
        wait(0);
    });
    let (_, view) = service.ask("GET", "/v1/sites/a/chargers/CP-1", &Value::Null);
    let told = &view["ocpp"];
    assert_eq!(told["security_events"][0]["kind"], "TamperDetectionActivated", "{view}");
    assert_eq!(told["firmware_update"]["status"], "Downloading", "{view}");
    assert!(told["faults"].is_null(), "{view}");
    // What has begun and ended is written a moment later.
    let begun = Instant::now();
    loop {
        let (_, past) = service.ask("GET", "/v1/sites/a/alarms", &Value::Null);
        let kinds: Vec<&Value> =
            past["items"].as_array().expect("alarms").iter().map(|item| &item["alarm"]["kind"]).collect();
        if kinds.contains(&&json!("security")) && kinds.contains(&&json!("faulted")) {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{past}");
    }
}

/// The messages in the table of `docs/ocpp.md` that have something in the column of a version.
fn table(column: usize) -> BTreeSet<String> {
    let text = std::fs::read_to_string(workspace().join("docs/ocpp.md")).expect("the table");
    let table =
        text.split("<!-- messages: begin -->").nth(1).and_then(|rest| rest.split("<!-- messages: end -->").next());
    let rows = table.expect("a table").lines().filter(|line| line.starts_with("| ")).skip(1);
    let mut names = BTreeSet::new();
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        if !cells[column].is_empty() {
            names.extend(cells[1].split(", ").map(str::to_owned));
        }
    }
    names
}

#[test]
fn the_table_names_every_message_of_each_version() {
    let Some(python) = python() else { return };
    let output = Command::new(python).arg(workspace().join("tests/ocpp/messages.py")).output().expect("Python runs");
    let all = super::json(&output.stdout);
    for (column, version) in [(2, "1.6"), (3, "2.0.1"), (4, "2.1")] {
        let all: BTreeSet<String> = serde_json::from_value(all[version].clone()).expect("names");
        assert!(all.len() > 30, "{version}");
        assert_eq!(table(column), all, "{version}");
    }
}
