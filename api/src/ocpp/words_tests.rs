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
    let refusal = hear(Version::V201, "NotifyPriorityCharging", &priority).expect_err("it is of 2.1");
    assert_eq!(refusal.kind, RefusalKind::NotImplemented);
}
