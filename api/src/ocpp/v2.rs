//! OCPP 2.0.1 and 2.1: what a charger says, what it is answered, and what that means. What 2.1 adds is named beside it.

use chrono::{DateTime, Utc};
use ocpp_types::{v21, v201};
use serde_json::{Value, json};

use super::door::Version;
use super::frame::{Refusal, RefusalKind, typed};
use super::heard::{HEARTBEAT_S, Happened, Heard, Identity, Needs, instant};
use super::profiles::stamp;
use super::readings::{Draws, latest};
use super::station::now_is;
use super::tags::{Occasion, Shown};
use crate::resource::tag::TagNumber;

/// Checks a payload against its schema in either version: 2.1 allows what 2.0.1 does, and more.
macro_rules! checked {
    ($version:expr, $payload:expr, $message:ident) => {
        match $version {
            Version::V21 => typed::<v21::$message>($payload).map(drop),
            Version::V16 | Version::V201 => typed::<v201::$message>($payload).map(drop),
        }
    };
}

/// Hears a message of a charger.
pub fn hear(
    version: Version,
    action: &str,
    payload: &Value,
    draws: Draws,
    now: DateTime<Utc>,
) -> Result<Heard, Refusal> {
    let nothing = || Heard::new(json!({}), Vec::new());
    Ok(match action {
        "BootNotification" => {
            checked!(version, payload, BootNotificationRequest)?;
            let station = &payload["chargingStation"];
            let text = |name: &str| station[name].as_str().unwrap_or_default().to_owned();
            let firmware = station["firmwareVersion"].as_str().map(str::to_owned);
            let serial = station["serialNumber"].as_str().map(str::to_owned);
            let identity = Identity { vendor: text("vendorName"), model: text("model"), serial, firmware };
            let answer = json!({ "status": "Accepted", "currentTime": stamp(now), "interval": HEARTBEAT_S });
            Heard::new(answer, vec![Happened::Booted(identity)])
        }
        "Heartbeat" => Heard::new(now_is(now), Vec::new()),
        "Authorize" => {
            checked!(version, payload, AuthorizeRequest)?;
            nothing().shows(Shown { number: number(&payload["idToken"]), at: now, occasion: Occasion::Asks })
        }
        "TransactionEvent" => {
            checked!(version, payload, TransactionEventRequest)?;
            transaction(payload, draws, now)
        }
        "MeterValues" => {
            checked!(version, payload, MeterValuesRequest)?;
            let connector = payload["evseId"].as_i64().unwrap_or(0);
            let drew = Happened::Drew { connector, values: payload["meterValue"].clone(), transaction: None };
            Heard::new(json!({}), vec![drew])
        }
        "StatusNotification" => {
            checked!(version, payload, StatusNotificationRequest)?;
            let connector = payload["evseId"].as_i64().unwrap_or(0);
            let free = payload["connectorStatus"] == "Available";
            let told = (connector > 0).then_some(Happened::Status { connector, free });
            Heard::new(json!({}), told.into_iter().collect())
        }
        "NotifyEVChargingNeeds" => {
            checked!(version, payload, NotifyEVChargingNeedsRequest)?;
            Heard::new(json!({ "status": "Accepted" }), vec![needs(payload)])
        }
        "NotifyEVChargingSchedule" => {
            checked!(version, payload, NotifyEVChargingScheduleRequest)?;
            Heard::new(json!({ "status": "Accepted" }), Vec::new())
        }
        "DataTransfer" => {
            // Its data are of no type, which the crate leaves to whoever uses them.
            payload["vendorId"].as_str().ok_or_else(|| Refusal::new(RefusalKind::Occurrence, "vendorId is missing"))?;
            Heard::new(json!({ "status": "UnknownVendorId" }), Vec::new())
        }
        "SignCertificate" => {
            checked!(version, payload, SignCertificateRequest)?;
            Heard::new(json!({ "status": "Rejected" }), Vec::new())
        }
        "Get15118EVCertificate" => {
            checked!(version, payload, Get15118EVCertificateRequest)?;
            Heard::new(json!({ "status": "Failed", "exiResponse": "" }), Vec::new())
        }
        "GetCertificateStatus" => {
            checked!(version, payload, GetCertificateStatusRequest)?;
            Heard::new(json!({ "status": "Failed" }), Vec::new())
        }
        "ClearedChargingLimit" => checked!(version, payload, ClearedChargingLimitRequest).map(|()| nothing())?,
        "FirmwareStatusNotification" => {
            checked!(version, payload, FirmwareStatusNotificationRequest).map(|()| nothing())?
        }
        "LogStatusNotification" => checked!(version, payload, LogStatusNotificationRequest).map(|()| nothing())?,
        "NotifyChargingLimit" => checked!(version, payload, NotifyChargingLimitRequest).map(|()| nothing())?,
        "NotifyCustomerInformation" => {
            checked!(version, payload, NotifyCustomerInformationRequest).map(|()| nothing())?
        }
        "NotifyDisplayMessages" => checked!(version, payload, NotifyDisplayMessagesRequest).map(|()| nothing())?,
        "NotifyEvent" => checked!(version, payload, NotifyEventRequest).map(|()| nothing())?,
        "NotifyMonitoringReport" => checked!(version, payload, NotifyMonitoringReportRequest).map(|()| nothing())?,
        "NotifyReport" => checked!(version, payload, NotifyReportRequest).map(|()| nothing())?,
        "PublishFirmwareStatusNotification" => {
            checked!(version, payload, PublishFirmwareStatusNotificationRequest).map(|()| nothing())?
        }
        "ReportChargingProfiles" => checked!(version, payload, ReportChargingProfilesRequest).map(|()| nothing())?,
        "ReservationStatusUpdate" => checked!(version, payload, ReservationStatusUpdateRequest).map(|()| nothing())?,
        "SecurityEventNotification" => {
            checked!(version, payload, SecurityEventNotificationRequest).map(|()| nothing())?
        }
        "NotifyPriorityCharging" if version == Version::V21 => {
            typed::<v21::NotifyPriorityChargingRequest>(payload).map(|_| nothing())?
        }
        // Limits are told as they change: no profile of ours asks for this (K28.FR.10).
        "PullDynamicScheduleUpdate" if version == Version::V21 => {
            typed::<v21::PullDynamicScheduleUpdateRequest>(payload)?;
            Heard::new(json!({ "status": "Rejected" }), Vec::new())
        }
        other if is_ours(version, other) => {
            return Err(Refusal::new(RefusalKind::NotSupported, "chargers do not send this"));
        }
        _ => return Err(Refusal::new(RefusalKind::NotImplemented, "no such message in this version")),
    })
}

fn transaction(payload: &Value, draws: Draws, now: DateTime<Utc>) -> Heard {
    let id = payload["transactionInfo"]["transactionId"].clone();
    let at = instant(payload, now);
    let values = &payload["meterValue"];
    let register_kwh = latest(values, draws).register_kwh;
    let connector = payload["evse"]["id"].as_i64();
    let mut happened = Vec::new();
    // One that began while nobody listened is told by its first event that comes through.
    let begins = payload["eventType"] == "Started";
    if begins || payload["eventType"] == "Updated" {
        let connector = connector.unwrap_or(1);
        happened.push(Happened::Began { connector, id: id.clone(), at, register_kwh });
    }
    if values.is_array() {
        happened.push(Happened::Drew {
            connector: connector.unwrap_or(0),
            values: values.clone(),
            transaction: Some(id.clone()),
        });
    }
    let ends = payload["eventType"] == "Ended";
    if ends {
        happened.push(Happened::Ended { id: id.clone(), at, register_kwh });
    }
    let heard = Heard::new(json!({}), happened);
    let token = payload["idToken"].is_object();
    // One that begins without a card waits for it, where one is wanted.
    if token || begins {
        let number = number(&payload["idToken"]);
        let occasion = if ends { Occasion::Asks } else { Occasion::Within(connector, id) };
        return heard.shows(Shown { number, at, occasion });
    }
    heard
}

/// What a vehicle needs. Energies are in Wh; those of vehicles that feed in have another name in 2.1.
fn needs(payload: &Value) -> Happened {
    let needs = &payload["chargingNeeds"];
    let departure = needs["departureTime"].as_str().and_then(|at| at.parse().ok());
    let energies = [
        &needs["acChargingParameters"]["energyAmount"],
        &needs["dcChargingParameters"]["energyAmount"],
        &needs["v2xChargingParameters"]["evTargetEnergyRequest"],
    ];
    let energy_kwh = energies.into_iter().find_map(Value::as_f64).map(|wh| wh / 1000.0);
    let connector = payload["evseId"].as_i64().unwrap_or(0);
    Happened::Needs { connector, needs: Needs { departure, energy_kwh } }
}

/// How vehicles may charge where they may feed in too (Q01): without being told, a charger offers them nothing of that.
pub fn allowed_transfer() -> Value {
    json!(["AC_single_phase", "AC_two_phase", "AC_three_phase", "DC", "AC_BPT", "DC_BPT"])
}

/// The number of a card; `None`, there is none.
fn number(token: &Value) -> Option<TagNumber> {
    let none = token["type"] == "NoAuthorization";
    token["idToken"].as_str().filter(|number| !none && !number.is_empty()).map(TagNumber::of)
}

/// Messages that go to chargers and never come from one.
fn is_ours(version: Version, action: &str) -> bool {
    const OURS_SINCE_21: [&str; 3] = ["NotifyAllowedEnergyTransfer", "UpdateDynamicSchedule", "UsePriorityCharging"];
    const OURS: [&str; 36] = [
        "CancelReservation",
        "CertificateSigned",
        "ChangeAvailability",
        "ClearCache",
        "ClearChargingProfile",
        "ClearDisplayMessage",
        "ClearVariableMonitoring",
        "CostUpdated",
        "CustomerInformation",
        "DeleteCertificate",
        "GetBaseReport",
        "GetChargingProfiles",
        "GetCompositeSchedule",
        "GetDisplayMessages",
        "GetInstalledCertificateIds",
        "GetLocalListVersion",
        "GetLog",
        "GetMonitoringReport",
        "GetReport",
        "GetTransactionStatus",
        "GetVariables",
        "InstallCertificate",
        "PublishFirmware",
        "RequestStartTransaction",
        "RequestStopTransaction",
        "ReserveNow",
        "Reset",
        "SendLocalList",
        "SetChargingProfile",
        "SetDisplayMessage",
        "SetNetworkProfile",
        "SetVariableMonitoring",
        "SetVariables",
        "TriggerMessage",
        "UnlockConnector",
        "UpdateFirmware",
    ];
    OURS.contains(&action) || (version == Version::V21 && OURS_SINCE_21.contains(&action))
}
