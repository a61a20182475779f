//! Calibration: bands widened to what, in the last weeks, they should have been.
//!
//! In the manner of conformalised quantile regression (Romano, Patterson and Candès 2019), with old errors counting less
//! (Barber, Candès, Ramdas and Tibshirani 2023): for each side of the median one factor on its distance from the median,
//! by day ahead and part of the day, is the one with the least pinball loss over past forecasts. Few numbers are learnt and
//! they lean on "no change", since the errors of a few weeks hang together: moving each quantile by itself to where it
//! should have been made bands narrower than they claim on every public series.

use kwartier_data::forecast::{Belief, LEVELS, MEDIAN};
use serde::{Deserialize, Serialize};

use crate::metrics::{mean_pinball, pinball};

/// Parts of a day: six hours each, as many as weeks of errors can tell apart.
pub const PARTS: usize = 4;

/// The part of the day that a time of day, in seconds since midnight, is in.
pub fn part_of(of_day_s: i64) -> usize {
    const DAY_S: usize = 86_400;
    (usize::try_from(of_day_s).unwrap_or(0) * PARTS / DAY_S).min(PARTS - 1)
}

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

/// Factors on the lower and the upper half of a band.
type Halves = [f64; 2];

/// Corrections of bands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// By day ahead, part of the day.
    factors: [[Halves; PARTS]; LEADS],
    /// The least width of a half that is stretched, in the unit of the forecast.
    least_width: f64,
}

/// After how many days an error counts half.
const HALF_LIFE_DAYS: f64 = 28.0;

/// How many days of errors make a factor count as much as no change at all.
const PRIOR_DAYS: f64 = 14.0;

/// How many days of errors of its own a part of the day needs to be believed as much as the whole day.
const OWN_DAYS: f64 = 56.0;

/// The factors that are tried. None narrows a band: what was calm for weeks need not stay so, and narrowed bands lost more
/// than they won on every public series. A band that wants more than the last is of a forecast that cannot be mended.
const TRIED: [f64; 11] = [1.05, 1.1, 1.2, 1.3, 1.4, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0];

impl Calibration {
    /// No corrections.
    pub fn none() -> Self {
        Calibration { factors: [[[1.0; 2]; PARTS]; LEADS], least_width: 0.0 }
    }

    /// Learns corrections from past forecasts; `least_width` is the width below which half a band counts as none, above 0.
    pub fn learn(scored: &[Scored], least_width: f64) -> Self {
        let mut learnt = Calibration { least_width, ..Self::none() };
        for (lead, parts) in learnt.factors.iter_mut().enumerate() {
            let of_lead: Vec<&Scored> = scored.iter().filter(|one| one.lead == lead).collect();
            let trust = days(&of_lead) / (days(&of_lead) + PRIOR_DAYS);
            let all = [0, 1].map(|half| 1.0 + trust * (factor(&of_lead, half, least_width) - 1.0));
            for (part, halves) in parts.iter_mut().enumerate() {
                let own: Vec<&Scored> = of_lead.iter().copied().filter(|one| one.part == part).collect();
                let trust = days(&own) / (days(&own) + OWN_DAYS);
                for (half, value) in halves.iter_mut().enumerate() {
                    *value = all[half] + trust * (factor(&own, half, least_width) - all[half]);
                }
            }
        }
        learnt
    }

    /// Learns corrections that have shown their worth: learnt from the older half of the days, they are tried on the newer
    /// half, at full strength, at half and not at all; what lost least there is learnt from all days.
    ///
    /// Bands that are right already stay as they are: on the public series corrections that were not tried first made half
    /// of them worse.
    pub fn proven(scored: &[Scored], least_width: f64) -> Self {
        let oldest = scored.iter().map(|one| one.age_days).fold(0.0, f64::max);
        let (newer, mut older): (Vec<Scored>, Vec<Scored>) = scored.iter().partition(|one| one.age_days < oldest / 2.0);
        for one in &mut older {
            one.age_days -= oldest / 2.0;
        }
        let tried = Self::learn(&older, least_width);
        let loss = |calibration: &Calibration| -> f64 {
            let lost = |one: &Scored| mean_pinball(&calibration.apply(&one.belief, one.part, one.lead), one.truth);
            newer.iter().map(lost).sum()
        };
        let mut best = (loss(&Self::none()), 0.0);
        for strength in [0.5, 1.0] {
            let lost = loss(&tried.toned(strength));
            if lost < best.0 {
                best = (lost, strength);
            }
        }
        Self::learn(scored, least_width).toned(best.1)
    }

    /// The corrections at part of their strength: 0 is none.
    pub fn toned(&self, strength: f64) -> Self {
        let mut toned = self.clone();
        for factor in toned.factors.iter_mut().flatten().flatten() {
            *factor = 1.0 + strength * (*factor - 1.0);
        }
        toned
    }

    /// The belief with its halves stretched.
    pub fn apply(&self, belief: &Belief, part: usize, lead: usize) -> Belief {
        let [low, high] = self.factors[lead.min(LEADS - 1)][part.min(PARTS - 1)];
        let mut quantiles = belief.quantiles;
        for (k, quantile) in quantiles.iter_mut().enumerate() {
            *quantile = stretched(belief, k, if k < MEDIAN { low } else { high }, self.least_width);
        }
        Belief::of(quantiles)
    }
}

/// A quantile at so many times its distance from the median. A band of no width at all is stretched as if it had the least
/// one, in proportion to the levels, so that certainty that proved wrong can be taken back.
fn stretched(belief: &Belief, k: usize, factor: f64, least_width: f64) -> f64 {
    let median = belief.quantiles[MEDIAN];
    let outermost = belief.quantiles[if k < MEDIAN { 0 } else { LEVELS.len() - 1 }];
    let missing = (least_width - (outermost - median).abs()).max(0.0);
    let extra =
        (factor - 1.0).max(0.0) * missing * (LEVELS[k] - LEVELS[MEDIAN]) / (LEVELS[LEVELS.len() - 1] - LEVELS[MEDIAN]);
    median + factor * (belief.quantiles[k] - median) + extra
}

/// About how many days of errors there are.
fn days(scored: &[&Scored]) -> f64 {
    let mut ages: Vec<f64> = scored.iter().map(|one| one.age_days.floor()).collect();
    ages.sort_unstable_by(f64::total_cmp);
    ages.dedup();
    ages.len() as f64
}

/// The factor with the least weighted pinball loss of the quantiles below (0) or above (1) the median; 1 where there are no
/// errors.
fn factor(scored: &[&Scored], half: usize, least_width: f64) -> f64 {
    let levels = if half == 0 { 0..MEDIAN } else { MEDIAN + 1..LEVELS.len() };
    let weights: Vec<f64> = scored.iter().map(|one| 0.5_f64.powf(one.age_days / HALF_LIFE_DAYS)).collect();
    let loss = |factor: f64| -> f64 {
        let one = |(one, weight): (&&Scored, &f64)| {
            let own = |k: usize| pinball(LEVELS[k], stretched(&one.belief, k, factor, least_width), one.truth);
            weight * levels.clone().map(own).sum::<f64>()
        };
        scored.iter().zip(&weights).map(one).sum()
    };
    let mut best = (loss(1.0), 1.0);
    for tried in TRIED {
        let lost = loss(tried);
        if lost < best.0 {
            best = (lost, tried);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Truths spread evenly over 0 … 10, and a band that is far too narrow.
    fn narrow() -> Vec<Scored> {
        let belief = Belief::of([4.1, 4.2, 4.6, 5.0, 5.4, 5.8, 5.9]);
        (0..400_usize)
            .map(|k| Scored {
                belief,
                truth: (k * 37 % 400) as f64 / 40.0,
                part: k % PARTS,
                lead: k % 8 / 4,
                age_days: (k % 50) as f64,
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
        assert!((0.7..=0.84).contains(&share), "{share}");
        let loss = |mend: &dyn Fn(&Scored) -> Belief| {
            scored.iter().map(|one| mean_pinball(&mend(one), one.truth)).sum::<f64>()
        };
        assert!(loss(&|one| learnt.apply(&one.belief, one.part, one.lead)) < 0.7 * loss(&|one| one.belief));
    }

    #[test]
    fn bands_that_are_right_are_left_alone_and_wrong_ones_mended() {
        let least = |one: &Scored, learnt: &Calibration| learnt.apply(&one.belief, one.part, one.lead).quantiles;
        let wrong = narrow();
        let mended = Calibration::proven(&wrong, 0.1);
        assert!(least(&wrong[0], &mended)[0] < wrong[0].belief.quantiles[0] - 1.0);
        let right: Vec<Scored> = narrow()
            .into_iter()
            .map(|one| Scored { belief: Belief::of(LEVELS.map(|level| 10.0 * level)), ..one })
            .collect();
        let kept = Calibration::proven(&right, 0.1);
        for (now, before) in least(&right[0], &kept).iter().zip(right[0].belief.quantiles) {
            assert!((now - before).abs() < 0.5, "{now} {before}");
        }
    }

    #[test]
    fn without_errors_nothing_changes() {
        let belief = Belief::of([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
        assert_eq!(Calibration::learn(&[], 1.0).apply(&belief, 0, 0), belief);
        assert_eq!(Calibration::none().apply(&belief, 9, 9), belief);
    }
}
