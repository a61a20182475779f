//! ENTSO-E: positions, sequences, curve types, lengths of days, acknowledgements.

use chrono::TimeDelta;
use kwartier_data::feeds::{Answer, Area, Covers, Currency, NoValues, Prices, Span, entsoe};

use crate::make::{HOUR, QUARTER, Series, acknowledgement, at, day, document, eur_mwh, grid, nl, rising};

fn read(series: &[Series], asked: Span) -> Result<Prices, NoValues> {
    entsoe::prices(&Answer::ok(document(series).as_bytes()), nl(), asked)
}

fn said(series: &Series) -> String {
    read(std::slice::from_ref(series), series.span).unwrap_err().to_string()
}

fn quarters(span: Span) -> Series {
    Series::new(span, "PT15M", &rising(grid(span, QUARTER).len()))
}

#[test]
fn the_first_position_begins_when_the_period_begins() {
    let span = day("2026-11-05");
    let prices = read(&[quarters(span)], span).unwrap();
    assert_eq!(prices.values.rows.len(), 96);
    assert!(prices.values.is_complete() && prices.values.notes.is_empty());
    assert_eq!((prices.values.rows[0].start, prices.values.rows[0].end), (span.from, span.from + QUARTER));
    assert_eq!((prices.currency, prices.vat_included, prices.covers), (Currency::EUR, false, Covers::Energy));
    // 10 EUR/MWh at midnight in the Netherlands, 1 more with each quarter-hour.
    assert_eq!(eur_mwh(&prices, "2026-11-05T00:00:00+01:00"), 10.0);
    assert_eq!(eur_mwh(&prices, "2026-11-05T12:14:59+01:00"), 58.0);
    assert_eq!(eur_mwh(&prices, "2026-11-05T12:15:00+01:00"), 59.0);
    assert_eq!(eur_mwh(&prices, "2026-11-05T23:45:00+01:00"), 105.0);
}

#[test]
fn a_position_left_out_repeats_under_a03_and_is_missing_under_a01() {
    let span = day("2026-11-05");
    let mut series = quarters(span);
    series.points.retain(|(position, _)| !(79..=80).contains(position));
    let prices = read(std::slice::from_ref(&series), span).unwrap();
    let at_79 = "2026-11-05T19:30:00+01:00";
    assert_eq!(eur_mwh(&prices, at_79), 10.0 + 77.0);
    assert_eq!(eur_mwh(&prices, "2026-11-05T19:45:00+01:00"), 10.0 + 77.0);
    assert_eq!(eur_mwh(&prices, "2026-11-05T20:00:00+01:00"), 10.0 + 80.0);
    assert!(prices.values.is_complete());
    series.curve = "A01";
    let prices = read(&[series], span).unwrap();
    assert_eq!(prices.values.missing, [Span { from: at(at_79), to: at(at_79) + QUARTER * 2 }]);
    assert_eq!(prices.values.rows.len(), 94);
}

#[test]
fn before_the_first_position_nothing_repeats_and_after_the_last_it_does() {
    let span = day("2026-11-05");
    let mut series = quarters(span);
    series.points = vec![(3, "50".to_owned())];
    let prices = read(&[series], span).unwrap();
    assert_eq!(prices.values.missing, [Span { from: span.from, to: span.from + QUARTER * 2 }]);
    assert_eq!(prices.values.rows.last().unwrap().end, span.to);
}

#[test]
fn positions_need_no_order() {
    let span = day("2026-11-05");
    let mut series = quarters(span);
    series.points.reverse();
    assert_eq!(read(&[series], span), read(&[quarters(span)], span));
}

#[test]
fn the_lowest_sequence_counts_whichever_comes_first() {
    let span = day("2026-11-05");
    let auction = quarters(span).in_sequence(1);
    let exchange = Series::new(span, "PT15M", &vec![99.0; 96]).in_sequence(2);
    let one = read(&[auction.clone(), exchange.clone()], span).unwrap();
    let other = read(&[exchange.clone(), auction.clone()], span).unwrap();
    assert_eq!(one, other);
    assert_eq!(eur_mwh(&one, "2026-11-05T00:15:00+01:00"), 11.0);
    assert!(one.values.rows.iter().all(|row| !row.value.provisional));
    // Hours in the first, as in 2024: the coupled auction all the same.
    let hours = Series::new(span, "PT60M", &rising(24)).in_sequence(1);
    let coarse = read(&[exchange, hours], span).unwrap();
    assert_eq!((coarse.values.rows.len(), eur_mwh(&coarse, "2026-11-05T01:30:00+01:00")), (24, 11.0));
}

#[test]
fn the_second_sequence_stands_for_a_first_that_is_missing_provisionally() {
    let (today, tomorrow) = (day("2026-11-05"), day("2026-11-06"));
    let both = Span { from: today.from, to: tomorrow.to };
    let exchange = Series::new(both, "PT15M", &vec![99.0; 192]).in_sequence(2);
    let prices = read(&[exchange.clone(), quarters(today).in_sequence(1)], both).unwrap();
    let provisional: Vec<bool> = prices.values.rows.iter().map(|row| row.value.provisional).collect();
    assert_eq!(provisional, [vec![false; 96], vec![true; 96]].concat());
    assert!(prices.values.notes[0].contains("the next one stands for it"), "{:?}", prices.values.notes);
    let alone = read(&[exchange], tomorrow).unwrap();
    assert!(alone.values.rows.iter().all(|row| row.value.provisional));
}

#[test]
fn days_of_the_clock_change() {
    for (date, count) in [("2026-10-25", 100), ("2027-03-28", 92)] {
        let span = day(date);
        assert_eq!(grid(span, QUARTER).len(), count);
        let prices = read(&[quarters(span)], span).unwrap();
        assert!(prices.values.is_complete(), "{date}");
        assert_eq!(prices.values.rows.len(), count);
        // The last quarter of the local day has the last position.
        let last = format!("{date}T23:45:00{}", if count == 100 { "+01:00" } else { "+02:00" });
        assert_eq!(eur_mwh(&prices, &last), rising(count)[count - 1]);
    }
    // The hour that comes twice has two prices.
    let prices = read(&[quarters(day("2026-10-25"))], day("2026-10-25")).unwrap();
    assert_eq!(eur_mwh(&prices, "2026-10-25T02:30:00+02:00"), 20.0);
    assert_eq!(eur_mwh(&prices, "2026-10-25T02:30:00+01:00"), 24.0);
}

#[test]
fn a_day_of_the_wrong_length() {
    // 96 positions on a day of 92.
    let short = day("2027-03-28");
    let wrong = said(&Series::new(short, "PT15M", &rising(96)));
    assert!(wrong.contains("Point[92].position: \"93\" is no position of a period of 92"), "{wrong}");
    // 96 positions on a day of 100, each position stated: the last hour is missing.
    let long = day("2026-10-25");
    let mut series = Series::new(long, "PT15M", &rising(96));
    series.curve = "A01";
    let prices = read(&[series], long).unwrap();
    assert_eq!(prices.values.missing, [Span { from: long.to - HOUR, to: long.to }]);
}

#[test]
fn both_spellings_of_an_hour_and_several_lengths_in_one_answer() {
    let (today, tomorrow) = (day("2026-11-05"), day("2026-11-06"));
    let both = Span { from: today.from, to: tomorrow.to };
    for hour in ["PT60M", "PT1H"] {
        let prices = read(&[quarters(tomorrow), Series::new(today, hour, &rising(24))], both).unwrap();
        assert_eq!(prices.values.rows.len(), 24 + 96);
        assert_eq!(prices.values.notes, ["the intervals have several lengths: 15, 60 minutes"]);
        let series = prices.values.series(QUARTER, |price| price.per_kwh).unwrap();
        assert_eq!(series.values.len(), 192);
        assert_eq!((series.values[3], series.values[4]), (Some(0.010), Some(0.011)));
    }
}

#[test]
fn what_overlaps_itself_is_broken() {
    let span = day("2026-11-05");
    let hours = Series::new(span, "PT60M", &rising(24));
    let said = read(&[hours, quarters(span)], span).unwrap_err().to_string();
    assert!(said.contains("overlaps that from 2026-11-04T23:00:00Z"), "{said}");
    let twice = read(&[quarters(span), quarters(span)], span).unwrap();
    assert_eq!(twice.values.notes, ["96 values are given twice, alike"]);
    let mut series = quarters(span);
    series.points.push((1, "11".to_owned()));
    assert!(self::said(&series).contains("stands there twice, with two prices"));
}

#[test]
fn zero_and_negative_prices_are_prices() {
    let span = day("2026-11-05");
    let prices = read(&[Series::new(span, "PT60M", &[vec![0.0; 12], vec![-120.5; 12]].concat())], span).unwrap();
    assert!(prices.values.is_complete());
    assert_eq!(eur_mwh(&prices, "2026-11-05T11:30:00+01:00"), 0.0);
    assert_eq!(eur_mwh(&prices, "2026-11-05T12:00:00+01:00"), -120.5);
}

#[test]
fn what_is_not_there_yet_and_what_is_missing_of_it() {
    let (today, tomorrow) = (day("2026-11-05"), day("2026-11-06"));
    assert!(matches!(read(&[quarters(today)], tomorrow), Err(NoValues::NotYet(_))));
    assert!(matches!(read(&[], tomorrow), Err(NoValues::NotYet(_))));
    // A week is asked for and a day comes.
    let week = Span { from: today.from, to: today.from + TimeDelta::days(7) };
    assert_eq!(read(&[quarters(today)], week).unwrap().values.missing, [Span { from: today.to, to: week.to }]);
}

#[test]
fn other_auctions_are_left_out() {
    let span = day("2026-11-05");
    let mut intraday = Series::new(span, "PT15M", &vec![77.0; 96]);
    intraday.contract = "A07";
    let prices = read(&[intraday, quarters(span)], span).unwrap();
    assert_eq!(eur_mwh(&prices, "2026-11-05T00:00:00+01:00"), 10.0);
    assert_eq!(prices.values.notes, ["1 series are not of the day-ahead auction and were left out"]);
}

#[test]
fn what_a_series_says_of_itself() {
    let span = day("2026-11-05");
    let with = |change: fn(&mut Series)| {
        let mut series = quarters(span);
        change(&mut series);
        said(&series)
    };
    for (wrong, said) in [
        ("is not NL, which is 10YNL----------L", with(|series| series.area = "10YBE----------2")),
        ("price_Measure_Unit.name: \"KWH\" is not MWH", with(|series| series.unit = "KWH")),
        ("\"XXX\" is no currency", with(|series| series.currency = "XXX")),
        ("\"A05\" is neither A01 nor A03", with(|series| series.curve = "A05")),
        ("\"P1D\" is no length of an interval", with(|series| series.resolution = "P1D")),
        ("\"0\" is no position", with(|series| series.points[0].0 = 0)),
        ("\"1e999\" is no finite number", with(|series| series.points[0].1 = "1e999".to_owned())),
        ("\"NaN\" is no finite number", with(|series| series.points[0].1 = "NaN".to_owned())),
        ("\"12,5\" has a comma", with(|series| series.points[0].1 = "12,5".to_owned())),
        // EUR/MWh are 1000 times EUR/kWh: 80,000 EUR/MWh is no price.
        ("80 EUR/kWh is no price of energy", with(|series| series.points[0].1 = "80000".to_owned())),
        ("lasts", with(|series| series.span.to = series.span.from + TimeDelta::minutes(20))),
        // A point that A03 would repeat for a thousand years.
        ("lasts", with(|series| series.span.to = at("2090-01-01T00:00:00Z"))),
        ("is no time that a feed tells of", with(|series| series.span.to = at("2990-01-01T00:00:00Z"))),
    ] {
        assert!(said.starts_with("broken: ") && said.contains(wrong), "{said}");
    }
    let text = document(&[quarters(span)]).replace("<type>A44</type>", "<type>A65</type>");
    let said = entsoe::prices(&Answer::ok(text.as_bytes()), nl(), span).unwrap_err().to_string();
    assert!(said.contains("\"A65\" is not the type of day-ahead prices"), "{said}");
}

#[test]
fn another_currency_is_named_and_never_converted() {
    let span = day("2026-11-05");
    let mut series = quarters(span);
    (series.currency, series.area) = ("PLN", "10YPL-AREA-----S");
    let pl = Area::parse("PL").unwrap();
    let prices = entsoe::prices(&Answer::ok(document(&[series]).as_bytes()), pl, span).unwrap();
    assert_eq!((prices.currency.code(), prices.values.rows[0].value.per_kwh), ("PLN", 0.01));
}

#[test]
fn acknowledgements() {
    let span = day("2026-11-05");
    let read = |status: u16, text: &str| {
        let body = acknowledgement(text);
        entsoe::prices(&Answer { status, body: body.as_bytes() }, nl(), span).unwrap_err()
    };
    let unauthorized = "Unauthorized. Missing or invalid security token";
    for status in [200, 400] {
        assert!(matches!(read(status, "No matching data found for Data item Day-ahead Prices"), NoValues::NotYet(_)));
    }
    for status in [200, 401] {
        assert!(matches!(read(status, unauthorized), NoValues::Refused(_)));
    }
    let many = "Max allowed requests per minute from each unique IP is max up to 400 only";
    assert!(matches!(read(429, many), NoValues::Later { .. }));
    assert!(matches!(read(200, "Too many requests"), NoValues::Later { .. }));
    let other = read(400, "Input parameter does not exist: curveType");
    assert!(other.to_string().contains("Input parameter does not exist: curveType"), "{other}");
    assert!(matches!(other, NoValues::Broken(_)));
}

#[test]
fn statuses_without_an_acknowledgement() {
    let read = |status: u16, body: &str| {
        entsoe::prices(&Answer { status, body: body.as_bytes() }, nl(), day("2026-11-05")).unwrap_err()
    };
    assert!(matches!(read(503, "<html>Service Unavailable</html>"), NoValues::Later { .. }));
    assert!(matches!(read(401, ""), NoValues::Refused(_)));
    assert!(matches!(read(404, "nothing"), NoValues::NotYet(_)));
    assert!(matches!(read(301, ""), NoValues::Broken(_)));
    assert!(matches!(read(200, ""), NoValues::NotYet(_)));
    assert!(read(200, "PK\u{3}\u{4}").to_string().contains("ZIP"));
}

#[test]
fn names_count_without_their_namespace_and_a_series_may_have_several_periods() {
    let (today, tomorrow) = (day("2026-11-05"), day("2026-11-06"));
    let both = Span { from: today.from, to: tomorrow.to };
    let plain = document(&[quarters(today), Series::new(tomorrow, "PT60M", &rising(24))]);
    let expected = entsoe::prices(&Answer::ok(plain.as_bytes()), nl(), both).unwrap();
    let other = plain.replace("publicationdocument:7:3", "publicationdocument:7:0");
    assert_eq!(entsoe::prices(&Answer::ok(other.as_bytes()), nl(), both).as_ref(), Ok(&expected));
    let prefixed = plain.replace("</", "</n:").replace('<', "<n:").replace("<n:/n:", "</n:").replace("<n:?", "<?");
    let prefixed = prefixed.replace("xmlns=", "xmlns:n=");
    assert_eq!(entsoe::prices(&Answer::ok(prefixed.as_bytes()), nl(), both).as_ref(), Ok(&expected));
    // The second series' period moved into the first series.
    let (head, rest) = plain.split_once("</TimeSeries>").unwrap();
    let period = &rest[rest.find("<Period>").unwrap()..rest.find("</TimeSeries>").unwrap()];
    let joined = format!("{head}{period}</TimeSeries></Publication_MarketDocument>");
    assert_eq!(entsoe::prices(&Answer::ok(joined.as_bytes()), nl(), both).as_ref(), Ok(&expected));
}
