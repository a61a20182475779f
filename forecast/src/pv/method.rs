//! The method: skies whose bands are as wide as they should have been of late, and an obvious guess where that was better.

use chrono::{DateTime, TimeDelta, Timelike, Utc};
use kwartier_data::forecast::Belief;
use kwartier_data::history::Past;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::PvPlant;
use super::model::{KeptSkies, Lit, Skies};
use crate::calibrate::{Calibration, LEADS, Scored, part_of};
use crate::grid::Grid;
use crate::method::{CannotFit, Fitted, Horizon, Method};
use crate::metrics::mean_pinball;
use crate::naive;
use crate::naive::dressed::Dressed;
use crate::series::{Member, Recipe, single};
use crate::standing::Standing;

/// Days that are held back to see how wide bands should have been: eight weeks, a quarter of a short history.
const HELD_BACK_DAYS: usize = 28;

/// How far ahead forecasts are looked at.
const AHEAD: TimeDelta = TimeDelta::days(2);

/// The least width of half a band that corrections are relative to, in what the planes are rated at: that of a dull dawn.
const LEAST_WIDTH: f64 = 1e-3;

/// How much of what the days held back say is taken: skies that knew four weeks less were further off than those that are used.
const STRENGTH: f64 = 0.5;

struct ClearSky {
    plant: PvPlant,
}

/// Indices of a clear sky, with weather where there is some and a prior where there is nothing else.
pub fn clear_sky(plant: PvPlant) -> Box<dyn Method> {
    Box::new(ClearSky { plant })
}

struct FittedClearSky {
    /// Fitted on all.
    late: Skies,
    /// Fitted on what was known before the days held back, where that was enough for as much.
    early: Option<Skies>,
    learnt: Learnt,
}

/// What is learnt from how good forecasts were.
struct Learnt {
    calibration: Calibration,
    standing: Option<Standing>,
    /// The guess that is used instead, by its place among [`guesses`].
    instead: Option<(usize, Box<dyn Member>)>,
}

/// A fit as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    late: KeptSkies,
    early: Option<KeptSkies>,
    calibration: Calibration,
    standing: Option<Standing>,
    instead: Option<(usize, Value)>,
}

/// The obvious guesses that the skies have to beat.
fn guesses() -> [Dressed; 3] {
    [
        naive::recipe("last week", naive::week),
        naive::recipe("yesterday", naive::yesterday),
        naive::recipe("mean day", naive::seven),
    ]
}

impl Method for ClearSky {
    fn name(&self) -> &'static str {
        "clear sky"
    }

    fn fit(&self, past: &Past<'_>) -> Result<Box<dyn Fitted>, CannotFit> {
        let late = Skies::fit(past, self.plant)?;
        let before = past.as_of(past.at() - TimeDelta::days(i64::try_from(held_back(past)).unwrap_or(0)));
        let early = Skies::fit(&before, self.plant).ok().filter(|early| early.learnt() == late.learnt());
        let learnt = Learnt::of(past, early.as_ref());
        Ok(Box::new(FittedClearSky { late, early, learnt }))
    }

    fn restore(&self, saved: Value) -> Result<Box<dyn Fitted>, String> {
        let no_fit = || format!("it is no fit of \"{}\"", self.name());
        let kept: Kept = serde_json::from_value(saved).map_err(|_| no_fit())?;
        let guess = |(place, saved): (usize, Value)| Some((place, guesses().get(place)?.restore(saved)?));
        let restored = || {
            let early = match kept.early {
                Some(early) => Some(Skies::restored(early)?),
                None => None,
            };
            let instead = match kept.instead {
                Some(instead) => Some(guess(instead)?),
                None => None,
            };
            let learnt = Learnt { calibration: kept.calibration, standing: kept.standing, instead };
            Some(FittedClearSky { late: Skies::restored(kept.late)?, early, learnt })
        };
        restored().map(|fitted| Box::new(fitted) as Box<dyn Fitted>).ok_or_else(no_fit)
    }
}

/// How many days are held back of what is known.
fn held_back(past: &Past<'_>) -> usize {
    let per_day = usize::try_from(86_400 / past.step().num_seconds().max(1)).unwrap_or(1).max(1);
    HELD_BACK_DAYS.min(past.values().len() / per_day / 4)
}

/// What was believed of an interval of the days held back.
struct Shown {
    scored: Scored,
    most: f64,
    /// Its index on the grid of the past.
    index: usize,
    /// How many intervals were known.
    known: usize,
    /// Whether the forecast was made at the time of day of the present.
    now: bool,
    age_days: usize,
}

/// Lets skies forecast from each of the last days: at the time of day of the present, and at one that goes round the clock.
fn tell(past: &Past<'_>, skies: &Skies, days: usize) -> Vec<Shown> {
    let step_s = past.step().num_seconds().max(1);
    let mut shown = Vec::new();
    for age_days in 0..days {
        // Five hours a day go through all hours of the day.
        let others = i64::try_from(age_days * 5 % 24).unwrap_or(0);
        for later_h in [0, others] {
            let back = TimeDelta::days(i64::try_from(age_days + 1).unwrap_or(0)) - TimeDelta::hours(later_h);
            let then = past.as_of(past.at() - back);
            let horizon = Horizon::from_origin(&then, AHEAD);
            let Some(lit) = skies.predict(&then, horizon) else { continue };
            let Ok(first) = usize::try_from((horizon.start - past.start()).num_seconds() / step_s) else { continue };
            let known = then.values().len();
            for (k, lit) in lit.into_iter().enumerate() {
                let index = first + k;
                let Some(Lit { belief, most }) = lit.filter(|_| index >= known) else { continue };
                let Some(truth) = past.values().get(index).copied().flatten() else { continue };
                let (part, lead) = place(&then, horizon, k);
                let scored = Scored { belief, truth, part, lead, age_days: age_days as f64 };
                shown.push(Shown { scored, most, index, known, now: later_h == 0, age_days });
            }
        }
    }
    shown
}

/// Part of the day and day ahead of an interval of a horizon.
fn place(past: &Past<'_>, horizon: Horizon, k: usize) -> (usize, usize) {
    let start: DateTime<Utc> = horizon.start + past.step() * i32::try_from(k).unwrap_or(i32::MAX);
    let of_day_s = i64::from(start.with_timezone(&past.zone()).num_seconds_from_midnight());
    let lead = usize::try_from((start - past.at()).num_days()).unwrap_or(0);
    (part_of(of_day_s), lead.min(LEADS - 1))
}

impl Learnt {
    /// From the days held back, by skies that did not know them.
    fn of(past: &Past<'_>, early: Option<&Skies>) -> Self {
        let none = Learnt { calibration: Calibration::none(), standing: None, instead: None };
        let Some(early) = early else { return none };
        let days = held_back(past);
        let shown = tell(past, early, days);
        let scored: Vec<Scored> = shown.iter().map(|one| one.scored).collect();
        let calibration = Calibration::proven(&scored, LEAST_WIDTH * early.rated()).toned(STRENGTH);
        let grid = Grid::of(past);
        let standing = judge(&grid, &shown, days);
        let instead = standing.as_ref().filter(|standing| !standing.uses_model).and_then(|standing| {
            let place = guesses().iter().position(|guess| guess.name() == standing.guess)?;
            Some((place, guesses().get(place)?.fit(&grid, grid.known())?))
        });
        Learnt { calibration, standing, instead }
    }
}

/// How the skies did on the newer half of the days held back against the guesses.
fn judge(grid: &Grid<'_>, shown: &[Shown], days: usize) -> Option<Standing> {
    let before = grid.calendar.back(grid.known(), days)?;
    let fitted: Vec<(&'static str, Box<dyn Member>)> =
        guesses().iter().filter_map(|guess| Some((guess.name(), guess.fit(grid, before)?))).collect();
    let newer: Vec<&Shown> = shown.iter().filter(|one| one.now && one.age_days < days / 2).collect();
    let mut model = Vec::new();
    let mut losses: Vec<(&str, Vec<f64>)> = fitted.iter().map(|(name, _)| (*name, Vec::new())).collect();
    for of_day in newer.chunk_by(|a, b| a.known == b.known) {
        let indices: Vec<usize> = of_day.iter().map(|one| one.index).collect();
        let guessed: Vec<Vec<Option<Belief>>> =
            fitted.iter().map(|(_, guess)| guess.predict(grid, of_day[0].known, &indices)).collect();
        let mut own = 0.0;
        let mut others = vec![0.0; fitted.len()];
        for (k, one) in of_day.iter().enumerate() {
            let all: Option<Vec<Belief>> = guessed.iter().map(|of| of.get(k).copied().flatten()).collect();
            let Some(all) = all else { continue };
            let loss = |belief: Belief| mean_pinball(&belief.clamped(0.0, one.most), one.scored.truth);
            own += loss(one.scored.belief);
            for (sum, belief) in others.iter_mut().zip(all) {
                *sum += loss(belief);
            }
        }
        model.push(own);
        for ((_, losses), sum) in losses.iter_mut().zip(others) {
            losses.push(sum);
        }
    }
    Standing::of(&model, &losses)
}

impl Fitted for FittedClearSky {
    fn predict(&self, past: &Past<'_>, horizon: Horizon) -> Vec<Option<Belief>> {
        let Some(lit) = self.late.predict(past, horizon) else { return vec![None; horizon.steps] };
        let guessed = self.learnt.instead.as_ref().map(|(_, guess)| single::predict(&**guess, past, horizon));
        let one = |(k, lit): (usize, Option<Lit>)| {
            let Some(Lit { belief, most }) = lit else { return Some(Belief::certain(0.0)) };
            let belief = if let Some(guessed) = &guessed {
                guessed.get(k).copied().flatten()?
            } else {
                let (part, lead) = place(past, horizon, k);
                self.learnt.calibration.apply(&belief, part, lead)
            };
            Some(belief.clamped(0.0, most))
        };
        lit.into_iter().enumerate().map(one).collect()
    }

    fn save(&self) -> Option<Value> {
        let early = match &self.early {
            Some(early) => Some(early.kept()?),
            None => None,
        };
        let instead = match &self.learnt.instead {
            Some((place, guess)) => Some((*place, guess.save()?)),
            None => None,
        };
        let Learnt { calibration, standing, .. } = &self.learnt;
        let (calibration, standing) = (calibration.clone(), standing.clone());
        serde_json::to_value(Kept { late: self.late.kept()?, early, calibration, standing, instead }).ok()
    }

    fn refresh(&mut self, past: &Past<'_>) {
        // Of the days held back now the early fit knows nothing either: they are later ones.
        self.learnt = Learnt::of(past, self.early.as_ref());
    }

    fn standing(&self) -> Option<&Standing> {
        self.learnt.standing.as_ref()
    }
}
