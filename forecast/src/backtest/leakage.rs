//! The test of every method: nonsense in the future changes no forecast.

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::history::History;
use kwartier_data::series::Series;

use crate::method::{Horizon, Method};

/// A kind of nonsense: its name, and its value at an index.
type Nonsense = (&'static str, fn(usize) -> Option<f64>);

/// What the future is replaced by.
const NONSENSE: [Nonsense; 4] = [
    ("gaps", |_| None),
    ("huge values", |_| Some(1e6)),
    ("negative values", |k| Some(-3.7e4 - k as f64)),
    // Multiples of a large prime, folded: without any rhythm.
    ("noise", |k| Some((k * 7919 % 1013) as f64)),
];

/// Fits and forecasts at an origin, with the future as it was and with each kind of nonsense in its place, and compares.
/// `dressed` makes a history of a series: its zone, weather and holidays.
pub(crate) fn assert_none(
    method: &dyn Method,
    series: &Series,
    origin: DateTime<Utc>,
    dressed: impl Fn(Series) -> History,
) {
    let forecast = |series: Series, later: TimeDelta| {
        let history = dressed(series);
        let past = history.as_of(origin);
        let fitted = method.fit(&past).expect("enough history");
        let past = history.as_of(origin + later);
        fitted.predict(&past, Horizon::from_origin(&past, TimeDelta::hours(48)))
    };
    // At the origin itself, and at one later than the fit.
    for later in [TimeDelta::zero(), TimeDelta::hours(30)] {
        let honest = forecast(series.clone(), later);
        assert!(honest.iter().any(Option::is_some), "{} says nothing", method.name());
        for (what, value) in NONSENSE {
            let mut series = series.clone();
            let begun =
                |k: usize| series.start + series.step * i32::try_from(k + 1).unwrap_or(i32::MAX) > origin + later;
            let future: Vec<usize> = (0..series.values.len()).filter(|&k| begun(k)).collect();
            assert!(!future.is_empty(), "there is a future to replace");
            for k in future {
                series.values[k] = value(k);
            }
            let forecast = forecast(series, later);
            assert!(forecast == honest, "{} looks ahead: {what} changed its forecast", method.name());
        }
    }
}
