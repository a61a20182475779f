//! Files and pushed JSON in place of a feed.

use std::fmt::Write as _;

use kwartier_data::feeds::{Carbon, Covers, Currency, NoValues, PvPower, Span, file, push};
use kwartier_data::series::{Reading, Unit};
use serde_json::{Value, json};

use crate::make::{HOUR, PEAK_KW, QUARTER, at, day, eur_mwh, grid, rising};

/// A CSV file of a day with local stamps, as the wall clock of Amsterdam shows them.
fn local(span: Span, header: &str) -> String {
    let starts = grid(span, QUARTER);
    let mut text = format!("start,{header}\n");
    for (start, value) in starts.iter().zip(rising(starts.len())) {
        let _ =
            writeln!(text, "{},{value}", start.with_timezone(&chrono_tz::Europe::Amsterdam).format("%Y-%m-%d %H:%M"));
    }
    text
}

const NL: Reading<'static> =
    Reading { zone: Some(chrono_tz::Europe::Amsterdam), column: None, unit: None, filter: &[], time: None };

#[test]
fn local_times_on_both_days_of_the_clock_change() {
    for date in ["2026-10-25", "2027-03-28", "2026-11-05"] {
        let span = day(date);
        let text = local(span, "price_eur_mwh");
        let prices = file::prices(text.as_bytes(), &NL, Covers::Energy, false, span).unwrap();
        assert!(prices.values.is_complete(), "{date}");
        assert_eq!(eur_mwh(&prices, &(span.from + HOUR * 4).to_rfc3339()), 26.0);
        assert_eq!(eur_mwh(&prices, &(span.to - QUARTER).to_rfc3339()), rising(100)[grid(span, QUARTER).len() - 1]);
        // Without a zone nobody knows what they mean.
        let blind = Reading { zone: None, ..NL };
        let said = file::prices(text.as_bytes(), &blind, Covers::Energy, false, span).unwrap_err().to_string();
        assert!(said.contains("says neither its offset nor its zone"), "{said}");
    }
    // A time that the clock skips.
    let skipped = "start,price_eur_mwh\n2027-03-28 01:45,10\n2027-03-28 02:00,11\n2027-03-28 02:15,12\n";
    let said = file::prices(skipped.as_bytes(), &NL, Covers::Energy, false, day("2027-03-28")).unwrap_err().to_string();
    assert!(said.contains("is a time that the clock skips"), "{said}");
}

#[test]
fn units_of_files() {
    let span = day("2026-11-05");
    for (header, factor) in [("price_eur_mwh", 1.0), ("price_ct_kwh", 10.0)] {
        let prices = file::prices(local(span, header).as_bytes(), &NL, Covers::Retail, true, span);
        let read = prices.map(|prices| eur_mwh(&prices, "2026-11-05T00:00:00+01:00"));
        assert_eq!(read, Ok(10.0 * factor), "{header}");
    }
    // 10 EUR/kWh and more are none, and a header without a unit is asked about.
    assert!(file::prices(local(span, "price_eur_kwh").as_bytes(), &NL, Covers::Energy, false, span).is_err());
    assert!(file::prices(local(span, "price").as_bytes(), &NL, Covers::Energy, false, span).is_err());
    let said = Reading { unit: Unit::parse("EUR/MWh"), ..NL };
    assert!(file::prices(local(span, "price").as_bytes(), &said, Covers::Energy, false, span).is_ok());
}

#[test]
fn carbon_and_power_of_files() {
    let span = day("2026-11-05");
    let carbon = file::carbon(local(span, "co2_g_kwh").as_bytes(), &NL, true, span).unwrap();
    assert!(carbon.is_complete());
    assert!((carbon.rows[3].value.g_kwh - 13.0).abs() < 1e-9 && carbon.rows[3].value.forecast);
    let power = file::power(local(span, "pv_w").as_bytes(), &NL, PEAK_KW, span).unwrap();
    assert!((power.rows[3].value.kw - 0.013).abs() < 1e-9 && power.rows[3].value.low_kw.is_none());
    assert!(file::power(local(span, "pv_kw").as_bytes(), &NL, PEAK_KW, span).is_err());
}

#[test]
fn gaps_of_files_are_missing() {
    let span = day("2026-11-05");
    let text: String = local(span, "price_eur_mwh")
        .lines()
        .enumerate()
        .filter(|(k, _)| !(5..7).contains(k))
        .fold(String::new(), |text, (_, line)| text + line + "\n");
    let prices = file::prices(text.as_bytes(), &NL, Covers::Energy, false, span).unwrap();
    assert_eq!(prices.values.missing, [Span { from: span.from + HOUR, to: span.from + HOUR + QUARTER * 2 }]);
}

#[test]
fn pushed_values() {
    let start = "2026-06-01T10:00:00Z";
    let prices = json!({ "currency": "EUR", "vat_included": true, "retail": true, "prices": [
        { "start": start, "minutes": 60, "per_kwh": 0.25 }, { "start": "2026-06-01T13:00:00+02:00", "minutes": 15, "per_kwh": -0.1, "provisional": true },
    ] });
    let read = push::prices(prices.to_string().as_bytes()).unwrap();
    assert_eq!((read.currency, read.vat_included, read.covers), (Currency::EUR, true, Covers::Retail));
    assert_eq!(
        read.values.rows.iter().map(|row| row.end).collect::<Vec<_>>(),
        [at("2026-06-01T11:00:00Z"), at("2026-06-01T11:15:00Z")]
    );
    assert!(read.values.rows[1].value.provisional && read.values.is_complete());
    let sky = json!([{ "start": start, "minutes": 60, "ghi_wm2": 500, "temp_c": 20.5 }]);
    let sky = push::sky(sky.to_string().as_bytes(), at(start)).unwrap();
    assert_eq!(
        (sky.rows()[0].start, sky.rows()[0].sky.ghi_wm2, sky.rows()[0].sky.wind_ms),
        (at(start), Some(500.0), None)
    );
    let power = json!([{ "start": start, "minutes": 15, "kw": 3, "low_kw": 1, "high_kw": 4 }]);
    let power = push::power(power.to_string().as_bytes(), PEAK_KW).unwrap();
    assert_eq!(power.rows[0].value, PvPower { kw: 3.0, low_kw: Some(1.0), high_kw: Some(4.0) });
    let carbon = json!([{ "start": start, "minutes": 30, "g_kwh": 320, "forecast": true }]);
    assert_eq!(
        push::carbon(carbon.to_string().as_bytes()).unwrap().rows[0].value,
        Carbon { g_kwh: 320.0, forecast: true }
    );
}

#[test]
fn what_is_pushed_wrongly() {
    let prices = |change: fn(&mut Value)| {
        let mut body = json!({ "currency": "EUR", "vat_included": false, "retail": false, "prices": [
            { "start": "2026-06-01T10:00:00Z", "minutes": 60, "per_kwh": 0.25 },
            { "start": "2026-06-01T11:00:00Z", "minutes": 60, "per_kwh": 0.25 },
        ] });
        change(&mut body);
        push::prices(body.to_string().as_bytes()).unwrap_err()
    };
    for (wrong, said) in [
        ("$.prices[0].minutes: 0 is not from 1 to 1440", prices(|body| body["prices"][0]["minutes"] = json!(0))),
        ("overlaps", prices(|body| body["prices"][0]["minutes"] = json!(90))),
        ("85 EUR/kWh is no price of energy", prices(|body| body["prices"][0]["per_kwh"] = json!(85))),
        (
            "$.prices[0].price: is a field the format does not know",
            prices(|body| body["prices"][0]["price"] = json!(1)),
        ),
        ("$.currency: \"euro\" is no currency", prices(|body| body["currency"] = json!("euro"))),
        ("$.prices[0].start", prices(|body| body["prices"][0]["start"] = json!("2026-06-01T10:00:00"))),
        ("is no time that is read", prices(|body| body["prices"][0]["start"] = json!("9999-06-01T10:00:00Z"))),
    ] {
        assert!(matches!(said, NoValues::Broken(_)) && said.to_string().contains(wrong), "{said}");
    }
    assert!(matches!(prices(|body| body["prices"] = json!([])), NoValues::NotYet(_)));
    let sky = json!([{ "start": "2026-06-01T10:00:00Z", "minutes": 60, "temp_c": 300 }]);
    let said = push::sky(sky.to_string().as_bytes(), at("2026-06-01T00:00:00Z")).unwrap_err().to_string();
    assert!(said.contains("$[0].temp_c: 300 is no weather"), "{said}");
    assert!(
        push::carbon(b"[{\"start\":\"2026-06-01T10:00:00Z\",\"minutes\":30,\"g_kwh\":-1,\"forecast\":true}]").is_err()
    );
    assert!(push::power(b"{}", PEAK_KW).is_err());
}
