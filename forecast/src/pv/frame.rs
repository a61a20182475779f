//! A stretch of a history in the plant's own measure: how much of its clear-sky output it gave, interval by interval.

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::history::Past;

use super::light::{Light, clear_wm2};
use super::plant::Conditions;
use super::site::Site;
use super::sun::{Sun, SunPath};

/// Below this share of the rated output under a clear sky, a quotient by it means nothing: the sun is at the horizon.
const DIM: f64 = 0.01;

/// Intervals of a grid, from `first` on: what was measured, what a clear sky would give, which of
/// it came.
pub(super) struct Frame {
    /// Index of the first interval on the grid of the past.
    pub first: usize,
    /// Intervals of 24 hours.
    pub per_day: usize,
    /// Intervals of an hour, at least 1.
    pub per_hour: usize,
    /// Output under a clear sky, in the unit of the series; 0 in the dark.
    pub clear: Vec<f64>,
    /// Whether the sun is down all the time.
    pub dark: Vec<bool>,
    /// Measured output over that under a clear sky, where both mean something.
    pub index: Vec<Option<f64>>,
    path: SunPath,
    /// `sums[i]`: measured and clear-sky output of the intervals before `i` in which both are known and light.
    sums: Vec<(f64, f64)>,
    start: DateTime<Utc>,
    step: TimeDelta,
    zone: chrono_tz::Tz,
}

impl Frame {
    /// The intervals `first..last` of the grid of a past, `last` beyond what is known where that is asked for.
    pub(super) fn of(past: &Past<'_>, site: &Site, first: usize, last: usize) -> Self {
        let step = past.step();
        let (grid_start, zone) = (past.start(), past.zone());
        let start_of = |i: usize| grid_start + step * i32::try_from(i).unwrap_or(i32::MAX);
        let starts = (first..last).map(|i| site.located.stamps.meant(start_of(i), zone));
        let path = SunPath::over(starts, step, site.located.position);
        let values = past.values();
        let step_s = step.num_seconds().max(1);
        let mut frame = Frame {
            first,
            per_day: usize::try_from((86_400 / step_s).max(1)).unwrap_or(1),
            per_hour: usize::try_from((3600 / step_s).max(1)).unwrap_or(1),
            clear: Vec::with_capacity(last - first),
            dark: Vec::with_capacity(last - first),
            index: Vec::with_capacity(last - first),
            path,
            sums: Vec::with_capacity(last - first + 1),
            start: start_of(first),
            step,
            zone,
        };
        let (mut measured, mut possible) = (0.0, 0.0);
        frame.sums.push((measured, possible));
        for at in 0..last - first {
            let clear = site.clear(frame.path.within(at));
            let dark = frame.path.is_dark(at);
            let value = values.get(first + at).copied().flatten().map(|value| value.max(0.0));
            let index = value.filter(|_| !dark && clear > DIM * site.rated()).map(|value| value / clear);
            if let (Some(value), Some(_)) = (value, index) {
                measured += value;
                possible += clear;
            }
            frame.clear.push(if dark { 0.0 } else { clear });
            frame.dark.push(dark);
            frame.index.push(index);
            frame.sums.push((measured, possible));
        }
        frame
    }

    pub(super) fn len(&self) -> usize {
        self.clear.len()
    }

    /// Beginning of an interval of the frame.
    pub(super) fn start_of(&self, at: usize) -> DateTime<Utc> {
        self.start + self.step * i32::try_from(at).unwrap_or(i32::MAX)
    }

    /// The sun over the frame.
    pub(super) fn path(&self) -> &SunPath {
        &self.path
    }

    /// The index, as known when `known` intervals of the frame were.
    pub(super) fn index(&self, at: Option<usize>, known: usize) -> Option<f64> {
        at.filter(|at| *at < known).and_then(|at| self.index.get(at).copied().flatten())
    }

    /// Energy over that of a clear sky in `from..to`, as far as known; `None` where the sun hardly shone.
    pub(super) fn ratio(&self, from: usize, to: usize, known: usize) -> Option<f64> {
        let to = to.min(known).min(self.len());
        let (begin, end) = (self.sums.get(from.min(to))?, self.sums.get(to)?);
        let possible = end.1 - begin.1;
        (possible > 0.0).then(|| (end.0 - begin.0) / possible)
    }

    /// The same over the hour around the same time `days` earlier.
    pub(super) fn ratio_back(&self, at: usize, days: usize, known: usize) -> Option<f64> {
        let there = at.checked_sub(days * self.per_day)?;
        self.ratio(there.saturating_sub(self.per_hour), there + self.per_hour + 1, known)
    }

    /// The least number of days after which the same time was known.
    pub(super) fn nearest_day(&self, at: usize, known: usize) -> usize {
        if at < known { 1 } else { (at - known) / self.per_day + 1 }
    }

    /// What the weather that a past knows promises for an interval, before anything is learnt from its errors, over the
    /// output under a clear sky; `None` in the dark or without weather.
    pub(super) fn promised(&self, site: &Site, past: &Past<'_>, at: usize) -> Option<f64> {
        let clear = *self.clear.get(at)?;
        if clear <= 0.0 {
            return None;
        }
        Some(site.output(&self.conditions(past, site, at)?) / clear)
    }

    /// Sun, light and air over an interval by the weather that a past knows.
    pub(super) fn conditions(&self, past: &Past<'_>, site: &Site, at: usize) -> Option<Conditions> {
        let stamp = site.located.stamps.meant(self.start_of(at), self.zone);
        let suns = self.path.within(at);
        let part = self.step / i32::try_from(suns.len().max(1)).unwrap_or(1);
        let weather_step = past.weather_step();
        let mut parts = Vec::with_capacity(suns.len());
        let (mut temp_c, mut wind_ms) = (None, None);
        for (k, sun) in suns.iter().enumerate() {
            let when = stamp + part * i32::try_from(k).unwrap_or(0);
            let sky = past.weather(when)?;
            temp_c = temp_c.or(sky.temp_c);
            wind_ms = wind_ms.or(sky.wind_ms);
            let share = if weather_step > part { share(when, sun, weather_step, site) } else { 1.0 };
            parts.push((*sun, Light::of_sky(&sky, sun, share)?));
        }
        Some(Conditions { parts, temp_c, wind_ms })
    }
}

/// Clear-sky irradiance now over its mean in the weather's interval, which begins at a whole multiple of its length.
fn share(when: DateTime<Utc>, sun: &Sun, weather_step: TimeDelta, site: &Site) -> f64 {
    let whole_s = weather_step.num_seconds().max(1);
    let begin = when - TimeDelta::seconds(when.timestamp().rem_euclid(whole_s));
    let mean = site.mean_clear_wm2(begin, weather_step);
    // A sun that is hardly up at the ends of an hour is not to be multiplied by more than this.
    if mean > 1.0 { (clear_wm2(sun) / mean).min(3.0) } else { 1.0 }
}
