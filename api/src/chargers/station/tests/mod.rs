//! Conversations with a station, and what it must and must not do.
//!
//! | file | tests |
//! |---|---|
//! | `days.rs` | whole conversations, as people read them |
//! | `rules.rs` | what it must do |
//! | `quirks.rs` | what it does wrong |
//! | `anything.rs` | whatever comes |

mod anything;
mod days;
mod quirks;
mod rules;

use std::fmt::Write;

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_engine::plant::profiles::Edition;
use ocpp_types::validate::Validate;
use ocpp_types::{v16, v201};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Count, Do, Held, Make, Needs, Quirk, Quirks, Seen, Station};

fn at(seconds: i64) -> DateTime<Utc> {
    "2026-03-02T10:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::seconds(seconds)
}

fn make(edition: Edition, quirks: &[Quirk]) -> Make {
    Make {
        id: "CP1".to_owned(),
        edition,
        max_a: 32.0,
        voltage_v: 230.0,
        phases: vec![1, 2, 0],
        switches_phases: true,
        chooses_phase: edition == Edition::V2,
        iso15118: false,
        boot_s: 30,
        stored_a: None,
        quirks: Quirks::new(quirks.to_vec()),
    }
}

/// A central system on paper: it accepts everything, and writes down what is said.
struct Desk {
    station: Station,
    now: DateTime<Utc>,
    edition: Edition,
    asked: u32,
    said: String,
    held: Option<Held>,
    counts: Vec<Count>,
    answers: Vec<Value>,
    hangups: u32,
}

impl Desk {
    fn new(edition: Edition, quirks: &[Quirk]) -> Desk {
        Desk::of(make(edition, quirks))
    }

    fn of(make: Make) -> Desk {
        let edition = make.edition;
        let station = Station::new(make, at(0));
        let mut desk = Desk {
            station,
            now: at(0),
            edition,
            asked: 0,
            said: String::new(),
            held: None,
            counts: Vec::new(),
            answers: Vec::new(),
            hangups: 0,
        };
        desk.settle(false);
        desk
    }

    fn connected(mut self) -> Desk {
        self.station.connected(self.now);
        self.settle(true);
        self
    }

    /// A vehicle of so many A plugs in; 0, it does not draw.
    fn plugs_in(&mut self, vehicle: u64, amps: f64) {
        let seen = Seen {
            vehicle: Some(vehicle),
            needs: Some(Needs { phases: 3, range_a: [6.0, 16.0], kwh: 20.0, leaves: at(7200) }),
            amps: [amps; 3],
            kw: 0.69 * amps,
            kwh: 1.0,
            at: Some(self.now),
        };
        self.station.sees(self.now, seen);
        self.settle(true);
    }

    fn leaves(&mut self) {
        let seen = Seen { kwh: 2.0, at: Some(self.now), ..Seen::default() };
        self.station.sees(self.now, seen);
        self.settle(true);
    }

    /// Time passes, second by second.
    fn pass(&mut self, seconds: i64) {
        for _ in 0..seconds {
            self.now += TimeDelta::seconds(1);
            if self.station.next_at().is_some_and(|at| at <= self.now) {
                self.station.due(self.now);
                self.settle(true);
            }
        }
    }

    /// Asks something, and returns the answer.
    fn ask(&mut self, action: &str, payload: &Value) -> Value {
        self.asked += 1;
        let frame = json!([2, format!("q{}", self.asked), action, payload]).to_string();
        let _ = writeln!(self.said, "{} <- {action} {payload}", self.clock());
        self.station.heard(self.now, &frame);
        self.answers.clear();
        self.settle(true);
        self.answers.first().cloned().unwrap_or(Value::Null)
    }

    fn status(&mut self, action: &str, payload: &Value) -> String {
        let answer = self.ask(action, payload);
        answer["status"].as_str().map_or(answer.to_string(), str::to_owned)
    }

    fn clock(&self) -> String {
        self.now.format("%H:%M:%S").to_string()
    }

    /// Does what the station wants, and answers what it asks.
    fn settle(&mut self, answers: bool) {
        loop {
            let wants = self.station.take();
            if wants.is_empty() {
                return;
            }
            for what in wants {
                match what {
                    Do::Send(frame) => self.frame(&frame, answers),
                    Do::Hold(held) => {
                        let _ = writeln!(self.said, "{} holds {:?} A on {}", self.clock(), held.amps, held.phases);
                        self.held = Some(held);
                    }
                    Do::Hangup => self.hangups += 1,
                    Do::Count(count) => self.counts.push(count),
                    Do::Password(_) => {}
                }
            }
        }
    }

    fn frame(&mut self, frame: &str, answers: bool) {
        let Ok(Value::Array(parts)) = serde_json::from_str::<Value>(frame) else {
            let _ = writeln!(self.said, "{} nonsense {frame}", self.clock());
            return;
        };
        if parts[0] != 2 {
            let _ = writeln!(self.said, "{} -> {}", self.clock(), parts[2]);
            self.answers.push(parts[2].clone());
            return;
        }
        let (action, payload) = (parts[2].as_str().unwrap(), &parts[3]);
        let _ = writeln!(self.said, "{} {action} {payload}", self.clock());
        self.is_as_the_schema_says(action, payload);
        if !answers {
            return;
        }
        let answer = match action {
            "BootNotification" => json!({"status": "Accepted", "interval": 600, "currentTime": self.now}),
            "StartTransaction" => json!({"transactionId": 7, "idTagInfo": {"status": "Accepted"}}),
            "Authorize" if self.edition == Edition::V16 => json!({"idTagInfo": {"status": "Accepted"}}),
            "Authorize" => json!({"idTokenInfo": {"status": "Accepted"}}),
            "Heartbeat" => json!({"currentTime": self.now}),
            _ => json!({}),
        };
        self.station.heard(self.now, &json!([3, parts[1], answer]).to_string());
    }

    fn is_as_the_schema_says(&self, action: &str, payload: &Value) {
        fn fits<T: DeserializeOwned + Validate>(payload: &Value) {
            let message: T = serde_json::from_value(payload.clone()).unwrap_or_else(|why| panic!("{why}: {payload}"));
            message.validate().unwrap_or_else(|why| panic!("{why}: {payload}"));
        }
        if self.station.has(Quirk::NoZone) {
            return;
        }
        match (self.edition, action) {
            (Edition::V16, "BootNotification") => fits::<v16::BootNotificationRequest>(payload),
            (Edition::V16, "StatusNotification") => fits::<v16::StatusNotificationRequest>(payload),
            (Edition::V16, "Authorize") => fits::<v16::AuthorizeRequest>(payload),
            (Edition::V16, "StartTransaction") => fits::<v16::StartTransactionRequest>(payload),
            (Edition::V16, "StopTransaction") => fits::<v16::StopTransactionRequest>(payload),
            (Edition::V16, "MeterValues") => fits::<v16::MeterValuesRequest>(payload),
            (Edition::V16, "FirmwareStatusNotification") => fits::<v16::FirmwareStatusNotificationRequest>(payload),
            (Edition::V16, "DiagnosticsStatusNotification") => {
                fits::<v16::DiagnosticsStatusNotificationRequest>(payload);
            }
            (Edition::V16, "SecurityEventNotification") => fits::<v16::SecurityEventNotificationRequest>(payload),
            (Edition::V16, "Heartbeat") => fits::<v16::HeartbeatRequest>(payload),
            (Edition::V2, "BootNotification") => fits::<v201::BootNotificationRequest>(payload),
            (Edition::V2, "StatusNotification") => fits::<v201::StatusNotificationRequest>(payload),
            (Edition::V2, "Authorize") => fits::<v201::AuthorizeRequest>(payload),
            (Edition::V2, "TransactionEvent") => fits::<v201::TransactionEventRequest>(payload),
            (Edition::V2, "NotifyReport") => fits::<v201::NotifyReportRequest>(payload),
            (Edition::V2, "ReportChargingProfiles") => fits::<v201::ReportChargingProfilesRequest>(payload),
            (Edition::V2, "FirmwareStatusNotification") => fits::<v201::FirmwareStatusNotificationRequest>(payload),
            (Edition::V2, "LogStatusNotification") => fits::<v201::LogStatusNotificationRequest>(payload),
            (Edition::V2, "SecurityEventNotification") => fits::<v201::SecurityEventNotificationRequest>(payload),
            (Edition::V2, "NotifyEVChargingNeeds") => fits::<v201::NotifyEVChargingNeedsRequest>(payload),
            (Edition::V2, "NotifyEVChargingSchedule") => fits::<v201::NotifyEVChargingScheduleRequest>(payload),
            (Edition::V2, "Heartbeat") => fits::<v201::HeartbeatRequest>(payload),
            _ => panic!("{action} is not checked"),
        }
    }

    fn amps(&self) -> Option<f64> {
        self.held.and_then(|held| held.amps)
    }

    /// How often something was said.
    fn times(&self, what: &str) -> usize {
        self.said.matches(what).count()
    }
}

/// A profile of 1.6 whose limit holds from its start on.
fn v16_profile(id: i64, purpose: &str, level: i64, limit: f64, more: &Value) -> Value {
    let mut profile = json!({
        "chargingProfileId": id,
        "stackLevel": level,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Absolute",
        "chargingSchedule": {
            "chargingRateUnit": "A",
            "startSchedule": at(-3600),
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
        },
    });
    for (key, value) in more.as_object().unwrap() {
        profile[key] = value.clone();
    }
    json!({"connectorId": i32::from(purpose == "TxProfile"), "csChargingProfiles": profile})
}

fn until(seconds: i64) -> Value {
    json!({"validTo": at(seconds)})
}

fn v2_profile(id: i64, purpose: &str, level: i64, limit: f64, transaction: Option<&str>) -> Value {
    let mut profile = json!({
        "id": id,
        "stackLevel": level,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [{
            "id": 1,
            "chargingRateUnit": "A",
            "startSchedule": at(-3600),
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit, "numberPhases": 1, "phaseToUse": 2}],
        }],
    });
    if let Some(transaction) = transaction {
        profile["transactionId"] = json!(transaction);
    }
    json!({"evseId": i32::from(transaction.is_some()), "chargingProfile": profile})
}
