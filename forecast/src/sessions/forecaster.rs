//! One target, stay or energy: the two methods, how they are mixed, and what their levels turned out to mean.

use chrono::{DateTime, Utc};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::boosted::Boosted;
use super::features::features;
use super::likeness::{Going, Likeness};
use super::memory::{Case, Memory, Target};
use super::prior::Place;
use super::spread::{GRID, Spread};

/// Trees are fitted on the last so many visits at most: a fit of seconds, and what is older is more alike than new.
const ROWS: usize = 6_000;

/// The first visits teach nothing: too little comes before them.
const WARM_UP: usize = 30;

/// Below this many rows there are no trees.
const FOR_TREES: usize = 150;

/// The share of the rows, the last, on which mix and levels are judged, by trees that were fitted on the others.
const JUDGED: f64 = 0.3;

/// Below this many judged visits the levels stay as they are.
const FOR_LEVELS: usize = 30;

/// A level is moved to where it was measured as if it had been right this many times before.
const RIGHT_BEFORE: f64 = 25.0;

/// Shares of the trees that are tried. Never all: where no visit is like it trees extrapolate.
const SHARES: [f64; 4] = [0.0, 0.3, 0.5, 0.75];

/// The share of the trees where too little is known to judge.
const USUAL_SHARE: f64 = 0.5;

/// What a forecaster of one target is made of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Forecaster {
    likeness: Likeness,
    trees: Option<Boosted>,
    /// Share of the trees in the mix.
    share: f64,
    /// For each level of the grid, the level of the mix that is right that often.
    levels: [f64; GRID.len()],
}

/// Everything at hand when a visit is predicted.
pub(super) struct Row {
    like: Spread,
    features: Vec<f32>,
    truth: f64,
}

impl Forecaster {
    /// Fitted on all that had ended by the instant at which the memory ends.
    pub fn fit(memory: &Memory, place: Place, target: Target, likeness: [Likeness; 2]) -> Self {
        let [like, other] = likeness;
        let mut cases: Vec<(&Case, f64)> =
            memory.cases.iter().filter_map(|case| Some((case, target.of(&case.visit)?))).collect();
        cases.sort_by_key(|(case, _)| case.visit.arrival);
        let from = cases.len().saturating_sub(ROWS).max(WARM_UP.min(cases.len()));
        let rows: Vec<Row> = cases[from..]
            .par_iter()
            .map(|&(case, truth)| {
                let at = case.visit.arrival;
                let (like, features) = seen(memory, place, target, [&like, &other], case, at);
                Row { like, features, truth }
            })
            .collect();
        let mut fitted = Forecaster { likeness: like, trees: None, share: 0.0, levels: GRID };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length")]
        let cut = ((1.0 - JUDGED) * rows.len() as f64) as usize;
        let (early, judged) = rows.split_at(cut);
        if rows.len() >= FOR_TREES {
            fitted.trees = boost(target, early);
            fitted.share = fitted.best_share(target, judged);
        }
        if judged.len() >= FOR_LEVELS {
            fitted.levels = fitted.measured_levels(target, judged);
        }
        if fitted.share > 0.0 {
            fitted.trees = boost(target, &rows);
        } else {
            fitted.trees = None;
        }
        fitted
    }

    /// The mix of both methods.
    fn mixed(&self, target: Target, features: &[f32], like: &Spread, share: f64) -> Spread {
        self.trees.as_ref().map_or(*like, |trees| like.toward(&trees.spread(target, features, like), share))
    }

    /// The share of the trees that loses least, if it is better than the usual one by more than chance would have it.
    fn best_share(&self, target: Target, judged: &[Row]) -> f64 {
        let loss = |share: f64| -> f64 {
            judged.iter().map(|row| self.mixed(target, &row.features, &row.like, share).pinball(row.truth)).sum()
        };
        let usual = loss(USUAL_SHARE);
        SHARES
            .iter()
            .map(|&share| (loss(share), share))
            .filter(|&(lost, _)| lost < 0.99 * usual)
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map_or(USUAL_SHARE, |(_, share)| share)
    }

    /// Which level of the mix was right as often as each level says.
    fn measured_levels(&self, target: Target, judged: &[Row]) -> [f64; GRID.len()] {
        let mut found: Vec<f64> = judged
            .iter()
            .map(|row| self.mixed(target, &row.features, &row.like, self.share).level_of(row.truth))
            .collect();
        found.sort_by(f64::total_cmp);
        let count = found.len() as f64;
        GRID.map(|level| {
            // Conformal: the rank is of one more than were seen (Vovk et al. 2005).
            let rank = level * (count + 1.0) - 1.0;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the length")]
            let below = rank.clamp(0.0, count - 1.0) as usize;
            let above = (below + 1).min(found.len() - 1);
            let share = (rank - below as f64).clamp(0.0, 1.0);
            let measured = found[below] + share * (found[above] - found[below]);
            (count * measured + RIGHT_BEFORE * level) / (count + RIGHT_BEFORE)
        })
    }

    /// What is believed of a visit.
    pub fn spread(
        &self,
        memory: &Memory,
        place: Place,
        target: Target,
        other: &Likeness,
        case: &Case,
        at: DateTime<Utc>,
        going: Going,
    ) -> Spread {
        let floor = match target {
            Target::Stay => going.elapsed_h,
            Target::Energy => going.so_far_kwh.unwrap_or(0.0),
        };
        let (like, features) = seen(memory, place, target, [&self.likeness, other], case, at);
        let whole = self.mixed(target, &features, &like, self.share);
        let whole = Spread::of(self.levels.map(|level| whole.at(level)));
        if going.elapsed_h <= 0.0 && floor <= 0.0 {
            return whole;
        }
        // Two readings of what is left: of what was believed at arrival, and of those that stayed as long.
        let (rest, left) = whole.above(floor);
        let survivors = self.likeness.spread(memory, place, target, case, at, going);
        rest.toward(&survivors, 1.0 - 0.5 * left)
    }

    /// How like visits are for this target.
    pub fn likeness(&self) -> &Likeness {
        &self.likeness
    }
}

fn boost(target: Target, rows: &[Row]) -> Option<Boosted> {
    let features: Vec<Vec<f32>> = rows.iter().map(|row| row.features.clone()).collect();
    let like: Vec<Spread> = rows.iter().map(|row| row.like).collect();
    let truths: Vec<f64> = rows.iter().map(|row| row.truth).collect();
    Boosted::fit(target, &features, &like, &truths)
}

/// What the most alike visits say at arrival, and what the trees see.
fn seen(
    memory: &Memory,
    place: Place,
    target: Target,
    likeness: [&Likeness; 2],
    case: &Case,
    at: DateTime<Utc>,
) -> (Spread, Vec<f32>) {
    let other = if target == Target::Stay { Target::Energy } else { Target::Stay };
    let like = likeness[0].spread(memory, place, target, case, at, Going::default());
    let beside = likeness[1].spread(memory, place, other, case, at, Going::default());
    let row = features(memory, case, at, [&like, &beside]);
    (like, row)
}
