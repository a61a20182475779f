//! Tibber (Germany, Netherlands, Norway, Sweden): what its customers pay, over GraphQL.
//!
//! Stamps are the beginnings of intervals with a local offset; how long one holds is not said. A wrong key answers with
//! status 200 and an error; a resolution that a home has no prices in, with empty arrays. Source: research notes, section
//! 2.1.

use serde::Deserialize;

use super::body::Answer;
use super::outcome::{ASK_ANOTHER, broken, broken_whole, wrong_text};
use super::price::{Terms, currency_at, traded};
use super::rows::Row;
use super::{Covers, Currency, NoValues, Price, Prices, Span, stamps};
use crate::refusal::clip;

/// What of an answer is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Id of the home; `None` where the customer has one only.
    pub home: Option<&'a str>,
    /// What prices are in, where the answer does not say it.
    pub currency: Currency,
    /// Whether to take `total`, with tax and VAT, or `energy`, without.
    pub covers: Covers,
}

#[derive(Deserialize)]
struct Wire {
    data: Option<Data>,
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
struct Data {
    viewer: Viewer,
}

#[derive(Deserialize)]
struct Viewer {
    #[serde(default)]
    homes: Vec<Home>,
    home: Option<Home>,
}

#[derive(Deserialize)]
struct Home {
    #[serde(default)]
    id: String,
    #[serde(rename = "currentSubscription")]
    subscription: Option<Subscription>,
}

#[derive(Deserialize)]
struct Subscription {
    #[serde(rename = "priceInfo")]
    prices: Option<PriceInfo>,
}

#[derive(Deserialize)]
struct PriceInfo {
    #[serde(default)]
    today: Vec<Interval>,
    #[serde(default)]
    tomorrow: Vec<Interval>,
}

#[derive(Deserialize)]
struct Interval {
    #[serde(rename = "startsAt")]
    starts_at: String,
    total: Option<f64>,
    energy: Option<f64>,
    currency: Option<String>,
}

/// The answer to a query of `priceInfo`.
///
/// # Errors
///
/// [`NoValues`], see there.
pub fn prices(answer: &Answer<'_>, wanted: &Wanted<'_>, asked: Span) -> Result<Prices, NoValues> {
    let wire: Wire = answer.json()?;
    if let Some(trouble) = wire.errors.first() {
        return Err(told(trouble));
    }
    let info = wire.data.map(|data| home(data.viewer, wanted.home)).transpose()?;
    let info = info.and_then(|home| home.subscription).and_then(|subscription| subscription.prices);
    let Some(info) = info else {
        return Err(broken_whole(
            "holds no subscription with prices",
            "check that the home has a contract with Tibber",
        ));
    };
    let days = [("today", info.today), ("tomorrow", info.tomorrow)];
    let mut starts = Vec::new();
    let mut prices = Vec::new();
    let mut currency: Option<Currency> = None;
    for (name, day) in &days {
        for (k, interval) in day.iter().enumerate() {
            let path = format!("$.priceInfo.{name}[{k}]");
            starts.push(stamps::instant(&interval.starts_at, || format!("{path}.startsAt"))?);
            prices.push(price(interval, wanted.covers, &path)?);
            if let Some(code) = &interval.currency {
                let stated = currency_at(&format!("{path}.currency"), code)?;
                if currency.is_some_and(|currency| currency != stated) {
                    return Err(wrong_text(path, code, "is another currency than before", ASK_ANOTHER));
                }
                currency = Some(stated);
            }
        }
    }
    let rows = starts.iter().zip(stamps::lengths(&starts)?).zip(prices);
    let value = |per_kwh| Price { per_kwh, provisional: false };
    let rows = rows.map(|((start, length), per_kwh)| Row::lasting(*start, length, value(per_kwh))).collect();
    let terms = Terms {
        currency: currency.unwrap_or(wanted.currency),
        vat_included: wanted.covers == Covers::Retail,
        covers: wanted.covers,
        published: None,
    };
    traded(rows, asked, terms)
}

/// The home that is wanted, or the only one.
fn home(viewer: Viewer, wanted: Option<&str>) -> Result<Home, NoValues> {
    let mut homes: Vec<Home> = viewer.home.into_iter().chain(viewer.homes).collect();
    let names = crate::refusal::names(homes.iter().map(|home| home.id.as_str()));
    if let Some(id) = wanted {
        homes.retain(|home| home.id == id);
    }
    match (homes.pop(), homes.is_empty(), wanted) {
        (Some(home), true, _) => Ok(home),
        (None, _, Some(id)) => {
            Err(wrong_text("$.data.viewer", id, "is no home of this customer", format!("it has {names}")))
        }
        (None, _, None) => Err(broken_whole("holds no home", "check the account at Tibber")),
        (Some(_), false, _) => {
            Err(broken_whole(format!("holds several homes: {names}"), "name the home that is meant"))
        }
    }
}

fn price(interval: &Interval, covers: Covers, path: &str) -> Result<f64, NoValues> {
    let (name, price) = match covers {
        Covers::Retail => ("total", interval.total),
        Covers::Energy => ("energy", interval.energy),
    };
    price.ok_or_else(|| broken(format!("{path}.{name}"), "", "is missing", "ask for it in the query"))
}

/// What an error means.
fn told(trouble: &Trouble) -> NoValues {
    let said = clip(&format!("{} ({})", trouble.message, trouble.extensions.code));
    match trouble.extensions.code.as_str() {
        "UNAUTHENTICATED" | "FORBIDDEN" => NoValues::Refused(said),
        "RATE_LIMITED" | "TOO_MANY_REQUESTS" | "INTERNAL_SERVER_ERROR" => NoValues::Later { why: said, until: None },
        _ => broken_whole(format!("is an error: {said}"), "compare the request with the documentation"),
    }
}
