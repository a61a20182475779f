//! What changes: sites and all that belongs to them, versions, races, and that the loop is told.

use axum::http::StatusCode;
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};

use super::bench::{Bench, SITE};
use crate::app::Event;
use crate::store::{Key, Kind};

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn a_site_is_put_read_put_back_listed_and_deleted() {
    let bench = Bench::with_depot().await;
    let read = bench.get("/v1/sites/depot").await.expect(StatusCode::OK);
    assert_eq!(read.header("etag"), "\"1\"");
    assert_eq!(read.header("api-version"), "1");
    // What is read can be put back, and says the same then.
    let again = bench.send("PUT", "/v1/sites/depot", &[JSON, ("if-match", "\"1\"")], read.text.clone()).await;
    let again = again.expect(StatusCode::OK);
    assert_eq!(again.json()["version"], 2);
    assert_eq!(bench.get("/v1/sites/depot").await.json(), read.json());
    let toml = bench.send("GET", "/v1/sites/depot", &[("accept", "application/toml")], "").await.expect(StatusCode::OK);
    assert!(toml.text.contains("[[boards]]"), "{}", toml.text);
    let known = bench.send("GET", "/v1/sites/depot", &[("if-none-match", "\"2\"")], "").await;
    assert!(known.expect(StatusCode::NOT_MODIFIED).text.is_empty());
    let listed = bench.get("/v1/sites").await.expect(StatusCode::OK).json();
    assert_eq!(listed["items"][0]["id"], "depot");
    assert_eq!(listed["items"][0]["name"], "Voorbeelddepot");
    assert_eq!(bench.told(2).await, ["Site", "Site"]);

    bench.json("POST", "/v1/sites/depot/sessions", json!({ "charger": "Station 1" })).await.expect(StatusCode::CREATED);
    bench.send("DELETE", "/v1/sites/depot", &[("if-match", "\"1\"")], "").await.expect(StatusCode::PRECONDITION_FAILED);
    bench.send("DELETE", "/v1/sites/depot", &[("if-match", "\"2\"")], "").await.expect(StatusCode::NO_CONTENT);
    bench.get("/v1/sites/depot").await.expect(StatusCode::NOT_FOUND);
    assert_eq!(bench.told(4).await.last().map(String::as_str), Some("SiteGone"));
    // Nothing of the old site is in a new one of its name.
    bench.put_depot().await;
    let sessions = bench.get("/v1/sites/depot/sessions").await.expect(StatusCode::OK).json();
    assert_eq!(sessions["items"], json!([]));
}

#[tokio::test]
async fn lists_go_on_where_the_page_before_ended() {
    let bench = Bench::new().await;
    for id in ["a", "b", "c", "d", "e"] {
        let path = format!("/v1/sites/{id}");
        bench.send("PUT", &path, &[("content-type", "application/toml")], SITE).await.expect(StatusCode::CREATED);
    }
    let mut path = "/v1/sites?limit=2".to_owned();
    let mut seen: Vec<String> = Vec::new();
    loop {
        let page = bench.get(&path).await.expect(StatusCode::OK).json();
        let items = page["items"].as_array().expect("items");
        assert!(items.len() <= 2);
        seen.extend(items.iter().map(|item| item["id"].as_str().expect("an id").to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/sites?limit=2&cursor={next}");
    }
    assert_eq!(seen, ["a", "b", "c", "d", "e"]);
}

#[tokio::test]
async fn a_charger_stands_in_the_site_and_its_password_is_never_read_back() {
    let bench = Bench::with_depot().await;
    let charger = json!({ "node": "HV", "phase_map": ["L2", "L3", "L1"], "max_a": 32,
        "ocpp": { "password": "correct-horse-16", "security_profile": 2 } });
    let put = bench.json("PUT", "/v1/sites/depot/chargers/New%20one", charger).await.expect(StatusCode::CREATED);
    assert_eq!(put.json()["phase_map"], "STR");
    let text = bench.get("/v1/sites/depot/chargers/New%20one").await.expect(StatusCode::OK).text;
    assert!(!text.contains("password") && text.contains("\"security_profile\":2"), "{text}");
    let kept = bench.service.store.read(&Key::new(Kind::Charger, "depot", "New one"), None).await;
    let kept = kept.expect("a store").expect("a charger").body.expect("a body").to_string();
    assert!(kept.contains("$argon2id$") && !kept.contains("correct-horse"), "{kept}");
    let site = bench.get("/v1/sites/depot").await.json();
    let station = site["stations"].as_array().expect("stations").iter().find(|station| station["id"] == "New one");
    assert_eq!(station.expect("a station")["rotation"], "STR");

    // Without a password the one that is there stays; a charger without OCPP is over the API.
    let changed = json!({ "node": "HV", "phase_map": "STR", "max_a": 16, "ocpp": { "security_profile": 1 } });
    bench.json("PUT", "/v1/sites/depot/chargers/New%20one", changed).await.expect(StatusCode::OK);
    bench.told(3).await;
    let over_api = |heard: &[Event]| match heard.last() {
        Some(Event::Site { over_api, .. }) => over_api.clone(),
        other => panic!("{other:?}"),
    };
    let told = over_api(&bench.heard.lock());
    assert!(!told.contains(&"New one".to_owned()) && told.contains(&"Station 1".to_owned()), "{told:?}");
    bench.send("DELETE", "/v1/sites/depot/chargers/New%20one", &[], "").await.expect(StatusCode::NO_CONTENT);
    bench.get("/v1/sites/depot/chargers/New%20one").await.expect(StatusCode::NOT_FOUND);
    let kept = bench.service.store.read(&Key::new(Kind::Charger, "depot", "New one"), None).await;
    assert_eq!(kept, Ok(None));
}

#[tokio::test]
async fn a_station_that_keeps_its_name_keeps_what_a_charger_does_not_say() {
    let bench = Bench::with_depot().await;
    let station = async || {
        let site = bench.get("/v1/sites/depot").await.json();
        let stations = site["stations"].as_array().expect("stations").clone();
        stations.into_iter().find(|station| station["id"] == "Station 1").expect("a station")
    };
    let before = station().await;
    let charger = json!({ "node": before["board"], "phase_map": before["rotation"], "max_a": 11 });
    bench.json("PUT", "/v1/sites/depot/chargers/Station%201", charger).await.expect(StatusCode::OK);
    let mut expected = before.clone();
    expected["max_a"] = json!(11.0);
    assert_eq!(station().await, expected);
}

#[tokio::test]
async fn two_changes_at_once_both_count_and_a_stale_one_is_told() {
    let bench = Bench::with_depot().await;
    let session = bench.json("POST", "/v1/sites/depot/sessions", json!({ "charger": "Station 1" })).await;
    let path =
        format!("/v1/sites/depot/sessions/{}", session.expect(StatusCode::CREATED).json()["id"].as_str().expect("id"));
    let (one, two) = (json!({ "need_kwh": 12 }), json!({ "priority": 3 }));
    let (one, two) = tokio::join!(bench.json("PATCH", &path, one), bench.json("PATCH", &path, two));
    one.expect(StatusCode::OK);
    two.expect(StatusCode::OK);
    let kept = bench.get(&path).await.json();
    assert_eq!(
        (&kept["version"], &kept["stated"]["need_kwh"], &kept["stated"]["priority"]),
        (&json!(3), &json!(12.0), &json!(3))
    );
    let tag = [JSON, ("if-match", "\"3\"")];
    let (one, two) = tokio::join!(
        bench.send("PATCH", &path, &tag, r#"{"need_kwh":1}"#),
        bench.send("PATCH", &path, &tag, r#"{"need_kwh":2}"#)
    );
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
}

#[tokio::test]
async fn a_session_lives_from_its_arrival_to_its_erasure() {
    let bench = Bench::with_depot().await;
    let at = |hours| (Utc::now() + TimeDelta::hours(hours)).to_rfc3339();
    let session = json!({ "charger": "Station 1", "departure": at(8), "need_kwh": 20 });
    let made = bench.json("POST", "/v1/sites/depot/sessions", session.clone()).await.expect(StatusCode::CREATED);
    let path = made.header("location").to_owned();
    assert_eq!(bench.get(&path).await.expect(StatusCode::OK).json()["stated"]["need_kwh"], 20.0);
    bench.json("POST", "/v1/sites/depot/sessions", session).await.expect(StatusCode::CONFLICT);
    // After it, the charger is free.
    let next = json!({ "charger": "Station 1", "arrival": at(9) });
    bench.json("POST", "/v1/sites/depot/sessions", next).await.expect(StatusCode::CREATED);
    let open = bench.get("/v1/sites/depot/sessions?state=open").await.json();
    assert_eq!(open["items"].as_array().map(Vec::len), Some(1));

    let changed = json!({ "departure": null, "override": { "action": "boost" } });
    let changed = bench.json("PATCH", &path, changed).await.expect(StatusCode::OK).json();
    assert!(changed["stated"].get("departure").is_none() && changed["stated"]["need_kwh"] == 20.0, "{changed}");
    let until = changed["override"]["until"].as_str().expect("an end");
    assert!(chrono::DateTime::parse_from_rfc3339(until).is_ok_and(|until| until > Utc::now()));
    let taken_back = bench.json("PATCH", &path, json!({ "override": null })).await.expect(StatusCode::OK).json();
    assert!(taken_back.get("override").is_none());
    bench.json("PATCH", &path, json!({ "ended": Utc::now().to_rfc3339() })).await.expect(StatusCode::OK);
    bench.json("PATCH", &path, json!({ "departure": at(5) })).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    bench.send("DELETE", &path, &[], "").await.expect(StatusCode::NO_CONTENT);
    bench.get(&path).await.expect(StatusCode::NOT_FOUND);
    let id = path.rsplit('/').next().expect("an id");
    let past = bench.service.store.history(&Key::new(Kind::Session, "depot", id), None, 10).await.expect("a store");
    assert_eq!(past.len(), 0, "an erased session has no past");
    let audit = bench.get("/v1/audit?site=depot&limit=100").await.expect(StatusCode::OK).json();
    let actions: Vec<&str> = audit["items"]
        .as_array()
        .expect("items")
        .iter()
        .filter(|entry| entry["id"] == id)
        .map(|entry| entry["action"].as_str().unwrap_or_default())
        .collect();
    assert_eq!(actions, ["create", "change", "change", "change", "delete"]);
}

#[tokio::test]
async fn prices_take_the_place_of_what_they_overlap() {
    let bench = Bench::with_depot().await;
    let day = (Utc::now() + TimeDelta::days(1)).date_naive();
    let at = |hour: u32, minute: u32| format!("{day}T{hour:02}:{minute:02}:00Z");
    let hours: Vec<Value> = (0..4)
        .map(|hour| json!({ "start": at(hour, 0), "minutes": 60, "import_eur_kwh": f64::from(hour) / 10.0 }))
        .collect();
    bench.json("PUT", "/v1/sites/depot/prices", json!(hours)).await.expect(StatusCode::OK);
    let quarters: Vec<Value> =
        (0..4).map(|quarter| json!({ "start": at(1, 15 * quarter), "minutes": 15, "import_eur_kwh": 0.5 })).collect();
    bench.json("PUT", "/v1/sites/depot/prices", json!(quarters)).await.expect(StatusCode::OK);
    let path = format!("/v1/sites/depot/prices?from={day}T00:00:00Z&until={day}T23:00:00Z");
    let prices = bench.get(&path).await.expect(StatusCode::OK).json();
    let starts: Vec<&str> =
        prices.as_array().expect("prices").iter().map(|price| price["start"].as_str().expect("a start")).collect();
    assert_eq!(starts, [at(0, 0), at(1, 0), at(1, 15), at(1, 30), at(1, 45), at(2, 0), at(3, 0)]);
    assert_eq!(bench.told(3).await[1..], ["Prices", "Prices"]);
}

#[tokio::test]
async fn measurements_are_kept_and_only_those_of_now_steer() {
    let bench = Bench::with_depot().await;
    let at = |minutes| (Utc::now() - TimeDelta::minutes(minutes)).to_rfc3339();
    let row =
        |minutes| json!({ "at": at(minutes), "node": "HV", "l1_a": 10.5, "l2_a": 0, "l3_a": -3, "power_kw": 1.7 });
    let kept = bench.json("POST", "/v1/sites/depot/measurements", json!([row(600), row(1), row(0)])).await;
    assert_eq!(kept.expect(StatusCode::OK).json()["of_now"], 2);
    bench.told(2).await;
    match bench.heard.lock().last() {
        Some(Event::Measured { rows, .. }) => assert_eq!(rows.len(), 2),
        other => panic!("{other:?}"),
    }
    let recent = bench.get("/v1/sites/depot/measurements").await.expect(StatusCode::OK).json();
    assert_eq!(recent["items"].as_array().map(Vec::len), Some(2));
    assert_eq!(recent["items"][0]["l1_a"], 10.5);
    let from = (Utc::now() - TimeDelta::days(1)).format("%Y-%m-%dT%H:%M:%SZ");
    let until = (Utc::now() + TimeDelta::minutes(1)).format("%Y-%m-%dT%H:%M:%SZ");
    let path = format!("/v1/sites/depot/measurements?from={from}&until={until}&limit=2");
    let table = bench.send("GET", &path, &[("accept", "text/csv")], "").await.expect(StatusCode::OK);
    assert_eq!(table.text.lines().count(), 3, "{}", table.text);
    let next = format!("{path}&cursor={}", table.header("kwartier-next"));
    assert_eq!(bench.get(&next).await.expect(StatusCode::OK).json()["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_loop_that_is_full_is_told_before_anything_is_stored() {
    let (bench, mut events) = Bench::without_loop(|_| {}).await;
    bench.put_depot().await;
    while bench.service.app.tell(Event::PlanWanted { site: "depot".to_owned(), job: None }).is_ok() {}
    let session = json!({ "charger": "Station 1" });
    let busy =
        bench.json("POST", "/v1/sites/depot/sessions", session.clone()).await.expect(StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(busy.header("retry-after"), "1");
    assert_eq!(bench.get("/v1/sites/depot/sessions").await.json()["items"], json!([]));
    events.recv().await.expect("an event");
    bench.json("POST", "/v1/sites/depot/sessions", session).await.expect(StatusCode::CREATED);
}

#[tokio::test]
async fn installers_tables_make_a_site_and_bring_it_in_line() {
    let bench = Bench::new().await;
    let tables = |stations: &str| {
        let boards = include_str!("../../../../data/samples/depot-tables/boards.csv");
        let part = |name: &str, text: &str| {
            format!(
                "--frontier\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}.csv\"\r\nContent-Type: text/csv\r\n\r\n{text}\r\n"
            )
        };
        format!("{}{}--frontier--\r\n", part("boards", boards), part("stations", stations))
    };
    let stations = include_str!("../../../../data/samples/depot-tables/stations.csv");
    let form = [("content-type", "multipart/form-data; boundary=frontier")];
    let path = "/v1/sites/noord/import?name=Depot%20Noord";
    bench.send("POST", path, &form, tables(stations)).await.expect(StatusCode::CREATED);
    let site = bench.get("/v1/sites/noord").await.expect(StatusCode::OK).json();
    assert_eq!(site["name"], "Depot Noord");
    let count = site["stations"].as_array().map(Vec::len);
    assert_eq!(count, Some(24));
    // What tables do not know stays when they are read again.
    let mut known = site.clone();
    known["stations"][0]["fallback_a"] = json!(6.0);
    bench.json("PUT", "/v1/sites/noord", known.clone()).await.expect(StatusCode::OK);
    bench.send("POST", "/v1/sites/noord/import", &form, tables(stations)).await.expect(StatusCode::OK);
    assert_eq!(bench.get("/v1/sites/noord").await.json(), known);
    let broken = tables(&stations.replacen("32", "thirty", 1));
    let refused =
        bench.send("POST", "/v1/sites/noord/import", &form, broken).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("stations.csv, row"), "{}", refused.text);
    assert_eq!(bench.get("/v1/sites/noord").await.json(), known);
    let csv = bench.send("GET", "/v1/sites/noord/export?table=stations", &[("accept", "text/csv")], "").await;
    assert_eq!(csv.expect(StatusCode::OK).text.lines().count(), 25);
}

#[tokio::test]
async fn a_roster_expects_sessions_that_follow_it_until_somebody_touches_them() {
    let bench = Bench::with_depot().await;
    let tomorrow = (Utc::now() + TimeDelta::days(1)).date_naive();
    let row = |need: f64| {
        json!([{ "vehicle": "Bus 7", "station": "Station 1", "arrival": format!("{tomorrow} 12:00"),
        "departure": format!("{tomorrow} 18:00"), "need_kwh": need, "capacity_kwh": 80 }])
    };
    let path = "/v1/sites/depot/rosters/buses";
    let put = bench.json("PUT", path, row(20.0)).await.expect(StatusCode::CREATED);
    assert_eq!(put.json()["expected"], 1);
    let sessions = async || bench.get("/v1/sites/depot/sessions").await.expect(StatusCode::OK).json()["items"].clone();
    let first = sessions().await;
    assert_eq!(first[0]["stated"]["need_kwh"], 20.0);
    // Put again with another need, the session follows; put as it is, nothing moves.
    bench.json("PUT", path, row(30.0)).await.expect(StatusCode::OK);
    let second = sessions().await;
    assert_eq!((second.as_array().map(Vec::len), &second[0]["stated"]["need_kwh"]), (Some(1), &json!(30.0)));
    bench.json("PUT", path, row(30.0)).await.expect(StatusCode::OK);
    assert_eq!(sessions().await, second);
    // Touched, it stays as it was made.
    let id = second[0]["id"].as_str().expect("an id");
    bench
        .json("PATCH", &format!("/v1/sites/depot/sessions/{id}"), json!({ "need_kwh": 5 }))
        .await
        .expect(StatusCode::OK);
    bench.json("PUT", path, row(40.0)).await.expect(StatusCode::OK);
    assert_eq!(sessions().await[0]["stated"]["need_kwh"], 5.0);
    let table = bench.send("GET", path, &[("accept", "text/csv")], "").await.expect(StatusCode::OK);
    let header = table.text.lines().next().expect("a header");
    assert!(header.contains("vehicle") && header.contains("need_kwh"), "{header}");
    bench.send("DELETE", path, &[], "").await.expect(StatusCode::NO_CONTENT);
    assert_eq!(sessions().await.as_array().map(Vec::len), Some(1), "what somebody touched is theirs");
}

#[tokio::test]
async fn of_two_vehicles_at_a_charger_at_once_one_is_there() {
    let bench = Bench::with_depot().await;
    let state = || bench.json("POST", "/v1/sites/depot/sessions", json!({ "charger": "Station 1" }));
    let answers = tokio::join!(state(), state(), state(), state());
    let mut statuses = [answers.0.status, answers.1.status, answers.2.status, answers.3.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409]);
}

#[tokio::test]
async fn every_version_of_a_site_can_be_read() {
    let bench = Bench::with_depot().await;
    let before = bench.get("/v1/sites/depot").await.json();
    let mut after = before.clone();
    after["name"] = "Another".into();
    bench.json("PUT", "/v1/sites/depot", after.clone()).await.expect(StatusCode::OK);
    let listed = bench.get("/v1/sites/depot/versions").await.expect(StatusCode::OK).json();
    let numbers: Vec<_> = listed["items"].as_array().unwrap().iter().map(|item| item["version"].clone()).collect();
    assert_eq!(numbers, [json!(2), json!(1)]);
    let page = bench.get("/v1/sites/depot/versions?limit=1").await.expect(StatusCode::OK).json();
    let cursor = page["next"].as_str().expect("a cursor");
    let rest = bench.get(&format!("/v1/sites/depot/versions?cursor={cursor}")).await.expect(StatusCode::OK).json();
    assert_eq!((&rest["items"][0]["version"], &rest["next"]), (&json!(1), &Value::Null));
    for (version, body) in [(1, before), (2, after)] {
        assert_eq!(bench.get(&format!("/v1/sites/depot/versions/{version}")).await.json(), body);
    }
    for none in ["0", "3", "18446744073709551615"] {
        bench.get(&format!("/v1/sites/depot/versions/{none}")).await.expect(StatusCode::NOT_FOUND);
    }
}
