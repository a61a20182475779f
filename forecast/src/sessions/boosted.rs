//! The second of the two methods that are mixed: trees boosted on the pinball loss (hessboost), one model for all levels.
//!
//! They see by how much a visit differs from the median of the visits most like it, as a ratio, so that they correct and need
//! not extrapolate. Leaves are set to the exact quantile of their rows; Newton's leaves were clearly worse.

use hessboost::prelude::{BoostedModel, DMatrix, Iterations, train};
use kwartier_data::forecast::LEVELS;
use serde::{Deserialize, Serialize};

use super::features::FEATURES;
use super::memory::Target;
use super::spread::{MIDDLE, Spread};
use crate::boost::{levels, quantiles, single};

/// Trees a level. With [`STEP`] enough to get to where more only follow noise.
const ROUNDS: usize = 100;

/// How far each tree goes.
const STEP: f64 = 0.06;

/// Depth of a tree: what three features say together.
const DEPTH: usize = 3;

/// Rows that a leaf needs, or its outer quantiles are single visits.
const LEAF: f64 = 20.0;

/// Share of the features each tree sees.
const SEEN: f64 = 0.7;

/// Seed of that choice.
const SEED: u64 = 5;

/// Added to both sides of the ratio, so that nothing taken is no infinite ratio: 3 minutes, 0.2 kWh.
fn offset(target: Target) -> f64 {
    match target {
        Target::Stay => 0.05,
        Target::Energy => 0.2,
    }
}

/// Boosted trees for one target.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Boosted(BoostedModel);

impl Boosted {
    /// Fitted on rows of features, what the most alike visits say, and what was true; `None` where the library refuses them.
    pub fn fit(target: Target, rows: &[Vec<f32>], like: &[Spread], truths: &[f64]) -> Option<Self> {
        let ratios: Vec<f32> = like
            .iter()
            .zip(truths)
            .map(|(spread, truth)| single(((truth + offset(target)) / (spread.0[MIDDLE] + offset(target))).ln()))
            .collect();
        let data = DMatrix::from_dense_vec(rows.concat(), rows.len(), FEATURES).ok()?.with_labels(&ratios).ok()?;
        let params = quantiles()?
            .max_depth(DEPTH)
            .min_child_weight(LEAF)
            .colsample_bytree(SEEN)
            .eta(STEP)
            .seed(SEED)
            .build()
            .ok()?;
        train(&params, &data, ROUNDS).ok().map(Boosted)
    }

    /// What the trees believe; `like` where the library refuses the row.
    pub fn spread(&self, target: Target, row: &[f32], like: &Spread) -> Spread {
        let mut ratios = [0.0_f32; LEVELS.len()];
        match self.0.predict_row_into(row, Iterations::Best, &mut ratios) {
            Ok(()) => Spread::of_levels(
                levels(&ratios).map(|ratio| ratio.exp() * (like.0[MIDDLE] + offset(target)) - offset(target)),
            ),
            Err(_) => *like,
        }
    }
}
