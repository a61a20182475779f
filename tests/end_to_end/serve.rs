//! `kwartier serve`: the demo comes alive, the page and its stream answer, it ends in good order and begins again.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Folder, said};

/// Nothing that is waited for here takes so long.
const PATIENCE: Duration = Duration::from_mins(2);

/// A service that runs.
pub struct Service {
    child: Child,
    logs: BufReader<ChildStderr>,
    pub address: String,
    pub link: String,
}

impl Service {
    /// Starts a demo on a free port.
    pub fn demo(data: &str) -> Service {
        Service::start(&["--demo", "--data", data], "/#link=")
    }

    /// Starts one of which nobody is admin, on a free port; its link is for setting up.
    pub fn first(data: &str) -> Service {
        Service::start(&["--data", data], "/#setup=")
    }

    /// Starts one, and reads where it is from the link that it prints.
    #[expect(clippy::zombie_processes, reason = "where it does not say where it listens, the test ends")]
    fn start(arguments: &[&str], link: &str) -> Service {
        let mut child = Command::new(env!("CARGO_BIN_EXE_kwartier"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let mut logs = BufReader::new(child.stderr.take().expect("logs"));
        let mut seen = String::new();
        loop {
            let mut line = String::new();
            assert!(logs.read_line(&mut line).expect("logs") > 0, "it ended: {seen}");
            seen.push_str(&line);
            let url = line.split_once("http://").map(|(_, url)| url.trim());
            if let Some((address, link)) = url.and_then(|url| url.split_once(link)) {
                return Service { child, address: address.to_owned(), link: link.to_owned(), logs };
            }
        }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        stream
    }

    /// Sends a request and reads the whole answer: head and body.
    fn ask(&self, request: &str, body: &str) -> (String, String) {
        let mut stream = self.connect();
        let length = body.len();
        let head = format!(
            "{request}\r\nHost: {}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}",
            self.address
        );
        stream.write_all(head.as_bytes()).expect("a request");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        (head.to_owned(), body.to_owned())
    }

    fn get(&self, path: &str, key: &str) -> (String, Value) {
        let (head, body) = self.ask(&format!("GET {path} HTTP/1.1\r\nAuthorization: Bearer {key}"), "");
        let json = body.get(body.find(['{', '[']).unwrap_or(0)..body.rfind(['}', ']']).map_or(0, |end| end + 1));
        (head, serde_json::from_str(json.unwrap_or_default()).unwrap_or(Value::Null))
    }

    /// Follows how the site looks.
    fn follow(&self, key: &str) -> BufReader<TcpStream> {
        let mut stream = self.connect();
        let request = format!(
            "GET /v1/sites/demo/status HTTP/1.1\r\nHost: {}\r\nAccept: text/event-stream\r\nAuthorization: Bearer {key}\r\n\r\n",
            self.address
        );
        stream.write_all(request.as_bytes()).expect("a request");
        BufReader::new(stream)
    }

    /// Tells it to end, as systemd does, and waits for that; its exit code and what it logged.
    pub fn end(mut self) -> (Option<i32>, String) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill").success());
        let mut rest = String::new();
        self.logs.read_to_string(&mut rest).expect("logs");
        (self.child.wait().expect("an end").code(), rest)
    }
}

/// The next status of a stream; `None`, it has ended.
fn status(stream: &mut BufReader<TcpStream>) -> Option<Value> {
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).expect("a stream") == 0 {
            return None;
        }
        if let Some(data) = line.strip_prefix("data:") {
            return Some(serde_json::from_str(data.trim()).expect("JSON"));
        }
    }
}

pub fn key(data: &str) -> String {
    std::fs::read_to_string(format!("{data}/demo.key")).expect("a key").trim().to_owned()
}

/// Whether vehicles are there, a plan is in force, and the chargers confirm what they are told.
fn is_alive(status: &Value) -> bool {
    let chargers = status["chargers"].as_array().expect("chargers");
    let confirms = |charger: &&Value| charger["setpoint"]["trace"]["confirmed"].is_string();
    let with_session = chargers.iter().filter(|charger| charger["session"].is_object()).count();
    status["plan"]["id"].is_string()
        && status["steering"] == "plan"
        && with_session > 3
        && chargers.iter().filter(confirms).count() > 3
}

#[test]
fn the_demo_comes_alive_ends_in_good_order_and_begins_again() {
    let folder = Folder::new();
    let data = folder.path("data");
    let service = Service::demo(&data);
    let key = key(&data);

    let (head, page) = service.ask("GET / HTTP/1.1", "");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.to_lowercase().contains("content-security-policy: default-src 'none'"), "{head}");
    assert!(page.contains("/page/page.js"));
    let (head, _) = service.ask("GET /page/site.js HTTP/1.1", "");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let (head, _) = service.get("/v1/sites/demo/status", "nonsense");
    assert!(head.starts_with("HTTP/1.1 401"), "{head}");

    // Prices come as with the network, but from what is in the program; every answer is kept and can be played again.
    let asked = Instant::now();
    let feeds = loop {
        let (_, feeds) = service.get("/v1/sites/demo/feeds", &key);
        if feeds["prices"][0]["notes"][0] == "energyzero says the same" {
            break feeds;
        }
        assert!(asked.elapsed() < PATIENCE, "{feeds}");
        std::thread::sleep(Duration::from_millis(100));
    };
    assert_eq!(feeds["prices"][0]["source"], "energy_charts");
    let replayed = super::kwartier(&["feeds", "replay", &format!("{data}/feeds"), "--json"]);
    let days = super::json(&replayed.stdout);
    // Shortly before tomorrow's prices are published they are asked for too, and there are none.
    let days_of = days.as_array().expect("days");
    let known = days_of.iter().filter(|day| !day["known"].is_null()).count();
    assert_eq!(replayed.status.code(), Some(i32::from(known < days_of.len())), "{days}");
    assert!(known > 0 && days_of.iter().filter(|day| day["source"] == "energy_charts").count() == known, "{days}");

    // The link works once.
    let body = format!("{{\"link\":\"{}\"}}", service.link);
    let login = "POST /v1/login HTTP/1.1\r\nContent-Type: application/json";
    let (head, _) = service.ask(login, &body);
    assert!(head.starts_with("HTTP/1.1 200") && head.to_lowercase().contains("set-cookie: kwartier="), "{head}");
    let (head, _) = service.ask(login, &body);
    assert!(head.starts_with("HTTP/1.1 401"), "{head}");

    let mut stream = service.follow(&key);
    let began = Instant::now();
    let alive = loop {
        let status = status(&mut stream).expect("it goes on");
        if is_alive(&status) {
            break status;
        }
        assert!(began.elapsed() < PATIENCE, "not alive yet: {status}");
    };
    let nodes = alive["nodes"].as_array().expect("boards");
    assert_eq!(nodes.len(), 8);
    assert!(nodes[0]["measured_a"].is_array());
    for node in nodes {
        for phase in 0..3 {
            let (flows, limit) = (node["drawn_a"][phase].as_f64().unwrap(), node["limit_a"][phase].as_f64().unwrap());
            assert!(flows <= limit + 1.0, "{} L{}: {flows} of {limit} A", node["id"], phase + 1);
        }
    }

    // Who comes is stated, whether his station or whoever states it was the first to tell.
    let stated = |status: &Value| {
        let chargers = status["chargers"].as_array().map_or(&[][..], Vec::as_slice);
        let mut there = chargers.iter().map(|charger| &charger["session"]).filter(|session| session.is_object());
        there.all(|session| session["departure_from"] == "driver" && session["need_from"] == "driver")
    };
    while !stated(&super::serve::status(&mut stream).expect("it goes on")) {
        assert!(began.elapsed() < PATIENCE);
    }

    let (code, logs) = service.end();
    assert_eq!(code, Some(0), "{logs}");
    while status(&mut stream).is_some() {}
    assert!(!logs.contains(&key) && !logs.contains("ERROR"), "{logs}");

    // The same data once more: the same key, what was there before is gone, and it comes alive again.
    let service = Service::demo(&data);
    assert_eq!(self::key(&data), key);
    let mut stream = service.follow(&key);
    let began = Instant::now();
    while !is_alive(&status(&mut stream).expect("it goes on")) {
        assert!(began.elapsed() < PATIENCE);
    }
    let (code, logs) = service.end();
    assert_eq!(code, Some(0), "{logs}");
}

#[test]
fn where_nobody_reads_what_it_logs_it_goes_on_and_ends_in_good_order() {
    let folder = Folder::new();
    let data = folder.path("data");
    let Service { mut child, logs, address, .. } = Service::demo(&data);
    drop(logs);
    // Who comes without a password is logged.
    let mut stream = TcpStream::connect(&address).expect("it listens");
    let request = format!(
        "GET /ocpp/nobody HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("a request");
    let mut first = [0; 12];
    stream.read_exact(&mut first).expect("an answer");
    assert_eq!(&first, b"HTTP/1.1 401");
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill").success());
    assert_eq!(child.wait().expect("an end").code(), Some(0));
}

#[test]
fn what_is_in_use_is_said_in_one_line() {
    let folder = Folder::new();
    let (data, other) = (folder.path("data"), folder.path("other"));
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let serve = |arguments: &[&str]| super::kwartier(&[&["serve"], arguments].concat());
    let refused = |arguments: &[&str], why: &str| {
        let output = serve(arguments);
        let (_, told) = said(&output);
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains(why) && told.trim().lines().count() == 1, "{told}");
    };
    refused(&["--listen", &address, "--data", &other], "another program listens there");
    let service = Service::demo(&data);
    refused(&["--listen", "127.0.0.1:0", "--data", &data], "has this folder open");
    let (code, _) = service.end();
    assert_eq!(code, Some(0));
    let wrong = folder.file("wrong.toml", "dta = \"x\"\n");
    let output = serve(&["--config", &wrong]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).1.contains("line 1") || said(&output).1.contains(":1"), "{}", said(&output).1);
}
