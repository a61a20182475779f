//! EnergyZero (Netherlands): prices over its older GraphQL interface. Numbers are numbers here, in EUR/kWh, by the hour.

use serde::Deserialize;
use serde_json::Value;

use super::body::Answer;
use super::energyzero::Stream;
use super::outcome::{ASK_ANOTHER, broken_whole};
use super::price::{Terms, traded};
use super::rows::Row;
use super::{Covers, Currency, NoValues, Price, Prices, Span, stamps};
use crate::refusal::clip;

#[derive(Deserialize)]
struct Wire {
    /// An object, an empty array, or null beside errors.
    #[serde(default)]
    data: Value,
    #[serde(default)]
    errors: Vec<Trouble>,
}

#[derive(Deserialize)]
struct Trouble {
    #[serde(default)]
    message: String,
    #[serde(default)]
    extensions: Extensions,
}

#[derive(Default, Deserialize)]
struct Extensions {
    #[serde(default)]
    code: String,
}

#[derive(Deserialize)]
struct Market {
    #[serde(rename = "energyMarketPrices")]
    prices: List,
}

#[derive(Deserialize)]
struct List {
    prices: Vec<Interval>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Interval {
    energy_price_excl: f64,
    energy_price_incl: f64,
    from: String,
    till: String,
    #[serde(default)]
    additional_costs: Vec<Cost>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cost {
    price_excl: f64,
    price_incl: f64,
}

/// The answer of `/v1/gql` to a query of `energyMarketPrices`.
///
/// # Errors
///
/// [`NoValues`], see there.
pub fn prices(answer: &Answer<'_>, stream: Stream, asked: Span) -> Result<Prices, NoValues> {
    let wire: Wire = answer.json()?;
    if let Some(trouble) = wire.errors.first() {
        let said = clip(&format!("{} ({})", trouble.message, trouble.extensions.code));
        return Err(match trouble.extensions.code.as_str() {
            "UNAUTHENTICATED" | "FORBIDDEN" => NoValues::Refused(said),
            "DOWNSTREAM_SERVICE_ERROR" | "INTERNAL_SERVER_ERROR" => NoValues::Later { why: said, until: None },
            _ => broken_whole(format!("is an error: {said}"), "compare the request with the documentation"),
        });
    }
    if wire.data.as_array().is_some_and(Vec::is_empty) {
        return Err(NoValues::NotYet("the answer holds no data".to_owned()));
    }
    let market: Market = serde_path_to_error::deserialize(&wire.data).map_err(|error| {
        let path = format!("$.data.{}", error.path());
        super::outcome::broken(path, "", format!("is not of the expected shape: {}", error.inner()), ASK_ANOTHER)
    })?;
    let rows: Result<Vec<Row<Price>>, NoValues> = market
        .prices
        .prices
        .iter()
        .enumerate()
        .map(|(k, interval)| row(interval, stream, &format!("$.data.energyMarketPrices.prices[{k}]")))
        .collect();
    let terms =
        Terms { currency: Currency::EUR, vat_included: stream.vat_included, covers: stream.covers, published: None };
    traded(rows?, asked, terms)
}

fn row(interval: &Interval, stream: Stream, path: &str) -> Result<Row<Price>, NoValues> {
    let costs = |part: fn(&Cost) -> f64| match stream.covers {
        Covers::Energy => 0.0,
        Covers::Retail => interval.additional_costs.iter().map(part).sum(),
    };
    let per_kwh = if stream.vat_included {
        interval.energy_price_incl + costs(|cost| cost.price_incl)
    } else {
        interval.energy_price_excl + costs(|cost| cost.price_excl)
    };
    let start = stamps::instant(&interval.from, || format!("{path}.from"))?;
    let end = stamps::instant(&interval.till, || format!("{path}.till"))?;
    Ok(Row { start, end, value: Price { per_kwh, provisional: false } })
}
