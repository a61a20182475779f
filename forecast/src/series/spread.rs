//! The level and spread that values are relative to.

use crate::grid::Grid;

/// Days whose mean is the level.
const LEVEL_DAYS: usize = 7;

/// Days whose deviation is the spread: long enough to be steady, short enough to follow the seasons.
const SPREAD_DAYS: usize = 28;

/// The level and spread of the time before an origin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Standard {
    /// Mean of the last seven days.
    pub level: f64,
    /// Standard deviation of the last four weeks, above 0.
    pub spread: f64,
    /// Level less the mean of the last four weeks, in spreads.
    pub trend: f64,
}

impl Standard {
    /// `None` without a value in the last four weeks.
    pub(crate) fn of(grid: &Grid<'_>, known: usize) -> Option<Self> {
        let month = known.saturating_sub(SPREAD_DAYS * grid.per_day);
        let mean = grid.mean(month, known, known)?;
        let level = grid.mean(known.saturating_sub(LEVEL_DAYS * grid.per_day), known, known).unwrap_or(mean);
        let (mut sum, mut count) = (0.0, 0.0);
        for value in (month..known).filter_map(|index| grid.value(index, known)) {
            sum += (value - mean).powi(2);
            count += 1.0;
        }
        // A thousandth of the level where nothing ever changes, so that divisions stay sane.
        let spread = (sum / f64::max(count, 1.0)).sqrt().max(1e-3 * mean.abs()).max(1e-9);
        Some(Standard { level, spread, trend: (level - mean) / spread })
    }

    /// A value relative to level and spread.
    pub(crate) fn relative(&self, value: f64) -> f64 {
        (value - self.level) / self.spread
    }

    /// Back from [`Standard::relative`].
    pub(crate) fn absolute(&self, relative: f64) -> f64 {
        self.level + relative * self.spread
    }
}
