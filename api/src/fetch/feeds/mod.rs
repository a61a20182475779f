//! What each feed is asked with. It is read in `data/src/feeds/`.

mod awattar;
mod electricity_maps;
mod energy_charts;
mod energyzero;
mod entsoe;
mod forecast_solar;
mod national_grid;
mod nordpool;
mod octopus;
mod open_meteo;
mod solcast;
mod tibber;

use chrono::{DateTime, NaiveDate, Utc};
use kwartier_data::feeds::{Answer, Area, Covers, Currency, NoValues, Prices, Span};
use reqwest::Url;

use super::answer::{Failure, Outcome, Values};
use super::client::{Raw, Request};
use super::subject::Subject;
use crate::config::{Feeds, Supplier};
use crate::resource::feed::Source;

/// The request with which a feed is asked.
///
/// # Errors
///
/// Why it cannot be asked: it has nothing of the subject, or its key is not there.
pub fn request(settings: &Feeds, source: Source, subject: &Subject, now: DateTime<Utc>) -> Result<Request, Failure> {
    let span = subject.span(now);
    match (source, subject) {
        (_, Subject::Prices { day, .. }) => market(settings, source, subject, *day, span),
        (Source::OpenMeteo, Subject::Weather { .. }) => match subject.place() {
            Some(place) => open_meteo::request(settings, place, span),
            None => Err(nothing(source, subject)),
        },
        (_, Subject::Contract { site, .. }) => match settings.contract(site).map(|contract| &contract.supplier) {
            Some(Supplier::Tibber { token, home }) => tibber::request(settings, token.clone(), home.as_deref()),
            Some(Supplier::Octopus { product, region }) => octopus::request(settings, product, region, span),
            None => Err(nothing(source, subject)),
        },
        (Source::ForecastSolar, Subject::Pv { peak_w, roof: Some(roof), .. }) => {
            forecast_solar::request(settings, *roof, *peak_w)
        }
        (Source::Solcast, Subject::Pv { site, plant, .. }) => solcast::request(settings, site, plant, span),
        (Source::EnergyCharts, Subject::Carbon { area }) => energy_charts::carbon_request(settings, area),
        (Source::ElectricityMaps, Subject::Carbon { area }) => electricity_maps::request(settings, area),
        (Source::NationalGrid, Subject::Carbon { .. }) => national_grid::request(settings, span),
        _ => Err(nothing(source, subject)),
    }
}

/// The request for the prices of a day of the market.
fn market(settings: &Feeds, source: Source, subject: &Subject, day: NaiveDate, span: Span) -> Result<Request, Failure> {
    let area = subject.area().filter(|area| source.covers(area)).ok_or_else(|| nothing(source, subject))?;
    match source {
        Source::Entsoe => entsoe::request(settings, area, span),
        Source::EnergyCharts => energy_charts::request(settings, area, day),
        Source::Energyzero => energyzero::request(settings, day),
        Source::Awattar => awattar::request(settings, area, span),
        Source::Nordpool => nordpool::request(settings, area, day),
        _ => Err(nothing(source, subject)),
    }
}

fn nothing(source: Source, subject: &Subject) -> Failure {
    Failure::Broken(format!("{} has nothing of {subject}", source.name()))
}

/// What an answer says.
///
/// # Errors
///
/// Why it says nothing.
pub fn read(raw: &Raw, source: Source, subject: &Subject, asked: Span, received: DateTime<Utc>) -> Outcome {
    let answer = Answer { status: raw.status, body: &raw.body };
    let outcome = match (source, subject) {
        (_, Subject::Prices { .. }) => {
            return market_prices(&answer, source, subject, asked).map_err(|failure| patient(failure, raw, received));
        }
        (Source::OpenMeteo, Subject::Weather { .. }) => match subject.place() {
            Some(place) => kwartier_data::feeds::open_meteo::sky(&answer, place, received, asked).map(Values::Sky),
            None => return Err(nothing(source, subject)),
        },
        (Source::Tibber, Subject::Contract { .. }) => tibber::read(&answer, asked).map(Values::Retail),
        (Source::Octopus, Subject::Contract { .. }) => octopus::read(&answer, asked).map(Values::Retail),
        (Source::ForecastSolar, Subject::Pv { peak_w, .. }) => {
            forecast_solar::read(&answer, *peak_w, asked).map(Values::Power)
        }
        (Source::Solcast, Subject::Pv { peak_w, .. }) => solcast::read(&answer, *peak_w, asked).map(Values::Power),
        (Source::EnergyCharts, Subject::Carbon { .. }) => energy_charts::carbon(&answer, asked).map(Values::Carbon),
        (Source::ElectricityMaps, Subject::Carbon { area }) => {
            electricity_maps::read(&answer, area, asked).map(Values::Carbon)
        }
        (Source::NationalGrid, Subject::Carbon { .. }) => national_grid::read(&answer, asked).map(Values::Carbon),
        _ => return Err(nothing(source, subject)),
    };
    outcome.map_err(|why| patient(Failure::from(why), raw, received))
}

fn market_prices(answer: &Answer<'_>, source: Source, subject: &Subject, asked: Span) -> Outcome {
    let area = subject.area().ok_or_else(|| Failure::Broken(format!("{subject} is no price area")))?;
    let prices: Result<Prices, NoValues> = match source {
        Source::Entsoe => entsoe::read(answer, area, asked),
        Source::EnergyCharts => energy_charts::read(answer, asked),
        Source::Energyzero => energyzero::read(answer, asked),
        Source::Awattar => awattar::read(answer, asked),
        Source::Nordpool => nordpool::read(answer, area, asked),
        _ => return Err(nothing(source, subject)),
    };
    Ok(Values::Prices(usable(prices?)?))
}

/// A failure with the time that the answer asks to be given.
fn patient(failure: Failure, raw: &Raw, received: DateTime<Utc>) -> Failure {
    match failure {
        Failure::Later(why, None) => Failure::Later(why, raw.retry_after.map(|pause| received + pause)),
        other => other,
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
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    Ok(url)
}

/// A country's ending of a name: `DE-LU` is asked in Germany.
fn country(area: &Area) -> &'static str {
    if area.name == "AT" { "at" } else { "de" }
}

/// A peak power in kW.
fn kw(peak_w: u32) -> f64 {
    f64::from(peak_w) / 1000.0
}
