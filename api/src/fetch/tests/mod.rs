//! Feeds that answer, hang, drip, lie and die, and what then happens to prices and plans.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod desk;
mod faults;
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
