//! Energy-Charts: prices by local days, the last one included; carbon intensity of a country, today's and what is forecast.

use chrono::NaiveDate;
use kwartier_data::feeds::{Answer, Area, Carbon, NoValues, Prices, Span, Values, energy_charts};

use super::super::answer::Failure;
use super::super::area::country;
use super::super::client::Request;
use super::address;
use crate::config::Feeds;
use crate::resource::feed::Source;

pub(super) fn request(settings: &Feeds, area: &Area, day: NaiveDate) -> Result<Request, Failure> {
    let day = day.to_string();
    let query = [("bzn", area.name), ("start", &day), ("end", &day)];
    Ok(Request::open(address(settings, Source::EnergyCharts, "/price", &query)?))
}

pub(super) fn read(answer: &Answer<'_>, asked: Span) -> Result<Prices, NoValues> {
    energy_charts::prices(answer, asked)
}

pub(super) fn carbon_request(settings: &Feeds, area: &str) -> Result<Request, Failure> {
    let url = address(settings, Source::EnergyCharts, "/co2eq", &[("country", &country(area))])?;
    Ok(Request::open(url))
}

pub(super) fn carbon(answer: &Answer<'_>, asked: Span) -> Result<Values<Carbon>, NoValues> {
    energy_charts::carbon(answer, asked)
}
