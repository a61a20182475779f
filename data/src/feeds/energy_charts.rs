//! Energy-Charts of Fraunhofer ISE: day-ahead prices and carbon intensity, as arrays beside an array of Unix seconds.
//!
//! Its prices come from ENTSO-E, so the two are one source. They are in EUR whatever the area's currency, and null where
//! nothing is known. Source: research notes, section 2.1; for carbon intensity, the API's own description.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::body::Answer;
use super::outcome::{ASK_ANOTHER, broken, wrong_text};
use super::price::{Terms, is_per_mwh, traded};
use super::rows::Row;
use super::{Carbon, Currency, NoValues, Price, Prices, Span, Values, carbon, stamps};

#[derive(Deserialize)]
struct PriceWire {
    unix_seconds: Vec<i64>,
    price: Vec<Option<f64>>,
    unit: String,
    #[serde(default)]
    deprecated: bool,
}

/// The answer of `/price`.
///
/// # Errors
///
/// [`NoValues`], see there.
pub fn prices(answer: &Answer<'_>, asked: Span) -> Result<Prices, NoValues> {
    let wire: PriceWire = answer.json()?;
    if !is_per_mwh(&wire.unit, Currency::EUR) {
        return Err(wrong_text("$.unit", &wire.unit, "is not EUR/MWh", ASK_ANOTHER));
    }
    let starts = starts(&wire.unix_seconds)?;
    same_length(&starts, wire.price.len(), "price")?;
    let rows = starts.iter().zip(stamps::lengths(&starts)?).zip(wire.price);
    let price = |eur_mwh: f64| Price { per_kwh: eur_mwh / 1000.0, provisional: false };
    let rows = rows.filter_map(|((start, length), value)| Some(Row::lasting(*start, length, price(value?))));
    let mut prices = traded(rows.collect(), asked, Terms::market(Currency::EUR))?;
    retired(wire.deprecated, &mut prices.values.notes);
    Ok(prices)
}

#[derive(Deserialize)]
struct CarbonWire {
    unix_seconds: Vec<i64>,
    co2eq: Vec<Option<f64>>,
    #[serde(default)]
    co2eq_forecast: Option<Vec<Option<f64>>>,
    #[serde(default)]
    deprecated: bool,
}

/// The answer of `/co2eq`: what was measured, and where it was not, what is forecast.
///
/// # Errors
///
/// [`NoValues`], see there.
pub fn carbon(answer: &Answer<'_>, asked: Span) -> Result<Values<Carbon>, NoValues> {
    let wire: CarbonWire = answer.json()?;
    let starts = starts(&wire.unix_seconds)?;
    same_length(&starts, wire.co2eq.len(), "co2eq")?;
    let forecast = wire.co2eq_forecast.unwrap_or_else(|| vec![None; starts.len()]);
    same_length(&starts, forecast.len(), "co2eq_forecast")?;
    let values = wire.co2eq.into_iter().zip(forecast);
    let rows = starts.iter().zip(stamps::lengths(&starts)?).zip(values);
    let rows = rows.filter_map(|((start, length), (measured, forecast))| {
        let value = Carbon { g_kwh: measured.or(forecast)?, forecast: measured.is_none() };
        Some(Row::lasting(*start, length, value))
    });
    let mut values = carbon::settled(rows.collect(), asked)?;
    retired(wire.deprecated, &mut values.notes);
    Ok(values)
}

fn starts(seconds: &[i64]) -> Result<Vec<DateTime<Utc>>, NoValues> {
    let at = |(k, seconds): (usize, &i64)| stamps::unix(*seconds, || format!("$.unix_seconds[{k}]"));
    seconds.iter().enumerate().map(at).collect()
}

/// Refuses arrays of unequal length: nobody can tell which value is missing.
fn same_length(starts: &[DateTime<Utc>], values: usize, name: &str) -> Result<(), NoValues> {
    if values == starts.len() {
        return Ok(());
    }
    let wrong = format!("values stand beside {} stamps", starts.len());
    Err(broken(format!("$.{name}"), values.to_string(), wrong, ASK_ANOTHER))
}

fn retired(deprecated: bool, notes: &mut Vec<String>) {
    if deprecated {
        notes.push("the feed says that this interface will be gone".to_owned());
    }
}
