//! Electricity Maps: the forecast of a zone, with a key in a header of its own.

use kwartier_data::feeds::{Answer, Carbon, NoValues, Span, Values, electricity_maps};

use super::super::answer::Failure;
use super::super::area::zone;
use super::super::client::{Request, Secret};
use super::address;
use crate::config::Feeds;
use crate::resource::feed::Source;

pub(super) fn request(settings: &Feeds, area: &str) -> Result<Request, Failure> {
    let key = settings.electricity_maps_key.clone();
    let key = key.ok_or_else(|| Failure::Refused("feeds.electricity_maps_key_file is not set".to_owned()))?;
    let path = "/v3/carbon-intensity/forecast";
    let url = address(settings, Source::ElectricityMaps, path, &[("zone", &zone(area))])?;
    Ok(Request::with(url, Some(Secret::Header("auth-token", key))))
}

pub(super) fn read(answer: &Answer<'_>, area: &str, asked: Span) -> Result<Values<Carbon>, NoValues> {
    electricity_maps::carbon(answer, &zone(area), asked)
}
