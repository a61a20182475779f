//! What every request goes through: an id, a time limit, headers, figures, and a last resort for faults of ours.

use std::any::Any;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument;
use uuid::Uuid;

use super::listen::Link;
use super::problem::{Problem, ProblemKind};

/// How long a request may take until its answer begins.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// The longest id that a client may give its request.
const LONGEST_ID: usize = 64;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What pages of the API's documentation may load: nothing from anywhere else.
const DOCS_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                           connect-src 'self'; frame-ancestors 'none'";

/// What an answer of the API may load when a browser shows it: nothing.
const API_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

/// Gives a request an id and a time limit, its answer the headers that every answer has, and counts both.
pub async fn every(request: Request, next: Next) -> Response {
    let began = Instant::now();
    let id = id_of(&request);
    let method = name(request.method());
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let tls = request.extensions().get::<Link>().is_some_and(|link| link.tls);
    let span = tracing::debug_span!("request", id, method, route);
    let answer = async {
        let answered = tokio::time::timeout(TIME_LIMIT, next.run(request)).await;
        let response = answered.unwrap_or_else(|_| {
            tracing::warn!(route, "a request took too long");
            too_long().into_response()
        });
        tracing::debug!(status = response.status().as_u16(), "answered");
        response
    };
    let mut response = answer.instrument(span).await;
    let status = response.status().as_str().to_owned();
    metrics::counter!("kwartier_http_requests_total", "method" => method, "route" => route.clone(), "status" => status)
        .increment(1);
    metrics::histogram!("kwartier_http_request_seconds", "method" => method, "route" => route.clone())
        .record(began.elapsed().as_secs_f64());
    headers(&mut response, &route, &id, tls);
    response
}

/// The client's own id of a request where it is a plain one, else a new one.
fn id_of(request: &Request) -> String {
    let own = request.headers().get(&REQUEST_ID).and_then(|value| value.to_str().ok());
    let plain = |id: &&str| {
        (1..=LONGEST_ID).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    own.filter(plain).map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

/// A method as a label: few, whatever clients send.
fn name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}

fn headers(response: &mut Response, route: &str, id: &str, tls: bool) {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::try_from(id) {
        headers.insert(REQUEST_ID, id);
    }
    let set = [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
        ("api-version", "1"),
        ("kwartier-version", env!("CARGO_PKG_VERSION")),
    ];
    for (name, value) in set {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if tls {
        let value = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
    let policy = if route.starts_with("/docs") { DOCS_POLICY } else { API_POLICY };
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(policy));
    if route.starts_with("/v1") {
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-cache"));
    }
}

fn too_long() -> Problem {
    Problem::new(
        ProblemKind::TooSlow,
        "the answer did not begin within 30 s; what was changed may have been changed, look before trying again",
    )
}

/// A fault of ours, as it is told: nothing of it.
pub fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    // The panic itself has been written to the log by then.
    metrics::counter!("kwartier_http_panics_total").increment(1);
    Problem::internal().into_response()
}

/// A path that leads nowhere.
pub async fn nowhere(request: Request) -> Problem {
    let detail = format!("there is nothing at {}; /v1/openapi.json lists all there is", request.uri().path());
    Problem::new(ProblemKind::NotFound, detail)
}

/// A method that a path does not have.
pub async fn no_such_method(request: Request) -> Problem {
    let detail = format!("{} has no {}; the header Allow lists what it has", request.uri().path(), request.method());
    Problem::new(ProblemKind::Method, detail)
}
