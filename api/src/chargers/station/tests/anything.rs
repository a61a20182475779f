//! Whatever comes, in whatever order.

use chrono::{DateTime, Utc};
use kwartier_engine::plant::profiles::Edition;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Seen, at, make, v2_profile, v16_profile};
use crate::chargers::station::{Do, Station};

/// Something that happens to a station.
#[derive(Debug, Clone)]
enum Happens {
    Connects,
    IsCut,
    LosesPower,
    /// A vehicle that draws so much plugs in, or leaves.
    Plugs(Option<(u64, u8)>),
    /// So many seconds pass.
    Passes(i64),
    /// It is asked something.
    Asked(usize, u8),
    /// Its open call is answered, well or not.
    Answered(bool),
    /// A text that may be anything.
    Hears(String),
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        2 => Just(Happens::Connects),
        1 => Just(Happens::IsCut),
        1 => Just(Happens::LosesPower),
        2 => prop::option::of((0..3_u64, 0..32_u8)).prop_map(Happens::Plugs),
        3 => (1..120_i64).prop_map(Happens::Passes),
        6 => (0..14_usize, 0..40_u8).prop_map(|(what, limit)| Happens::Asked(what, limit)),
        8 => prop::bool::weighted(0.9).prop_map(Happens::Answered),
        1 => "\\PC{0,40}|\\[2,\"x\",\"[A-Z][a-zA-Z]{0,20}\",\\{\\}\\]".prop_map(Happens::Hears),
    ]
}

/// A request of either edition, some of them with sense.
fn request(edition: Edition, what: usize, limit: u8) -> (&'static str, Value) {
    let limit = f64::from(limit);
    let profile = |purpose, level| match edition {
        Edition::V16 => v16_profile(level + 1, purpose, level, limit, &json!({})),
        Edition::V2 => v2_profile(level + 1, purpose, level, limit, None),
    };
    match what {
        0 | 1 => ("SetChargingProfile", profile("TxDefaultProfile", i64::from(what == 1))),
        2 if edition == Edition::V16 => ("SetChargingProfile", profile("ChargePointMaxProfile", 0)),
        2 => ("SetChargingProfile", profile("ChargingStationMaxProfile", 0)),
        3 => ("SetChargingProfile", profile("TxProfile", 2)),
        4 => ("ClearChargingProfile", json!({})),
        5 if edition == Edition::V16 => ("Reset", json!({"type": "Soft"})),
        5 => ("Reset", json!({"type": "OnIdle"})),
        6 => ("RemoteStartTransaction", json!({"idTag": "A"})),
        7 => {
            let token = json!({"idToken": "A", "type": "Central"});
            ("RequestStartTransaction", json!({"idToken": token, "remoteStartId": 1}))
        }
        8 => ("RemoteStopTransaction", json!({"transactionId": 7})),
        9 if edition == Edition::V16 => ("ChangeAvailability", json!({"connectorId": 0, "type": "Inoperative"})),
        9 => ("ChangeAvailability", json!({"operationalStatus": "Inoperative"})),
        10 if edition == Edition::V16 => ("ChangeAvailability", json!({"connectorId": 0, "type": "Operative"})),
        10 => ("ChangeAvailability", json!({"operationalStatus": "Operative"})),
        11 => ("TriggerMessage", json!({"requestedMessage": "StatusNotification"})),
        12 if edition == Edition::V16 => ("GetCompositeSchedule", json!({"connectorId": 1, "duration": 600})),
        12 => ("GetCompositeSchedule", json!({"evseId": 1, "duration": 600})),
        _ => ("GetConfiguration", json!({})),
    }
}

fn answer(edition: Edition, action: &str) -> Value {
    match (edition, action) {
        (_, "BootNotification") => json!({"status": "Accepted", "interval": 30}),
        (Edition::V16, "Authorize") => json!({"idTagInfo": {"status": "Accepted"}}),
        (_, "Authorize") => json!({"idTokenInfo": {"status": "Accepted"}}),
        (_, "StartTransaction") => json!({"transactionId": 7, "idTagInfo": {"status": "Accepted"}}),
        _ => json!({}),
    }
}

/// What is seen of a station: its open call, its answers, the last limit.
#[derive(Default)]
struct View {
    open: Option<(String, String)>,
    answered: Vec<String>,
    amps: Option<f64>,
    linked: bool,
}

impl View {
    /// Does what the station wants; where it hangs up, the connection is gone.
    fn look(&mut self, station: &mut Station, now: DateTime<Utc>) {
        self.linked &= station.linked;
        for what in station.take() {
            match what {
                Do::Send(frame) => {
                    assert!(self.linked, "it speaks without a connection: {frame}");
                    let parts: Value = serde_json::from_str(&frame).unwrap();
                    let id = parts[1].as_str().unwrap().to_owned();
                    if parts[0] == 2 {
                        assert!(self.open.is_none(), "a second call is open: {frame}");
                        self.open = Some((id, parts[2].as_str().unwrap().to_owned()));
                    } else {
                        self.answered.push(id);
                    }
                }
                Do::Hold(held) => self.amps = held.amps,
                Do::Hangup => self.linked = false,
                Do::Password(_) | Do::Count(_) => {}
            }
        }
        if station.linked && !self.linked {
            station.cut(now);
            self.look(station, now);
        }
    }
}

fn open_call(station: &Station) -> Option<String> {
    station.pending.as_ref().map(|(id, ..)| id.clone())
}

fn plays(edition: Edition, all: Vec<Happens>) {
    let mut station = Station::new(make(edition, &[]), at(0));
    let (mut now, mut view, mut asked) = (0, View::default(), 0);
    view.look(&mut station, at(now));
    for one in all {
        match one {
            Happens::Connects if !view.linked && station.powered() => {
                view.linked = true;
                view.open = None;
                station.connected(at(now));
            }
            Happens::IsCut if view.linked => station.cut(at(now)),
            Happens::LosesPower if station.powered() => station.loses_power(at(now)),
            Happens::Plugs(vehicle) => {
                let (id, amps) = vehicle.map_or((None, 0.0), |(id, amps)| (Some(id), f64::from(amps)));
                let seen = Seen { vehicle: id, amps: [amps; 3], at: Some(at(now)), ..Seen::default() };
                station.sees(at(now), seen);
            }
            Happens::Passes(seconds) => {
                for _ in 0..seconds {
                    now += 1;
                    if station.next_at().is_some_and(|due| due <= at(now)) {
                        let before = open_call(&station);
                        station.due(at(now));
                        // It may have given up on the call that was open.
                        view.open.take_if(|_| open_call(&station) != before);
                        view.look(&mut station, at(now));
                    }
                }
                assert!(station.next_at().is_none_or(|due| due > at(now)), "what is due stays due");
            }
            Happens::Asked(what, limit) if view.linked => {
                asked += 1;
                let (action, payload) = request(edition, what, limit);
                let id = format!("q{asked}");
                station.heard(at(now), &json!([2, id, action, payload]).to_string());
                view.look(&mut station, at(now));
                let times = view.answered.iter().filter(|answered| **answered == id).count();
                assert_eq!(times, 1, "{action} {payload}");
            }
            Happens::Answered(well) if view.linked => {
                if let Some((id, action)) = view.open.take() {
                    let frame = if well {
                        json!([3, id, answer(edition, &action)])
                    } else {
                        json!([4, id, "InternalError", "", {}])
                    };
                    station.heard(at(now), &frame.to_string());
                }
            }
            Happens::Hears(text) if view.linked => station.heard(at(now), &text),
            _ => {}
        }
        view.look(&mut station, at(now));
        let closed = station.seen.vehicle.is_some() && station.transaction.is_none();
        assert!(!closed || view.amps == Some(0.0), "something flows without a transaction");
        let most = station.limit.amps.filter(|_| station.transaction.is_some());
        assert!(most.is_none_or(|most| view.amps.is_some_and(|amps| amps <= most)), "{most:?} {:?}", view.amps);
    }
}

proptest! {
    #[test]
    fn each_call_is_answered_once_and_no_limit_is_passed(all in prop::collection::vec(happens(), 1..60)) {
        plays(Edition::V16, all.clone());
        plays(Edition::V2, all);
    }
}
