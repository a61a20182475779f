//! Solcast: a rooftop by the id that it has there.

use kwartier_data::feeds::{Answer, NoValues, PvPower, Span, Values, solcast};

use super::super::answer::Failure;
use super::super::client::{Request, Secret};
use super::{address, kw};
use crate::config::Feeds;
use crate::resource::feed::Source;

pub(super) fn request(settings: &Feeds, site: &str, plant: &str, span: Span) -> Result<Request, Failure> {
    let missing = |what: &str| Failure::Refused(format!("{what} is not set"));
    let key = settings.solcast_key.clone().ok_or_else(|| missing("feeds.solcast_key_file"))?;
    let rooftop = settings.rooftop(site, plant).ok_or_else(|| missing("feeds.rooftops of this plant"))?;
    let hours = (span.length().num_hours() + 1).to_string();
    let query = [("period", "PT30M"), ("format", "json"), ("hours", hours.as_str())];
    let url = address(settings, Source::Solcast, &format!("/rooftop_sites/{rooftop}/forecasts"), &query)?;
    Ok(Request::with(url, Some(Secret::Bearer(key))))
}

pub(super) fn read(answer: &Answer<'_>, peak_w: u32, asked: Span) -> Result<Values<PvPower>, NoValues> {
    solcast::power(answer, kw(peak_w), asked)
}
