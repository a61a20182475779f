//! What a plant's index of clear-sky output usually is: the base from which everything else departs.

use kwartier_data::forecast::{LEVELS, MEDIAN};

use super::frame::Frame;

/// Days over which a day's weight falls to 1/e: weather comes in spells of weeks, roofs and seasons change.
const FADE_DAYS: f64 = 15.0;

/// Days that are looked at: four times [`FADE_DAYS`], beyond which nothing weighs.
pub(super) const DAYS: usize = 60;

/// Index of clear-sky output over a year, as ten equally likely values: those of irradiance measured in northern Italy
/// (the campus series, June 2013 to May 2015) over Haurwitz' clear sky, a tenth darker as the Low Countries are. It is
/// what is believed of a plant that has not been seen.
const PRIOR: [f64; 10] = [0.07, 0.18, 0.30, 0.41, 0.52, 0.63, 0.72, 0.80, 0.90, 1.04];

/// The weight of the prior in days when there is nothing else.
const PRIOR_DAYS: f64 = 3.0;

/// Weights of days, summed, over which the prior's weight falls to 1/e.
const PRIOR_FADE: f64 = 3.0;

/// How like two skies must be for one to tell of the other, as a difference of promised index.
const ALIKE: f64 = 0.10;

/// Days over which the weight of a forecast's error falls to 1/e: weather models and roofs change slowly.
const ERROR_FADE_DAYS: f64 = 40.0;

/// Days of errors that are looked at.
pub(super) const ERROR_DAYS: usize = 90;

/// Errors of a promised index on day one at ten equally likely places, for a broken sky; they shrink towards clear skies,
/// where forecasts are good.
const PRIOR_ERRORS: [f64; 10] = [-0.32, -0.22, -0.14, -0.08, -0.03, 0.02, 0.06, 0.11, 0.17, 0.26];

/// The weight of the prior of errors in intervals of an hour.
const PRIOR_ERRORS_HOURS: f64 = 12.0;

/// Hours of errors seen over which the weight of their prior falls to 1/e.
const PRIOR_ERRORS_FADE: f64 = 30.0;

/// The quantiles of the index at an interval, as known when `known` intervals were: those of the same time of day on the
/// last days, an hour around, the recent counting more.
pub(super) fn usual(frame: &Frame, at: usize, known: usize) -> [f64; LEVELS.len()] {
    let mut samples: Vec<(f64, f64)> = Vec::with_capacity(DAYS * 5);
    let nearest = frame.nearest_day(at, known);
    // Two values an hour are enough: neighbours tell the same.
    let stride = (frame.per_hour / 2).max(1);
    let around: f64 = (1..=frame.per_hour / stride).map(|k| nearness(k * stride, frame.per_hour)).sum();
    let a_day = 1.0 + 2.0 * around;
    let mut own = 0.0;
    for days in nearest..nearest + DAYS {
        let Some(there) = at.checked_sub(days * frame.per_day) else { break };
        let weight = (-((days - nearest) as f64) / FADE_DAYS).exp();
        let before = samples.len();
        samples.extend(frame.index(Some(there), known).map(|index| (index, weight)));
        for k in 1..=frame.per_hour / stride {
            let weight = weight * nearness(k * stride, frame.per_hour);
            samples.extend(frame.index(there.checked_sub(k * stride), known).map(|index| (index, weight)));
            samples.extend(frame.index(Some(there + k * stride), known).map(|index| (index, weight)));
        }
        own += samples[before..].iter().map(|(_, weight)| weight).sum::<f64>() / a_day;
    }
    let prior = a_day * PRIOR_DAYS * (-own / PRIOR_FADE).exp() / PRIOR.len() as f64;
    samples.extend(PRIOR.map(|index| (index, prior)));
    quantiles(samples)
}

/// Share of the present index that is carried on at once; it fades with [`PERSISTENCE_H`].
const PERSISTENCE: f64 = 0.75;

/// Hours over which what is carried on falls to 1/e: clouds of an hour ago tell little of the afternoon.
const PERSISTENCE_H: f64 = 2.5;

/// How much of the share that is carried on is taken off the spread. All of it made bands of the next hour hold half of what
/// came; what theory takes off what correlates by the share, 1 − √(1 − share²), lost more than it won where skies are clear.
const NARROWED: f64 = 0.67;

/// Quantiles drawn towards an index that the present lets expect, the more the nearer `lead_h` is.
pub(super) fn drawn(quantiles: [f64; LEVELS.len()], towards: Option<f64>, lead_h: f64) -> [f64; LEVELS.len()] {
    let Some(towards) = towards else { return quantiles };
    let share = PERSISTENCE * (-lead_h.max(0.0) / PERSISTENCE_H).exp();
    let left = 1.0 - NARROWED * share;
    let median = quantiles[MEDIAN] + share * (towards - quantiles[MEDIAN]);
    quantiles.map(|quantile| (median + left * (quantile - quantiles[MEDIAN])).max(0.0))
}

/// The weight of a neighbour so many intervals away: half after an hour.
fn nearness(away: usize, per_hour: usize) -> f64 {
    1.0 - 0.5 * away as f64 / per_hour as f64
}

/// What was promised in the past, by the weather known half a day and a day and a half ahead.
pub(super) struct Promises {
    /// `by_lead[lead_day][interval of the frame]`.
    pub by_lead: [Vec<Option<f64>>; 2],
}

/// The quantiles of the index at an interval for which `promised` was, as known when `known` intervals were: those that
/// came of like promises, the recent and those of like times of day counting more.
pub(super) fn promised(
    frame: &Frame,
    promises: &Promises,
    promised: f64,
    at: usize,
    known: usize,
) -> [f64; LEVELS.len()] {
    let lead_day = usize::from(at >= known + frame.per_day);
    let of_lead = &promises.by_lead[lead_day];
    let mut samples: Vec<(f64, f64)> = Vec::with_capacity(1024);
    let from = known.saturating_sub(ERROR_DAYS * frame.per_day);
    let mut own = 0.0;
    // An hour's intervals tell the same: one of them each hour, always the one of this interval's minute.
    let first = from + (at % frame.per_hour + frame.per_hour - from % frame.per_hour) % frame.per_hour;
    let hour = at % frame.per_day / frame.per_hour;
    for there in (first..known.min(of_lead.len())).step_by(frame.per_hour) {
        let (Some(was), Some(index)) = (of_lead[there], frame.index(Some(there), known)) else { continue };
        let unlike = (was - promised) / ALIKE;
        if unlike.abs() > 3.0 {
            continue;
        }
        let apart = (there % frame.per_day / frame.per_hour).abs_diff(hour);
        let apart = apart.min(24 - apart.min(24)) as f64 / 3.0;
        let age_days = (known - there) as f64 / frame.per_day as f64;
        let weight = (-0.5 * (unlike * unlike + apart * apart) - age_days / ERROR_FADE_DAYS).exp();
        own += weight;
        // The difference of the promises is passed on, so that a thin sky does not borrow from thick ones.
        samples.push(((index + promised - was).max(0.0), weight));
    }
    let prior = PRIOR_ERRORS_HOURS * (-own / PRIOR_ERRORS_FADE).exp() / PRIOR_ERRORS.len() as f64;
    let broken = 0.25 + 0.75 * (1.0 - (2.0 * promised.clamp(0.0, 1.0) - 0.9).powi(2)).max(0.0);
    samples.extend(PRIOR_ERRORS.map(|error| ((promised + error * broken).max(0.0), prior)));
    quantiles(samples)
}

/// The quantiles of weighted samples, linear between the middles of their weights.
fn quantiles(mut samples: Vec<(f64, f64)>) -> [f64; LEVELS.len()] {
    samples.retain(|(_, weight)| *weight > 0.0);
    samples.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = samples.iter().map(|(_, weight)| weight).sum();
    let mut found = [0.0; LEVELS.len()];
    let mut walk = samples.iter();
    let Some(&(mut value, mut weight)) = walk.next() else { return found };
    let (mut middle, mut last) = (weight / 2.0, (value, 0.0));
    for (quantile, level) in found.iter_mut().zip(LEVELS) {
        let wanted = level * total;
        while middle < wanted {
            let Some(&(next, next_weight)) = walk.next() else { break };
            last = (value, middle);
            middle += f64::midpoint(weight, next_weight);
            (value, weight) = (next, next_weight);
        }
        *quantile = if middle <= wanted || middle <= last.1 {
            value
        } else {
            last.0 + (value - last.0) * ((wanted - last.1) / (middle - last.1)).clamp(0.0, 1.0)
        };
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_weighted_samples() {
        let uniform = quantiles((0..1000).map(|k| (f64::from(k) / 1000.0, 2.0)).collect());
        for (quantile, level) in uniform.iter().zip(LEVELS) {
            assert!((quantile - level).abs() < 1e-3, "{quantile} for {level}");
        }
        // Three quarters of the weight on 1: only the lowest quantiles are 0.
        let two = quantiles(vec![(1.0, 3.0), (0.0, 1.0), (5.0, 0.0)]);
        assert!(two[0].abs() < 1e-12 && (two[MIDDLE] - 0.75).abs() < 1e-12 && (two[6] - 1.0).abs() < 1e-12, "{two:?}");
        assert!(quantiles(Vec::new()).iter().all(|quantile| *quantile == 0.0));
    }

    const MIDDLE: usize = 3;
}
