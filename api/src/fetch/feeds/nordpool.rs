//! Nord Pool's data portal: a date of the auction, an area by its own name. No licensed feed: its terms have to allow the use.

use chrono::NaiveDate;
use kwartier_data::feeds::{Answer, Area, NoValues, Prices, Span, nordpool};

use super::super::answer::Failure;
use super::super::client::Request;
use super::address;
use crate::config::Feeds;
use crate::resource::feed::Source;

pub(super) fn request(settings: &Feeds, area: &Area, day: NaiveDate) -> Result<Request, Failure> {
    let day = day.to_string();
    let query = [
        ("market", "DayAhead"),
        ("date", day.as_str()),
        ("deliveryArea", area.nordpool.unwrap_or_default()),
        ("currency", "EUR"),
    ];
    Ok(Request::open(address(settings, Source::Nordpool, "/api/DayAheadPrices", &query)?))
}

pub(super) fn read(answer: &Answer<'_>, area: &Area, asked: Span) -> Result<Prices, NoValues> {
    nordpool::prices(answer, area.nordpool.unwrap_or_default(), asked)
}
