//! Forecasts: for each interval a mean and seven quantiles, and when they were made.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// The quantile levels of every forecast, lowest first.
pub const LEVELS: [f64; 7] = [0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95];

/// Index of the median in [`LEVELS`].
pub const MEDIAN: usize = 3;

/// What is believed of one value: its mean and its quantiles at [`LEVELS`], in the unit of the value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Belief {
    /// The mean.
    pub mean: f64,
    /// The quantiles, lowest first.
    pub quantiles: [f64; LEVELS.len()],
}

impl Belief {
    /// A value that is certain.
    pub fn certain(value: f64) -> Self {
        Belief { mean: value, quantiles: [value; LEVELS.len()] }
    }

    /// A belief whose quantiles are put into order; its mean is that of the quantiles, [`Belief::mean_of`].
    pub fn of(mut quantiles: [f64; LEVELS.len()]) -> Self {
        quantiles.sort_by(f64::total_cmp);
        Belief { mean: Self::mean_of(&quantiles), quantiles }
    }

    /// The mean of the distribution that is linear between its quantiles and goes on beyond the outermost as it came
    /// there: the weights are the integral of that quantile function over the levels.
    pub fn mean_of(quantiles: &[f64; LEVELS.len()]) -> f64 {
        let last = LEVELS.len() - 1;
        let inner: f64 = (0..last).map(|k| (LEVELS[k + 1] - LEVELS[k]) * (quantiles[k] + quantiles[k + 1]) / 2.0).sum();
        let low = quantiles[0] - (quantiles[1] - quantiles[0]) / 2.0;
        let high = quantiles[last] + (quantiles[last] - quantiles[last - 1]) / 2.0;
        inner + LEVELS[0] * low + (1.0 - LEVELS[last]) * high
    }

    /// The quantile at a level between 0 and 1: linear between the seven, the outermost beyond them.
    pub fn quantile(&self, level: f64) -> f64 {
        let above = LEVELS.iter().position(|&known| known >= level).unwrap_or(LEVELS.len() - 1);
        if above == 0 || level >= LEVELS[above] {
            return self.quantiles[above];
        }
        let share = (level - LEVELS[above - 1]) / (LEVELS[above] - LEVELS[above - 1]);
        self.quantiles[above - 1] + share * (self.quantiles[above] - self.quantiles[above - 1])
    }

    /// Mean and quantiles kept within `least` and `most`.
    pub fn clamped(mut self, least: f64, most: f64) -> Self {
        let inside = |value: f64| value.max(least).min(most);
        self.quantiles = self.quantiles.map(inside);
        self.mean = inside(self.mean);
        self
    }

    /// Mean and quantiles, each changed by the same rising function.
    pub fn map(self, rising: impl Fn(f64) -> f64) -> Self {
        Belief { mean: rising(self.mean), quantiles: self.quantiles.map(rising) }
    }
}

/// A forecast on a regular grid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// What was known then is what it was made from.
    pub made_at: DateTime<Utc>,
    /// Beginning of the first interval.
    pub start: DateTime<Utc>,
    /// Length of an interval in seconds, above 0.
    pub step_s: i64,
    /// One belief for each interval.
    pub steps: Vec<Belief>,
    /// What the reader should know: which method, what was missing, what was found wrong in the history.
    pub notes: Vec<String>,
}

impl Forecast {
    /// Beginning of an interval.
    pub fn start_of(&self, step: usize) -> DateTime<Utc> {
        self.start + TimeDelta::seconds(self.step_s.saturating_mul(i64::try_from(step).unwrap_or(i64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_of_a_uniform_distribution_is_its_middle() {
        let uniform = Belief::of(LEVELS.map(|level| 10.0 + 4.0 * level));
        assert!((uniform.mean - 12.0).abs() < 1e-12);
        assert!((uniform.quantile(0.3) - 11.2).abs() < 1e-12);
        assert!((uniform.quantile(0.01) - 10.2).abs() < 1e-12);
        assert!((uniform.quantile(0.99) - 13.8).abs() < 1e-12);
    }

    #[test]
    fn quantiles_are_put_into_order() {
        let belief = Belief::of([3.0, 1.0, 2.0, 5.0, 4.0, 7.0, 6.0]);
        assert_eq!(belief.quantiles.to_vec(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
        assert_eq!(belief.clamped(2.0, 5.0).quantiles.to_vec(), [2.0, 2.0, 3.0, 4.0, 5.0, 5.0, 5.0]);
    }
}
