//! aWATTar (Germany, Austria): hourly day-ahead prices. Stamps are milliseconds, prices EUR/MWh without VAT.
//! Source: research notes, section 2.1.

use serde::Deserialize;

use super::body::Answer;
use super::outcome::{ASK_ANOTHER, wrong_text};
use super::price::{Terms, is_per_mwh, traded};
use super::rows::Row;
use super::{Currency, NoValues, Price, Prices, Span, stamps};
use crate::json::objects;

#[derive(Deserialize)]
struct Wire {
    #[serde(deserialize_with = "objects")]
    data: Vec<Interval>,
}

#[derive(Deserialize)]
struct Interval {
    start_timestamp: i64,
    end_timestamp: i64,
    marketprice: f64,
    unit: String,
}

/// The answer of `/v1/marketdata`.
///
/// # Errors
///
/// [`NoValues`], see there.
pub fn prices(answer: &Answer<'_>, asked: Span) -> Result<Prices, NoValues> {
    let wire: Wire = answer.json()?;
    let rows: Result<Vec<Row<Price>>, NoValues> =
        wire.data.iter().enumerate().map(|(k, interval)| row(interval, &format!("$.data[{k}]"))).collect();
    traded(rows?, asked, Terms::market(Currency::EUR))
}

fn row(interval: &Interval, path: &str) -> Result<Row<Price>, NoValues> {
    if !is_per_mwh(&interval.unit, Currency::EUR) {
        return Err(wrong_text(format!("{path}.unit"), &interval.unit, "is not Eur/MWh", ASK_ANOTHER));
    }
    let start = stamps::millis(interval.start_timestamp, || format!("{path}.start_timestamp"))?;
    let end = stamps::millis(interval.end_timestamp, || format!("{path}.end_timestamp"))?;
    Ok(Row { start, end, value: Price { per_kwh: interval.marketprice / 1000.0, provisional: false } })
}
