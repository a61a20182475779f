//! What the trees are told: the plant's recent indices, by day and by the hour, where the sun is, how far ahead it is, and
//! what the weather promises. Indices are given over the base's high quantile, so that level and season are taken out.

use kwartier_data::forecast::LEVELS;

use super::climate::Promises;
use super::frame::Frame;
use super::site::Site;
use crate::boost::single;

/// How many there are without weather.
pub(super) const PLAIN: usize = 24;

/// How many there are with weather.
pub(super) const WITH_WEATHER: usize = PLAIN + 6;

/// Index in [`LEVELS`] of the quantile that measures are taken in: nearly a clear sky of these weeks.
const HIGH: usize = 5;

/// The least measure: darker weeks are measured as if they had been as bright as this.
const LEAST_MEASURE: f64 = 0.05;

/// What indices are measured in.
pub(super) fn measure(base: &[f64; LEVELS.len()]) -> f64 {
    base[HIGH].max(LEAST_MEASURE)
}

fn given(value: Option<f64>) -> f32 {
    value.map_or(f32::NAN, single)
}

/// The features of an interval as known when `known` intervals were, `origin` being the interval that the forecast is made
/// in.
pub(super) fn plain(
    frame: &Frame,
    site: &Site,
    base: &[f64; LEVELS.len()],
    at: usize,
    origin: usize,
    known: usize,
) -> [f32; PLAIN] {
    let measure = measure(base);
    let day = frame.per_day;
    let nearest = frame.nearest_day(at, known);
    let over = |value: Option<f64>| given(value.map(|value| value / measure));
    let same_time = |days: usize| frame.ratio_back(at, days, known);
    let mean_of = |days: usize| {
        let found: Vec<f64> = (nearest..nearest + days).filter_map(same_time).collect();
        (!found.is_empty()).then(|| found.iter().sum::<f64>() / found.len() as f64)
    };
    let last = |intervals: usize| frame.ratio(known.saturating_sub(intervals), known, known);
    let of_day = |k: usize| frame.ratio(known.saturating_sub((k + 1) * day), known.saturating_sub(k * day), known);
    let days: Vec<f64> = (0..7).filter_map(of_day).collect();
    let mean_day = days.iter().sum::<f64>() / days.len().max(1) as f64;
    let spread = (days.iter().map(|ratio| (ratio - mean_day).powi(2)).sum::<f64>() / days.len().max(1) as f64).sqrt();
    let sun = frame.path().middle(at);
    let hour = frame.per_hour;
    [
        single(measure),
        single(base[1] / measure),
        single(base[3] / measure),
        over(at.checked_sub(nearest * day).and_then(|there| frame.index(Some(there), known))),
        over(same_time(nearest)),
        over(same_time(nearest + 1)),
        over(same_time(nearest + 2)),
        over(of_day(0)),
        over(of_day(1)),
        over(of_day(2)),
        over(last(7 * day)),
        over(last(30 * day)),
        over(last(hour)),
        over(last(3 * hour)),
        over(last(6 * hour)),
        over((!days.is_empty()).then_some(spread)),
        over(days.iter().copied().min_by(f64::total_cmp)),
        over(days.iter().copied().max_by(f64::total_cmp)),
        over(mean_of(7)),
        over(mean_of(14)),
        single(frame.clear.get(at).copied().unwrap_or(0.0) / site.rated()),
        single(sun.up),
        single(sun.east),
        single((at.saturating_sub(origin)) as f64 / hour as f64),
    ]
}

/// The features of an interval for which the weather promises an index, the promises of the hours before and after it and
/// of the whole day being `around`.
pub(super) fn with_weather(
    plain: [f32; PLAIN],
    measure: f64,
    promised: f64,
    around: [Option<f64>; 3],
    recent: [Option<f64>; 2],
) -> [f32; WITH_WEATHER] {
    let mut features = [f32::NAN; WITH_WEATHER];
    features[..PLAIN].copy_from_slice(&plain);
    features[PLAIN] = single(promised / measure);
    for (k, value) in around.iter().chain(&recent).enumerate() {
        features[PLAIN + 1 + k] = given(value.map(|value| value / measure));
    }
    features
}

/// Measured less promised index over the last `intervals` that were known, weighted by clear-sky output; `None` where the
/// sun did not shine or nothing was promised.
pub(super) fn recent_error(frame: &Frame, promises: &Promises, intervals: usize, known: usize) -> Option<f64> {
    let (mut sum, mut weight) = (0.0, 0.0);
    for there in known.saturating_sub(intervals)..known.min(frame.len()) {
        if let (Some(index), Some(Some(was))) = (frame.index(Some(there), known), promises.by_lead[0].get(there)) {
            sum += frame.clear[there] * (index - was);
            weight += frame.clear[there];
        }
    }
    (weight > 0.0).then(|| sum / weight)
}
