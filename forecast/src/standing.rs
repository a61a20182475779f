//! How a model did against the obvious guesses on days that were held back from it: whether it is worth using.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The least days by which a model is judged: one of each weekday. On fewer, chance would judge.
pub(crate) const LEAST_DAYS: usize = 7;

/// How many standard errors of the mean a guess has to be better by. One day in twenty chance would do as much; a guess that is
/// used by chance costs more than a model that is used a while too long.
const CLEARLY: f64 = 1.65;

/// A model against the best of the obvious guesses, on the latest days of which it knew nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// The guess that lost least on these days.
    pub guess: String,
    /// How many days.
    pub days: usize,
    /// By how much the model's pinball loss is below that of the guess, as a fraction of it.
    pub skill: f64,
    /// Whether the model is used: the guess is not better by more than chance makes it.
    pub uses_model: bool,
}

impl Standing {
    /// From the pinball losses of the model, day by day, and those of the guesses; `None` where the days are too few or there is
    /// no guess.
    pub(crate) fn of(model: &[f64], guesses: &[(&str, Vec<f64>)]) -> Option<Self> {
        let sum = |losses: &[f64]| losses.iter().sum::<f64>();
        let (guess, losses) = guesses.iter().min_by(|a, b| sum(&a.1).total_cmp(&sum(&b.1)))?;
        let days = model.len();
        if days < LEAST_DAYS {
            return None;
        }
        let (own, other) = (sum(model), sum(losses));
        let skill = if other > 0.0 { 1.0 - own / other } else { 0.0 };
        let count = days as f64;
        let mean = (own - other) / count;
        let differences = model.iter().zip(losses).map(|(model, guess)| (model - guess - mean).powi(2));
        let error = (differences.sum::<f64>() / (count - 1.0) / count).sqrt();
        Some(Standing { guess: (*guess).to_owned(), days, skill, uses_model: mean < CLEARLY * error })
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Standing { guess, days, skill, uses_model } = self;
        let percent = 100.0 * skill.abs();
        write!(f, "on the last {days} days, held back, ")?;
        let by = if percent < 0.5 { String::new() } else { format!(" (it loses {percent:.0} % more)") };
        match (uses_model, *skill > 0.0) {
            (true, true) => write!(f, "the model loses {percent:.0} % less than {guess}, the best obvious guess"),
            (true, false) => write!(f, "the model was no better than {guess}{by}, which may be chance"),
            (false, _) => write!(f, "the model does not beat {guess}{by}: using {guess}"),
        }
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn the_best_guess_is_what_counts_and_what_is_said() {
        let of = |model: &[f64]| {
            let days = model.len();
            Standing::of(model, &[("last week", vec![2.0; days]), ("yesterday", vec![1.0; days])])
        };
        let said = |model: &[f64]| of(model).unwrap().to_string();
        assert!(of(&[0.75; 28]).unwrap().uses_model);
        let better = "on the last 28 days, held back, the model loses 25 % less than yesterday, the best obvious guess";
        assert_eq!(said(&[0.75; 28]), better);
        let worse =
            "on the last 7 days, held back, the model does not beat yesterday (it loses 10 % more): using yesterday";
        assert_eq!(said(&[1.1; 7]), worse);
        // As good, every day: not worth the trouble.
        assert!(!of(&[1.0; 7]).unwrap().uses_model);
        // A little worse over all, and better as often as worse.
        let even: Vec<f64> = (0..14).map(|day| if day % 2 == 0 { 1.5 } else { 0.6 }).collect();
        let chance = "on the last 14 days, held back, the model was no better than yesterday (it loses 5 % more), which may be chance";
        assert_eq!(said(&even), chance);
        assert_eq!(of(&[0.5; 6]), None);
        assert_eq!(Standing::of(&[0.5; 28], &[]), None);
    }
}
