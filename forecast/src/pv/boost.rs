//! Boosted trees that start from given quantiles and learn how to depart from them.

use hessboost::prelude::{BoostedModel, DMatrix, Iterations, train};
use kwartier_data::forecast::LEVELS;

use crate::boost::{kept, levels, quantiles, restored, single};

/// Trees for each level. More gained nothing on two years of irradiance and lost on a year of roofs.
const ROUNDS: usize = 80;

/// What each tree adds, as a share of what it finds.
const SHRINKAGE: f64 = 0.05;

/// Splits on the way to a leaf: a day has few truly different circumstances.
const DEPTH: usize = 3;

/// Days that each side of a split must hold: intervals of a day share its weather and count as one.
const DAYS_A_SIDE: usize = 20;

/// Rows and features that each tree sees, as a share.
const SEEN: f64 = 0.5;

/// A row to learn from.
pub(super) struct Row<const F: usize> {
    /// What was known; NaN where missing.
    pub features: [f32; F],
    /// The quantiles to start from.
    pub base: [f64; LEVELS.len()],
    /// What came.
    pub truth: f64,
    /// How much it counts.
    pub weight: f64,
    /// The day of what came.
    pub day: u64,
}

/// Fitted trees.
pub(super) struct Boosted {
    model: BoostedModel,
}

impl Boosted {
    /// Fits trees to rows; `None` where there are none to speak of.
    pub(super) fn fit<const F: usize>(rows: &[Row<F>]) -> Option<Self> {
        let mean_weight = rows.iter().map(|row| row.weight).sum::<f64>() / rows.len().max(1) as f64;
        if mean_weight <= 0.0 {
            return None;
        }
        let features: Vec<f32> = rows.iter().flat_map(|row| row.features).collect();
        let labels: Vec<f32> = rows.iter().map(|row| single(row.truth)).collect();
        let weights: Vec<f32> = rows.iter().map(|row| single(row.weight / mean_weight)).collect();
        let bases: Vec<f32> = rows.iter().flat_map(|row| row.base.map(single)).collect();
        let days: Vec<u64> = rows.iter().map(|row| row.day).collect();
        let matrix = DMatrix::from_dense(&features, rows.len(), F)
            .and_then(|matrix| matrix.with_labels(&labels))
            .and_then(|matrix| matrix.with_weights(&weights))
            .and_then(|matrix| matrix.with_base_margin(&bases))
            .and_then(|matrix| matrix.with_split_groups(&days))
            .ok()?;
        let params = quantiles()?
            .max_depth(DEPTH)
            .eta(SHRINKAGE)
            .min_child_groups(DAYS_A_SIDE)
            .subsample(SEEN)
            .colsample_bytree(SEEN)
            .nthread(1)
            .build()
            .ok()?;
        train(&params, &matrix, ROUNDS).ok().map(|model| Boosted { model })
    }

    /// The trees as text.
    pub(super) fn kept(&self) -> Option<String> {
        kept(&self.model)
    }

    /// The trees of so many features that [`Boosted::kept`] wrote.
    pub(super) fn restored(text: &str, features: usize) -> Option<Self> {
        restored(text, features).map(|model| Boosted { model })
    }

    /// The quantiles for rows of features and the quantiles they start from.
    pub(super) fn predict<const F: usize>(
        &self,
        features: &[[f32; F]],
        bases: &[[f64; LEVELS.len()]],
    ) -> Option<Vec<[f64; LEVELS.len()]>> {
        if features.is_empty() {
            return Some(Vec::new());
        }
        let bases: Vec<f32> = bases.iter().flat_map(|base| base.map(single)).collect();
        let matrix = DMatrix::from_dense(features.as_flattened(), features.len(), F)
            .and_then(|matrix| matrix.with_base_margin(&bases))
            .ok()?;
        let predicted = self.model.predict(&matrix, Iterations::Best).ok()?;
        Some(predicted.rows().map(levels).collect())
    }
}
