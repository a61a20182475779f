//! What is usual at a time: days, times of day, and the values around.

use chrono::{Datelike, NaiveDate, Timelike, Weekday};
use chrono_tz::Tz;

use crate::series::Series;

/// Days before and after a day by which it is judged: long enough for a fortnight of defects to be the smaller part, short
/// enough for the season.
const AROUND_DAYS: usize = 28;

/// Fewest values that tell what is usual.
const LEAST: usize = 6;

/// The calendar of a series: for each interval its day and its time of day, by the site's clock.
#[derive(Debug)]
pub(super) struct Usual {
    /// Index of the day of each interval, from 0.
    day: Vec<usize>,
    /// The interval of the day, from 0.
    time: Vec<usize>,
    /// The first interval of each day, and the end of the last.
    first: Vec<usize>,
    /// Whether a day is a Saturday or Sunday.
    weekend: Vec<bool>,
}

impl Usual {
    pub(super) fn of(series: &Series, zone: Tz) -> Self {
        let step_s = u32::try_from(series.step.num_seconds()).unwrap_or(u32::MAX).max(1);
        let mut usual = Usual { day: Vec::new(), time: Vec::new(), first: Vec::new(), weekend: Vec::new() };
        let mut date: Option<NaiveDate> = None;
        for k in 0..series.values.len() {
            let local = series.start_of(k).with_timezone(&zone).naive_local();
            if date != Some(local.date()) {
                date = Some(local.date());
                usual.first.push(k);
                usual.weekend.push(matches!(local.weekday(), Weekday::Sat | Weekday::Sun));
            }
            usual.day.push(usual.first.len() - 1);
            usual.time.push((local.num_seconds_from_midnight() / step_s) as usize);
        }
        usual.first.push(series.values.len());
        usual
    }

    /// How many days there are, those at the ends in part.
    pub(super) fn days(&self) -> usize {
        self.first.len() - 1
    }

    /// The intervals of a day.
    pub(super) fn intervals(&self, day: usize) -> std::ops::Range<usize> {
        self.first[day]..self.first[day + 1]
    }

    /// The day of an interval.
    pub(super) fn day(&self, interval: usize) -> usize {
        self.day[interval]
    }

    /// The interval of the day of an interval.
    pub(super) fn time(&self, interval: usize) -> usize {
        self.time[interval]
    }

    /// The days by which a day is judged, the day itself among them.
    pub(super) fn around(&self, day: usize) -> std::ops::Range<usize> {
        day.saturating_sub(AROUND_DAYS)..(day + AROUND_DAYS + 1).min(self.days())
    }

    /// The median at the time of day of an interval, on the days around it that are of its kind (weekend or not).
    pub(super) fn value(&self, values: &[Option<f64>], interval: usize) -> Option<f64> {
        let (own, time) = (self.day[interval], self.time[interval]);
        let at = |day: usize| {
            let intervals = self.intervals(day);
            let guess = (intervals.start + time.saturating_sub(self.time[intervals.start])).min(intervals.end - 1);
            // On days on which the clock changes, the same time is some intervals away.
            let off = self.time[guess].abs_diff(time);
            let found = [guess, guess.saturating_sub(off), guess + off].into_iter();
            let found = found.filter(|k| intervals.contains(k)).find(|&k| self.time[k] == time)?;
            values[found]
        };
        let alike = |&day: &usize| day != own && self.weekend[day] == self.weekend[own];
        let mut known: Vec<f64> = self.around(own).filter(alike).filter_map(at).collect();
        (known.len() >= LEAST).then(|| median(&mut known))
    }
}

/// The median of numbers, which are put in order; 0 of none.
pub(super) fn median(numbers: &mut [f64]) -> f64 {
    numbers.sort_by(f64::total_cmp);
    quantile(numbers, 0.5)
}

/// A quantile of numbers in order; 0 of none.
pub(super) fn quantile(sorted: &[f64], level: f64) -> f64 {
    if sorted.is_empty() {
        return 0.0;
    }
    let at = level * (sorted.len() - 1) as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index between 0 and the length")]
    let below = at.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (at - below as f64) * (sorted[above] - sorted[below])
}

/// The largest value of each day in size, 0 where none is known.
pub(super) fn daily_peaks(usual: &Usual, values: &[Option<f64>]) -> Vec<f64> {
    let peak = |day| values[usual.intervals(day)].iter().flatten().fold(0.0, |peak: f64, value| peak.max(value.abs()));
    (0..usual.days()).map(peak).collect()
}

/// The peak of an ordinary day: the median of the days that have one.
pub(super) fn usual_peak(usual: &Usual, values: &[Option<f64>]) -> f64 {
    let mut peaks = daily_peaks(usual, values);
    peaks.retain(|peak| *peak > 0.0);
    median(&mut peaks)
}
