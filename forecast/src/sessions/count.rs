//! How many: the distribution of a number of arrivals.
//!
//! Arrivals within a quarter-hour are Poisson, days differ by more than that: the rate of a day is the usual rate times a
//! number around 1 that is gamma distributed, so that counts are negative binomial.

use kwartier_data::forecast::{Belief, LEVELS};

/// Counts are not looked for beyond this: no site has more arrivals in a quarter-hour.
const MOST: u32 = 10_000;

/// Days as alike as Poisson have no shape; this is one.
const ALIKE: f64 = 1e6;

/// The shape of the gamma distribution by which the totals of days differ beyond Poisson.
pub(super) fn shape(totals: &[(f64, f64)]) -> f64 {
    let weight: f64 = totals.iter().map(|&(_, weight)| weight).sum();
    if weight <= 0.0 {
        return ALIKE;
    }
    let mean = totals.iter().map(|&(total, weight)| weight * total).sum::<f64>() / weight;
    let variance = totals.iter().map(|&(total, weight)| weight * (total - mean).powi(2)).sum::<f64>() / weight;
    if variance > mean && mean > 0.0 { (mean * mean / (variance - mean)).min(ALIKE) } else { ALIKE }
}

/// What is believed of a count with a mean and a shape.
pub(super) fn belief(mean: f64, shape: f64) -> Belief {
    if mean <= 0.0 {
        return Belief::certain(0.0);
    }
    // Negative binomial: p(0) = (r / (r + m))^r, p(k + 1) = p(k) (r + k) / (k + 1) · m / (r + m).
    let mut probability = (shape * (shape / (shape + mean)).ln()).exp();
    let mut below = probability;
    let mut quantiles = [f64::from(MOST); LEVELS.len()];
    let mut next = 0;
    for k in 0..MOST {
        while next < LEVELS.len() && below >= LEVELS[next] {
            quantiles[next] = f64::from(k);
            next += 1;
        }
        if next == LEVELS.len() {
            break;
        }
        probability *= (shape + f64::from(k)) / f64::from(k + 1) * mean / (shape + mean);
        below += probability;
    }
    Belief { mean, quantiles }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn poisson_quantiles_where_days_are_alike() {
        // Of Poisson with mean 4: P(≤ 0) = 0.018, P(≤ 1) = 0.092, P(≤ 2) = 0.238, P(≤ 3) = 0.433, P(≤ 4) = 0.629,
        // P(≤ 5) = 0.785, P(≤ 6) = 0.889, P(≤ 7) = 0.949, P(≤ 8) = 0.979.
        assert_eq!(belief(4.0, ALIKE).quantiles.to_vec(), [1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 8.0]);
        assert_eq!(belief(0.0, ALIKE), Belief::certain(0.0));
        assert_eq!(belief(0.01, 2.0).quantiles.to_vec(), [0.0; 7]);
    }

    #[test]
    fn days_that_differ_widen_the_count() {
        let alike = shape(&[(10.0, 1.0), (11.0, 1.0), (9.0, 1.0)]);
        let differing = shape(&[(0.0, 1.0), (20.0, 1.0), (10.0, 1.0)]);
        assert!((alike - ALIKE).abs() < 1e-6 && differing < 5.0);
        assert!(belief(10.0, differing).quantiles[6] > belief(10.0, alike).quantiles[6]);
    }
}
