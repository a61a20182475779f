//! Energy-Charts: local days, the last one included.

use chrono::NaiveDate;
use kwartier_data::feeds::{Answer, Area, NoValues, Prices, Span, energy_charts};

use super::super::answer::Failure;
use super::super::client::Request;
use super::address;
use crate::config::Feeds;
use crate::resource::feed::Source;

pub(super) fn request(settings: &Feeds, area: &Area, day: NaiveDate) -> Result<Request, Failure> {
    let day = day.to_string();
    let query = [("bzn", area.name), ("start", &day), ("end", &day)];
    Ok(Request { url: address(settings, Source::EnergyCharts, "/price", &query)?, secret: None })
}

pub(super) fn read(answer: &Answer<'_>, asked: Span) -> Result<Prices, NoValues> {
    energy_charts::prices(answer, asked)
}
