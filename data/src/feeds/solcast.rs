//! Solcast: forecasts of a rooftop's power in kW with quantiles. A stamp is the END of its interval, which `period` gives
//! the length of. Source: research notes, section 2.2.

use serde::Deserialize;

use super::body::{self, Answer};
use super::outcome::{ASK_ANOTHER, broken_whole, wrong_text};
use super::rows::Row;
use super::{NoValues, PvPower, Span, Values, pv, stamps};
use crate::refusal::clip;

#[derive(Deserialize)]
struct Wire {
    forecasts: Option<Vec<Interval>>,
    response_status: Option<Trouble>,
}

#[derive(Deserialize)]
struct Interval {
    pv_estimate: f64,
    pv_estimate10: Option<f64>,
    pv_estimate90: Option<f64>,
    period_end: String,
    period: String,
}

#[derive(Deserialize)]
struct Trouble {
    #[serde(default)]
    error_code: String,
    #[serde(default)]
    message: String,
}

/// The answer of `/rooftop_sites/{id}/forecasts` for a plant of a peak power in kW.
///
/// # Errors
///
/// [`NoValues`], see there.
pub fn power(answer: &Answer<'_>, peak_kw: f64, asked: Span) -> Result<Values<PvPower>, NoValues> {
    if !answer.is_fine()
        && let Ok(wire) = answer.unpacked().and_then(|body| body::object::<Wire>(&body))
        && let Some(trouble) = wire.response_status
    {
        return Err(told(&trouble, answer.status));
    }
    let wire: Wire = answer.json()?;
    match (wire.forecasts, wire.response_status) {
        (_, Some(trouble)) => Err(told(&trouble, answer.status)),
        (None, None) => Err(broken_whole("holds no forecasts", ASK_ANOTHER)),
        (Some(intervals), None) => {
            let rows: Result<Vec<Row<PvPower>>, NoValues> =
                intervals.iter().enumerate().map(|(k, interval)| row(interval, &format!("$.forecasts[{k}]"))).collect();
            pv::settled(rows?, peak_kw, asked)
        }
    }
}

fn row(interval: &Interval, path: &str) -> Result<Row<PvPower>, NoValues> {
    let end = stamps::instant(&interval.period_end, || format!("{path}.period_end"))?;
    let length = stamps::duration(&interval.period).ok_or_else(|| {
        wrong_text(format!("{path}.period"), &interval.period, "is no length of an interval", ASK_ANOTHER)
    })?;
    let value = PvPower { kw: interval.pv_estimate, low_kw: interval.pv_estimate10, high_kw: interval.pv_estimate90 };
    Ok(Row { start: end - length, end, value })
}

/// What an error means, by its code, which says more than the status.
fn told(trouble: &Trouble, status: u16) -> NoValues {
    let said = clip(&format!("{} ({})", trouble.message, trouble.error_code));
    match (trouble.error_code.as_str(), status) {
        ("Unauthorized" | "Forbidden", _) | (_, 401 | 403) => NoValues::Refused(said),
        ("TooManyRequests", _) | (_, 402 | 429 | 500..=599) => NoValues::Later { why: said, until: None },
        _ => broken_whole(format!("is an error: {said}"), "check the id of the rooftop"),
    }
}
