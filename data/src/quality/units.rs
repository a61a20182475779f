//! Spans in another unit: W called kW, kWh of an interval called kW.

use std::ops::Range;

use super::usual::{daily_peaks, median};
use super::{Defect, Remedy, Work, spans};

/// How many times a day's peak may be larger or smaller than those around and still be a thousand times, not a spike and
/// not a building that stands empty.
const THOUSANDS: std::ops::RangeInclusive<f64> = 150.0..=6000.0;

/// How far a day's median ratio may be from the factor, in natural logarithms: a day is a third more than others at
/// times.
const NEAR: f64 = 0.35;

/// How many times the scatter of ordinary days a factor has to be away from 1.
const SCATTERS: f64 = 4.0;

/// How well the profile of a day in another unit follows the usual one.
const ALIKE: f64 = 0.8;

/// What happens more than once in so many days is a habit of the site.
const OFTEN_DAYS: usize = 365;

/// Days between two that fit that need not: a weekend and the days beside it, which are like no others.
const BRIDGED_DAYS: usize = 4;

/// Fewest intervals of a day that are compared.
const LEAST: usize = 8;

/// Finds them, and puts them right where there is no doubt.
pub(super) fn put_right(work: &mut Work) {
    thousands(work);
    let per_hour = 3600.0 / work.series.step.num_seconds().max(1) as f64;
    // Of an hour, kWh and kW are the same.
    if per_hour > 1.5 {
        energies(work, per_hour);
    }
}

/// Whole days a thousand times too large or too small.
fn thousands(work: &mut Work) {
    let peaks = daily_peaks(&work.usual, work.values());
    let typical = |day: usize| {
        let mut around: Vec<f64> = work.usual.around(day).map(|day| peaks[day]).filter(|peak| *peak > 0.0).collect();
        median(&mut around)
    };
    let ratio: Vec<f64> = (0..peaks.len()).map(|day| peaks[day] / typical(day).max(f64::MIN_POSITIVE)).collect();
    for (factor, wrong) in [(1000.0, 1.0), (0.001, -1.0)] {
        let marks = (0..ratio.len()).filter(|&day| peaks[day] > 0.0 && THOUSANDS.contains(&ratio[day].powf(wrong)));
        // Days without any value do not end a span.
        let joined = spans(marks, 0);
        for days in joined {
            let span = edges(work, &days, factor, ratio.len());
            // Few values that are too large are outliers.
            if span.len() >= work.steps(3, 2) {
                work.put_right(span, 1.0 / factor, Defect::UnitFactor(factor));
            }
        }
    }
}

/// From the first to the last interval in and beside the days whose value fits better once it is divided.
fn edges(work: &Work, days: &Range<usize>, factor: f64, all: usize) -> Range<usize> {
    let (values, usual) = (work.values(), &work.usual);
    let typical = |day: usize| {
        let mut around: Vec<f64> = usual
            .around(day)
            .flat_map(|day| &values[usual.intervals(day)])
            .flatten()
            .map(|v| v.abs())
            .filter(|v| *v > 0.0)
            .collect();
        median(&mut around)
    };
    let fallback = typical(days.start);
    let better = |k: usize| {
        let value = values[k]?.abs();
        let expected = usual.value(values, k).map(f64::abs).filter(|expected| *expected > 0.0).unwrap_or(fallback);
        if value == 0.0 || expected == 0.0 {
            return None;
        }
        Some((value / factor / expected).ln().abs() < (value / expected).ln().abs())
    };
    let mut first = usual.intervals(days.start).start;
    let mut last = usual.intervals(days.end - 1).end;
    // Into the day before and after, while values fit better divided; out of the first and last day, while they do not.
    let before = if days.start > 0 { usual.intervals(days.start - 1).start } else { first };
    let after = if days.end < all { usual.intervals(days.end).end } else { last };
    while first > before && better(first - 1) != Some(false) {
        first -= 1;
    }
    while last < after && better(last) != Some(false) {
        last += 1;
    }
    while first < last && better(first) != Some(true) {
        first += 1;
    }
    while last > first && better(last - 1) != Some(true) {
        last -= 1;
    }
    first..last
}

/// Whole days of energies per interval among powers: smaller by the intervals of an hour, from one interval to the next
/// and back again. A level that changes slowly or stays, as with a new tenant, is none, nor one that does so often, as in
/// the holidays of a school. They are told and kept: four times less may be true.
fn energies(work: &mut Work, per_hour: f64) {
    let logs: Vec<Option<Day>> = (0..work.usual.days()).map(|day| compare(work, day)).collect();
    let mut scatter: Vec<f64> = logs.iter().flatten().map(|day| day.log.abs()).collect();
    let scatter = 1.4826 * median(&mut scatter);
    let wanted = per_hour.ln();
    if wanted < SCATTERS * scatter {
        return;
    }
    let fits = |day: &Day| (day.log + wanted).abs() <= NEAR && day.alike >= ALIKE;
    let marks = (0..logs.len()).filter(|&day| logs[day].as_ref().is_some_and(fits));
    let mut found: Vec<Range<usize>> = Vec::new();
    for days in spans(marks, BRIDGED_DAYS) {
        let first = work.usual.intervals(days.start).start;
        let last = work.usual.intervals(days.end - 1).end;
        // Weekends fit less well, so the edge may be some days outside.
        let day = work.steps(24, 2);
        let begin = first.saturating_sub(3 * day)..first + day;
        let end = last.saturating_sub(day)..last + 3 * day;
        let (Some(from), Some(to)) = (leap(work, begin, -wanted), leap(work, end, wanted)) else { continue };
        if days.len() > 1 && from < to {
            match found.last_mut() {
                Some(Range { end, .. }) if from <= *end => *end = to.max(*end),
                _ => found.push(from..to),
            }
        }
    }
    if found.len() <= 1 + logs.len() / OFTEN_DAYS {
        for span in found {
            work.flag(span, Defect::UnitFactor(1.0 / per_hour), Remedy::Kept);
        }
    }
}

/// Where values leap by a factor (its natural logarithm is given) beside what they usually do.
fn leap(work: &Work, within: Range<usize>, log: f64) -> Option<usize> {
    /// Values before and after that are compared.
    const BESIDE: usize = 3;
    let (values, usual) = (work.values(), &work.usual);
    let ratio = |k: usize| {
        let (value, usual) = (values[k]?, usual.value(values, k)?);
        (value > 0.0 && usual > 0.0).then(|| (value / usual).ln())
    };
    let ratios: Vec<Option<f64>> = (within.start..within.end.min(values.len())).map(ratio).collect();
    let mean = |part: &[Option<f64>]| {
        let known: Vec<f64> = part.iter().copied().flatten().collect();
        (known.len() == part.len()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    };
    let leaps = (BESIDE..ratios.len().saturating_sub(BESIDE)).filter_map(|k| {
        let leap = mean(&ratios[k..k + BESIDE])? - mean(&ratios[k - BESIDE..k])?;
        Some((k + within.start, (leap - log).abs()))
    });
    let best = leaps.min_by(|a, b| a.1.total_cmp(&b.1))?;
    (best.1 <= NEAR).then_some(best.0)
}

/// A day beside the usual one.
struct Day {
    /// Median of the logarithms of value ÷ usual value.
    log: f64,
    /// Correlation with the usual profile.
    alike: f64,
}

fn compare(work: &Work, day: usize) -> Option<Day> {
    let pairs: Vec<(f64, f64)> = work
        .usual
        .intervals(day)
        .filter_map(|k| Some((work.values()[k]?, work.usual.value(work.values(), k)?)))
        .filter(|(value, usual)| *value > 0.0 && *usual > 0.0)
        .collect();
    if pairs.len() < LEAST {
        return None;
    }
    let mut logs: Vec<f64> = pairs.iter().map(|(value, usual)| (value / usual).ln()).collect();
    Some(Day { log: median(&mut logs), alike: correlation(&pairs) })
}

/// The correlation of pairs; 0 where one side does not vary.
fn correlation(pairs: &[(f64, f64)]) -> f64 {
    let n = pairs.len() as f64;
    let (mean_a, mean_b) = pairs.iter().fold((0.0, 0.0), |(a, b), pair| (a + pair.0 / n, b + pair.1 / n));
    let (mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0);
    for (a, b) in pairs {
        aa += (a - mean_a).powi(2);
        bb += (b - mean_b).powi(2);
        ab += (a - mean_a) * (b - mean_b);
    }
    if aa > 0.0 && bb > 0.0 { ab / (aa * bb).sqrt() } else { 0.0 }
}
