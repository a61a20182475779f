//! How good beliefs about visits were.

use kwartier_data::forecast::Belief;
use serde::{Deserialize, Serialize};

use crate::metrics::mean_pinball;

/// Indices in the levels of a forecast of 10 and 90 %.
const BAND: [usize; 2] = [1, 5];

/// Scores of beliefs of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// How many were scored.
    pub n: usize,
    /// Mean of what came true.
    pub mean: f64,
    /// Mean absolute error of the median.
    pub mae: f64,
    /// Root of the mean squared error of the mean.
    pub rmse: f64,
    /// Mean pinball loss over the seven levels; `None` for statements, which are no distributions.
    pub pinball: Option<f64>,
    /// Share within the 10 to 90 % band, both ends included; `None` likewise.
    pub coverage_80: Option<f64>,
    /// Share below the 10 % quantile; for statements, below what was stated.
    pub below_q10: f64,
    /// Mean width of the 80 % band; `None` for statements.
    pub width_80: Option<f64>,
}

/// Sums from which [`Scores`] follow.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sums {
    count: usize,
    truth: f64,
    absolute: f64,
    squared: f64,
    pinball: f64,
    within: usize,
    below: usize,
    width: f64,
}

impl Sums {
    pub fn add(&mut self, belief: &Belief, truth: f64) {
        let [low, high] = BAND.map(|index| belief.quantiles[index]);
        self.count += 1;
        self.truth += truth;
        self.absolute += (belief.quantiles[kwartier_data::forecast::MEDIAN] - truth).abs();
        self.squared += (belief.mean - truth).powi(2);
        self.pinball += mean_pinball(belief, truth);
        self.within += usize::from(low <= truth && truth <= high);
        self.below += usize::from(truth < low);
        self.width += high - low;
    }

    pub fn join(&mut self, other: &Sums) {
        self.count += other.count;
        self.truth += other.truth;
        self.absolute += other.absolute;
        self.squared += other.squared;
        self.pinball += other.pinball;
        self.within += other.within;
        self.below += other.below;
        self.width += other.width;
    }

    /// The scores, as of a distribution or of points; `None` where nothing was scored.
    pub fn scores(&self, distribution: bool) -> Option<Scores> {
        if self.count == 0 {
            return None;
        }
        let count = self.count as f64;
        Some(Scores {
            n: self.count,
            mean: self.truth / count,
            mae: self.absolute / count,
            rmse: (self.squared / count).sqrt(),
            pinball: distribution.then_some(self.pinball / count),
            coverage_80: distribution.then_some(self.within as f64 / count),
            below_q10: self.below as f64 / count,
            width_80: distribution.then_some(self.width / count),
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use super::*;

    #[test]
    fn scores_of_two_beliefs() {
        let belief = Belief { mean: 5.0, quantiles: [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0] };
        let mut sums = Sums::default();
        sums.add(&belief, 1.0);
        sums.add(&belief, 6.0);
        let scores = sums.scores(true).unwrap();
        assert_eq!((scores.n, scores.coverage_80, scores.below_q10, scores.width_80), (2, Some(0.5), 0.5, Some(4.0)));
        assert!((scores.mae - 2.5).abs() < 1e-12);
        assert!((scores.rmse - (17.0_f64 / 2.0).sqrt()).abs() < 1e-12);
        assert_eq!(Sums::default().scores(true), None);
    }
}
