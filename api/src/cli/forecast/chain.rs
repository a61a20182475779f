//! From a history to what is believed of quarter-hours: the one way, for a forecast and for a plan alike.

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::forecast::Belief;
use kwartier_data::history::Past;
use kwartier_forecast::method::Horizon;

use super::model::{self, Chosen};
use super::quarters::Quarters;
use crate::cli::failure::Failure;
use crate::cli::history::{Kind, Known};
use crate::cli::methods::Methods;

/// The longest horizon: beyond two weeks there is nothing to be said but what the season is.
pub const LONGEST: TimeDelta = TimeDelta::days(15);

/// What is forecast, and when and how.
pub struct Wanted<'a> {
    /// What.
    pub kind: Kind,
    /// What is known ends here.
    pub at: DateTime<Utc>,
    /// How far ahead.
    pub length: TimeDelta,
    /// The saved model to use instead of fitting one.
    pub model: Option<&'a Path>,
    /// What to do about too little history.
    pub remedy: &'a str,
}

/// Fits or loads, and predicts. Which method it was, and of what nothing can be said, stands in the notes.
pub fn believe<'m>(
    methods: &'m Methods,
    known: &Known,
    wanted: &Wanted<'_>,
    notes: &mut Vec<String>,
) -> Result<(Chosen<'m>, Quarters), Failure> {
    let past = known.history.as_of(wanted.at);
    let chosen = match wanted.model {
        Some(path) => model::load(path, methods, wanted.kind, &past, notes)?,
        None => model::fit(methods, wanted.remedy, &past, notes)?,
    };
    let horizon = Horizon::from_origin(&past, wanted.length);
    let beliefs = beliefs(&chosen, methods, &past, horizon);
    let quarters = Quarters::of(&beliefs, horizon, past.step(), wanted.at, wanted.length);
    if quarters.unknown() > 0 {
        notes.push(format!(
            "nothing can be said of {} of {} quarter-hours",
            quarters.unknown(),
            quarters.beliefs.len()
        ));
    }
    Ok((chosen, quarters))
}

/// What the chosen method believes, and where it says nothing, what an obvious guess does.
fn beliefs(chosen: &Chosen<'_>, methods: &Methods, past: &Past<'_>, horizon: Horizon) -> Vec<Option<Belief>> {
    let mut beliefs = chosen.fitted.predict(past, horizon);
    for guess in methods.baselines.iter().rev().chain(&methods.prior) {
        if beliefs.iter().all(Option::is_some) {
            break;
        }
        let Ok(fitted) = guess.fit(past) else { continue };
        for (belief, guessed) in beliefs.iter_mut().zip(fitted.predict(past, horizon)) {
            *belief = belief.or(guessed);
        }
    }
    beliefs
}
