//! Open-Meteo: an irradiance is the mean of the interval before its stamp.

use chrono::TimeDelta;
use kwartier_data::feeds::{Answer, NoValues, SkyForecast, Span, open_meteo};
use kwartier_data::history::Position;
use serde_json::{Value, json};

use crate::make::{HOUR, PLACE, QUARTER, at, day, open_meteo_sky};

fn read_from(body: &Value, place: Position, asked: Span) -> Result<SkyForecast, NoValues> {
    open_meteo::sky(&Answer::ok(body.to_string().as_bytes()), place, at("2026-06-01T00:10:00Z"), asked)
}

fn read(body: &Value, asked: Span) -> Result<SkyForecast, NoValues> {
    read_from(body, PLACE, asked)
}

#[test]
fn irradiance_belongs_to_the_interval_before_its_stamp() {
    let span = day("2026-06-01");
    for step in [QUARTER, HOUR] {
        let sky = read(&open_meteo_sky(span, step), span).unwrap();
        assert!(sky.values.is_complete());
        let first = sky.values.rows[0];
        // The first stamp is the END of the first interval, and its value is 1.
        assert_eq!((first.start, first.end, first.value.ghi_wm2), (span.from, span.from + step, Some(1.0)));
        let fifth = sky.values.rows[4];
        assert_eq!(
            (fifth.start, fifth.value.ghi_wm2, fifth.value.dni_wm2),
            (span.from + step * 4, Some(5.0), Some(5.0))
        );
        // Temperature is that at the stamp: 4 at the beginning of the fifth interval, 5 at its end. Of the first interval,
        // only the end is known. Wind is in km/h.
        assert_eq!((first.value.temp_c, fifth.value.temp_c), (Some(1.0), Some(4.5)));
        assert!((fifth.value.wind_ms.unwrap() - 1.25).abs() < 1e-9);
        let rows = sky.rows();
        assert_eq!((rows[4].start, rows[4].known_at), (fifth.start, at("2026-06-01T00:10:00Z")));
    }
}

#[test]
fn a_clear_day_is_symmetric_about_noon() {
    // A sun that is over the meridian at 12:00: means of quarter-hours, stamped at their ends.
    let span = Span { from: at("2026-06-01T00:00:00Z"), to: at("2026-06-02T00:00:00Z") };
    let mut body = open_meteo_sky(span, QUARTER);
    let power = |minute: f64| (1.0 - ((minute - 720.0) / 480.0).powi(2)).max(0.0) * 800.0;
    let means: Vec<f64> = (0..96).map(|k| power(f64::from(k) * 15.0 + 7.5)).collect();
    body["minutely_15"]["shortwave_radiation"] = json!(means);
    let sky = read(&body, span).unwrap();
    let moment = |row: &kwartier_data::feeds::Row<kwartier_data::history::Sky>| {
        let middle = row.start + row.length() / 2;
        let minutes = (middle - span.from).num_seconds() as f64 / 60.0;
        (row.value.ghi_wm2.unwrap() * minutes, row.value.ghi_wm2.unwrap())
    };
    let (weighted, sum) = sky.values.rows.iter().map(moment).fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
    // One interval off would move noon by a quarter of an hour.
    assert!((weighted / sum - 720.0).abs() < 1.0, "{}", weighted / sum);
}

#[test]
fn one_offset_holds_for_all_stamps_of_an_answer() {
    // Both days of the clock change, with the offset that the zone has when the answer is made.
    for (date, offset_h) in [("2026-10-25", 2), ("2027-03-28", 1)] {
        let span = day(date);
        let mut body = open_meteo_sky(span, QUARTER);
        let times: Vec<String> = body["minutely_15"]["time"]
            .as_array()
            .unwrap()
            .iter()
            .map(|seconds| {
                let local = chrono::DateTime::from_timestamp(seconds.as_i64().unwrap(), 0).unwrap() + HOUR * offset_h;
                local.format("%Y-%m-%dT%H:%M").to_string()
            })
            .collect();
        let with_unix = read(&body, span).unwrap();
        body["minutely_15"]["time"] = json!(times);
        body["utc_offset_seconds"] = json!(offset_h * 3600);
        assert_eq!(read(&body, span).unwrap(), with_unix, "{date}");
        assert!(with_unix.values.is_complete());
    }
}

#[test]
fn unknown_values_stay_unknown() {
    let span = day("2026-06-01");
    let mut body = open_meteo_sky(span, QUARTER);
    body["minutely_15"]["shortwave_radiation"][3] = Value::Null;
    let sky = read(&body, span).unwrap();
    assert_eq!((sky.values.rows[3].value.ghi_wm2, sky.values.rows[3].value.dni_wm2), (None, Some(4.0)));
    for name in
        ["shortwave_radiation", "direct_normal_irradiance", "diffuse_radiation", "temperature_2m", "wind_speed_10m"]
    {
        body["minutely_15"][name][3] = Value::Null;
    }
    let hole = span.from + QUARTER * 3;
    assert_eq!(read(&body, span).unwrap().values.missing, [Span { from: hole, to: hole + QUARTER }]);
    // Asked for two days, given one.
    let two = Span { to: span.to + TimeDelta::days(1), ..span };
    assert_eq!(read(&open_meteo_sky(span, QUARTER), two).unwrap().values.missing, [Span { from: span.to, to: two.to }]);
}

#[test]
fn a_place_on_the_other_side_of_the_earth() {
    let span = day("2026-06-01");
    let mut body = open_meteo_sky(span, QUARTER);
    // Cape Town is south of the equator, Lisbon west of Greenwich.
    for (latitude_deg, longitude_deg) in [(-33.9, 18.4), (38.7, -9.1)] {
        let place = Position { latitude_deg, longitude_deg };
        (body["latitude"], body["longitude"]) = (json!(latitude_deg + 0.1), json!(longitude_deg - 0.1));
        assert!(read_from(&body, place, span).is_ok());
        (body["latitude"], body["longitude"]) = (json!(latitude_deg.abs()), json!(longitude_deg.abs()));
        let said = read_from(&body, place, span).unwrap_err().to_string();
        assert!(said.contains("south and west are negative"), "{said}");
    }
}

#[test]
fn nothing_from_a_high_sun_is_suspect() {
    let span = day("2026-06-01");
    let mut body = open_meteo_sky(span, QUARTER);
    assert_eq!(read(&body, span).unwrap().suspect, []);
    body["minutely_15"]["shortwave_radiation"] = json!(vec![0; 96]);
    let sky = read(&body, span).unwrap();
    assert_eq!(sky.suspect.len(), 1);
    assert!(sky.suspect[0].length() > HOUR * 10);
    assert_eq!(sky.values.notes, ["some diffuse irradiance is more than the global irradiance, which cannot be"]);
}

#[test]
fn units_lengths_and_absurd_values() {
    let span = day("2026-06-01");
    let with = |change: fn(&mut Value)| {
        let mut body = open_meteo_sky(span, QUARTER);
        change(&mut body);
        read(&body, span)
    };
    let units = |unit: &str, name: &str| {
        let mut body = open_meteo_sky(span, QUARTER);
        body["minutely_15_units"] = json!({ name: unit });
        read(&body, span)
    };
    assert_eq!(units("m/s", "wind_speed_10m").unwrap().values.rows[4].value.wind_ms, Some(4.5));
    for (wrong, read) in [
        ("minutely_15_units.temperature_2m: \"°F\"", units("°F", "temperature_2m")),
        ("minutely_15_units.wind_speed_10m: \"mp/h\"", units("mp/h", "wind_speed_10m")),
        ("minutely_15_units.shortwave_radiation: \"MJ/m²\"", units("MJ/m²", "shortwave_radiation")),
        ("9000 is no weather", with(|body| body["minutely_15"]["shortwave_radiation"][50] = json!(9000))),
        ("300 is no weather", with(|body| body["minutely_15"]["temperature_2m"][0] = json!(300))),
        ("values stand beside 96 stamps", with(|body| body["minutely_15"]["temperature_2m"] = json!([1, 2]))),
        (
            "holds neither minutely_15 nor hourly",
            with(|body| drop(body.as_object_mut().unwrap().remove("minutely_15"))),
        ),
        ("is no date and time", with(|body| body["minutely_15"]["time"][0] = json!("2026-06-01"))),
        (
            "is given twice, with two values",
            with(|body| body["minutely_15"]["time"][1] = body["minutely_15"]["time"][0].clone()),
        ),
    ] {
        let said = read.unwrap_err().to_string();
        assert!(said.starts_with("broken: ") && said.contains(wrong), "{said}");
    }
}

#[test]
fn errors() {
    let read = |status: u16, body: &str| {
        let answer = Answer { status, body: body.as_bytes() };
        open_meteo::sky(&answer, PLACE, at("2026-06-01T00:10:00Z"), day("2026-06-01")).unwrap_err()
    };
    let error = |reason: &str| json!({ "error": true, "reason": reason }).to_string();
    let limit = error("Minutely API request limit exceeded. Please try again in one minute.");
    for status in [200, 400, 429] {
        assert!(matches!(read(status, &limit), NoValues::Later { .. }), "{status}");
    }
    assert!(matches!(read(400, &error("The supplied API key is invalid.")), NoValues::Refused(_)));
    let said = read(400, &error("Latitude must be in range of -90 to 90°.")).to_string();
    assert!(said.contains("Latitude must be in range"), "{said}");
    assert!(matches!(read(502, "<html>Bad Gateway</html>"), NoValues::Later { .. }));
}
