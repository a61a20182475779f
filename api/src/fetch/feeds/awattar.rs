//! aWATTar: a host for each country, milliseconds.

use kwartier_data::feeds::{Answer, Area, NoValues, Prices, Span, awattar};

use super::super::answer::Failure;
use super::super::client::Request;
use super::{at, country};
use crate::config::Feeds;
use crate::resource::feed::Source;

pub(super) fn request(settings: &Feeds, area: &Area, span: Span) -> Result<Request, Failure> {
    let base = settings.base(Source::Awattar).unwrap_or(Source::Awattar.about().base);
    let (from, to) = (span.from.timestamp_millis().to_string(), span.to.timestamp_millis().to_string());
    let url = at(&base.replace("{country}", country(area)), "/v1/marketdata", &[("start", &from), ("end", &to)])?;
    Ok(Request::open(url))
}

pub(super) fn read(answer: &Answer<'_>, asked: Span) -> Result<Prices, NoValues> {
    awattar::prices(answer, asked)
}
