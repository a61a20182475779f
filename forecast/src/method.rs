//! What every method of forecasting is: fitted on a past, it predicts from a past.

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::forecast::Belief;
use kwartier_data::history::Past;
use thiserror::Error;

use crate::standing::Standing;

/// Which intervals to predict, on the grid of the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Horizon {
    /// Beginning of the first interval: that of the interval of the grid in which the origin lies, or later.
    pub start: DateTime<Utc>,
    /// How many intervals.
    pub steps: usize,
}

impl Horizon {
    /// So long from the origin of a past on, rounded up to whole intervals of its grid.
    pub fn from_origin(past: &Past<'_>, length: TimeDelta) -> Self {
        let step_s = past.step().num_seconds().max(1);
        let since_s = (past.at() - past.start()).num_seconds();
        let first = since_s.div_euclid(step_s);
        let last = (since_s + length.num_seconds() + step_s - 1).div_euclid(step_s);
        Horizon {
            start: past.start() + TimeDelta::seconds(first * step_s),
            steps: usize::try_from(last - first).unwrap_or(0),
        }
    }
}

/// Why a method cannot be fitted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{method} needs {needs}, and has {has}")]
pub struct CannotFit {
    /// The method.
    pub method: &'static str,
    /// What it needs, such as "14 days of history".
    pub needs: String,
    /// What there is.
    pub has: String,
}

/// A method of forecasting a series on a grid.
pub trait Method: Sync {
    /// What it is called in tables.
    fn name(&self) -> &'static str;

    /// Fits it on what is known at the origin of `past`.
    ///
    /// # Errors
    ///
    /// [`CannotFit`] where the history is too short for it.
    fn fit(&self, past: &Past<'_>) -> Result<Box<dyn Fitted>, CannotFit>;

    /// The fitted method that [`Fitted::save`] wrote.
    ///
    /// # Errors
    ///
    /// What is wrong with it; also of a method whose fits are not kept.
    fn restore(&self, _saved: serde_json::Value) -> Result<Box<dyn Fitted>, String> {
        Err(format!("{} keeps nothing", self.name()))
    }
}

/// A fitted method.
pub trait Fitted: Send + Sync {
    /// One belief for each interval of `horizon`, from what is known at the origin of `past`, which may be later than the
    /// one it was fitted on; `None` where nothing can be said.
    fn predict(&self, past: &Past<'_>, horizon: Horizon) -> Vec<Option<Belief>>;

    /// What [`Method::restore`] makes the same of again; `None` where fits are not kept, because fitting is cheap.
    fn save(&self) -> Option<serde_json::Value> {
        None
    }

    /// Learns anew from a later past what is learnt from how good forecasts were: which parts count how much, how wide bands
    /// are, whether the obvious guesses are better. What is fitted stays as it is, which makes this a small part of a fit.
    fn refresh(&mut self, _past: &Past<'_>) {}

    /// How it did against the obvious guesses on days that were held back when it was fitted or refreshed; where it did not beat
    /// them, it says what the best of them does. `None` where nothing was held back or the days were too few.
    fn standing(&self) -> Option<&Standing> {
        None
    }
}
