//! A past as an array: values, the clock, and what was known at any origin within it.

use chrono::{DateTime, Utc};
use kwartier_data::history::Past;

use crate::calendar::{Calendar, DAY_S};
use crate::method::Horizon;

/// How far beyond what is known the clock reaches, in days: the longest horizon and a day more.
const AHEAD_DAYS: usize = 16;

/// The values that a past knows, with the clock over them and the days ahead.
#[derive(Debug, Clone)]
pub(crate) struct Grid<'h> {
    past: Past<'h>,
    /// The clock, over values and days ahead.
    pub calendar: Calendar,
    values: &'h [Option<f64>],
    /// `sums[i]`, `counts[i]`: of the known values before interval `i`.
    sums: Vec<f64>,
    counts: Vec<u32>,
    /// Length of an interval in seconds.
    pub step_s: i64,
    /// Intervals of a day of 24 hours.
    pub per_day: usize,
}

impl<'h> Grid<'h> {
    pub(crate) fn of(past: &Past<'h>) -> Self {
        let step_s = past.step().num_seconds().max(1);
        let per_day = usize::try_from((DAY_S / step_s).max(1)).unwrap_or(1);
        let values = past.values();
        let behind = usize::try_from(((past.at() - past.start()).num_seconds() / step_s).max(0)).unwrap_or(0);
        let len = values.len().max(behind) + AHEAD_DAYS * per_day;
        let calendar = Calendar::new(past.start(), step_s, len, past.zone(), |day| past.is_holiday(day));
        let mut sums = Vec::with_capacity(values.len() + 1);
        let mut counts = Vec::with_capacity(values.len() + 1);
        let (mut sum, mut count) = (0.0, 0);
        sums.push(sum);
        counts.push(count);
        for value in values {
            sum += value.unwrap_or(0.0);
            count += u32::from(value.is_some());
            sums.push(sum);
            counts.push(count);
        }
        Grid { past: *past, calendar, values, sums, counts, step_s, per_day }
    }

    /// The past as it was when `known` intervals were: with the weather that was promised then, not what became known of it
    /// since.
    pub(crate) fn past_when(&self, known: usize) -> Past<'h> {
        if known < self.values.len() { self.past.as_of(self.calendar.start_of(known)) } else { self.past }
    }

    /// How many intervals the past knows, gaps included.
    pub(crate) fn known(&self) -> usize {
        self.values.len()
    }

    /// How many intervals have a value.
    pub(crate) fn count(&self) -> usize {
        self.counts.last().map_or(0, |&count| count as usize)
    }

    /// The index of the interval that an instant lies in; negative before the grid.
    pub(crate) fn index(&self, at: DateTime<Utc>) -> i64 {
        (at - self.past.start()).num_seconds().div_euclid(self.step_s)
    }

    /// The indices of a horizon; those before the grid and beyond the clock are left out.
    pub(crate) fn indices(&self, horizon: Horizon) -> Vec<Option<usize>> {
        let first = self.index(horizon.start);
        (0..horizon.steps)
            .map(|k| usize::try_from(first + i64::try_from(k).ok()?).ok().filter(|&i| i < self.calendar.len()))
            .collect()
    }

    /// A value, as known when `known` intervals were.
    pub(crate) fn value(&self, index: usize, known: usize) -> Option<f64> {
        if index < known { self.values.get(index).copied().flatten() } else { None }
    }

    /// A value by whatever the past knows.
    pub(crate) fn truth(&self, index: usize) -> Option<f64> {
        self.values.get(index).copied().flatten()
    }

    /// The mean of the values in `from..to` that were known when `known` intervals were, if any.
    pub(crate) fn mean(&self, from: usize, to: usize, known: usize) -> Option<f64> {
        let to = to.min(known).min(self.values.len());
        if from >= to {
            return None;
        }
        let count = self.counts[to] - self.counts[from];
        (count > 0).then(|| (self.sums[to] - self.sums[from]) / f64::from(count))
    }

    /// The value at the same time `days` earlier.
    pub(crate) fn lag(&self, index: usize, days: usize, known: usize) -> Option<f64> {
        self.value(self.calendar.back(index, days)?, known)
    }

    /// The mean over the hour around the same time `days` earlier.
    pub(crate) fn lag_hour(&self, index: usize, days: usize, known: usize) -> Option<f64> {
        let there = self.calendar.back(index, days)?;
        let half = (self.per_day / 48).max(usize::from(self.per_day > 24));
        self.mean(there.saturating_sub(half), there + half + 1, known)
    }

    /// The least number of days after which the same time was known.
    pub(crate) fn nearest_day(&self, index: usize, known: usize) -> usize {
        (1..=AHEAD_DAYS + 1)
            .find(|&days| self.calendar.back(index, days).is_none_or(|there| there < known))
            .unwrap_or(AHEAD_DAYS + 1)
    }

    /// Days back to the same time of the last `most` days of the same class within `within` days, nearest first; only
    /// those whose value was known.
    pub(crate) fn same_class(&self, index: usize, most: usize, within: usize, known: usize) -> Vec<f64> {
        let class = self.calendar.moment(index).class;
        let mut found = Vec::with_capacity(most);
        for days in 1..=within {
            let Some(there) = self.calendar.back(index, days) else { break };
            if self.calendar.moment(there).class == class
                && let Some(value) = self.value(there, known)
            {
                found.push(value);
                if found.len() == most {
                    break;
                }
            }
        }
        found
    }

    /// Instants at the same time of day as `origin`, a day apart, from the latest before it back; as numbers of known
    /// intervals.
    pub(crate) fn daily_origins(&self, origin: usize, days: usize) -> Vec<usize> {
        (1..=days).map_while(|back| self.calendar.back(origin, back)).collect()
    }
}

/// The mean of some values; `None` of none.
pub(crate) fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The quantile of sorted values at a level, linear between the order statistics at `(n + 1) · level`, the outermost
/// beyond them: with few values the outer quantiles are the extremes, as no more can be said (Hyndman and Fan 1996, type
/// 6). Zero of none.
pub(crate) fn quantile_sorted(sorted: &[f64], level: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let at = (level * (sorted.len() as f64 + 1.0) - 1.0).clamp(0.0, last as f64);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the last index")]
    let below = at.floor() as usize;
    let above = (below + 1).min(last);
    sorted[below] + (at - at.floor()) * (sorted[above] - sorted[below])
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use kwartier_data::history::{History, Sky, Weather, WeatherRow};
    use kwartier_data::series::Series;

    use super::*;

    #[test]
    fn an_origin_within_a_past_sees_the_weather_that_was_promised_then() {
        let hour = |n: i64| DateTime::UNIX_EPOCH + TimeDelta::hours(n);
        let row = |known_at, temp_c: f64| WeatherRow {
            start: hour(12),
            known_at,
            sky: Sky { temp_c: Some(temp_c), ..Sky::default() },
        };
        let weather =
            Weather::new(vec![row(hour(3), 20.0), row(hour(9), 15.0), row(hour(13), 14.0)], TimeDelta::hours(1));
        let series = Series { start: hour(0), step: TimeDelta::hours(1), values: vec![Some(1.0); 20] };
        let history = History::new(series, chrono_tz::UTC).with_weather(weather);
        let grid = Grid::of(&history.as_of(hour(20)));
        let temp_c = |known| grid.past_when(known).weather(hour(12)).and_then(|sky| sky.temp_c);
        assert_eq!([2, 4, 10, 14, 20].map(temp_c), [None, Some(20.0), Some(15.0), Some(14.0), Some(14.0)]);
    }
}
