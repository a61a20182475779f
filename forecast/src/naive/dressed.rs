//! A point forecast dressed with its own past errors.

use kwartier_data::forecast::{Belief, LEVELS};
use serde_json::Value;

use super::Rule;
use crate::grid::{Grid, quantile_sorted};
use crate::series::{Member, Recipe};

/// How many days of errors a guess is dressed with: a year holds all seasons.
const ERROR_DAYS: usize = 365;

/// Parts of the day whose errors are kept apart: hours.
const PARTS: usize = 24;

pub(crate) struct Dressed {
    pub(super) name: &'static str,
    pub(super) rule: Rule,
}

/// Quantiles of the errors by day ahead and hour.
struct FittedDressed {
    rule: Rule,
    /// `errors[lead_day][hour]`; the hour's own where there are enough, else those of all hours.
    errors: Errors,
}

type Errors = [[[f64; LEVELS.len()]; PARTS]; 2];

/// The least number of errors that an hour's quantiles are taken from; below, those of the whole day are.
const ENOUGH: usize = 40;

impl Recipe for Dressed {
    fn name(&self) -> &'static str {
        self.name
    }

    fn least_days(&self) -> usize {
        2
    }

    fn fit(&self, grid: &Grid<'_>, known: usize) -> Option<Box<dyn Member>> {
        let mut errors: [Vec<Vec<f64>>; 2] = [vec![Vec::new(); PARTS], vec![Vec::new(); PARTS]];
        for origin in grid.daily_origins(known, ERROR_DAYS) {
            for index in origin..(origin + 2 * grid.per_day).min(known) {
                if let (Some(guess), Some(truth)) = ((self.rule)(grid, index, origin), grid.truth(index)) {
                    let lead_day = usize::from(index - origin >= grid.per_day);
                    errors[lead_day][hour(grid, index)].push(truth - guess);
                }
            }
        }
        if errors[0].iter().all(Vec::is_empty) {
            return None;
        }
        let fitted = errors.map(|of_day| {
            let mut all: Vec<f64> = of_day.iter().flatten().copied().collect();
            all.sort_unstable_by(f64::total_cmp);
            let mut hours = [[0.0; LEVELS.len()]; PARTS];
            for (quantiles, mut own) in hours.iter_mut().zip(of_day) {
                own.sort_unstable_by(f64::total_cmp);
                let from = if own.len() >= ENOUGH { &own } else { &all };
                *quantiles = LEVELS.map(|level| quantile_sorted(from, level));
            }
            hours
        });
        Some(Box::new(FittedDressed { rule: self.rule, errors: fitted }))
    }

    fn restore(&self, saved: Value) -> Option<Box<dyn Member>> {
        let errors: Errors = serde_json::from_value(saved).ok()?;
        Some(Box::new(FittedDressed { rule: self.rule, errors }))
    }
}

fn hour(grid: &Grid<'_>, index: usize) -> usize {
    usize::try_from(grid.calendar.moment(index).of_day_s / 3600).unwrap_or(0).min(PARTS - 1)
}

impl Member for FittedDressed {
    fn predict(&self, grid: &Grid<'_>, known: usize, indices: &[usize]) -> Vec<Option<Belief>> {
        let one = |&index: &usize| {
            let guess = (self.rule)(grid, index, known)?;
            let lead_day = usize::from(index.saturating_sub(known) >= grid.per_day);
            Some(Belief::of(self.errors[lead_day][hour(grid, index)].map(|error| guess + error)))
        };
        indices.iter().map(one).collect()
    }

    fn save(&self) -> Option<Value> {
        serde_json::to_value(self.errors).ok()
    }
}
