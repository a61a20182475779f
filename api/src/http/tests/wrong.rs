//! What is wrong with a request is told with its field, its value and the remedy, and nothing of it is stored.

use std::fmt::Write as _;

use axum::http::StatusCode;
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};

use super::bench::{Bench, SITE};
use crate::http::problem::ProblemKind;

/// Times that are written by name, so that the table reads the same every day.
fn times(text: &str) -> String {
    let now = Utc::now();
    let at = |after: TimeDelta| (now + after).format("%Y-%m-%dT%H:00:00Z").to_string();
    text.replace("{past}", &at(TimeDelta::hours(-5)))
        .replace("{soon}", &at(TimeDelta::hours(5)))
        .replace("{later}", &at(TimeDelta::hours(9)))
        .replace("{never}", &at(TimeDelta::days(420)))
}

/// The other way round.
fn named(text: &str) -> String {
    let (past, soon, later, never) = (times("{past}"), times("{soon}"), times("{later}"), times("{never}"));
    let text =
        text.replace(&past, "{past}").replace(&soon, "{soon}").replace(&later, "{later}").replace(&never, "{never}");
    // What it is here and now.
    match text.split_once(", here it is ") {
        Some((before, after)) => format!("{before}, here it is {{now}}{}", &after[after.find(';').unwrap_or(0)..]),
        None => text,
    }
}

/// Requests that are wrong: method, path, body.
const WRONG: &[(&str, &str, &str)] = &[
    ("POST", "sessions", ""),
    ("POST", "sessions", "not JSON"),
    ("POST", "sessions", "{\"charger\": \"Station 1\""),
    ("POST", "sessions", "[]"),
    ("POST", "sessions", "{}"),
    ("POST", "sessions", r#"{"charger":"Station 1","chargr":1}"#),
    ("POST", "sessions", r#"{"charger":"Station 1","charger":"Station 2"}"#),
    ("POST", "sessions", r#"{"charger":7}"#),
    ("POST", "sessions", r#"{"charger":"Station 99"}"#),
    ("POST", "sessions", r#"{"charger":"Station 1","vehicle":"nobody"}"#),
    ("POST", "sessions", r#"{"charger":"Station 1","group":"nobodies"}"#),
    ("POST", "sessions", r#"{"charger":"Station 1","need_kwh":"10"}"#),
    ("POST", "sessions", r#"{"charger":"Station 1","need_kwh":-1}"#),
    ("POST", "sessions", r#"{"charger":"Station 1","need_kwh":NaN}"#),
    ("POST", "sessions", r#"{"charger":"Station 1","need_kwh":1e999}"#),
    ("POST", "sessions", r#"{"charger":"Station 1","need_kwh":50000}"#),
    ("POST", "sessions", r#"{"charger":"Station 1","soc_kwh":-2}"#),
    ("POST", "sessions", r#"{"charger":"Station 1","soc_kwh":70,"capacity_kwh":60}"#),
    ("POST", "sessions", r#"{"charger":"Station 1","soc_kwh":900}"#),
    ("POST", "sessions", r#"{"charger":"Station 1","need_kwh":10,"target_kwh":40}"#),
    ("POST", "sessions", r#"{"charger":"Station 1","phases":4,"min_a":20,"max_a":16}"#),
    ("POST", "sessions", r#"{"charger":"Station 1","priority":300}"#),
    ("POST", "sessions", r#"{"charger":"Station 1","departure":"tomorrow"}"#),
    ("POST", "sessions", r#"{"charger":"Station 1","departure":"2026-13-01T00:00:00Z"}"#),
    ("POST", "sessions", r#"{"charger":"Station 1","departure":"{past}"}"#),
    ("POST", "sessions", r#"{"charger":"Station 1","arrival":"{soon}","departure":"{soon}"}"#),
    ("POST", "sessions", r#"{"charger":"Station 1","arrival":"{later}","departure":"{soon}"}"#),
    ("POST", "sessions", r#"{"charger":"Station 1","departure":"{never}"}"#),
    ("PATCH", "sessions/{session}", r#"{"departure":"{past}"}"#),
    ("PATCH", "sessions/{session}", r#"{"override":{"action":"faster"}}"#),
    ("PATCH", "sessions/{session}", r#"{"override":{"action":"boost","until":"{past}"}}"#),
    ("PATCH", "sessions/{session}", r#"{"ended":"{later}"}"#),
    ("PATCH", "sessions/{session}", r#"{"charger":"Station 2"}"#),
    ("POST", "signals", r#"{"from":"{soon}"}"#),
    ("POST", "signals", r#"{"limit_kw":10,"limit_a":[1,2,3],"from":"{soon}"}"#),
    ("POST", "signals", r#"{"limit_kw":-10,"from":"{soon}"}"#),
    ("POST", "signals", r#"{"limit_a":[1,2],"from":"{soon}"}"#),
    ("POST", "signals", r#"{"limit_a":[1,2,3],"from":"{soon}","basis":"quarter"}"#),
    ("POST", "signals", r#"{"limit_kw":10,"from":"{soon}","until":"{soon}"}"#),
    ("POST", "signals", r#"{"limit_kw":10,"from":"{past}","until":"{past}"}"#),
    ("POST", "signals", r#"{"limit_kw":10,"from":"{never}"}"#),
    ("POST", "signals", r#"{"limit_kw":10,"from":"{soon}","node":"nowhere"}"#),
    ("POST", "signals", r#"{"limit_kw":10,"from":"{soon}","node":"HV","group":["Station 1","Station 1","x"]}"#),
    ("POST", "measurements", "[]"),
    ("POST", "measurements", r#"{"at":"{past}","node":"HV","l1_a":1,"l2_a":1,"l3_a":1}"#),
    ("POST", "measurements", r#"[{"at":"{past}","node":"HV","l1_a":1,"l2_a":1}]"#),
    ("POST", "measurements", r#"[{"at":"{past}","node":"XX","l1_a":1,"l2_a":1,"l3_a":99999}]"#),
    ("POST", "measurements", r#"[{"at":"{later}","node":"HV","l1_a":1,"l2_a":1,"l3_a":1}]"#),
    (
        "POST",
        "measurements",
        r#"[{"at":"{past}","node":"HV","l1_a":1,"l2_a":1,"l3_a":1},{"at":"{past}","node":"HV","l1_a":2,"l2_a":1,"l3_a":1}]"#,
    ),
    ("PUT", "prices", r#"[{"start":"{soon}","minutes":20,"import_eur_kwh":0.2}]"#),
    ("PUT", "prices", r#"[{"start":"2026-06-01T00:05:00Z","minutes":15,"import_eur_kwh":0.2}]"#),
    ("PUT", "prices", r#"[{"start":"{soon}","minutes":60,"import_eur_kwh":85}]"#),
    ("PUT", "prices", r#"[{"start":"{never}","minutes":60,"import_eur_kwh":0.2}]"#),
    (
        "PUT",
        "prices",
        r#"[{"start":"{soon}","minutes":60,"import_eur_kwh":0.2},{"start":"{soon}","minutes":15,"import_eur_kwh":0.2}]"#,
    ),
    ("PUT", "chargers/Station%201", r#"{"node":"nowhere","max_a":16}"#),
    ("PUT", "chargers/Station%201", r#"{"node":"HV","max_a":-16,"phase_map":"RRT"}"#),
    ("PUT", "chargers/Station%201", r#"{"node":"HV","max_a":16,"phase_map":["L1","L4"]}"#),
    ("PUT", "chargers/Station%201", r#"{"node":"HV","max_a":16,"ocpp":{"security_profile":2}}"#),
    ("PUT", "chargers/Station%201", r#"{"node":"HV","max_a":16,"ocpp":{"security_profile":1,"password":"short"}}"#),
    ("PUT", "chargers/Station%201", r#"{"node":"HV","max_a":16,"ocpp":{"security_profile":4}}"#),
    ("POST", "chargers/Station%201/reports", r#"{"at":"{later}","l1_a":1e9}"#),
    ("PUT", "vehicles/Van%209", r#"{"capacity_kwh":0,"colour":"red"}"#),
    ("PUT", "vehicles/Van%209", r#"{"capacity_kwh":-3}"#),
    ("PUT", "vehicles/Van%209", r#"{"id":"Van 8"}"#),
    ("PUT", "tariff", r#"{"components":[{"name":"x","price":{"kind":"free"}}]}"#),
    ("PUT", "forecasts/building", "[]"),
    ("PUT", "forecasts/building", r#"[{"start":"{soon}","mean":1},{"start":"{later}","mean":1}]"#),
    ("PUT", "forecasts/weather", "[]"),
    (
        "PUT",
        "rosters/vans",
        r#"[{"vehicle":"Van 1","station":"Station 99","days":"mon","arrival":"18:00","departure":"07:00","need_kwh":20}]"#,
    ),
    ("PUT", "rosters/vans", r#"[{"vehicle":"Van 1","station":"Station 1","days":"mon","arrival":"late"}]"#),
];

#[tokio::test]
async fn what_is_wrong_is_told_by_field_and_nothing_is_stored() {
    let bench = Bench::with_depot().await;
    let session = bench.json("POST", "/v1/sites/depot/sessions", json!({ "charger": "Station 2" })).await;
    let session = session.expect(StatusCode::CREATED).json()["id"].as_str().expect("an id").to_owned();
    let before = state(&bench).await;
    let mut table = String::new();
    for (method, path, body) in WRONG {
        let path = format!("/v1/sites/depot/{}", path.replace("{session}", &session));
        let answer = bench.send(method, &path, &[("content-type", "application/json")], times(body)).await;
        assert!((400..500).contains(&answer.status), "{method} {path} {body}: {} {}", answer.status, answer.text);
        assert_eq!(answer.header("content-type"), "application/problem+json", "{method} {path} {body}");
        let problem = answer.json();
        let _ = writeln!(table, "{method} {} {body}\n  {}", path.replace(&session, "{session}"), answer.status);
        for error in problem["errors"].as_array().into_iter().flatten() {
            let text = |name: &str| named(error[name].as_str().unwrap_or_default());
            let _ = writeln!(table, "  {}: {}", text("field"), text("detail"));
        }
        if problem.get("errors").is_none() {
            let _ = writeln!(table, "  {}", named(problem["detail"].as_str().unwrap_or_default()));
        }
    }
    assert_eq!(state(&bench).await, before, "something was stored");
    insta::assert_snapshot!(table);
}

/// All that can be read of the site.
async fn state(bench: &Bench) -> Vec<Value> {
    let mut state = Vec::new();
    for path in ["", "/sessions", "/signals", "/chargers", "/vehicles", "/rosters", "/prices", "/measurements"] {
        state.push(bench.get(&format!("/v1/sites/depot{path}")).await.expect(StatusCode::OK).json());
    }
    state
}

#[tokio::test]
async fn a_site_with_errors_is_refused_with_all_of_them_and_where_they_stand() {
    let bench = Bench::new().await;
    let wrong = SITE.replace("id = \"HV\"", "id = \"HW\"").replacen("max_a = ", "max_amps = ", 1);
    let answer = bench.send("PUT", "/v1/sites/depot", &[("content-type", "application/toml")], wrong).await;
    let answer = answer.expect(StatusCode::UNPROCESSABLE_ENTITY);
    let errors = answer.json()["errors"].as_array().expect("errors").clone();
    assert!(
        errors.iter().any(|error| error["field"].as_str().is_some_and(|field| field.ends_with(".max_amps"))),
        "{errors:?}"
    );
    bench.get("/v1/sites/depot").await.expect(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_cannot_be_read_at_all_is_told_apart() {
    let bench = Bench::with(|config| config.limits.body_bytes = 10_000).await;
    bench.put_depot().await;
    let path = "/v1/sites/depot/sessions";
    let body = r#"{"charger":"Station 1"}"#;
    bench.send("POST", path, &[], body).await.expect(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    bench.send("POST", path, &[("content-type", "text/csv")], body).await.expect(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let json = [("content-type", "application/json")];
    let large = format!("{{\"charger\":\"{}\"}}", "x".repeat(10_000));
    bench.send("POST", path, &json, large).await.expect(StatusCode::PAYLOAD_TOO_LARGE);
    let nowhere = bench.get("/v1/nowhere").await.expect(StatusCode::NOT_FOUND);
    assert_eq!(nowhere.header("content-type"), "application/problem+json");
    let method = bench.send("PUT", path, &json, body).await.expect(StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(method.header("content-type"), "application/problem+json");
    assert!(method.header("allow").contains("POST"), "{:?}", method.headers);
    for (query, field) in [
        ("limit=0", "query.limit"),
        ("limit=1001", "query.limit"),
        ("limit=x", "query.limit"),
        ("cursor=x", "query.cursor"),
        ("page=2", "query.page"),
    ] {
        let answer = bench.get(&format!("{path}?{query}")).await.expect(StatusCode::BAD_REQUEST);
        assert_eq!(answer.json()["errors"][0]["field"].as_str().unwrap_or_default(), field, "{query}: {}", answer.text);
        let detail = answer.json()["errors"][0]["detail"].as_str().unwrap_or_default().to_owned();
        assert!(query != "limit=x" || (detail.contains("\"x\"") && detail.contains("openapi")), "{detail}");
    }
}

#[tokio::test]
async fn the_type_of_a_problem_leads_to_what_it_means() {
    let bench = Bench::new().await;
    let page = bench.send_as(None, "GET", "/docs/problems", &[], "").await.expect(StatusCode::OK);
    let page = page.text;
    let mut names = std::collections::BTreeSet::new();
    for told in ProblemKind::ALL.map(ProblemKind::told) {
        assert!(names.insert(told.name), "{} stands there twice", told.name);
        assert!(page.contains(&format!("id=\"{}\"", told.name)), "{} is missing", told.name);
        assert!(told.status.is_client_error() || told.status.is_server_error());
    }
    let problem = bench.get("/v1/nothing").await.json();
    assert_eq!(problem["type"], "/docs/problems#not-found");
}
