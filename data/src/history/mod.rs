//! What was measured, and what of it was known when.
//!
//! A forecaster never sees a [`History`], only a [`Past`]: the history as it was known at an instant. A `Past` can be
//! turned back further, never forward, so a forecast made from it cannot know the future, in operation or in a backtest.

pub mod auction;
mod weather;
mod weather_file;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::series::Series;
pub use weather::{Sky, Weather, WeatherRow};
pub(crate) use weather_file::{IRRADIANCE_WM2, TEMP_C, WIND_MS};
pub use weather_file::{WeatherFile, read_weather};

/// Where something is, in degrees; north and east are positive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Position {
    /// Latitude, −90 to 90.
    pub latitude_deg: f64,
    /// Longitude, −180 to 180.
    pub longitude_deg: f64,
}

/// When the values of a series became known.
#[derive(Debug, Clone, PartialEq)]
pub enum Published {
    /// Each so long after its interval ended; zero for a meter that is read at once.
    AfterEnd(TimeDelta),
    /// One instant for each value; they never go back in time.
    At(Vec<DateTime<Utc>>),
}

/// A measured series with all that is known besides: everything, past and future.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    series: Series,
    published: Published,
    weather: Weather,
    zone: Tz,
    /// Days that are no working days, sorted.
    holidays: Vec<NaiveDate>,
}

impl History {
    /// A history of values that are known as soon as their interval has ended, without weather.
    pub fn new(series: Series, zone: Tz) -> Self {
        History {
            series,
            published: Published::AfterEnd(TimeDelta::zero()),
            weather: Weather::default(),
            zone,
            holidays: Vec::new(),
        }
    }

    /// The history with weather, measured or forecast.
    #[must_use]
    pub fn with_weather(mut self, weather: Weather) -> Self {
        self.weather = weather;
        self
    }

    /// The history with days that are no working days; they are known at any time.
    #[must_use]
    pub fn with_holidays(mut self, mut days: Vec<NaiveDate>) -> Self {
        days.sort_unstable();
        self.holidays = days;
        self
    }

    /// The history with other times of publication. Those that are missing or go back in time count as the latest
    /// before them.
    #[must_use]
    pub fn with_published(mut self, published: Published) -> Self {
        self.published = match published {
            Published::At(mut known) => {
                let last = known.last().copied().unwrap_or(DateTime::<Utc>::MAX_UTC);
                known.resize(self.series.values.len(), last);
                let mut latest = DateTime::<Utc>::MIN_UTC;
                for at in &mut known {
                    latest = latest.max(*at);
                    *at = latest;
                }
                Published::At(known)
            }
            after @ Published::AfterEnd(_) => after,
        };
        self
    }

    /// The history with other values on the same intervals, from the first on; those beyond stay as they are.
    #[must_use]
    pub fn with_values(mut self, values: &[Option<f64>]) -> Self {
        for (old, new) in self.series.values.iter_mut().zip(values) {
            *old = *new;
        }
        self
    }

    /// The whole series: what a forecast is compared with afterwards.
    pub fn truth(&self) -> &Series {
        &self.series
    }

    /// The history as it was known at an instant.
    pub fn as_of(&self, at: DateTime<Utc>) -> Past<'_> {
        Past { history: self, at }
    }
}

/// A history as it was known at an instant.
#[derive(Debug, Clone, Copy)]
pub struct Past<'h> {
    history: &'h History,
    at: DateTime<Utc>,
}

impl<'h> Past<'h> {
    /// The instant: nothing that became known later is in here.
    pub fn at(&self) -> DateTime<Utc> {
        self.at
    }

    /// The same history as it was known earlier; at a later instant it stays as it is.
    #[must_use]
    pub fn as_of(&self, earlier: DateTime<Utc>) -> Past<'h> {
        Past { history: self.history, at: self.at.min(earlier) }
    }

    /// The zone of the site's wall clocks.
    pub fn zone(&self) -> Tz {
        self.history.zone
    }

    /// Whether a local day is no working day.
    pub fn is_holiday(&self, day: NaiveDate) -> bool {
        self.history.holidays.binary_search(&day).is_ok()
    }

    /// Beginning of the first interval of the grid.
    pub fn start(&self) -> DateTime<Utc> {
        self.history.series.start
    }

    /// Length of an interval of the grid.
    pub fn step(&self) -> TimeDelta {
        self.history.series.step
    }

    /// The values that were known, from [`Past::start`] on, one for each interval; `None` where nothing was measured.
    pub fn values(&self) -> &'h [Option<f64>] {
        let series = &self.history.series;
        let known = match &self.history.published {
            Published::AfterEnd(delay) => {
                let step_s = series.step.num_seconds().max(1);
                let passed_s = (self.at - *delay - series.start).num_seconds().max(0);
                usize::try_from(passed_s / step_s).unwrap_or(usize::MAX).min(series.values.len())
            }
            Published::At(known) => known.partition_point(|known_at| *known_at <= self.at),
        };
        &series.values[..known]
    }

    /// The weather of the hour that an instant lies in, by the latest forecast or measurement that was known.
    pub fn weather(&self, at: DateTime<Utc>) -> Option<Sky> {
        self.history.weather.known(at, self.at)
    }

    /// Length of the weather's intervals.
    pub fn weather_step(&self) -> TimeDelta {
        self.history.weather.step()
    }

    /// Whether there is any weather at all.
    pub fn has_weather(&self) -> bool {
        !self.history.weather.is_empty()
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    fn hour(n: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::hours(n)
    }

    fn history() -> History {
        let values = (0..10).map(|n| Some(f64::from(n))).collect();
        let series = Series { start: hour(0), step: TimeDelta::hours(1), values };
        History::new(series, chrono_tz::UTC)
    }

    #[test]
    fn an_interval_is_known_when_it_has_ended() {
        let history = history();
        assert_eq!(history.as_of(hour(0)).values().len(), 0);
        assert_eq!(history.as_of(hour(3)).values().len(), 3);
        assert_eq!(history.as_of(hour(3) - TimeDelta::seconds(1)).values().len(), 2);
        assert_eq!(history.as_of(hour(-5)).values().len(), 0);
        assert_eq!(history.as_of(hour(50)).values().len(), 10);
        let late = history.clone().with_published(Published::AfterEnd(TimeDelta::hours(2)));
        assert_eq!(late.as_of(hour(3)).values().len(), 1);
    }

    #[test]
    fn published_values_are_known_when_published() {
        let known = (0..10).map(|n| if n < 5 { hour(-8) } else { hour(2) }).collect();
        let history = history().with_published(Published::At(known));
        assert_eq!(history.as_of(hour(0)).values().len(), 5);
        assert_eq!(history.as_of(hour(2)).values().len(), 10);
    }

    #[test]
    fn a_past_goes_back_and_never_forward() {
        let history = history();
        let past = history.as_of(hour(5));
        assert_eq!(past.as_of(hour(2)).values().len(), 2);
        assert_eq!(past.as_of(hour(9)).at(), hour(5));
    }

    #[test]
    fn the_latest_weather_that_was_known() {
        let sky = |temp_c: f64| Sky { temp_c: Some(temp_c), ..Sky::default() };
        let rows = vec![
            WeatherRow { start: hour(6), known_at: hour(0), sky: sky(1.0) },
            WeatherRow { start: hour(6), known_at: hour(3), sky: sky(2.0) },
            WeatherRow { start: hour(7), known_at: hour(3), sky: sky(3.0) },
        ];
        let history = history().with_weather(Weather::new(rows, TimeDelta::hours(1)));
        let half_past = hour(6) + TimeDelta::minutes(30);
        assert_eq!(history.as_of(hour(-1)).weather(half_past), None);
        assert_eq!(history.as_of(hour(2)).weather(half_past).unwrap().temp_c, Some(1.0));
        assert_eq!(history.as_of(hour(3)).weather(half_past).unwrap().temp_c, Some(2.0));
        assert_eq!(history.as_of(hour(2)).weather(hour(7)), None);
        assert_eq!(history.as_of(hour(9)).weather(hour(8)), None);
    }
}
