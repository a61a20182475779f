//! Gradient-boosted quantiles: one booster for all levels.

use hessboost::config::LeafEstimation;
use hessboost::model::BoostedModel;
use hessboost::objective::Quantiles;
use hessboost::prelude::{DMatrix, Iterations, ModelFormat, Objective, TrainingParams, TreeMethod, train};
use kwartier_data::forecast::LEVELS;

/// A table of features, row by row, with a target and a weight for each row.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    /// Row-major features; NaN where one is missing.
    pub features: Vec<f32>,
    /// One target for each row.
    pub targets: Vec<f32>,
    /// One weight for each row, above 0.
    pub weights: Vec<f32>,
}

/// How long and how deep to boost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Depth {
    /// Rounds; each adds a tree for every level.
    pub rounds: usize,
    /// Levels of a tree.
    pub depth: usize,
    /// Share of a tree that is added.
    pub rate: f64,
    /// Least weight of the rows of a leaf, in rows of mean weight.
    pub least_rows: f64,
}

/// Fitted quantiles at [`LEVELS`].
#[derive(Debug, Clone)]
pub struct Boosted {
    model: BoostedModel,
}

impl Boosted {
    /// Fits quantiles of the targets; `None` where the booster refuses the rows (none, or values that are not finite).
    pub fn fit(rows: &Rows, depth: &Depth) -> Option<Self> {
        let count = rows.targets.len();
        let columns = rows.features.len().checked_div(count)?;
        let matrix = DMatrix::from_dense(&rows.features, count, columns).ok()?;
        let matrix = matrix.with_labels(&rows.targets).ok()?.with_weights(&rows.weights).ok()?;
        let params = TrainingParams::builder()
            .objective(Objective::Quantile(Quantiles::new(LEVELS).ok()?))
            .tree_method(TreeMethod::Hist)
            // Leaves at the quantile of their rows; Newton steps lose a fifth of the skill.
            .leaf_estimation(LeafEstimation::Exact)
            .max_bin(64)
            .max_depth(depth.depth)
            .eta(depth.rate)
            .min_child_weight(depth.least_rows)
            // Half of the rows and columns a tree: on the public series this, fewer rounds and larger leaves took 3 % off
            // the loss of seven tenths, most of it where a year or less is known.
            .subsample(0.6)
            .colsample_bytree(0.4)
            .build()
            .ok()?;
        let model = train(&params, &matrix, depth.rounds).ok()?;
        Some(Boosted { model })
    }

    /// The quantiles of each row of `features`, in order.
    pub fn predict(&self, features: &[f32]) -> Vec<[f64; LEVELS.len()]> {
        let Ok(predictions) = self.model.predict_rows(features, Iterations::Best) else { return Vec::new() };
        let row = |row: &[f32]| {
            let mut quantiles = [0.0; LEVELS.len()];
            for (quantile, &value) in quantiles.iter_mut().zip(row) {
                *quantile = f64::from(value);
            }
            quantiles.sort_by(f64::total_cmp);
            quantiles
        };
        predictions.rows().map(row).collect()
    }

    /// How many features a row has.
    pub fn features(&self) -> usize {
        self.model.n_features()
    }

    /// The model as bytes, for keeping.
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        self.model.encode(ModelFormat::Binary).ok()
    }

    /// A model from the bytes that it was kept as; `None` where they are no model.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        BoostedModel::decode(bytes, ModelFormat::Binary).ok().map(|model| Boosted { model })
    }
}
