//! A site and trees, fitted: bases, departures, and what the plant gives at most.

use chrono::TimeDelta;
use kwartier_data::forecast::{Belief, LEVELS};
use kwartier_data::history::Past;
use serde::{Deserialize, Serialize};

use super::PvPlant;
use super::boost::{Boosted, Row};
use super::climate::{self, Promises};
use super::features::{self, PLAIN, WITH_WEATHER};
use super::frame::Frame;
use super::plant::Plant;
use super::site::{KeptSite, Site};
use crate::method::{CannotFit, Horizon};

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

/// The plant that a past shows: planes, ratings, limit; for people to look at. `None` where neither its peak nor any
/// output, or neither its place nor any days are known.
pub fn fitted_plant(past: &Past<'_>, plant: PvPlant) -> Option<Plant> {
    Site::of(past, plant).map(|site| site.plant)
}

/// A site and what was learnt of its indices.
pub(super) struct Skies {
    site: Site,
    plain: Option<Boosted>,
    with_weather: Option<Boosted>,
}

/// Skies as they are kept.
#[derive(Serialize, Deserialize)]
pub(super) struct KeptSkies {
    site: KeptSite,
    plain: Option<String>,
    with_weather: Option<String>,
}

/// What is believed of an interval in the light.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lit {
    /// Output, before bounds.
    pub belief: Belief,
    /// What the plant can give at most.
    pub most: f64,
}

/// What a forecast for an interval starts from.
struct Start {
    at: usize,
    base: [f64; LEVELS.len()],
    promised: Option<f64>,
}

impl Skies {
    /// Fitted on what a past knows.
    pub(super) fn fit(past: &Past<'_>, plant: PvPlant) -> Result<Self, CannotFit> {
        let Some(site) = Site::of(past, plant) else {
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
            return Ok(Skies { site, plain: None, with_weather: None });
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
        Ok(Skies { site, plain, with_weather })
    }

    /// Whether there are trees.
    pub(super) fn learnt(&self) -> bool {
        self.plain.is_some() || self.with_weather.is_some()
    }

    /// What its planes are rated at.
    pub(super) fn rated(&self) -> f64 {
        self.site.rated()
    }

    /// As they are kept.
    pub(super) fn kept(&self) -> Option<KeptSkies> {
        let text = |trees: &Option<Boosted>| match trees {
            Some(trees) => trees.kept().map(Some),
            None => Some(None),
        };
        Some(KeptSkies { site: self.site.kept(), plain: text(&self.plain)?, with_weather: text(&self.with_weather)? })
    }

    /// What was kept.
    pub(super) fn restored(kept: KeptSkies) -> Option<Self> {
        let trees = |text: Option<String>, features: usize| match text {
            Some(text) => Boosted::restored(&text, features).map(Some),
            None => Some(None),
        };
        Some(Skies {
            site: Site::restored(kept.site)?,
            plain: trees(kept.plain, PLAIN)?,
            with_weather: trees(kept.with_weather, WITH_WEATHER)?,
        })
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

impl Skies {
    /// What is believed of each interval of a horizon, from what a past knows; `None` in the dark. `None` of all where the
    /// horizon lies before the past.
    pub(super) fn predict(&self, past: &Past<'_>, horizon: Horizon) -> Option<Vec<Option<Lit>>> {
        let site = &self.site;
        let step_s = past.step().num_seconds().max(1);
        let index_of = |at: chrono::DateTime<chrono::Utc>| (at - past.start()).num_seconds().div_euclid(step_s);
        let begin = usize::try_from(index_of(horizon.start)).ok()?;
        let now = usize::try_from(index_of(past.at())).ok()?;
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
        let mut lit = vec![None; horizon.steps];
        for (start, index) in starts.iter().zip(indices) {
            let clear = frame.clear[start.at];
            let belief = Belief::of(index.map(|quantile| quantile * clear));
            lit[start.at - steps.start] = Some(Lit { belief, most: site.most(clear) });
        }
        Some(lit)
    }
}

/// Intervals that a frame goes on beyond the horizon, so that the promise of the hour after the last is there.
fn frame_margin(per_day: usize) -> usize {
    per_day / 24 + 1
}

impl Skies {
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
