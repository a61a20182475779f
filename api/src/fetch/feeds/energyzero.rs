//! EnergyZero: one date, quarter-hours, the market's price without VAT.

use chrono::NaiveDate;
use kwartier_data::feeds::energyzero::{self, Stream};
use kwartier_data::feeds::{Answer, NoValues, Prices, Span};

use super::super::answer::Failure;
use super::super::client::Request;
use super::address;
use crate::config::Feeds;
use crate::resource::feed::Source;

pub(super) fn request(settings: &Feeds, day: NaiveDate) -> Result<Request, Failure> {
    let date = day.format("%d-%m-%Y").to_string();
    let query = [("energyType", "ENERGY_TYPE_ELECTRICITY"), ("date", date.as_str()), ("interval", "INTERVAL_QUARTER")];
    Ok(Request::open(address(settings, Source::Energyzero, "/public/v1/prices", &query)?))
}

pub(super) fn read(answer: &Answer<'_>, asked: Span) -> Result<Prices, NoValues> {
    energyzero::prices(answer, Stream::MARKET, asked)
}
