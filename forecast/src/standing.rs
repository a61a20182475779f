//! How a model did against the obvious guesses on days that were held back from it: whether it is worth using.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The least days by which a model is judged: one of each weekday. On fewer, chance would judge.
pub(crate) const LEAST_DAYS: usize = 7;

/// A model against the best of the obvious guesses, on the latest days of which it knew nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// The guess that lost least on these days.
    pub guess: String,
    /// How many days.
    pub days: usize,
    /// By how much the model's pinball loss is below that of the guess, as a fraction of it.
    pub skill: f64,
}

impl Standing {
    /// From the pinball loss of the model over some days, and those of the guesses; `None` where the days are too few or
    /// there is no guess.
    pub(crate) fn of<'g>(days: usize, model_loss: f64, guesses: impl Iterator<Item = (&'g str, f64)>) -> Option<Self> {
        let (guess, loss) = guesses.min_by(|a, b| a.1.total_cmp(&b.1))?;
        let skill = if loss > 0.0 { 1.0 - model_loss / loss } else { 0.0 };
        (days >= LEAST_DAYS).then(|| Standing { guess: guess.to_owned(), days, skill })
    }

    /// Whether the model is used. One that is as good as the guess is not worth the trouble, unless both are perfect.
    pub fn beats(&self) -> bool {
        self.skill > 0.0
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Standing { guess, days, skill } = self;
        let percent = 100.0 * skill.abs();
        if self.beats() {
            write!(
                f,
                "on the last {days} days, held back, the model loses {percent:.0} % less than {guess}, the best obvious guess"
            )
        } else {
            let by = if percent < 0.5 { String::new() } else { format!(" (it loses {percent:.0} % more)") };
            write!(f, "on the last {days} days, held back, the model does not beat {guess}{by}: using {guess}")
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use super::*;

    #[test]
    fn the_best_guess_is_what_counts_and_what_is_said() {
        let of =
            |days, model_loss| Standing::of(days, model_loss, [("last week", 2.0), ("yesterday", 1.0)].into_iter());
        let better = of(28, 0.75).unwrap();
        assert!(better.beats());
        assert_eq!(
            better.to_string(),
            "on the last 28 days, held back, the model loses 25 % less than yesterday, the best obvious guess"
        );
        let worse = of(7, 1.1).unwrap();
        assert!(!worse.beats());
        assert_eq!(
            worse.to_string(),
            "on the last 7 days, held back, the model does not beat yesterday (it loses 10 % more): using yesterday"
        );
        assert!(!of(7, 1.0).unwrap().beats());
        assert_eq!(of(6, 0.5), None);
        assert_eq!(Standing::of(28, 0.5, std::iter::empty()), None);
    }
}
