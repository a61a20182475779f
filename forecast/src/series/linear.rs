//! Linear models of a series: one for each hour of the day and day ahead, by ridge regression.

use kwartier_data::forecast::{Belief, LEVELS};
use linfa::Dataset;
use linfa::traits::Fit;
use linfa_linear::LinearRegression;
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::features::{LINEAR_FEATURES, Origin, linear_row};
use super::{Member, Recipe};
use crate::grid::{Grid, quantile_sorted};

/// Ridge regression by hour and day ahead.
pub(crate) struct Linear {
    /// Days to learn from: older ones say little of now.
    pub days: usize,
}

/// Hours of the day.
const HOURS: usize = 24;

/// The least history to fit on.
const LEAST_DAYS: usize = 42;

/// Weight of the pull towards 0, in rows: about as much as half a month says.
const RIDGE: f64 = 20.0;

/// A model of one hour and day ahead.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Cell {
    weights: [f64; LINEAR_FEATURES],
    /// Quantiles of the residuals, relative to the spread.
    residuals: [f64; LEVELS.len()],
}

struct FittedLinear {
    cells: Vec<Option<Cell>>,
}

impl Recipe for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn least_days(&self) -> usize {
        LEAST_DAYS
    }

    fn fit(&self, grid: &Grid<'_>, known: usize) -> Option<Box<dyn Member>> {
        let days = known / grid.per_day;
        if days < LEAST_DAYS {
            return None;
        }
        let mut rows: Vec<Vec<([f64; LINEAR_FEATURES], f64, f64)>> = vec![Vec::new(); 2 * HOURS];
        for at in grid.daily_origins(known, self.days.min(days - 21)) {
            let Some(origin) = Origin::of(grid, at) else { continue };
            for index in at..(at + 2 * grid.per_day).min(known) {
                if let Some(truth) = grid.value(index, known) {
                    let row = linear_row(grid, &origin, index);
                    rows[cell(grid, at, index)].push((row, origin.standard.relative(truth), origin.standard.spread));
                }
            }
        }
        let cells: Vec<Option<Cell>> = rows.iter().map(|rows| fit_cell(rows)).collect();
        cells.iter().any(Option::is_some).then(|| Box::new(FittedLinear { cells }) as Box<dyn Member>)
    }

    fn restore(&self, saved: Value) -> Option<Box<dyn Member>> {
        let cells: Vec<Option<Cell>> = serde_json::from_value(saved).ok()?;
        (cells.len() == 2 * HOURS).then(|| Box::new(FittedLinear { cells }) as Box<dyn Member>)
    }
}

/// Which model an interval belongs to.
fn cell(grid: &Grid<'_>, known: usize, index: usize) -> usize {
    let hour = usize::try_from(grid.calendar.moment(index).of_day_s / 3600).unwrap_or(0).min(HOURS - 1);
    hour + HOURS * usize::from(index.saturating_sub(known) >= grid.per_day)
}

fn fit_cell(rows: &[([f64; LINEAR_FEATURES], f64, f64)]) -> Option<Cell> {
    if rows.len() < LINEAR_FEATURES {
        return None;
    }
    let mean_spread = rows.iter().map(|(_, _, spread)| spread).sum::<f64>() / rows.len() as f64;
    // The pull towards 0 as rows of their own: the penalty λ on weight k is the row √λ·eₖ with target 0.
    let pulls = LINEAR_FEATURES - 1;
    let mut features = Array2::<f64>::zeros((rows.len() + pulls, LINEAR_FEATURES));
    let mut targets = Array1::<f64>::zeros(rows.len() + pulls);
    for (k, (row, target, spread)) in rows.iter().enumerate() {
        let weight = (spread / mean_spread).sqrt();
        for (column, value) in row.iter().enumerate() {
            features[[k, column]] = value * weight;
        }
        targets[k] = target * weight;
    }
    for pull in 0..pulls {
        features[[rows.len() + pull, pull + 1]] = RIDGE.sqrt();
    }
    let model = LinearRegression::new().with_intercept(false).fit(&Dataset::new(features, targets)).ok()?;
    let mut weights = [0.0; LINEAR_FEATURES];
    for (weight, &fitted) in weights.iter_mut().zip(model.params()) {
        *weight = fitted;
    }
    if weights.iter().any(|weight| !weight.is_finite()) {
        return None;
    }
    let mut residuals: Vec<f64> = rows.iter().map(|(row, target, _)| target - dot(&weights, row)).collect();
    residuals.sort_unstable_by(f64::total_cmp);
    Some(Cell { weights, residuals: LEVELS.map(|level| quantile_sorted(&residuals, level)) })
}

fn dot(weights: &[f64], row: &[f64]) -> f64 {
    weights.iter().zip(row).map(|(weight, value)| weight * value).sum()
}

impl Member for FittedLinear {
    fn predict(&self, grid: &Grid<'_>, known: usize, indices: &[usize]) -> Vec<Option<Belief>> {
        let Some(origin) = Origin::of(grid, known) else { return vec![None; indices.len()] };
        let one = |&index: &usize| {
            let cell = self.cells.get(cell(grid, known, index))?.as_ref()?;
            let guess = dot(&cell.weights, &linear_row(grid, &origin, index));
            Some(Belief::of(cell.residuals.map(|residual| origin.standard.absolute(guess + residual))))
        };
        indices.iter().map(one).collect()
    }

    fn save(&self) -> Option<Value> {
        serde_json::to_value(&self.cells).ok()
    }
}
