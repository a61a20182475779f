//! The day's rhythm over the API: tariffs with their parts, feeds, rosters from workbooks, where needs are from, the calendar.

use axum::http::StatusCode;
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};

use super::bench::Bench;

/// The price of a kWh at an instant, as the API tells it.
async fn price(bench: &Bench, query: &str) -> Value {
    bench.get(&format!("/v1/sites/depot/tariff/price?{query}")).await.expect(StatusCode::OK).json()
}

#[tokio::test]
async fn a_tariff_is_a_preset_and_a_table_and_tells_its_parts() {
    let bench = Bench::with_depot().await;
    let presets = bench.get("/v1/tariffs/presets").await.expect(StatusCode::OK).json();
    let home = presets.as_array().unwrap().iter().find(|preset| preset["id"] == "nl-home").unwrap().clone();
    assert!(home["checked"].is_string() && home["sources"].as_array().is_some_and(|sources| !sources.is_empty()));
    let csv = [("content-type", "text/csv")];
    let table = "name,kind,ct_kwh\nfee,fixed,1.8\n";
    let path = "/v1/sites/depot/tariff/import?preset=nl-home";
    let tariff = bench.send("POST", path, &csv, table).await.expect(StatusCode::OK).json();
    assert_eq!((&tariff["preset"], tariff["components"].as_array().unwrap().len()), (&json!("nl-home"), 1));
    let assumed = price(&bench, "at=2026-11-28T11:00:00Z").await;
    assert_eq!(assumed["basis"], "assumed");
    let parts = assumed["import"]["parts"].as_array().unwrap();
    let names: Vec<&str> = parts.iter().filter_map(|part| part["name"].as_str()).collect();
    assert_eq!(names, ["Day-ahead price", "Energy tax 2026", "fee"]);
    let sum: f64 = parts.iter().filter_map(|part| part["eur_kwh"].as_f64()).sum();
    assert!((assumed["import"]["eur_kwh"].as_f64().unwrap() - sum).abs() < 1e-9);
    assert!((sum - (0.08 + 0.09161 + 0.018) * 1.21).abs() < 1e-9, "{sum}");
    let wrong = bench.send("POST", path, &csv, "name,kind,ct_kwh\nfee,fixed,much\n").await;
    wrong.expect(StatusCode::UNPROCESSABLE_ENTITY);
    let none = bench.send("POST", "/v1/sites/depot/tariff/import?preset=nl", &csv, table).await;
    let none = none.expect(StatusCode::UNPROCESSABLE_ENTITY).text;
    assert!(none.contains("nl-business"), "{none}");
}

#[tokio::test]
async fn prices_that_are_put_claim_no_source() {
    let bench = Bench::with_depot().await;
    let start = "2026-11-28T11:00:00Z";
    let put =
        json!([{ "start": start, "minutes": 60, "import_eur_kwh": 0.3, "source": "entsoe", "spot_eur_kwh": 0.1 }]);
    bench.json("PUT", "/v1/sites/depot/prices", put).await.expect(StatusCode::OK);
    let kept = bench.get("/v1/sites/depot/prices?from=2026-11-28T00:00:00Z").await.expect(StatusCode::OK).json();
    assert_eq!(kept[0]["source"], Value::Null);
    let put = price(&bench, &format!("at={start}")).await;
    assert_eq!((&put["basis"], put["import"]["eur_kwh"].as_f64()), (&json!("put"), Some(0.3)));
}

#[tokio::test]
async fn feeds_and_calendar_say_what_is_to_be_expected_of_them() {
    let bench = Bench::with_depot().await;
    let feeds = bench.get("/v1/sites/depot/feeds").await.expect(StatusCode::OK).json();
    assert_eq!((&feeds["price_area"], &feeds["fetching"]), (&json!("NL"), &json!(false)));
    let due = bench.get("/v1/sites/depot/calendar").await.expect(StatusCode::OK).json();
    let due = due.as_array().unwrap();
    let mut what: Vec<&str> = due.iter().filter_map(|due| due["what"].as_str()).collect();
    what.sort_unstable();
    assert_eq!(what, ["plan", "publication", "roll_up"]);
    let publication = due.iter().find(|due| due["what"] == "publication").unwrap();
    assert!(publication["local"].as_str().unwrap().contains(" 12:50 (UTC+0"), "{publication}");
}

#[tokio::test]
async fn a_roster_may_be_a_workbook_and_its_sessions_say_that_they_are_from_it() {
    let bench = Bench::with_depot().await;
    let arrival = Utc::now() + TimeDelta::hours(3);
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let sheet = workbook.add_worksheet();
    let rows = [
        ["vehicle", "station", "arrival", "departure", "need_kwh"].map(str::to_owned),
        [
            "Van 1".to_owned(),
            "Station 1".to_owned(),
            arrival.to_rfc3339(),
            (arrival + TimeDelta::hours(10)).to_rfc3339(),
            "22".to_owned(),
        ],
    ];
    for (row, cells) in (0..).zip(&rows) {
        for (column, cell) in (0..).zip(cells) {
            sheet.write_string(row, column, cell).unwrap();
        }
    }
    let xlsx = [("content-type", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")];
    let put = bench.send("PUT", "/v1/sites/depot/rosters/week", &xlsx, workbook.save_to_buffer().unwrap()).await;
    let put = put.expect(StatusCode::CREATED).json();
    assert_eq!((&put["rows"], &put["expected"]), (&json!(1), &json!(1)));
    let sessions = bench.get("/v1/sites/depot/sessions").await.expect(StatusCode::OK).json();
    let session = &sessions["items"][0];
    assert_eq!((&session["departure_from"], &session["need_from"]), (&json!("roster"), &json!("roster")));
    let id = session["id"].as_str().unwrap();
    let later = json!({ "departure": arrival + TimeDelta::hours(12) });
    let changed =
        bench.json("PATCH", &format!("/v1/sites/depot/sessions/{id}"), later).await.expect(StatusCode::OK).json();
    assert_eq!((&changed["departure_from"], &changed["need_from"]), (&json!("driver"), &json!("roster")));
    let wrong = bench.send("PUT", "/v1/sites/depot/rosters/week", &xlsx, "no workbook").await;
    wrong.expect(StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn carbon_intensity_is_put_as_json_or_as_a_file_and_a_measurement_stays() {
    let bench = Bench::with_depot().await;
    let path = "/v1/sites/depot/carbon";
    let span = format!("{path}?from=2026-11-28T00:00:00Z");
    assert_eq!(bench.get(&span).await.expect(StatusCode::OK).json(), json!([]));
    let forecast = json!([{ "start": "2026-11-28T10:00:00Z", "minutes": 60, "g_kwh": 300.0, "forecast": true },
                          { "start": "2026-11-28T11:00:00Z", "minutes": 60, "g_kwh": 310.0, "forecast": true }]);
    bench.json("PUT", path, forecast.clone()).await.expect(StatusCode::OK);
    // Local stamps of Amsterdam: the second is the first of the forecast, in kg/kWh.
    let csv = "time,kg_kwh\n2026-11-28T10:00,0.28\n2026-11-28T11:00,0.29\n";
    bench.send("PUT", path, &[("content-type", "text/csv")], csv).await.expect(StatusCode::OK);
    bench.json("PUT", path, forecast).await.expect(StatusCode::OK);
    let known = bench.get(&span).await.expect(StatusCode::OK).json();
    let known: Vec<(&str, Option<f64>, bool)> = known
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["start"].as_str().unwrap(), row["g_kwh"].as_f64(), row["forecast"] == true))
        .collect();
    let expected = [
        ("2026-11-28T09:00:00Z", Some(280.0), false),
        ("2026-11-28T10:00:00Z", Some(290.0), false),
        ("2026-11-28T11:00:00Z", Some(310.0), true),
    ];
    assert_eq!(known, expected);
    for wrong in [
        json!([{ "start": "2026-11-28T10:00:00Z", "minutes": 60, "g_kwh": 300_000.0, "forecast": true }]),
        json!([{ "start": "2026-11-28T10:00:00Z", "minutes": 60, "g_kwh": -3.0, "forecast": true }]),
        json!([]),
    ] {
        bench.json("PUT", path, wrong).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    }
    bench.send("PUT", path, &[("content-type", "image/png")], "x").await.expect(StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn prices_forecasts_and_weather_come_from_files_and_pushes() {
    let bench = Bench::with_depot().await;
    let csv = [("content-type", "text/csv")];
    // The night in which the clocks go back: 02:00 comes twice, and stamps with an offset say which is meant.
    let prices = "time,EUR/MWh\n2026-10-25T01:00+02:00,100\n2026-10-25T02:00+02:00,110\n2026-10-25T02:00+01:00,120\n";
    let put = bench.send("PUT", "/v1/sites/depot/prices", &csv, prices).await.expect(StatusCode::OK).json();
    assert_eq!(put["put"], 3);
    let kept = bench.get("/v1/sites/depot/prices?from=2026-10-24T00:00:00Z").await.expect(StatusCode::OK).json();
    let kept: Vec<(&str, Option<f64>, Option<u64>)> = kept
        .as_array()
        .unwrap()
        .iter()
        .map(|price| (price["start"].as_str().unwrap(), price["import_eur_kwh"].as_f64(), price["minutes"].as_u64()))
        .collect();
    let at = |hour: u8| format!("2026-10-{}T{:02}:00:00Z", if hour == 23 { 24 } else { 25 }, hour);
    let expected = [(at(23), 0.1), (at(0), 0.11), (at(1), 0.12)];
    assert_eq!(kept.len(), 3);
    for ((start, eur_kwh, minutes), (expected, price)) in kept.into_iter().zip(&expected) {
        assert_eq!((start, minutes), (expected.as_str(), Some(60)));
        assert!((eur_kwh.unwrap() - price).abs() < 1e-9);
    }
    let power = "time,kw\n2026-11-28T10:00Z,4\n2026-11-28T10:15Z,5\n2026-11-28T10:30Z,\n2026-11-28T10:45Z,6\n";
    let path = "/v1/sites/depot/forecasts/building";
    let forecast = bench.send("PUT", path, &csv, power).await.expect(StatusCode::OK).json();
    assert_eq!((&forecast["minutes"], forecast["rows"].as_array().unwrap().len()), (&json!(15), 2), "up to the gap");
    bench.send("PUT", path, &csv, "time,kw\nnever,4\n").await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    let path = "/v1/sites/depot/weather";
    bench.get(path).await.expect(StatusCode::NOT_FOUND);
    let sky = json!([{ "start": "2026-11-28T10:00:00Z", "minutes": 30, "temp_c": 4.0 },
                     { "start": "2026-11-28T10:30:00Z", "minutes": 30, "temp_c": 6.0, "wind_ms": 3.0 }]);
    let kept = bench.json("PUT", path, sky).await.expect(StatusCode::OK).json();
    let hour = json!([{ "start": "2026-11-28T10:00:00Z", "minutes": 60, "temp_c": 5.0 }]);
    assert_eq!(kept, hour, "the mean of the hour; of half an hour of wind none is known");
    assert_eq!(bench.get(path).await.expect(StatusCode::OK).json(), hour);
    let hot = json!([{ "start": "2026-11-28T10:00:00Z", "minutes": 60, "temp_c": 400.0 }]);
    bench.json("PUT", path, hot).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    bench.send("DELETE", path, &[], "").await.expect(StatusCode::NO_CONTENT);
    bench.get(path).await.expect(StatusCode::NOT_FOUND);
}
