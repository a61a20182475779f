//! EnergyZero (Netherlands): prices over its public REST interface.
//!
//! Prices are texts, in EUR/kWh. One date is asked for, and three local days come back. A day that is not there yet is 404;
//! errors are `{code, message, details}` with the codes of gRPC. Source: research notes, section 2.1.

use serde::Deserialize;

use super::body::{self, Answer};
use super::outcome::{ASK_ANOTHER, broken, broken_whole, wrong_text};
use super::price::{Terms, traded};
use super::rows::Row;
use super::{Covers, Currency, NoValues, Price, Prices, Span, stamps};
use crate::refusal::clip;

/// Which of the prices of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    /// The market's price alone, or all that EnergyZero bills a kWh with: purchase fee and energy tax.
    pub covers: Covers,
    /// With VAT or without.
    pub vat_included: bool,
}

impl Stream {
    /// The market's price without VAT.
    pub const MARKET: Stream = Stream { covers: Covers::Energy, vat_included: false };

    fn key(self) -> &'static str {
        match (self.covers, self.vat_included) {
            (Covers::Energy, false) => "base",
            (Covers::Energy, true) => "base_with_vat",
            (Covers::Retail, false) => "all_in",
            (Covers::Retail, true) => "all_in_with_vat",
        }
    }
}

#[derive(Deserialize)]
struct Wire {
    base: Option<Vec<Interval>>,
    base_with_vat: Option<Vec<Interval>>,
    all_in: Option<Vec<Interval>>,
    all_in_with_vat: Option<Vec<Interval>>,
    /// Of an error, which may come with any status.
    code: Option<i64>,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct Interval {
    start: String,
    end: String,
    price: Amount,
}

#[derive(Deserialize)]
struct Amount {
    value: String,
}

/// The answer of `/public/v1/prices`.
///
/// # Errors
///
/// [`NoValues`], see there.
pub fn prices(answer: &Answer<'_>, stream: Stream, asked: Span) -> Result<Prices, NoValues> {
    if !answer.is_fine()
        && let Ok(wire) = answer.unpacked().and_then(|body| body::object::<Wire>(&body))
        && let Some(code) = wire.code
    {
        return Err(told(code, &wire.message));
    }
    let wire: Wire = answer.json()?;
    if let Some(code) = wire.code {
        return Err(told(code, &wire.message));
    }
    let key = stream.key();
    let intervals = match (stream.covers, stream.vat_included) {
        (Covers::Energy, false) => wire.base,
        (Covers::Energy, true) => wire.base_with_vat,
        (Covers::Retail, false) => wire.all_in,
        (Covers::Retail, true) => wire.all_in_with_vat,
    };
    let intervals = intervals.ok_or_else(|| broken(format!("$.{key}"), "", "is missing", ASK_ANOTHER))?;
    let rows: Result<Vec<Row<Price>>, NoValues> =
        intervals.iter().enumerate().map(|(k, interval)| row(interval, &format!("$.{key}[{k}]"))).collect();
    let terms =
        Terms { currency: Currency::EUR, vat_included: stream.vat_included, covers: stream.covers, published: None };
    traded(rows?, asked, terms)
}

fn row(interval: &Interval, path: &str) -> Result<Row<Price>, NoValues> {
    let text = &interval.price.value;
    let per_kwh = crate::text::number(text, false)
        .map_err(|no| wrong_text(format!("{path}.price.value"), text, no.wrong, ASK_ANOTHER))?;
    let start = stamps::instant(&interval.start, || format!("{path}.start"))?;
    let end = stamps::instant(&interval.end, || format!("{path}.end"))?;
    Ok(Row { start, end, value: Price { per_kwh, provisional: false } })
}

/// What an error means, by its gRPC code.
fn told(code: i64, message: &str) -> NoValues {
    let said = clip(message);
    match code {
        5 => NoValues::NotYet(said),
        7 | 16 => NoValues::Refused(said),
        8 | 13 | 14 => NoValues::Later { why: said, until: None },
        3 => broken("$.message", "", format!("refuses the request: {said}"), "write the date as DD-MM-YYYY"),
        code => broken_whole(format!("is error {code}: {said}"), ASK_ANOTHER),
    }
}
