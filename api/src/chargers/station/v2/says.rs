//! What a station says, and what it makes of the answers.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::super::ask::{Ask, Event, Status};
use super::super::seen::{Needs, Sample};
use super::super::{Quirk, Station};
use super::{model, shown};

/// For how long a vehicle says what it will do, in s.
const INTENDS_S: i64 = 3600;

/// Something to say, in the words of 2.0.1.
pub(crate) fn says(station: &Station, ask: &Ask) -> (&'static str, Value) {
    match ask {
        Ask::Boot => (
            "BootNotification",
            json!({
                "reason": "PowerUp",
                "chargingStation": {
                    "vendorName": "Kwartier",
                    "model": "Simulated 2.0.1",
                    "serialNumber": station.make.id.chars().take(25).collect::<String>(),
                    "firmwareVersion": env!("CARGO_PKG_VERSION"),
                },
            }),
        ),
        Ask::Heartbeat => ("Heartbeat", json!({})),
        Ask::Status { status, at } => {
            let status = match status {
                Status::Reserved => "Reserved",
                Status::Unavailable => "Unavailable",
                taken if taken.is_taken() => "Occupied",
                _ => "Available",
            };
            let status =
                json!({"timestamp": station.stamp(*at), "connectorStatus": status, "evseId": 1, "connectorId": 1});
            ("StatusNotification", status)
        }
        Ask::Authorize { tag } => ("Authorize", json!({"idToken": token(tag)})),
        Ask::Transaction { number, event_number, event, at, sample, offline } => {
            let name = station.name(*number).unwrap_or_default();
            ("TransactionEvent", transaction(station, (name, *event_number), event, *at, sample, *offline))
        }
        Ask::Firmware(step) => ("FirmwareStatusNotification", json!({"status": step, "requestId": 0})),
        Ask::Log(step, request) => {
            ("LogStatusNotification", json!({"status": step, "requestId": request.unwrap_or_default()}))
        }
        Ask::Security(what, at) => {
            ("SecurityEventNotification", json!({"type": what, "timestamp": station.stamp(*at)}))
        }
        Ask::Needs(needs) => ("NotifyEVChargingNeeds", wants(station, needs)),
        Ask::Intends(at) => ("NotifyEVChargingSchedule", intends(station, *at)),
        Ask::Report(request, at) => ("NotifyReport", model::report(station, *request, *at)),
        Ask::Profiles(request, installed) => (
            "ReportChargingProfiles",
            json!({
                "requestId": request,
                "chargingLimitSource": "CSO",
                "evseId": installed.first().map_or(0, |first| first.evse),
                "tbc": false,
                "chargingProfile": installed.iter().map(|one| shown(station, one)).collect::<Vec<_>>(),
            }),
        ),
    }
}

/// What a vehicle wants. Its currents are whole amperes here, in what it can for certain.
fn wants(station: &Station, needs: &Needs) -> Value {
    let [least_a, most_a] = needs.range_a;
    json!({
        "evseId": 1,
        "chargingNeeds": {
            "requestedEnergyTransfer": match needs.phases {
                1 => "AC_single_phase",
                2 => "AC_two_phase",
                _ => "AC_three_phase",
            },
            "departureTime": station.stamp(needs.leaves),
            "acChargingParameters": {
                "energyAmount": whole(1000.0 * needs.kwh),
                "evMinCurrent": whole(least_a.ceil()),
                "evMaxCurrent": whole(most_a.floor()),
                "evMaxVoltage": whole(station.make.voltage_v * 1.1),
            },
        },
    })
}

/// What a vehicle will do: all that it may.
fn intends(station: &Station, at: DateTime<Utc>) -> Value {
    let (from, periods) = station.composite(at, INTENDS_S, false);
    json!({
        "timeBase": from,
        "evseId": 1,
        "chargingSchedule": {
            "id": 1,
            "chargingRateUnit": "A",
            "duration": INTENDS_S,
            "startSchedule": from,
            "chargingSchedulePeriod": periods,
        },
    })
}

#[expect(clippy::cast_possible_truncation, reason = "casts of floats saturate")]
fn whole(value: f64) -> i64 {
    value.round() as i64
}

fn token(tag: &str) -> Value {
    json!({"idToken": tag, "type": "ISO14443"})
}

fn transaction(
    station: &Station,
    (name, number): (&str, i64),
    event: &Event,
    at: DateTime<Utc>,
    sample: &Sample,
    offline: bool,
) -> Value {
    let mut info = json!({"transactionId": name});
    let mut message = json!({
        "timestamp": station.stamp(at),
        "seqNo": number,
        "offline": offline,
        "evse": {"id": 1, "connectorId": 1},
    });
    let (kind, reason, context) = match event {
        Event::Begins { tag, remote, reservation } => {
            message["idToken"] = token(tag);
            if let Some(reservation) = reservation {
                message["reservationId"] = json!(reservation);
            }
            if let Some(request) = remote {
                info["remoteStartId"] = json!(request);
            }
            info["chargingState"] = json!("EVConnected");
            let reason = if remote.is_some() { "RemoteStart" } else { "Authorized" };
            ("Started", reason, "Transaction.Begin")
        }
        Event::Measured { triggered: true } => ("Updated", "Trigger", "Trigger"),
        Event::Measured { triggered: false } => ("Updated", "MeterValuePeriodic", "Sample.Periodic"),
        Event::Turns(status) => {
            info["chargingState"] = json!(match status {
                Status::Charging => "Charging",
                Status::SuspendedEv => "SuspendedEV",
                _ => "SuspendedEVSE",
            });
            ("Updated", "ChargingStateChanged", "Sample.Clock")
        }
        Event::Ends { reason } => {
            let (stopped, trigger) = ended(reason);
            info["stoppedReason"] = json!(stopped);
            ("Ended", trigger, "Transaction.End")
        }
    };
    message["eventType"] = json!(kind);
    message["triggerReason"] = json!(reason);
    message["transactionInfo"] = info;
    message["meterValue"] =
        json!([{"timestamp": station.stamp(at), "sampledValue": sampled(station, sample, context)}]);
    message
}

/// Why a transaction ended, and what told so.
fn ended(reason: &str) -> (&'static str, &'static str) {
    match reason {
        "EVDisconnected" => ("EVDisconnected", "EVDeparted"),
        "Remote" => ("Remote", "RemoteStop"),
        "DeAuthorized" => ("DeAuthorized", "Deauthorized"),
        "SoftReset" | "HardReset" => ("ImmediateReset", "ResetCommand"),
        "UnlockCommand" => ("Other", "UnlockCommand"),
        "PowerLoss" => ("PowerLoss", "AbnormalCondition"),
        _ => ("Local", "StopAuthorized"),
    }
}

/// What was measured.
fn sampled(station: &Station, sample: &Sample, context: &str) -> Vec<Value> {
    let tells = |measurand: &str| station.settings.measures(measurand);
    let value = |measurand: &str, unit: &str, value: f64, phase: Option<&str>| {
        let value = (value * 10.0).round() / 10.0;
        let mut one =
            json!({"value": value, "measurand": measurand, "context": context, "unitOfMeasure": {"unit": unit}});
        if let Some(phase) = phase {
            one["phase"] = json!(phase);
        }
        one
    };
    let mut all = vec![value("Energy.Active.Import.Register", "Wh", sample.wh, None)];
    if tells("Power.Active.Import") {
        all.push(value("Power.Active.Import", "W", sample.watts, None));
    }
    if tells("Current.Import") && !station.has(Quirk::ReportsWatts) {
        let phases = station.measured_phases(sample);
        all.extend(phases.into_iter().map(|(phase, amps)| value("Current.Import", "A", amps, phase)));
    }
    if let Some(amps) = sample.offered_a.filter(|_| tells("Current.Offered")) {
        all.push(value("Current.Offered", "A", amps, None));
    }
    all
}

/// What it makes of an answer.
pub(crate) fn answered(station: &mut Station, now: DateTime<Utc>, ask: &Ask, payload: &Value) {
    let status = &payload["idTokenInfo"]["status"];
    match ask {
        Ask::Boot => station.booted(now, payload["status"] == "Accepted", payload["interval"].as_i64().unwrap_or(300)),
        Ask::Authorize { tag } => station.authorized(now, tag, status == "Accepted"),
        Ask::Transaction { number, event: Event::Begins { .. }, .. } => {
            let runs = station.transaction.as_ref().is_some_and(|transaction| transaction.number == *number);
            if runs && !status.is_null() && status != "Accepted" {
                station.end(now, "DeAuthorized");
            }
        }
        _ => {}
    }
}
