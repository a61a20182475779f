//! The service and two hundred simulated stations over real sockets: links cut, stations that do not behave, the service killed
//! and started again. No fuse may notice.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Folder, json as parsed};

/// Nothing that is waited for here takes so long.
const PATIENCE: Duration = Duration::from_mins(2);

/// How many stations, on boards of so many.
const STATIONS: usize = 200;
const ON_A_BOARD: usize = 20;

const PASSWORD: &str = "closed-loop-password";

/// A service that runs in a folder, at an address that stays.
struct Service {
    child: Child,
    address: String,
    /// The token of the first start.
    setup: Option<String>,
}

impl Service {
    fn start(data: &str, address: &str) -> Service {
        let mut child = Command::new(env!("CARGO_BIN_EXE_kwartier"))
            .args(["serve", "--listen", address, "--data", data])
            .env("KWARTIER_LIMITS_REQUESTS_PER_MINUTE", "10000000")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let logs = BufReader::new(child.stderr.take().expect("logs"));
        let (lines, heard) = mpsc::channel();
        // Somebody has to read what it logs as long as it runs.
        std::thread::spawn(move || logs.lines().map_while(Result::ok).for_each(|line| drop(lines.send(line))));
        let mut service = Service { child, address: address.to_owned(), setup: None };
        let began = Instant::now();
        while !service.is_ready() {
            assert!(began.elapsed() < PATIENCE, "it does not begin");
            std::thread::sleep(Duration::from_millis(100));
        }
        service.setup = heard.try_iter().find_map(|line| Some(line.split_once("#setup=")?.1.trim().to_owned()));
        service
    }

    fn is_ready(&self) -> bool {
        TcpStream::connect(&self.address).is_ok() && self.ask("GET", "/readyz", "", &Value::Null).0 == 200
    }

    /// Asks something: status and answer.
    fn ask(&self, method: &str, path: &str, key: &str, body: &Value) -> (u16, Value) {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAuthorization: Bearer {key}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}",
            self.address
        );
        stream.write_all(request.as_bytes()).expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let json = answer.find('{').zip(answer.rfind('}')).and_then(|(from, to)| answer.get(from..=to));
        (status, json.map_or(Value::Null, |json| serde_json::from_str(json).unwrap_or(Value::Null)))
    }

    fn put(&self, path: &str, key: &str, body: &Value) {
        let (status, answer) = self.ask("PUT", path, key, body);
        assert!((200..300).contains(&status), "{path}: {status} {answer}");
    }

    /// The key of a program that may do everything.
    fn key(&self) -> String {
        let token = self.setup.as_ref().expect("the first start says how to begin");
        let first = json!({"token": token, "email": "a@b.example", "name": "A", "password": "correct horse battery", "carry": "bearer"});
        let (_, answer) = self.ask("POST", "/v1/setup", "", &first);
        let ticket = answer["ticket"].as_str().expect("a ticket").to_owned();
        let scopes = json!({"name": "loop", "scopes": [{"role": "admin", "tenant": "main"}]});
        let (_, answer) = self.ask("POST", "/v1/keys", &ticket, &scopes);
        answer["key"].as_str().expect("a key").to_owned()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // As -9 does: nothing is put in order.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How long it lasts; `make closed-loop` says 24 min, which is a day.
fn length() -> String {
    std::env::var("CLOSED_LOOP").unwrap_or_else(|_| "100s".to_owned())
}

/// What goes wrong, and how often an hour. A short run has as much of it as a long one would; for a day that is so much that the
/// building alone is above its fuse and half of the stations are silent all the time, which nobody can steer.
fn faults() -> &'static str {
    if std::env::var_os("CLOSED_LOOP").is_none() {
        "cut=20,reboot=4,load=300,meter=30"
    } else {
        "cut=4,reboot=1,load=30,meter=6"
    }
}

fn station(k: usize) -> String {
    format!("CP{:03}", k + 1)
}

/// Boards that are fit for an eighth of what hangs on them, under one that is fit for most of those.
fn site() -> Value {
    let board = |k: usize| format!("B{}", k + 1);
    let count = STATIONS / ON_A_BOARD;
    let mut boards = vec![json!({"id": "main", "limit_a": 500, "building_max_a": 100})];
    boards.extend((0..count).map(|k| json!({"id": board(k), "parent": "main", "limit_a": 80, "building_max_a": 25})));
    let mut meters = vec![json!({"id": "M", "board": "main"})];
    meters.extend((0..count).map(|k| json!({"id": format!("M{}", k + 1), "board": board(k)})));
    let stations: Vec<Value> = (0..STATIONS)
        .map(|k| {
            let rotation = ["RST", "STR", "TRS"][k % 3];
            json!({"id": station(k), "board": board(k / ON_A_BOARD), "rotation": rotation, "max_a": 32, "fallback_a": 0})
        })
        .collect();
    json!({
        "format": 1, "name": "Loop", "time_zone": "Europe/Amsterdam",
        "boards": boards, "meters": meters, "stations": stations,
    })
}

#[test]
fn two_hundred_stations_overload_nothing_though_links_are_cut_and_the_service_is_killed() {
    let folder = Folder::new();
    let data = folder.path("data");
    let port = TcpListener::bind("127.0.0.1:0").and_then(|taken| taken.local_addr()).expect("a port");
    let address = port.to_string();
    let service = Service::start(&data, &address);
    let key = service.key();
    service.put("/v1/sites/loop", &key, &site());
    for k in 0..STATIONS {
        let charger = json!({
            "node": format!("B{}", k / ON_A_BOARD + 1), "max_a": 32,
            "ocpp": {"password": PASSWORD, "security_profile": 1},
        });
        service.put(&format!("/v1/sites/loop/chargers/{}", station(k)), &key, &charger);
    }
    let site = folder.file("site.json", &site().to_string());
    let key_file = folder.file("key", &key);
    let url = format!("ws://{address}/ocpp");
    let meter = format!("http://{address}/v1/sites/loop/measurements");
    let fleet = Command::new(env!("CARGO_BIN_EXE_kwartier"))
        .args(["chargers", "simulate", &url, "--json", "--site", &site, "--password", PASSWORD])
        .args(["--meter-to", &meter, "--key-file", &key_file, "--protocol", "mixed", "--speed", "60", "--commissioned"])
        .args(["--faults", faults(), "--boot", "5", "--iso15118", "0.2"])
        .args(["--quirks", "refuses-zero=0.02,no-composite=0.1,reports-watts=0.05,extra-fields=0.1,malformed=0.05"])
        .args(["--duration", &length()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let connected = |service: &Service| {
        let (_, status) = service.ask("GET", "/v1/sites/loop/status", &key, &Value::Null);
        let chargers = status["chargers"].as_array().map_or(&[][..], Vec::as_slice);
        chargers.iter().filter(|charger| charger["online"] == true).count()
    };
    let most_connect = |service: &Service| {
        let began = Instant::now();
        while connected(service) < STATIONS * 9 / 10 {
            assert!(began.elapsed() < PATIENCE, "{} are connected", connected(service));
            std::thread::sleep(Duration::from_millis(200));
        }
    };
    most_connect(&service);
    drop(service);
    let service = Service::start(&data, &address);
    most_connect(&service);
    let output = fleet.wait_with_output().expect("an end");
    let summary = parsed(&output.stdout);
    // What `make closed-loop` shows.
    eprintln!("{summary:#}");
    assert_eq!(summary["broken"], Value::Array(Vec::new()), "{summary}");
    assert_eq!(output.status.code(), Some(0), "{summary}");
    let count = |name: &str| summary[name].as_u64().unwrap_or(0);
    assert!(count("connects") > STATIONS as u64 + 50 && count("cuts") > 10, "{summary}");
    assert!(summary["energy_kwh"].as_f64().unwrap() > 0.3, "{summary}");
}
