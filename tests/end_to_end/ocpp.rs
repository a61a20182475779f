//! The OCPP gateway, driven as strangers would: its documented HTTP, and chargers over real sockets.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream as AsyncStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::chargers::python;
use super::{Folder, workspace};

/// Nothing that is waited for here takes so long.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) const PASSWORD: &str = "sixteen letters!";

/// A service that runs, with a demo depot that nobody looks at.
pub(crate) struct Service {
    child: Child,
    address: String,
    data: String,
    logs: std::sync::Mutex<std::sync::mpsc::Receiver<String>>,
}

impl Service {
    pub(crate) fn start(data: &str, address: &str) -> Service {
        Service::begin(&["--listen", address], data)
    }

    #[expect(clippy::zombie_processes, reason = "where it does not say where it listens, the test ends")]
    pub(crate) fn begin(arguments: &[&str], data: &str) -> Service {
        let mut child = Command::new(env!("CARGO_BIN_EXE_kwartier"))
            .args(["serve", "--demo", "--data", data])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let lines = BufReader::new(child.stderr.take().expect("logs"));
        let (tell, logs) = std::sync::mpsc::channel();
        std::thread::spawn(move || lines.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        loop {
            let line = logs.recv_timeout(PATIENCE).expect("it says where it listens");
            if let Some((_, url)) = line.split_once("Look at it: http://") {
                let address = url.split_once('/').expect("an address").0.to_owned();
                return Service { child, address, data: data.to_owned(), logs: std::sync::Mutex::new(logs) };
            }
        }
    }

    fn key(&self) -> String {
        std::fs::read_to_string(format!("{}/demo.key", self.data)).expect("a key").trim().to_owned()
    }

    pub(crate) fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        let body = body.to_string();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
             Connection: close\r\nContent-Length: {}\r\n\r\n",
            self.address,
            self.key(),
            body.len()
        );
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).expect("a request");
        let mut answer = Vec::new();
        std::io::Read::read_to_end(&mut stream, &mut answer).expect("an answer");
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer.get(9..12).and_then(|code| code.parse().ok()).expect("a status");
        let json = answer.find("\r\n\r\n").map(|at| &answer[at..]).unwrap_or_default();
        let json = json.get(json.find(['{', '[']).unwrap_or(0)..json.rfind(['}', ']']).map_or(0, |end| end + 1));
        (status, serde_json::from_str(json.unwrap_or_default()).unwrap_or(Value::Null))
    }

    /// A site with one board and some chargers that connect themselves.
    pub(crate) fn site(&self, site: &str, chargers: &[&str]) {
        let body = json!({
            "format": 1, "name": site, "time_zone": "Europe/Amsterdam",
            "boards": [{ "id": "HV", "limit_a": 40.0, "building_max_a": 10.0 }],
            "meters": [{ "id": "M", "board": "HV", "includes": ["building", "stations"] }],
            "stations": chargers.iter().map(|id| json!({
                "id": id, "board": "HV", "rotation": "RST", "max_a": 32.0, "fallback_a": 6.0, "reaction_s": 10.0,
            })).collect::<Vec<_>>(),
        });
        let (status, answer) = self.ask("PUT", &format!("/v1/sites/{site}"), &body);
        assert!(status < 300, "{status} {answer}");
        for id in chargers {
            let body = json!({
                "node": "HV", "phase_map": "RST", "max_a": 32.0, "ocpp": { "password": PASSWORD, "security_profile": 1 },
            });
            let (status, answer) = self.ask("PUT", &format!("/v1/sites/{site}/chargers/{id}"), &body);
            assert!(status < 300, "{status} {answer}");
        }
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().and_then(|()| self.child.wait()).expect("an end");
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let said: Vec<String> =
            self.logs.lock().expect("logs").try_iter().filter(|line| line.contains("panic")).collect();
        assert!(said.is_empty() || std::thread::panicking(), "{said:?}");
    }
}

/// A charger of the test's own.
pub(crate) struct Charger(pub(crate) WebSocketStream<MaybeTlsStream<AsyncStream>>);

impl Charger {
    pub(crate) async fn connect(
        service: &Service,
        id: &str,
        password: &str,
        protocols: &str,
    ) -> Result<Charger, Error> {
        let mut request = format!("ws://{}/ocpp/{id}", service.address).into_client_request()?;
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("{id}:{password}"));
        let headers = request.headers_mut();
        headers.insert("Authorization", HeaderValue::from_str(&format!("Basic {basic}")).expect("a header"));
        headers.insert("Sec-WebSocket-Protocol", HeaderValue::from_str(protocols).expect("a header"));
        connect_async(request).await.map(|(socket, _)| Charger(socket))
    }

    pub(crate) async fn say(&mut self, text: String) -> bool {
        self.0.send(Message::Text(text.into())).await.is_ok()
    }

    /// The next frame; `None`, the link has ended.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            match tokio::time::timeout(PATIENCE, self.0.next()).await.expect("a frame in time")? {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(text.as_str()).expect("JSON")),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// Answers what is asked until a frame comes that `wanted` takes; `None`, the link has ended.
    pub(crate) async fn until(&mut self, mut wanted: impl FnMut(&Value) -> bool) -> Option<Value> {
        loop {
            let frame = self.next().await?;
            if frame[0] == 2 {
                self.say(json!([3, frame[1], { "status": "Accepted" }]).to_string()).await;
            }
            if wanted(&frame) {
                return Some(frame);
            }
        }
    }

    pub(crate) async fn call(&mut self, id: &str, action: &str, payload: Value) -> Option<Value> {
        self.say(json!([2, id, action, payload]).to_string()).await;
        self.until(|frame| (frame[0] == 3 || frame[0] == 4) && frame[1] == id).await
    }
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

#[test]
fn who_is_unknown_and_who_has_the_wrong_password_are_answered_alike() {
    let folder = Folder::new();
    let service = Service::start(&folder.path("data"), "127.0.0.1:0");
    service.site("a", &["CP-1"]);
    runtime().block_on(async {
        let refused = |tried: Result<Charger, Error>| match tried {
            Err(Error::Http(response)) => (response.status().as_u16(), response.body().clone().unwrap_or_default()),
            _ => panic!("it was let in"),
        };
        let wrong = refused(Charger::connect(&service, "CP-1", "another password", "ocpp1.6").await);
        let unknown = refused(Charger::connect(&service, "CP-2", PASSWORD, "ocpp1.6").await);
        assert_eq!(wrong, unknown);
        assert_eq!(wrong.0, 401);
        // In hexadecimal digits, as 1.6 writes its keys.
        let hex = PASSWORD.bytes().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        assert!(Charger::connect(&service, "CP-1", &hex, "ocpp1.6").await.is_ok());
    });
}

#[test]
fn the_newest_version_is_spoken_and_the_newest_link_counts() {
    let folder = Folder::new();
    let service = Service::start(&folder.path("data"), "127.0.0.1:0");
    service.site("a", &["CP-1"]);
    runtime().block_on(async {
        let mut first = Charger::connect(&service, "CP-1", PASSWORD, "ocpp1.6, ocpp2.0.1").await.expect("a link");
        let boot = json!({ "reason": "PowerUp", "chargingStation": { "model": "M", "vendorName": "V" } });
        let answer = first.call("1", "BootNotification", boot).await.expect("an answer");
        assert_eq!(answer[2]["status"], "Accepted", "{answer}");
        let mut second = Charger::connect(&service, "CP-1", PASSWORD, "ocpp1.6").await.expect("a link");
        assert!(first.until(|_| false).await.is_none(), "the older link ends");
        let boot = json!({ "chargePointModel": "M", "chargePointVendor": "V" });
        assert_eq!(second.call("1", "BootNotification", boot).await.expect("an answer")[2]["status"], "Accepted");
        let (_, view) = service.ask("GET", "/v1/sites/a/chargers/CP-1", &Value::Null);
        assert_eq!((&view["ocpp"]["online"], &view["ocpp"]["version"]), (&json!(true), &json!("ocpp1.6")), "{view}");
        // No version that both speak: the link is made, and ended at once.
        let nothing = Charger::connect(&service, "CP-1", PASSWORD, "ocpp9").await;
        match nothing {
            Ok(mut link) => assert!(link.next().await.is_none()),
            Err(error) => assert!(matches!(error, Error::Protocol(_)), "{error}"),
        }
    });
}

#[test]
fn a_vehicle_is_offered_current_and_a_limit_reaches_it() {
    let folder = Folder::new();
    let service = Service::start(&folder.path("data"), "127.0.0.1:0");
    service.site("a", &["CP-1"]);
    runtime().block_on(async {
        let mut charger = Charger::connect(&service, "CP-1", PASSWORD, "ocpp1.6").await.expect("a link");
        let boot = json!({ "chargePointModel": "M", "chargePointVendor": "V" });
        charger.call("1", "BootNotification", boot).await.expect("an answer");
        // The fallback is stored for good, below what lapses.
        let fallback = charger.until(|frame| {
            let profile = &frame[3]["csChargingProfiles"];
            profile["chargingProfilePurpose"] == "TxDefaultProfile" && profile["stackLevel"] == 0
        });
        let fallback = fallback.await.expect("a fallback");
        let schedule = &fallback[3]["csChargingProfiles"]["chargingSchedule"];
        assert_eq!(schedule["chargingSchedulePeriod"][0]["limit"], 6.0, "{fallback}");
        assert!(schedule["duration"].is_null());
        let start = json!({
            "connectorId": 1, "idTag": "TAG", "meterStart": 1000, "timestamp": chrono::Utc::now().to_rfc3339(),
        });
        let answer = charger.call("2", "StartTransaction", start).await.expect("an answer");
        let transaction = answer[2]["transactionId"].as_i64().expect("an id");
        let reading =
            |amps: f64| json!([{ "at": chrono::Utc::now(), "node": "HV", "l1_a": amps, "l2_a": amps, "l3_a": amps }]);
        let limit = |frame: &Value| {
            let profile = &frame[3]["csChargingProfiles"];
            (profile["chargingProfilePurpose"] == "TxProfile").then(|| {
                assert_eq!(profile["transactionId"], transaction);
                profile["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"].as_f64().expect("a limit")
            })
        };
        let begun = Instant::now();
        let mut held = 0.0;
        while held < 10.0 {
            assert!(begun.elapsed() < PATIENCE, "it is offered {held} A alone");
            let (status, _) = service.ask("POST", "/v1/sites/a/measurements", &reading(5.0));
            assert!(status < 300);
            let profile = charger.until(|frame| limit(frame).is_some() || frame[0] == 2).await.expect("a link");
            held = limit(&profile).unwrap_or(held);
        }
        // The board shows more than it may: the next limit is lower.
        let overloaded = Instant::now();
        loop {
            assert!(overloaded.elapsed() < PATIENCE, "it goes on at {held} A");
            service.ask("POST", "/v1/sites/a/measurements", &reading(60.0));
            let Ok(Some(profile)) =
                tokio::time::timeout(Duration::from_secs(1), charger.until(|frame| limit(frame).is_some())).await
            else {
                continue;
            };
            if limit(&profile).expect("a limit") < held {
                break;
            }
        }
        let (status, answer) = service.ask("GET", "/v1/sites/a/status", &Value::Null);
        assert_eq!(status, 200);
        assert!(answer["chargers"][0]["session"]["id"].is_string(), "{answer}");
        let stop =
            json!({ "transactionId": transaction, "meterStop": 3500, "timestamp": chrono::Utc::now().to_rfc3339() });
        charger.call("3", "StopTransaction", stop).await.expect("an answer");
        // Its answer comes first, its session ends then.
        let begun = Instant::now();
        loop {
            assert!(begun.elapsed() < PATIENCE, "the session does not end");
            let (_, sessions) = service.ask("GET", "/v1/sites/a/sessions", &Value::Null);
            let all = sessions["items"].as_array().expect("sessions");
            let one = all.iter().find(|one| one["stated"]["charger"] == "CP-1").expect("a session");
            if one["ended"].is_string() {
                assert_eq!(one["energy_kwh"], 2.5, "{one}");
                break;
            }
        }
    });
}

#[test]
fn malformed_frames_by_the_ten_thousand_disturb_nobody_else() {
    let folder = Folder::new();
    let service = Service::start(&folder.path("data"), "127.0.0.1:0");
    service.site("a", &["GOOD", "BAD"]);
    let frames = [
        "",
        "{}",
        "[",
        "[]",
        "[2]",
        "[2,\"1\"]",
        "[2,1,\"Heartbeat\",{}]",
        "[7,\"1\",{}]",
        "[3,\"x\"]",
        "null",
        "[2,\"1\",\"Heartbeat\",[]]",
        "[2,\"1\",\"MeterValues\",{\"connectorId\":\"1\"}]",
        "[2,\"1\",\"StartTransaction\",{}]",
        "[2,\"1\",\"Nonsense\",{}]",
        "[2,\"1\",\"SetChargingProfile\",{}]",
        "\u{0}\u{1}",
    ];
    let deep = format!("[2,\"1\",\"Heartbeat\",{}{}]", "{\"a\":".repeat(5000), "1".to_owned() + &"}".repeat(5000));
    runtime().block_on(async {
        let mut good = Charger::connect(&service, "GOOD", PASSWORD, "ocpp1.6").await.expect("a link");
        let boot = json!({ "chargePointModel": "M", "chargePointVendor": "V" });
        good.call("boot", "BootNotification", boot).await.expect("an answer");
        let mut sent = 0;
        while sent < 10_000 {
            let mut bad = Charger::connect(&service, "BAD", PASSWORD, "ocpp1.6").await.expect("a link");
            for k in 0..200 {
                let frame = if k % 40 == 39 { deep.clone() } else { frames[(sent + k) % frames.len()].to_owned() };
                sent += 1;
                if !bad.say(frame).await {
                    break;
                }
            }
            let answer = good.call(&format!("h{sent}"), "Heartbeat", json!({})).await.expect("the other link goes on");
            assert!(answer[2]["currentTime"].is_string(), "{answer}");
        }
    });
}

#[test]
fn a_charger_or_site_that_is_deleted_ends_its_link_and_leaves_nothing_behind() {
    let folder = Folder::new();
    let service = Service::start(&folder.path("data"), "127.0.0.1:0");
    service.site("a", &["CP-1", "CP-2"]);
    runtime().block_on(async {
        let mut chargers = Vec::new();
        for id in ["CP-1", "CP-2"] {
            let mut charger = Charger::connect(&service, id, PASSWORD, "ocpp1.6").await.expect("a link");
            let boot = json!({ "chargePointModel": "M", "chargePointVendor": "V" });
            charger.call("1", "BootNotification", boot).await.expect("an answer");
            chargers.push(charger);
        }
        let start = json!({
            "connectorId": 1, "idTag": "TAG", "meterStart": 0, "timestamp": chrono::Utc::now().to_rfc3339(),
        });
        chargers[0].call("2", "StartTransaction", start).await.expect("an answer");
        // That has been taken in when the next message is answered.
        chargers[0].call("3", "Heartbeat", json!({})).await.expect("an answer");
        let session = || service.ask("GET", "/v1/sites/a/sessions", &Value::Null).1["items"][0].clone();
        assert!(session()["id"].is_string() && session()["ended"].is_null(), "{}", session());
        let (status, _) = service.ask("DELETE", "/v1/sites/a/chargers/CP-1", &Value::Null);
        assert_eq!(status, 204);
        assert!(session()["ended"].is_string(), "{}", session());
        assert!(chargers[0].until(|_| false).await.is_none(), "its link ends");
        assert!(Charger::connect(&service, "CP-1", PASSWORD, "ocpp1.6").await.is_err());
        assert!(chargers[1].call("2", "Heartbeat", json!({})).await.is_some(), "the other's goes on");
        // One that is put again is a new one.
        let ocpp = json!({ "password": PASSWORD, "security_profile": 1 });
        let body = json!({ "node": "HV", "phase_map": "RST", "max_a": 32.0, "ocpp": ocpp });
        let (_, view) = service.ask("PUT", "/v1/sites/a/chargers/CP-1", &body);
        assert_eq!((&view["ocpp"]["vendor"], &view["ocpp"]["connected"]), (&Value::Null, &Value::Null), "{view}");
        assert_eq!(service.ask("DELETE", "/v1/sites/a", &Value::Null).0, 204);
        assert!(chargers[1].until(|_| false).await.is_none(), "with its site");
    });
}

#[test]
fn what_a_vehicle_says_that_it_needs_counts_until_its_driver_says_otherwise() {
    let folder = Folder::new();
    let service = Service::start(&folder.path("data"), "127.0.0.1:0");
    service.site("a", &["CP-1"]);
    let session = |of: &str| {
        let begun = Instant::now();
        loop {
            assert!(begun.elapsed() < PATIENCE, "it does not say what the {of} wants");
            let (_, all) = service.ask("GET", "/v1/sites/a/sessions", &Value::Null);
            if all["items"][0]["departure_from"] == of {
                return all["items"][0].clone();
            }
        }
    };
    runtime().block_on(async {
        let mut charger = Charger::connect(&service, "CP-1", PASSWORD, "ocpp2.0.1").await.expect("a link");
        let boot = json!({ "reason": "PowerUp", "chargingStation": { "model": "M", "vendorName": "V" } });
        charger.call("1", "BootNotification", boot).await.expect("an answer");
        let needs = |departure: chrono::DateTime<chrono::Utc>, wh: i64| {
            let ac = json!({ "energyAmount": wh, "evMinCurrent": 6, "evMaxCurrent": 32, "evMaxVoltage": 400 });
            let needs = json!({
                "requestedEnergyTransfer": "AC_three_phase", "departureTime": departure, "acChargingParameters": ac,
            });
            json!({ "evseId": 1, "chargingNeeds": needs })
        };
        let leaves = chrono::Utc::now() + chrono::TimeDelta::hours(5);
        let start = json!({
            "eventType": "Started", "triggerReason": "CablePluggedIn", "seqNo": 0, "timestamp": chrono::Utc::now(),
            "transactionInfo": { "transactionId": "t" }, "evse": { "id": 1, "connectorId": 1 },
        });
        charger.call("2", "TransactionEvent", start).await.expect("an answer");
        charger.until(|frame| frame[3]["chargingProfile"]["transactionId"] == "t").await.expect("a profile");
        let answer = charger.call("3", "NotifyEVChargingNeeds", needs(leaves, 20_000)).await.expect("an answer");
        assert_eq!(answer[2]["status"], "Accepted");
        charger.until(|frame| frame[3]["chargingProfile"]["transactionId"] == "t").await.expect("a profile after it");
        let said = session("vehicle");
        let need_kwh = said["stated"]["need_kwh"].as_f64().expect("a need");
        assert!((15.0..20.0).contains(&need_kwh), "20 kWh at the charger are less at the battery: {said}");
        // Who the driver is may still be stated, and what they say counts from then on.
        let driver = json!({ "charger": "CP-1", "need_kwh": 7.0 });
        let (status, stated) = service.ask("POST", "/v1/sites/a/sessions", &driver);
        assert_eq!(
            (status, &stated["departure_from"], &stated["need_from"]),
            (201, &json!("vehicle"), &json!("driver"))
        );
        let path = format!("/v1/sites/a/sessions/{}", stated["id"].as_str().expect("an id"));
        let (status, _) = service.ask("PATCH", &path, &json!({ "departure": leaves + chrono::TimeDelta::hours(1) }));
        assert_eq!(status, 200);
        charger.call("4", "NotifyEVChargingNeeds", needs(leaves, 30_000)).await.expect("an answer");
        charger.call("5", "Heartbeat", json!({})).await.expect("an answer");
        let said = session("driver");
        assert_eq!((&said["need_from"], &said["stated"]["need_kwh"]), (&json!("driver"), &json!(7.0)), "{said}");
    });
}

/// Runs the stranger of `tests/ocpp` against a service, and gives his verdict.
fn stranger(python: &Path, service: &Service, more: &[&str]) -> Child {
    Command::new(python)
        .arg(workspace().join("tests/ocpp/stranger.py"))
        .args(["--http", &format!("http://{}", service.address), "--key", &service.key()])
        .args(more)
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python runs")
}

fn verdict(stranger: Child) -> Value {
    let output = stranger.wait_with_output().expect("an end");
    super::json(&output.stdout)
}

#[test]
fn a_strangers_fuses_hold_with_links_cut() {
    let Some(python) = python() else { return };
    let folder = Folder::new();
    let service = Service::start(&folder.path("data"), "127.0.0.1:0");
    let verdict =
        verdict(stranger(python, &service, &["--seconds", "60", "--stations", "6", "--cuts", "60", "--seed", "5"]));
    assert_eq!(verdict["broken"], json!([]), "{verdict}");
    assert_eq!(verdict["connected"], 6, "{verdict}");
    assert!(verdict["energy_kwh"].as_f64().is_some_and(|kwh| kwh > 0.0), "{verdict}");
    // Those of 2.1 say that limits can be updated by themselves, and are told so.
    assert!(verdict["updated"].as_u64().is_some_and(|count| count > 0), "{verdict}");
}

#[test]
fn a_strangers_fuses_hold_when_the_service_is_killed_and_comes_back() {
    let Some(python) = python() else { return };
    let folder = Folder::new();
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").to_string();
    let mut service = Service::start(&folder.path("data"), &free);
    let stranger = stranger(python, &service, &["--seconds", "75", "--stations", "6", "--seed", "6"]);
    // It is killed in the middle of it, once vehicles charge.
    let begun = Instant::now();
    loop {
        assert!(begun.elapsed() < PATIENCE, "nobody charges");
        let (_, status) = service.ask("GET", "/v1/sites/stranger/status", &Value::Null);
        let draws = |charger: &Value| charger["drawn_a"][0].as_f64().is_some_and(|amps| amps > 5.0);
        if status["chargers"].as_array().is_some_and(|chargers| chargers.iter().filter(|one| draws(one)).count() >= 2) {
            break;
        }
        std::thread::yield_now();
    }
    service.kill();
    let service = Service::start(&folder.path("data"), &free);
    let verdict = verdict(stranger);
    assert_eq!(verdict["broken"], json!([]), "{verdict}");
    assert_eq!(verdict["connected"], 6, "{verdict}");
    drop(service);
}
