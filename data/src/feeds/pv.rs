//! Power of a PV plant as feeds forecast it.

use super::NoValues;
use super::outcome::broken;
use super::rows::{Row, Span, Values, of, settle};
use crate::refusal::number;

/// How much of its peak power a plant may give, as a factor: cold panels under broken clouds give a little more than all.
/// Power in W taken for kW gives a thousand times as much.
const BELIEVED_OF_PEAK: f64 = 1.5;

/// The power of an interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PvPower {
    /// Mean of the interval in kW.
    pub kw: f64,
    /// Below this it is in one case of ten, in kW; `None` where the feed does not say.
    pub low_kw: Option<f64>,
    /// Above this it is in one case of ten, in kW; `None` where the feed does not say.
    pub high_kw: Option<f64>,
}

/// Powers in order, if a plant of that peak power can give them.
pub(super) fn settled(rows: Vec<Row<PvPower>>, peak_kw: f64, asked: Span) -> Result<Values<PvPower>, NoValues> {
    let believed = 0.0..=peak_kw * BELIEVED_OF_PEAK;
    for row in &rows {
        let PvPower { kw, low_kw, high_kw } = row.value;
        if let Some(kw) = [Some(kw), low_kw, high_kw].into_iter().flatten().find(|kw| !believed.contains(kw)) {
            let wrong = format!("is nothing that a plant of {} kW gives", number(peak_kw));
            let value = format!("{} kW", number(kw));
            return Err(broken(of(row), value, wrong, "check the unit, and the peak power the feed was asked for"));
        }
        if low_kw.is_some_and(|low| low > kw) || high_kw.is_some_and(|high| high < kw) {
            return Err(broken(of(row), "", "has quantiles that are not in order", "check which column is which"));
        }
    }
    settle(rows, asked)
}
