//! Carbon intensity of electricity.

use super::NoValues;
use super::outcome::{ASK_ANOTHER, broken};
use super::rows::{Row, Span, Values, of, settle};
use crate::refusal::number;

/// What is believed, in g/kWh. Lignite makes 1,200; below nothing there is nothing.
const BELIEVED_G_KWH: std::ops::RangeInclusive<f64> = 0.0..=2000.0;

/// The carbon intensity of an interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Carbon {
    /// Mean of the interval in g of CO₂ equivalent per kWh; of CO₂ alone where the feed counts nothing else.
    pub g_kwh: f64,
    /// Whether it is forecast; if not, it was measured.
    pub forecast: bool,
}

/// Intensities in order, if all are credible.
pub(super) fn settled(rows: Vec<Row<Carbon>>, asked: Span) -> Result<Values<Carbon>, NoValues> {
    match rows.iter().find(|row| !BELIEVED_G_KWH.contains(&row.value.g_kwh)) {
        Some(row) => {
            let value = format!("{} g/kWh", number(row.value.g_kwh));
            Err(broken(of(row), value, "is no carbon intensity", ASK_ANOTHER))
        }
        None => settle(rows, asked),
    }
}
