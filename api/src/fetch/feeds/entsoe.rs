//! ENTSO-E's transparency platform: document A44, the key in the address.

use chrono::{DateTime, Utc};
use kwartier_data::feeds::{Answer, Area, NoValues, Prices, Span, entsoe};

use super::super::answer::Failure;
use super::super::client::{Request, Secret};
use super::address;
use crate::config::Feeds;
use crate::resource::feed::Source;

pub(super) fn request(settings: &Feeds, area: &Area, span: Span) -> Result<Request, Failure> {
    let key =
        settings.entsoe_key.clone().ok_or_else(|| Failure::Refused("feeds.entsoe_key_file is not set".to_owned()))?;
    let time = |at: DateTime<Utc>| at.format("%Y%m%d%H%M").to_string();
    let query = [
        ("documentType", "A44"),
        ("curveType", "A03"),
        ("in_Domain", area.eic),
        ("out_Domain", area.eic),
        ("periodStart", &time(span.from)),
        ("periodEnd", &time(span.to)),
    ];
    let url = address(settings, Source::Entsoe, "/api", &query)?;
    Ok(Request::with(url, Some(Secret::Query("securityToken", key))))
}

pub(super) fn read(answer: &Answer<'_>, area: &Area, asked: Span) -> Result<Prices, NoValues> {
    entsoe::prices(answer, area, asked)
}
