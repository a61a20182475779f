//! Files in place of a feed: CSV, packed with gzip or not, or Parquet, read as every series is (`docs/formats/inputs.md`).
//! Weather files are read by [`read_weather`](crate::history::read_weather).

use super::price::{Terms, prices as settled};
use super::rows::Row;
use super::{Carbon, Covers, Currency, NoValues, Price, Prices, PvPower, Span, Values, carbon as carbons, pv};
use crate::series::{HistoryFile, Quantity, Reading, read_history};

/// Prices in EUR/MWh, EUR/kWh or ct/kWh, whichever the header or `reading` says.
///
/// # Errors
///
/// [`NoValues`], see there.
pub fn prices(
    bytes: &[u8],
    reading: &Reading<'_>,
    covers: Covers,
    vat_included: bool,
    asked: Span,
) -> Result<Prices, NoValues> {
    let (rows, notes) = rows(bytes, reading, Quantity::Price, |per_kwh| Price { per_kwh, provisional: false })?;
    let terms = Terms { vat_included, covers, ..Terms::market(Currency::EUR) };
    let mut prices = settled(rows, asked, terms)?;
    prices.values.notes.extend(notes);
    Ok(prices)
}

/// Carbon intensity in kg/kWh or g/kWh.
///
/// # Errors
///
/// [`NoValues`], see there.
pub fn carbon(bytes: &[u8], reading: &Reading<'_>, forecast: bool, asked: Span) -> Result<Values<Carbon>, NoValues> {
    let value = |kg_kwh: f64| Carbon { g_kwh: kg_kwh * 1000.0, forecast };
    let (rows, notes) = rows(bytes, reading, Quantity::Carbon, value)?;
    let mut values = carbons::settled(rows, asked)?;
    values.notes.extend(notes);
    Ok(values)
}

/// The power of a plant of a peak power in kW.
///
/// # Errors
///
/// [`NoValues`], see there.
pub fn power(bytes: &[u8], reading: &Reading<'_>, peak_kw: f64, asked: Span) -> Result<Values<PvPower>, NoValues> {
    let (rows, notes) = rows(bytes, reading, Quantity::Power, |kw| PvPower { kw, low_kw: None, high_kw: None })?;
    let mut values = pv::settled(rows, peak_kw, asked)?;
    values.notes.extend(notes);
    Ok(values)
}

/// The intervals of a file that hold a value, and what its reader says of it.
fn rows<V>(
    bytes: &[u8],
    reading: &Reading<'_>,
    quantity: Quantity,
    value: impl Fn(f64) -> V,
) -> Result<(Vec<Row<V>>, Vec<String>), NoValues> {
    let HistoryFile { series, notes, .. } = read_history(bytes, quantity, reading)?;
    let known = series.values.iter().enumerate().filter_map(|(k, number)| Some((k, (*number)?)));
    let rows = known.map(|(k, number)| Row::lasting(series.start_of(k), series.step, value(number)));
    Ok((rows.collect(), notes))
}
