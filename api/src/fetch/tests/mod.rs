//! Feeds that answer, hang, drip, lie and die, and what then happens to prices and plans.

mod clocks;
mod desk;
mod faults;
mod others;
mod servers;
mod week;
mod whole;

use chrono::{DateTime, TimeDelta};
use kwartier_data::feeds::{Covers, Currency, Price, Prices, Row, Values};

/// Prices of intervals of so many minutes, from 1970 on.
pub fn prices(eur_kwh: &[f64], minutes: i64) -> Prices {
    let row = |(k, per_kwh): (usize, &f64)| {
        let start = DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes * i64::try_from(k).unwrap());
        Row { start, end: start + TimeDelta::minutes(minutes), value: Price { per_kwh: *per_kwh, provisional: false } }
    };
    let rows = eur_kwh.iter().enumerate().map(row).collect();
    let values = Values { rows, missing: Vec::new(), notes: Vec::new() };
    Prices { currency: Currency::EUR, vat_included: false, covers: Covers::Energy, published: None, values }
}

/// The document that holds the tables of these tests.
const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/feeds.md");

/// Holds a table against the document; `make golden` writes it there.
fn documented(name: &str, table: &str) {
    let marks = [format!("<!-- {name}: begin -->\n"), format!("<!-- {name}: end -->")];
    let document = std::fs::read_to_string(DOCUMENT).unwrap();
    let (before, rest) = document.split_once(&marks[0]).unwrap();
    let (known, after) = rest.split_once(&marks[1]).unwrap();
    if std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
        std::fs::write(DOCUMENT, format!("{before}{}{table}{}{after}", marks[0], marks[1])).unwrap();
        return;
    }
    assert_eq!(
        known, table,
        "docs/feeds.md is not what happens; `make golden` writes it anew, then look at the difference"
    );
}
