//! Open-Meteo: weather forecasts by the quarter-hour or by the hour.
//!
//! Irradiance at a stamp is the mean of the interval BEFORE it; temperature and wind are those at the stamp. With a zone, all
//! stamps of an answer have one offset, across a change of the clocks too, so a stamp minus `utc_offset_seconds` is always
//! right. Wind comes in km/h unless m/s is asked for. Source: research notes, section 2.2, and the provider's description.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use serde::Deserialize;

use super::body::{self, Answer};
use super::outcome::{ASK_ANOTHER, broken, broken_whole, wrong_text};
use super::rows::{Row, of, settle};
use super::sky::dark;
use super::{NoValues, SkyForecast, Span, stamps};
use crate::history::{self, Position, Sky};
use crate::refusal::{clip, number};

/// How far the point of the model's grid may be from the place, in degrees: the coarsest grid has 0.25°, and a point over
/// land may be preferred.
const FARTHEST_DEG: f64 = 0.5;

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    error: bool,
    #[serde(default)]
    reason: String,
    latitude: Option<f64>,
    longitude: Option<f64>,
    #[serde(default)]
    utc_offset_seconds: i64,
    minutely_15: Option<Block>,
    #[serde(default)]
    minutely_15_units: Units,
    hourly: Option<Block>,
    #[serde(default)]
    hourly_units: Units,
}

#[derive(Deserialize)]
struct Block {
    time: Vec<Time>,
    shortwave_radiation: Option<Vec<Option<f64>>>,
    direct_normal_irradiance: Option<Vec<Option<f64>>>,
    diffuse_radiation: Option<Vec<Option<f64>>>,
    temperature_2m: Option<Vec<Option<f64>>>,
    wind_speed_10m: Option<Vec<Option<f64>>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Time {
    Unix(i64),
    Local(String),
}

#[derive(Default, Deserialize)]
struct Units {
    shortwave_radiation: Option<String>,
    direct_normal_irradiance: Option<String>,
    diffuse_radiation: Option<String>,
    temperature_2m: Option<String>,
    wind_speed_10m: Option<String>,
}

/// The answer of `/v1/forecast` for a place, which came at `received`: the answer does not say when its model ran.
///
/// # Errors
///
/// [`NoValues`], see there.
pub fn sky(
    answer: &Answer<'_>,
    place: Position,
    received: DateTime<Utc>,
    asked: Span,
) -> Result<SkyForecast, NoValues> {
    if !answer.is_fine()
        && let Ok(wire) = answer.unpacked().and_then(|body| body::object::<Wire>(&body))
        && wire.error
    {
        return Err(told(&wire.reason, answer.status));
    }
    let wire: Wire = answer.json()?;
    if wire.error {
        return Err(told(&wire.reason, answer.status));
    }
    near(&wire, place)?;
    let (name, block, units, step) = match (&wire.minutely_15, &wire.hourly) {
        (Some(block), _) => ("minutely_15", block, &wire.minutely_15_units, TimeDelta::minutes(15)),
        (None, Some(block)) => ("hourly", block, &wire.hourly_units, TimeDelta::hours(1)),
        (None, None) => return Err(broken_whole("holds neither minutely_15 nor hourly values", ASK_ANOTHER)),
    };
    let rows = rows(block, units, step, wire.utc_offset_seconds, &format!("$.{name}"))?;
    let mut values = settle(rows, asked)?;
    let suspect = dark(&values.rows, place);
    if values.rows.iter().any(|row| more_diffuse_than_all(&row.value)) {
        values.notes.push("some diffuse irradiance is more than the global irradiance, which cannot be".to_owned());
    }
    Ok(SkyForecast { known_at: received, values, suspect })
}

/// What an error means.
fn told(reason: &str, status: u16) -> NoValues {
    let said = clip(reason);
    let plain = said.to_lowercase();
    if matches!(status, 401 | 403) || plain.contains("api key") || plain.contains("apikey") {
        NoValues::Refused(said)
    } else if matches!(status, 429 | 500..=599) || plain.contains("limit exceeded") || plain.contains("too many") {
        NoValues::Later { why: said, until: None }
    } else {
        broken_whole(format!("is an error: {said}"), "compare the request with the documentation")
    }
}

/// Whether the answer is of the place: a sign that is lost puts it on the other side of the Earth.
fn near(wire: &Wire, place: Position) -> Result<(), NoValues> {
    let pairs = [("latitude", wire.latitude, place.latitude_deg), ("longitude", wire.longitude, place.longitude_deg)];
    for (name, answered, wanted) in pairs {
        if let Some(answered) = answered.filter(|answered| (answered - wanted).abs() > FARTHEST_DEG) {
            let wrong = format!("is far from {}; south and west are negative", number(wanted));
            return Err(broken(format!("$.{name}"), number(answered), wrong, "check the place that was asked for"));
        }
    }
    Ok(())
}

/// A quantity of a block.
struct Quantity<'w> {
    values: &'w [Option<f64>],
    factor: f64,
    set: fn(&mut Sky, f64),
    believed: std::ops::RangeInclusive<f64>,
    /// Whether a value is the mean of the interval before its stamp; if not, it is the value at the stamp.
    mean: bool,
}

/// The intervals of a block: each ends at its stamp.
fn rows(block: &Block, units: &Units, step: TimeDelta, offset_s: i64, path: &str) -> Result<Vec<Row<Sky>>, NoValues> {
    let ends = block
        .time
        .iter()
        .enumerate()
        .map(|(k, time)| instant(time, offset_s, || format!("{path}.time[{k}]")))
        .collect::<Result<Vec<_>, _>>()?;
    let quantities = quantities(block, units, path)?;
    if quantities.is_empty() {
        return Err(broken(path, "", "holds no quantity that was asked for", "ask for shortwave_radiation"));
    }
    let mut rows = Vec::with_capacity(ends.len());
    for (k, &end) in ends.iter().enumerate() {
        if quantities.iter().all(|quantity| quantity.values[k].is_none()) {
            continue;
        }
        // The stamp before, if it is that of the beginning of the interval.
        let before = k.checked_sub(1).filter(|before| ends[*before] == end - step);
        let mut sky = Sky::default();
        for quantity in &quantities {
            let at = |k: usize| quantity.values[k].map(|value| value * quantity.factor);
            let value = if quantity.mean { at(k) } else { middle(before.and_then(at), at(k)) };
            let Some(value) = value else { continue };
            if !quantity.believed.contains(&value) {
                let row = Row::lasting(end - step, step, sky);
                return Err(broken(of(&row), number(value), "is no weather", "check the units that were asked for"));
            }
            (quantity.set)(&mut sky, value);
        }
        rows.push(Row::lasting(end - step, step, sky));
    }
    Ok(rows)
}

/// The mean of what holds at both ends of an interval, or what is known of it.
fn middle(begin: Option<f64>, end: Option<f64>) -> Option<f64> {
    match (begin, end) {
        (Some(begin), Some(end)) => Some(f64::midpoint(begin, end)),
        (begin, end) => begin.or(end),
    }
}

/// The quantities that a block holds, each as long as its stamps and in a unit that is known.
fn quantities<'w>(block: &'w Block, units: &Units, path: &str) -> Result<Vec<Quantity<'w>>, NoValues> {
    let sun = |set: fn(&mut Sky, f64)| (set, history::IRRADIANCE_WM2, true);
    let (ghi, dni, dhi) = (
        sun(|sky, value| sky.ghi_wm2 = Some(value.max(0.0))),
        sun(|sky, value| sky.dni_wm2 = Some(value.max(0.0))),
        sun(|sky, value| sky.dhi_wm2 = Some(value.max(0.0))),
    );
    let temp: (fn(&mut Sky, f64), _, _) = (|sky, value| sky.temp_c = Some(value), history::TEMP_C, false);
    let wind: (fn(&mut Sky, f64), _, _) = (|sky, value| sky.wind_ms = Some(value), history::WIND_MS, false);
    let all = [
        ("shortwave_radiation", &block.shortwave_radiation, &units.shortwave_radiation, ghi),
        ("direct_normal_irradiance", &block.direct_normal_irradiance, &units.direct_normal_irradiance, dni),
        ("diffuse_radiation", &block.diffuse_radiation, &units.diffuse_radiation, dhi),
        ("temperature_2m", &block.temperature_2m, &units.temperature_2m, temp),
        ("wind_speed_10m", &block.wind_speed_10m, &units.wind_speed_10m, wind),
    ];
    let mut quantities = Vec::new();
    for (name, values, unit, (set, believed, mean)) in all {
        let Some(values) = values else { continue };
        if values.len() != block.time.len() {
            let wrong = format!("values stand beside {} stamps", block.time.len());
            return Err(broken(format!("{path}.{name}"), values.len().to_string(), wrong, ASK_ANOTHER));
        }
        let factor = factor(name, unit.as_deref(), path)?;
        quantities.push(Quantity { values, factor, set, believed, mean });
    }
    Ok(quantities)
}

/// What a value of a unit is to be multiplied by. Without a unit, it is the provider's default.
fn factor(name: &str, unit: Option<&str>, path: &str) -> Result<f64, NoValues> {
    /// 1 km/h in m/s.
    const KM_H: f64 = 1.0 / 3.6;
    match (name, unit) {
        ("wind_speed_10m", None | Some("km/h")) => Ok(KM_H),
        ("wind_speed_10m", Some("m/s" | "ms")) | ("temperature_2m", None | Some("°C")) => Ok(1.0),
        (name, None | Some("W/m²")) if name.ends_with("radiation") || name.ends_with("irradiance") => Ok(1.0),
        (name, unit) => {
            let place = format!("{path}_units.{name}");
            Err(wrong_text(place, unit.unwrap_or_default(), "is not the unit of this", "ask for W/m², °C and m/s"))
        }
    }
}

/// The instant of a stamp, given all stamps' offset.
fn instant(time: &Time, offset_s: i64, path: impl FnOnce() -> String) -> Result<DateTime<Utc>, NoValues> {
    match time {
        // Unix seconds need no offset, whatever zone was asked for.
        Time::Unix(seconds) => stamps::unix(*seconds, path),
        Time::Local(text) => match NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M") {
            Ok(local) => stamps::unix(local.and_utc().timestamp() - offset_s, path),
            Err(_) => Err(wrong_text(path(), text, "is no date and time", ASK_ANOTHER)),
        },
    }
}

fn more_diffuse_than_all(sky: &Sky) -> bool {
    /// Rounding of the feed, in W/m².
    const ROUNDING: f64 = 1.0;
    sky.ghi_wm2.zip(sky.dhi_wm2).is_some_and(|(ghi, dhi)| dhi > ghi + ROUNDING)
}
