//! How much a caller may ask for in a minute, and requests that are sent again.
//!
//! A POST with `Idempotency-Key` is answered once: sent again with the same body within a day it gets the same answer and
//! nothing is done twice; with another body it is refused. That it was done is written together with what it changed, the
//! answer right after that: a crash between the two loses the answer and does nothing twice. It is done to its end even
//! when the client has gone meanwhile.

use std::collections::HashSet;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::num::NonZeroU32;
use tracing::Instrument as _;

use super::problem::{Problem, ProblemKind};
use super::tags;
use crate::access::Caller;
use crate::access::caller::Once;
use crate::access::token::hex;
use crate::service::Service;

/// How long an answer is remembered.
const REMEMBERED: TimeDelta = TimeDelta::hours(24);

/// The longest idempotency key.
const LONGEST_KEY: usize = 255;

/// The largest request that can be sent with an idempotency key, and the largest answer that is remembered.
const LARGEST: usize = 64 << 20;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Headers of an answer that are remembered with it.
const HEADERS: [HeaderName; 3] = [header::CONTENT_TYPE, header::LOCATION, header::ETAG];

/// What limits and replays need.
#[derive(Clone)]
pub struct Limits {
    service: Service,
    rate: Arc<DefaultKeyedRateLimiter<String>>,
    under_way: Arc<Mutex<HashSet<String>>>,
}

/// An answer that is remembered.
#[derive(Debug, Serialize, Deserialize)]
struct Remembered {
    status: u16,
    headers: Vec<(String, String)>,
    /// In base64; absent, it held a secret that is kept nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<String>,
}

impl Limits {
    /// As the configuration says.
    pub fn new(service: Service) -> Limits {
        let a_minute = NonZeroU32::new(service.config.limits.requests_per_minute).unwrap_or(NonZeroU32::MIN);
        let rate = Arc::new(DefaultKeyedRateLimiter::keyed(Quota::per_minute(a_minute)));
        Limits { service, rate, under_way: Arc::default() }
    }

    fn admit(&self, who: &String) -> Result<(), Problem> {
        self.rate.check_key(who).map_err(|not_until| {
            let wait = not_until.wait_time_from(DefaultClock::default().now());
            let a_minute = self.service.config.limits.requests_per_minute;
            let detail =
                format!("this key may send {a_minute} requests a minute; wait, or send several things in one request");
            Problem::too_many(detail, wait.as_secs() + 1)
        })
    }
}

/// Lets a request through when its caller has not asked for too much, and answers it from memory when it was sent before.
pub async fn limits(State(limits): State<Limits>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    // Whoever is not known is told so by the route; open routes are for all.
    let Ok(caller) = Caller::from_request_parts(&mut parts, &limits.service).await else {
        return next.run(Request::from_parts(parts, body)).await;
    };
    if let Err(problem) = limits.admit(&caller.who.name()) {
        return problem.into_response();
    }
    let once_wanted = parts.method == Method::POST && !tags::is_posted_at(parts.uri.path());
    let key = parts.headers.get(&IDEMPOTENCY_KEY).filter(|_| once_wanted).cloned();
    let request = Request::from_parts(parts, body);
    let Some(key) = key else { return next.run(request).await };
    let done =
        async move { once(&limits, &caller, &key, request, next).await.unwrap_or_else(IntoResponse::into_response) };
    // By itself: a client that has gone sends it again, and must find it done or not done.
    match tokio::spawn(done.in_current_span()).await {
        Ok(response) => response,
        Err(fault) => match fault.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Problem::internal().into_response(),
        },
    }
}

async fn once(
    limits: &Limits,
    caller: &Caller,
    key: &HeaderValue,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let key = key.to_str().ok().filter(|key| (1..=LONGEST_KEY).contains(&key.len()));
    let key = key.ok_or_else(|| {
        let detail = format!("Idempotency-Key: is not 1 to {LONGEST_KEY} plain characters; send a UUID");
        Problem::new(ProblemKind::Header, detail)
    })?;
    let name = format!("{}/{key}", caller.who.name());
    let (mut parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, LARGEST).await else {
        let detail = "a request with an idempotency key is at most 64 MiB";
        return Err(Problem::new(ProblemKind::TooLarge, detail));
    };
    let mut hash = Sha256::new();
    hash.update(format!("{} {}\n", parts.method, parts.uri));
    hash.update(&bytes);
    let hash = hex(&hash.finalize());
    let _turn = Turn::take(limits, &name)?;
    let store = &limits.service.store;
    if let Some((before, answer)) = store.recall(&name, caller.at).await? {
        if before != hash {
            let detail = "Idempotency-Key: was used for another request; send a new key with every new request";
            return Err(Problem::new(ProblemKind::KeyReused, detail));
        }
        return replay(answer);
    }
    let once = Once { name, request: hash, until: caller.at + REMEMBERED, noted: Arc::default() };
    parts.extensions.insert(once.clone());
    let response = next.run(Request::from_parts(parts, Body::from(bytes))).await;
    if response.status().is_server_error() || response.status() == StatusCode::TOO_MANY_REQUESTS {
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, LARGEST).await.map_err(|_| Problem::internal())?;
    let text = |name: &HeaderName| Some((name.to_string(), parts.headers.get(name)?.to_str().ok()?.to_owned()));
    let remembered = Remembered {
        status: parts.status.as_u16(),
        headers: HEADERS.iter().filter_map(text).collect(),
        body: (!holds_secret(&parts.headers)).then(|| STANDARD.encode(&bytes)),
    };
    let answer = serde_json::to_value(&remembered).map_err(|_| Problem::internal())?;
    if let Err(why) = store.write(caller.at, vec![once.remember(Some(answer))]).await {
        tracing::warn!(%why, "an answer cannot be remembered");
    }
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

/// Whether an answer holds what nobody may keep.
fn holds_secret(headers: &HeaderMap) -> bool {
    headers.get(header::CACHE_CONTROL).is_some_and(|value| value == "no-store")
}

fn replay(answer: Option<serde_json::Value>) -> Result<Response, Problem> {
    let Some(answer) = answer else {
        let detail =
            "the request was done, and the service stopped before its answer was written down; look at what is there";
        return Err(Problem::new(ProblemKind::ShownOnce, detail));
    };
    let remembered: Remembered = serde_json::from_value(answer).map_err(|_| Problem::internal())?;
    let Some(body) = remembered.body else {
        let detail = "the request was done, and its answer held a secret that is shown once; delete what was made, and make another";
        return Err(Problem::new(ProblemKind::ShownOnce, detail));
    };
    let body = STANDARD.decode(&body).map_err(|_| Problem::internal())?;
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(remembered.status).map_err(|_| Problem::internal())?;
    for (name, value) in &remembered.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
    Ok(response)
}

/// The turn of a key: the same key twice at the same time would be done twice.
struct Turn<'a> {
    limits: &'a Limits,
    name: String,
}

impl Turn<'_> {
    fn take<'a>(limits: &'a Limits, name: &str) -> Result<Turn<'a>, Problem> {
        if limits.under_way.lock().insert(name.to_owned()) {
            return Ok(Turn { limits, name: name.to_owned() });
        }
        let detail =
            "a request with this Idempotency-Key is under way; wait for its answer, or send it again in a second";
        let problem = Problem::new(ProblemKind::UnderWay, detail);
        Err(Problem { retry_after_s: Some(1), ..problem })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.limits.under_way.lock().remove(&self.name);
    }
}
