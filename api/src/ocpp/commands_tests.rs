//! Every command in every version, held against the schema of its message.

use chrono::{DateTime, Utc};
use ocpp_types::{v16, v21, v201};
use serde_json::{Value, json};

use super::commands::Command;
use super::door::Version;
use super::frame::typed;
use super::link::Record;
use super::station::{Standing, Transaction};

const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

fn record(version: Version) -> Record {
    let id = if version == Version::V16 { json!(7) } else { json!("t") };
    let transaction = Transaction {
        id,
        session: "s".to_owned(),
        since: None,
        from_kwh: None,
        from_exported_kwh: None,
        standing: Standing::Accepted,
    };
    Record { transactions: [(1, transaction)].into(), ..Record::default() }
}

fn said(version: Version, command: &Value) -> Result<(&'static str, Value), (&'static str, String)> {
    let command: Command = serde_json::from_value(command.clone()).unwrap_or_else(|why| panic!("{command}: {why}"));
    command.message(version, &record(version), NOW)
}

/// Checks a payload against the schema of a message; those of 2.0.1 and 2.1 go by the same names.
macro_rules! checks {
    ($version:ident, $action:expr, $payload:expr; $($name:literal $message:ident,)+) => {
        match $action {
            $($name => typed::<$version::$message>($payload).map(drop).map_err(|refusal| refusal.text),)+
            other => Err(format!("{other} is not expected")),
        }
    };
}

fn fits_16(action: &str, payload: &Value) -> Result<(), String> {
    checks!(v16, action, payload;
        "CancelReservation" CancelReservationRequest, "ChangeAvailability" ChangeAvailabilityRequest,
        "ChangeConfiguration" ChangeConfigurationRequest, "ClearCache" ClearCacheRequest,
        "DataTransfer" DataTransferRequest, "DeleteCertificate" DeleteCertificateRequest,
        "ExtendedTriggerMessage" ExtendedTriggerMessageRequest, "GetCompositeSchedule" GetCompositeScheduleRequest,
        "GetConfiguration" GetConfigurationRequest, "GetDiagnostics" GetDiagnosticsRequest,
        "GetInstalledCertificateIds" GetInstalledCertificateIdsRequest,
        "GetLocalListVersion" GetLocalListVersionRequest, "GetLog" GetLogRequest,
        "InstallCertificate" InstallCertificateRequest, "RemoteStartTransaction" RemoteStartTransactionRequest,
        "RemoteStopTransaction" RemoteStopTransactionRequest, "ReserveNow" ReserveNowRequest, "Reset" ResetRequest,
        "SendLocalList" SendLocalListRequest, "SignedUpdateFirmware" SignedUpdateFirmwareRequest,
        "TriggerMessage" TriggerMessageRequest, "UnlockConnector" UnlockConnectorRequest,
        "UpdateFirmware" UpdateFirmwareRequest,
    )
}

macro_rules! fits_2 {
    ($version:ident, $action:expr, $payload:expr) => {
        checks!($version, $action, $payload;
            "CancelReservation" CancelReservationRequest, "ChangeAvailability" ChangeAvailabilityRequest,
            "ClearCache" ClearCacheRequest, "DeleteCertificate" DeleteCertificateRequest,
            "GetBaseReport" GetBaseReportRequest, "GetCompositeSchedule" GetCompositeScheduleRequest,
            "GetInstalledCertificateIds" GetInstalledCertificateIdsRequest,
            "GetLocalListVersion" GetLocalListVersionRequest, "GetLog" GetLogRequest,
            "GetVariables" GetVariablesRequest, "InstallCertificate" InstallCertificateRequest,
            "RequestStartTransaction" RequestStartTransactionRequest,
            "RequestStopTransaction" RequestStopTransactionRequest, "ReserveNow" ReserveNowRequest,
            "Reset" ResetRequest, "SendLocalList" SendLocalListRequest, "SetNetworkProfile" SetNetworkProfileRequest,
            "SetVariables" SetVariablesRequest, "TriggerMessage" TriggerMessageRequest,
            "UnlockConnector" UnlockConnectorRequest, "UpdateFirmware" UpdateFirmwareRequest,
        )
    };
}

#[track_caller]
fn check(version: Version, command: &Value, action: &str) -> Value {
    let (name, payload) = said(version, command).unwrap_or_else(|why| panic!("{command} in {version:?}: {why:?}"));
    assert_eq!(name, action, "{command} in {version:?}");
    let fits = match version {
        // Its data are of no type, which the crate leaves to whoever uses them.
        Version::V201 | Version::V21 if name == "DataTransfer" => {
            payload["vendorId"].as_str().map(drop).ok_or_else(|| "vendorId".to_owned())
        }
        Version::V16 => fits_16(name, &payload),
        Version::V201 => fits_2!(v201, name, &payload),
        Version::V21 => fits_2!(v21, name, &payload),
    };
    assert_eq!(fits, Ok(()), "{command} in {version:?}: {payload}");
    payload
}

/// Each command, and the message that says it in 1.6 and in 2.x.
#[test]
fn every_command_is_said_as_its_schema_has_it() {
    let hash = json!({
        "hashAlgorithm": "SHA256", "issuerNameHash": "ab", "issuerKeyHash": "cd", "serialNumber": "01",
    });
    let signed = json!({
        "command": "firmware", "location": "https://e.org/f", "at": NOW, "certificate": "PEM", "signature": "c2ln",
    });
    let commands = [
        (json!({ "command": "reset" }), "Reset", "Reset"),
        (json!({ "command": "reset", "hard": true }), "Reset", "Reset"),
        (json!({ "command": "unlock" }), "UnlockConnector", "UnlockConnector"),
        (json!({ "command": "start", "tag": "CARD" }), "RemoteStartTransaction", "RequestStartTransaction"),
        (json!({ "command": "stop" }), "RemoteStopTransaction", "RequestStopTransaction"),
        (json!({ "command": "trigger", "message": "MeterValues" }), "TriggerMessage", "TriggerMessage"),
        (json!({ "command": "availability", "operative": false }), "ChangeAvailability", "ChangeAvailability"),
        (json!({ "command": "reserve", "reservation": 3, "tag": "CARD", "until": NOW }), "ReserveNow", "ReserveNow"),
        (json!({ "command": "cancel_reservation", "reservation": 3 }), "CancelReservation", "CancelReservation"),
        (
            json!({ "command": "configuration", "keys": ["Part.Key", "Part[a].Key[b]"] }),
            "GetConfiguration",
            "GetVariables",
        ),
        (json!({ "command": "configuration" }), "GetConfiguration", "GetBaseReport"),
        (json!({ "command": "clear_cache" }), "ClearCache", "ClearCache"),
        (json!({ "command": "local_list", "version": 2, "tags": ["CARD"] }), "SendLocalList", "SendLocalList"),
        (json!({ "command": "local_list", "version": 3, "tags": [] }), "SendLocalList", "SendLocalList"),
        (json!({ "command": "local_list_version" }), "GetLocalListVersion", "GetLocalListVersion"),
        (json!({ "command": "diagnostics", "location": "https://e.org" }), "GetDiagnostics", "GetLog"),
        (json!({ "command": "diagnostics", "location": "https://e.org", "security": true }), "GetLog", "GetLog"),
        (
            json!({ "command": "firmware", "location": "https://e.org/f", "at": NOW }),
            "UpdateFirmware",
            "UpdateFirmware",
        ),
        (signed, "SignedUpdateFirmware", "UpdateFirmware"),
        (
            json!({ "command": "data_transfer", "vendor": "V", "message": "m", "data": { "a": 1 } }),
            "DataTransfer",
            "DataTransfer",
        ),
        (json!({ "command": "data_transfer", "vendor": "V" }), "DataTransfer", "DataTransfer"),
        (json!({ "command": "certificate" }), "ExtendedTriggerMessage", "TriggerMessage"),
        (json!({ "command": "install_certificate", "certificate": "PEM" }), "InstallCertificate", "InstallCertificate"),
        (json!({ "command": "installed_certificates" }), "GetInstalledCertificateIds", "GetInstalledCertificateIds"),
        (
            json!({ "command": "installed_certificates", "of": "firmware" }),
            "GetInstalledCertificateIds",
            "GetInstalledCertificateIds",
        ),
        (json!({ "command": "delete_certificate", "hash": hash }), "DeleteCertificate", "DeleteCertificate"),
        (json!({ "command": "composite_schedule", "duration_s": 60 }), "GetCompositeSchedule", "GetCompositeSchedule"),
    ];
    for (command, in_16, in_2) in &commands {
        check(Version::V16, command, in_16);
        check(Version::V201, command, in_2);
        check(Version::V21, command, in_2);
    }
    check(Version::V16, &json!({ "command": "configure", "key": "K", "value": "1" }), "ChangeConfiguration");
    let profile = json!({ "command": "network_profile", "slot": 1, "url": "wss://e.org/ocpp", "security_profile": 2 });
    let component = json!({ "command": "configure", "component": "C", "key": "K", "value": "1" });
    for version in [Version::V201, Version::V21] {
        check(version, &component, "SetVariables");
        check(version, &profile, "SetNetworkProfile");
    }
}

#[test]
fn an_instance_stands_in_brackets() {
    let keys =
        json!({ "command": "configuration", "keys": ["SmartChargingCtrlr.ChargingProfilePersistence[TxProfile]"] });
    let asked = json!({ "getVariableData": [{
        "component": { "name": "SmartChargingCtrlr" },
        "variable": { "name": "ChargingProfilePersistence", "instance": "TxProfile" },
    }] });
    assert_eq!(check(Version::V201, &keys, "GetVariables"), asked);
}

#[test]
fn what_a_version_cannot_say_is_refused_with_the_field_and_the_remedy() {
    let refused = |version: Version, command: &Value| said(version, command).expect_err("it cannot be said");
    let key = json!({ "command": "configuration", "keys": ["HeartbeatInterval"] });
    let (field, why) = refused(Version::V201, &key);
    assert!(field == "keys" && why.contains("HeartbeatInterval") && why.contains("component"), "{field} {why}");
    let half = json!({ "command": "firmware", "location": "https://e.org/f", "at": NOW, "signature": "c2ln" });
    for version in [Version::V16, Version::V21] {
        let (field, why) = refused(version, &half);
        assert!(field == "certificate" && why.contains("signature"), "{field} {why}");
    }
    let (field, _) =
        refused(Version::V16, &json!({ "command": "configure", "component": "C", "key": "K", "value": "1" }));
    assert_eq!(field, "component");
}
