//! What a series is predicted from: the clock, the same time on earlier days, the last hours, the weather. All values are
//! relative to the level and spread of the week before the origin, so that a model of them knows no level of its own.

use super::spread::Standard;
use crate::boost::single;
use crate::grid::{Grid, mean};
use crate::naive;

/// Days of the week before the origin.
const WEEK: usize = 7;

/// What is the same for all intervals of a forecast.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin {
    /// How many intervals are known.
    pub known: usize,
    /// What values are relative to.
    pub standard: Standard,
    /// Mean of the last day.
    day: f64,
    /// By how much the last day, four hours and hour differ from what similar days had made of them.
    off_day: f64,
    off_hours: f64,
    off_hour: f64,
}

impl Origin {
    /// `None` where there is no value in the week before.
    pub(super) fn of(grid: &Grid<'_>, known: usize) -> Option<Self> {
        let standard = Standard::of(grid, known)?;
        let per_day = grid.per_day;
        let day = grid.mean(known.saturating_sub(per_day), known, known);
        let off = |intervals: usize, every: usize| {
            let from = known.saturating_sub(intervals);
            let differences: Vec<f64> = (from..known)
                .step_by(every)
                .filter_map(|index| Some(grid.value(index, known)? - naive::similar(grid, index, from.max(1))?))
                .collect();
            mean(&differences).map_or(f64::NAN, |off| off / standard.spread)
        };
        Some(Origin {
            known,
            standard,
            day: day.map_or(f64::NAN, |day| standard.relative(day)),
            off_day: off(per_day, (per_day / 24).max(1)),
            off_hours: off(per_day.div_ceil(6), 1),
            off_hour: off(per_day.div_ceil(24), 1),
        })
    }
}

/// The features of one interval, for trees.
pub(super) const TREE_FEATURES: usize = 31;

/// Puts the features of an interval at the end of `row`: [`TREE_FEATURES`] of them.
pub(super) fn tree_row(grid: &Grid<'_>, origin: &Origin, index: usize, row: &mut Vec<f32>) {
    let Origin { known, standard, .. } = *origin;
    let calendar = &grid.calendar;
    let moment = calendar.moment(index);
    let nearest = grid.nearest_day(index, known);
    let relative = |value: Option<f64>| value.map_or(f64::NAN, |value| standard.relative(value));
    let class_back =
        |days: usize| calendar.back(index, days).map_or(f64::NAN, |there| f64::from(calendar.moment(there).class));
    let week: Vec<f64> = (nearest..nearest + WEEK).filter_map(|days| grid.lag(index, days, known)).collect();
    let weeks = nearest.div_ceil(WEEK) * WEEK;
    let kind = same_kind(grid, index, known);
    let lag = grid.lag(index, nearest, known);
    let season = std::f64::consts::TAU * f64::from(moment.of_year) / 365.25;
    let at = calendar.start_of(index);
    let past = grid.past_when(known);
    let sky = past.weather(at).unwrap_or_default();
    let sky_back = calendar.back(index, nearest).and_then(|there| past.weather(calendar.start_of(there)));
    let or_nan = |value: Option<f64>| value.unwrap_or(f64::NAN);
    let warmer = match (sky.temp_c, sky_back.and_then(|sky| sky.temp_c)) {
        (Some(now), Some(then)) => now - then,
        _ => f64::NAN,
    };
    let lead_h = (index - known) as f64 * grid.step_s as f64 / 3600.0;
    let next_class = f64::from(calendar.moment(index + grid.per_day).class);
    let values = [
        moment.of_day_s as f64 / 3600.0,
        f64::from(moment.class),
        lead_h,
        class_back(nearest),
        next_class,
        relative(lag),
        relative(grid.lag_hour(index, nearest, known)),
        relative(grid.lag(index, nearest + 1, known)),
        relative(grid.lag(index, weeks, known)),
        relative(grid.lag_hour(index, weeks, known)),
        relative(grid.lag(index, weeks + WEEK, known)),
        relative(grid.lag(index, weeks + 2 * WEEK, known)),
        relative(mean(&grid.same_class(index, 4, 35, known))),
        relative(mean(&kind)),
        relative(mean(&week)),
        relative(week.iter().copied().reduce(f64::min)),
        relative(week.iter().copied().reduce(f64::max)),
        deviation(&week) / standard.spread,
        origin.day,
        origin.off_day,
        origin.off_hours,
        origin.off_hour,
        standard.trend,
        standard.spread / (standard.level.abs() + standard.spread),
        season.sin(),
        season.cos(),
        or_nan(sky.temp_c),
        warmer,
        or_nan(sky.ghi_wm2),
        or_nan(sky.wind_ms),
        relative(naive::yesterday(grid, index, known)),
    ];
    debug_assert_eq!(values.len(), TREE_FEATURES);
    row.extend(values.map(single));
}

/// Values at the same time on the last five days of the same kind: working days, or days off.
pub(super) fn same_kind(grid: &Grid<'_>, index: usize, known: usize) -> Vec<f64> {
    const MOST: usize = 5;
    const WITHIN_DAYS: usize = 21;
    let off = |class: u8| class >= 5;
    let kind = off(grid.calendar.moment(index).class);
    let mut found = Vec::with_capacity(MOST);
    for days in 1..=WITHIN_DAYS {
        let Some(there) = grid.calendar.back(index, days) else { break };
        if off(grid.calendar.moment(there).class) == kind
            && let Some(value) = grid.value(there, known)
        {
            found.push(value);
            if found.len() == MOST {
                break;
            }
        }
    }
    found
}

/// Standard deviation of some values; NaN of fewer than two.
fn deviation(values: &[f64]) -> f64 {
    let Some(mean) = mean(values).filter(|_| values.len() > 1) else { return f64::NAN };
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64).sqrt()
}

/// The features of one interval, for a linear model of its hour: missing ones are 0, the level. The first is 1.
pub(super) const LINEAR_FEATURES: usize = 22;

/// The features of an interval for a linear model.
pub(super) fn linear_row(grid: &Grid<'_>, origin: &Origin, index: usize) -> [f64; LINEAR_FEATURES] {
    let Origin { known, standard, .. } = *origin;
    let calendar = &grid.calendar;
    let moment = calendar.moment(index);
    let nearest = grid.nearest_day(index, known);
    let relative = |value: Option<f64>| value.map_or(0.0, |value| standard.relative(value));
    let or_zero = |value: f64| if value.is_finite() { value } else { 0.0 };
    let weeks = nearest.div_ceil(WEEK) * WEEK;
    let week: Vec<f64> = (nearest..nearest + WEEK).filter_map(|days| grid.lag(index, days, known)).collect();
    let one_if = |yes: bool| f64::from(u8::from(yes));
    let class_back = calendar.back(index, nearest).map_or(0, |there| calendar.moment(there).class);
    let sky = grid.past_when(known).weather(calendar.start_of(index)).unwrap_or_default();
    let season = std::f64::consts::TAU * f64::from(moment.of_year) / 365.25;
    let yesterday = relative(grid.lag_hour(index, nearest, known));
    let off = |class: u8| class >= 5;
    [
        1.0,
        relative(grid.lag(index, nearest, known)),
        yesterday,
        relative(grid.lag_hour(index, nearest + 1, known)),
        relative(grid.lag(index, weeks, known)),
        relative(grid.lag_hour(index, weeks, known)),
        relative(grid.lag_hour(index, weeks + WEEK, known)),
        relative(mean(&grid.same_class(index, 4, 35, known))),
        relative(mean(&same_kind(grid, index, known))),
        relative(mean(&week)),
        or_zero(origin.day),
        or_zero(origin.off_day),
        or_zero(origin.off_hours),
        or_zero(origin.off_hour),
        one_if(moment.class == 5),
        one_if(moment.class == 6),
        one_if(moment.class == 0),
        one_if(off(moment.class) != off(class_back)) * yesterday,
        season.sin(),
        season.cos(),
        sky.temp_c.unwrap_or(0.0) / 10.0,
        (sky.ghi_wm2.unwrap_or(0.0) / 200.0) - sky.wind_ms.unwrap_or(0.0) / 5.0,
    ]
}
