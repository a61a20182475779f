//! Backtests of methods whose scores are known.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::forecast::Belief;
use kwartier_data::history::{History, Past, Position};
use kwartier_data::series::Series;

use super::{Entrant, Origins, Scale, Settings, Watch, drift, leakage, run, score};
use crate::method::{CannotFit, Fitted, Horizon, Method};
use crate::pv::{self, PvPlant};
use crate::{load, naive};

/// Says of each interval what was measured so many intervals before it.
struct Lag(&'static str, usize);

/// Says what comes, which it read from where a method has no business.
struct Cheat(Series);

/// Never fits.
struct Never;

impl Method for Lag {
    fn name(&self) -> &'static str {
        self.0
    }
    fn fit(&self, _: &Past<'_>) -> Result<Box<dyn Fitted>, CannotFit> {
        Ok(Box::new(Lag(self.0, self.1)))
    }
}

impl Fitted for Lag {
    fn predict(&self, past: &Past<'_>, horizon: Horizon) -> Vec<Option<Belief>> {
        let first = (horizon.start - past.start()).num_seconds() / past.step().num_seconds();
        let first = usize::try_from(first).unwrap();
        let value = |step: usize| past.values().get((first + step).checked_sub(self.1)?).copied().flatten();
        (0..horizon.steps).map(|step| value(step).map(Belief::certain)).collect()
    }
}

impl Method for Cheat {
    fn name(&self) -> &'static str {
        "cheat"
    }
    fn fit(&self, _: &Past<'_>) -> Result<Box<dyn Fitted>, CannotFit> {
        Ok(Box::new(Cheat(self.0.clone())))
    }
}

impl Fitted for Cheat {
    fn predict(&self, _: &Past<'_>, horizon: Horizon) -> Vec<Option<Belief>> {
        let first = usize::try_from((horizon.start - self.0.start).num_hours()).unwrap();
        (0..horizon.steps).map(|step| self.0.values.get(first + step).copied().flatten().map(Belief::certain)).collect()
    }
}

impl Method for Never {
    fn name(&self) -> &'static str {
        "never"
    }
    fn fit(&self, _: &Past<'_>) -> Result<Box<dyn Fitted>, CannotFit> {
        Err(CannotFit { method: "never", needs: "more".to_owned(), has: "less".to_owned() })
    }
}

/// A clock that ticks a second each time it is read, and a hand that stops after so many forecasts.
struct Hand {
    ticks: AtomicUsize,
    stop_after: usize,
    stopped: AtomicBool,
}

impl Hand {
    fn stopping_after(forecasts: usize) -> Self {
        Hand { ticks: AtomicUsize::new(0), stop_after: forecasts, stopped: AtomicBool::new(false) }
    }
}

impl Watch for Hand {
    fn elapsed_s(&self) -> f64 {
        self.ticks.fetch_add(1, Ordering::Relaxed) as f64
    }
    fn cancelled(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
    fn progress(&self, done: usize, all: usize) {
        assert!(done <= all);
        if done >= self.stop_after {
            self.stopped.store(true, Ordering::Relaxed);
        }
    }
}

/// Hours of ten days: the number of the day, with a gap on the last.
fn days() -> Series {
    let value = |hour: u32| if hour == 230 { None } else { Some(f64::from(hour / 24 + 1)) };
    Series { start: DateTime::UNIX_EPOCH, step: TimeDelta::hours(1), values: (0..240).map(value).collect() }
}

fn day(n: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(n)
}

fn settings() -> Settings {
    Settings {
        from: day(4),
        until: day(9),
        origins: Origins::midnights(),
        horizon: TimeDelta::hours(48),
        refit: TimeDelta::days(2),
    }
}

fn baseline(method: &dyn Method) -> Entrant<'_> {
    Entrant { method, baseline: true }
}

#[test]
fn figures_by_day_ahead() {
    let history = History::new(days(), chrono_tz::UTC);
    // Two days ago: two days ahead it is the last known day, two off, and so it is one day ahead.
    let (two, four, never) = (Lag("two days ago", 48), Lag("four days ago", 96), Never);
    let entrants = [Entrant { method: &two, baseline: false }, baseline(&four), baseline(&never)];
    let run = run(&history, &entrants, &settings(), &Hand::stopping_after(usize::MAX));
    assert_eq!(run.origins.len(), 5);
    let report = score(&history, &run, Scale::Given(4.0), "four days ago");
    assert_eq!(report.left_out.len(), 1);
    assert_eq!(report.left_out[0].why, "never needs more, and has less");
    assert_eq!(report.methods.len(), 2);
    let (model, naive) = (&report.methods[0], &report.methods[1]);
    // Five origins; the last day has a gap, which the last of them runs into, on its second day.
    assert_eq!((model.lead_days[0].n, model.lead_days[1].n, model.all.n), (120, 119, 239));
    assert!((model.all.mae - 2.0).abs() < 1e-12 && (model.all.nmae - 0.5).abs() < 1e-12);
    assert!((naive.all.mae - 4.0).abs() < 1e-12);
    assert!((model.all.skill.unwrap() - 0.5).abs() < 1e-12);
    assert!((naive.all.skill.unwrap()).abs() < 1e-12);
    assert_eq!(model.lead_hours.len(), 48);
    assert_eq!(model.days.len(), 5);
    assert!(model.below.iter().all(|share| *share == 0.0), "the series only rises");
    // Three fits of a tick each.
    assert_eq!(run.trials[0].fit_s.len(), 3);
    assert!(run.trials[0].predict_s.iter().all(|seconds| *seconds >= 1.0));
    assert_eq!(drift::judge(&report, "two days ago").unwrap().uses, "two days ago");
}

#[test]
fn stopped_early_it_scores_what_is_done() {
    let history = History::new(days(), chrono_tz::UTC);
    let (one, two) = (Lag("one", 48), Lag("two", 72));
    let run = run(&history, &[baseline(&one), baseline(&two)], &settings(), &Hand::stopping_after(4));
    assert!(run.cancelled);
    let report = score(&history, &run, Scale::MeanTruth, "one");
    assert!(report.cancelled);
    let nothing =
        score(&History::new(Series { values: Vec::new(), ..days() }, chrono_tz::UTC), &run, Scale::MeanTruth, "one");
    assert!(nothing.methods.is_empty() && nothing.left_out.len() == 2);
}

#[test]
fn an_honest_method_passes_the_test_of_leakage() {
    leakage::assert_none(&Lag("two days ago", 48), &days(), day(5), |series| History::new(series, chrono_tz::UTC));
}

#[test]
#[should_panic(expected = "looks ahead")]
fn a_method_that_cheats_does_not() {
    // It reads the history it is given, all of it: the test must notice.
    struct Peek;
    impl Method for Peek {
        fn name(&self) -> &'static str {
            "peek"
        }
        fn fit(&self, past: &Past<'_>) -> Result<Box<dyn Fitted>, CannotFit> {
            let later = past.values().last().copied().flatten();
            Ok(Box::new(Cheat(Series { values: vec![later; 240], ..days() })))
        }
    }
    // Known a day before they happen.
    let known = (0..240).map(|hour| day(-1) + TimeDelta::hours(hour)).collect::<Vec<_>>();
    leakage::assert_none(&Peek, &days(), day(5), |series| {
        History::new(series, chrono_tz::UTC).with_published(kwartier_data::history::Published::At(known.clone()))
    });
}

/// Fifteen weeks of hours: days and weeks, a trend, and something without rhythm.
fn building() -> Series {
    let value = |k: u32| {
        let (hour, day) = (k % 24, k / 24);
        let works = day % 7 < 5 && (8..18).contains(&hour);
        Some(10.0 + f64::from(day) / 20.0 + if works { 30.0 } else { 0.0 } + f64::from(k * 7919 % 97) / 20.0)
    };
    // A Monday.
    let start = DateTime::UNIX_EPOCH + TimeDelta::days(4);
    Series { start, step: TimeDelta::hours(1), values: (0..15 * 168).map(value).collect() }
}

#[test]
fn no_method_for_loads_and_prices_looks_ahead() {
    let series = building();
    let origin = series.start + TimeDelta::days(12 * 7 + 2);
    for method in [load::method(), naive::last_week(), naive::last_day(), naive::similar_days(), naive::mean_day()] {
        leakage::assert_none(&*method, &series, origin, |series| {
            History::new(series, chrono_tz::Europe::Amsterdam).with_holidays(vec![origin.date_naive()])
        });
    }
}

#[test]
fn no_method_for_pv_looks_ahead() {
    // Nine weeks of hours in May and June at 52° north: a bow by day, lower by chance.
    let value = |k: u32| {
        let hour = f64::from(k % 24);
        let bow = (std::f64::consts::PI * (hour - 4.0) / 16.0).sin().max(0.0);
        Some(if (4.0..20.0).contains(&hour) { 8.0 * bow * (0.3 + f64::from(k / 5 * 7919 % 71) / 100.0) } else { 0.0 })
    };
    let start: DateTime<Utc> = "2023-04-24T00:00:00Z".parse().unwrap();
    let series = Series { start, step: TimeDelta::hours(1), values: (0..9 * 168).map(value).collect() };
    let position = Some(Position { latitude_deg: 52.0, longitude_deg: 5.0 });
    for plant in [PvPlant { position, peak_kw: Some(9.0) }, PvPlant::default()] {
        leakage::assert_none(&*pv::clear_sky(plant), &series, start + TimeDelta::days(50), |series| {
            History::new(series, chrono_tz::Europe::Amsterdam)
        });
    }
}
