//! Gradient-boosted quantiles of a series.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use kwartier_data::forecast::Belief;
use serde_json::Value;

use super::features::{Origin, TREE_FEATURES, tree_row};
use super::{Member, Recipe};
use crate::boost::{Boosted, Depth, Rows};
use crate::grid::Grid;

/// Boosted quantiles of the value relative to level and spread.
pub(crate) struct Trees {
    pub depth: Depth,
    /// Most rows to fit on, so that a fit takes seconds.
    pub rows: usize,
}

/// The least history to fit on: five weeks, four for the lags and one to learn from.
const LEAST_DAYS: usize = 35;

/// Origins to learn from, two days apart from each other in what they ask: the longest horizon learnt.
const AHEAD_DAYS: usize = 2;

struct FittedTrees {
    boosted: Boosted,
}

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
        let mut rows = Rows::default();
        #[expect(clippy::cast_possible_truncation, reason = "trees take single precision")]
        let single = |value: f64| value as f32;
        for (k, &at) in origins.iter().enumerate() {
            let Some(origin) = Origin::of(grid, at) else { continue };
            // Another start each day, so that all times of day are learnt from.
            for index in (at + k * 7 % every..(at + ahead).min(known)).step_by(every) {
                let Some(truth) = grid.value(index, known) else { continue };
                tree_row(grid, &origin, index, &mut rows.features);
                rows.targets.push(single(origin.standard.relative(truth)));
                rows.weights.push(single(origin.standard.spread));
            }
        }
        let mean_weight = rows.weights.iter().sum::<f32>() / rows.weights.len().max(1) as f32;
        for weight in &mut rows.weights {
            *weight /= mean_weight;
        }
        Boosted::fit(&rows, &self.depth).map(|boosted| Box::new(FittedTrees { boosted }) as Box<dyn Member>)
    }

    fn restore(&self, saved: Value) -> Option<Box<dyn Member>> {
        let bytes = BASE64.decode(saved.as_str()?).ok()?;
        let boosted = Boosted::from_bytes(&bytes).filter(|boosted| boosted.features() == TREE_FEATURES)?;
        Some(Box::new(FittedTrees { boosted }))
    }
}

impl Member for FittedTrees {
    fn predict(&self, grid: &Grid<'_>, known: usize, indices: &[usize]) -> Vec<Option<Belief>> {
        let Some(origin) = Origin::of(grid, known) else { return vec![None; indices.len()] };
        let mut features = Vec::with_capacity(indices.len() * TREE_FEATURES);
        for &index in indices {
            tree_row(grid, &origin, index, &mut features);
        }
        let quantiles = self.boosted.predict(&features);
        quantiles
            .into_iter()
            .map(|quantiles| Some(Belief::of(quantiles.map(|relative| origin.standard.absolute(relative)))))
            .collect()
    }
    fn save(&self) -> Option<Value> {
        self.boosted.to_bytes().map(|bytes| Value::String(BASE64.encode(bytes)))
    }
}
