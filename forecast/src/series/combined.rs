//! The members of a series mixed by their own recent past, and the mixture calibrated.

use kwartier_data::forecast::{Belief, LEVELS};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Member, Recipe};
use crate::calibrate::{Calibration, LEADS, Scored, part_of};
use crate::grid::Grid;
use crate::metrics::mean_pinball;
use crate::mix::{self, Told};
use crate::standing::Standing;

/// Mixes what its members believe.
pub(crate) struct Combined {
    /// The obvious guesses, which the mixture has to beat.
    pub guesses: Vec<Box<dyn Recipe>>,
    /// What learns.
    pub learners: Vec<Box<dyn Recipe>>,
}

/// Days that are held back to see how good the members are: eight weeks, a quarter of a short history.
const HELD_BACK_DAYS: usize = 56;

/// The least history to hold something back from.
const LEAST_DAYS: usize = 10;

/// After how many days a past error counts half in the choice of weights.
const HALF_LIFE_DAYS: f64 = 28.0;

/// The least width of a band, in spreads, that corrections are relative to.
const LEAST_WIDTH: f64 = 0.02;

/// A fitted mixture.
struct FittedCombined {
    members: Vec<Taking>,
    learnt: Learnt,
}

/// A member that takes part.
struct Taking {
    /// Its place among the recipes.
    place: usize,
    /// Its name, where it is an obvious guess.
    guess: Option<&'static str>,
    /// Fitted on what was known before the days held back: it shows how good the member is.
    early: Box<dyn Member>,
    /// Fitted on all.
    late: Box<dyn Member>,
}

/// What is learnt from how good the members were.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Learnt {
    /// By day ahead, one weight for each member.
    weights: [Vec<f64>; LEADS],
    calibration: Calibration,
    /// Whether no value was ever below 0, as of a load that never fed in.
    never_negative: bool,
    standing: Option<Standing>,
}

/// A fitted mixture as it is kept: places with early and late fits.
#[derive(Serialize, Deserialize)]
struct Kept {
    members: Vec<(usize, Value, Value)>,
    #[serde(flatten)]
    learnt: Learnt,
}

impl Combined {
    fn recipes(&self) -> impl Iterator<Item = &dyn Recipe> {
        self.guesses.iter().chain(&self.learners).map(|recipe| &**recipe)
    }

    /// The name of a recipe that is an obvious guess.
    fn guess(&self, place: usize) -> Option<&'static str> {
        self.guesses.get(place).map(|recipe| recipe.name())
    }
}

impl Recipe for Combined {
    fn name(&self) -> &'static str {
        "combined"
    }

    fn least_days(&self) -> usize {
        LEAST_DAYS
    }

    fn fit(&self, grid: &Grid<'_>, known: usize) -> Option<Box<dyn Member>> {
        let before = grid.calendar.back(known, held_back(grid, known)?)?;
        // Only who could show itself takes part.
        let mut members = Vec::new();
        for (place, recipe) in self.recipes().enumerate() {
            let Some(early) = recipe.fit(grid, before) else { continue };
            let Some(late) = recipe.fit(grid, known) else { continue };
            members.push(Taking { place, guess: self.guess(place), early, late });
        }
        let learnt = Learnt::of(grid, known, &members)?;
        Some(Box::new(FittedCombined { members, learnt }))
    }

    fn restore(&self, saved: Value) -> Option<Box<dyn Member>> {
        let kept: Kept = serde_json::from_value(saved).ok()?;
        let restored = |(place, early, late): (usize, Value, Value)| {
            let recipe = self.recipes().nth(place)?;
            let (early, late) = (recipe.restore(early)?, recipe.restore(late)?);
            Some(Taking { place, guess: self.guess(place), early, late })
        };
        let members: Vec<Taking> = kept.members.into_iter().map(restored).collect::<Option<_>>()?;
        let fits = |weights: &Vec<f64>| weights.len() == members.len();
        let all_fit = !members.is_empty() && kept.learnt.weights.iter().all(fits);
        all_fit.then(|| Box::new(FittedCombined { members, learnt: kept.learnt }) as Box<dyn Member>)
    }
}

/// How many days are held back of what is known; `None` where that is too little.
fn held_back(grid: &Grid<'_>, known: usize) -> Option<usize> {
    let days = known / grid.per_day;
    (days >= LEAST_DAYS).then(|| HELD_BACK_DAYS.min(days / 4))
}

impl Learnt {
    /// From the days held back; `None` where there are too few, or no members.
    fn of(grid: &Grid<'_>, known: usize, members: &[Taking]) -> Option<Self> {
        let held_back = held_back(grid, known)?;
        if members.is_empty() {
            return None;
        }
        let told = tell(grid, known, held_back, members);
        let standing = judge(&told, members, held_back / 2);
        let instead = standing.as_ref().filter(|standing| !standing.uses_model).and_then(|standing| {
            members.iter().position(|member| member.guess.is_some_and(|name| name == standing.guess))
        });
        let weights = match instead {
            Some(guess) => [0, 1].map(|_| mix::alone(guess, members.len())),
            None => weights(&told, members.len(), 0),
        };
        let scored: Vec<Scored> = told
            .iter()
            .map(|one| Scored {
                belief: mix::mixed(&one.told.beliefs, &weights[one.lead]),
                truth: one.told.truth,
                part: one.part,
                lead: one.lead,
                age_days: one.age_days as f64,
            })
            .collect();
        let spread = super::spread::Standard::of(grid, known)?.spread;
        let calibration = Calibration::proven(&scored, LEAST_WIDTH * spread);
        let least_value = (0..known).filter_map(|index| grid.value(index, known)).fold(f64::INFINITY, f64::min);
        Some(Learnt { weights, calibration, never_negative: least_value >= 0.0, standing })
    }
}

/// The weights, by day ahead, that lose least on the days that are so old or older.
fn weights(told: &[Shown], members: usize, oldest: usize) -> [Vec<f64>; LEADS] {
    [0, 1].map(|lead| {
        let counts = |one: &&Shown| one.lead == lead && one.age_days >= oldest;
        let of_lead: Vec<&Told> = told.iter().filter(counts).map(|one| &one.told).collect();
        mix::weights(&of_lead, members)
    })
}

/// How the mixture, with weights learnt from the older days, does on the last `days` against the guesses among its members.
fn judge(told: &[Shown], members: &[Taking], days: usize) -> Option<Standing> {
    let weights = weights(told, members.len(), days);
    let loss = |belief: &dyn Fn(&Shown) -> Belief| -> Vec<f64> {
        let mut of_days = std::collections::BTreeMap::new();
        for one in told.iter().filter(|one| one.age_days < days) {
            *of_days.entry(one.age_days).or_insert(0.0) += mean_pinball(&belief(one), one.told.truth);
        }
        of_days.into_values().collect()
    };
    let model = loss(&|one| mix::mixed(&one.told.beliefs, &weights[one.lead]));
    let of_guess = |(k, member): (usize, &Taking)| Some((member.guess?, loss(&|one| Belief::of(one.told.beliefs[k]))));
    let guesses: Vec<(&str, Vec<f64>)> = members.iter().enumerate().filter_map(of_guess).collect();
    Standing::of(&model, &guesses)
}

/// What members believed of an interval of the time held back.
struct Shown {
    told: Told,
    part: usize,
    lead: usize,
    age_days: usize,
}

/// Lets members forecast each of the last `days` days from the day before.
fn tell(grid: &Grid<'_>, known: usize, days: usize, members: &[Taking]) -> Vec<Shown> {
    let mut shown = Vec::new();
    for (age_days, origin) in grid.daily_origins(known, days).into_iter().enumerate() {
        let indices: Vec<usize> = (origin..(origin + 2 * grid.per_day).min(known)).collect();
        let beliefs: Vec<Vec<Option<Belief>>> =
            members.iter().map(|member| member.early.predict(grid, origin, &indices)).collect();
        for (k, &index) in indices.iter().enumerate() {
            let Some(truth) = grid.value(index, known) else { continue };
            let all: Option<Vec<[f64; LEVELS.len()]>> =
                beliefs.iter().map(|of| of.get(k).copied().flatten().map(|belief| belief.quantiles)).collect();
            let Some(beliefs) = all else { continue };
            let weight = 0.5_f64.powf(age_days as f64 / HALF_LIFE_DAYS);
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
            self.members.iter().map(|member| member.late.predict(grid, known, indices)).collect();
        let one = |(k, &index): (usize, &usize)| {
            let (part, lead) = place(grid, known, index);
            let mut told = Vec::with_capacity(beliefs.len());
            let mut weights = Vec::with_capacity(beliefs.len());
            for (of, weight) in beliefs.iter().zip(&self.learnt.weights[lead]) {
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
            let least = if self.learnt.never_negative { 0.0 } else { f64::NEG_INFINITY };
            Some(self.learnt.calibration.apply(&mixed, part, lead).clamped(least, f64::INFINITY))
        };
        indices.iter().enumerate().map(one).collect()
    }

    fn save(&self) -> Option<Value> {
        let members = self.members.iter().map(|member| Some((member.place, member.early.save()?, member.late.save()?)));
        let kept = Kept { members: members.collect::<Option<_>>()?, learnt: self.learnt.clone() };
        serde_json::to_value(kept).ok()
    }

    fn refresh(&mut self, grid: &Grid<'_>, known: usize) {
        // Of the days held back now the early fits know nothing either: they are later ones.
        if let Some(learnt) = Learnt::of(grid, known, &self.members) {
            self.learnt = learnt;
        }
    }

    fn standing(&self) -> Option<&Standing> {
        self.learnt.standing.as_ref()
    }
}
