//! Carbon intensity: grams per kWh, measured or forecast.

use kwartier_data::feeds::{Answer, Carbon, NoValues, Span, electricity_maps, energy_charts, national_grid};
use serde_json::{Value, json};

use crate::make::{HOUR, QUARTER, day, electricity_maps_carbon, energy_charts_carbon, national_grid_carbon};

#[test]
fn energy_charts_measured_then_forecast() {
    let span = day("2026-10-25");
    let body = energy_charts_carbon(span);
    let carbon = energy_charts::carbon(&Answer::ok(body.to_string().as_bytes()), span).unwrap();
    assert!(carbon.is_complete());
    let row = carbon.rows[49];
    assert_eq!((row.start, row.value), (span.from + QUARTER * 49, Carbon { g_kwh: 349.0, forecast: false }));
    assert_eq!(carbon.rows[50].value, Carbon { g_kwh: 350.0, forecast: true });
    let mut short = body;
    short["co2eq_forecast"].as_array_mut().unwrap().pop();
    assert!(energy_charts::carbon(&Answer::ok(short.to_string().as_bytes()), span).is_err());
}

#[test]
fn electricity_maps_stamps_are_beginnings() {
    let span = day("2026-06-01");
    let mut body = electricity_maps_carbon(span);
    let read =
        |body: &Value, zone: &str| electricity_maps::carbon(&Answer::ok(body.to_string().as_bytes()), zone, span);
    let carbon = read(&body, "NL").unwrap();
    assert!(carbon.is_complete());
    assert_eq!((carbon.rows[5].start, carbon.rows[5].value.g_kwh), (span.from + HOUR * 5, 305.0));
    assert!(read(&body, "DE").unwrap_err().to_string().contains("$.zone: \"NL\" is another zone"));
    body["temporalGranularity"] = json!("15_minutes");
    assert_eq!(read(&body, "NL").unwrap().rows[5].length(), QUARTER);
    body["forecast"][0]["carbonIntensity"] = json!(300_000);
    assert!(read(&body, "NL").unwrap_err().to_string().contains("300000 g/kWh is no carbon intensity"));
    let refused =
        electricity_maps::carbon(&Answer { status: 401, body: b"{\"error\":\"Invalid auth-token\"}" }, "NL", span);
    assert!(matches!(refused, Err(NoValues::Refused(_))));
}

#[test]
fn national_grid_answers_one_half_hour_too_early() {
    let span = Span::of_day(chrono_tz::Europe::London, "2026-06-01".parse().unwrap());
    let mut body = national_grid_carbon(span);
    let read = |body: &Value| national_grid::carbon(&Answer::ok(body.to_string().as_bytes()), span);
    let carbon = read(&body).unwrap();
    assert!(carbon.is_complete());
    assert_eq!((carbon.rows[0].start, carbon.rows[0].value), (span.from, Carbon { g_kwh: 201.0, forecast: true }));
    body["data"][1]["intensity"]["actual"] = json!(150);
    assert_eq!(read(&body).unwrap().rows[0].value, Carbon { g_kwh: 150.0, forecast: false });
    let error = json!({ "error": { "code": "400 Bad Request", "message": "Please enter a valid from datetime" } });
    for status in [200, 400] {
        let said = national_grid::carbon(&Answer { status, body: error.to_string().as_bytes() }, span).unwrap_err();
        assert!(said.to_string().contains("Please enter a valid from datetime"), "{said}");
    }
    assert!(matches!(read(&json!({ "data": [] })), Err(NoValues::NotYet(_))));
}
