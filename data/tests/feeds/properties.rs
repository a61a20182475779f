//! Damaged payloads never bring a parser down, values are always in order and say what is missing, and what is written is
//! what is read.

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::feeds::{Answer, Span, awattar, entsoe, push};
use proptest::prelude::*;

use crate::make::{PARSERS, Said, Series, awattar_prices, day, document, grid, nl};

/// Whether rows and gaps together are what was asked for, each instant once.
fn tiles(said: &Said, asked: Span) -> Result<(), TestCaseError> {
    let mut parts: Vec<Span> = said.rows.iter().chain(&said.missing).copied().collect();
    parts.sort_by_key(|part| part.from);
    prop_assert!(said.rows.is_sorted_by_key(|row| row.from));
    prop_assert_eq!(parts.first().map(|part| part.from), Some(asked.from));
    prop_assert_eq!(parts.last().map(|part| part.to), Some(asked.to));
    for pair in parts.windows(2) {
        prop_assert_eq!(pair[0].to, pair[1].from);
    }
    prop_assert!(parts.iter().all(|part| part.from < part.to));
    Ok(())
}

/// A damage to a payload.
#[derive(Debug, Clone)]
enum Damage {
    /// Other bytes in place of some.
    Overwrite(usize, Vec<u8>),
    /// Some bytes are gone.
    Cut(usize, usize),
    /// Some bytes stand there again.
    Repeat(usize, usize),
    /// Something of another payload.
    Insert(usize, &'static str),
}

const PIECES: [&str; 16] = [
    "null",
    "-1",
    "1e308",
    "\"\"",
    "[]",
    "{}",
    "0",
    "99999999999999999999",
    "\"2026-10-25T02:30:00\"",
    "<Period>",
    "</Point>",
    "<position>5</position>",
    "&amp;",
    "\u{feff}",
    "PT60M",
    "NaN",
];

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        (any::<usize>(), prop::collection::vec(any::<u8>(), 1..4)).prop_map(|(at, bytes)| Damage::Overwrite(at, bytes)),
        (any::<usize>(), prop::sample::select(b"0123456789.-\",:[]{}<>/eTZ".to_vec()))
            .prop_map(|(at, byte)| Damage::Overwrite(at, vec![byte])),
        (any::<usize>(), 1..200_usize).prop_map(|(at, length)| Damage::Cut(at, length)),
        (any::<usize>(), 1..200_usize).prop_map(|(at, length)| Damage::Repeat(at, length)),
        (any::<usize>(), prop::sample::select(PIECES.to_vec())).prop_map(|(at, piece)| Damage::Insert(at, piece)),
    ]
}

fn damaged(body: &str, damages: &[Damage]) -> Vec<u8> {
    let mut bytes = body.as_bytes().to_vec();
    for damage in damages {
        let place = |at: usize| at % (bytes.len() + 1);
        match damage {
            Damage::Overwrite(at, with) => {
                let from = place(*at);
                let to = (from + with.len()).min(bytes.len());
                bytes.splice(from..to, with.iter().copied());
            }
            Damage::Cut(at, length) => {
                let from = place(*at);
                let to = (from + length).min(bytes.len());
                bytes.drain(from..to);
            }
            Damage::Repeat(at, length) => {
                let from = place(*at);
                let again = bytes[from..(from + length).min(bytes.len())].to_vec();
                bytes.splice(from..from, again);
            }
            Damage::Insert(at, piece) => {
                let from = place(*at);
                bytes.splice(from..from, piece.bytes());
            }
        }
    }
    bytes
}

fn spans() -> impl Strategy<Value = Span> {
    prop::sample::select(vec!["2026-06-01", "2026-10-25", "2027-03-28"]).prop_map(day)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn damage_never_brings_a_parser_down(
        parser in 0..PARSERS.len(),
        span in spans(),
        status in prop::sample::select(vec![200_u16, 200, 200, 200, 400, 404, 429]),
        damages in prop::collection::vec(damage(), 1..6),
    ) {
        let parser = &PARSERS[parser];
        let body = damaged(&(parser.sample)(span), &damages);
        if let Ok(said) = (parser.parse)(&Answer { status, body: &body }, span) {
            tiles(&said, span)?;
        }
    }

    #[test]
    fn any_bytes(parser in 0..PARSERS.len(), body in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = (PARSERS[parser].parse)(&Answer::ok(&body), day("2026-06-01"));
    }

    /// Any prices, as A03 compresses them, in any step, on any length of day, read for any span.
    #[test]
    fn entsoe_reads_what_was_written(
        span in spans(),
        minutes in prop::sample::select(vec![15_i64, 30, 60]),
        numbers in prop::collection::vec(prop_oneof![3 => -500..4000_i32, 2 => Just(70)], 100),
        compressed in any::<bool>(),
        from in 0..90_i32,
        length in 1..120_i32,
    ) {
        let step = TimeDelta::minutes(minutes);
        let starts = grid(span, step);
        let prices: Vec<f64> = numbers.iter().take(starts.len()).map(|n| f64::from(*n) / 10.0).collect();
        let resolution = match minutes { 15 => "PT15M", 30 => "PT30M", _ => "PT60M" };
        let mut series = Series::new(span, resolution, &prices);
        series.curve = if compressed { "A03" } else { "A01" };
        if compressed {
            let all = series.points.clone();
            series.points.retain(|(position, price)| {
                *position == 1 || all[usize::try_from(*position).unwrap() - 2].1 != *price
            });
        }
        let read = entsoe::prices(&Answer::ok(document(&[series.clone()]).as_bytes()), nl(), span).unwrap();
        prop_assert!(read.values.is_complete());
        let rows: Vec<(DateTime<Utc>, f64)> =
            read.values.rows.iter().map(|row| (row.start, (row.value.per_kwh * 1e4).round() / 10.0)).collect();
        prop_assert_eq!(rows, starts.into_iter().zip(prices).collect::<Vec<_>>());
        // A part of it, and more than it, tile what was asked for.
        let begin = span.from + TimeDelta::minutes(15) * from;
        let asked = Span { from: begin, to: begin + TimeDelta::minutes(15) * length };
        if let Ok(part) = entsoe::prices(&Answer::ok(document(&[series]).as_bytes()), nl(), asked) {
            tiles(&crate::make::of_prices(part), asked)?;
        }
    }

    /// Hours of which some are missing.
    #[test]
    fn awattar_reads_what_was_written(
        span in spans(),
        numbers in prop::collection::vec(prop::option::weighted(0.9, -5000..40_000_i32), 25),
    ) {
        let hour = TimeDelta::hours(1);
        let rows: Vec<(DateTime<Utc>, DateTime<Utc>, f64)> = grid(span, hour)
            .into_iter()
            .zip(&numbers)
            .filter_map(|(at, number)| Some((at, at + hour, f64::from((*number)?) / 100.0)))
            .collect();
        let body = awattar_prices(&rows).to_string();
        match awattar::prices(&Answer::ok(body.as_bytes()), span) {
            Ok(read) => {
                let back: Vec<_> = read
                    .values
                    .rows
                    .iter()
                    .map(|row| (row.start, row.end, (row.value.per_kwh * 1e5).round() / 100.0))
                    .collect();
                prop_assert_eq!(&back, &rows);
                tiles(&crate::make::of_prices(read.clone()), span)?;
                // And through the product's own form.
                let pushed = serde_json::to_vec(&push::PricesWire::from(&read)).unwrap();
                prop_assert_eq!(push::prices(&pushed).unwrap().values.rows, read.values.rows);
            }
            Err(why) => prop_assert!(rows.is_empty(), "{}", why),
        }
    }
}
