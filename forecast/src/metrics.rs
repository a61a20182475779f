//! How good forecasts were.

use kwartier_data::forecast::{Belief, LEVELS, MEDIAN};

use crate::backtest::Scores;

/// The pinball loss of one quantile: what is lost per unit, with under-estimates weighted by `level` and over-estimates by
/// `1 − level` (Koenker and Bassett 1978).
pub fn pinball(level: f64, quantile: f64, truth: f64) -> f64 {
    let over = quantile - truth;
    if over >= 0.0 { (1.0 - level) * over } else { -level * over }
}

/// The mean pinball loss of a belief over [`LEVELS`], in the unit of the value.
pub fn mean_pinball(belief: &Belief, truth: f64) -> f64 {
    LEVELS.iter().zip(belief.quantiles).map(|(&level, quantile)| pinball(level, quantile, truth)).sum::<f64>()
        / LEVELS.len() as f64
}

/// The continuous ranked probability score of a belief, in the unit of the value: twice the integral of the pinball loss
/// over all levels (Laio and Tamea 2007), of the distribution of which [`Belief::mean_of`] is the mean: linear between
/// its quantiles, and going on beyond the outermost as it came there. Exact.
pub fn crps(belief: &Belief, truth: f64) -> f64 {
    let q = &belief.quantiles;
    let last = LEVELS.len() - 1;
    let low = q[0] - (q[1] - q[0]) * LEVELS[0] / (LEVELS[1] - LEVELS[0]);
    let high = q[last] + (q[last] - q[last - 1]) * (1.0 - LEVELS[last]) / (LEVELS[last] - LEVELS[last - 1]);
    let inner = LEVELS.windows(2).zip(q.windows(2)).map(|(l, q)| stretch([l[0], l[1]], [q[0], q[1]], truth));
    let tails = stretch([0.0, LEVELS[0]], [low, q[0]], truth) + stretch([LEVELS[last], 1.0], [q[last], high], truth);
    2.0 * (inner.sum::<f64>() + tails)
}

/// The integral of the pinball loss from one level to another while the quantile moves linearly.
fn stretch(levels: [f64; 2], quantiles: [f64; 2], truth: f64) -> f64 {
    let rise = quantiles[1] - quantiles[0];
    let crossing = (truth - quantiles[0]) / rise;
    if rise > 0.0 && crossing > 0.0 && crossing < 1.0 {
        let level = levels[0] + crossing * (levels[1] - levels[0]);
        return parabola([levels[0], level], [quantiles[0], truth], truth)
            + parabola([level, levels[1]], [truth, quantiles[1]], truth);
    }
    parabola(levels, quantiles, truth)
}

/// The same where the truth lies on one side: the loss is a parabola in the level, for which Simpson's rule is exact.
fn parabola(levels: [f64; 2], quantiles: [f64; 2], truth: f64) -> f64 {
    let middle = [levels[0].midpoint(levels[1]), quantiles[0].midpoint(quantiles[1])];
    let loss = |level: f64, quantile: f64| pinball(level, quantile, truth);
    (levels[1] - levels[0]) / 6.0
        * (loss(levels[0], quantiles[0]) + 4.0 * loss(middle[0], middle[1]) + loss(levels[1], quantiles[1]))
}

/// Sums over many forecasts, from which [`Scores`] are taken.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    /// How many were added.
    pub n: usize,
    absolute: f64,
    squared: f64,
    pinball: f64,
    crps: f64,
    width: f64,
    /// Within the bands of 50, 80 and 90 %.
    within: [usize; 3],
    /// How many were no certain nothing, and how many of them were within the band of 80 %.
    awake: [usize; 2],
    /// Below each quantile, and equal to it.
    below: [[usize; 2]; LEVELS.len()],
}

/// The indices of the lower and upper quantiles of the bands of 50, 80 and 90 %.
const BANDS: [[usize; 2]; 3] = [[2, 4], [1, 5], [0, 6]];

impl Tally {
    /// Adds a forecast. `awake` says whether anything but nothing could be expected of it.
    pub fn add(&mut self, belief: &Belief, truth: f64, awake: bool) {
        let q = &belief.quantiles;
        self.n += 1;
        self.absolute += (q[MEDIAN] - truth).abs();
        self.squared += (belief.mean - truth).powi(2);
        self.pinball += mean_pinball(belief, truth);
        self.crps += crps(belief, truth);
        self.width += q[BANDS[1][1]] - q[BANDS[1][0]];
        let inside = BANDS.map(|[low, high]| (q[low]..=q[high]).contains(&truth));
        for (count, inside) in self.within.iter_mut().zip(inside) {
            *count += usize::from(inside);
        }
        self.awake[0] += usize::from(awake);
        self.awake[1] += usize::from(awake && inside[1]);
        for (counts, quantile) in self.below.iter_mut().zip(q) {
            counts[0] += usize::from(truth < *quantile);
            counts[1] += usize::from(truth.total_cmp(quantile).is_eq());
        }
    }

    /// The figures, with errors divided by `scale` where their name says so; no skill, which needs another method. All
    /// zero of nothing.
    pub fn scores(&self, scale: f64) -> Scores {
        let n = self.n.max(1) as f64;
        let by_scale = |value: f64| if scale > 0.0 { value / scale } else { 0.0 };
        let (mae, rmse) = (self.absolute / n, (self.squared / n).sqrt());
        let (pinball, crps) = (self.pinball / n, self.crps / n);
        let [coverage_50, coverage_80, coverage_90] = self.within.map(|count| count as f64 / n);
        Scores {
            n: self.n,
            mae,
            rmse,
            pinball,
            crps,
            nmae: by_scale(mae),
            nrmse: by_scale(rmse),
            npinball: by_scale(pinball),
            ncrps: by_scale(crps),
            coverage_50,
            coverage_80,
            coverage_90,
            coverage_80_awake: self.awake[1] as f64 / self.awake[0].max(1) as f64,
            width_80: self.width / n,
            skill: None,
        }
    }

    /// For each level the share of truths below the quantile, and half of those equal to it.
    pub fn below(&self) -> [f64; LEVELS.len()] {
        self.below.map(|[below, equal]| (below as f64 + equal as f64 / 2.0) / self.n.max(1) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-12 * a.abs().max(b.abs()).max(1.0)
    }

    #[test]
    fn pinball_is_least_at_the_quantile() {
        assert!((pinball(0.9, 10.0, 12.0) - 1.8).abs() < 1e-12);
        assert!((pinball(0.9, 12.0, 10.0) - 0.2).abs() < 1e-12);
        let truths: Vec<f64> = (0..=100).map(f64::from).collect();
        let loss = |quantile: f64| truths.iter().map(|&truth| pinball(0.9, quantile, truth)).sum::<f64>();
        assert!(loss(90.0) < loss(85.0) && loss(90.0) < loss(95.0));
        assert!((mean_pinball(&Belief::certain(3.0), 3.0)).abs() < 1e-12);
    }

    /// Of what is certain the score is the absolute error: the loss integrates to half of it.
    #[test]
    fn crps_of_what_is_certain_is_the_absolute_error() {
        assert!(close(crps(&Belief::certain(3.0), 5.0), 2.0));
        assert!(close(crps(&Belief::certain(3.0), 3.0), 0.0));
        assert!(close(crps(&Belief::certain(3.0), -1.0), 4.0));
    }

    /// Uniform between 0 and 1: F(x) = x, so the score is ∫₀ʸ x² dx + ∫ᵧ¹ (1 − x)² dx = (y³ + (1 − y)³) / 3, and with y
    /// outside as much more as y is away.
    #[test]
    fn crps_of_a_uniform_distribution() {
        let uniform = Belief::of(LEVELS);
        for y in [0.0_f64, 0.02, 0.31, 0.5, 0.97, 1.0] {
            assert!(close(crps(&uniform, y), (y.powi(3) + (1.0 - y).powi(3)) / 3.0), "{y}");
        }
        assert!(close(crps(&uniform, 3.0), 1.0 / 3.0 + 2.0));
        assert!(close(crps(&uniform, -1.0), 1.0 / 3.0 + 1.0));
    }

    /// Two forecasts, by hand: medians 4 and 0 with truths 6 and 0; bands of 80 % from 2 to 6 and from 0 to 0.
    #[test]
    fn figures_of_two_forecasts() {
        let mut tally = Tally::default();
        tally.add(&Belief::of([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]), 6.0, true);
        tally.add(&Belief::certain(0.0), 0.0, false);
        let scores = tally.scores(10.0);
        assert_eq!(scores.n, 2);
        assert!(close(scores.mae, 1.0) && close(scores.nmae, 0.1));
        // The mean of the first is 4: (2² + 0) / 2.
        assert!(close(scores.rmse, 2.0_f64.sqrt()));
        // Levels times distance below 6, and one tenth of nothing above: 0.05·5 + 0.1·4 + 0.25·3 + 0.5·2 + 0.75·1 + 0 +
        // 0.05·1 = 3.2, over seven levels and two forecasts.
        assert!(close(scores.pinball, 3.2 / 7.0 / 2.0));
        assert!(close(scores.coverage_50, 0.5) && close(scores.coverage_80, 1.0) && close(scores.coverage_90, 1.0));
        assert!(close(scores.coverage_80_awake, 1.0) && close(scores.width_80, 2.0));
        // Half of what is equal counts: of the first at 90 %, of the second at each level.
        assert_eq!(tally.below().to_vec(), [0.25, 0.25, 0.25, 0.25, 0.25, 0.5, 0.75]);
        assert!(close(Tally::default().scores(0.0).npinball, 0.0));
    }

    proptest! {
        /// The exact integral agrees with a fine sum over levels.
        #[test]
        fn crps_is_twice_the_integral_of_the_loss(
            quantiles in proptest::array::uniform7(-20.0..20.0_f64),
            truth in -30.0..30.0_f64,
        ) {
            let belief = Belief::of(quantiles);
            let q = belief.quantiles;
            let at = |level: f64| {
                if level < 0.05 { q[0] - (q[1] - q[0]) * (0.05 - level) / 0.05 }
                else if level > 0.95 { q[6] + (q[6] - q[5]) * (level - 0.95) / 0.05 }
                else { belief.quantile(level) }
            };
            let n = 20_000;
            let sum: f64 = (0..n).map(|k| (f64::from(k) + 0.5) / f64::from(n)).map(|l| pinball(l, at(l), truth)).sum();
            prop_assert!((crps(&belief, truth) - 2.0 * sum / f64::from(n)).abs() < 1e-3);
        }
    }
}
