//! Feeds of prices other than ENTSO-E: each trap with a value that would be another one if it were missed.

use chrono::TimeDelta;
use kwartier_data::feeds::{
    Answer, Covers, Currency, NoValues, Prices, Span, awattar, energy_charts, energyzero, energyzero_graphql, nordpool,
    octopus, tibber,
};
use serde_json::{Value, json};

use crate::make::{
    HOUR, QUARTER, TIBBER, at, awattar_day, awattar_prices, day, energy_charts_prices, energyzero_graphql_prices,
    energyzero_prices, eur_mwh, nordpool_prices, octopus_rates, tibber_prices,
};

fn answer<T>(status: u16, body: &Value, parse: impl Fn(&Answer<'_>) -> T) -> T {
    parse(&Answer { status, body: body.to_string().as_bytes() })
}

fn energy_charts_of(body: &Value, asked: Span) -> Result<Prices, NoValues> {
    answer(200, body, |answer| energy_charts::prices(answer, asked))
}

#[test]
fn energy_charts_by_the_instant() {
    for date in ["2026-11-05", "2026-10-25", "2027-03-28"] {
        let span = day(date);
        let prices = energy_charts_of(&energy_charts_prices(span, QUARTER), span).unwrap();
        assert!(prices.values.is_complete(), "{date}");
        assert_eq!(eur_mwh(&prices, &(span.from + QUARTER * 5).to_rfc3339()), 15.0);
    }
    // `end` is a day that is in the answer: two days come for one.
    let two = Span { from: day("2026-11-05").from, to: day("2026-11-06").to };
    let prices = energy_charts_of(&energy_charts_prices(two, HOUR), day("2026-11-06")).unwrap();
    assert_eq!((prices.values.rows.len(), eur_mwh(&prices, "2026-11-06T00:00:00+01:00")), (24, 34.0));
}

#[test]
fn energy_charts_nulls_are_missing_and_zero_is_not() {
    let span = day("2026-11-05");
    let mut body = energy_charts_prices(span, QUARTER);
    (body["price"][4], body["price"][5]) = (Value::Null, json!(0));
    let prices = energy_charts_of(&body, span).unwrap();
    let hole = span.from + HOUR;
    assert_eq!(prices.values.missing, [Span { from: hole, to: hole + QUARTER }]);
    assert_eq!(eur_mwh(&prices, &(hole + QUARTER).to_rfc3339()), 0.0);
    body["price"] = json!(vec![Value::Null; 96]);
    assert!(matches!(energy_charts_of(&body, span), Err(NoValues::NotYet(_))));
}

#[test]
fn energy_charts_arrays_units_and_statuses() {
    let span = day("2026-11-05");
    let with = |change: fn(&mut Value)| {
        let mut body = energy_charts_prices(span, QUARTER);
        change(&mut body);
        energy_charts_of(&body, span)
    };
    assert!(with(|body| body["unit"] = json!("EUR/MWh")).is_ok());
    for (wrong, read) in [
        ("\"EUR/kWh\" is not EUR/MWh", with(|body| body["unit"] = json!("EUR/kWh"))),
        ("\"ct/kWh\" is not EUR/MWh", with(|body| body["unit"] = json!("ct/kWh"))),
        ("$.price: 95 values stand beside 96 stamps", with(|body| drop(body["price"].as_array_mut().unwrap().pop()))),
        (
            "$.unix_seconds[3]: 1762300000000 is no time",
            with(|body| body["unix_seconds"][3] = json!(1_762_300_000_000_i64)),
        ),
        ("stamps have to go up", with(|body| body["unix_seconds"][3] = body["unix_seconds"][2].clone())),
        ("$.price[7]: \"12.5\" is not a number", with(|body| body["price"][7] = json!("12.5"))),
    ] {
        let said = read.unwrap_err().to_string();
        assert!(said.starts_with("broken: ") && said.contains(wrong), "{said}");
    }
    let status = |status: u16| {
        answer(status, &json!({ "detail": "x" }), |answer| energy_charts::prices(answer, span)).unwrap_err()
    };
    assert!(matches!(status(404), NoValues::NotYet(_)));
    assert!(matches!(status(429), NoValues::Later { .. }));
    assert!(matches!(status(403), NoValues::Refused(_)));
    let retired = with(|body| body["deprecated"] = json!(true)).unwrap();
    assert!(retired.values.notes[0].contains("will be gone"));
}

#[test]
fn energyzero_texts_three_days_and_streams() {
    let span = day("2026-11-06");
    let three = Span { from: day("2026-11-05").from, to: day("2026-11-07").to };
    let body = energyzero_prices(three, QUARTER);
    let read = |covers, vat_included| {
        let stream = energyzero::Stream { covers, vat_included };
        answer(200, &body, |answer| energyzero::prices(answer, stream, span)).unwrap()
    };
    let market = read(Covers::Energy, false);
    assert!(market.values.is_complete());
    assert_eq!(market.values.notes, ["192 values outside what was asked for were left out"]);
    // EUR/kWh as text: "0.10600" is 106 EUR/MWh.
    assert_eq!(eur_mwh(&market, "2026-11-06T00:00:00+01:00"), 106.0);
    assert_eq!(eur_mwh(&read(Covers::Energy, true), "2026-11-06T00:00:00+01:00"), 206.0);
    assert_eq!(eur_mwh(&read(Covers::Retail, false), "2026-11-06T00:00:00+01:00"), 306.0);
    let all = read(Covers::Retail, true);
    assert_eq!((eur_mwh(&all, "2026-11-06T00:00:00+01:00"), all.vat_included), (406.0, true));
}

#[test]
fn energyzero_errors() {
    let span = day("2026-11-06");
    let read = |status: u16, body: &Value| {
        answer(status, body, |answer| energyzero::prices(answer, energyzero::Stream::MARKET, span)).unwrap_err()
    };
    let error = |code: i64| json!({ "code": code, "message": "no", "details": [] });
    for status in [200, 400, 404] {
        assert!(matches!(read(status, &error(5)), NoValues::NotYet(_)), "{status}");
        assert!(matches!(read(status, &error(16)), NoValues::Refused(_)), "{status}");
        assert!(matches!(read(status, &error(8)), NoValues::Later { .. }), "{status}");
        assert!(matches!(read(status, &error(3)), NoValues::Broken(_)), "{status}");
    }
    assert!(matches!(read(404, &json!({})), NoValues::NotYet(_)));
    assert!(read(200, &json!({})).to_string().contains("$.base: is missing"));
    for value in [json!("x"), json!("NaN"), json!("1e999"), json!("0,08"), json!(0.08)] {
        let mut body = energyzero_prices(span, QUARTER);
        body["base"][0]["price"]["value"] = value.clone();
        let said = read(200, &body).to_string();
        assert!(said.contains("$.base[0].price.value: "), "{said}");
    }
    // Of EUR/MWh taken for EUR/kWh nothing is a price.
    let mut body = energyzero_prices(span, QUARTER);
    body["base"][0]["price"]["value"] = json!("79.94");
    assert!(read(200, &body).to_string().contains("is no price of energy"));
}

#[test]
fn energyzero_graphql() {
    let span = day("2026-11-05");
    let read = |body: &Value, covers, vat_included| {
        let stream = energyzero::Stream { covers, vat_included };
        answer(200, body, |answer| energyzero_graphql::prices(answer, stream, span))
    };
    let body = energyzero_graphql_prices(span);
    let market = read(&body, Covers::Energy, false).unwrap();
    assert!(market.values.is_complete());
    assert_eq!(eur_mwh(&market, "2026-11-05T01:00:00+01:00"), 11.0);
    assert_eq!(eur_mwh(&read(&body, Covers::Retail, false).unwrap(), "2026-11-05T01:00:00+01:00"), 111.0);
    assert_eq!(eur_mwh(&read(&body, Covers::Retail, true).unwrap(), "2026-11-05T01:00:00+01:00"), 134.31);
    let said = |body: Value| read(&body, Covers::Energy, false).unwrap_err();
    assert!(matches!(said(json!({ "data": [] })), NoValues::NotYet(_)));
    assert!(matches!(said(json!({ "data": { "energyMarketPrices": { "prices": [] } } })), NoValues::NotYet(_)));
    let error = |code: &str| json!({ "errors": [{ "message": "m", "extensions": { "code": code } }], "data": null });
    assert!(matches!(said(error("DOWNSTREAM_SERVICE_ERROR")), NoValues::Later { .. }));
    assert!(matches!(said(error("UNAUTHENTICATED")), NoValues::Refused(_)));
    assert!(matches!(said(error("GRAPHQL_VALIDATION_FAILED")), NoValues::Broken(_)));
    assert!(matches!(said(json!({ "data": { "energyMarketPrices": { "prices": [{}] } } })), NoValues::Broken(_)));
}

#[test]
fn awattar_milliseconds() {
    for (date, hours) in [("2026-11-05", 24), ("2026-10-25", 25), ("2027-03-28", 23)] {
        let span = day(date);
        let prices = answer(200, &awattar_day(span), |answer| awattar::prices(answer, span)).unwrap();
        assert!(prices.values.is_complete(), "{date}");
        assert_eq!((prices.values.rows.len(), eur_mwh(&prices, &(span.from + HOUR * 3).to_rfc3339())), (hours, 13.0));
    }
    let span = day("2026-11-05");
    let read = |body: &Value| answer(200, body, |answer| awattar::prices(answer, span)).unwrap_err();
    assert!(matches!(read(&json!({ "object": "list", "data": [] })), NoValues::NotYet(_)));
    let mut body = awattar_day(span);
    body["data"][2]["start_timestamp"] = json!(span.from.timestamp());
    assert!(read(&body).to_string().contains("$.data[2].start_timestamp"));
    let mut body = awattar_day(span);
    body["data"][2]["unit"] = json!("ct/kWh");
    assert!(read(&body).to_string().contains("$.data[2].unit: \"ct/kWh\" is not Eur/MWh"));
    // An interval that ends when it begins, and one that runs backwards.
    for length in [TimeDelta::zero(), -HOUR] {
        assert!(matches!(read(&awattar_prices(&[(span.from, span.from + length, 1.0)])), NoValues::Broken(_)));
    }
}

#[test]
fn nordpool_states_areas_and_currencies() {
    let span = day("2026-11-05");
    let read = |body: &Value, area: &str| answer(200, body, |answer| nordpool::prices(answer, area, span));
    let mut body = nordpool_prices(span, QUARTER);
    let prices = read(&body, "NL").unwrap();
    assert!(prices.values.is_complete());
    assert_eq!(eur_mwh(&prices, "2026-11-05T00:15:00+01:00"), 11.0);
    assert_eq!(prices.published, Some(at("2026-11-04T11:58:10Z")));
    let said = read(&body, "BE").unwrap_err().to_string();
    assert!(said.contains("\"BE\" has no price; \"NL\" have"), "{said}");
    body["areaStates"][0]["state"] = json!("Preliminary");
    assert!(read(&body, "NL").unwrap().values.rows.iter().all(|row| row.value.provisional));
    body["currency"] = json!("SEK");
    assert_eq!(read(&body, "NL").unwrap().currency.code(), "SEK");
    body["multiAreaEntries"][7]["entryPerArea"]["NL"] = Value::Null;
    assert_eq!(read(&body, "NL").unwrap().values.missing.len(), 1);
    // Before the publication.
    for status in [200, 204] {
        let empty = nordpool::prices(&Answer { status, body: b"" }, "NL", span);
        assert!(matches!(empty, Err(NoValues::NotYet(_))));
    }
}

#[test]
fn tibber_offsets_on_days_of_the_clock_change() {
    for (date, next) in [("2026-10-25", "2026-10-26"), ("2027-03-28", "2027-03-29"), ("2026-11-05", "2026-11-06")] {
        let (today, tomorrow) = (day(date), day(next));
        let both = Span { from: today.from, to: tomorrow.to };
        let body = tibber_prices(today, Some(tomorrow), QUARTER);
        let prices = answer(200, &body, |answer| tibber::prices(answer, &TIBBER, both)).unwrap();
        assert!(prices.values.is_complete(), "{date}");
        assert_eq!(eur_mwh(&prices, &tomorrow.from.to_rfc3339()), 210.0);
        assert_eq!((prices.vat_included, prices.covers), (true, Covers::Retail));
        let energy = tibber::Wanted { covers: Covers::Energy, ..TIBBER };
        let energy = answer(200, &body, |answer| tibber::prices(answer, &energy, both)).unwrap();
        assert_eq!((eur_mwh(&energy, &tomorrow.from.to_rfc3339()), energy.vat_included), (10.0, false));
        // Hours, when no resolution is asked for.
        let hours =
            answer(200, &tibber_prices(today, None, HOUR), |answer| tibber::prices(answer, &TIBBER, today)).unwrap();
        assert_eq!(hours.values.rows[0].length(), HOUR);
        assert!(hours.values.is_complete());
    }
}

#[test]
fn tibber_refuses_with_status_200_and_may_be_empty() {
    let span = day("2026-11-05");
    let read = |body: &Value| answer(200, body, |answer| tibber::prices(answer, &TIBBER, span)).unwrap_err();
    let error = |code: &str| json!({ "errors": [{ "message": "no", "extensions": { "code": code } }] });
    assert!(matches!(read(&error("UNAUTHENTICATED")), NoValues::Refused(_)));
    assert!(matches!(read(&error("BAD_USER_INPUT")), NoValues::Broken(_)));
    let empty = json!({ "today": [], "tomorrow": [] });
    let empty = json!({ "data": { "viewer": { "home": { "currentSubscription": { "priceInfo": empty } } } } });
    assert!(matches!(read(&empty), NoValues::NotYet(_)));
    let none = json!({ "data": { "viewer": { "homes": [{ "id": "a", "currentSubscription": null }] } } });
    assert!(read(&none).to_string().contains("no subscription"));
    // Today only, when tomorrow is asked for; and 672 values of more that were asked for.
    let today = tibber_prices(day("2026-11-04"), None, QUARTER);
    assert!(matches!(read(&today), NoValues::NotYet(_)));
    let week = Span { from: day("2026-11-01").from, to: day("2026-11-10").to };
    let capped = tibber_prices(Span { to: week.from + QUARTER * 672, ..week }, None, QUARTER);
    let prices = answer(200, &capped, |answer| tibber::prices(answer, &TIBBER, week)).unwrap();
    assert_eq!(prices.values.missing, [Span { from: week.from + QUARTER * 672, to: week.to }]);
}

#[test]
fn tibber_homes() {
    let span = day("2026-11-05");
    let mut body = tibber_prices(span, None, QUARTER);
    let mut other = body["data"]["viewer"]["homes"][0].clone();
    other["id"] = json!("other");
    body["data"]["viewer"]["homes"].as_array_mut().unwrap().push(other);
    let read = |home| answer(200, &body, |answer| tibber::prices(answer, &tibber::Wanted { home, ..TIBBER }, span));
    assert!(read(Some("other")).is_ok());
    assert!(read(None).unwrap_err().to_string().contains("several homes: \"home\", \"other\""));
    assert!(read(Some("x")).unwrap_err().to_string().contains("\"x\" is no home"));
}

#[test]
fn octopus_pence_newest_first() {
    for (date, slots) in [("2026-11-05", 48), ("2026-10-25", 50), ("2027-03-28", 46)] {
        let span = Span::of_day(chrono_tz::Europe::London, date.parse().unwrap());
        let body = octopus_rates(span);
        let rates = answer(200, &body, |answer| octopus::prices(answer, octopus::Payment::DirectDebit, span)).unwrap();
        assert!(rates.values.is_complete(), "{date}");
        assert_eq!((rates.values.rows.len(), rates.currency, rates.vat_included), (slots, Currency::GBP, false));
        // 1.0 p/kWh without VAT in the first half-hour is 10 GBP/MWh; the second has 1.1 p.
        assert_eq!(eur_mwh(&rates, &span.from.to_rfc3339()), 10.0);
        assert_eq!(eur_mwh(&rates, &(span.from + QUARTER * 2).to_rfc3339()), 11.0);
    }
}

#[test]
fn octopus_records_without_end_ways_to_pay_and_tariffs_that_are_not() {
    let span = Span::of_day(chrono_tz::Europe::London, "2026-11-05".parse().unwrap());
    let read = |status: u16, results: Value, payment| {
        let body = json!({ "count": 2, "next": null, "previous": null, "results": results });
        answer(status, &body, |answer| octopus::prices(answer, payment, span))
    };
    let rate = |pence: f64, from: Value, to: Value, method: Value| json!({ "value_exc_vat": pence, "value_inc_vat": pence, "valid_from": from, "valid_to": to, "payment_method": method });
    let flat = json!([
        rate(24.5, json!("2026-10-01T00:00:00+01:00"), Value::Null, json!("DIRECT_DEBIT")),
        rate(26.0, json!("2026-10-01T00:00:00+01:00"), Value::Null, json!("NON_DIRECT_DEBIT")),
        rate(20.0, Value::Null, json!("2026-10-01T00:00:00+01:00"), json!("DIRECT_DEBIT")),
    ]);
    let prices = read(200, flat.clone(), octopus::Payment::DirectDebit).unwrap();
    assert_eq!((prices.values.rows.len(), prices.values.is_complete()), (1, true));
    assert_eq!(eur_mwh(&prices, "2026-11-05T12:00:00Z"), 245.0);
    let other = read(200, flat, octopus::Payment::Other).unwrap();
    assert_eq!(eur_mwh(&other, "2026-11-05T12:00:00Z"), 260.0);
    let plunge = json!([rate(-11.3, json!("2026-11-05T02:00:00Z"), json!("2026-11-05T02:30:00Z"), Value::Null)]);
    assert_eq!(eur_mwh(&read(200, plunge, octopus::Payment::Other).unwrap(), "2026-11-05T02:00:00Z"), -113.0);
    assert!(matches!(read(200, json!([]), octopus::Payment::Other), Err(NoValues::NotYet(_))));
    // A stamp without offset could be London's or UTC.
    let naive = json!([rate(10.0, json!("2026-07-05T02:00:00"), json!("2026-07-05T02:30:00Z"), Value::Null)]);
    assert!(read(200, naive, octopus::Payment::Other).unwrap_err().to_string().contains("says no offset"));
    let missing = answer(404, &json!({ "detail": "Not found." }), |answer| {
        octopus::prices(answer, octopus::Payment::DirectDebit, span)
    });
    assert!(missing.unwrap_err().to_string().contains("knows no such tariff: Not found."));
}
