//! Whether a model still earns its place: its loss of late against its own loss before, and against the obvious guesses.

use std::fmt;

use serde::Serialize;

use super::score::{DayLoss, MethodScores, Report};

/// How many days are "of late": two of each weekday, so that one odd day does not decide.
const RECENT_DAYS: usize = 14;

/// The least number of days before those of late from which a level can be told: the same again.
const EARLIER_DAYS: usize = 14;

/// A model has drifted when its loss grew by this much more than that of the obvious guesses did. Weather and holidays hit
/// both; what is left is the model's. The figure is a choice, not measured.
const DRIFT: f64 = 1.3;

/// When even the obvious guesses lose this much more than before, the site has changed.
const HARDER: f64 = 1.5;

/// What is to be said of a model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// The model.
    pub model: String,
    /// The best of the obvious guesses, of late.
    pub best_baseline: String,
    /// How many forecasts "of late" are.
    pub recent: usize,
    /// By how much the model's pinball loss is below that of the best obvious guess, of late, as a fraction of it.
    pub skill: f64,
    /// Which of both should be used.
    pub uses: String,
    /// The model's loss of late by its loss before; `None` where there is no before.
    pub model_ratio: Option<f64>,
    /// The same of the best obvious guess.
    pub baseline_ratio: Option<f64>,
    /// Whether the model lost its grip: its loss grew and that of the obvious guess did not as much.
    pub drifted: bool,
}

/// Judges a model by a backtest; `None` where it was not scored, nothing else was, or no day was.
pub fn judge(report: &Report, model: &str) -> Option<Verdict> {
    let model = report.methods.iter().find(|method| method.name == model)?;
    let baselines = report.methods.iter().filter(|method| method.baseline && method.name != model.name);
    let late = |method: &MethodScores| mean(method.days.iter().rev().take(RECENT_DAYS));
    let best = baselines.filter_map(|method| Some((late(method)?, method))).min_by(|a, b| a.0.total_cmp(&b.0));
    let ((baseline_loss, baseline), model_loss) = (best?, late(model)?);
    let skill = if baseline_loss > 0.0 { 1.0 - model_loss / baseline_loss } else { 0.0 };
    let ratio = |method: &MethodScores| {
        let (earlier, recent) = method.days.split_at(method.days.len().saturating_sub(RECENT_DAYS));
        let before = mean(earlier.iter()).filter(|before| earlier.len() >= EARLIER_DAYS && *before > 0.0)?;
        Some(mean(recent.iter())? / before)
    };
    let (model_ratio, baseline_ratio) = (ratio(model), ratio(baseline));
    // A model that is as good as the guess is no reason for the trouble.
    let beats = model_loss < baseline_loss;
    Some(Verdict {
        model: model.name.clone(),
        best_baseline: baseline.name.clone(),
        recent: model.days.len().min(RECENT_DAYS),
        skill,
        uses: if beats { model.name.clone() } else { baseline.name.clone() },
        model_ratio,
        baseline_ratio,
        drifted: model_ratio.zip(baseline_ratio).is_some_and(|(own, other)| own > 1.0 && own > DRIFT * other),
    })
}

/// The mean loss of an interval over some days.
fn mean<'d>(days: impl Iterator<Item = &'d DayLoss>) -> Option<f64> {
    let (sum, n) = days.fold((0.0, 0), |(sum, n), day| (sum + day.pinball * day.n as f64, n + day.n));
    (n > 0).then(|| sum / n as f64)
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Verdict { model, best_baseline, recent, .. } = self;
        let percent = 100.0 * self.skill.abs();
        let days = if *recent == 1 { "forecast".to_owned() } else { format!("{recent} forecasts") };
        if self.uses == *model {
            write!(
                f,
                "Over the last {days} {model} loses {percent:.0} % less than {best_baseline}, the best obvious guess."
            )?;
        } else {
            let by = if percent < 0.5 { String::new() } else { format!(" (it loses {percent:.0} % more)") };
            write!(f, "Over the last {days} {model} does not beat {best_baseline}{by}: using {best_baseline}.")?;
        }
        let (Some(own), Some(other)) = (self.model_ratio, self.baseline_ratio) else { return Ok(()) };
        if self.drifted {
            write!(
                f,
                " It has drifted: its loss is {own:.1} times what it was, that of {best_baseline} {other:.1} times; fit it \
                 anew, and look at what changed on site."
            )
        } else if own > HARDER && other > HARDER {
            write!(
                f,
                " Both lose more than before ({own:.1} and {other:.1} times): the site has become harder to foresee."
            )
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {

    use chrono::{DateTime, TimeDelta};

    use super::*;
    use crate::backtest::score::Times;
    use crate::metrics::Tally;

    fn method(name: &str, baseline: bool, losses: &[f64]) -> MethodScores {
        let day = |(k, &pinball): (usize, &f64)| DayLoss {
            origin: DateTime::UNIX_EPOCH + TimeDelta::days(i64::try_from(k).unwrap()),
            n: 96,
            pinball,
        };
        MethodScores {
            name: name.to_owned(),
            baseline,
            all: Tally::default().scores(1.0),
            lead_days: Vec::new(),
            lead_hours: Vec::new(),
            below: [0.0; 7],
            days: losses.iter().enumerate().map(day).collect(),
            fit_s: Times::default(),
            predict_s: Times::default(),
        }
    }

    fn verdict(model: &[f64], week: &[f64], yesterday: &[f64]) -> Verdict {
        let methods =
            vec![method("model", false, model), method("last week", true, week), method("yesterday", true, yesterday)];
        let report = Report {
            first_origin: None,
            last_origin: None,
            origins: model.len(),
            step_minutes: 15.0,
            scale: 1.0,
            cancelled: false,
            methods,
            left_out: Vec::new(),
        };
        judge(&report, "model").unwrap()
    }

    #[test]
    fn a_model_that_beats_the_best_guess_is_used() {
        let verdict = verdict(&[0.6; 40], &[1.0; 40], &[0.8; 40]);
        assert_eq!((verdict.uses.as_str(), verdict.best_baseline.as_str()), ("model", "yesterday"));
        assert!((verdict.skill - 0.25).abs() < 1e-12 && !verdict.drifted);
        let said = "Over the last 14 forecasts model loses 25 % less than yesterday, the best obvious guess.";
        assert_eq!(verdict.to_string(), said);
    }

    #[test]
    fn a_model_that_does_not_is_not() {
        let verdict = verdict(&[1.1; 5], &[1.0; 5], &[1.2; 5]);
        assert_eq!(verdict.model_ratio, None);
        let said = "Over the last 5 forecasts model does not beat last week (it loses 10 % more): using last week.";
        assert_eq!(verdict.to_string(), said);
    }

    #[test]
    fn a_model_that_gets_worse_alone_has_drifted() {
        let grown: Vec<f64> = (0..40).map(|k| if k < 26 { 0.5 } else { 0.9 }).collect();
        let drifted = verdict(&grown, &[1.0; 40], &[1.2; 40]);
        assert!(drifted.drifted && drifted.to_string().contains("its loss is 1.8 times what it was"), "{drifted}");
        let harder = verdict(&grown, &grown.iter().map(|loss| loss * 1.5).collect::<Vec<_>>(), &[9.0; 40]);
        assert!(!harder.drifted && harder.to_string().contains("harder to foresee"), "{harder}");
    }
}
