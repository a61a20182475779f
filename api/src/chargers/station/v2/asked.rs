//! What the central system asks of a station.

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_engine::plant::profiles::{Clear, Edition, Installed, Purpose};
use ocpp_types::v201;
use ocpp_types::v201::common::{
    ChargingRateUnitEnum, MessageTriggerEnum, OperationalStatusEnum, ResetEnum, UpdateEnum,
};
use ocpp_types::validate::Validate;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::super::ask::{Ask, Event};
use super::super::frame::Wrong;
use super::super::later::{Later, STEP};
use super::super::line::not_implemented;
use super::super::orders::accepted;
use super::super::read::{self, instant, reason};
use super::super::{Quirk, Station};
use super::{model, profile, purpose};

fn read<T: DeserializeOwned + Validate>(payload: Value) -> Result<T, Wrong> {
    read::read(Edition::V2, payload)
}

/// Does what is asked, and says what is answered.
pub(crate) fn asked(station: &mut Station, now: DateTime<Utc>, action: &str, payload: Value) -> Result<Value, Wrong> {
    let status = match action {
        "SetChargingProfile" => return Ok(set_profile(station, now, &read(payload)?)),
        "ClearChargingProfile" => clear(station, now, &read(payload)?),
        "GetCompositeSchedule" => return Ok(composite(station, now, &read(payload)?)),
        "GetChargingProfiles" => profiles(station, now, &read(payload)?),
        "GetVariables" => return Ok(model::get(station, &read(payload)?)),
        "SetVariables" => return Ok(model::set(station, now, &read(payload)?)),
        "GetBaseReport" => {
            let request: v201::GetBaseReportRequest = read(payload)?;
            station.ask(now, Ask::Report(request.request_id, now));
            "Accepted"
        }
        "Reset" => reset(station, now, &read(payload)?),
        "RequestStartTransaction" => return Ok(start(station, now, &read(payload)?)),
        "RequestStopTransaction" => stop(station, now, &read(payload)?),
        "GetTransactionStatus" => return Ok(transaction_status(station, &read(payload)?)),
        "TriggerMessage" => trigger(station, now, &read(payload)?),
        "ChangeAvailability" => {
            let request: v201::ChangeAvailabilityRequest = read(payload)?;
            station.set_available(now, request.operational_status == OperationalStatusEnum::Operative)
        }
        "SendLocalList" => {
            let request: v201::SendLocalListRequest = read(payload)?;
            let entries = request.local_authorization_list.as_ref().map_or(0, Vec::len);
            station.takes_list(request.version_number, entries, request.update_type == UpdateEnum::Differential)
        }
        "GetLocalListVersion" => return Ok(json!({"versionNumber": station.list_version})),
        "ReserveNow" => {
            let request: v201::ReserveNowRequest = read(payload)?;
            let until = instant(&request.expiry_date_time);
            station.reserves(now, request.id, request.id_token.id_token.to_string(), until)
        }
        "CancelReservation" => {
            let request: v201::CancelReservationRequest = read(payload)?;
            accepted(station.cancels(now, request.reservation_id))
        }
        "UpdateFirmware" => {
            read::<v201::UpdateFirmwareRequest>(payload)?;
            station.after(now, STEP, Later::Firmware(&["Downloading", "Downloaded", "Installing", "Installed"]));
            "Accepted"
        }
        "GetLog" => {
            let log: v201::GetLogRequest = read(payload)?;
            station.after(now, STEP, Later::Log(&["Uploading", "Uploaded"], Some(log.request_id)));
            return Ok(json!({"status": "Accepted", "filename": "log.txt"}));
        }
        "UnlockConnector" => {
            read::<v201::UnlockConnectorRequest>(payload)?;
            if station.transaction.is_some() { "OngoingAuthorizedTransaction" } else { "Unlocked" }
        }
        "ClearCache" => "Accepted",
        "DataTransfer" => "UnknownVendorId",
        other => return Err(not_implemented(other)),
    };
    Ok(json!({"status": status}))
}

fn set_profile(station: &mut Station, now: DateTime<Utc>, request: &v201::SetChargingProfileRequest) -> Value {
    let Ok(evse) = u32::try_from(request.evse_id) else { return refused("UnknownEvse") };
    let Some(profile) = profile(&request.charging_profile) else { return refused("MissingParam") };
    let of_vehicle = profile.purpose == Purpose::Tx && station.make.iso15118;
    // K15.FR.17: a vehicle that has not said yet what it wants cannot be given a profile of its own.
    if of_vehicle && station.transaction.is_some() && !station.needs_told {
        return refused("InvalidMessageSeq");
    }
    match station.installs(now, evse, profile) {
        Ok(()) => {
            if of_vehicle {
                station.ask(now, Ask::Intends(now));
            }
            json!({"status": "Accepted"})
        }
        Err(why) => json!({
            "status": "Rejected",
            "statusInfo": {"reasonCode": reason(&why), "additionalInfo": why.to_string()},
        }),
    }
}

fn refused(reason: &str) -> Value {
    json!({"status": "Rejected", "statusInfo": {"reasonCode": reason}})
}

fn clear(station: &mut Station, now: DateTime<Utc>, request: &v201::ClearChargingProfileRequest) -> &'static str {
    let criteria = request.charging_profile_criteria.as_ref();
    let evse = criteria.and_then(|criteria| criteria.evse_id).and_then(|evse| u32::try_from(evse).ok());
    let which = Clear {
        id: request.charging_profile_id,
        evse,
        purpose: criteria.and_then(|criteria| criteria.charging_profile_purpose.as_ref()).map(purpose),
        stack_level: criteria.and_then(|criteria| criteria.stack_level),
    };
    station.clears(now, which)
}

fn composite(station: &Station, now: DateTime<Utc>, request: &v201::GetCompositeScheduleRequest) -> Value {
    let known = (0..=1).contains(&request.evse_id) && request.duration > 0;
    if !known || station.has(Quirk::NoComposite) {
        return refused(if known { "NotEnabled" } else { "UnknownEvse" });
    }
    let watts = request.charging_rate_unit == Some(ChargingRateUnitEnum::W);
    let (from, periods) = station.composite(now, request.duration, watts);
    json!({
        "status": "Accepted",
        "schedule": {
            "evseId": request.evse_id,
            "duration": request.duration,
            "scheduleStart": from,
            "chargingRateUnit": if watts { "W" } else { "A" },
            "chargingSchedulePeriod": periods,
        },
    })
}

/// Tells, one place after the other, which profiles it holds that match.
fn profiles(station: &mut Station, now: DateTime<Utc>, request: &v201::GetChargingProfilesRequest) -> &'static str {
    let wanted = &request.charging_profile;
    let purpose = wanted.charging_profile_purpose.as_ref().map(purpose);
    let matches = |installed: &&Installed| {
        let profile = &installed.profile;
        request.evse_id.is_none_or(|evse| evse == i64::from(installed.evse))
            && wanted.charging_profile_id.as_ref().is_none_or(|ids| ids.contains(&profile.id))
            && purpose.is_none_or(|purpose| purpose == profile.purpose)
            && wanted.stack_level.is_none_or(|level| level == profile.stack_level)
    };
    let found: Vec<Installed> = station.store.installed().iter().filter(matches).cloned().collect();
    for evse in 0..=1 {
        let here: Vec<Installed> = found.iter().filter(|installed| installed.evse == evse).cloned().collect();
        if !here.is_empty() {
            station.ask(now, Ask::Profiles(request.request_id, here));
        }
    }
    if found.is_empty() { "NoProfiles" } else { "Accepted" }
}

fn reset(station: &mut Station, now: DateTime<Utc>, request: &v201::ResetRequest) -> &'static str {
    let charging = station.transaction.is_some();
    if request.r#type == ResetEnum::Immediate {
        station.end(now, "HardReset");
    }
    station.after(now, TimeDelta::seconds(1), Later::Reset);
    if charging && request.r#type == ResetEnum::OnIdle { "Scheduled" } else { "Accepted" }
}

fn start(station: &mut Station, now: DateTime<Utc>, request: &v201::RequestStartTransactionRequest) -> Value {
    if station.transaction.is_some() || !station.available || request.evse_id.is_some_and(|id| id != 1) {
        return refused("TxInProgress");
    }
    let wire = request.charging_profile.as_ref();
    if wire.is_some_and(|wire| purpose(&wire.charging_profile_purpose) != Purpose::Tx) {
        return refused("InvalidProfile");
    }
    station.starts_from_afar(now, request.id_token.id_token.to_string(), Some(request.remote_start_id));
    let name = station.transaction.as_ref().and_then(|transaction| transaction.id.clone());
    if let Some(mut profile) = wire.and_then(profile) {
        // It came before anybody could know the transaction.
        profile.transaction.clone_from(&name);
        if let Err(why) = station.installs(now, 1, profile) {
            return refused(reason(&why));
        }
    }
    match name {
        Some(name) => json!({"status": "Accepted", "transactionId": name}),
        None => json!({"status": "Accepted"}),
    }
}

fn stop(station: &mut Station, now: DateTime<Utc>, request: &v201::RequestStopTransactionRequest) -> &'static str {
    let runs = runs(station, request.transaction_id.as_str());
    if runs {
        station.end(now, "Remote");
    }
    accepted(runs)
}

fn runs(station: &Station, id: &str) -> bool {
    station.transaction.as_ref().is_some_and(|transaction| transaction.id.as_deref() == Some(id))
}

fn transaction_status(station: &Station, request: &v201::GetTransactionStatusRequest) -> Value {
    let waits = station.queue.iter().any(Ask::lasts);
    match &request.transaction_id {
        Some(id) => json!({"ongoingIndicator": runs(station, id), "messagesInQueue": waits}),
        None => json!({"messagesInQueue": waits}),
    }
}

fn trigger(station: &mut Station, now: DateTime<Utc>, request: &v201::TriggerMessageRequest) -> &'static str {
    match request.requested_message {
        MessageTriggerEnum::BootNotification if station.accepted => return "Rejected",
        MessageTriggerEnum::BootNotification => station.ask(now, Ask::Boot),
        MessageTriggerEnum::Heartbeat => station.ask(now, Ask::Heartbeat),
        MessageTriggerEnum::StatusNotification => station.tells_status(now),
        MessageTriggerEnum::TransactionEvent | MessageTriggerEnum::MeterValues => {
            if station.transaction.is_none() {
                return "Rejected";
            }
            station.tell(now, Event::Measured { triggered: true });
        }
        MessageTriggerEnum::LogStatusNotification => station.ask(now, Ask::Log("Idle", None)),
        MessageTriggerEnum::FirmwareStatusNotification => station.ask(now, Ask::Firmware("Idle")),
        _ => return "NotImplemented",
    }
    "Accepted"
}
