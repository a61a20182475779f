//! Nord Pool's data portal: day-ahead prices per MWh in the currency that was asked for. The body is empty before the
//! publication; a state other than `Final` is provisional. The portal is no licensed feed: its terms have to allow the use.
//! Source: research notes, section 2.1.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::body::Answer;
use super::outcome::wrong_text;
use super::price::{Terms, currency_at, traded};
use super::rows::Row;
use super::{NoValues, Price, Prices, Span, stamps};
use crate::json::objects;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    currency: String,
    updated_at: Option<String>,
    #[serde(deserialize_with = "objects")]
    multi_area_entries: Vec<Interval>,
    #[serde(default, deserialize_with = "objects")]
    area_states: Vec<State>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Interval {
    delivery_start: String,
    delivery_end: String,
    entry_per_area: BTreeMap<String, Option<f64>>,
}

#[derive(Deserialize)]
struct State {
    state: String,
    #[serde(default)]
    areas: Vec<String>,
}

/// The answer of `/api/DayAheadPrices` for an area by Nord Pool's name of it.
///
/// # Errors
///
/// [`NoValues`], see there.
pub fn prices(answer: &Answer<'_>, area: &str, asked: Span) -> Result<Prices, NoValues> {
    let wire: Wire = answer.json()?;
    let of_area = |state: &&State| state.areas.iter().any(|name| name == area);
    let provisional = wire.area_states.iter().find(of_area).is_some_and(|state| state.state != "Final");
    let mut rows = Vec::with_capacity(wire.multi_area_entries.len());
    for (k, entry) in wire.multi_area_entries.iter().enumerate() {
        let path = format!("$.multiAreaEntries[{k}]");
        let start = stamps::instant(&entry.delivery_start, || format!("{path}.deliveryStart"))?;
        let end = stamps::instant(&entry.delivery_end, || format!("{path}.deliveryEnd"))?;
        if let Some(per_mwh) = entry.entry_per_area.get(area).copied().flatten() {
            rows.push(Row { start, end, value: Price { per_kwh: per_mwh / 1000.0, provisional } });
        }
    }
    if let (true, Some(entry)) = (rows.is_empty(), wire.multi_area_entries.first()) {
        let others = crate::refusal::names(entry.entry_per_area.keys().map(String::as_str));
        return Err(wrong_text("$.multiAreaEntries", area, format!("has no price; {others} have"), "check the area"));
    }
    let published = wire.updated_at.map(|text| stamps::instant(&text, || "$.updatedAt".to_owned())).transpose()?;
    let currency = currency_at("$.currency", &wire.currency)?;
    let mut prices = traded(rows, asked, Terms { published, ..Terms::market(currency) })?;
    if provisional {
        prices.values.notes.push("the prices are preliminary".to_owned());
    }
    Ok(prices)
}
