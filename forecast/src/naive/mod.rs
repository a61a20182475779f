//! The obvious guesses that every other method has to beat: the same time on the last known day, a week ago, and the mean
//! of similar days, each dressed with the quantiles of its own errors in the past.

pub(crate) mod dressed;

use crate::grid::{Grid, mean};
use crate::method::Method;
use crate::series::single::Single;

/// The same time on the last day whose value was known.
pub fn last_day() -> Box<dyn Method> {
    Box::new(Single(Box::new(recipe("yesterday", yesterday))))
}

/// The same time a week earlier, or as many weeks as it takes: the seasonal naive forecast.
pub fn last_week() -> Box<dyn Method> {
    Box::new(Single(Box::new(recipe("last week", week))))
}

/// The mean of the last four days of the same class, holidays counting as Sundays.
pub fn similar_days() -> Box<dyn Method> {
    Box::new(Single(Box::new(recipe("similar days", similar))))
}

/// The mean of the last seven days at the same time.
pub fn mean_day() -> Box<dyn Method> {
    Box::new(Single(Box::new(recipe("mean day", seven))))
}

/// A guess dressed with its own errors.
pub(crate) fn recipe(name: &'static str, rule: Rule) -> dressed::Dressed {
    dressed::Dressed { name, rule }
}

/// A guess for an interval, as of when `known` intervals were known.
pub(crate) type Rule = fn(&Grid<'_>, usize, usize) -> Option<f64>;

/// How many days a guess looks back for a value where the nearest is a gap.
const LOOK_BACK_DAYS: usize = 28;

pub(crate) fn yesterday(grid: &Grid<'_>, index: usize, known: usize) -> Option<f64> {
    let nearest = grid.nearest_day(index, known);
    (nearest..nearest + LOOK_BACK_DAYS).find_map(|days| grid.lag(index, days, known))
}

pub(crate) fn week(grid: &Grid<'_>, index: usize, known: usize) -> Option<f64> {
    let nearest = grid.nearest_day(index, known).div_ceil(7);
    (nearest..nearest + LOOK_BACK_DAYS / 7).find_map(|weeks| grid.lag(index, 7 * weeks, known))
}

pub(crate) fn similar(grid: &Grid<'_>, index: usize, known: usize) -> Option<f64> {
    // Four weeks and one more, for a holiday among them.
    mean(&grid.same_class(index, 4, 35, known)).or_else(|| yesterday(grid, index, known))
}

pub(crate) fn seven(grid: &Grid<'_>, index: usize, known: usize) -> Option<f64> {
    let nearest = grid.nearest_day(index, known);
    let values: Vec<f64> = (nearest..nearest + 7).filter_map(|days| grid.lag(index, days, known)).collect();
    mean(&values).or_else(|| yesterday(grid, index, known))
}
