//! Load and price: members that each predict a series by themselves, mixed by their own recent past and calibrated.

pub(crate) mod boosted;
pub(crate) mod combined;
mod features;
pub(crate) mod linear;
pub(crate) mod single;
mod spread;

use kwartier_data::forecast::Belief;
use serde_json::Value;

use crate::grid::Grid;
use crate::standing::Standing;

/// A fitted way of predicting that works on a [`Grid`], so that many origins share one.
pub(crate) trait Member: Send + Sync {
    /// One belief for each of `indices`, from the first `known` intervals of `grid`; `None` where nothing can be said.
    fn predict(&self, grid: &Grid<'_>, known: usize, indices: &[usize]) -> Vec<Option<Belief>>;

    /// What [`Recipe::restore`] makes the same of again; `None` where it cannot be written.
    fn save(&self) -> Option<Value>;

    /// Learns anew, from the first `known` intervals of `grid`, what is learnt from how good forecasts were.
    fn refresh(&mut self, _grid: &Grid<'_>, _known: usize) {}

    /// How it did against the obvious guesses, where it knows.
    fn standing(&self) -> Option<&Standing> {
        None
    }
}

/// Something to fit a [`Member`] with.
pub(crate) trait Recipe: Send + Sync {
    /// What it is called in tables.
    fn name(&self) -> &'static str;

    /// Days of history that it needs at least.
    fn least_days(&self) -> usize;

    /// Fits on the first `known` intervals; `None` where they are too few.
    fn fit(&self, grid: &Grid<'_>, known: usize) -> Option<Box<dyn Member>>;

    /// What [`Member::save`] wrote; `None` where it is something else.
    fn restore(&self, saved: Value) -> Option<Box<dyn Member>>;
}
