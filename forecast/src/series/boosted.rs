//! Gradient-boosted quantiles of a series.

use hessboost::prelude::{BoostedModel, DMatrix, Iterations, train};
use kwartier_data::forecast::Belief;
use serde_json::Value;

use super::features::{Origin, TREE_FEATURES, tree_row};
use super::{Member, Recipe};
use crate::boost::{kept, levels, quantiles, restored, single};
use crate::grid::Grid;

/// Boosted quantiles of the value relative to level and spread.
pub(crate) struct Trees {
    /// Rounds; each adds a tree for every level.
    pub rounds: usize,
    /// Levels of a tree.
    pub depth: usize,
    /// Share of a tree that is added.
    pub rate: f64,
    /// Least weight of the rows of a leaf, in rows of mean weight.
    pub least_rows: f64,
    /// Most rows to fit on, so that a fit takes seconds.
    pub rows: usize,
}

/// Shares of the rows and of the features that each tree sees. On the public series these, fewer rounds and larger leaves
/// took 3 % off the loss of seven tenths of both, most of it where a year or less is known.
const SEEN: [f64; 2] = [0.6, 0.4];

/// The least history to fit on: five weeks, four for the lags and one to learn from.
const LEAST_DAYS: usize = 35;

/// Origins to learn from, two days apart from each other in what they ask: the longest horizon learnt.
const AHEAD_DAYS: usize = 2;

struct FittedTrees(BoostedModel);

impl Recipe for Trees {
    fn name(&self) -> &'static str {
        "boosted"
    }

    fn least_days(&self) -> usize {
        LEAST_DAYS
    }

    fn fit(&self, grid: &Grid<'_>, known: usize) -> Option<Box<dyn Member>> {
        let days = known / grid.per_day;
        if days < LEAST_DAYS {
            return None;
        }
        let ahead = AHEAD_DAYS * grid.per_day;
        // The first weeks have no lags.
        let origins = grid.daily_origins(known, days - 15);
        let every = (origins.len() * ahead).div_ceil(self.rows).max(1);
        let (mut features, mut targets, mut weights) = (Vec::new(), Vec::new(), Vec::new());
        for (k, &at) in origins.iter().enumerate() {
            let Some(origin) = Origin::of(grid, at) else { continue };
            // Another start each day, so that all times of day are learnt from.
            for index in (at + k * 7 % every..(at + ahead).min(known)).step_by(every) {
                let Some(truth) = grid.value(index, known) else { continue };
                tree_row(grid, &origin, index, &mut features);
                targets.push(single(origin.standard.relative(truth)));
                weights.push(single(origin.standard.spread));
            }
        }
        let mean_weight = weights.iter().sum::<f32>() / weights.len().max(1) as f32;
        for weight in &mut weights {
            *weight /= mean_weight;
        }
        let matrix = DMatrix::from_dense(&features, targets.len(), TREE_FEATURES)
            .and_then(|matrix| matrix.with_labels(&targets))
            .and_then(|matrix| matrix.with_weights(&weights))
            .ok()?;
        let params = quantiles()?
            .max_depth(self.depth)
            .eta(self.rate)
            .min_child_weight(self.least_rows)
            .subsample(SEEN[0])
            .colsample_bytree(SEEN[1])
            .build()
            .ok()?;
        train(&params, &matrix, self.rounds).ok().map(|model| Box::new(FittedTrees(model)) as Box<dyn Member>)
    }

    fn restore(&self, saved: Value) -> Option<Box<dyn Member>> {
        let model = restored(saved.as_str()?, TREE_FEATURES)?;
        Some(Box::new(FittedTrees(model)))
    }
}

impl Member for FittedTrees {
    fn predict(&self, grid: &Grid<'_>, known: usize, indices: &[usize]) -> Vec<Option<Belief>> {
        let Some(origin) = Origin::of(grid, known) else { return vec![None; indices.len()] };
        let mut features = Vec::with_capacity(indices.len() * TREE_FEATURES);
        for &index in indices {
            tree_row(grid, &origin, index, &mut features);
        }
        let Ok(predicted) = self.0.predict_rows(&features, Iterations::Best) else { return vec![None; indices.len()] };
        let belief = |row| Some(Belief::of(levels(row).map(|relative| origin.standard.absolute(relative))));
        predicted.rows().map(belief).collect()
    }

    fn save(&self) -> Option<Value> {
        kept(&self.0).map(Value::String)
    }
}
