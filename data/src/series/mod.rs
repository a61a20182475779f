//! Time series from the outside: prices, the building's draw, PV power.
//!
//! A [`Series`] has a regular step and explicit gaps. [`read_history`] takes one column of a CSV or Parquet file,
//! [`read_building`] and [`read_pv`] what those files hold besides. Stamps are the beginnings of intervals; the last
//! interval is as long as the step. The formats are described in `docs/formats/inputs.md`.

mod building;
mod columns;
pub(crate) mod filter;
pub(crate) mod layout;
mod pv;
mod read;
mod resample;
pub(crate) mod stamps;
mod unit;

use chrono::{DateTime, TimeDelta, Utc};

pub use building::{BoardDraw, Building, read_building};
pub use pv::{PlantPower, read_pv};
pub use read::{HistoryFile, Reading, read, read_history};
pub use unit::{Quantity, Unit};

/// Most values of a series: more than a century of hours, or 28 years of quarter-hours.
pub const MAX_VALUES: usize = 1_000_000;

/// Values over time: `values[i]` holds from `start + i · step` for one `step`.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Beginning of the first interval.
    pub start: DateTime<Utc>,
    /// Length of an interval, above 0.
    pub step: TimeDelta,
    /// One value for each interval; `None` where nothing is known.
    pub values: Vec<Option<f64>>,
}

/// The first instant of a slot for which a series knows nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing {
    /// Beginning of the slot.
    pub slot: DateTime<Utc>,
}

impl Series {
    /// Beginning of an interval.
    pub fn start_of(&self, interval: usize) -> DateTime<Utc> {
        let seconds = self.step.num_seconds().saturating_mul(i64::try_from(interval).unwrap_or(i64::MAX));
        self.start + TimeDelta::seconds(seconds)
    }

    /// End of the last interval.
    pub fn end(&self) -> DateTime<Utc> {
        self.start_of(self.values.len())
    }

    /// The mean of each of `slots` slots from `from` on, weighted by time: what a price costs on average, and a power
    /// that conserves energy.
    ///
    /// # Errors
    ///
    /// [`Missing`] names the first slot of which a part is unknown.
    pub fn means(&self, from: DateTime<Utc>, slot: TimeDelta, slots: usize) -> Result<Vec<f64>, Missing> {
        let mut at = from;
        let mut means = Vec::with_capacity(slots);
        for _ in 0..slots {
            means.push(self.mean(at, at + slot).ok_or(Missing { slot: at })?);
            at += slot;
        }
        Ok(means)
    }

    /// The mean from one instant to a later one, weighted by time; `None` where a part is unknown.
    pub fn mean(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Option<f64> {
        let step_s = self.step.num_seconds();
        let (from_s, to_s) = ((from - self.start).num_seconds(), (to - self.start).num_seconds());
        if from_s < 0 || to_s <= from_s || step_s <= 0 {
            return None;
        }
        let (first, last) = (from_s / step_s, (to_s - 1) / step_s);
        if first == last {
            return self.value(first);
        }
        let mut sum = 0.0;
        for interval in first..=last {
            let inside_s = to_s.min((interval + 1) * step_s) - from_s.max(interval * step_s);
            sum += self.value(interval)? * inside_s as f64;
        }
        Some(sum / (to_s - from_s) as f64)
    }

    fn value(&self, interval: i64) -> Option<f64> {
        self.values.get(usize::try_from(interval).ok()?).copied().flatten()
    }

    /// The series with every value multiplied.
    #[must_use]
    pub fn times(mut self, factor: f64) -> Self {
        self.values.iter_mut().flatten().for_each(|value| *value *= factor);
        self
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use proptest::prelude::*;

    fn hours(values: &[Option<f64>]) -> Series {
        Series { start: DateTime::UNIX_EPOCH, step: TimeDelta::hours(1), values: values.to_vec() }
    }

    #[test]
    fn hours_hold_for_their_quarters_and_quarters_average_to_hours() {
        let series = hours(&[Some(1.0), Some(3.0)]);
        let quarter = TimeDelta::minutes(15);
        let means = series.means(series.start, quarter, 8).unwrap();
        assert_eq!(means, [1.0, 1.0, 1.0, 1.0, 3.0, 3.0, 3.0, 3.0]);
        // From 00:45 on for half an hour: a quarter of each.
        assert_eq!(series.mean(series.start + quarter * 3, series.start + quarter * 5), Some(2.0));
        assert_eq!(series.mean(series.start, series.end()), Some(2.0));
    }

    #[test]
    fn what_is_unknown_is_named() {
        let series = hours(&[Some(1.0), None, Some(3.0)]);
        let quarter = TimeDelta::minutes(15);
        let missing =
            |from: i64| series.means(series.start + quarter * i32::try_from(from).unwrap(), quarter, 8).unwrap_err();
        assert_eq!(missing(0).slot, series.start + quarter * 4);
        assert_eq!(missing(8).slot, series.end());
        assert_eq!(missing(-1).slot, series.start - quarter);
    }

    proptest! {
        /// Energy over any cut of a span into slots is the energy of the series.
        #[test]
        fn energy_is_conserved(
            values in proptest::collection::vec(-50.0..50.0_f64, 24),
            step in prop::sample::select(vec![5_i64, 10, 15, 30, 60]),
            slot in prop::sample::select(vec![5_i64, 15, 20, 30, 60]),
        ) {
            let series = Series {
                start: DateTime::UNIX_EPOCH,
                step: TimeDelta::minutes(step),
                values: values.iter().copied().map(Some).collect(),
            };
            let slots = usize::try_from(24 * step / slot).unwrap();
            let means = series.means(series.start, TimeDelta::minutes(slot), slots).unwrap();
            let all = series.mean(series.start, series.start + TimeDelta::minutes(slot) * i32::try_from(slots).unwrap());
            prop_assert!((means.iter().sum::<f64>() / slots as f64 - all.unwrap()).abs() < 1e-9);
        }
    }
}
