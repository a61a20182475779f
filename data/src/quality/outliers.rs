//! Values far from everything around them, for a short time.

use std::ops::Range;

use super::usual::quantile;
use super::{Defect, Work, spans};

/// Longest span of outliers in hours: what lasts longer happened.
const LONGEST_H: i64 = 2;

/// How far beyond the outermost hundredths a value has to be, as a multiple of what lies between them.
const BEYOND: f64 = 1.5;

/// How far beyond them if it also leaps from its neighbours as nothing else does.
const BEYOND_AND_ALONE: f64 = 0.3;

/// How many times the outermost hundredth of leaps that is.
const LEAP: f64 = 5.0;

/// So many other spans in the weeks around, half as far out, make one something that happens, such as a machine that runs
/// now and then.
const HAPPENS: usize = 3;

/// Unless it is as far out as nothing that happens, as a multiple of what lies between the outermost hundredths: meters that
/// fail say 65,535 or −9,999, and say so again.
const IMPOSSIBLE: f64 = 50.0;

/// Days whose values are judged together.
const WEEK: usize = 7;

/// Finds them and leaves them out.
pub(super) fn leave_out(work: &mut Work) {
    let found = found(work);
    for (span, out) in &found {
        let around = work.usual.around(work.usual.day(span.start));
        let near = |(other, far): &&(Range<usize>, f64)| {
            other != span && around.contains(&work.usual.day(other.start)) && 2.0 * far >= *out
        };
        if *out > IMPOSSIBLE || found.iter().filter(near).count() < HAPPENS {
            work.leave_out(span.clone(), Defect::Outlier);
        }
    }
}

/// Spans of values far out, each with how far.
fn found(work: &Work) -> Vec<(Range<usize>, f64)> {
    let values = work.values();
    let leaps: Vec<Option<f64>> = (0..values.len()).map(|k| leap(values, k)).collect();
    let mut far: Vec<(usize, f64)> = Vec::new();
    for first in (0..work.usual.days()).step_by(WEEK) {
        let last = (first + WEEK).min(work.usual.days());
        let around = work.usual.around(first).start..work.usual.around(last - 1).end;
        let around = work.usual.intervals(around.start).start..work.usual.intervals(around.end - 1).end;
        let mut known: Vec<f64> = values[around.clone()].iter().copied().flatten().collect();
        known.sort_by(f64::total_cmp);
        let mut near: Vec<f64> = leaps[around].iter().copied().flatten().map(f64::abs).collect();
        near.sort_by(f64::total_cmp);
        let (low, high) = (quantile(&known, 0.01), quantile(&known, 0.99));
        let (between, usual_leap) = ((high - low).max(f64::MIN_POSITIVE), quantile(&near, 0.99));
        for k in work.usual.intervals(first).start..work.usual.intervals(last - 1).end {
            let Some(value) = values[k] else { continue };
            let out = (value - high).max(low - value) / between;
            let alone = leaps[k].is_some_and(|leap| leap.abs() > LEAP * usual_leap);
            if out > BEYOND || (alone && out > BEYOND_AND_ALONE) {
                far.push((k, out));
            }
        }
    }
    let longest = work.steps(LONGEST_H, 2);
    let furthest = |span: &Range<usize>| {
        let from = far.partition_point(|(k, _)| *k < span.start);
        far[from..].iter().take_while(|(k, _)| *k < span.end).map(|(_, out)| *out).fold(0.0, f64::max)
    };
    let spans = spans(far.iter().map(|(k, _)| *k), 1).into_iter().filter(|span| span.len() <= longest);
    spans.map(|span| (span.clone(), furthest(&span))).collect()
}

/// How far a value is from the median of the two before and the two behind it.
fn leap(values: &[Option<f64>], k: usize) -> Option<f64> {
    let value = values[k]?;
    let beside = (k.saturating_sub(2)..(k + 3).min(values.len())).filter(|&other| other != k);
    let mut known: Vec<f64> = beside.filter_map(|other| values[other]).collect();
    known.sort_by(f64::total_cmp);
    (known.len() >= 2).then(|| value - quantile(&known, 0.5))
}
