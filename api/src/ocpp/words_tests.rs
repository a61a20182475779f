//! Every message that a charger may send: what is right is answered, what is wrong is refused with its field.

use chrono::Utc;
use serde_json::{Value, json};

use super::door::Version;
use super::frame::{Refusal, RefusalKind};
use super::heard::Heard;
use super::readings::Draws;
use super::{v2, v16};

const AT: &str = "2026-06-01T12:00:00Z";

fn hear(version: Version, action: &str, payload: &Value) -> Result<Heard, Refusal> {
    let draws = Draws { phases: None, connected: 3, voltage_v: 230.0 };
    match version {
        Version::V16 => v16::hear(action, payload, 7, Utc::now()),
        version => v2::hear(version, action, payload, draws, Utc::now()),
    }
}

/// That a message is answered with this, and refused when a field that it needs is missing.
#[track_caller]
fn check(versions: &[Version], action: &str, payload: &Value, answer: &Value) {
    for &version in versions {
        match hear(version, action, payload) {
            Ok(heard) => assert_eq!(heard.answer, *answer, "{action} in {version:?}"),
            Err(refusal) => panic!("{action} in {version:?}: {refusal:?}"),
        }
        let refusal = hear(version, action, &json!({})).expect_err(action);
        assert_eq!(refusal.kind, RefusalKind::Occurrence, "{action} in {version:?}: {}", refusal.text);
        let mut other = payload.clone();
        let field = payload.as_object().and_then(|fields| fields.keys().next()).expect("a field").clone();
        other[&field] = json!([[]]);
        let refusal = hear(version, action, &other).expect_err(action);
        assert_ne!(refusal.kind, RefusalKind::Internal, "{action} in {version:?}: {}", refusal.text);
    }
}

#[test]
fn messages_of_1_6_are_checked_and_answered() {
    let (only, nothing) = (&[Version::V16][..], &json!({}));
    check(only, "DiagnosticsStatusNotification", &json!({ "status": "Idle" }), nothing);
    check(only, "FirmwareStatusNotification", &json!({ "status": "Installed" }), nothing);
    check(only, "LogStatusNotification", &json!({ "status": "Idle" }), nothing);
    check(only, "SignedFirmwareStatusNotification", &json!({ "status": "Idle" }), nothing);
    check(only, "SecurityEventNotification", &json!({ "type": "TamperDetectionActivated", "timestamp": AT }), nothing);
    check(only, "DataTransfer", &json!({ "vendorId": "V" }), &json!({ "status": "UnknownVendorId" }));
}

#[test]
fn messages_of_2_are_checked_and_answered() {
    let (both, nothing) = (&[Version::V201, Version::V21][..], &json!({}));
    let schedule = json!({
        "id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [{ "startPeriod": 0, "limit": 6.0 }],
    });
    let accepted = &json!({ "status": "Accepted" });
    let needs = json!({ "evseId": 1, "chargingNeeds": { "requestedEnergyTransfer": "AC_three_phase" } });
    check(both, "NotifyEVChargingNeeds", &needs, accepted);
    let own = json!({ "evseId": 1, "timeBase": AT, "chargingSchedule": schedule });
    check(both, "NotifyEVChargingSchedule", &own, accepted);
    check(both, "DataTransfer", &json!({ "vendorId": "V" }), &json!({ "status": "UnknownVendorId" }));
    let asks =
        json!({ "iso15118SchemaVersion": "urn:iso:15118:2:2013:MsgDef", "action": "Install", "exiRequest": "AA==" });
    check(both, "Get15118EVCertificate", &asks, &json!({ "status": "Failed", "exiResponse": "" }));
    let ocsp = json!({
        "hashAlgorithm": "SHA256", "issuerNameHash": "A", "issuerKeyHash": "B", "serialNumber": "1",
        "responderURL": "http://ocsp.example",
    });
    check(both, "GetCertificateStatus", &json!({ "ocspRequestData": ocsp }), &json!({ "status": "Failed" }));
    check(both, "FirmwareStatusNotification", &json!({ "status": "Installed" }), nothing);
    check(both, "LogStatusNotification", &json!({ "status": "Idle" }), nothing);
    check(both, "PublishFirmwareStatusNotification", &json!({ "status": "Idle" }), nothing);
    check(both, "SecurityEventNotification", &json!({ "type": "TamperDetectionActivated", "timestamp": AT }), nothing);
    check(both, "ClearedChargingLimit", &json!({ "chargingLimitSource": "EMS" }), nothing);
    check(both, "NotifyChargingLimit", &json!({ "chargingLimit": { "chargingLimitSource": "EMS" } }), nothing);
    let data = json!({ "data": "none", "seqNo": 0, "generatedAt": AT, "requestId": 1 });
    check(both, "NotifyCustomerInformation", &data, nothing);
    check(both, "NotifyDisplayMessages", &json!({ "requestId": 1 }), nothing);
    check(both, "NotifyReport", &json!({ "requestId": 1, "generatedAt": AT, "seqNo": 0 }), nothing);
    check(both, "NotifyMonitoringReport", &json!({ "requestId": 1, "generatedAt": AT, "seqNo": 0 }), nothing);
    let event = json!({
        "eventId": 1, "timestamp": AT, "trigger": "Alerting", "actualValue": "true",
        "eventNotificationType": "HardWiredNotification", "component": { "name": "Connector" },
        "variable": { "name": "Problem" },
    });
    check(both, "NotifyEvent", &json!({ "generatedAt": AT, "seqNo": 0, "eventData": [event] }), nothing);
    let profile = json!({
        "id": 1, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile", "chargingProfileKind": "Absolute",
        "chargingSchedule": [schedule],
    });
    let reports = json!({ "requestId": 1, "chargingLimitSource": "CSO", "evseId": 1, "chargingProfile": [profile] });
    check(both, "ReportChargingProfiles", &reports, nothing);
    let reservation = json!({ "reservationId": 1, "reservationUpdateStatus": "Expired" });
    check(both, "ReservationStatusUpdate", &reservation, nothing);
    let priority = json!({ "transactionId": "t", "activated": true });
    check(&[Version::V21], "NotifyPriorityCharging", &priority, nothing);
    check(
        &[Version::V21],
        "PullDynamicScheduleUpdate",
        &json!({ "chargingProfileId": 11 }),
        &json!({ "status": "Rejected" }),
    );
    for (action, payload) in
        [("NotifyPriorityCharging", priority), ("PullDynamicScheduleUpdate", json!({ "chargingProfileId": 11 }))]
    {
        let refusal = hear(Version::V201, action, &payload).expect_err("it is of 2.1");
        assert_eq!(refusal.kind, RefusalKind::NotImplemented);
    }
    let refusal = hear(Version::V21, "UpdateDynamicSchedule", &json!({})).expect_err("it is ours");
    assert_eq!(refusal.kind, RefusalKind::NotSupported);
}

/// The rows of the table in `docs/ocpp.md`: the messages, and what it says of 1.6, 2.0.1 and 2.1.
fn table() -> Vec<(Vec<String>, [String; 3])> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/ocpp.md");
    let text = std::fs::read_to_string(path).expect("docs/ocpp.md");
    let table = text.split("<!-- messages: begin -->").nth(1).expect("a table");
    let rows =
        table.split("<!-- messages: end -->").next().expect("an end").lines().filter(|line| line.starts_with("| "));
    let cells = rows.skip(1).map(|row| row.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>());
    cells
        .map(|cells| (cells[1].split(", ").map(str::to_owned).collect(), [2, 3, 4].map(|at| cells[at].clone())))
        .collect()
}

#[test]
fn the_table_says_what_is_heard_and_what_is_not() {
    let rows = table();
    assert!(rows.len() > 40);
    let versions = [Version::V16, Version::V201, Version::V21];
    for (index, version) in versions.into_iter().enumerate() {
        let with = |word: &str| -> Vec<&String> {
            rows.iter().filter(|(_, cells)| cells[index] == word).flat_map(|(names, _)| names).collect()
        };
        let heard = with("in");
        let kind = |name: &str| hear(version, name, &json!({})).err().map(|refusal| refusal.kind);
        for name in &heard {
            let refused = matches!(kind(name), Some(RefusalKind::NotSupported | RefusalKind::NotImplemented));
            assert!(!refused, "{name} in {version:?} is not heard");
        }
        for name in with("out").into_iter().chain(with("no")).filter(|name| !heard.contains(name)) {
            let refused = matches!(kind(name), Some(RefusalKind::NotSupported | RefusalKind::NotImplemented));
            assert!(refused, "{name} in {version:?} is heard");
        }
    }
}
