//! Conversations with a station, and what it must and must not do.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::float_cmp,
    reason = "a test that cannot go on has failed; limits are exact"
)]

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
        if self.station.has(Quirk::NoZone) {
            return;
        }
        fn fits<T: DeserializeOwned + Validate>(payload: &Value) {
            let message: T = serde_json::from_value(payload.clone()).unwrap_or_else(|why| panic!("{why}: {payload}"));
            message.validate().unwrap_or_else(|why| panic!("{why}: {payload}"));
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
    json!({"connectorId": if purpose == "TxProfile" { 1 } else { 0 }, "csChargingProfiles": profile})
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
    json!({"evseId": if transaction.is_some() { 1 } else { 0 }, "chargingProfile": profile})
}

#[test]
fn a_day_with_a_station_of_1_6() {
    let mut desk = Desk::new(Edition::V16, &[]).connected();
    desk.ask("SetChargingProfile", &v16_profile(1, "ChargePointMaxProfile", 0, 25.0, &json!({})));
    desk.ask("SetChargingProfile", &v16_profile(2, "TxDefaultProfile", 0, 8.0, &json!({})));
    desk.pass(5);
    desk.plugs_in(1, 0.0);
    desk.pass(5);
    desk.plugs_in(1, 8.0);
    desk.ask(
        "SetChargingProfile",
        &v16_profile(3, "TxProfile", 1, 16.0, &json!({"transactionId": 7, "validTo": at(15)})),
    );
    desk.ask("GetCompositeSchedule", &json!({"connectorId": 1, "duration": 60}));
    desk.pass(10);
    desk.ask("TriggerMessage", &json!({"requestedMessage": "MeterValues"}));
    desk.leaves();
    insta::assert_snapshot!(desk.said);
}

#[test]
fn a_day_with_a_station_of_2_0_1() {
    let mut desk = Desk::new(Edition::V2, &[]).connected();
    desk.ask("SetChargingProfile", &v2_profile(1, "TxDefaultProfile", 0, 8.0, None));
    desk.plugs_in(1, 0.0);
    desk.plugs_in(1, 8.0);
    let name = desk.station.transaction.as_ref().unwrap().id.clone().unwrap();
    desk.ask("SetChargingProfile", &v2_profile(2, "TxProfile", 1, 12.0, Some(&name)));
    desk.ask(
        "GetChargingProfiles",
        &json!({"requestId": 9, "chargingProfile": {"chargingProfilePurpose": "TxProfile"}}),
    );
    desk.pass(11);
    desk.ask("RequestStopTransaction", &json!({"transactionId": name}));
    desk.leaves();
    insta::assert_snapshot!(desk.said);
}

#[test]
fn nothing_flows_without_a_transaction_and_what_lapses_falls_back() {
    let mut desk = Desk::new(Edition::V16, &[]);
    desk.station.connected(desk.now);
    desk.settle(false);
    // Nobody has answered its start: it says nothing else, and a vehicle gets nothing.
    desk.plugs_in(1, 0.0);
    assert_eq!(desk.amps(), Some(0.0));
    assert_eq!(desk.times("Authorize"), 0);

    let mut desk = Desk::new(Edition::V16, &[]).connected();
    assert_eq!(desk.amps(), None);
    desk.ask("SetChargingProfile", &v16_profile(2, "TxDefaultProfile", 0, 8.0, &json!({})));
    desk.plugs_in(1, 0.0);
    assert_eq!(desk.amps(), Some(8.0));
    let status = desk.status("SetChargingProfile", &v16_profile(3, "TxProfile", 1, 16.0, &until(60)));
    assert_eq!((status.as_str(), desk.amps()), ("Accepted", Some(16.0)));
    desk.pass(59);
    assert_eq!(desk.amps(), Some(16.0));
    desk.pass(1);
    assert_eq!(desk.amps(), Some(8.0));
    // The profile of a transaction goes with it; without one it is refused.
    desk.leaves();
    assert_eq!(desk.status("SetChargingProfile", &v16_profile(3, "TxProfile", 1, 16.0, &json!({}))), "Rejected");
    assert_eq!(desk.station.store.installed().len(), 1);
}

#[test]
fn cut_off_it_goes_on_and_tells_later_in_order() {
    let mut desk = Desk::new(Edition::V16, &[]).connected();
    desk.plugs_in(1, 8.0);
    let before = desk.said.len();
    desk.station.cut(desk.now);
    desk.settle(true);
    desk.pass(30);
    desk.leaves();
    desk.plugs_in(2, 8.0);
    assert_eq!(desk.amps(), None, "whom nobody can ask for may charge");
    desk.pass(30);
    assert_eq!(desk.said[before..].matches("MeterValues").count(), 0);
    desk = desk.connected();
    let later = &desk.said[before..];
    let places: Vec<usize> =
        ["StopTransaction", "StartTransaction"].iter().map(|what| later.find(what).unwrap()).collect();
    assert!(places.is_sorted(), "{later}");
    assert_eq!(later.matches("BootNotification").count(), 0, "{later}");
    // It tells when it really was.
    assert!(later.contains("\"timestamp\":\"2026-03-02T10:00:30.000Z\""), "{later}");
}

#[test]
fn what_was_not_answered_is_asked_again_only_if_it_matters() {
    let mut desk = Desk::new(Edition::V16, &[]).connected();
    desk.plugs_in(1, 0.0);
    desk.ask("TriggerMessage", &json!({"requestedMessage": "Heartbeat"}));
    let starts = desk.times("StartTransaction");
    desk.leaves();
    // Nobody answers from here on.
    let seen = Seen { vehicle: Some(2), at: Some(desk.now), ..Seen::default() };
    desk.station.sees(desk.now, seen);
    desk.settle(false);
    for _ in 0..35 {
        desk.now += TimeDelta::seconds(1);
        desk.station.due(desk.now);
        desk.settle(false);
    }
    assert!(desk.counts.contains(&Count::Failed));
    assert_eq!(desk.times("StartTransaction"), starts, "who was not let in does not charge");
    assert_eq!(desk.amps(), Some(0.0));
    // Then somebody does.
    desk.pass(30);
    assert_eq!(desk.times("StartTransaction"), starts + 1);
}

#[test]
fn it_starts_anew_as_it_is_told_and_remembers_what_it_must() {
    for (quirks, kept) in [(&[][..], Some(8.0)), (&[Quirk::ForgetsAtReboot][..], None)] {
        let mut desk = Desk::new(Edition::V16, quirks).connected();
        desk.ask("SetChargingProfile", &v16_profile(2, "TxDefaultProfile", 0, 8.0, &json!({})));
        desk.plugs_in(1, 8.0);
        assert_eq!(desk.status("Reset", &json!({"type": "Soft"})), "Accepted");
        assert_eq!(desk.times("\"reason\":\"SoftReset\""), 1);
        desk.pass(2);
        assert_eq!((desk.hangups, desk.station.powered(), desk.amps()), (1, false, Some(0.0)));
        desk.station.cut(desk.now);
        desk.pass(30);
        assert!(desk.station.powered());
        desk = desk.connected();
        assert_eq!(desk.times("BootNotification"), 2);
        assert_eq!(desk.amps(), kept);
    }
}

#[test]
fn each_quirk_shows() {
    let holds = |quirks: &[Quirk], limits: &[f64]| {
        let mut desk = Desk::new(Edition::V16, quirks).connected();
        desk.plugs_in(1, 8.0);
        let mut answers = Vec::new();
        for limit in limits {
            answers.push(desk.status("SetChargingProfile", &v16_profile(2, "TxDefaultProfile", 0, *limit, &json!({}))));
        }
        (answers.join(" "), desk.amps())
    };
    let text = |words: &str| words.to_owned();
    assert_eq!(holds(&[], &[0.0, 10.0]), (text("Accepted Accepted"), Some(10.0)));
    assert_eq!(holds(&[Quirk::IgnoresLimits], &[10.0]), (text("Accepted"), None));
    assert_eq!(holds(&[Quirk::RefusesZero], &[10.0, 0.0]), (text("Accepted Rejected"), Some(10.0)));
    assert_eq!(holds(&[Quirk::OnlyWatts], &[10.0]), (text("Rejected"), None));
    assert_eq!(holds(&[Quirk::UnlimitedAfterPause], &[0.0, 10.0]), (text("Accepted Accepted"), None));
    assert_eq!(holds(&[Quirk::UnlimitedAfterPause], &[0.0, 10.0, 9.0]).1, Some(9.0));
    assert_eq!(holds(&[Quirk::NeverAnswersProfiles], &[10.0]), (text("null"), None));

    let mut desk = Desk::new(Edition::V16, &[Quirk::OnlyLevelZero]).connected();
    assert_eq!(desk.status("SetChargingProfile", &v16_profile(2, "TxDefaultProfile", 1, 9.0, &json!({}))), "Rejected");
    let levels = desk.ask("GetConfiguration", &json!({"key": ["ChargeProfileMaxStackLevel"]}));
    assert_eq!(levels["configurationKey"][0]["value"], "0");

    let mut desk = Desk::new(Edition::V16, &[Quirk::RefusesStationMax, Quirk::NoComposite]).connected();
    assert_eq!(
        desk.status("SetChargingProfile", &v16_profile(1, "ChargePointMaxProfile", 0, 9.0, &json!({}))),
        "Rejected"
    );
    assert_eq!(desk.status("GetCompositeSchedule", &json!({"connectorId": 1, "duration": 60})), "Rejected");

    let mut desk = Desk::new(Edition::V16, &[Quirk::AnswersLate]).connected();
    desk.plugs_in(1, 8.0);
    let answer = desk.status("SetChargingProfile", &v16_profile(2, "TxDefaultProfile", 0, 9.0, &json!({})));
    assert_eq!((answer.as_str(), desk.amps()), ("null", Some(9.0)));
    desk.pass(35);
    assert_eq!(desk.answers, [json!({"status": "Accepted"})]);

    let mut desk = Desk::new(Edition::V16, &[Quirk::ForgetsAtCut]).connected();
    desk.plugs_in(1, 8.0);
    desk.status("SetChargingProfile", &v16_profile(2, "TxDefaultProfile", 0, 9.0, &json!({})));
    desk.station.cut(desk.now);
    desk.settle(true);
    assert_eq!(desk.amps(), None);

    let mut desk = Desk::new(Edition::V16, &[Quirk::LongSuspended]).connected();
    desk.plugs_in(1, 8.0);
    desk.status("SetChargingProfile", &v16_profile(2, "TxDefaultProfile", 0, 0.0, &json!({})));
    desk.status("SetChargingProfile", &v16_profile(2, "TxDefaultProfile", 0, 9.0, &json!({})));
    assert_eq!(desk.times("\"status\":\"Charging\""), 1);
    desk.pass(180);
    assert_eq!(desk.times("\"status\":\"Charging\""), 2);

    let mut desk = Desk::new(Edition::V16, &[Quirk::SlowClear]).connected();
    desk.plugs_in(1, 8.0);
    desk.status("SetChargingProfile", &v16_profile(2, "TxDefaultProfile", 0, 9.0, &json!({})));
    assert_eq!(desk.status("ClearChargingProfile", &json!({"id": 2})), "Accepted");
    desk.pass(29);
    assert_eq!(desk.amps(), Some(9.0));
    desk.pass(2);
    assert_eq!(desk.amps(), None);

    let mut desk = Desk::new(Edition::V16, &[Quirk::ReportsRotated, Quirk::NoZone, Quirk::ClockOff]).connected();
    let seen = Seen { vehicle: Some(1), amps: [8.0, 0.0, 0.0], kw: 1.84, kwh: 1.0, at: Some(desk.now), needs: None };
    desk.station.sees(desk.now, seen);
    desk.settle(true);
    let measured = desk.said.lines().find(|line| line.contains("MeterValues")).unwrap().to_owned();
    assert!(measured.contains("\"timestamp\":\"2026-03-02T19:00:00.000\""), "{measured}");
    assert!(measured.contains(r#"{"measurand":"Current.Import","phase":"L2","unit":"A","value":"8.0"}"#), "{measured}");

    let mut desk = Desk::new(Edition::V16, &[Quirk::OldTransactions]).connected();
    let first = desk.said.find("2026-03-01T10:00:00.000Z").unwrap();
    let second = desk.said.find("2026-03-01T14:00:00.000Z").unwrap();
    assert!(first < second && desk.times("\"transactionId\":7") == 1, "{}", desk.said);
    desk.pass(1);

    let mut desk = Desk::new(Edition::V16, &[Quirk::Storm]);
    for _ in 0..10 {
        desk = desk.connected();
    }
    assert_eq!((desk.hangups, desk.times("BootNotification")), (10, 0));
    desk = desk.connected();
    assert_eq!(desk.times("BootNotification"), 1);

    let mut desk = Desk::new(Edition::V16, &[Quirk::WantsTransaction]).connected();
    desk.plugs_in(1, 8.0);
    assert_eq!(desk.status("SetChargingProfile", &v16_profile(3, "TxProfile", 1, 9.0, &json!({}))), "Rejected");
    let named = json!({"transactionId": 7});
    assert_eq!(desk.status("SetChargingProfile", &v16_profile(3, "TxProfile", 1, 9.0, &named)), "Accepted");
}

#[test]
fn it_answers_what_it_cannot_do_with_the_errors_of_the_specification() {
    let code = |edition, action: &str, payload: Value| {
        let mut station = Station::new(make(edition, &[]), at(0));
        station.take();
        station.heard(at(1), &json!([2, "q", action, payload]).to_string());
        let frame =
            station.take().into_iter().find_map(|what| if let Do::Send(frame) = what { Some(frame) } else { None });
        let parts: Value = serde_json::from_str(&frame.unwrap()).unwrap();
        assert_eq!((&parts[0], &parts[1]), (&json!(4), &json!("q")), "{parts}");
        parts[2].as_str().unwrap().to_owned()
    };
    assert_eq!(code(Edition::V16, "Fly", json!({})), "NotImplemented");
    assert_eq!(code(Edition::V16, "Reset", json!({})), "OccurenceConstraintViolation");
    assert_eq!(code(Edition::V2, "Reset", json!({})), "OccurrenceConstraintViolation");
    assert_eq!(code(Edition::V16, "Reset", json!({"type": "Gentle"})), "PropertyConstraintViolation");
    assert_eq!(code(Edition::V16, "UnlockConnector", json!({"connectorId": "one"})), "TypeConstraintViolation");
    let elsewhere = json!({"connectorId": 5, "csChargingProfiles": v16_profile(1, "TxDefaultProfile", 0, 9.0, &json!({}))["csChargingProfiles"]});
    assert_eq!(code(Edition::V16, "SetChargingProfile", elsewhere), "PropertyConstraintViolation");
}

#[test]
fn afar_it_starts_and_stops_reserves_and_goes_out_of_order() {
    let mut desk = Desk::new(Edition::V16, &[]).connected();
    let expiry = json!({"connectorId": 1, "expiryDate": at(60), "idTag": "VIP", "reservationId": 4});
    assert_eq!(desk.status("ReserveNow", &expiry), "Accepted");
    assert_eq!(desk.times("\"status\":\"Reserved\""), 1);
    assert_eq!(
        desk.status("ReserveNow", &json!({"connectorId": 1, "expiryDate": at(60), "idTag": "X", "reservationId": 5})),
        "Occupied"
    );
    let profile = v16_profile(3, "TxProfile", 1, 9.0, &json!({}))["csChargingProfiles"].clone();
    desk.status("RemoteStartTransaction", &json!({"connectorId": 1, "idTag": "VIP"}));
    desk.plugs_in(1, 0.0);
    assert_eq!(desk.times("\"idTag\":\"VIP\",\"meterStart\":1000,\"reservationId\":4"), 1, "{}", desk.said);
    assert_eq!(desk.status("RemoteStopTransaction", &json!({"transactionId": 8})), "Rejected");
    assert_eq!(desk.status("RemoteStopTransaction", &json!({"transactionId": 7})), "Accepted");
    assert_eq!(desk.amps(), Some(0.0));
    let start = json!({"connectorId": 1, "idTag": "VIP", "chargingProfile": profile});
    assert_eq!(desk.status("RemoteStartTransaction", &start), "Accepted");
    assert_eq!(desk.amps(), Some(9.0));
    assert_eq!(desk.status("ChangeAvailability", &json!({"connectorId": 1, "type": "Inoperative"})), "Scheduled");
    desk.leaves();
    assert_eq!(desk.times("\"status\":\"Unavailable\""), 1);
    desk.plugs_in(2, 0.0);
    assert_eq!(desk.amps(), Some(0.0));
    assert_eq!(desk.status("ChangeAvailability", &json!({"connectorId": 1, "type": "Operative"})), "Accepted");
    assert_eq!(desk.amps(), None);
    assert_eq!(desk.status("TriggerMessage", &json!({"requestedMessage": "BootNotification"})), "Rejected");
    desk.ask("GetDiagnostics", &json!({"location": "ftp://nowhere/"}));
    desk.ask("UpdateFirmware", &json!({"location": "ftp://nowhere/", "retrieveDate": at(0)}));
    desk.pass(20);
    assert_eq!(desk.times("{\"status\":\"Uploaded\"}") + desk.times("{\"status\":\"Installed\"}"), 2);
}

#[test]
fn a_station_of_2_0_1_tells_what_it_is() {
    let mut desk = Desk::new(Edition::V2, &[]).connected();
    let wanted =
        |component: &str, variable: &str| json!({"component": {"name": component}, "variable": {"name": variable}});
    let all =
        [wanted("SmartChargingCtrlr", "RateUnit"), wanted("SmartChargingCtrlr", "Colour"), wanted("Oven", "Heat")];
    let answer = desk.ask("GetVariables", &json!({"getVariableData": all}));
    let results: Vec<&str> = answer["getVariableResult"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["attributeStatus"].as_str().unwrap())
        .collect();
    assert_eq!(results, ["Accepted", "UnknownVariable", "UnknownComponent"]);
    assert_eq!(answer["getVariableResult"][0]["attributeValue"], "A,W");
    let mut change = wanted("SampledDataCtrlr", "TxUpdatedInterval");
    change["attributeValue"] = json!("2");
    desk.ask("SetVariables", &json!({"setVariableData": [change]}));
    assert_eq!(desk.status("GetBaseReport", &json!({"requestId": 1, "reportBase": "FullInventory"})), "Accepted");
    assert_eq!(desk.times("NotifyReport"), 1);
    desk.plugs_in(1, 8.0);
    desk.pass(6);
    assert_eq!(desk.times("MeterValuePeriodic"), 3);
    // Another profile in the same place is refused, the same one is not.
    assert_eq!(desk.status("SetChargingProfile", &v2_profile(1, "TxDefaultProfile", 0, 8.0, None)), "Accepted");
    let other = desk.ask("SetChargingProfile", &v2_profile(2, "TxDefaultProfile", 0, 9.0, None));
    assert_eq!(other["statusInfo"]["reasonCode"], "DuplicateProfile");
    assert_eq!(desk.held, Some(Held { amps: Some(8.0), phases: 1, phase: Some(1) }));
    let composite = desk.ask("GetCompositeSchedule", &json!({"evseId": 1, "duration": 60, "chargingRateUnit": "W"}));
    assert_eq!(composite["schedule"]["chargingSchedulePeriod"][0]["limit"], 1840.0);
    assert_eq!(desk.status("ClearChargingProfile", &json!({"chargingProfileCriteria": {"stackLevel": 3}})), "Unknown");
    assert_eq!(desk.status("ClearChargingProfile", &json!({"chargingProfileId": 1})), "Accepted");
    assert_eq!(desk.amps(), None);
}

#[test]
fn a_vehicle_says_what_it_wants_before_it_is_given_a_profile() {
    let mut desk = Desk::of(Make { iso15118: true, ..make(Edition::V2, &[]) }).connected();
    desk.plugs_in(1, 0.0);
    let name = desk.station.transaction.as_ref().unwrap().id.clone().unwrap();
    let early = desk.ask("SetChargingProfile", &v2_profile(2, "TxProfile", 1, 12.0, Some(&name)));
    assert_eq!(early["statusInfo"]["reasonCode"], "InvalidMessageSeq");
    desk.pass(2);
    assert_eq!(desk.times("\"energyAmount\":20000"), 1, "{}", desk.said);
    assert_eq!(desk.status("SetChargingProfile", &v2_profile(2, "TxProfile", 1, 12.0, Some(&name))), "Accepted");
    assert_eq!(desk.times("NotifyEVChargingSchedule"), 1);
    // The next one has not said anything yet.
    desk.leaves();
    desk.plugs_in(2, 0.0);
    let name = desk.station.transaction.as_ref().unwrap().id.clone().unwrap();
    let early = desk.ask("SetChargingProfile", &v2_profile(2, "TxProfile", 1, 12.0, Some(&name)));
    assert_eq!(early["status"], "Rejected");
}
