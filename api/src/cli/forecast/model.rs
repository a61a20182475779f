//! The fitted method behind a forecast: fitted now, or saved before; and saved for later.

use std::path::Path;

use chrono::Utc;
use kwartier_data::history::Past;
use kwartier_forecast::method::{Fitted, Method};
use kwartier_forecast::saved::Saved;

use crate::cli::failure::Failure;
use crate::cli::history::Kind;
use crate::cli::input;
use crate::cli::methods::Methods;
use crate::cli::output::Destination;

/// A fitted method with its name.
pub struct Chosen<'m> {
    /// The method.
    pub method: &'m dyn Method,
    /// What was fitted.
    pub fitted: Box<dyn Fitted>,
}

/// Fits the model, or the best obvious guess for which there is enough, or what is usual at such sites; what could not be
/// fitted stands in the notes. `remedy` says what to do where there is too little for any.
pub fn fit<'m>(
    methods: &'m Methods,
    remedy: &str,
    past: &Past<'_>,
    notes: &mut Vec<String>,
) -> Result<Chosen<'m>, Failure> {
    let guesses = methods.baselines.iter().rev().chain(&methods.prior);
    let all = std::iter::once(&methods.model).chain(guesses);
    let mut why_not = Vec::new();
    for method in all {
        match method.fit(past) {
            Ok(fitted) => {
                if !why_not.is_empty() {
                    notes.push(format!("{}: using {}", why_not.join("; "), method.name()));
                }
                notes.extend(fitted.standing().map(ToString::to_string));
                return Ok(Chosen { method: &**method, fitted });
            }
            Err(cannot) => why_not.push(cannot.to_string()),
        }
    }
    why_not.dedup();
    let what = format!("there is not enough history for any method; {remedy}");
    Err(Failure::Unfit { what, findings: why_not.join("\n") })
}

/// The saved model of a file. Where more is known than when it was saved, weights and bands are those of now.
pub fn load<'m>(
    path: &Path,
    methods: &'m Methods,
    kind: Kind,
    past: &Past<'_>,
    notes: &mut Vec<String>,
) -> Result<Chosen<'m>, Failure> {
    let unusable =
        |fault: kwartier_forecast::saved::Unusable| Failure::Arguments(format!("the model {} {fault}", path.display()));
    let saved = Saved::parse(&input::bytes(path)?).map_err(unusable)?;
    if !saved.knows(past) {
        notes.push(format!("the model {} was fitted on another history than the one given", path.display()));
    }
    let trained_until = saved.trained_until;
    let mut fitted = saved.restore(&*methods.model, kind.name(), past).map_err(unusable)?;
    if trained_until < past.at() {
        fitted.refresh(past);
    }
    notes.extend(fitted.standing().map(ToString::to_string));
    Ok(Chosen { method: &*methods.model, fitted })
}

/// Saves a fitted method.
pub fn save(
    place: &Destination,
    chosen: &Chosen<'_>,
    kind: Kind,
    past: &Past<'_>,
    notes: &mut Vec<String>,
) -> Result<(), Failure> {
    let version = env!("CARGO_PKG_VERSION");
    let Some(saved) = Saved::of(&*chosen.fitted, chosen.method, kind.name(), past, version, Utc::now()) else {
        notes.push(format!("no model is saved: {} keeps none and is fitted anew each time", chosen.method.name()));
        return Ok(());
    };
    let mut content = serde_json::to_vec(&saved).map_err(|fault| Failure::Internal(fault.to_string()))?;
    content.push(b'\n');
    place.write(&content)
}
