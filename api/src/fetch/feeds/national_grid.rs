//! Great Britain's system operator: half-hours of a span of time, which stands in the path.

use chrono::{DateTime, Utc};
use kwartier_data::feeds::{Answer, Carbon, NoValues, Span, Values, national_grid};

use super::super::answer::Failure;
use super::super::client::Request;
use super::address;
use crate::config::Feeds;
use crate::resource::feed::Source;

pub(super) fn request(settings: &Feeds, span: Span) -> Result<Request, Failure> {
    let time = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%MZ").to_string();
    let path = format!("/intensity/{}/{}", time(span.from), time(span.to));
    Ok(Request::open(address(settings, Source::NationalGrid, &path, &[])?))
}

pub(super) fn read(answer: &Answer<'_>, asked: Span) -> Result<Values<Carbon>, NoValues> {
    national_grid::carbon(answer, asked)
}
