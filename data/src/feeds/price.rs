//! Prices of energy as feeds give them: in the currency they are in, with or without VAT, and never converted.

use std::fmt;

use chrono::{DateTime, TimeDelta, Timelike, Utc};

use super::NoValues;
use super::outcome::{ASK_ANOTHER, broken, broken_whole, wrong_text};
use super::rows::{Row, Span, Values, of, settle};
use crate::refusal::number;

/// The highest and, with a minus, the lowest price of an interval that is believed, in euros per kWh. Day-ahead auctions
/// end at 5 EUR/kWh by their rules; beyond 10, the unit is wrong.
const BELIEVED_EUR_KWH: f64 = 10.0;

/// The highest mean of all prices of an answer that is believed, in euros per kWh. The dearest day that a European zone
/// has had was below 1; prices in cents taken for euros lie around 8.
const BELIEVED_MEAN_EUR_KWH: f64 = 2.0;

/// Lengths of intervals that energy is traded in, in minutes.
const TRADED_MINUTES: [i64; 3] = [15, 30, 60];

/// Currencies that energy is priced in, and about how many of each a euro is worth. The worth only serves to tell a price
/// from a mistake of unit.
const CURRENCIES: [Currency; 11] = [
    Currency::EUR,
    Currency::GBP,
    currency("CHF", 1.0),
    currency("NOK", 12.0),
    currency("SEK", 12.0),
    currency("DKK", 7.5),
    currency("PLN", 4.5),
    currency("CZK", 25.0),
    currency("HUF", 400.0),
    currency("RON", 5.0),
    currency("BGN", 2.0),
];

/// A currency.
#[derive(Debug, Clone, Copy)]
pub struct Currency {
    code: &'static str,
    per_eur: f64,
}

const fn currency(code: &'static str, per_eur: f64) -> Currency {
    Currency { code, per_eur }
}

impl Currency {
    /// Euros.
    pub const EUR: Currency = currency("EUR", 1.0);
    /// Pounds sterling.
    pub const GBP: Currency = currency("GBP", 0.9);

    /// The currency of a code such as `EUR`.
    pub fn parse(code: &str) -> Option<Self> {
        CURRENCIES.into_iter().find(|currency| currency.code == code.trim())
    }

    /// Its code after ISO 4217.
    pub fn code(self) -> &'static str {
        self.code
    }
}

impl PartialEq for Currency {
    fn eq(&self, other: &Self) -> bool {
        self.code == other.code
    }
}

impl Eq for Currency {}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}

/// What a price is the price of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Covers {
    /// Energy on the market alone: fees, taxes and the grid come on top.
    Energy,
    /// What the supplier bills a kWh with. Which taxes are in it, and whether the grid is, depends on supplier and
    /// country.
    Retail,
}

/// The price of an interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Price {
    /// In the currency of the answer, per kWh. It may be 0 or negative.
    pub per_kwh: f64,
    /// Whether the feed calls it preliminary, or it is that of another auction than the one asked for.
    pub provisional: bool,
}

/// The prices of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Prices {
    /// What they are in.
    pub currency: Currency,
    /// Whether VAT is in them.
    pub vat_included: bool,
    /// What they are the price of.
    pub covers: Covers,
    /// When the feed says that it published them.
    pub published: Option<DateTime<Utc>>,
    /// The prices.
    pub values: Values<Price>,
}

/// What all prices of an answer have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    pub(super) currency: Currency,
    pub(super) vat_included: bool,
    pub(super) covers: Covers,
    pub(super) published: Option<DateTime<Utc>>,
}

impl Terms {
    /// Energy on the market, without VAT.
    pub(super) fn market(currency: Currency) -> Self {
        Terms { currency, vat_included: false, covers: Covers::Energy, published: None }
    }
}

/// The currency that stands at `path`.
pub(super) fn currency_at(path: &str, code: &str) -> Result<Currency, NoValues> {
    Currency::parse(code).ok_or_else(|| {
        let known = CURRENCIES.map(Currency::code).join(", ");
        wrong_text(path, code, "is no currency this program knows", format!("it knows {known}"))
    })
}

/// Whether a unit is energy in MWh, priced in a currency: `EUR/MWh`, `Eur/MWh` or `EUR / MWh`.
pub(super) fn is_per_mwh(unit: &str, currency: Currency) -> bool {
    let plain: String = unit.chars().filter(|c| !c.is_whitespace()).collect();
    plain.eq_ignore_ascii_case(&format!("{currency}/MWh"))
}

/// Prices of intervals that energy is traded in.
pub(super) fn traded(rows: Vec<Row<Price>>, asked: Span, terms: Terms) -> Result<Prices, NoValues> {
    for row in &rows {
        let minutes = row.length().num_minutes();
        if !TRADED_MINUTES.contains(&minutes) || row.length() != TimeDelta::minutes(minutes) {
            let wrong = format!("lasts {} s, which is no interval of trade", row.length().num_seconds());
            return Err(broken(of(row), "", wrong, ASK_ANOTHER));
        }
        if row.start.minute() % 15 != 0 || row.start.second() != 0 {
            return Err(broken(of(row), "", "begins at no quarter of an hour", ASK_ANOTHER));
        }
    }
    prices(rows, asked, terms)
}

/// Prices of intervals of any length.
pub(super) fn prices(rows: Vec<Row<Price>>, asked: Span, terms: Terms) -> Result<Prices, NoValues> {
    let believed = BELIEVED_EUR_KWH * terms.currency.per_eur;
    for row in &rows {
        if row.value.per_kwh.is_nan() || row.value.per_kwh.abs() > believed {
            let value = format!("{} {}/kWh", number(row.value.per_kwh), terms.currency);
            return Err(broken(of(row), value, "is no price of energy", "check the unit of the feed"));
        }
    }
    let mut values = settle(rows, asked)?;
    let sum: f64 = values.rows.iter().map(|row| row.value.per_kwh).sum();
    let mean = sum / values.rows.len() as f64;
    if mean.abs() > BELIEVED_MEAN_EUR_KWH * terms.currency.per_eur {
        let wrong = format!("holds prices of {mean:.2} {}/kWh on average", terms.currency);
        return Err(broken_whole(wrong, "check the unit of the feed: is it cents?"));
    }
    if let Some(lengths) = several_lengths(&values.rows) {
        values.notes.push(format!("the intervals have several lengths: {lengths} minutes"));
    }
    Ok(Prices {
        currency: terms.currency,
        vat_included: terms.vat_included,
        covers: terms.covers,
        published: terms.published,
        values,
    })
}

/// The lengths of the intervals in minutes, where there are several.
fn several_lengths(rows: &[Row<Price>]) -> Option<String> {
    let mut minutes: Vec<i64> = rows.iter().map(|row| row.length().num_minutes()).collect();
    minutes.sort_unstable();
    minutes.dedup();
    (minutes.len() > 1).then(|| minutes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {

    use super::*;

    fn hours(per_kwh: &[f64]) -> (Vec<Row<Price>>, Span) {
        let at = |hour: usize| DateTime::UNIX_EPOCH + TimeDelta::hours(i64::try_from(hour).unwrap());
        let row = |(hour, &per_kwh): (usize, &f64)| Row {
            start: at(hour),
            end: at(hour + 1),
            value: Price { per_kwh, provisional: false },
        };
        (per_kwh.iter().enumerate().map(row).collect(), Span { from: at(0), to: at(per_kwh.len()) })
    }

    #[test]
    fn a_mistake_of_unit_is_no_price() {
        let read = |per_kwh: &[f64], currency| {
            let (rows, asked) = hours(per_kwh);
            traded(rows, asked, Terms::market(currency))
        };
        assert!(read(&[0.08, -0.5, 0.0, 4.0], Currency::EUR).is_ok());
        // EUR/MWh, cents, and what is no number.
        assert!(read(&[80.0, 75.0], Currency::EUR).is_err());
        assert!(read(&[8.0, 7.5], Currency::EUR).is_err());
        assert!(read(&[f64::NAN], Currency::EUR).is_err());
        // The same number is a price in another currency.
        assert!(read(&[32.0, 30.0], Currency::parse("HUF").unwrap()).is_ok());
    }

    #[test]
    fn units_and_currencies() {
        for unit in ["EUR/MWh", "EUR / MWh", "Eur/MWh"] {
            assert!(is_per_mwh(unit, Currency::EUR), "{unit}");
        }
        for unit in ["EUR/kWh", "ct/kWh", "GBP/MWh", ""] {
            assert!(!is_per_mwh(unit, Currency::EUR), "{unit}");
        }
        assert_eq!(Currency::parse("GBP"), Some(Currency::GBP));
        assert_eq!(Currency::parse("eur"), None);
    }

    #[test]
    fn intervals_of_trade_only() {
        let (mut rows, asked) = hours(&[0.1, 0.1]);
        rows[1].end -= TimeDelta::minutes(20);
        assert!(traded(rows.clone(), asked, Terms::market(Currency::EUR)).is_err());
        assert!(prices(rows.clone(), asked, Terms::market(Currency::EUR)).is_ok());
        rows[1].start += TimeDelta::minutes(7);
        rows[1].end = rows[1].start + TimeDelta::minutes(15);
        assert!(traded(rows, asked, Terms::market(Currency::EUR)).is_err());
    }
}
