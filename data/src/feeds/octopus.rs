//! Octopus Energy (Great Britain): unit rates of a tariff, in pence per kWh, newest first.
//!
//! VAT is taken from no record: records that hold for long repeat today's rate for their whole past. Flat products have a
//! row for each way to pay. A record without end holds on. Source: research notes, section 2.1.

use chrono::TimeDelta;
use serde::Deserialize;

use super::body::{self, Answer};
use super::outcome::broken_whole;
use super::price::{Terms, prices as settled};
use super::rows::Row;
use super::{Covers, Currency, NoValues, Price, Prices, Span, stamps};
use crate::json::objects;
use crate::refusal::clip;

/// How a customer pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payment {
    /// By direct debit.
    DirectDebit,
    /// In any other way.
    Other,
}

impl Payment {
    fn key(self) -> &'static str {
        match self {
            Payment::DirectDebit => "DIRECT_DEBIT",
            Payment::Other => "NON_DIRECT_DEBIT",
        }
    }
}

#[derive(Deserialize)]
struct Wire {
    next: Option<String>,
    #[serde(deserialize_with = "objects")]
    results: Vec<Rate>,
}

#[derive(Deserialize)]
struct Rate {
    value_exc_vat: f64,
    valid_from: Option<String>,
    valid_to: Option<String>,
    payment_method: Option<String>,
}

#[derive(Deserialize)]
struct Trouble {
    detail: String,
}

/// The answer of `…/standard-unit-rates/`, without VAT, in GBP.
///
/// # Errors
///
/// [`NoValues`], see there. Status 404 is broken here: rates that are not there yet are an empty list, and 404 is a tariff
/// that does not exist.
pub fn prices(answer: &Answer<'_>, payment: Payment, asked: Span) -> Result<Prices, NoValues> {
    if answer.status == 404 {
        let said = answer.unpacked().and_then(|body| body::object::<Trouble>(&body));
        let said = said.map_or_else(|_| "not found".to_owned(), |trouble| clip(&trouble.detail));
        return Err(broken_whole(format!("knows no such tariff: {said}"), "check the codes of product and tariff"));
    }
    let wire: Wire = answer.json()?;
    let mut rows = Vec::with_capacity(wire.results.len());
    for (k, rate) in wire.results.iter().enumerate() {
        if rate.payment_method.as_ref().is_some_and(|method| method != payment.key()) {
            continue;
        }
        let bound = |text: &Option<String>, name: &str| {
            text.as_ref().map(|text| stamps::instant(text, || format!("$.results[{k}].{name}"))).transpose()
        };
        let to = bound(&rate.valid_to, "valid_to")?;
        // Without a bound it holds for all of the past, or on and on: as far as anybody asked.
        let from = bound(&rate.valid_from, "valid_from")?
            .unwrap_or_else(|| to.map_or(asked.from, |to| to.min(asked.from) - TimeDelta::days(1)));
        let to = to.unwrap_or_else(|| asked.to.max(from + TimeDelta::days(1)));
        // Pence.
        let price = Price { per_kwh: rate.value_exc_vat / 100.0, provisional: false };
        rows.push(Row { start: from, end: to, value: price });
    }
    let terms = Terms { currency: Currency::GBP, vat_included: false, covers: Covers::Retail, published: None };
    let mut prices = settled(rows, asked, terms)?;
    if wire.next.is_some() {
        prices.values.notes.push("the answer goes on on another page".to_owned());
    }
    Ok(prices)
}
