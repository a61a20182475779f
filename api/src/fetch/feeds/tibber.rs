//! Tibber: GraphQL over POST, the token of a customer, today's and tomorrow's quarter-hours in one answer.

use kwartier_data::feeds::tibber::{self, Wanted};
use kwartier_data::feeds::{Answer, Covers, Currency, NoValues, Span};
use secrecy::SecretString;
use serde_json::json;

use super::super::answer::{Failure, Retail};
use super::super::client::{Request, Secret};
use super::address;
use crate::config::Feeds;
use crate::resource::feed::Source;

/// What is asked of a home.
const PRICES: &str = "id currentSubscription { priceInfo(resolution: QUARTER_HOURLY) { today { startsAt total energy currency } tomorrow { startsAt total energy currency } } }";

pub(super) fn request(settings: &Feeds, token: SecretString, home: Option<&str>) -> Result<Request, Failure> {
    let url = address(settings, Source::Tibber, "/v1-beta/gql", &[])?;
    let body = match home {
        Some(home) => json!({
            "query": format!("query ($home: ID!) {{ viewer {{ home(id: $home) {{ {PRICES} }} }} }}"),
            "variables": { "home": home },
        }),
        None => json!({ "query": format!("{{ viewer {{ homes {{ {PRICES} }} }} }}") }),
    };
    Ok(Request { url, secret: Some(Secret::Bearer(token)), body: Some(body.to_string()) })
}

/// All that is billed, and what of it is the market's: both stand in one answer.
pub(super) fn read(answer: &Answer<'_>, asked: Span) -> Result<Retail, NoValues> {
    // The home is named in the question where there are several.
    let part = |covers| Wanted { home: None, currency: Currency::EUR, covers };
    let total = tibber::prices(answer, &part(Covers::Retail), asked)?;
    Ok(Retail { total, energy: Some(tibber::prices(answer, &part(Covers::Energy), asked)?) })
}
