//! forecast.solar: a plant by its place and how it lies; the direction counts from south, west of it is positive. A key stands
//! at the beginning of the path.

use kwartier_data::feeds::{Answer, NoValues, PvPower, Span, Values, forecast_solar};

use super::super::answer::Failure;
use super::super::client::{Request, Secret};
use super::super::subject::Roof;
use super::{address, kw};
use crate::config::Feeds;
use crate::resource::feed::Source;

pub(super) fn request(settings: &Feeds, roof: Roof, peak_w: u32) -> Result<Request, Failure> {
    let Roof { latitude_cdeg, longitude_cdeg, tilt_deg, azimuth_deg } = roof;
    let deg = |cdeg: i32| f64::from(cdeg) / 100.0;
    let (latitude, longitude, from_south) = (deg(latitude_cdeg), deg(longitude_cdeg), azimuth_deg - 180);
    let path = format!("/estimate/{latitude:.2}/{longitude:.2}/{tilt_deg}/{from_south}/{:.3}", kw(peak_w));
    let url = address(settings, Source::ForecastSolar, &path, &[("time", "utc")])?;
    Ok(Request::with(url, settings.forecast_solar_key.clone().map(Secret::Path)))
}

pub(super) fn read(answer: &Answer<'_>, peak_w: u32, asked: Span) -> Result<Values<PvPower>, NoValues> {
    forecast_solar::power(answer, kw(peak_w), asked)
}
