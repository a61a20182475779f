//! What the central system asks of a station.

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_engine::plant::profiles::{Clear, Edition, Purpose};
use ocpp_types::v16;
use ocpp_types::v16::common::{
    ChangeAvailabilityRequestType, ChargingRateUnit, ExtendedTriggerMessageRequestRequestedMessage as Extended,
    ResetRequestType, TriggerMessageRequestRequestedMessage as Trigger,
};
use ocpp_types::validate::Validate;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::super::ask::{Ask, Event};
use super::super::frame::Wrong;
use super::super::later::{Later, STEP};
use super::super::line::not_implemented;
use super::super::orders::accepted;
use super::super::read::{self, instant};
use super::super::settings::{Changed, Right};
use super::super::{Quirk, Station};
use super::{profile, purpose};

fn read<T: DeserializeOwned + Validate>(payload: Value) -> Result<T, Wrong> {
    read::read(Edition::V16, payload)
}

/// Does what is asked, and says what is answered.
pub(crate) fn asked(station: &mut Station, now: DateTime<Utc>, action: &str, payload: Value) -> Result<Value, Wrong> {
    let status = match action {
        "SetChargingProfile" => set_profile(station, now, &read(payload)?)?,
        "ClearChargingProfile" => clear(station, now, &read(payload)?),
        "GetCompositeSchedule" => return Ok(composite(station, now, &read(payload)?)),
        "GetConfiguration" => return Ok(configuration(station, &read(payload)?)),
        "ChangeConfiguration" => change(station, now, &read(payload)?),
        "Reset" => reset(station, now, &read(payload)?),
        "RemoteStartTransaction" => remote_start(station, now, &read(payload)?),
        "RemoteStopTransaction" => remote_stop(station, now, &read(payload)?),
        "TriggerMessage" => trigger(station, now, &read(payload)?),
        "ExtendedTriggerMessage" => extended(station, now, &read(payload)?),
        "ChangeAvailability" => availability(station, now, &read(payload)?),
        "SendLocalList" => local_list(station, &read(payload)?),
        "GetLocalListVersion" => return Ok(json!({"listVersion": station.list_version})),
        "ReserveNow" => reserve(station, now, &read(payload)?),
        "CancelReservation" => cancel(station, now, &read(payload)?),
        "UpdateFirmware" => {
            read::<v16::UpdateFirmwareRequest>(payload)?;
            station.after(now, STEP, Later::Firmware(&["Downloading", "Downloaded", "Installing", "Installed"]));
            return Ok(json!({}));
        }
        "GetDiagnostics" => {
            read::<v16::GetDiagnosticsRequest>(payload)?;
            station.after(now, STEP, Later::Log(&["Uploading", "Uploaded"], None));
            return Ok(json!({"fileName": "diagnostics.txt"}));
        }
        "GetLog" => {
            let log: v16::GetLogRequest = read(payload)?;
            station.after(now, STEP, Later::Log(&["Uploading", "Uploaded"], Some(log.request_id)));
            return Ok(json!({"status": "Accepted", "filename": "log.txt"}));
        }
        "UnlockConnector" => {
            read::<v16::UnlockConnectorRequest>(payload)?;
            station.end(now, "UnlockCommand");
            "Unlocked"
        }
        "ClearCache" => "Accepted",
        "DataTransfer" => "UnknownVendorId",
        other => return Err(not_implemented(other)),
    };
    Ok(json!({"status": status}))
}

fn place(connector: i64) -> Result<u32, Wrong> {
    let known = u32::try_from(connector).ok().filter(|connector| *connector <= 1);
    // E 3.39.
    let text = format!("connector {connector} is not here; there are 0 and 1");
    known.ok_or(Wrong { code: "PropertyConstraintViolation", text })
}

fn set_profile(
    station: &mut Station,
    now: DateTime<Utc>,
    request: &v16::SetChargingProfileRequest,
) -> Result<&'static str, Wrong> {
    let wire = &request.cs_charging_profiles;
    let as_one = ocpp_types::v16::common::ChargingProfile {
        charging_profile_id: wire.charging_profile_id,
        charging_profile_kind: wire.charging_profile_kind.clone(),
        charging_profile_purpose: wire.charging_profile_purpose.clone(),
        charging_schedule: wire.charging_schedule.clone(),
        recurrency_kind: wire.recurrency_kind.clone(),
        stack_level: wire.stack_level,
        transaction_id: wire.transaction_id,
        valid_from: wire.valid_from,
        valid_to: wire.valid_to,
    };
    let evse = place(request.connector_id)?;
    Ok(accepted(station.installs(now, evse, profile(&as_one)).is_ok()))
}

fn clear(station: &mut Station, now: DateTime<Utc>, request: &v16::ClearChargingProfileRequest) -> &'static str {
    let which = Clear {
        id: request.id,
        evse: request.connector_id.and_then(|connector| u32::try_from(connector).ok()),
        purpose: request.charging_profile_purpose.as_ref().map(purpose),
        stack_level: request.stack_level,
    };
    station.clears(now, which)
}

fn composite(station: &Station, now: DateTime<Utc>, request: &v16::GetCompositeScheduleRequest) -> Value {
    let known = (0..=1).contains(&request.connector_id) && request.duration > 0;
    if !known || station.has(Quirk::NoComposite) {
        return json!({"status": "Rejected"});
    }
    let watts = request.charging_rate_unit == Some(ChargingRateUnit::W);
    let (from, periods) = station.composite(now, request.duration, watts);
    json!({
        "status": "Accepted",
        "connectorId": request.connector_id,
        "scheduleStart": from,
        "chargingSchedule": {
            "duration": request.duration,
            "startSchedule": from,
            "chargingRateUnit": if watts { "W" } else { "A" },
            "chargingSchedulePeriod": periods,
        },
    })
}

fn configuration(station: &Station, request: &v16::GetConfigurationRequest) -> Value {
    let mut unknown = Vec::new();
    let mut found = Vec::new();
    match request.key.as_ref().filter(|keys| !keys.is_empty()) {
        None => found.extend(station.settings.all()),
        Some(keys) => {
            for key in keys {
                match station.settings.get(key) {
                    Some(setting) => found.push(setting),
                    None => unknown.push(key.as_str()),
                }
            }
        }
    }
    let readable = found.into_iter().filter(|setting| setting.right != Right::Write);
    let keys: Vec<Value> = readable
        .map(|setting| json!({"key": setting.name, "readonly": setting.right == Right::Read, "value": setting.value}))
        .collect();
    json!({"configurationKey": keys, "unknownKey": unknown})
}

fn change(station: &mut Station, now: DateTime<Utc>, request: &v16::ChangeConfigurationRequest) -> &'static str {
    match station.settings.change(&request.key, &request.value) {
        Changed::Done => {
            station.setting_changed(now, &request.key, &request.value);
            "Accepted"
        }
        Changed::Rejected | Changed::ReadOnly => "Rejected",
        Changed::Unknown => "NotSupported",
    }
}

fn reset(station: &mut Station, now: DateTime<Utc>, request: &v16::ResetRequest) -> &'static str {
    let hard = request.r#type == ResetRequestType::Hard;
    station.end(now, if hard { "HardReset" } else { "SoftReset" });
    station.after(now, TimeDelta::seconds(1), Later::Reset);
    "Accepted"
}

fn remote_start(
    station: &mut Station,
    now: DateTime<Utc>,
    request: &v16::RemoteStartTransactionRequest,
) -> &'static str {
    if station.transaction.is_some() || !station.available || request.connector_id.is_some_and(|id| id != 1) {
        return "Rejected";
    }
    station.starts_from_afar(now, request.id_tag.as_str().to_owned(), None);
    if let Some(wire) = &request.charging_profile {
        let profile = profile(wire);
        // Only one for the transaction that begins, which has no number yet (5.11).
        if profile.purpose != Purpose::Tx || profile.transaction.is_some() {
            return "Rejected";
        }
        let installed = station.installs(now, 1, profile);
        return accepted(installed.is_ok());
    }
    "Accepted"
}

fn remote_stop(station: &mut Station, now: DateTime<Utc>, request: &v16::RemoteStopTransactionRequest) -> &'static str {
    let meant = request.transaction_id.to_string();
    let runs = station.transaction.as_ref().is_some_and(|transaction| transaction.id.as_ref() == Some(&meant));
    if runs {
        station.end(now, "Remote");
    }
    accepted(runs)
}

fn trigger(station: &mut Station, now: DateTime<Utc>, request: &v16::TriggerMessageRequest) -> &'static str {
    match request.requested_message {
        // E 3.35.
        Trigger::BootNotification if station.accepted => return "Rejected",
        Trigger::BootNotification => station.ask(now, Ask::Boot),
        Trigger::Heartbeat => station.ask(now, Ask::Heartbeat),
        Trigger::StatusNotification => station.tells_status(now),
        Trigger::MeterValues => station.tell(now, Event::Measured { triggered: true }),
        Trigger::DiagnosticsStatusNotification => station.ask(now, Ask::Log("Idle", None)),
        Trigger::FirmwareStatusNotification => station.ask(now, Ask::Firmware("Idle")),
    }
    "Accepted"
}

fn extended(station: &mut Station, now: DateTime<Utc>, request: &v16::ExtendedTriggerMessageRequest) -> &'static str {
    match request.requested_message {
        Extended::BootNotification if station.accepted => return "Rejected",
        Extended::BootNotification => station.ask(now, Ask::Boot),
        Extended::Heartbeat => station.ask(now, Ask::Heartbeat),
        Extended::StatusNotification => station.tells_status(now),
        Extended::MeterValues => station.tell(now, Event::Measured { triggered: true }),
        Extended::FirmwareStatusNotification => station.ask(now, Ask::Firmware("Idle")),
        Extended::LogStatusNotification | Extended::SignChargePointCertificate => return "NotImplemented",
    }
    "Accepted"
}

fn availability(station: &mut Station, now: DateTime<Utc>, request: &v16::ChangeAvailabilityRequest) -> &'static str {
    station.set_available(now, request.r#type == ChangeAvailabilityRequestType::Operative)
}

fn local_list(station: &mut Station, request: &v16::SendLocalListRequest) -> &'static str {
    let entries = request.local_authorization_list.as_ref().map_or(0, Vec::len);
    station.takes_list(request.list_version, entries, request.update_type == v16::common::UpdateType::Differential)
}

fn reserve(station: &mut Station, now: DateTime<Utc>, request: &v16::ReserveNowRequest) -> &'static str {
    station.reserves(now, request.reservation_id, request.id_tag.as_str().to_owned(), instant(&request.expiry_date))
}

fn cancel(station: &mut Station, now: DateTime<Utc>, request: &v16::CancelReservationRequest) -> &'static str {
    accepted(station.cancels(now, request.reservation_id))
}
