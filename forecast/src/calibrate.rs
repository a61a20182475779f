//! Calibration: every quantile moved to where, in the last weeks, it should have been.
//!
//! Conformalised quantile regression (Romano, Patterson and Candès 2019) with one correction for each level, relative to
//! the width of the band, by part of the day and day ahead, and with old errors counting less (as Barber, Candès, Ramdas
//! and Tibshirani 2023 do where the world drifts). Parts with few errors lean on all parts together.

use kwartier_data::forecast::{Belief, LEVELS};
use serde::{Deserialize, Serialize};

/// Parts of a day: six hours each, as many as weeks of errors can tell apart.
pub const PARTS: usize = 4;

/// Days ahead that are told apart: the first, and all later ones.
pub const LEADS: usize = 2;

/// A forecast and what became of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// What was believed.
    pub belief: Belief,
    /// What came.
    pub truth: f64,
    /// Part of the day, below [`PARTS`].
    pub part: usize,
    /// Day ahead, below [`LEADS`].
    pub lead: usize,
    /// How many days ago, 0 for the last.
    pub age_days: f64,
}

/// Corrections of all quantiles, in widths of the band.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// By day ahead, part of the day, level.
    shifts: [[[f64; LEVELS.len()]; PARTS]; LEADS],
    /// The least width that corrections are relative to, in the unit of the forecast.
    least_width: f64,
}

/// After how many days an error counts half.
const HALF_LIFE_DAYS: f64 = 28.0;

/// How many days of errors of its own a part needs to be believed as much as all parts together.
const OWN_DAYS: f64 = 14.0;

/// The largest correction in widths: more says that the forecast is useless, not that it can be mended.
const MOST_SHIFT: f64 = 2.0;

impl Calibration {
    /// No corrections.
    pub fn none() -> Self {
        Calibration { shifts: [[[0.0; LEVELS.len()]; PARTS]; LEADS], least_width: 0.0 }
    }

    /// Learns corrections from past forecasts; `least_width` is the width below which a band counts as none, above 0.
    pub fn learn(scored: &[Scored], least_width: f64) -> Self {
        let mut learnt = Calibration { least_width, ..Self::none() };
        for (lead, parts) in learnt.shifts.iter_mut().enumerate() {
            let of_lead: Vec<&Scored> = scored.iter().filter(|one| one.lead == lead).collect();
            let all = LEVELS.iter().enumerate().map(|(k, _)| shift(&of_lead, k, least_width)).collect::<Vec<_>>();
            for (part, levels) in parts.iter_mut().enumerate() {
                let own: Vec<&Scored> = of_lead.iter().copied().filter(|one| one.part == part).collect();
                let days = days(&own);
                for (k, level) in levels.iter_mut().enumerate() {
                    let trust = days / (days + OWN_DAYS);
                    *level = trust * shift(&own, k, least_width) + (1.0 - trust) * all[k];
                }
            }
        }
        learnt
    }

    /// The belief with its quantiles corrected and in order.
    pub fn apply(&self, belief: &Belief, part: usize, lead: usize) -> Belief {
        let shifts = &self.shifts[lead.min(LEADS - 1)][part.min(PARTS - 1)];
        let width = width(belief, self.least_width);
        let mut quantiles = belief.quantiles;
        for (quantile, shift) in quantiles.iter_mut().zip(shifts) {
            *quantile += shift * width;
        }
        Belief::of(quantiles)
    }
}

/// The width that corrections are relative to.
fn width(belief: &Belief, least: f64) -> f64 {
    (belief.quantiles[LEVELS.len() - 1] - belief.quantiles[0]).max(least)
}

/// About how many days of errors there are.
fn days(scored: &[&Scored]) -> f64 {
    let mut ages: Vec<i64> = scored.iter().map(|one| one.age_days.floor() as i64).collect();
    ages.sort_unstable();
    ages.dedup();
    ages.len() as f64
}

/// The weighted quantile of the errors of a level, in widths; 0 where there are none.
fn shift(scored: &[&Scored], level: usize, least_width: f64) -> f64 {
    let mut errors: Vec<(f64, f64)> = scored
        .iter()
        .map(|one| {
            let error = (one.truth - one.belief.quantiles[level]) / width(&one.belief, least_width);
            (error, 0.5_f64.powf(one.age_days / HALF_LIFE_DAYS))
        })
        .collect();
    errors.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let wanted = LEVELS[level] * errors.iter().map(|(_, weight)| weight).sum::<f64>();
    let mut passed = 0.0;
    for (error, weight) in &errors {
        passed += weight;
        if passed >= wanted {
            return error.clamp(-MOST_SHIFT, MOST_SHIFT);
        }
    }
    0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::mean_pinball;

    /// Truths spread evenly over 0 … 10, and a band that is far too narrow and too high.
    fn narrow() -> Vec<Scored> {
        let belief = Belief::of([6.0, 6.1, 6.2, 6.3, 6.4, 6.5, 6.6]);
        (0..400)
            .map(|k| Scored {
                belief,
                truth: f64::from(k * 37 % 400) / 40.0,
                part: k as usize % PARTS,
                lead: k as usize % 8 / 4,
                age_days: f64::from(k % 50),
            })
            .collect()
    }

    #[test]
    fn a_narrow_band_is_widened_to_cover() {
        let scored = narrow();
        let learnt = Calibration::learn(&scored, 8.0);
        let inside = |one: &&Scored| {
            let mended = learnt.apply(&one.belief, one.part, one.lead);
            mended.quantiles[1] <= one.truth && one.truth <= mended.quantiles[5]
        };
        let share = scored.iter().filter(inside).count() as f64 / scored.len() as f64;
        assert!((0.76..=0.84).contains(&share), "{share}");
        let loss = |mend: &dyn Fn(&Scored) -> Belief| {
            scored.iter().map(|one| mean_pinball(&mend(one), one.truth)).sum::<f64>()
        };
        assert!(loss(&|one| learnt.apply(&one.belief, one.part, one.lead)) < 0.6 * loss(&|one| one.belief));
    }

    #[test]
    fn without_errors_nothing_changes() {
        let belief = Belief::of([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
        assert_eq!(Calibration::learn(&[], 1.0).apply(&belief, 0, 0).quantiles, belief.quantiles);
        assert_eq!(Calibration::none().apply(&belief, 9, 9).quantiles, belief.quantiles);
    }
}
