//! OCPP 1.6-J: what a charger says, what it is answered, and what that means.

use chrono::{DateTime, Utc};
use ocpp_types::v16;
use serde_json::{Value, json};

use super::frame::{Refusal, RefusalKind, typed};
use super::heard::{HEARTBEAT_S, Happened, Heard, Identity, instant};
use super::profiles::stamp;
use super::station::now_is;
use super::tags::{Occasion, Shown};
use crate::resource::tag::TagNumber;

/// Hears a message of a charger. `next` is the id of a transaction that begins.
pub fn hear(action: &str, payload: &Value, next: i64, now: DateTime<Utc>) -> Result<Heard, Refusal> {
    let nothing = || Heard::new(json!({}), Vec::new());
    let shown = |occasion| {
        let number = payload["idTag"].as_str().map(TagNumber::of);
        Shown { number, at: instant(payload, now), occasion }
    };
    Ok(match action {
        "BootNotification" => {
            let boot: v16::BootNotificationRequest = typed(payload)?;
            let identity = Identity {
                vendor: boot.charge_point_vendor.to_string(),
                model: boot.charge_point_model.to_string(),
                serial: payload["chargePointSerialNumber"].as_str().map(str::to_owned),
                firmware: boot.firmware_version.map(|version| version.to_string()),
            };
            let answer = json!({ "status": "Accepted", "currentTime": stamp(now), "interval": HEARTBEAT_S });
            Heard::new(answer, vec![Happened::Booted(identity)])
        }
        "Heartbeat" => Heard::new(now_is(now), Vec::new()),
        "Authorize" => {
            typed::<v16::AuthorizeRequest>(payload)?;
            nothing().shows(shown(Occasion::Asks))
        }
        "StartTransaction" => {
            let start: v16::StartTransactionRequest = typed(payload)?;
            let shown = shown(Occasion::Within(Some(start.connector_id), json!(next)));
            let began = Happened::Began {
                connector: start.connector_id,
                id: json!(next),
                at: instant(payload, now),
                register_kwh: kwh(start.meter_start),
            };
            Heard::new(json!({ "transactionId": next }), vec![began]).shows(shown)
        }
        "StopTransaction" => {
            let stop: v16::StopTransactionRequest = typed(payload)?;
            let ended = Happened::Ended {
                id: json!(stop.transaction_id),
                at: instant(payload, now),
                register_kwh: kwh(stop.meter_stop),
            };
            let heard = Heard::new(json!({}), vec![ended]);
            if stop.id_tag.is_some() { heard.shows(shown(Occasion::Asks)) } else { heard }
        }
        "MeterValues" => {
            let values: v16::MeterValuesRequest = typed(payload)?;
            let drew = Happened::Drew {
                connector: values.connector_id,
                values: payload["meterValue"].clone(),
                transaction: values.transaction_id.map(|id| json!(id)),
            };
            Heard::new(json!({}), vec![drew])
        }
        "StatusNotification" => {
            let status: v16::StatusNotificationRequest = typed(payload)?;
            let (connector, free) = (status.connector_id, payload["status"] == "Available");
            let told = (connector > 0).then_some(Happened::Status { connector, free });
            Heard::new(json!({}), told.into_iter().collect())
        }
        "DataTransfer" => {
            typed::<v16::DataTransferRequest>(payload)?;
            Heard::new(json!({ "status": "UnknownVendorId" }), Vec::new())
        }
        "DiagnosticsStatusNotification" => {
            typed::<v16::DiagnosticsStatusNotificationRequest>(payload).map(|_| nothing())?
        }
        "FirmwareStatusNotification" => typed::<v16::FirmwareStatusNotificationRequest>(payload).map(|_| nothing())?,
        "SecurityEventNotification" => typed::<v16::SecurityEventNotificationRequest>(payload).map(|_| nothing())?,
        "LogStatusNotification" => typed::<v16::LogStatusNotificationRequest>(payload).map(|_| nothing())?,
        "SignedFirmwareStatusNotification" => {
            typed::<v16::SignedFirmwareStatusNotificationRequest>(payload).map(|_| nothing())?
        }
        "SignCertificate" => {
            typed::<v16::SignCertificateRequest>(payload)?;
            Heard::new(json!({ "status": "Rejected" }), Vec::new())
        }
        other if is_ours(other) => return Err(Refusal::new(RefusalKind::NotSupported, "chargers do not send this")),
        _ => return Err(Refusal::new(RefusalKind::NotImplemented, "no such message in OCPP 1.6")),
    })
}

/// Messages that go to chargers and never come from one.
fn is_ours(action: &str) -> bool {
    const OURS: [&str; 25] = [
        "CancelReservation",
        "CertificateSigned",
        "ChangeAvailability",
        "ChangeConfiguration",
        "ClearCache",
        "ClearChargingProfile",
        "DeleteCertificate",
        "ExtendedTriggerMessage",
        "GetCompositeSchedule",
        "GetConfiguration",
        "GetDiagnostics",
        "GetInstalledCertificateIds",
        "GetLocalListVersion",
        "GetLog",
        "InstallCertificate",
        "RemoteStartTransaction",
        "RemoteStopTransaction",
        "ReserveNow",
        "Reset",
        "SendLocalList",
        "SetChargingProfile",
        "SignedUpdateFirmware",
        "TriggerMessage",
        "UnlockConnector",
        "UpdateFirmware",
    ];
    OURS.contains(&action)
}

fn kwh(register_wh: i64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "no register comes near 2^53 Wh")]
    (register_wh >= 0).then_some(register_wh as f64 / 1000.0)
}
