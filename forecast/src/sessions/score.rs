//! How good beliefs about visits were.

use kwartier_data::forecast::Belief;
use serde::{Deserialize, Serialize};

use crate::metrics::Tally;

/// Index of 10 % in the levels of a forecast.
const Q10: usize = 1;

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
    tally: Tally,
    truth: f64,
}

impl Sums {
    pub fn add(&mut self, belief: &Belief, truth: f64) {
        self.tally.add(belief, truth, true);
        self.truth += truth;
    }

    pub fn join(&mut self, other: &Sums) {
        self.tally.join(&other.tally);
        self.truth += other.truth;
    }

    /// The scores, as of a distribution or of points; `None` where nothing was scored.
    pub fn scores(&self, distribution: bool) -> Option<Scores> {
        let n = self.tally.n;
        let scores = self.tally.scores(1.0);
        (n > 0).then(|| Scores {
            n,
            mean: self.truth / n as f64,
            mae: scores.mae,
            rmse: scores.rmse,
            pinball: distribution.then_some(scores.pinball),
            coverage_80: distribution.then_some(scores.coverage_80),
            below_q10: self.tally.less_than(Q10),
            width_80: distribution.then_some(scores.width_80),
        })
    }
}

#[cfg(test)]
mod tests {

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
