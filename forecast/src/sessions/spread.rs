//! A distribution as a quantile function on a fine grid of levels: what all parts of the method speak, and what can be
//! cut where a vehicle is known to be still here.

use kwartier_data::forecast::{Belief, LEVELS};

/// Levels of the grid: those of every forecast, and more between and beyond, because what remains of a stay after hours is
/// read from the tail.
pub(super) const GRID: [f64; 15] =
    [0.02, 0.05, 0.10, 0.17, 0.25, 0.33, 0.42, 0.50, 0.58, 0.67, 0.75, 0.83, 0.90, 0.95, 0.98];

/// Indices in [`GRID`] of the levels of a forecast.
const OUTPUT: [usize; LEVELS.len()] = [1, 2, 4, 7, 10, 12, 13];

/// Index of the median.
pub(super) const MIDDLE: usize = 7;

/// Levels are kept this far from 0 and 1: beyond, nothing is known.
const EDGE: f64 = 0.002;

/// Quantiles at [`GRID`], none below 0. Beyond the last the tail is exponential, below the first the line goes to half of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread(pub [f64; GRID.len()]);

impl Spread {
    /// Quantiles put into order and kept at or above 0.
    pub fn of(mut quantiles: [f64; GRID.len()]) -> Self {
        quantiles.sort_by(f64::total_cmp);
        Spread(quantiles.map(|quantile| quantile.max(0.0)))
    }

    /// From the quantiles at [`LEVELS`].
    pub fn of_levels(mut quantiles: [f64; LEVELS.len()]) -> Self {
        quantiles.sort_by(f64::total_cmp);
        let belief = Belief { mean: 0.0, quantiles };
        let last = LEVELS.len() - 1;
        let mut at = GRID.map(|level| belief.quantile(level));
        // As steep outside as between the outermost two.
        at[0] = quantiles[0] - (quantiles[1] - quantiles[0]) * 0.6;
        at[GRID.len() - 1] =
            quantiles[last] + (quantiles[last] - quantiles[last - 1]) * (0.05_f64 / 0.02).ln() / 2.0_f64.ln();
        Spread::of(at)
    }

    /// The quantiles of weighted values that are sorted, each value in the middle of its weight; `None` without any weight.
    pub fn of_weighted(sorted: &[(f64, f64)]) -> Option<Self> {
        let total: f64 = sorted.iter().map(|&(_, weight)| weight).sum();
        if total <= 0.0 {
            return None;
        }
        let mut at = [0.0; GRID.len()];
        let mut next = 0;
        let mut below = 0.0;
        let mut last: Option<(f64, f64)> = None;
        for &(value, weight) in sorted.iter().filter(|&&(_, weight)| weight > 0.0) {
            let middle = (below + weight / 2.0) / total;
            while next < GRID.len() && GRID[next] <= middle {
                at[next] = match last {
                    Some((low, at_low)) if middle > at_low => {
                        low + (value - low) * (GRID[next] - at_low) / (middle - at_low)
                    }
                    _ => value,
                };
                next += 1;
            }
            last = Some((value, middle));
            below += weight;
        }
        if let Some((value, _)) = last {
            at[next..].fill(value);
        }
        Some(Spread::of(at))
    }

    /// Scale of the exponential tail: from 90 to 98 %, a fifth of what was left is left.
    fn tail(&self) -> f64 {
        (self.0[14] - self.0[12]) / 5.0_f64.ln()
    }

    /// The quantile at a level.
    pub fn at(&self, level: f64) -> f64 {
        let last = GRID.len() - 1;
        let level = level.clamp(0.0, 1.0 - EDGE);
        if level <= GRID[0] {
            return self.0[0] * (0.5 + 0.5 * level / GRID[0]);
        }
        if level >= GRID[last] {
            return self.0[last] + self.tail() * ((1.0 - GRID[last]) / (1.0 - level)).ln();
        }
        let above = GRID.partition_point(|&known| known < level).clamp(1, last);
        let share = (level - GRID[above - 1]) / (GRID[above] - GRID[above - 1]);
        self.0[above - 1] + share * (self.0[above] - self.0[above - 1])
    }

    /// The level at which a value is; the middle of the levels where several have it.
    pub fn level_of(&self, value: f64) -> f64 {
        let last = GRID.len() - 1;
        if value < self.0[0] {
            let half = self.0[0] / 2.0;
            return (GRID[0] * (value - half) / half).max(EDGE);
        }
        if value > self.0[last] {
            let tail = self.tail();
            let left = if tail > 0.0 { (1.0 - GRID[last]) * (-(value - self.0[last]) / tail).exp() } else { 0.0 };
            return 1.0 - left.max(EDGE);
        }
        let from = self.0.partition_point(|&quantile| quantile < value);
        let to = self.0.partition_point(|&quantile| quantile <= value);
        if to > from {
            return f64::midpoint(GRID[from], GRID[to - 1]);
        }
        let share = (value - self.0[from - 1]) / (self.0[from] - self.0[from - 1]);
        GRID[from - 1] + share * (GRID[from] - GRID[from - 1])
    }

    /// What is believed once it is known that the value is above `floor`; the share of the belief that said so.
    pub fn above(&self, floor: f64) -> (Self, f64) {
        if floor <= 0.0 {
            return (*self, 1.0);
        }
        let gone = self.level_of(floor);
        let left = 1.0 - gone;
        (Spread::of(GRID.map(|level| self.at(gone + level * left).max(floor))), left)
    }

    /// Quantiles between those of two: `share` of the other.
    pub fn toward(&self, other: &Spread, share: f64) -> Self {
        let mut at = self.0;
        for (mine, theirs) in at.iter_mut().zip(other.0) {
            *mine += share * (theirs - *mine);
        }
        Spread(at)
    }

    /// Each quantile by as much more or less as `now` is than `then`, at most to the eightfold or half: those who leave early may
    /// have taken next to nothing.
    pub fn times(&self, now: &Spread, then: &Spread) -> Self {
        let mut at = self.0;
        for (mine, (now, then)) in at.iter_mut().zip(now.0.iter().zip(then.0)) {
            // Next to nothing is no measure of how much more.
            *mine *= ((now + 0.5) / (then + 0.5)).clamp(0.5, 8.0);
        }
        Spread::of(at)
    }

    /// The mean: the integral of the quantile function, with the tail.
    pub fn mean(&self) -> f64 {
        let last = GRID.len() - 1;
        let inner: f64 = (0..last).map(|k| (GRID[k + 1] - GRID[k]) * f64::midpoint(self.0[k], self.0[k + 1])).sum();
        inner + GRID[0] * 0.75 * self.0[0] + (1.0 - GRID[last]) * (self.0[last] + self.tail())
    }

    /// The mean pinball loss over the levels of a forecast.
    pub fn pinball(&self, truth: f64) -> f64 {
        crate::metrics::mean_pinball(&self.belief(), truth)
    }

    /// As a belief at the levels of every forecast.
    pub fn belief(&self) -> Belief {
        Belief { mean: self.mean(), quantiles: OUTPUT.map(|index| self.0[index]) }
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    fn uniform() -> Spread {
        Spread::of(GRID.map(|level| 10.0 + 10.0 * level))
    }

    #[test]
    fn weighted_values_give_their_quantiles() {
        let sorted: Vec<(f64, f64)> = (0..1000).map(|k| ((f64::from(k) + 0.5) / 1000.0, 2.0)).collect();
        let spread = Spread::of_weighted(&sorted).unwrap();
        for (level, quantile) in GRID.iter().zip(spread.0) {
            assert!((level - quantile).abs() < 1e-9, "{level} {quantile}");
        }
        assert!((spread.mean() - 0.5).abs() < 0.01);
        assert!(Spread::of_weighted(&[(1.0, 0.0)]).is_none());
        assert_eq!(Spread::of_weighted(&[(3.0, 0.1)]).unwrap().belief(), Spread([3.0; 15]).belief());
    }

    #[test]
    fn levels_and_quantiles_are_inverse() {
        for level in [0.03, 0.05, 0.3, 0.5, 0.9, 0.97, 0.99] {
            assert!((uniform().level_of(uniform().at(level)) - level).abs() < 1e-9, "{level}");
        }
        assert!((Spread([4.0; 15]).level_of(4.0) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn what_is_left_above_a_floor() {
        let (rest, left) = uniform().above(15.0);
        assert!((left - 0.5).abs() < 1e-9);
        assert!((rest.0[MIDDLE] - 17.5).abs() < 1e-9);
        let (rest, _) = uniform().above(500.0);
        assert!(rest.0.iter().all(|&quantile| quantile >= 500.0));
    }

    #[test]
    fn the_levels_of_a_forecast_are_in_the_grid() {
        for (index, level) in OUTPUT.iter().zip(LEVELS) {
            assert!((GRID[*index] - level).abs() < 1e-12);
        }
        let spread = Spread::of_levels(LEVELS.map(|level| 10.0 + 10.0 * level));
        assert!((spread.at(0.58) - 15.8).abs() < 1e-9);
    }
}
