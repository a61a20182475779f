//! Spans with the opposite sign: current transformers turned round, conventions changed.

use super::usual::usual_peak;
use super::{Defect, Nature, Work, spans};

/// How much nearer to the usual a day has to be with its sign changed: at most this share of the distance.
const NEARER: f64 = 0.5;

/// A value counts as below 0 from this share of the usual peak on; meters drift a little around 0.
const BELOW: f64 = 0.01;

/// A series goes below 0 by itself if this share of its values does, long spans aside.
const BY_ITSELF: f64 = 0.002;

/// Finds them and puts them right.
pub(super) fn put_right(work: &mut Work, nature: Nature) {
    let below = -BELOW * usual_peak(&work.usual, work.values());
    if whole(work, nature, below) {
        return;
    }
    let days = flipped_days(work);
    let marked: Vec<bool> = marks(work, &days, below);
    let never = {
        let outside = work.values().iter().zip(&marked).filter(|(_, marked)| !**marked);
        let (all, negative) = outside.fold((0_usize, 0_usize), |(all, negative), (value, _)| {
            (all + usize::from(value.is_some()), negative + usize::from(value.is_some_and(|value| value < below)))
        });
        negative as f64 <= BY_ITSELF * all as f64
    };
    // Where nothing goes below 0 by itself, every run that does has its sign changed; a single value is an outlier.
    let values = work.values();
    let low: Vec<usize> =
        (0..values.len()).filter(|&k| marked[k] || (never && values[k].is_some_and(|value| value < below))).collect();
    let bridge = if never { work.steps(15, 4) } else { work.steps(2, 2) };
    for span in spans(low.into_iter(), bridge) {
        let negative = values_below(work, &span, below);
        if span.len() > 1 && negative > 1 {
            // Zeros and gaps between stay what they are.
            work.put_right(span, -1.0, Defect::SignFlip);
        }
    }
}

fn values_below(work: &Work, span: &std::ops::Range<usize>, below: f64) -> usize {
    work.values()[span.clone()].iter().flatten().filter(|value| **value < below).count()
}

/// Turns the whole series round where nearly all of it is below 0.
fn whole(work: &mut Work, nature: Nature, below: f64) -> bool {
    let (mut negative, mut all) = (0.0, 0.0);
    for value in work.values().iter().flatten() {
        all += value.abs();
        negative += if *value < below { value.abs() } else { 0.0 };
    }
    let turned = nature == Nature::Pv && all > 0.0 && negative > 0.9 * all;
    if turned {
        let end = work.values().len();
        work.put_right(0..end, -1.0, Defect::SignFlip);
    }
    turned
}

/// Days that are much nearer to the usual ones with their sign changed.
fn flipped_days(work: &Work) -> Vec<bool> {
    let (values, usual) = (work.values(), &work.usual);
    let flipped = |day: usize| {
        let intervals = usual.intervals(day);
        if !values[intervals.clone()].iter().flatten().any(|value| *value < 0.0) {
            return false;
        }
        let (mut as_it_is, mut turned) = (0.0, 0.0);
        for k in intervals {
            if let (Some(value), Some(expected)) = (values[k], usual.value(values, k)) {
                as_it_is += (value - expected).abs();
                turned += (-value - expected).abs();
            }
        }
        turned < NEARER * as_it_is
    };
    (0..usual.days()).map(flipped).collect()
}

/// The intervals of flipped days, and those beside them that fit better with their sign changed.
fn marks(work: &Work, days: &[bool], below: f64) -> Vec<bool> {
    let (values, usual) = (work.values(), &work.usual);
    let mut marked = vec![false; values.len()];
    for span in spans((0..days.len()).filter(|&day| days[day]), 0) {
        let (first, last) = (usual.intervals(span.start).start, usual.intervals(span.end - 1).end);
        marked[first..last].fill(true);
        let negative = |k: usize| values[k].is_none_or(|value| value < below);
        for k in (0..first).rev().take_while(|&k| negative(k)) {
            marked[k] = true;
        }
        for k in (last..values.len()).take_while(|&k| negative(k)) {
            marked[k] = true;
        }
        for k in (first..last).take_while(|&k| values[k].is_none_or(|value| value > -below)) {
            marked[k] = false;
        }
        for k in (first..last).rev().take_while(|&k| values[k].is_none_or(|value| value > -below)) {
            marked[k] = false;
        }
    }
    marked
}
