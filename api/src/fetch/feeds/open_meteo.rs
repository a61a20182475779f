//! Open-Meteo: stamps in Unix seconds of UTC, wind in m/s. With a key, at the host for customers.

use kwartier_data::feeds::Span;
use kwartier_data::history::Position;

use super::super::answer::Failure;
use super::super::client::{Request, Secret};
use super::at;
use crate::config::Feeds;
use crate::resource::feed::Source;

/// Where customers ask.
const CUSTOMERS: &str = "https://customer-api.open-meteo.com";

/// What is asked for.
const QUANTITIES: &str = "shortwave_radiation,direct_normal_irradiance,diffuse_radiation,temperature_2m,wind_speed_10m";

pub(super) fn request(settings: &Feeds, place: Position, span: Span) -> Result<Request, Failure> {
    let key = settings.open_meteo_key.clone();
    let usual = if key.is_some() { CUSTOMERS } else { Source::OpenMeteo.about().base };
    let (latitude, longitude) = (format!("{:.2}", place.latitude_deg), format!("{:.2}", place.longitude_deg));
    let days = (span.length().num_days() + 2).to_string();
    let query = [
        ("latitude", latitude.as_str()),
        ("longitude", longitude.as_str()),
        ("timezone", "GMT"),
        ("timeformat", "unixtime"),
        ("wind_speed_unit", "ms"),
        ("forecast_days", days.as_str()),
        ("minutely_15", QUANTITIES),
    ];
    let url = at(settings.base(Source::OpenMeteo).unwrap_or(usual), "/v1/forecast", &query)?;
    Ok(Request::with(url, key.map(|key| Secret::Query("apikey", key))))
}
