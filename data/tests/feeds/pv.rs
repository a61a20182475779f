//! forecast.solar and Solcast: whose interval a value is.

use kwartier_data::feeds::{Answer, NoValues, PvPower, Span, Values, forecast_solar, solcast};
use serde_json::{Value, json};

use crate::make::{PEAK_KW, at, day, forecast_solar_power, solcast_power};

fn solcast_of(status: u16, body: &Value, asked: Span) -> Result<Values<PvPower>, NoValues> {
    solcast::power(&Answer { status, body: body.to_string().as_bytes() }, PEAK_KW, asked)
}

fn forecast_solar_of(status: u16, body: &Value, asked: Span) -> Result<Values<PvPower>, NoValues> {
    forecast_solar::power(&Answer { status, body: body.to_string().as_bytes() }, PEAK_KW, asked)
}

#[test]
fn a_solcast_stamp_is_the_end_of_its_period() {
    let span = day("2026-06-01");
    let power = solcast_of(200, &solcast_power(span), span).unwrap();
    assert!(power.is_complete());
    let row = power.rows[20];
    // The twenty-first half-hour of the Dutch day begins at 10:00 on the wall and has 1 kW.
    assert_eq!((row.start, row.end), (at("2026-06-01T10:00:00+02:00"), at("2026-06-01T10:30:00+02:00")));
    assert_eq!(row.value, PvPower { kw: 1.0, low_kw: Some(0.5), high_kw: Some(1.2) });
}

#[test]
fn what_solcast_says_wrongly() {
    let span = day("2026-06-01");
    let with = |change: fn(&mut Value)| {
        let mut body = solcast_power(span);
        change(&mut body);
        solcast_of(200, &body, span).unwrap_err().to_string()
    };
    for (wrong, said) in [
        // W for kW.
        (
            "1000 kW is nothing that a plant of 5 kW gives",
            with(|body| body["forecasts"][20]["pv_estimate"] = json!(1000)),
        ),
        ("-1 kW is nothing", with(|body| body["forecasts"][20]["pv_estimate"] = json!(-1))),
        ("quantiles that are not in order", with(|body| body["forecasts"][20]["pv_estimate10"] = json!(1.1))),
        ("$.forecasts[2].period: \"PT7M\" is no length", with(|body| body["forecasts"][2]["period"] = json!("PT7M"))),
        ("overlaps", with(|body| body["forecasts"][2]["period"] = json!("PT60M"))),
        ("holds no forecasts", with(|body| drop(body.as_object_mut().unwrap().remove("forecasts")))),
    ] {
        assert!(said.starts_with("broken: ") && said.contains(wrong), "{said}");
    }
    let error = |code: &str| json!({ "response_status": { "error_code": code, "message": "m", "errors": [] } });
    for status in [200, 400] {
        assert!(matches!(solcast_of(status, &error("Unauthorized"), span), Err(NoValues::Refused(_))));
        assert!(matches!(solcast_of(status, &error("TooManyRequests"), span), Err(NoValues::Later { .. })));
        assert!(matches!(solcast_of(status, &error("BadRequest"), span), Err(NoValues::Broken(_))));
    }
    assert!(matches!(solcast_of(429, &json!({}), span), Err(NoValues::Later { .. })));
    assert!(matches!(solcast_of(200, &json!({ "forecasts": [] }), span), Err(NoValues::NotYet(_))));
}

#[test]
fn energy_of_forecast_solar_was_made_before_its_stamp() {
    let span = day("2026-06-01");
    let power = forecast_solar_of(200, &forecast_solar_power("2026-06-01"), span).unwrap();
    let of = |instant: &str| power.rows.iter().find(|row| row.start == at(instant)).unwrap();
    // 1,200 Wh by 12:00 were made from 11:00 on.
    assert_eq!(of("2026-06-01T11:00:00Z").value.kw, 1.2);
    assert_eq!(of("2026-06-01T12:00:00Z").value.kw, 1.3);
    // The first interval begins with the sunrise: 600 Wh in 40 minutes; the last ends with the sunset: 40 Wh in 40 minutes.
    let first = of("2026-06-01T05:20:00Z");
    assert!((first.value.kw - 0.9).abs() < 1e-12 && first.end == at("2026-06-01T06:00:00Z"));
    let last = of("2026-06-01T16:00:00Z");
    assert!((last.value.kw - 0.06).abs() < 1e-12 && last.end == at("2026-06-01T16:40:00Z"));
    // Nothing is said of the night around one day; all of the energy is there.
    assert_eq!(power.missing.len(), 2);
    let kwh: f64 = power.rows.iter().map(|row| row.value.kw * row.length().num_seconds() as f64 / 3600.0).sum();
    assert!((kwh - 12.14).abs() < 1e-9, "{kwh}");
}

#[test]
fn a_night_between_two_days_gives_nothing_and_hidden_hours_are_missing() {
    let mut body = forecast_solar_power("2026-06-01");
    let next = forecast_solar_power("2026-06-02");
    let energy = |body: &Value| body["result"]["watt_hours_period"].as_object().unwrap().clone();
    let both: serde_json::Map<_, _> = energy(&body).into_iter().chain(energy(&next)).collect();
    body["result"]["watt_hours_period"] = json!(both);
    let span = Span { from: at("2026-06-01T12:00:00Z"), to: at("2026-06-02T12:00:00Z") };
    let power = forecast_solar_of(200, &body, span).unwrap();
    assert!(power.is_complete());
    let night = power.rows.iter().find(|row| row.start == at("2026-06-01T16:40:00Z")).unwrap();
    assert_eq!((night.end, night.value.kw), (at("2026-06-02T05:20:00Z"), 0.0));
    // Without 10:00 and 11:00 nobody knows when the 1,200 Wh by 12:00 were made.
    let mut holes = both;
    holes.remove("2026-06-02T10:00:00+00:00");
    holes.remove("2026-06-02T11:00:00+00:00");
    body["result"]["watt_hours_period"] = json!(holes);
    let power = forecast_solar_of(200, &body, span).unwrap();
    assert_eq!(power.missing, [Span { from: at("2026-06-02T09:00:00Z"), to: at("2026-06-02T12:00:00Z") }]);
    assert!(power.notes.iter().any(|note| note.contains("1 values were left out")), "{:?}", power.notes);
}

#[test]
fn what_forecast_solar_says_wrongly() {
    let span = day("2026-06-01");
    // The provider's default: local times without offset, unknown for two hours a year.
    let mut body = forecast_solar_power("2026-06-01");
    body["result"]["watt_hours_period"] = json!({ "2026-10-25 02:30:00": 0, "2026-10-25 03:00:00": 5 });
    let said = forecast_solar_of(200, &body, span).unwrap_err().to_string();
    assert!(said.contains("says no offset"), "{said}");
    // Given twice.
    let twice = r#"{"result":{"watt_hours_period":{"2026-06-01T06:00:00Z":0,"2026-06-01T07:00:00Z":1,"2026-06-01T07:00:00Z":2}},"message":{"code":0}}"#;
    let said = forecast_solar::power(&Answer::ok(twice.as_bytes()), PEAK_KW, span).unwrap_err().to_string();
    assert!(said.contains("stamps have to go up"), "{said}");
    let error = |code: i64| {
        json!({ "result": "no", "message": { "code": code, "type": "error", "text": "no",
            "ratelimit": { "retry-at": "2026-06-01T02:48:53+02:00" } } })
    };
    for status in [200, 429] {
        let Err(NoValues::Later { until, .. }) = forecast_solar_of(status, &error(429), span) else {
            panic!("{status}")
        };
        assert_eq!(until, Some(at("2026-06-01T00:48:53Z")));
    }
    assert!(matches!(forecast_solar_of(200, &error(403), span), Err(NoValues::Refused(_))));
    assert!(matches!(forecast_solar_of(422, &error(422), span), Err(NoValues::Broken(_))));
}
