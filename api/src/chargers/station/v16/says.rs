//! What a station says, and what it makes of the answers.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::super::ask::{Ask, Event};
use super::super::seen::Sample;
use super::super::{Quirk, Station};
use super::{number, status};

/// Something to say, in the words of 1.6.
pub(crate) fn says(station: &Station, ask: &Ask) -> (&'static str, Value) {
    match ask {
        Ask::Boot => (
            "BootNotification",
            json!({
                "chargePointVendor": "Kwartier",
                "chargePointModel": "Simulated 1.6",
                "chargePointSerialNumber": station.make.id.chars().take(25).collect::<String>(),
                "firmwareVersion": env!("CARGO_PKG_VERSION"),
            }),
        ),
        // 1.6 has no device model and no ISO 15118.
        Ask::Heartbeat | Ask::Report(..) | Ask::Profiles(..) | Ask::Needs(_) | Ask::Intends(_) => {
            ("Heartbeat", json!({}))
        }
        Ask::Status { status: is, at } => (
            "StatusNotification",
            json!({"connectorId": 1, "errorCode": "NoError", "status": status(*is), "timestamp": station.stamp(*at)}),
        ),
        Ask::Authorize { tag } => ("Authorize", json!({"idTag": tag})),
        Ask::Transaction { number, event, at, sample, .. } => transaction(station, *number, event, *at, sample),
        Ask::Firmware(step) => ("FirmwareStatusNotification", json!({"status": step})),
        Ask::Log(step, Some(request)) => ("LogStatusNotification", json!({"status": step, "requestId": request})),
        Ask::Log(step, None) => ("DiagnosticsStatusNotification", json!({"status": step})),
        Ask::Security(what, at) => {
            ("SecurityEventNotification", json!({"type": what, "timestamp": station.stamp(*at)}))
        }
    }
}

fn transaction(
    station: &Station,
    own: u64,
    event: &Event,
    at: DateTime<Utc>,
    sample: &Sample,
) -> (&'static str, Value) {
    let transaction = number(station.name(own));
    let stamp = station.stamp(at);
    #[expect(clippy::cast_possible_truncation, reason = "casts of floats saturate")]
    let meter = sample.wh.round() as i64;
    match event {
        Event::Begins { tag, reservation, .. } => {
            let mut start = json!({"connectorId": 1, "idTag": tag, "meterStart": meter, "timestamp": stamp});
            if let Some(reservation) = reservation {
                start["reservationId"] = json!(reservation);
            }
            ("StartTransaction", start)
        }
        Event::Measured { .. } | Event::Turns(_) => (
            "MeterValues",
            json!({
                "connectorId": 1,
                "transactionId": transaction,
                "meterValue": [{"timestamp": stamp, "sampledValue": sampled(station, sample)}],
            }),
        ),
        Event::Ends { reason } => (
            "StopTransaction",
            json!({"transactionId": transaction, "meterStop": meter, "timestamp": stamp, "reason": reason}),
        ),
    }
}

/// What was measured.
fn sampled(station: &Station, sample: &Sample) -> Vec<Value> {
    let value = |measurand: &str, unit: &str, value: f64, phase: Option<&str>| {
        let mut one = json!({"value": format!("{value:.1}"), "measurand": measurand, "unit": unit});
        if let Some(phase) = phase {
            one["phase"] = json!(phase);
        }
        one
    };
    let tells = |measurand: &str| station.settings.measures(measurand);
    let mut all = Vec::new();
    if tells("Energy.Active.Import.Register") {
        all.push(value("Energy.Active.Import.Register", "Wh", sample.wh, None));
    }
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
    if all.is_empty() {
        all.push(value("Energy.Active.Import.Register", "Wh", sample.wh, None));
    }
    all
}

/// What it makes of an answer.
pub(crate) fn answered(station: &mut Station, now: DateTime<Utc>, ask: &Ask, payload: &Value) {
    let accepted = payload["idTagInfo"]["status"] == "Accepted";
    match ask {
        Ask::Boot => station.booted(now, payload["status"] == "Accepted", payload["interval"].as_i64().unwrap_or(300)),
        Ask::Authorize { tag } => station.authorized(now, tag, accepted),
        Ask::Transaction { number, event: Event::Begins { .. }, .. } => {
            if let Some(id) = payload["transactionId"].as_i64() {
                station.named(*number, id.to_string());
            }
            let runs = station.transaction.as_ref().is_some_and(|transaction| transaction.number == *number);
            if !accepted && runs {
                station.end(now, "DeAuthorized");
            }
        }
        _ => {}
    }
}
