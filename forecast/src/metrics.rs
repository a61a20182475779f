//! How good forecasts were.

use kwartier_data::forecast::{Belief, LEVELS};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pinball_is_least_at_the_quantile() {
        assert!((pinball(0.9, 10.0, 12.0) - 1.8).abs() < 1e-12);
        assert!((pinball(0.9, 12.0, 10.0) - 0.2).abs() < 1e-12);
        let truths: Vec<f64> = (0..=100).map(f64::from).collect();
        let loss = |quantile: f64| truths.iter().map(|&truth| pinball(0.9, quantile, truth)).sum::<f64>();
        assert!(loss(90.0) < loss(85.0) && loss(90.0) < loss(95.0));
        assert!((mean_pinball(&Belief::certain(3.0), 3.0)).abs() < 1e-12);
    }
}
