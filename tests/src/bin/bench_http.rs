//! `make bench-http`: a service with many sites of ten chargers each, all steered each second, and how many of the common
//! calls it answers in a second, and how long they take.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a measurement by hand: it prints, and stops where it cannot go on"
)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chrono::{SecondsFormat, Utc};
use reqwest::{Client, Method};
use serde_json::{Value, json};

/// How long each call is measured.
const LONG: Duration = Duration::from_secs(10);

/// How many requests are under way at once.
const AT_ONCE: usize = 16;

/// A service that runs; it ends when this is dropped.
struct Service {
    child: Child,
    url: String,
    key: String,
    client: Client,
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A call that is measured.
struct Call {
    name: &'static str,
    method: Method,
    path: fn(usize) -> String,
    body: fn(usize) -> Option<Value>,
}

#[tokio::main]
async fn main() {
    rustls::crypto::ring::default_provider().install_default().expect("the first to install one");
    let mut arguments = std::env::args().skip(1);
    let binary = arguments.next().expect("the binary of kwartier");
    let sites: usize = arguments.next().and_then(|count| count.parse().ok()).unwrap_or(1000);
    let folder = std::env::temp_dir().join(format!("kwartier-bench-http-{}", std::process::id()));
    let service = Arc::new(Service::start(&binary, &folder.display().to_string()).await);
    let began = Instant::now();
    for k in 0..sites {
        service.ask(Method::PUT, &format!("/v1/sites/s{k}"), Some(site(k))).await.expect("a site");
    }
    println!("{sites} sites of 10 chargers put in {:.1} s", began.elapsed().as_secs_f64());
    println!("{AT_ONCE} requests at once, {} s each call\n", LONG.as_secs());
    println!("{:<34} {:>10} {:>9} {:>9} {:>9} {:>7}", "call", "requests/s", "p50 ms", "p99 ms", "most ms", "wrong");
    for call in &calls() {
        measure(&service, call, sites).await;
    }
    drop(service);
    // What is left of it is small, and the system's to clear.
    let _ = std::fs::remove_dir_all(folder);
}

fn calls() -> [Call; 7] {
    let none = |_: usize| None;
    [
        Call { name: "GET status", method: Method::GET, path: |k| format!("/v1/sites/s{k}/status"), body: none },
        Call { name: "GET setpoints", method: Method::GET, path: |k| format!("/v1/sites/s{k}/setpoints"), body: none },
        Call { name: "GET site", method: Method::GET, path: |k| format!("/v1/sites/s{k}"), body: none },
        Call {
            name: "POST measurements (1 row)",
            method: Method::POST,
            path: |k| format!("/v1/sites/s{k}/measurements"),
            body: |_| Some(json!([{ "at": now(), "node": "HV", "l1_a": 20.0, "l2_a": 21.0, "l3_a": 22.0 }])),
        },
        Call {
            name: "POST report of a charger",
            method: Method::POST,
            path: |k| format!("/v1/sites/s{k}/chargers/C1/reports"),
            body: |_| Some(json!({ "at": now(), "l1_a": 0.0, "l2_a": 0.0, "l3_a": 0.0 })),
        },
        Call {
            name: "PUT prices (24 intervals)",
            method: Method::PUT,
            path: |k| format!("/v1/sites/s{k}/prices"),
            body: |_| Some(prices()),
        },
        Call { name: "GET sites (page of 100)", method: Method::GET, path: |_| "/v1/sites".to_owned(), body: none },
    ]
}

async fn measure(service: &Arc<Service>, call: &Call, sites: usize) {
    let next = Arc::new(AtomicUsize::new(0));
    let until = Instant::now() + LONG;
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..AT_ONCE {
        let (service, next) = (Arc::clone(service), Arc::clone(&next));
        let (method, path, body) = (call.method.clone(), call.path, call.body);
        clients.spawn(async move {
            let mut took_ms = Vec::new();
            let mut wrong = 0_usize;
            while Instant::now() < until {
                let k = next.fetch_add(1, Ordering::Relaxed) % sites;
                let began = Instant::now();
                wrong += usize::from(service.ask(method.clone(), &path(k), body(k)).await.is_err());
                took_ms.push(began.elapsed().as_secs_f64() * 1000.0);
            }
            (took_ms, wrong)
        });
    }
    let (mut took_ms, mut wrong) = (Vec::new(), 0);
    while let Some(done) = clients.join_next().await {
        let (took, missed) = done.expect("a client");
        took_ms.extend(took);
        wrong += missed;
    }
    took_ms.sort_by(f64::total_cmp);
    let quantile = |share: f64| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
        let at = (share * took_ms.len() as f64) as usize;
        took_ms.get(at.min(took_ms.len().saturating_sub(1))).copied().unwrap_or(0.0)
    };
    let a_second = took_ms.len() as f64 / LONG.as_secs_f64();
    let (half, most) = (quantile(0.5), quantile(1.0));
    println!("{:<34} {a_second:>10.0} {half:>9.1} {:>9.1} {most:>9.1} {wrong:>7}", call.name, quantile(0.99));
}

impl Service {
    /// Starts it in a folder, makes the first admin and a key.
    async fn start(binary: &str, folder: &str) -> Service {
        let mut child = Command::new(binary)
            .args(["serve", "--data", folder, "--listen", "127.0.0.1:0"])
            .env("KWARTIER_LIMITS_REQUESTS_PER_MINUTE", "10000000")
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let mut logs = BufReader::new(child.stderr.take().expect("logs"));
        let link = loop {
            let mut line = String::new();
            assert!(logs.read_line(&mut line).expect("logs") > 0, "it ended");
            if let Some(at) = line.find("http://").filter(|_| line.contains("#setup=")) {
                break line[at..].trim().to_owned();
            }
        };
        // Its logs are read on, so that it is not held up.
        std::thread::spawn(move || logs.lines().for_each(drop));
        let (url, token) = link.split_once("/#setup=").expect("a link");
        let client = Client::builder().no_proxy().build().expect("a client");
        let mut service = Service { child, url: url.to_owned(), key: String::new(), client };
        let first = json!({ "token": token, "email": "bench@example.org", "name": "Bench",
            "password": "correct horse battery", "carry": "bearer" });
        let login = service.ask(Method::POST, "/v1/setup", Some(first)).await.expect("a login");
        login["ticket"].as_str().expect("a ticket").clone_into(&mut service.key);
        let key = json!({ "name": "bench", "scopes": [{ "role": "admin", "tenant": "main" }] });
        let made = service.ask(Method::POST, "/v1/keys", Some(key)).await.expect("a key");
        made["key"].as_str().expect("a key").clone_into(&mut service.key);
        service
    }

    /// Asks something; `Err`, what went wrong.
    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, String> {
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        if !self.key.is_empty() {
            request = request.bearer_auth(&self.key);
        }
        if let Some(body) = &body {
            request = request.json(body);
        }
        let answer = request.send().await.map_err(|why| why.to_string())?;
        let status = answer.status();
        let text = answer.text().await.map_err(|why| why.to_string())?;
        if status.is_success() { Ok(serde_json::from_str(&text).unwrap_or_default()) } else { Err(text) }
    }
}

fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn prices() -> Value {
    let day = Utc::now().date_naive();
    let hour = |hour: u32| json!({ "start": format!("{day}T{hour:02}:00:00Z"), "minutes": 60, "import_eur_kwh": 0.2 });
    json!((0..24).map(hour).collect::<Vec<_>>())
}

fn site(k: usize) -> Value {
    let station = |n: usize| {
        let rotation = ["RST", "STR", "TRS"][n % 3];
        json!({ "id": format!("C{n}"), "board": "HV", "rotation": rotation, "max_a": 16, "fallback_a": 6 })
    };
    json!({
        "format": 1, "name": format!("Bench {k}"), "time_zone": "Europe/Amsterdam",
        "boards": [{ "id": "HV", "limit_a": 160, "building_max_a": 60 }],
        "meters": [{ "id": "M", "board": "HV" }],
        "stations": (0..10).map(station).collect::<Vec<_>>(),
    })
}
