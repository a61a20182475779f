//! Weather as files hold it: a row for each interval and vintage.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Sky, Weather, WeatherRow};
use crate::local::{self, Stamp};
use crate::refusal::{Fault, Refusal};
use crate::series::{Reading, filter, stamps};
use crate::table::{self, Table};
use crate::text::{choices, words};

/// A quantity: what its column is called, the likeliest name first, and what is believed of it.
struct Quantity {
    names: &'static [&'static str],
    believed: std::ops::RangeInclusive<f64>,
    set: fn(&mut Sky, f64),
}

/// The sun gives 1,361 W/m² above the air; broken cloud makes a little more than that on the ground for moments, and
/// instruments show a little less than nothing at night.
pub(crate) const IRRADIANCE_WM2: std::ops::RangeInclusive<f64> = -20.0..=1800.0;

/// The coldest and hottest air ever measured, with room.
pub(crate) const TEMP_C: std::ops::RangeInclusive<f64> = -95.0..=65.0;

/// The fastest gust ever measured was 113 m/s.
pub(crate) const WIND_MS: std::ops::RangeInclusive<f64> = 0.0..=120.0;

const QUANTITIES: [Quantity; 5] = [
    Quantity {
        names: &["ghi wm2", "ghi", "global wm2", "shortwave radiation", "global radiation", "ghi w m2"],
        believed: IRRADIANCE_WM2,
        set: |sky, value| sky.ghi_wm2 = Some(value.max(0.0)),
    },
    Quantity {
        names: &["dni wm2", "dni", "direct normal irradiance", "dni w m2"],
        believed: IRRADIANCE_WM2,
        set: |sky, value| sky.dni_wm2 = Some(value.max(0.0)),
    },
    Quantity {
        names: &["dhi wm2", "dhi", "diffuse wm2", "diffuse radiation", "dhi w m2"],
        believed: IRRADIANCE_WM2,
        set: |sky, value| sky.dhi_wm2 = Some(value.max(0.0)),
    },
    Quantity {
        names: &["temp c", "temperature c", "temp", "temperature", "temperature 2m", "temp air", "t2m c"],
        believed: TEMP_C,
        set: |sky, value| sky.temp_c = Some(value),
    },
    Quantity {
        names: &["wind ms", "wind speed ms", "wind speed", "wind speed 10m", "wind m s"],
        believed: WIND_MS,
        set: |sky, value| sky.wind_ms = Some(value),
    },
];

/// What the column is called that says when a row became known.
const KNOWN_AT: [&str; 8] =
    ["known at", "available at", "issued at", "issued", "published at", "run", "reference time", "forecast time"];

/// The weather of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct WeatherFile {
    /// The weather.
    pub weather: Weather,
    /// Whether rows say when they became known; if not, they count as measured: known when their interval has ended.
    pub vintages: bool,
    /// What the reader should know, in words.
    pub notes: Vec<String>,
}

/// Reads weather from CSV, packed with gzip or not, or Parquet: `start`, any of `ghi_wm2,dni_wm2,dhi_wm2,temp_c,wind_ms`,
/// and `known_at` where it is a forecast, which may give an interval several times. Of `reading`, column and unit do not
/// matter.
///
/// # Errors
///
/// [`Refusal`] where stamps cannot be read, the zone is not known or there is no column of weather.
pub fn read_weather(bytes: &[u8], reading: &Reading<'_>) -> Result<WeatherFile, Refusal> {
    let table = table::read(bytes)?;
    let stamp = stamps::column(&table, reading.time)?;
    let plain: Vec<String> = table.header().iter().map(|name| words(name).join(" ")).collect();
    let find = |names: &[&str]| names.iter().find_map(|name| plain.iter().position(|plain| plain == name));
    let columns: Vec<(usize, &Quantity)> =
        QUANTITIES.iter().filter_map(|quantity| Some((find(quantity.names)?, quantity))).collect();
    if columns.is_empty() {
        let wrong = format!("has no column of weather; it has {}", choices(table.header()));
        let remedy = "name one or more of ghi_wm2, dni_wm2, dhi_wm2, temp_c, wind_ms";
        return Err(Fault::of_table("the header", "", wrong, remedy).into());
    }
    let known_at = find(&KNOWN_AT);
    let rows = filter::rows(&table, reading.filter)?;
    let starts = stamps::in_order(&table, stamp, &rows, reading.zone)?.rows;
    let mut notes = Vec::new();
    let step = step(&starts.iter().map(|placed| placed.at).collect::<Vec<_>>()).ok_or_else(|| {
        let wrong = "does not tell how long an interval is";
        Refusal::from(Fault::of_table("the table", "", wrong, "give at least two intervals"))
    })?;
    let mut unusable = 0_usize;
    let mut weather = Vec::with_capacity(starts.len());
    for placed in starts {
        let mut sky = Sky::default();
        for (column, quantity) in &columns {
            match table.number(*column, placed.row) {
                Ok(Some(value)) if quantity.believed.contains(&value) => (quantity.set)(&mut sky, value),
                Ok(None) => {}
                Ok(Some(_)) | Err(_) => unusable += 1,
            }
        }
        let known_at = match known_at {
            Some(column) => known(&table, column, placed.row, reading)?,
            None => placed.at + step,
        };
        weather.push(WeatherRow { start: placed.at, known_at, sky });
    }
    if 2 * unusable > weather.len() * columns.len() {
        let wrong = format!("holds {unusable} cells that are no weather");
        let remedy = "check the units: W/m², °C, m/s, with a decimal point";
        return Err(Fault::of_table("the table", "", wrong, remedy).into());
    }
    if unusable > 0 {
        notes.push(format!("{unusable} cells are no weather and were left out"));
    }
    Ok(WeatherFile { weather: Weather::new(weather, step), vintages: known_at.is_some(), notes })
}

/// When a row became known. In the hour that a clock repeats, the second: nothing was known earlier than it was.
fn known(table: &Table, column: usize, row: usize, reading: &Reading<'_>) -> Result<DateTime<Utc>, Refusal> {
    match (table.stamp(column, row), reading.zone) {
        (Some(Stamp::Absolute(at)), _) => Ok(at),
        (Some(Stamp::Local(wall)), Some(zone)) => {
            Ok(local::second_instant(zone, wall).unwrap_or_else(|| local::instant(zone, wall).0))
        }
        (Some(Stamp::Local(_)), None) => {
            let remedy = "write stamps with an offset or Z, or name their zone, such as --tz Europe/Amsterdam";
            Err(table.fault(row, column, "says neither its offset nor its zone", remedy).into())
        }
        (None, _) => Err(table.fault(row, column, "is no date and time", "say when the row became known").into()),
    }
}

/// The most common distance of instants in ascending order, those that repeat aside.
fn step(starts: &[DateTime<Utc>]) -> Option<TimeDelta> {
    let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
    for pair in starts.windows(2).filter(|pair| pair[0] != pair[1]) {
        *counts.entry((pair[1] - pair[0]).num_seconds()).or_default() += 1;
    }
    let most = counts.into_iter().rev().max_by_key(|(_, count)| *count);
    most.map(|(seconds, _)| TimeDelta::seconds(seconds))
}
