//! `kwartier chargers simulate`, and stations and a central system that are not ours: real sockets, real messages.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use kwartier_tests::npm;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::Value;

use super::{Folder, json, kwartier, said, workspace};

/// The Python in which `tests/ocpp/requirements.txt` is installed, outside of the clone; `None`, there is no Python, or no
/// network the first time.
pub fn python() -> Option<&'static PathBuf> {
    static INSTALLED: OnceLock<Option<PathBuf>> = OnceLock::new();
    let installed = INSTALLED.get_or_init(|| {
        let requirements = workspace().join("tests/ocpp/requirements.txt");
        let cache = std::env::var_os("HOME").map_or_else(std::env::temp_dir, PathBuf::from).join(".cache/kwartier");
        let name = format!("ocpp-{}", &blake3::hash(&std::fs::read(&requirements).unwrap()).to_hex()[..16]);
        let folder = cache.join(&name);
        if !folder.join("done").exists() {
            // Several tests may come here at once, each in a process of its own: the first one that is ready marks it.
            std::fs::create_dir_all(&cache).ok()?;
            let runs = |command: &mut Command| command.output().is_ok_and(|output| output.status.success());
            let lock = std::fs::File::create(cache.join(format!("{name}.lock"))).ok()?;
            lock.lock().ok()?;
            if !folder.join("done").exists() {
                let made = runs(Command::new("python3").args(["-m", "venv"]).arg(&folder));
                let pip = folder.join("bin/pip");
                let mut install = Command::new(pip);
                install.args(["install", "--quiet", "--requirement"]).arg(&requirements);
                if !made || !runs(&mut install) {
                    return None;
                }
                std::fs::write(folder.join("done"), "").ok()?;
            }
        }
        Some(folder.join("bin/python"))
    });
    if installed.is_none() {
        assert!(std::env::var_os("CI").is_none(), "tests/ocpp cannot be installed here, and must be on a build server");
        eprintln!("SKIPPED: stations and central system that are not ours; tests/ocpp cannot be installed here");
    }
    installed.as_ref()
}

/// A central system that is not ours, at a port of its own.
struct Central {
    child: Child,
    out: BufReader<std::process::ChildStdout>,
    port: String,
}

impl Central {
    fn start(python: &Path, stations: usize, more: &[&str]) -> Central {
        let mut child = Command::new(python)
            .arg(workspace().join("tests/ocpp/central.py"))
            .args(["--stations", &stations.to_string(), "--seconds", "150"])
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python runs");
        let mut out = BufReader::new(child.stdout.take().expect("its output"));
        let mut port = String::new();
        out.read_line(&mut port).expect("a port");
        Central { child, out, port: port.trim().to_owned() }
    }

    /// What it has seen, once it has seen enough.
    fn verdict(mut self) -> Value {
        let mut text = String::new();
        self.out.read_to_string(&mut text).expect("a verdict");
        self.child.wait().expect("an end");
        json(text.as_bytes())
    }
}

/// Simulated stations that run.
struct Fleet(Child);

impl Fleet {
    fn start(arguments: &[&str]) -> Fleet {
        let child = Command::new(env!("CARGO_BIN_EXE_kwartier"))
            .args([&["chargers", "simulate", "--json"], arguments].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary runs");
        Fleet(child)
    }

    /// Ends them as Ctrl-C does: exit code and summary.
    fn end(self) -> (Option<i32>, Value) {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().expect("kill").success());
        let output = self.0.wait_with_output().expect("an end");
        (output.status.code(), json(&output.stdout))
    }
}

impl Drop for Central {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn fifty_stations_of_both_editions_obey_a_central_system_that_is_not_ours() {
    let Some(python) = python() else { return };
    let central = Central::start(python, 50, &[]);
    let folder = Folder::new();
    let url = format!("ws://127.0.0.1:{}/ocpp", central.port);
    let out = folder.path("out");
    // Vehicles come within a quarter of an hour, sixty times as fast.
    let arguments = ["--count", "50", "--protocol", "mixed", "--speed", "60", "--connects", "50", "--duration", "150s"];
    let fleet = Fleet::start(&[&[&url, "--out", &out], &arguments[..]].concat());
    let verdict = central.verdict();
    let (code, summary) = fleet.end();
    assert_eq!(code, Some(0), "{summary}");
    assert_eq!(verdict["wrong"], Value::Array(Vec::new()), "{verdict}");
    assert_eq!((&verdict["booted"], &verdict["ended"]), (&Value::from(50), &Value::from(50)), "{verdict}");
    assert!(verdict["obeyed"].as_u64().unwrap() >= 40, "{verdict}");
    assert!(verdict["schedules"].as_u64().unwrap() >= 100, "{verdict}");
    let profiles = summary["profiles"].as_array().unwrap();
    let count = |purpose: &str, outcome: &str| {
        profiles.iter().find(|one| one["purpose"] == purpose).and_then(|one| one[outcome].as_u64()).unwrap_or(0)
    };
    // One each of station maximum and default; a second default in the same place is refused in 2.0.1.
    assert_eq!((count("ChargingStationMaxProfile", "accepted"), count("TxDefaultProfile", "accepted")), (50, 50));
    assert_eq!(count("TxDefaultProfile", "rejected"), 25, "{summary}");
    // In 1.6 one for a transaction that does not run yet, at most stations.
    assert!(count("TxProfile", "accepted") >= 50 && count("TxProfile", "rejected") >= 10, "{summary}");
    assert!(summary["energy_kwh"].as_f64().unwrap() > 0.1, "{summary}");
    assert!(Path::new(&out).join("summary.json").is_file());
}

#[test]
fn stations_and_central_system_that_are_not_ours_agree_with_each_other() {
    let Some(python) = python() else { return };
    let selftest = workspace().join("tests/ocpp/selftest.py");
    let output = Command::new(python).arg(selftest).output().expect("Python runs");
    let (out, err) = said(&output);
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
}

#[test]
fn what_cannot_be_simulated_is_said_in_one_line() {
    let refused = |arguments: &[&str], why: &str| {
        let output = kwartier(&[&["chargers", "simulate"], arguments].concat());
        let (_, told) = said(&output);
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains(why), "{told}");
    };
    let url = "ws://127.0.0.1:9/ocpp";
    refused(&["http://127.0.0.1"], "ws://127.0.0.1:8080/ocpp");
    refused(&[url, "--quirks", "sings"], "refuses-zero");
    refused(&[url, "--faults", "cut=often"], "how often an hour");
    refused(&[url, "--duration", "2d"], "1s to 24h");
    refused(&[url, "--site", "/nowhere.toml"], "name a file that exists");
    refused(&[url, "--ids", ","], "names nobody");
    let folder = Folder::new();
    let key = folder.file("key", "secret\n");
    let meter = ["--meter-to", "http://127.0.0.1:9/v1/sites/a/measurements", "--key-file", &key];
    refused(&[&[url], &meter[..]].concat(), "--meter-to wants --site");
    refused(&[url, "--certificate", &key, "--certificate-key", &key], "--roots");
    refused(&[url, "--roots", &key], "BEGIN CERTIFICATE");
}

#[test]
fn where_nobody_listens_it_says_so() {
    let output =
        kwartier(&["chargers", "simulate", "ws://127.0.0.1:9/ocpp", "--count", "2", "--duration", "3s", "--json"]);
    let summary = json(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{summary}");
    assert_eq!((&summary["connects"], &summary["stations"]), (&Value::from(0), &Value::from(2)));
    assert!(summary["refused"].as_u64().unwrap() >= 2, "{summary}");
    assert!(summary["last_refusal"].as_str().unwrap().contains("refused"), "{summary}");
}

/// A certificate and its key as files, signed by an authority.
fn certificate(folder: &Folder, name: &str, authority: &Issuer<'_, KeyPair>) -> [String; 2] {
    let key = KeyPair::generate().unwrap();
    let mut certificate = CertificateParams::new(vec!["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
    certificate.distinguished_name.push(DnType::CommonName, name);
    let signed = certificate.signed_by(&key, authority).unwrap();
    [folder.file(&format!("{name}.pem"), &signed.pem()), folder.file(&format!("{name}.key"), &key.serialize_pem())]
}

#[test]
fn stations_show_their_certificate_and_their_password() {
    let Some(python) = python() else { return };
    let folder = Folder::new();
    let key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let roots = folder.file("roots.pem", &authority.self_signed(&key).unwrap().pem());
    let authority = Issuer::new(authority, key);
    let [server, server_key] = certificate(&folder, "server", &authority);
    let [station, station_key] = certificate(&folder, "station", &authority);
    let tls = ["--certificate", &server, "--key", &server_key, "--authority", &roots];
    let secret = ["--password", "a-long-password-1", "--until-booted"];
    let central = Central::start(python, 3, &[&tls[..], &secret[..]].concat());
    let url = format!("wss://localhost:{}/ocpp", central.port);
    let passwords = folder.file("passwords", "CP2,a-long-password-1\nCP1,a-long-password-1\nCP3,another\n");
    let own = ["--roots", &roots, "--certificate", &station, "--certificate-key", &station_key];
    let stations = [&url, "--count", "3", "--password-file", &passwords, "--connects", "1000"];

    // One has another password, and is refused.
    let wrong = Fleet::start(&[&stations[..], &own[..], &["--duration", "4s"]].concat());
    let output = wrong.0.wait_with_output().expect("an end");
    let summary = json(&output.stdout);
    assert_eq!((&summary["connects"], &summary["booted"]), (&Value::from(2), &Value::from(2)), "{summary}");
    assert!(summary["last_refusal"].as_str().unwrap().contains("401"), "{summary}");
    // None shows a certificate, and none is let in.
    let without = Fleet::start(&[&stations[..], &["--roots", &roots, "--duration", "2s"]].concat());
    let summary = json(&without.0.wait_with_output().expect("an end").stdout);
    assert_eq!(summary["booted"], 0, "{summary}");
    // All have the right one.
    let all = ["--password", "a-long-password-1", "--count", "3", "--connects", "1000", &url];
    let right = Fleet::start(&[&all[..], &own[..]].concat());
    let verdict = central.verdict();
    let (code, summary) = right.end();
    assert_eq!((code, &verdict["booted"]), (Some(0), &Value::from(3)), "{verdict} {summary}");
}

#[test]
fn nothing_that_goes_wrong_ends_the_stations() {
    let Some(python) = python() else { return };
    let central = Central::start(python, 1000, &["--until-booted"]);
    let url = format!("ws://127.0.0.1:{}/ocpp", central.port);
    let wrong =
        ["--quirks", "any=0.8,malformed=0.3", "--faults", "cut=300,reboot=300", "--boot", "2", "--speed", "100"];
    let arguments = [&[&url, "--count", "30", "--protocol", "mixed", "--duration", "55s"], &wrong[..]].concat();
    let output = Fleet::start(&arguments).0.wait_with_output().expect("an end");
    let summary = json(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{summary}");
    let count = |name: &str| summary[name].as_u64().unwrap_or(0);
    assert!(count("booted") > 30 && count("cuts") > 3 && count("connects") > count("booted"), "{summary}");
    assert!(summary["energy_kwh"].as_f64().unwrap() > 0.0, "{summary}");
    drop(central);
}

#[test]
fn a_scenario_is_played_over_sockets_and_faster() {
    let Some(python) = python() else { return };
    let central = Central::start(python, 24, &[]);
    let url = format!("ws://127.0.0.1:{}/ocpp", central.port);
    let scenario = workspace().join("tests/scenarios/link-cut.toml").display().to_string();
    // It begins at noon; the vans come back in the afternoon, and at six all links are cut: 36 s later.
    let arguments = [&url, "--scenario", &scenario, "--speed", "600", "--duration", "45s", "--protocol", "mixed"];
    let output = Fleet::start(&arguments).0.wait_with_output().expect("an end");
    let summary = json(&output.stdout);
    assert_eq!((&summary["stations"], &summary["booted"]), (&Value::from(24), &Value::from(24)), "{summary}");
    assert_eq!((&summary["cuts"], &summary["connected"]), (&Value::from(24), &Value::from(0)), "{summary}");
    assert!(summary["vehicles"].as_u64().unwrap() > 5 && summary["boards"].as_array().unwrap().len() == 8, "{summary}");
}

#[test]
fn a_charger_that_never_answers_charges_on() {
    let (Some(python), Some(folder)) = (python(), npm::installed("tests/ocpp/black_hole", &["charger.js"])) else {
        return;
    };
    let central = Central::start(python, 1, &[]);
    let simulator = "node_modules/em-ocpp-chargepoint-simulator/build/src/main.js";
    let output = Command::new("node")
        .args([simulator, "charger.js"])
        .current_dir(folder)
        .env("BLACK_HOLE_URL", format!("ws://127.0.0.1:{}/ocpp/HOLE", central.port))
        .env("BLACK_HOLE_SECONDS", "6")
        .output()
        .expect("node runs");
    let (out, err) = said(&output);
    assert!(out.contains("black hole: done"), "{out}{err}");
    let verdict = central.verdict();
    assert_eq!((&verdict["booted"], &verdict["ended"]), (&Value::from(1), &Value::from(1)), "{verdict}");
    assert_eq!((&verdict["said"]["MeterValues"], &verdict["answers"]), (&Value::from(3), &json(b"{}")), "{verdict}");
}

/// Four stations on a board of 20 A that draw more than that together.
const SITE: &str = r#"
format = 1
name = "A small depot"
time_zone = "Europe/Amsterdam"
boards = [{ id = "main", limit_a = 20, building_max_a = 10 }]
meters = [{ id = "M", board = "main" }]
stations = [
    { id = "One", board = "main", rotation = "RST", max_a = 16 },
    { id = "Two & a half", board = "main", rotation = "STR", max_a = 16 },
    { id = "Three", board = "main", rotation = "TRS", max_a = 16 },
    { id = "Vier/Vijf", board = "main", rotation = "RST", max_a = 16 },
]
"#;

/// Takes posts until `enough` have come; their bodies.
fn posts(listener: &TcpListener, enough: usize) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for stream in listener.incoming() {
        let stream = stream.expect("a connection");
        let mut reader = BufReader::new(stream.try_clone().expect("a socket"));
        loop {
            let (mut head, mut length) = (String::new(), 0);
            while !head.ends_with("\r\n\r\n") {
                let from = head.len();
                if reader.read_line(&mut head).expect("a head") == 0 {
                    break;
                }
                let line = head[from..].to_lowercase();
                length = line.strip_prefix("content-length:").map_or(length, |text| text.trim().parse().unwrap());
            }
            if head.is_empty() {
                break;
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).expect("a body");
            all.push((head, json(&body)));
            (&stream).write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").expect("an answer");
            if all.len() == enough {
                return all;
            }
        }
    }
    all
}

#[test]
fn a_sites_meter_is_played_and_its_fuses_are_judged() {
    let Some(python) = python() else { return };
    let folder = Folder::new();
    let site = folder.file("site.toml", SITE);
    let key = folder.file("key", "the-meters-key\n");
    let central = Central::start(python, 4, &[]);
    let url = format!("ws://127.0.0.1:{}/ocpp", central.port);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let meter = format!("http://{}/v1/sites/depot/measurements", listener.local_addr().expect("an address"));
    let to = ["--site", &site, "--meter-to", &meter, "--key-file", &key, "--speed", "100", &url];
    let fleet = Fleet::start(&to);
    let posts = posts(&listener, 30);
    let (code, summary) = fleet.end();
    drop(central);
    let rows = posts.iter().flat_map(|(_, body)| body.as_array().unwrap().clone()).collect::<Vec<_>>();
    assert!(posts[0].0.to_lowercase().contains("authorization: bearer the-meters-key"), "{}", posts[0].0);
    assert!(posts[0].0.starts_with("POST /v1/sites/depot/measurements "), "{}", posts[0].0);
    assert!(rows.iter().all(|row| row["node"] == "main"));
    let most = |name: &str| rows.iter().map(|row| row[name].as_f64().unwrap()).fold(0.0, f64::max);
    // Four stations with eight amperes and more each, whatever the board says: nobody looks after it.
    let worst: Vec<f64> =
        summary["boards"][0]["worst_a"].as_array().unwrap().iter().map(|amps| amps.as_f64().unwrap()).collect();
    for (phase, name) in ["l1_a", "l2_a", "l3_a"].into_iter().enumerate() {
        assert!(most(name) > 21.0 && worst[phase] >= most(name) - 0.06, "{name}: {} {worst:?}", most(name));
    }
    assert_eq!(code, Some(1), "{summary}");
    assert_eq!(summary["broken"][0]["rule"], "overload", "{summary}");
    assert!(summary["latency"]["unanswered"].as_u64().unwrap() + summary["latency"]["count"].as_u64().unwrap() > 0);
}
