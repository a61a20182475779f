//! A service to try things on.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use chrono::Utc;
use parking_lot::{Mutex, RwLock};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::{broadcast, mpsc};
use tower::ServiceExt as _;

use crate::access::{self, Gate};
use crate::app::handle::{Board, Published};
use crate::app::{Event, Handle};
use crate::config::{Arguments, Config, load};
use crate::http::router;
use crate::http::turns::Turns;
use crate::ocpp::Hub;
use crate::resource::setpoint::{Setpoint, Trace};
use crate::resource::status::{ChargerStatus, NodeStatus, SiteStatus, Steering};
use crate::service::Service;
use crate::store;

/// The site file of the guide's depot.
pub const SITE: &str = include_str!("../../../../data/samples/depot-site.toml");

/// How many events the listening loop takes before it is full.
const QUEUE: usize = 64;

/// A service to try things on.
pub struct Bench {
    /// All routes.
    pub router: Router,
    /// What is behind them.
    pub service: Service,
    /// A key that may do everything.
    pub key: String,
    /// What the loop publishes.
    pub board: Board,
    /// What the loop was told.
    pub heard: Arc<Mutex<Vec<Event>>>,
    _folder: TempDir,
}

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub text: String,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|why| panic!("{why}: {}", self.text))
    }

    /// The answer itself, when it has that status.
    #[track_caller]
    pub fn expect(self, status: StatusCode) -> Answer {
        assert_eq!(self.status, status.as_u16(), "{}", self.text);
        self
    }

    /// A header.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Bench {
    /// A service with nothing in it; its loop listens.
    pub async fn new() -> Bench {
        Bench::with(|_| {}).await
    }

    /// The same, set up otherwise.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Bench {
        let (bench, mut events) = Bench::without_loop(change).await;
        let heard = Arc::clone(&bench.heard);
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                heard.lock().push(event);
            }
        });
        bench
    }

    /// A service whose loop does not listen yet.
    pub async fn without_loop(change: impl FnOnce(&mut Config)) -> (Bench, mpsc::Receiver<Event>) {
        let folder = tempfile::tempdir().expect("a folder");
        let arguments = Arguments { data: Some(folder.path().to_owned()), ..Arguments::default() };
        let mut config = load(&arguments, []).expect("a configuration").config;
        config.limits.requests_per_minute = 10_000_000;
        change(&mut config);
        let store = store::open(&folder.path().display().to_string()).await.expect("a store");
        let (tell, events) = mpsc::channel(QUEUE);
        let board: Board = Arc::new(RwLock::new(HashMap::new()));
        let app = Handle::new(tell, Arc::clone(&board));
        let gate = Arc::new(Gate::new(&config));
        let (tag_key, authority) = (crate::ocpp::TagKey::at(&config.data), crate::ocpp::Authority::at(&config.data));
        let service = Service {
            store,
            app,
            config: Arc::new(config),
            gate,
            turns: Turns::default(),
            hub: Hub::default(),
            guests: Arc::default(),
            tag_key,
            authority,
            feeds: crate::fetch::Board::default(),
            used: crate::fetch::Used::default(),
        };
        let (file, _) = access::first::demo(&service, Utc::now()).await.expect("a key");
        let key = std::fs::read_to_string(file).expect("a key").trim().to_owned();
        let router = router(service.clone(), Router::new());
        let heard = Arc::default();
        (Bench { router, service, key, board, heard, _folder: folder }, events)
    }

    /// A service with the guide's depot as the site `depot`.
    pub async fn with_depot() -> Bench {
        let bench = Bench::new().await;
        bench.put_depot().await;
        bench
    }

    /// Puts the guide's depot as the site `depot`.
    pub async fn put_depot(&self) {
        let put = self.send("PUT", "/v1/sites/depot", &[("content-type", "application/toml")], SITE).await;
        put.expect(StatusCode::CREATED);
    }

    /// Sends something with the key that may do everything.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        self.send_as(Some(&self.key), method, path, headers, body).await
    }

    /// Sends JSON with the key that may do everything.
    pub async fn json(&self, method: &str, path: &str, body: Value) -> Answer {
        self.send(method, path, &[("content-type", "application/json")], body.to_string()).await
    }

    /// Reads with the key that may do everything.
    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], Body::empty()).await
    }

    /// Sends something.
    pub async fn send_as(
        &self,
        key: Option<&str>,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let response = self.router.clone().oneshot(request(key, method, path, headers, body)).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.expect("a body");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Answer { status: parts.status.as_u16(), headers: parts.headers, text }
    }

    /// A key of a tenant in a role at it.
    pub async fn key_of(&self, tenant: &str, role: &str) -> String {
        let body = json!({ "name": role, "tenant": tenant, "scopes": [{ "role": role, "tenant": tenant }] });
        let made = self.json("POST", "/v1/keys", body).await.expect(StatusCode::CREATED);
        made.json()["key"].as_str().expect("a key").to_owned()
    }

    /// A tenant below the top one.
    pub async fn tenant(&self, id: &str) {
        self.json("POST", "/v1/tenants", json!({ "id": id, "name": id })).await.expect(StatusCode::CREATED);
    }

    /// Has the loop publish a site with one board and one charger.
    pub fn publish(&self, site: &str, numbers: std::ops::RangeInclusive<u64>) {
        let recent: VecDeque<Setpoint> = numbers.map(setpoint).collect();
        let charger = ChargerStatus {
            id: "Station 1".to_owned(),
            node: "HV".to_owned(),
            online: true,
            drawn_a: None,
            setpoint: recent.back().cloned(),
            session: None,
        };
        let node = NodeStatus {
            id: "HV".to_owned(),
            parent: None,
            limit_a: [250.0; 3],
            measured_a: None,
            drawn_a: [0.0; 3],
            counted_a: [0.0; 3],
            meter_believed: Some(true),
        };
        let status = SiteStatus {
            site: site.to_owned(),
            name: site.to_owned(),
            at: Utc::now(),
            setup: 1,
            nodes: vec![node],
            chargers: vec![charger],
            plan: None,
            steering: Steering::Share,
            alarms: Vec::new(),
        };
        let (setpoints, changed) = (broadcast::channel(64).0, broadcast::channel(64).0);
        self.board.write().insert(site.to_owned(), Published { status: Arc::new(status), recent, setpoints, changed });
    }

    /// Has the loop give out a setpoint.
    pub fn give_out(&self, site: &str, number: u64) {
        let mut board = self.board.write();
        let published = board.get_mut(site).expect("a site");
        published.recent.push_back(setpoint(number));
        // Nobody may follow.
        let _ = published.setpoints.send(setpoint(number));
    }

    /// The names of what the loop was told, when it was told so many.
    pub async fn told(&self, count: usize) -> Vec<String> {
        let told = async {
            loop {
                let heard: Vec<String> = self.heard.lock().iter().map(name).collect();
                if heard.len() >= count {
                    return heard;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), told).await.expect("the loop is told")
    }
}

/// A request.
pub fn request(
    key: Option<&str>,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path).body(body.into()).expect("a request");
    if let Some(key) = key {
        let value = HeaderValue::try_from(format!("Bearer {key}")).expect("a key");
        request.headers_mut().insert("authorization", value);
    }
    for (name, value) in headers {
        let name = HeaderName::try_from(*name).expect("a name");
        request.headers_mut().insert(name, HeaderValue::try_from(*value).expect("a value"));
    }
    request
}

fn setpoint(number: u64) -> Setpoint {
    Setpoint {
        number,
        charger: "Station 1".to_owned(),
        limit_a: 16.0,
        phases: 3,
        phase: None,
        limit_w: 11_040.0,
        at: Utc::now(),
        valid_until: Utc::now(),
        then_a: Some(6.0),
        trace: Trace { why: "spare".to_owned(), plan: None, taken: None, confirmed: None },
    }
}

fn name(event: &Event) -> String {
    let text = format!("{event:?}");
    text.split([' ', '{', '(']).next().unwrap_or_default().to_owned()
}
