//! The members of a series mixed by their own recent past, and the mixture calibrated.

use kwartier_data::forecast::{Belief, LEVELS};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Member, Recipe};
use crate::calibrate::{Calibration, LEADS, Scored, part_of};
use crate::grid::Grid;
use crate::mix::{self, Told};

/// Mixes what its members believe.
pub(crate) struct Combined {
    pub members: Vec<Box<dyn Recipe>>,
}

/// Days that are held back to see how good the members are: eight weeks, a quarter of a short history.
const HELD_BACK_DAYS: usize = 56;

/// The least history to hold something back from.
const LEAST_DAYS: usize = 10;

/// After how many days a past error counts half in the choice of weights.
const HALF_LIFE_DAYS: f64 = 28.0;

/// The least width of a band, in spreads, that corrections are relative to.
const LEAST_WIDTH: f64 = 0.02;

pub(crate) struct FittedCombined {
    /// With their places among the recipes.
    members: Vec<(usize, Box<dyn Member>)>,
    /// By day ahead, one weight for each member.
    weights: [Vec<f64>; LEADS],
    calibration: Calibration,
    /// Nothing is ever below, such as 0 for a load that never fed in.
    least: f64,
}

/// A fitted mixture as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    members: Vec<(usize, Value)>,
    weights: [Vec<f64>; LEADS],
    calibration: Calibration,
    never_negative: bool,
}

impl Recipe for Combined {
    fn name(&self) -> &'static str {
        "combined"
    }

    fn least_days(&self) -> usize {
        LEAST_DAYS
    }

    fn fit(&self, grid: &Grid<'_>, known: usize) -> Option<Box<dyn Member>> {
        let days = known / grid.per_day;
        if days < LEAST_DAYS {
            return None;
        }
        let held_back = HELD_BACK_DAYS.min(days / 4);
        let before = grid.calendar.back(known, held_back)?;
        // Only who could show itself takes part: fitted on what was known before the days held back, and on all.
        let (mut shown, mut members) = (Vec::new(), Vec::new());
        for (place, recipe) in self.members.iter().enumerate() {
            let Some(early) = recipe.fit(grid, before) else { continue };
            let Some(late) = recipe.fit(grid, known) else { continue };
            shown.push(early);
            members.push((place, late));
        }
        if members.is_empty() {
            return None;
        }
        let told = tell(grid, known, held_back, &shown);
        let weights = [0, 1].map(|lead| {
            let of_lead: Vec<&Told> = told.iter().filter(|one| one.lead == lead).map(|one| &one.told).collect();
            mix::weights(&of_lead, members.len())
        });
        let least_value = (0..known).filter_map(|index| grid.value(index, known)).fold(f64::INFINITY, f64::min);
        let scored: Vec<Scored> = told
            .iter()
            .map(|one| Scored {
                belief: mix::mixed(&one.told.beliefs, &weights[one.lead]),
                truth: one.told.truth,
                part: one.part,
                lead: one.lead,
                age_days: one.age_days,
            })
            .collect();
        let spread = super::spread::Standard::of(grid, known)?.spread;
        let calibration = Calibration::proven(&scored, LEAST_WIDTH * spread);
        Some(Box::new(FittedCombined { members, weights, calibration, least: least(least_value >= 0.0) }))
    }

    fn restore(&self, saved: Value) -> Option<Box<dyn Member>> {
        let kept: Kept = serde_json::from_value(saved).ok()?;
        let restored = |(place, saved): (usize, Value)| Some((place, self.members.get(place)?.restore(saved)?));
        let members: Vec<(usize, Box<dyn Member>)> = kept.members.into_iter().map(restored).collect::<Option<_>>()?;
        if members.is_empty() || kept.weights.iter().any(|weights| weights.len() != members.len()) {
            return None;
        }
        let least = least(kept.never_negative);
        Some(Box::new(FittedCombined { members, weights: kept.weights, calibration: kept.calibration, least }))
    }
}

/// What nothing is ever below.
fn least(never_negative: bool) -> f64 {
    if never_negative { 0.0 } else { f64::NEG_INFINITY }
}

/// What members believed of an interval of the time held back.
struct Shown {
    told: Told,
    part: usize,
    lead: usize,
    age_days: f64,
}

/// Lets members forecast each of the last `days` days from the day before.
fn tell(grid: &Grid<'_>, known: usize, days: usize, members: &[Box<dyn Member>]) -> Vec<Shown> {
    let mut shown = Vec::new();
    for (ago, origin) in grid.daily_origins(known, days).into_iter().enumerate() {
        let indices: Vec<usize> = (origin..(origin + 2 * grid.per_day).min(known)).collect();
        let beliefs: Vec<Vec<Option<Belief>>> =
            members.iter().map(|member| member.predict(grid, origin, &indices)).collect();
        let age_days = ago as f64;
        for (k, &index) in indices.iter().enumerate() {
            let Some(truth) = grid.value(index, known) else { continue };
            let all: Option<Vec<[f64; LEVELS.len()]>> =
                beliefs.iter().map(|of| of.get(k).copied().flatten().map(|belief| belief.quantiles)).collect();
            let Some(beliefs) = all else { continue };
            let weight = 0.5_f64.powf(age_days / HALF_LIFE_DAYS);
            let (part, lead) = place(grid, origin, index);
            shown.push(Shown { told: Told { beliefs, truth, weight }, part, lead, age_days });
        }
    }
    shown
}

/// Part of the day and day ahead of an interval.
fn place(grid: &Grid<'_>, known: usize, index: usize) -> (usize, usize) {
    let part = part_of(grid.calendar.moment(index).of_day_s);
    (part, (index.saturating_sub(known) / grid.per_day).min(LEADS - 1))
}

impl Member for FittedCombined {
    fn predict(&self, grid: &Grid<'_>, known: usize, indices: &[usize]) -> Vec<Option<Belief>> {
        let beliefs: Vec<Vec<Option<Belief>>> =
            self.members.iter().map(|(_, member)| member.predict(grid, known, indices)).collect();
        let one = |(k, &index): (usize, &usize)| {
            let (part, lead) = place(grid, known, index);
            let mut told = Vec::with_capacity(beliefs.len());
            let mut weights = Vec::with_capacity(beliefs.len());
            for (of, weight) in beliefs.iter().zip(&self.weights[lead]) {
                if let Some(belief) = of.get(k).copied().flatten() {
                    told.push(belief.quantiles);
                    weights.push(*weight);
                }
            }
            let sum: f64 = weights.iter().sum();
            if sum <= 0.0 {
                return None;
            }
            for weight in &mut weights {
                *weight /= sum;
            }
            let mixed = mix::mixed(&told, &weights);
            Some(self.calibration.apply(&mixed, part, lead).clamped(self.least, f64::INFINITY))
        };
        indices.iter().enumerate().map(one).collect()
    }

    fn save(&self) -> Option<Value> {
        let members = self.members.iter().map(|(place, member)| Some((*place, member.save()?)));
        let kept = Kept {
            members: members.collect::<Option<_>>()?,
            weights: self.weights.clone(),
            calibration: self.calibration.clone(),
            never_negative: self.least >= 0.0,
        };
        serde_json::to_value(kept).ok()
    }
}
