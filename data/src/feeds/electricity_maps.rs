//! Electricity Maps: carbon intensity of a zone, forecast or past, in g CO₂ equivalent per kWh. A stamp is the beginning of
//! its interval, whose length `temporalGranularity` gives, or the distance to the next where it is not there.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use super::body::Answer;
use super::outcome::{ASK_ANOTHER, broken_whole, wrong_text};
use super::rows::Row;
use super::{Carbon, NoValues, Span, Values, carbon, stamps};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    zone: String,
    forecast: Option<Vec<Interval>>,
    #[serde(alias = "history")]
    data: Option<Vec<Interval>>,
    temporal_granularity: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Interval {
    carbon_intensity: Option<f64>,
    datetime: String,
}

/// The answer of `/v3/carbon-intensity/forecast`, `/history` or `/past-range`.
///
/// # Errors
///
/// [`NoValues`], see there.
pub fn carbon(answer: &Answer<'_>, zone: &str, asked: Span) -> Result<Values<Carbon>, NoValues> {
    let wire: Wire = answer.json()?;
    if wire.zone != zone {
        return Err(wrong_text("$.zone", &wire.zone, "is another zone than was asked for", ASK_ANOTHER));
    }
    let (key, forecast, intervals) = match (wire.forecast, wire.data) {
        (Some(intervals), _) => ("forecast", true, intervals),
        (None, Some(intervals)) => ("data", false, intervals),
        (None, None) => return Err(broken_whole("holds neither a forecast nor a history", ASK_ANOTHER)),
    };
    let starts = intervals
        .iter()
        .enumerate()
        .map(|(k, interval)| stamps::instant(&interval.datetime, || format!("$.{key}[{k}].datetime")))
        .collect::<Result<Vec<_>, _>>()?;
    let lengths = lengths(&starts, wire.temporal_granularity.as_deref())?;
    let rows = starts.into_iter().zip(lengths).zip(intervals);
    let rows = rows.filter_map(|((start, length), interval)| {
        Some(Row::lasting(start, length, Carbon { g_kwh: interval.carbon_intensity?, forecast }))
    });
    carbon::settled(rows.collect(), asked)
}

fn lengths(starts: &[DateTime<Utc>], granularity: Option<&str>) -> Result<Vec<TimeDelta>, NoValues> {
    let length = match granularity {
        Some("5_minutes") => TimeDelta::minutes(5),
        Some("15_minutes") => TimeDelta::minutes(15),
        Some("hourly") => TimeDelta::hours(1),
        Some(other) => {
            return Err(wrong_text("$.temporalGranularity", other, "is no length known here", "ask for hours"));
        }
        None => return stamps::lengths(starts),
    };
    Ok(vec![length; starts.len()])
}
