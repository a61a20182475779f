//! Who may not do what: every route, asked without a key, with another tenant's key, and in a role that is too small. A
//! route that is missing here fails the test; what holds stands in `docs/isolation.md`.

use std::fmt::Write as _;

use axum::http::StatusCode;
use serde_json::json;

use super::bench::{Bench, SITE};
use super::golden::operations;

/// The table in the repository.
const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/isolation.md");

/// A route, and what is answered to whom.
struct Row {
    method: &'static str,
    path: &'static str,
    /// To an admin of another tenant.
    other: u16,
    /// To the largest role that may not; `-` where every role may.
    small: (&'static str, u16),
    body: &'static str,
}

const fn row(
    method: &'static str,
    path: &'static str,
    other: u16,
    small: (&'static str, u16),
    body: &'static str,
) -> Row {
    Row { method, path, other, small, body }
}

/// Every role may.
const ALL: (&str, u16) = ("-", 0);
/// A viewer may not.
const VIEWER: (&str, u16) = ("viewer", 403);
/// An operator may not.
const OPERATOR: (&str, u16) = ("operator", 403);

/// A body that is right where it is allowed.
const TOML: &str = SITE;

/// Routes of sites and of what belongs to tenants.
const ROWS: &[Row] = &[
    row("GET", "/v1/sites", 200, ALL, ""),
    row("GET", "/v1/sites/{site}", 404, ALL, ""),
    // A name is given once in the whole service: 409 says that it is taken, and no more.
    row("PUT", "/v1/sites/{site}", 409, OPERATOR, TOML),
    row("DELETE", "/v1/sites/{site}", 404, OPERATOR, ""),
    row("POST", "/v1/sites/{site}/import", 409, OPERATOR, ""),
    row("GET", "/v1/sites/{site}/export", 404, ALL, ""),
    row("GET", "/v1/sites/{site}/versions", 404, ALL, ""),
    row("GET", "/v1/sites/{site}/versions/{version}", 404, ALL, ""),
    row("GET", "/v1/sites/{site}/nodes", 404, ALL, ""),
    row("GET", "/v1/sites/{site}/topology", 404, ALL, ""),
    row("GET", "/v1/sites/{site}/chargers", 404, ALL, ""),
    row("GET", "/v1/sites/{site}/chargers/{charger}", 404, ALL, ""),
    row("PUT", "/v1/sites/{site}/chargers/{charger}", 404, OPERATOR, r#"{"node":"HV","phase_map":"RST","max_a":16}"#),
    row("DELETE", "/v1/sites/{site}/chargers/{charger}", 404, OPERATOR, ""),
    row("POST", "/v1/sites/{site}/chargers/{charger}/reports", 404, VIEWER, r#"{"at":"2026-01-01T00:00:00Z"}"#),
    row("POST", "/v1/sites/{site}/chargers/{charger}/commands", 404, VIEWER, r#"{"command":"reset"}"#),
    row("GET", "/v1/sites/{site}/vehicles", 404, ALL, ""),
    row("GET", "/v1/sites/{site}/vehicles/{vehicle}", 404, ALL, ""),
    row("PUT", "/v1/sites/{site}/vehicles/{vehicle}", 404, VIEWER, "{}"),
    row("DELETE", "/v1/sites/{site}/vehicles/{vehicle}", 404, VIEWER, ""),
    row("GET", "/v1/sites/{site}/rosters", 404, ALL, ""),
    row("GET", "/v1/sites/{site}/rosters/{roster}", 404, ALL, ""),
    row("PUT", "/v1/sites/{site}/rosters/{roster}", 404, VIEWER, "[]"),
    row("DELETE", "/v1/sites/{site}/rosters/{roster}", 404, VIEWER, ""),
    row("GET", "/v1/sites/{site}/sessions", 404, ALL, ""),
    row("POST", "/v1/sites/{site}/sessions", 404, VIEWER, r#"{"charger":"Station 1"}"#),
    row("GET", "/v1/sites/{site}/sessions/{session}", 404, ALL, ""),
    row("PATCH", "/v1/sites/{site}/sessions/{session}", 404, VIEWER, "{}"),
    row("DELETE", "/v1/sites/{site}/sessions/{session}", 404, VIEWER, ""),
    row("GET", "/v1/sites/{site}/tags", 404, VIEWER, ""),
    row("POST", "/v1/sites/{site}/tags", 404, VIEWER, r#"{"tag":"04A2B3C4"}"#),
    row("POST", "/v1/sites/{site}/tags/import", 404, VIEWER, ""),
    row("GET", "/v1/sites/{site}/tags/{tag}", 404, VIEWER, ""),
    row("PUT", "/v1/sites/{site}/tags/{tag}", 404, VIEWER, "{}"),
    row("DELETE", "/v1/sites/{site}/tags/{tag}", 404, VIEWER, ""),
    row("GET", "/v1/sites/{site}/authorisation", 404, ALL, ""),
    row("PUT", "/v1/sites/{site}/authorisation", 404, VIEWER, "{}"),
    row("GET", "/v1/sites/{site}/prices", 404, ALL, ""),
    row("PUT", "/v1/sites/{site}/prices", 404, VIEWER, "[]"),
    row("GET", "/v1/sites/{site}/tariff", 404, ALL, ""),
    row("PUT", "/v1/sites/{site}/tariff", 404, VIEWER, "{}"),
    row("DELETE", "/v1/sites/{site}/tariff", 404, VIEWER, ""),
    row("GET", "/v1/sites/{site}/tariff/price", 404, ALL, ""),
    row("POST", "/v1/sites/{site}/tariff/import", 404, VIEWER, ""),
    row("GET", "/v1/tariffs/presets", 200, ALL, ""),
    row("GET", "/v1/sites/{site}/feeds", 404, ALL, ""),
    row("GET", "/v1/sites/{site}/carbon", 404, ALL, ""),
    row("PUT", "/v1/sites/{site}/carbon", 404, VIEWER, "[]"),
    row("GET", "/v1/sites/{site}/calendar", 404, ALL, ""),
    row("GET", "/v1/sites/{site}/signals", 404, ALL, ""),
    row("POST", "/v1/sites/{site}/signals", 404, VIEWER, r#"{"limit_kw":10,"from":"2026-01-01T00:00:00Z"}"#),
    row("GET", "/v1/sites/{site}/signals/{signal}", 404, ALL, ""),
    row("DELETE", "/v1/sites/{site}/signals/{signal}", 404, VIEWER, ""),
    row("GET", "/v1/sites/{site}/measurements", 404, VIEWER, ""),
    row("POST", "/v1/sites/{site}/measurements", 404, VIEWER, "[]"),
    row("GET", "/v1/sites/{site}/forecasts/{of}", 404, VIEWER, ""),
    row("PUT", "/v1/sites/{site}/forecasts/{of}", 404, VIEWER, "[]"),
    row("DELETE", "/v1/sites/{site}/forecasts/{of}", 404, VIEWER, ""),
    row("GET", "/v1/sites/{site}/weather", 404, VIEWER, ""),
    row("PUT", "/v1/sites/{site}/weather", 404, VIEWER, "[]"),
    row("DELETE", "/v1/sites/{site}/weather", 404, VIEWER, ""),
    row("GET", "/v1/sites/{site}/plan", 404, ALL, ""),
    row("POST", "/v1/sites/{site}/plan", 404, VIEWER, ""),
    row("GET", "/v1/sites/{site}/plans", 404, VIEWER, ""),
    row("GET", "/v1/sites/{site}/plans/{plan}", 404, VIEWER, ""),
    row("GET", "/v1/sites/{site}/setpoints", 404, ALL, ""),
    row("GET", "/v1/sites/{site}/status", 404, ALL, ""),
    row("GET", "/v1/sites/{site}/alarms", 404, VIEWER, ""),
    row("GET", "/v1/sites/{site}/grants", 404, VIEWER, ""),
    row(
        "POST",
        "/v1/sites/{site}/grants",
        404,
        VIEWER,
        r#"{"tenant":"b","role":"viewer","until":"2036-01-01T00:00:00Z"}"#,
    ),
    row("DELETE", "/v1/sites/{site}/grants/{grant}", 404, VIEWER, ""),
    row("POST", "/v1/plans", 422, VIEWER, "{}"),
    row("GET", "/v1/jobs", 200, VIEWER, ""),
    row("GET", "/v1/jobs/{job}", 404, VIEWER, ""),
    row("DELETE", "/v1/jobs/{job}", 404, VIEWER, ""),
    row("GET", "/v1/webhooks", 200, VIEWER, ""),
    row("POST", "/v1/webhooks", 422, VIEWER, r#"{"url":"https://example.org/","events":[]}"#),
    row("GET", "/v1/webhooks/{webhook}", 404, VIEWER, ""),
    row("PUT", "/v1/webhooks/{webhook}", 404, VIEWER, r#"{"url":"https://example.org/","events":["alarm"]}"#),
    row("DELETE", "/v1/webhooks/{webhook}", 404, VIEWER, ""),
    row("GET", "/v1/webhooks/{webhook}/deliveries", 404, VIEWER, ""),
    row("POST", "/v1/webhooks/{webhook}/deliveries/{delivery}/replay", 404, VIEWER, ""),
    row("GET", "/v1/audit", 200, VIEWER, ""),
    row("GET", "/v1/tenants", 200, ALL, ""),
    row("POST", "/v1/tenants", 201, OPERATOR, r#"{"id":"new","name":"New"}"#),
    row("GET", "/v1/tenants/{tenant}", 404, ALL, ""),
    row("PATCH", "/v1/tenants/{tenant}", 404, OPERATOR, r#"{"name":"Mine"}"#),
    row("DELETE", "/v1/tenants/{tenant}", 404, OPERATOR, ""),
    row("GET", "/v1/keys", 200, OPERATOR, ""),
    row("POST", "/v1/keys", 404, OPERATOR, r#"{"name":"k","tenant":"a","scopes":[{"role":"viewer","tenant":"a"}]}"#),
    row("GET", "/v1/keys/{key}", 404, OPERATOR, ""),
    row("DELETE", "/v1/keys/{key}", 404, OPERATOR, ""),
    row("GET", "/v1/users", 200, OPERATOR, ""),
    row(
        "POST",
        "/v1/users",
        404,
        OPERATOR,
        r#"{"email":"x@example.org","name":"X","tenant":"a","scopes":[{"role":"viewer","tenant":"a"}]}"#,
    ),
    row("GET", "/v1/users/{user}", 404, OPERATOR, ""),
    row("PATCH", "/v1/users/{user}", 404, OPERATOR, "{}"),
    row("DELETE", "/v1/users/{user}", 404, OPERATOR, ""),
    row("POST", "/v1/users/{user}/invitation", 404, OPERATOR, "{}"),
];

/// Routes that are about the caller alone: there is nobody else's to reach.
const OWN: &[(&str, &str)] = &[
    ("GET", "/v1/me"),
    ("PUT", "/v1/me/password"),
    ("POST", "/v1/me/totp"),
    ("POST", "/v1/me/totp/confirm"),
    ("POST", "/v1/me/totp/end"),
    ("POST", "/v1/logout"),
];

/// Routes that need no key.
const OPEN: &[(&str, &str)] = &[
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/v1/login"),
    ("POST", "/v1/login"),
    ("POST", "/v1/setup"),
    ("GET", "/v1/oidc/{provider}/start"),
    ("GET", "/v1/oidc/{provider}/callback"),
];

/// A path with its parameters filled in.
fn filled(path: &str, ids: &[(&str, String)]) -> String {
    ids.iter().fold(path.to_owned(), |path, (name, value)| path.replace(&format!("{{{name}}}"), value))
}

#[test]
fn every_route_stands_in_the_table_and_the_table_has_no_others() {
    let rows = ROWS.iter().map(|row| (row.method, row.path)).chain(OWN.iter().copied()).chain(OPEN.iter().copied());
    let plain = |path: &str| {
        path.replace("{id}", "{}")
            .split('{')
            .map(|part| part.split_once('}').map_or(part, |(_, rest)| rest))
            .collect::<Vec<_>>()
            .join("{}")
    };
    let mut listed: Vec<(String, String)> = rows.map(|(method, path)| (method.to_owned(), plain(path))).collect();
    let mut routes: Vec<(String, String)> =
        operations().into_iter().map(|(method, path)| (method, plain(&path))).collect();
    listed.sort();
    routes.sort();
    let missing: Vec<_> = routes.iter().filter(|route| !listed.contains(route)).collect();
    let extra: Vec<_> = listed.iter().filter(|route| !routes.contains(route)).collect();
    assert!(missing.is_empty() && extra.is_empty(), "missing: {missing:?}; no such route: {extra:?}");
}

#[test]
fn the_table_in_the_repository_is_this_one() {
    let mut text = "# Who may reach what\n\n\
        Every route of the API, asked without a key (401), by an admin of another tenant, and in the largest role that may not. \
        Printed and checked by `cargo nextest run --workspace -E 'test(isolation)'` (`api/src/http/tests/isolation.rs`), which \
        fails when a route is missing. 404 says no more than that there is nothing to see; lists (200) leave out what is \
        another tenant's. A site's name is given once in the whole service: 409 says that it is taken.\n\n\
        | route | another tenant's admin | too small a role |\n|---|---|---|\n"
        .to_owned();
    for Row { method, path, other, small: (role, status), .. } in ROWS {
        let small = if *role == "-" { "every role may".to_owned() } else { format!("{role}: {status}") };
        let _ = writeln!(text, "| {method} `{path}` | {other} | {small} |");
    }
    text.push_str("\nAbout the caller alone: ");
    text.push_str(&OWN.iter().map(|(method, path)| format!("{method} `{path}`")).collect::<Vec<_>>().join(", "));
    text.push_str(".\n\nWithout a key: ");
    text.push_str(&OPEN.iter().map(|(method, path)| format!("{method} `{path}`")).collect::<Vec<_>>().join(", "));
    text.push_str(", `/v1/openapi.json`, `/docs`, the page's shell at `/`.\n");
    if std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
        std::fs::write(TABLE, &text).expect("docs/isolation.md");
    }
    assert_eq!(std::fs::read_to_string(TABLE).unwrap_or_default(), text, "`make golden` writes it anew");
}

#[tokio::test]
async fn nobody_reaches_what_is_not_theirs() {
    let bench = Bench::new().await;
    bench.tenant("a").await;
    bench.tenant("b").await;
    let put = bench.send("PUT", "/v1/sites/depot?tenant=a", &[("content-type", "application/toml")], SITE).await;
    put.expect(StatusCode::CREATED);
    bench.publish("depot", 1..=3);
    let session = bench.json("POST", "/v1/sites/depot/sessions", json!({ "charger": "Station 1" })).await;
    let session = session.expect(StatusCode::CREATED).json()["id"].as_str().expect("an id").to_owned();
    let signal = json!({ "limit_kw": 10, "from": "2026-01-01T00:00:00Z" });
    let signal = bench.json("POST", "/v1/sites/depot/signals", signal).await.expect(StatusCode::CREATED);
    let signal = signal.json()["id"].as_str().expect("an id").to_owned();
    let webhook = json!({ "url": "https://example.org/", "events": ["alarm"] });
    let webhook = bench.json("POST", "/v1/webhooks?tenant=a", webhook).await.expect(StatusCode::CREATED);
    let webhook = webhook.json()["id"].as_str().expect("an id").to_owned();
    let job = bench.json("POST", "/v1/sites/depot/plan", json!({})).await.expect(StatusCode::ACCEPTED);
    let job = job.json()["id"].as_str().expect("an id").to_owned();
    let made = json!({ "name": "k", "tenant": "a", "scopes": [{ "role": "viewer", "tenant": "a" }] });
    let key = bench.json("POST", "/v1/keys", made).await.expect(StatusCode::CREATED);
    let key = key.json()["id"].as_str().expect("an id").to_owned();
    let made = json!({ "email": "p@example.org", "name": "P", "tenant": "a", "scopes": [{ "role": "viewer", "tenant": "a" }] });
    let user = bench.json("POST", "/v1/users", made).await.expect(StatusCode::CREATED);
    let user = user.json()["id"].as_str().expect("an id").to_owned();
    let until = (chrono::Utc::now() + chrono::TimeDelta::days(1)).to_rfc3339();
    let grant = json!({ "tenant": "main", "role": "viewer", "until": until });
    let grant = bench.json("POST", "/v1/sites/depot/grants", grant).await.expect(StatusCode::CREATED);
    let grant = grant.json()["id"].as_str().expect("an id").to_owned();

    let stranger = bench.key_of("b", "admin").await;
    let viewer = bench.key_of("a", "viewer").await;
    let operator = bench.key_of("a", "operator").await;
    let ids = [
        ("site", "depot".to_owned()),
        ("charger", "Station%201".to_owned()),
        ("vehicle", "Van%201".to_owned()),
        ("roster", "vans".to_owned()),
        ("session", session),
        ("signal", signal),
        ("of", "building".to_owned()),
        ("plan", "00000000-0000-7000-8000-000000000000".to_owned()),
        ("delivery", "00000000-0000-7000-8000-000000000000".to_owned()),
        ("webhook", webhook),
        ("job", job),
        ("tenant", "a".to_owned()),
        ("key", key),
        ("user", user),
        ("grant", grant),
        ("tag", "0".repeat(32)),
    ];
    for row in ROWS {
        let path = filled(row.path, &ids);
        let kind = if row.body == TOML { "application/toml" } else { "application/json" };
        let ask = async |key: Option<&str>| {
            let answer = bench.send_as(key, row.method, &path, &[("content-type", kind)], row.body).await;
            (answer.status, answer.text)
        };
        let what = format!("{} {path}", row.method);
        let (status, text) = ask(None).await;
        assert_eq!(status, 401, "{what} without a key: {text}");
        let (status, text) = ask(Some(&format!("kw_{}_{}", "0".repeat(32), "a".repeat(43)))).await;
        assert_eq!(status, 401, "{what} with a key that is none: {text}");
        let (status, text) = ask(Some(&stranger)).await;
        assert_eq!(status, row.other, "{what} by another tenant: {text}");
        if status == 200 {
            assert!(!text.contains("depot") && !text.contains("\"a\""), "{what} tells another tenant: {text}");
        }
        let small = match row.small.0 {
            "viewer" => &viewer,
            "operator" => &operator,
            _ => continue,
        };
        let (status, text) = ask(Some(small)).await;
        assert_eq!(status, row.small.1, "{what} by a {}: {text}", row.small.0);
    }
}
