//! Mixing members by their own recent past: each quantile is the weighted mean of the members' quantiles.
//!
//! Weights are those with the least pinball loss over past forecasts, found by exponentiated gradient descent (Kivinen and
//! Warmuth 1997) from equal weights; they are not negative and add up to 1.

use kwartier_data::forecast::{Belief, LEVELS};

/// What all members believed of one value, and what came.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub beliefs: Vec<[f64; LEVELS.len()]>,
    pub truth: f64,
    /// How much it counts.
    pub weight: f64,
}

/// Steps of the descent: few, as weeks of errors that hang together do not tell weights apart to the last digit.
const STEPS: usize = 150;

/// Length of a step, for losses of the size of 1.
const RATE: f64 = 0.6;

/// The weights of `members` members with the least loss.
pub(crate) fn weights(told: &[&Told], members: usize) -> Vec<f64> {
    let mut weights = vec![1.0 / members.max(1) as f64; members];
    let total: f64 = told.iter().map(|one| one.weight).sum();
    if members < 2 || total <= 0.0 {
        return weights;
    }
    // Losses are relative to the best member's, so that a step is as long for every unit.
    let losses: Vec<f64> = (0..members).map(|m| loss(told, &alone(m, members)) / total).collect();
    let scale = losses.iter().copied().fold(f64::INFINITY, f64::min).max(1e-12);
    let mut best = (f64::INFINITY, weights.clone());
    for step in 0..STEPS {
        let mut gradient = vec![0.0; members];
        let mut lost = 0.0;
        for one in told {
            for (k, level) in LEVELS.iter().enumerate() {
                let mixed: f64 = weights.iter().zip(&one.beliefs).map(|(w, belief)| w * belief[k]).sum();
                let slope = if mixed >= one.truth { 1.0 - level } else { -level };
                lost += one.weight * slope * (mixed - one.truth);
                for (g, belief) in gradient.iter_mut().zip(&one.beliefs) {
                    *g += one.weight * slope * belief[k];
                }
            }
        }
        if lost < best.0 {
            best = (lost, weights.clone());
        }
        let rate = RATE / (1.0 + step as f64 / 20.0) / (total * scale * LEVELS.len() as f64);
        // The same for all members leaves the weights as they are; without it the exponentials run over.
        let mean = gradient.iter().sum::<f64>() / members as f64;
        for (weight, g) in weights.iter_mut().zip(&gradient) {
            *weight *= (-(rate * (g - mean)).clamp(-3.0, 3.0)).exp();
        }
        let sum: f64 = weights.iter().sum();
        for weight in &mut weights {
            *weight /= sum;
        }
    }
    best.1
}

/// The weights by which one member counts alone.
pub(crate) fn alone(member: usize, members: usize) -> Vec<f64> {
    (0..members).map(|m| f64::from(u8::from(m == member))).collect()
}

fn loss(told: &[&Told], weights: &[f64]) -> f64 {
    told.iter().map(|one| one.weight * crate::metrics::mean_pinball(&mixed(&one.beliefs, weights), one.truth)).sum()
}

/// The members' beliefs mixed.
pub(crate) fn mixed(beliefs: &[[f64; LEVELS.len()]], weights: &[f64]) -> Belief {
    let mut quantiles = [0.0; LEVELS.len()];
    for (belief, weight) in beliefs.iter().zip(weights) {
        for (quantile, own) in quantiles.iter_mut().zip(belief) {
            *quantile += weight * own;
        }
    }
    Belief::of(quantiles)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_better_member_gets_the_weight_and_opposite_errors_share_it() {
        let around = |centre: f64| LEVELS.map(|level| centre + level - 0.5);
        let told = |a: f64, b: f64| -> Vec<Told> {
            (0..200)
                .map(|k| {
                    let truth = f64::from(k % 20);
                    Told { beliefs: vec![around(truth + a), around(truth + b)], truth, weight: 1.0 }
                })
                .collect()
        };
        let weigh = |told: Vec<Told>| weights(&told.iter().collect::<Vec<_>>(), 2);
        let clear = weigh(told(0.0, 8.0));
        assert!(clear[0] > 0.97, "{clear:?}");
        let opposite = weigh(told(2.0, -2.0));
        assert!((opposite[0] - 0.5).abs() < 0.05, "{opposite:?}");
        assert_eq!(weights(&[], 3), vec![1.0 / 3.0; 3]);
    }
}
