//! From samples of any length to intervals of one length, so that energy is conserved.

use chrono::{DateTime, TimeDelta, Utc};

use super::Series;

/// The share of an interval that has to be measured for the mean of that part to stand for the whole.
pub(super) const LEAST_MEASURED: f64 = 2.0 / 3.0;

/// Below this share of unmeasured time an interval counts as measured: seconds that do not add up.
const ROUNDING: f64 = 1e-3;

/// Intervals that samples are added to.
#[derive(Debug)]
pub(super) struct Bins {
    start_s: i64,
    bin_s: i64,
    sums: Vec<f64>,
    measured_s: Vec<i64>,
}

/// Means of intervals.
#[derive(Debug)]
pub(super) struct Means {
    /// The series.
    pub(super) series: Series,
    /// The intervals that stand for more than was measured, as ranges of indices.
    pub(super) partial: Vec<std::ops::Range<usize>>,
}

impl Bins {
    /// Intervals of `bin_s` seconds, aligned to 1970, from that of `from_s` to that before `to_s`.
    pub(super) fn new(from_s: i64, to_s: i64, bin_s: i64) -> Self {
        let start_s = from_s.div_euclid(bin_s) * bin_s;
        let count = usize::try_from((to_s - start_s + bin_s - 1).div_euclid(bin_s)).unwrap_or(0);
        Bins { start_s, bin_s, sums: vec![0.0; count], measured_s: vec![0; count] }
    }

    /// Adds a value that held from an instant on for some seconds.
    pub(super) fn add(&mut self, from_s: i64, held_s: i64, value: f64) {
        let (mut at, end) = (from_s, from_s + held_s);
        while at < end {
            let bin = (at - self.start_s).div_euclid(self.bin_s);
            let until = end.min(self.start_s + (bin + 1) * self.bin_s);
            if let Some(bin) = usize::try_from(bin).ok().filter(|&bin| bin < self.sums.len()) {
                self.sums[bin] += value * (until - at) as f64;
                self.measured_s[bin] += until - at;
            }
            at = until;
        }
    }

    /// The means; an interval of which less than [`LEAST_MEASURED`] is known is a gap.
    pub(super) fn means(self) -> Means {
        let mut partial: Vec<std::ops::Range<usize>> = Vec::new();
        let mut values = Vec::with_capacity(self.sums.len());
        for (bin, (sum, measured_s)) in self.sums.into_iter().zip(self.measured_s).enumerate() {
            let share = measured_s as f64 / self.bin_s as f64;
            let enough = share >= LEAST_MEASURED;
            values.push(enough.then(|| sum / measured_s as f64));
            if enough && share < 1.0 - ROUNDING {
                match partial.last_mut() {
                    Some(last) if last.end == bin => last.end += 1,
                    _ => partial.push(bin..bin + 1),
                }
            }
        }
        let start = DateTime::from_timestamp(self.start_s, 0).unwrap_or_default();
        Means { series: Series { start, step: TimeDelta::seconds(self.bin_s), values }, partial }
    }
}

impl Series {
    /// The series on intervals of another length, aligned to midnight UTC: means weighted by time where they are longer,
    /// the value repeated where they are shorter. Where a third or less of an interval is unknown, the mean of the rest
    /// stands for it; where more is, it is a gap.
    #[must_use]
    pub fn resampled(&self, step: TimeDelta) -> Series {
        let (own_s, step_s) = (self.step.num_seconds().max(1), step.num_seconds().max(1));
        let from_s = self.start.timestamp();
        let mut bins = Bins::new(from_s, self.end().timestamp(), step_s);
        for (k, value) in self.values.iter().enumerate() {
            if let (Some(value), Ok(k)) = (value, i64::try_from(k)) {
                bins.add(from_s + k * own_s, own_s, *value);
            }
        }
        bins.means().series
    }

    /// Leaves out the gap at the end.
    pub(super) fn trim_end(&mut self) {
        let known = self.values.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        self.values.truncate(known);
    }

    /// The part of the series from one instant to another, cut to whole intervals.
    #[must_use]
    pub fn between(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Series {
        let step_s = self.step.num_seconds().max(1);
        let index = |at: DateTime<Utc>, up: bool| {
            let s = (at - self.start).num_seconds() + if up { step_s - 1 } else { 0 };
            usize::try_from(s.div_euclid(step_s)).unwrap_or(0).min(self.values.len())
        };
        let first = index(from, true);
        let last = index(to, false).max(first);
        Series { start: self.start_of(first), step: self.step, values: self.values[first..last].to_vec() }
    }
}
