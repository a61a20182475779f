//! How much at once, requests that are sent again, faults of ours, what is told of the service's health.

use axum::Router;
use axum::http::StatusCode;
use serde_json::json;

use super::bench::{Bench, request};
use crate::http::layers;

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn a_request_that_is_sent_again_is_done_once() {
    let bench = Bench::with_depot().await;
    let path = "/v1/sites/depot/sessions";
    let send = async |key: &str, body: &str| {
        bench.send("POST", path, &[JSON, ("idempotency-key", key)], body.to_owned()).await
    };
    let body = r#"{"charger":"Station 1"}"#;
    let first = send("once", body).await.expect(StatusCode::CREATED);
    let again = send("once", body).await.expect(StatusCode::CREATED);
    assert_eq!(
        (&first.text, first.header("location"), first.header("etag")),
        (&again.text, again.header("location"), again.header("etag"))
    );
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(bench.get(path).await.json()["items"].as_array().map(Vec::len), Some(1));
    send("once", r#"{"charger":"Station 2"}"#).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    // What was refused is remembered too: the same request gets the same answer.
    send("wrong", "{}").await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    let again = send("wrong", "{}").await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(again.header("idempotency-replayed"), "true");
    // A key is its caller's own.
    let other = bench.key_of("main", "operator").await;
    let body = r#"{"charger":"Station 3"}"#;
    let other = bench.send_as(Some(&other), "POST", path, &[JSON, ("idempotency-key", "once")], body).await;
    other.expect(StatusCode::CREATED);
}

#[tokio::test]
async fn two_of_the_same_at_once_are_done_once() {
    let bench = Bench::with_depot().await;
    let headers = [JSON, ("idempotency-key", "race")];
    let send = || bench.send("POST", "/v1/sites/depot/sessions", &headers, r#"{"charger":"Station 1"}"#);
    let answers = tokio::join!(send(), send(), send());
    for answer in [answers.0, answers.1, answers.2] {
        assert!(matches!(answer.status, 201 | 409), "{}", answer.text);
    }
    assert_eq!(bench.get("/v1/sites/depot/sessions").await.json()["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_secret_is_not_remembered() {
    let bench = Bench::new().await;
    let headers = [JSON, ("idempotency-key", "k")];
    let body = json!({ "url": "https://example.org/hook", "events": ["alarm"] }).to_string();
    let made = bench.send("POST", "/v1/webhooks", &headers, body.clone()).await.expect(StatusCode::CREATED);
    assert!(made.json()["secret"].as_str().is_some_and(|secret| secret.starts_with("whsec_")));
    bench.send("POST", "/v1/webhooks", &headers, body).await.expect(StatusCode::CONFLICT);
    let listed = bench.get("/v1/webhooks").await.expect(StatusCode::OK);
    assert_eq!(listed.json()["items"].as_array().map(Vec::len), Some(1));
    assert!(!listed.text.contains("whsec_"), "{}", listed.text);
}

#[tokio::test]
async fn who_asks_too_much_is_told_when_to_come_back() {
    let bench = Bench::with(|config| config.limits.requests_per_minute = 60).await;
    let mut refused = None;
    for _ in 0..70 {
        let answer = bench.get("/v1/sites").await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("a refusal").expect(StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds >= 1));
    assert_eq!(refused.header("content-type"), "application/problem+json");
    // Others are not concerned, and health is for all.
    bench.send_as(None, "GET", "/readyz", &[], "").await.expect(StatusCode::OK);
}

#[tokio::test]
async fn a_fault_of_ours_is_a_problem_without_its_reason() {
    async fn boom() -> &'static str {
        panic!("the secret reason")
    }
    let pages: Router<crate::service::Service> = Router::new().route("/boom", axum::routing::get(boom));
    let bench = Bench::new().await;
    let router = crate::http::router(bench.service.clone(), pages);
    let response = tower::ServiceExt::oneshot(router, request(None, "GET", "/boom", &[], "")).await.expect("an answer");
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let body = axum::body::to_bytes(response.into_body(), 10_000).await.expect("a body");
    assert!(!String::from_utf8_lossy(&body).contains("secret reason"));
    assert_eq!(layers::panicked(Box::new("x")).status(), StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn requests_have_an_id_and_answers_the_headers_that_keep_browsers_safe() {
    let bench = Bench::new().await;
    let answer = bench.send("GET", "/v1/sites", &[("x-request-id", "mine-1")], "").await;
    assert_eq!(answer.header("x-request-id"), "mine-1");
    let answer = bench.send("GET", "/v1/sites", &[("x-request-id", "not plain\"")], "").await;
    assert!(uuid::Uuid::parse_str(answer.header("x-request-id")).is_ok());
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert!(answer.header("content-security-policy").contains("default-src 'none'"));
    assert_eq!(answer.header("cache-control"), "private, no-cache");
}

#[tokio::test]
async fn large_answers_are_compressed_for_who_takes_that() {
    let bench = Bench::with_depot().await;
    let answer = bench.send("GET", "/v1/sites/depot", &[("accept-encoding", "gzip")], "").await.expect(StatusCode::OK);
    assert_eq!(answer.header("content-encoding"), "gzip");
}

#[tokio::test]
async fn health_docs_and_figures_are_open_and_name_nobody() {
    let bench = Bench::with_depot().await;
    bench.publish("depot", 1..=1);
    for path in ["/healthz", "/readyz", "/metrics", "/v1/openapi.json", "/docs/"] {
        let answer = bench.send_as(None, "GET", path, &[], "").await.expect(StatusCode::OK);
        assert!(!answer.text.contains("Voorbeelddepot"), "{path}");
    }
    let ready = bench.send_as(None, "GET", "/readyz", &[], "").await.json();
    assert_eq!(
        (&ready["ready"], &ready["sites"], &ready["wrong"][0]["with"]),
        (&json!(true), &json!(1), &json!("plans"))
    );
    let figures = bench.send_as(None, "GET", "/metrics", &[], "").await.text;
    assert!(figures.contains("kwartier_http_requests_total{"), "{figures}");
    assert!(figures.contains("route=\"/v1/sites/{site}\""), "routes are counted by their pattern: {figures}");
}
