//! How good the forecasts of visits would have been: through a log in time, fitted anew at times, each visit predicted at its
//! arrival and while it stays from what had ended by then.

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::forecast::Belief;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::arrivals_tested::{self, ArrivalScores};
use super::guesses;
use super::identity::Salt;
use super::memory::{Case, Memory, Target};
use super::model::{Model, Ready, Site};
use super::score::{Scores, Sums};
use super::spread::Spread;
use super::visit::{Log, Visit, hours, span};

/// The last share of the visits that is tested unless a span is given.
const TESTED: f64 = 0.25;

/// Spans between fits that are worked on at once, between two reports of progress.
const AT_ONCE: usize = 4;

/// Hours after arrival at which those still here are predicted again.
pub const STILL_HERE_H: [f64; 3] = [1.0, 2.0, 4.0];

/// What to test.
#[derive(Debug, Clone, Copy)]
pub struct BacktestSettings {
    /// The site.
    pub site: Site,
    /// Arrivals before this are history alone; `None` for the last quarter of the visits.
    pub from: Option<DateTime<Utc>>,
    /// Arrivals from this on are left out; `None` for all.
    pub until: Option<DateTime<Utc>>,
    /// Days between fits.
    pub refit_days: u32,
}

/// A way of predicting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// One distribution for all.
    OneDistribution,
    /// A table by hour of arrival, and working day or not.
    TableByHour,
    /// The party's own history, shrunk to the table of its group.
    OwnHistory,
    /// What the driver stated, as it is.
    Stated,
    /// The model.
    Model,
}

const WAYS: [Way; 5] = [Way::OneDistribution, Way::TableByHour, Way::OwnHistory, Way::Stated, Way::Model];

impl Way {
    /// What it is called in tables.
    pub fn name(self) -> &'static str {
        match self {
            Way::OneDistribution => "one distribution for all",
            Way::TableByHour => "by arrival hour and kind of day",
            Way::OwnHistory => "own history shrunk to the group",
            Way::Stated => "as the driver stated",
            Way::Model => "model",
        }
    }
}

/// What was predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Predicted {
    /// Length of the stay, in hours.
    StayH,
    /// Energy, in kWh.
    Kwh,
}

/// The scores of one way.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ScoreRow {
    /// What was predicted.
    pub predicted: Predicted,
    /// Hours after arrival at which it was predicted, for those still here; 0 at arrival.
    pub after_h: f64,
    /// Only the visits whose driver stated something of it.
    pub stated_only: bool,
    /// How.
    pub way: Way,
    /// How good.
    pub scores: Scores,
    /// 1 − pinball ÷ that of own history shrunk to the group; `None` for statements.
    pub skill: Option<f64>,
}

/// How good the forecasts of visits would have been.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionsReport {
    /// The first arrival of the log.
    pub history_from: DateTime<Utc>,
    /// The first arrival that was predicted, and the last.
    pub tested: (DateTime<Utc>, DateTime<Utc>),
    /// How many visits were predicted.
    pub visits: usize,
    /// How often the model was fitted.
    pub fits: usize,
    /// Scores, by what was predicted, when, of whom and how.
    pub rows: Vec<ScoreRow>,
    /// How good the expectation of arrivals was, a day ahead; `None` where the span holds no whole day with any.
    pub arrivals: Option<ArrivalScores>,
}

/// Why there is nothing to report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NothingToTest {
    /// No visit with a departure arrives in the span.
    #[error(
        "no visit that has ended arrives between the first and the last instant of the test: give another span, or more history"
    )]
    NoVisit,
}

/// Sums by what, when, of whom and how.
#[derive(Debug, Clone)]
struct Tally(Vec<Sums>);

/// Stages: at arrival of all, at arrival of those with a statement, and after hours.
const STAGES: usize = 2 + STILL_HERE_H.len();

impl Tally {
    fn new() -> Self {
        Tally(vec![Sums::default(); 2 * STAGES * WAYS.len()])
    }

    fn at(target: Target, stage: usize, way: Way) -> usize {
        (usize::from(target == Target::Energy) * STAGES + stage) * WAYS.len() + way as usize
    }

    fn add(&mut self, target: Target, stage: usize, way: Way, belief: &Belief, truth: f64) {
        self.0[Self::at(target, stage, way)].add(belief, truth);
    }

    fn join(&mut self, other: &Tally) {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            mine.join(theirs);
        }
    }

    fn rows(&self) -> Vec<ScoreRow> {
        let mut rows = Vec::new();
        for target in [Target::Stay, Target::Energy] {
            for stage in 0..STAGES {
                let scores = |way: Way| self.0[Self::at(target, stage, way)].scores(way != Way::Stated);
                let bar = scores(Way::OwnHistory).and_then(|scores| scores.pinball);
                rows.extend(WAYS.iter().filter_map(|&way| {
                    let scores = scores(way)?;
                    Some(ScoreRow {
                        predicted: if target == Target::Stay { Predicted::StayH } else { Predicted::Kwh },
                        after_h: stage.checked_sub(2).map_or(0.0, |k| STILL_HERE_H[k]),
                        stated_only: stage == 1,
                        way,
                        skill: scores.pinball.zip(bar).map(|(pinball, bar)| 1.0 - pinball / bar),
                        scores,
                    })
                }));
            }
        }
        rows
    }
}

/// Tests the forecasts of visits through a log. `progress` is told how many of how many spans are done.
///
/// # Errors
///
/// [`NothingToTest`] where no visit is in the span.
pub fn backtest(
    visits: &[Visit],
    settings: BacktestSettings,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<SessionsReport, NothingToTest> {
    let log = Log::new(visits.iter().copied());
    let ended: Vec<Visit> = log.all().filter(|visit| visit.departure.is_some()).copied().collect();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length")]
    let first = ((1.0 - TESTED) * ended.len() as f64) as usize;
    let from = settings.from.or_else(|| ended.get(first).map(|visit| visit.arrival)).ok_or(NothingToTest::NoVisit)?;
    let tested: Vec<&Visit> = ended
        .iter()
        .filter(|visit| visit.arrival >= from && settings.until.is_none_or(|until| visit.arrival < until))
        .collect();
    let (Some(earliest), Some(latest)) = (tested.first(), tested.last()) else { return Err(NothingToTest::NoVisit) };
    let every = TimeDelta::days(i64::from(settings.refit_days.max(1)));
    let spans: Vec<&[&Visit]> = {
        let number = |visit: &Visit| (visit.arrival - from).num_seconds() / every.num_seconds();
        tested.chunk_by(|a, b| number(a) == number(b)).collect()
    };
    let mut tally = Tally::new();
    let mut done = 0;
    progress(done, spans.len());
    for together in spans.chunks(AT_ONCE) {
        let tallies: Vec<Tally> = together.par_iter().map(|span| test(&log, span, settings.site)).collect();
        for other in &tallies {
            tally.join(other);
        }
        done += together.len();
        progress(done, spans.len());
    }
    Ok(SessionsReport {
        history_from: ended.first().map_or(from, |visit| visit.arrival),
        tested: (earliest.arrival, latest.arrival),
        visits: tested.len(),
        fits: spans.len(),
        rows: tally.rows(),
        arrivals: arrivals_tested::scores(&log, &settings.site, from, latest.arrival),
    })
}

/// Fits at the first arrival of a span and predicts all of it.
fn test(log: &Log, visits: &[&Visit], site: Site) -> Tally {
    let mut tally = Tally::new();
    let (Some(first), Some(last)) = (visits.first(), visits.last()) else { return tally };
    let model = Model::fit(log.as_of(first.arrival), site, &Salt::new(b"backtest").id());
    // Laid out up to the last instant at which something is predicted; each prediction sees what had ended by its own.
    let known = log.as_of(last.arrival + span(STILL_HERE_H[STILL_HERE_H.len() - 1]));
    let (ready, memory) = (model.ready_on(known), Memory::of(known, &site.clock));
    for visit in visits {
        one(&mut tally, &ready, &memory, site, visit);
    }
    tally
}

/// Predicts one visit at arrival and later.
fn one(tally: &mut Tally, ready: &Ready<'_>, memory: &Memory, site: Site, visit: &Visit) {
    // What is not known at arrival is taken away before anything looks at it.
    let arriving = Visit { departure: None, kwh: None, ..*visit };
    let case = Case::of(&arriving, &site.clock);
    let outcome = ready.at_arrival(&arriving);
    let Some(stay_h) = visit.stay_h() else { return };
    for target in [Target::Stay, Target::Energy] {
        let Some(truth) = target.of(visit) else { continue };
        let guess = |way: fn(&Memory, super::Place, Target, &Case, DateTime<Utc>) -> Spread| {
            way(memory, site.place, target, &case, visit.arrival)
        };
        let guessed = [
            (Way::OneDistribution, guess(guesses::one_distribution)),
            (Way::TableByHour, guess(guesses::table)),
            (Way::OwnHistory, guess(guesses::own_history)),
        ];
        let model = if target == Target::Stay { outcome.stay_h } else { outcome.kwh };
        let stated = target.stated(visit);
        for (stage, scored) in [(0, true), (1, stated.is_some())] {
            if scored {
                for (way, spread) in &guessed {
                    tally.add(target, stage, *way, &spread.belief(), truth);
                }
                tally.add(target, stage, Way::Model, &model, truth);
            }
        }
        if let Some(stated) = stated {
            tally.add(target, 1, Way::Stated, &Belief::certain(stated), truth);
        }
        for (k, after_h) in STILL_HERE_H.into_iter().enumerate().filter(|&(_, after_h)| after_h < stay_h) {
            let now = visit.arrival + span(after_h);
            let later = ready.still_here(&arriving, now, None);
            let floor = if target == Target::Stay { hours(now - visit.arrival) } else { 0.0 };
            for (way, spread) in &guessed {
                tally.add(target, 2 + k, *way, &spread.above(floor).0.belief(), truth);
            }
            let model = if target == Target::Stay { later.stay_h } else { later.kwh };
            tally.add(target, 2 + k, Way::Model, &model, truth);
        }
    }
}
