//! The carbon intensity service of Great Britain's system operator: half-hours in g CO₂ per kWh, measured or forecast. It
//! answers from the half-hour that ends at the beginning of the span on, one too early, which is cut off.

use serde::Deserialize;

use super::body::{self, Answer};
use super::outcome::broken_whole;
use super::rows::Row;
use super::{Carbon, NoValues, Span, Values, carbon, stamps};
use crate::refusal::clip;

#[derive(Deserialize)]
struct Wire {
    data: Option<Vec<Interval>>,
    error: Option<Trouble>,
}

#[derive(Deserialize)]
struct Interval {
    from: String,
    to: String,
    intensity: Intensity,
}

#[derive(Deserialize)]
struct Intensity {
    forecast: Option<f64>,
    actual: Option<f64>,
}

#[derive(Deserialize)]
struct Trouble {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// The answer of `/intensity/{from}/{to}`.
///
/// # Errors
///
/// [`NoValues`], see there.
pub fn carbon(answer: &Answer<'_>, asked: Span) -> Result<Values<Carbon>, NoValues> {
    if answer.status == 400
        && let Ok(wire) = answer.unpacked().and_then(|body| body::object::<Wire>(&body))
        && let Some(trouble) = wire.error
    {
        return Err(told(&trouble));
    }
    let wire: Wire = answer.json()?;
    let intervals = match (wire.data, wire.error) {
        (_, Some(trouble)) => return Err(told(&trouble)),
        (None, None) => return Err(broken_whole("holds no data", "compare the request with the documentation")),
        (Some(intervals), None) => intervals,
    };
    let mut rows = Vec::with_capacity(intervals.len());
    for (k, interval) in intervals.iter().enumerate() {
        let start = stamps::instant(&interval.from, || format!("$.data[{k}].from"))?;
        let end = stamps::instant(&interval.to, || format!("$.data[{k}].to"))?;
        let Intensity { forecast, actual } = interval.intensity;
        if let Some(g_kwh) = actual.or(forecast) {
            rows.push(Row { start, end, value: Carbon { g_kwh, forecast: actual.is_none() } });
        }
    }
    carbon::settled(rows, asked)
}

fn told(trouble: &Trouble) -> NoValues {
    let said = clip(&format!("{} ({})", trouble.message, trouble.code));
    broken_whole(format!("is an error: {said}"), "ask for at most 14 days at once")
}
