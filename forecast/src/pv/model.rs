//! The method: fits a site, then trees; predicts bases, departures and bounds.

use chrono::TimeDelta;
use kwartier_data::forecast::{Belief, LEVELS};
use kwartier_data::history::Past;

use super::PvPlant;
use super::boost::{Boosted, Row};
use super::climate::{self, Promises};
use super::features::{self, PLAIN, WITH_WEATHER};
use super::frame::Frame;
use super::plant::Plant;
use super::site::Site;
use crate::method::{CannotFit, Fitted, Horizon, Method};

/// Days that the trees learn from: two years.
const TRAINING_DAYS: usize = 730;

/// The least days for trees: a season's weather in each side of a split.
const LEAST_TRAINING_DAYS: usize = 45;

/// The most rows that trees learn from: more say nothing new, since neighbours share their weather.
const ROWS: usize = 16_000;

/// Share of the trees in the forecast; the rest is the base that they start from, whose errors are other ones.
const TREES: f64 = 0.75;

/// Days of history that a prediction looks at: those of the bases.
const BEHIND_DAYS: usize = climate::ERROR_DAYS + 2;

/// Days by whose silence an interval is known to be dark where the place is not.
const SILENT_DAYS: usize = 30;

/// Of those, how many must have been seen.
const SILENT_SEEN: usize = 20;

/// Lead times, in hours, at which past promises are looked up: the middle of the first and second day ahead.
const PROMISE_LEADS_H: [i64; 2] = [12, 36];

struct ClearSky {
    plant: PvPlant,
}

/// Indices of a clear sky, with weather where there is some and a prior where there is nothing else.
pub fn clear_sky(plant: PvPlant) -> Box<dyn Method> {
    Box::new(ClearSky { plant })
}

/// The plant that a past shows: planes, ratings, limit; for people to look at. `None` where neither its peak nor any
/// output, or neither its place nor any days are known.
pub fn fitted_plant(past: &Past<'_>, plant: PvPlant) -> Option<Plant> {
    Site::of(past, plant).map(|site| site.plant)
}

struct FittedClearSky {
    site: Site,
    plain: Option<Boosted>,
    with_weather: Option<Boosted>,
}

/// What a forecast for an interval starts from.
struct Start {
    at: usize,
    base: [f64; LEVELS.len()],
    promised: Option<f64>,
}

impl Method for ClearSky {
    fn name(&self) -> &'static str {
        "clear sky"
    }

    fn fit(&self, past: &Past<'_>) -> Result<Box<dyn Fitted>, CannotFit> {
        let Some(site) = Site::of(past, self.plant) else {
            let seen = past.values().iter().flatten().filter(|value| **value > 0.0).count();
            return Err(CannotFit {
                method: "clear sky",
                needs: "position and peak power, or some days of output".to_owned(),
                has: if seen == 0 { "none".to_owned() } else { format!("{seen} values above zero") },
            });
        };
        let known = past.values().len();
        let per_day = usize::try_from(86_400 / past.step().num_seconds().max(1)).unwrap_or(1).max(1);
        let first = known.saturating_sub((TRAINING_DAYS + climate::DAYS) * per_day);
        let frame = Frame::of(past, &site, first, known);
        let seen_days = frame.index.iter().flatten().count() / (per_day / 3).max(1);
        if seen_days < LEAST_TRAINING_DAYS {
            return Ok(Box::new(FittedClearSky { site, plain: None, with_weather: None }));
        }
        let origins = origins(past, &frame);
        let plain = Boosted::fit(&plain_rows(past, &site, &frame, &origins));
        let with_weather = if past.has_weather() {
            let promises = promises(past, &site, &frame, 0);
            let rows = weather_rows(past, &site, &frame, &promises, &origins);
            let days: std::collections::BTreeSet<u64> = rows.iter().map(|row| row.day).collect();
            if days.len() >= LEAST_TRAINING_DAYS { Boosted::fit(&rows) } else { None }
        } else {
            None
        };
        Ok(Box::new(FittedClearSky { site, plain, with_weather }))
    }
}

/// Origins to learn from, as intervals of the frame: for each day one at the time of day of the present, and one that goes
/// round the clock.
fn origins(past: &Past<'_>, frame: &Frame) -> Vec<usize> {
    let now =
        usize::try_from((past.at() - frame.start_of(0)).num_seconds() / past.step().num_seconds().max(1)).unwrap_or(0);
    let mut origins = Vec::new();
    for days in 1.. {
        let Some(origin) = now.checked_sub(days * frame.per_day).filter(|origin| *origin >= 5 * frame.per_day) else {
            break;
        };
        origins.push(origin);
        // Five hours a day go through all hours of the day.
        let other = origin + days * 5 % 24 * frame.per_hour;
        if other < frame.len() {
            origins.push(other);
        }
    }
    origins
}

/// The intervals to learn from at each origin: those of two days ahead that are light and whose output is known, thinned
/// evenly; with what was known then.
fn each_row<'h>(
    past: &Past<'h>,
    frame: &Frame,
    origins: &[usize],
    mut with: impl FnMut(&Past<'h>, usize, usize, usize),
) {
    let light =
        |origin: usize| (origin..(origin + 2 * frame.per_day).min(frame.len())).filter(|at| frame.index[*at].is_some());
    let all: usize = origins.iter().map(|origin| light(*origin).count()).sum();
    let stride = all.div_ceil(ROWS).max(1);
    let mut count = 0;
    for &origin in origins {
        let then = past.as_of(frame.start_of(origin));
        let known = then.values().len().saturating_sub(frame.first);
        for at in light(origin) {
            count += 1;
            if count % stride == 0 {
                with(&then, origin, known, at);
            }
        }
    }
}

/// Quantiles of the index from the plant's own past, drawn towards the present.
fn usual(frame: &Frame, at: usize, origin: usize, known: usize) -> [f64; LEVELS.len()] {
    let present = frame.ratio(known.saturating_sub(frame.per_hour), known, known);
    climate::drawn(climate::usual(frame, at, known), present, lead_h(frame, at, origin))
}

fn lead_h(frame: &Frame, at: usize, origin: usize) -> f64 {
    at.saturating_sub(origin) as f64 / frame.per_hour as f64
}

fn row<const F: usize>(frame: &Frame, features: [f32; F], base: &[f64; LEVELS.len()], at: usize) -> Option<Row<F>> {
    let measure = features::measure(base);
    Some(Row {
        features,
        base: base.map(|quantile| quantile / measure),
        truth: frame.index[at]? / measure,
        weight: frame.clear[at] * measure,
        day: (at / frame.per_day) as u64,
    })
}

fn plain_rows(past: &Past<'_>, site: &Site, frame: &Frame, origins: &[usize]) -> Vec<Row<PLAIN>> {
    let mut rows = Vec::with_capacity(ROWS);
    each_row(past, frame, origins, |_, origin, known, at| {
        let base = usual(frame, at, origin, known);
        rows.extend(row(frame, features::plain(frame, site, &base, at, origin, known), &base, at));
    });
    rows
}

fn weather_rows(
    past: &Past<'_>,
    site: &Site,
    frame: &Frame,
    promises: &Promises,
    origins: &[usize],
) -> Vec<Row<WITH_WEATHER>> {
    let mut rows = Vec::with_capacity(ROWS);
    each_row(past, frame, origins, |then, origin, known, at| {
        if let Some(promised) = frame.promised(site, then, at) {
            let base = by_promise(frame, promises, promised, at, origin, known);
            let features = weather_features(then, site, frame, promises, &base, (at, origin, known), promised);
            rows.extend(row(frame, features, &base, at));
        }
    });
    rows
}

/// Quantiles of the index from a promise, drawn towards what the errors of the last hours let expect.
fn by_promise(
    frame: &Frame,
    promises: &Promises,
    promised: f64,
    at: usize,
    origin: usize,
    known: usize,
) -> [f64; LEVELS.len()] {
    let error = features::recent_error(frame, promises, frame.per_hour, known);
    let present = error.map(|error| (promised + error).max(0.0));
    climate::drawn(climate::promised(frame, promises, promised, at, known), present, lead_h(frame, at, origin))
}

fn weather_features(
    then: &Past<'_>,
    site: &Site,
    frame: &Frame,
    promises: &Promises,
    base: &[f64; LEVELS.len()],
    (at, origin, known): (usize, usize, usize),
    promised: f64,
) -> [f32; WITH_WEATHER] {
    let plain = features::plain(frame, site, base, at, origin, known);
    let hour = frame.per_hour;
    let around = [
        at.checked_sub(hour).and_then(|before| frame.promised(site, then, before)),
        frame.promised(site, then, at + hour),
        at.checked_sub(3 * hour).and_then(|before| frame.promised(site, then, before)),
    ];
    let recent = [
        features::recent_error(frame, promises, hour, known),
        features::recent_error(frame, promises, 6 * hour, known),
    ];
    features::with_weather(plain, features::measure(base), promised, around, recent)
}

/// What the weather promised for the intervals of a frame from `from` on, half a day and a day and a half ahead; where
/// nothing was known as early, what was known when the interval began.
fn promises(past: &Past<'_>, site: &Site, frame: &Frame, from: usize) -> Promises {
    let mut by_lead = [vec![None; frame.len()], vec![None; frame.len()]];
    for at in from..frame.len() {
        if frame.index[at].is_none() {
            continue;
        }
        let start = frame.start_of(at);
        for (of_lead, hours) in by_lead.iter_mut().zip(PROMISE_LEADS_H) {
            of_lead[at] = frame
                .promised(site, &past.as_of(start - TimeDelta::hours(hours)), at)
                .or_else(|| frame.promised(site, &past.as_of(start), at));
        }
    }
    Promises { by_lead }
}

impl Fitted for FittedClearSky {
    fn predict(&self, past: &Past<'_>, horizon: Horizon) -> Vec<Option<Belief>> {
        let site = &self.site;
        let step_s = past.step().num_seconds().max(1);
        let index_of = |at: chrono::DateTime<chrono::Utc>| (at - past.start()).num_seconds().div_euclid(step_s);
        let (Ok(begin), Ok(now)) = (usize::try_from(index_of(horizon.start)), usize::try_from(index_of(past.at())))
        else {
            return vec![None; horizon.steps];
        };
        let per_day = usize::try_from(86_400 / step_s).unwrap_or(1).max(1);
        let first = past.values().len().min(begin).saturating_sub(BEHIND_DAYS * per_day);
        let frame = Frame::of(past, site, first, begin + horizon.steps + frame_margin(per_day));
        let known = past.values().len().saturating_sub(first);
        let origin = now.saturating_sub(first);
        let promises = past.has_weather().then(|| promises(past, site, &frame, 0));
        let silent = silent(past, per_day);
        let steps = begin - first..begin - first + horizon.steps;
        let starts: Vec<Start> = steps
            .clone()
            .filter(|at| frame.clear[*at] > 0.0 && !silent[(first + at) % per_day])
            .map(|at| {
                let promised = promises.as_ref().and_then(|_| frame.promised(site, past, at));
                let base = match (promised, &promises) {
                    (Some(promised), Some(promises)) => by_promise(&frame, promises, promised, at, origin, known),
                    _ => usual(&frame, at, origin, known),
                };
                Start { at, base, promised }
            })
            .collect();
        let indices = self.departed(past, &frame, promises.as_ref(), &starts, (origin, known));
        let mut beliefs = vec![Some(Belief::certain(0.0)); horizon.steps];
        for (start, index) in starts.iter().zip(indices) {
            let clear = frame.clear[start.at];
            let belief = Belief::of(index.map(|quantile| quantile * clear)).clamped(0.0, site.most(clear));
            beliefs[start.at - steps.start] = Some(belief);
        }
        beliefs
    }
}

/// Intervals that a frame goes on beyond the horizon, so that the promise of the hour after the last is there.
fn frame_margin(per_day: usize) -> usize {
    per_day / 24 + 1
}

impl FittedClearSky {
    /// The bases, departed from as the trees have learnt.
    fn departed(
        &self,
        past: &Past<'_>,
        frame: &Frame,
        promises: Option<&Promises>,
        starts: &[Start],
        (origin, known): (usize, usize),
    ) -> Vec<[f64; LEVELS.len()]> {
        let mut indices: Vec<[f64; LEVELS.len()]> = starts.iter().map(|start| start.base).collect();
        let (with, without): (Vec<usize>, Vec<usize>) = (0..starts.len()).partition(|k| starts[*k].promised.is_some());
        if let Some(trees) = &self.plain {
            let features: Vec<[f32; PLAIN]> = without
                .iter()
                .map(|k| features::plain(frame, &self.site, &starts[*k].base, starts[*k].at, origin, known))
                .collect();
            depart(trees, &features, &without, &mut indices);
        }
        if let (Some(trees), Some(promises)) = (&self.with_weather, promises) {
            let features: Vec<[f32; WITH_WEATHER]> = with
                .iter()
                .map(|k| {
                    let start = &starts[*k];
                    let promised = start.promised.unwrap_or(0.0);
                    let place = (start.at, origin, known);
                    weather_features(past, &self.site, frame, promises, &start.base, place, promised)
                })
                .collect();
            depart(trees, &features, &with, &mut indices);
        }
        indices
    }
}

/// Departs from some of the bases.
fn depart<const F: usize>(
    trees: &Boosted,
    features: &[[f32; F]],
    which: &[usize],
    indices: &mut [[f64; LEVELS.len()]],
) {
    let bases: Vec<[f64; LEVELS.len()]> = which
        .iter()
        .map(|k| {
            let measure = features::measure(&indices[*k]);
            indices[*k].map(|quantile| quantile / measure)
        })
        .collect();
    let Some(predicted) = trees.predict(features, &bases) else { return };
    for (k, quantiles) in which.iter().zip(predicted) {
        let measure = features::measure(&indices[*k]);
        for (index, quantile) in indices[*k].iter_mut().zip(quantiles) {
            *index += TREES * (quantile * measure - *index);
        }
    }
}

/// Times of day, as intervals since the grid's beginning, at which nothing has come for [`SILENT_DAYS`] days, nor just
/// before or after; none of them where little was seen.
fn silent(past: &Past<'_>, per_day: usize) -> Vec<bool> {
    let values = past.values();
    let from = values.len().saturating_sub(SILENT_DAYS * per_day);
    let (mut seen, mut came) = (vec![0; per_day], vec![false; per_day]);
    for (index, value) in values.iter().enumerate().skip(from) {
        seen[index % per_day] += usize::from(value.is_some());
        came[index % per_day] |= value.is_some_and(|value| value > 0.0);
    }
    (0..per_day)
        .map(|k| {
            let around = [(k + per_day - 1) % per_day, k, (k + 1) % per_day];
            around.iter().all(|k| seen[*k] >= SILENT_SEEN && !came[*k])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use chrono::{DateTime, Utc};
    use kwartier_data::history::{History, Position, Sky, Weather, WeatherRow};
    use kwartier_data::series::Series;

    use super::super::light::{Light, Plane};
    use super::super::sun::SunPath;
    use super::*;

    const UTRECHT: Position = Position { latitude_deg: 52.09, longitude_deg: 5.12 };

    /// How much of a clear sky gets through on an hour: days and hours of all kinds, always the same.
    fn clouds(hour: usize) -> f64 {
        let chance = |seed: usize| (seed.wrapping_mul(2_654_435_761) >> 7) % 1000;
        let day = 0.25 + 0.75 * chance(hour / 24) as f64 / 1000.0;
        (day + 0.2 * (chance(hour + 77) as f64 / 1000.0 - 0.5)).clamp(0.05, 1.0)
    }

    /// A plant of 8 kWp on a plane, in the hours from 1 March 2023 on, with weather known a day ahead.
    fn plant(plane: Plane, days: usize) -> (Series, Vec<WeatherRow>) {
        let start: DateTime<Utc> = "2023-03-01T00:00:00Z".parse().unwrap();
        let step = TimeDelta::hours(1);
        let at = |k: usize| start + step * i32::try_from(k).unwrap();
        let path = SunPath::over((0..days * 24).map(at), step, UTRECHT);
        let (mut values, mut rows) = (Vec::new(), Vec::new());
        for hour in 0..days * 24 {
            let suns = path.within(hour);
            let part = |light: &dyn Fn(Light, &super::super::sun::Sun) -> f64| {
                let of = |sun: &super::super::sun::Sun| {
                    light(Light::of_global(clouds(hour) * super::super::light::clear_wm2(sun), sun), sun)
                };
                suns.iter().map(of).sum::<f64>() / suns.len() as f64
            };
            let ghi = part(&|light, _| light.global_wm2);
            values.push(Some(8.0 * 0.9 * part(&|light, sun| plane.output(sun, &light, Some(12.0), None))));
            let sky = Sky { ghi_wm2: Some(ghi), temp_c: Some(12.0), ..Sky::default() };
            rows.push(WeatherRow { start: at(hour), known_at: at(hour) - TimeDelta::hours(72), sky });
        }
        (Series { start, step, values }, rows)
    }

    fn predict(history: &History, plant: PvPlant, day: i64) -> Vec<Belief> {
        let past = history.as_of(history.truth().start + TimeDelta::days(day));
        let fitted = clear_sky(plant).fit(&past).unwrap();
        let beliefs = fitted.predict(&past, Horizon::from_origin(&past, TimeDelta::hours(48)));
        beliefs.into_iter().map(Option::unwrap).collect()
    }

    #[test]
    fn planes_are_found_from_weather() {
        let east = Plane { tilt_deg: 30.0, azimuth_deg: 120.0 };
        let (series, rows) = plant(east, 120);
        let history =
            History::new(series, chrono_tz::Europe::Amsterdam).with_weather(Weather::new(rows, TimeDelta::hours(1)));
        let past = history.as_of(history.truth().end());
        let given = PvPlant { position: Some(UTRECHT), peak_kw: Some(8.0) };
        let found = fitted_plant(&past, given).unwrap();
        assert_eq!(found.planes.len(), 1, "{found:?}");
        let (plane, rated) = found.planes[0];
        assert!((plane.tilt_deg - 30.0).abs() < 4.0 && (plane.azimuth_deg - 120.0).abs() < 5.0, "{found:?}");
        assert!((rated - 7.2).abs() < 0.2, "{found:?}");
    }

    #[test]
    fn days_tell_where_a_plant_is() {
        let (series, _) = plant(Plane { tilt_deg: 30.0, azimuth_deg: 180.0 }, 200);
        let history = History::new(series, chrono_tz::Europe::Amsterdam);
        let past = history.as_of(history.truth().end());
        let found = super::super::locate::locate(&past, None).unwrap().position;
        assert!((found.latitude_deg - 52.0).abs() < 4.0 && (found.longitude_deg - 5.1).abs() < 3.0, "{found:?}");
    }

    #[test]
    fn day_one_needs_position_and_peak_alone() {
        let (mut series, rows) = plant(Plane { tilt_deg: 35.0, azimuth_deg: 180.0 }, 3);
        let truth = series.values.clone();
        series.values.clear();
        let history = History::new(series, chrono_tz::Europe::Amsterdam);
        let given = PvPlant { position: Some(UTRECHT), peak_kw: Some(8.0) };
        let blind = predict(&history, given, 0);
        assert_eq!(blind.len(), 48);
        assert_eq!(blind[0], Belief::certain(0.0));
        assert!(blind[12].quantiles[0] < 1.5 && blind[12].quantiles[6] > 4.0, "{:?}", blind[12]);
        let told = predict(&history.with_weather(Weather::new(rows, TimeDelta::hours(1))), given, 0);
        for (belief, truth) in told.iter().zip(truth) {
            assert!((belief.quantiles[3] - truth.unwrap()).abs() < 0.8, "{belief:?} {truth:?}");
        }
        let unknown = PvPlant { position: Some(UTRECHT), peak_kw: None };
        let empty = History::new(
            Series { start: DateTime::UNIX_EPOCH, step: TimeDelta::hours(1), values: Vec::new() },
            chrono_tz::UTC,
        );
        assert!(clear_sky(unknown).fit(&empty.as_of(DateTime::UNIX_EPOCH)).is_err());
    }

    #[test]
    fn the_future_changes_nothing_and_bounds_hold() {
        let (series, rows) = plant(Plane { tilt_deg: 30.0, azimuth_deg: 200.0 }, 100);
        let nonsense: Vec<Option<f64>> = series
            .values
            .iter()
            .enumerate()
            .map(|(hour, value)| if hour < 80 * 24 { *value } else { Some(1e6) })
            .collect();
        let mut later = rows.clone();
        later.extend(rows[80 * 24..].iter().map(|row| WeatherRow {
            known_at: row.start,
            sky: Sky { ghi_wm2: Some(1e5), ..row.sky },
            ..*row
        }));
        let zone = chrono_tz::Europe::Amsterdam;
        let weather = |rows: Vec<WeatherRow>| Weather::new(rows, TimeDelta::hours(1));
        let other = Series { values: nonsense, ..series.clone() };
        for position in [None, Some(UTRECHT)] {
            let given = PvPlant { position, peak_kw: None };
            let honest = predict(&History::new(series.clone(), zone), given, 80);
            assert_eq!(honest, predict(&History::new(other.clone(), zone), given, 80));
            let (plain, mad) = (weather(rows.clone()), weather(later.clone()));
            let told = predict(&History::new(series.clone(), zone).with_weather(plain), given, 80);
            // The first hour's nonsense is known as it begins.
            let mad = predict(&History::new(other.clone(), zone).with_weather(mad), given, 80);
            assert_eq!(told[1..], mad[1..]);
            for (hour, belief) in honest.iter().chain(&told).enumerate() {
                assert!(belief.quantiles.is_sorted() && belief.quantiles[0] >= 0.0 && belief.quantiles[6] <= 9.0);
                // In Utrecht in May it is dark from 20 to 2 UTC.
                if hour % 24 < 2 || hour % 24 > 20 {
                    assert_eq!(*belief, Belief::certain(0.0), "{hour}");
                }
            }
        }
    }
}
