//! Weather, measured or forecast: for each interval one or several vintages.

use chrono::{DateTime, TimeDelta, Utc};

/// The weather of an interval; `None` where a quantity is not given.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sky {
    /// Global horizontal irradiance, mean of the interval, in W/m².
    pub ghi_wm2: Option<f64>,
    /// Direct normal irradiance, mean of the interval, in W/m².
    pub dni_wm2: Option<f64>,
    /// Diffuse horizontal irradiance, mean of the interval, in W/m².
    pub dhi_wm2: Option<f64>,
    /// Air temperature at 2 m in °C.
    pub temp_c: Option<f64>,
    /// Wind speed at 10 m in m/s.
    pub wind_ms: Option<f64>,
}

/// The weather of an interval as it was known from an instant on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeatherRow {
    /// Beginning of the interval.
    pub start: DateTime<Utc>,
    /// When this became known: the run of a forecast was published, or a measurement was made.
    pub known_at: DateTime<Utc>,
    /// The weather.
    pub sky: Sky,
}

/// All vintages of the weather at a place.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Weather {
    /// By start, then by time of knowledge.
    rows: Vec<WeatherRow>,
    step: TimeDelta,
}

impl Weather {
    /// Rows in any order, each for an interval of length `step`.
    pub fn new(mut rows: Vec<WeatherRow>, step: TimeDelta) -> Self {
        rows.sort_by_key(|row| (row.start, row.known_at));
        Weather { rows, step }
    }

    /// Length of an interval.
    pub(super) fn step(&self) -> TimeDelta {
        self.step
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The latest vintage, known by `known_by`, of the interval that `at` lies in.
    pub(super) fn known(&self, at: DateTime<Utc>, known_by: DateTime<Utc>) -> Option<Sky> {
        let begun = self.rows.partition_point(|row| row.start <= at);
        let start = self.rows[..begun].last()?.start;
        if at >= start + self.step {
            return None;
        }
        self.rows[..begun]
            .iter()
            .rev()
            .take_while(|row| row.start == start)
            .find(|row| row.known_at <= known_by)
            .map(|row| row.sky)
    }
}
