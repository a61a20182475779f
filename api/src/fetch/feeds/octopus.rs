//! Octopus Energy: the unit rates of a tariff, which is a product in a region; half-hours in pence, without VAT.

use chrono::{DateTime, Utc};
use kwartier_data::feeds::octopus::{self, Payment};
use kwartier_data::feeds::{Answer, NoValues, Span};

use super::super::answer::{Failure, Retail};
use super::super::client::Request;
use super::address;
use crate::config::Feeds;
use crate::resource::feed::Source;

/// Most rates of one answer: a day has 50 at most.
const PAGE: &str = "100";

pub(super) fn request(settings: &Feeds, product: &str, region: &str, span: Span) -> Result<Request, Failure> {
    // One register: all hours are counted by one meter.
    let path = format!("/v1/products/{product}/electricity-tariffs/E-1R-{product}-{region}/standard-unit-rates/");
    let time = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let query = [("period_from", time(span.from)), ("period_to", time(span.to)), ("page_size", PAGE.to_owned())];
    let query = query.each_ref().map(|(name, value)| (*name, value.as_str()));
    Ok(Request::open(address(settings, Source::Octopus, &path, &query)?))
}

pub(super) fn read(answer: &Answer<'_>, asked: Span) -> Result<Retail, NoValues> {
    Ok(Retail { total: octopus::prices(answer, Payment::DirectDebit, asked)?, energy: None })
}
