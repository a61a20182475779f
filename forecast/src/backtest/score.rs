//! Forecasts against the truth.
//!
//! Fair: an interval of a forecast counts where its truth was measured and every method said something. A method that
//! said nothing of most of them is left out, by name, rather than thinning out what the others are scored on.

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::forecast::{Belief, LEVELS};
use kwartier_data::history::History;
use serde::Serialize;

use super::{Run, Trial};
use crate::metrics::{Tally, mean_pinball};

/// A method that says something of less than this share of what is measured is left out of a comparison.
const LEAST_SHARE: f64 = 0.5;

/// What errors are divided by, so that sites can be compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scale {
    /// The mean of the absolute truth over what is scored: for load and prices.
    MeanTruth,
    /// This, such as the peak of a PV plant.
    Given(f64),
}

/// How good the methods of a backtest were.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The first origin.
    pub first_origin: Option<DateTime<Utc>>,
    /// The last origin of which something is scored.
    pub last_origin: Option<DateTime<Utc>>,
    /// How many origins there are.
    pub origins: usize,
    /// Length of an interval in minutes.
    pub step_minutes: f64,
    /// What errors are divided by where their name begins with `n`, in the unit of the value.
    pub scale: f64,
    /// Whether it was stopped before it was through; what is scored is what was done by then.
    pub cancelled: bool,
    /// The methods, in the order in which they were given.
    pub methods: Vec<MethodScores>,
    /// Methods that were not scored, and why.
    pub left_out: Vec<LeftOut>,
}

/// A method that was not scored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// The method.
    pub name: String,
    /// Why.
    pub why: String,
}

/// How good a method was.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MethodScores {
    /// The method.
    pub name: String,
    /// Whether it is an obvious guess.
    pub baseline: bool,
    /// Over all days ahead.
    pub all: Scores,
    /// For each day ahead: the first is that of the 24 hours from the origin on.
    pub lead_days: Vec<Scores>,
    /// By hour ahead.
    pub lead_hours: Vec<LeadHour>,
    /// For each level of [`LEVELS`] the share of truths not above that quantile, half of those equal to it.
    pub below: [f64; LEVELS.len()],
    /// The loss of each origin over its first day.
    pub days: Vec<DayLoss>,
    /// What fits took.
    pub fit_s: Times,
    /// What forecasts took.
    pub predict_s: Times,
}

/// Figures over many intervals. Losses are in the unit of the value, those that begin with `n` are divided by the scale.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Scores {
    /// How many intervals.
    pub n: usize,
    /// Mean absolute error of the median.
    pub mae: f64,
    /// Root of the mean squared error of the mean.
    pub rmse: f64,
    /// Mean pinball loss over the seven levels.
    pub pinball: f64,
    /// Continuous ranked probability score: [`crps`](crate::metrics::crps).
    pub crps: f64,
    /// `mae` by the scale.
    pub nmae: f64,
    /// `rmse` by the scale.
    pub nrmse: f64,
    /// `pinball` by the scale.
    pub npinball: f64,
    /// `crps` by the scale.
    pub ncrps: f64,
    /// Share of truths within the quantiles 25 and 75 %.
    pub coverage_50: f64,
    /// Share of truths within the quantiles 10 and 90 %.
    pub coverage_80: f64,
    /// Share of truths within the quantiles 5 and 95 %.
    pub coverage_90: f64,
    /// `coverage_80` where something could be expected: without intervals, such as those of a PV plant by night, that are
    /// nothing for certain by every method, and were.
    pub coverage_80_awake: f64,
    /// Mean width of the band from 10 to 90 %.
    pub width_80: f64,
    /// By how much the pinball loss is below that of the seasonal naive forecast, as a fraction of it; `None` where there
    /// is none.
    pub skill: Option<f64>,
}

/// What was lost an hour ahead.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LeadHour {
    /// Hours ahead, from 0.
    pub hour: usize,
    /// How many intervals.
    pub n: usize,
    /// Mean pinball loss over the seven levels, in the unit of the value.
    pub pinball: f64,
    /// Share of truths within the quantiles 10 and 90 %.
    pub coverage_80: f64,
}

/// What a forecast lost over its first day.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct DayLoss {
    /// When it was made.
    pub origin: DateTime<Utc>,
    /// How many intervals.
    pub n: usize,
    /// Mean pinball loss over the seven levels, in the unit of the value.
    pub pinball: f64,
}

/// What something took in seconds; zero where it never happened.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Times {
    /// The middle.
    pub median: f64,
    /// The most.
    pub most: f64,
}

impl Times {
    fn of(seconds: &[f64]) -> Self {
        let mut sorted = seconds.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        Times {
            median: sorted.get(sorted.len() / 2).copied().unwrap_or_default(),
            most: sorted.last().copied().unwrap_or_default(),
        }
    }
}

/// One interval of one forecast that counts.
struct Counted {
    origin: usize,
    step: usize,
    lead_h: usize,
    truth: f64,
    awake: bool,
}

/// Scores the forecasts of a backtest. `reference` is the name of the seasonal naive method.
pub fn score(history: &History, run: &Run, scale: Scale, reference: &str) -> Report {
    let truths = truths(history, run);
    let mut left_out = Vec::new();
    let mut judged: Vec<&Trial> = Vec::new();
    for trial in &run.trials {
        let said = truths.iter().filter(|&&(origin, step, _)| trial.belief(origin, step).is_some()).count();
        if !truths.is_empty() && said as f64 >= LEAST_SHARE * truths.len() as f64 {
            judged.push(trial);
        } else {
            left_out.push(LeftOut { name: trial.name.to_owned(), why: why_not(trial, said, truths.len()) });
        }
    }
    let counted = counted(history, run, &judged, &truths);
    let scale = match scale {
        Scale::Given(scale) => scale,
        Scale::MeanTruth => counted.iter().map(|one| one.truth.abs()).sum::<f64>() / counted.len().max(1) as f64,
    };
    let mut methods: Vec<MethodScores> = judged.iter().map(|trial| of_method(run, trial, &counted, scale)).collect();
    if let Some(naive) = methods.iter().find(|method| method.name == reference).cloned() {
        for method in &mut methods {
            method.all.skill = skill(&method.all, &naive.all);
            for (day, of_naive) in method.lead_days.iter_mut().zip(&naive.lead_days) {
                day.skill = skill(day, of_naive);
            }
        }
    }
    Report {
        first_origin: run.origins.first().copied(),
        last_origin: counted.last().map(|one| run.origins[one.origin]),
        origins: run.origins.len(),
        step_minutes: history.truth().step.num_seconds() as f64 / 60.0,
        scale,
        cancelled: run.cancelled,
        methods,
        left_out,
    }
}

/// Every interval of every forecast whose truth was measured: origin, step, truth.
fn truths(history: &History, run: &Run) -> Vec<(usize, usize, f64)> {
    let series = history.truth();
    let step_s = series.step.num_seconds().max(1);
    let reached = |origin: usize| run.trials.iter().any(|trial| trial.beliefs[origin].is_some());
    let mut truths = Vec::new();
    for (origin, horizon) in run.horizons.iter().enumerate() {
        // Stopped early, a backtest has not come to all origins.
        if run.cancelled && !reached(origin) {
            continue;
        }
        let first = (horizon.start - series.start).num_seconds().div_euclid(step_s);
        for step in 0..horizon.steps {
            let index = i64::try_from(step).ok().and_then(|step| usize::try_from(first + step).ok());
            if let Some(truth) = index.and_then(|index| series.values.get(index).copied().flatten()) {
                truths.push((origin, step, truth));
            }
        }
    }
    truths
}

fn why_not(trial: &Trial, said: usize, all: usize) -> String {
    match &trial.cannot_fit {
        Some(cannot) => cannot.to_string(),
        None if all == 0 => "nothing was measured in the span of the backtest".to_owned(),
        None => format!("it forecast {said} of {all} measured intervals"),
    }
}

fn counted(history: &History, run: &Run, judged: &[&Trial], truths: &[(usize, usize, f64)]) -> Vec<Counted> {
    let step = history.truth().step;
    let mut counted = Vec::with_capacity(truths.len());
    for &(origin, index, truth) in truths {
        let beliefs: Option<Vec<&Belief>> = judged.iter().map(|trial| trial.belief(origin, index)).collect();
        let Some(beliefs) = beliefs else { continue };
        let start = run.horizons[origin].start + step * i32::try_from(index).unwrap_or(i32::MAX);
        let lead = (start - run.origins[origin]).max(TimeDelta::zero());
        let nothing = |belief: &&Belief| belief.quantiles.iter().all(|quantile| *quantile == 0.0);
        counted.push(Counted {
            origin,
            step: index,
            lead_h: usize::try_from(lead.num_hours()).unwrap_or(0),
            truth,
            awake: truth != 0.0 || !beliefs.iter().all(nothing),
        });
    }
    counted
}

fn of_method(run: &Run, trial: &Trial, counted: &[Counted], scale: f64) -> MethodScores {
    let hours = counted.iter().map(|one| one.lead_h + 1).max().unwrap_or(0);
    let mut all = Tally::default();
    let mut by_day = vec![Tally::default(); hours.div_ceil(24)];
    let mut by_hour = vec![Tally::default(); hours];
    let mut days: Vec<DayLoss> = Vec::new();
    for one in counted {
        let Some(belief) = trial.belief(one.origin, one.step) else { continue };
        for tally in [&mut all, &mut by_day[one.lead_h / 24], &mut by_hour[one.lead_h]] {
            tally.add(belief, one.truth, one.awake);
        }
        if one.lead_h < 24 {
            let origin = run.origins[one.origin];
            let loss = mean_pinball(belief, one.truth);
            match days.last_mut() {
                Some(day) if day.origin == origin => {
                    day.n += 1;
                    day.pinball += loss;
                }
                _ => days.push(DayLoss { origin, n: 1, pinball: loss }),
            }
        }
    }
    for day in &mut days {
        day.pinball /= day.n as f64;
    }
    let lead_hours = by_hour.iter().enumerate().filter(|(_, tally)| tally.n > 0).map(|(hour, tally)| {
        let scores = tally.scores(scale);
        LeadHour { hour, n: tally.n, pinball: scores.pinball, coverage_80: scores.coverage_80 }
    });
    MethodScores {
        name: trial.name.to_owned(),
        baseline: trial.baseline,
        all: all.scores(scale),
        lead_days: by_day.iter().map(|tally| tally.scores(scale)).collect(),
        lead_hours: lead_hours.collect(),
        below: all.below(),
        days,
        fit_s: Times::of(&trial.fit_s),
        predict_s: Times::of(&trial.predict_s),
    }
}

/// By how much a loss is below another, as a fraction of it.
fn skill(of: &Scores, than: &Scores) -> Option<f64> {
    (than.pinball > 0.0).then(|| 1.0 - of.pinball / than.pinball)
}
