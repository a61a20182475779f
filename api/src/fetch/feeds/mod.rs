//! What each feed is asked with. It is read in `data/src/feeds/`.

mod awattar;
mod energy_charts;
mod energyzero;
mod entsoe;
mod nordpool;
mod open_meteo;

use chrono::{DateTime, Utc};
use kwartier_data::feeds::{Answer, Area, Covers, Currency, Prices, Span};
use reqwest::Url;

use super::answer::{Failure, Outcome, Values};
use super::client::{Raw, Request};
use super::subject::Subject;
use crate::config::Feeds;
use crate::resource::feed::Source;

/// The request with which a feed is asked.
///
/// # Errors
///
/// Why it cannot be asked: it has nothing of the subject, or its key is not there.
pub fn request(settings: &Feeds, source: Source, subject: &Subject, now: DateTime<Utc>) -> Result<Request, Failure> {
    let span = subject.span(now);
    let nothing = || Failure::Broken(format!("{} has nothing of {subject}", source.name()));
    if let (Source::OpenMeteo, Some(place)) = (source, subject.place()) {
        return open_meteo::request(settings, place, span);
    }
    let area = subject.area().filter(|area| source.covers(area)).ok_or_else(nothing)?;
    let Subject::Prices { day, .. } = subject else { return Err(nothing()) };
    match source {
        Source::Entsoe => entsoe::request(settings, area, span),
        Source::EnergyCharts => energy_charts::request(settings, area, *day),
        Source::Energyzero => energyzero::request(settings, *day),
        Source::Awattar => awattar::request(settings, area, span),
        Source::Nordpool => nordpool::request(settings, area, *day),
        Source::OpenMeteo => Err(nothing()),
    }
}

/// What an answer says.
///
/// # Errors
///
/// Why it says nothing.
pub fn read(raw: &Raw, source: Source, subject: &Subject, asked: Span, received: DateTime<Utc>) -> Outcome {
    let answer = Answer { status: raw.status, body: &raw.body };
    if let Some(place) = subject.place() {
        return Ok(Values::Sky(kwartier_data::feeds::open_meteo::sky(&answer, place, received, asked)?));
    }
    let area = subject.area().ok_or_else(|| Failure::Broken(format!("{subject} is no price area")))?;
    let prices = match source {
        Source::Entsoe => entsoe::read(&answer, area, asked),
        Source::EnergyCharts => energy_charts::read(&answer, asked),
        Source::Energyzero => energyzero::read(&answer, asked),
        Source::Awattar => awattar::read(&answer, asked),
        Source::Nordpool => nordpool::read(&answer, area, asked),
        Source::OpenMeteo => return Err(Failure::Broken("weather is no price".to_owned())),
    };
    match prices.map_err(Failure::from) {
        Err(Failure::Later(why, None)) => Err(Failure::Later(why, raw.retry_after.map(|pause| received + pause))),
        Err(why) => Err(why),
        Ok(prices) => Ok(Values::Prices(usable(prices)?)),
    }
}

/// Prices that a site's are made from: of the market alone, in EUR.
fn usable(prices: Prices) -> Result<Prices, Failure> {
    if prices.currency != Currency::EUR {
        let why = format!("its prices are in {}, which is not converted; use a feed in EUR", prices.currency);
        return Err(Failure::Broken(why));
    }
    if prices.covers != Covers::Energy || prices.vat_included {
        return Err(Failure::Broken("its prices are not those of the market alone".to_owned()));
    }
    Ok(prices)
}

/// The address of a feed, with a path and parameters.
fn address(settings: &Feeds, source: Source, path: &str, query: &[(&str, &str)]) -> Result<Url, Failure> {
    at(settings.base(source).unwrap_or(source.about().base), path, query)
}

/// An address with a path and parameters.
fn at(base: &str, path: &str, query: &[(&str, &str)]) -> Result<Url, Failure> {
    let text = format!("{}{path}", base.trim_end_matches('/'));
    let mut url = Url::parse(&text).map_err(|why| Failure::Broken(format!("its address is none: {why}")))?;
    url.query_pairs_mut().extend_pairs(query);
    Ok(url)
}

/// A country's ending of a name: `DE-LU` is asked in Germany.
fn country(area: &Area) -> &'static str {
    if area.name == "AT" { "at" } else { "de" }
}
