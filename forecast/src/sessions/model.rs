//! The model of a site's visits: fitted on a log, it predicts stay and energy at arrival and while a vehicle stays.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use kwartier_data::forecast::{Belief, LEVELS};
use kwartier_data::local::HolidayCalendar;
use serde::{Deserialize, Serialize};

use super::arrivals::{Ahead, Arrivals};
use super::forecaster::{Asked, Forecaster, Likes, alike};
use super::identity::Pseudonym;
use super::likeness::{Going, Likeness};
use super::memory::{Case, Memory, Target};
use super::prior::Place;
use super::spread::Spread;
use super::visit::{Clock, Known, Log, Visit, hours, span};

/// Version of the shape in which a model is saved. A model of another is fitted anew.
pub const VERSION: u32 = 1;

/// What is to be known of a site beside its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Site {
    /// Its wall clock and holidays.
    pub clock: Clock,
    /// What kind of place it is: what counts until it has visits of its own.
    pub place: Place,
}

/// What is believed of a visit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// When it began.
    pub arrival: DateTime<Utc>,
    /// Length of the whole stay, in hours; never shorter than so far.
    pub stay_h: Belief,
    /// Energy from arrival to departure, in kWh; never less than so far.
    pub kwh: Belief,
}

impl Outcome {
    /// The mean instant of departure.
    pub fn mean_departure(&self) -> DateTime<Utc> {
        self.arrival + span(self.stay_h.mean)
    }

    /// The departure at a level between 0 and 1, as [`Belief::quantile`] reads it.
    pub fn departure(&self, level: f64) -> DateTime<Utc> {
        self.arrival + span(self.stay_h.quantile(level))
    }

    /// The quantiles of the departure at [`LEVELS`], earliest first.
    pub fn departures(&self) -> [DateTime<Utc>; LEVELS.len()] {
        self.stay_h.quantiles.map(|stay_h| self.arrival + span(stay_h))
    }
}

/// A fitted model with the log it knows. Saved with serde; it holds pseudonyms, no names, and not the salt.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Model {
    version: u32,
    zone: Tz,
    holidays: String,
    place: Place,
    /// [`super::Salt::id`] of the salt under which names were hashed.
    salt_id: String,
    fitted_at: DateTime<Utc>,
    first_arrival: Option<DateTime<Utc>>,
    visits: usize,
    stay: Forecaster,
    energy: Forecaster,
    log: Log,
}

/// A saved model cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It was saved in another shape.
    #[error("the model was saved in version {0}; this program reads version {VERSION}: fit it anew from the history")]
    Version(u32),
    /// Names were hashed under another salt.
    #[error("the model was fitted under another salt, so that it knows nobody: use that salt, or fit it anew")]
    Salt,
    /// It names a holiday calendar that is not known here.
    #[error("the model names the holidays {0:?}, which are not known here: fit it anew")]
    Holidays(String),
}

impl Model {
    /// Fitted on what a log knows at an instant. With little history it says what the prior says; it never fails.
    pub fn fit(known: Known<'_>, site: Site, salt_id: &str) -> Self {
        let memory = Memory::of(known, site.clock);
        let ended = memory.cases.iter().filter(|case| case.visit.departure.is_some());
        let (first_arrival, visits) = (ended.clone().map(|case| case.visit.arrival).min(), ended.count());
        let stay = Likeness::learnt(&memory, site.place, Target::Stay);
        let energy = Likeness::learnt(&memory, site.place, Target::Energy);
        let likes = Likes::of(&memory, site.place, [&stay, &energy]);
        Model {
            version: VERSION,
            zone: site.clock.zone,
            holidays: site.clock.holidays.code(),
            place: site.place,
            salt_id: salt_id.to_owned(),
            fitted_at: known.at(),
            first_arrival,
            visits,
            stay: Forecaster::fit(&memory, &likes, Target::Stay, stay),
            energy: Forecaster::fit(&memory, &likes, Target::Energy, energy),
            log: Log::new(known.ended().copied().chain(known.here())),
        }
    }

    /// Whether a model that was read can be used with a salt.
    ///
    /// # Errors
    ///
    /// [`Unusable`], which says what to do.
    pub fn check(&self, salt_id: &str) -> Result<(), Unusable> {
        if self.version != VERSION {
            return Err(Unusable::Version(self.version));
        }
        if self.salt_id != salt_id {
            return Err(Unusable::Salt);
        }
        HolidayCalendar::parse(&self.holidays).map_err(|_| Unusable::Holidays(self.holidays.clone()))?;
        Ok(())
    }

    /// When it was fitted.
    pub fn fitted_at(&self) -> DateTime<Utc> {
        self.fitted_at
    }

    /// The first arrival it was fitted on, and how many visits that had ended.
    pub fn window(&self) -> (Option<DateTime<Utc>>, usize) {
        (self.first_arrival, self.visits)
    }

    /// The site it was fitted for.
    pub fn site(&self) -> Site {
        let holidays = HolidayCalendar::parse(&self.holidays).unwrap_or_default();
        Site { clock: Clock { zone: self.zone, holidays }, place: self.place }
    }

    /// Takes in visits that are not in its log, without fitting anew: what people do counts from their next visit on.
    pub fn learn(&mut self, visits: impl IntoIterator<Item = Visit>) {
        self.log.extend(visits);
    }

    /// Takes all visits of a driver or vehicle out; says how many. What was fitted holds widths and trees over all visits
    /// together and no pseudonym; the next fit is without them.
    pub fn forget(&mut self, who: Pseudonym) -> usize {
        self.log.forget(who)
    }

    /// The log it knows.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Ready to predict from its own log, as of an instant.
    pub fn ready(&self, at: DateTime<Utc>) -> Ready<'_> {
        self.ready_on(self.log.as_of(at))
    }

    /// Ready to predict from another log, as of its instant.
    pub fn ready_on(&self, known: Known<'_>) -> Ready<'_> {
        Ready { memory: Memory::of(known, self.site().clock), site: self.site(), model: self }
    }
}

/// A model with what is known laid out, for many predictions.
#[derive(Debug)]
pub struct Ready<'a> {
    model: &'a Model,
    site: Site,
    memory: Memory,
}

impl Ready<'_> {
    /// What is believed of a visit at its arrival.
    pub fn at_arrival(&self, visit: &Visit) -> Outcome {
        self.outcome(visit, visit.arrival, Going::default())
    }

    /// What is believed of a visit that is still going on at `now`, which has taken `so_far_kwh` by then, where that is
    /// known. Nothing that ended after `now` counts, even if it is in the log; an instant before its arrival is its arrival.
    pub fn still_here(&self, visit: &Visit, now: DateTime<Utc>, so_far_kwh: Option<f64>) -> Outcome {
        let now = now.max(visit.arrival);
        let so_far_kwh = so_far_kwh.filter(|kwh| kwh.is_finite() && *kwh > 0.0);
        self.outcome(visit, now, Going { elapsed_h: hours(now - visit.arrival), so_far_kwh })
    }

    /// Who comes in the time ahead, from what is known at `now`.
    pub fn ahead(&self, now: DateTime<Utc>, length: TimeDelta) -> Ahead {
        let past = Arrivals::before(&self.memory, self.site, now.min(self.memory.at));
        past.ahead(now, length, |visit| self.outcome(visit, now, Going::default()))
    }

    /// What is believed of a visit from what is known at `now`.
    fn outcome(&self, visit: &Visit, now: DateTime<Utc>, going: Going) -> Outcome {
        let case = Case::of(visit, self.site.clock);
        let now_known = now.min(self.memory.at);
        let (stay, energy) = (&self.model.stay, &self.model.energy);
        let alike = alike(&self.memory, self.site.place, [stay.likeness(), energy.likeness()], &case, now_known);
        let asked = Asked { case: &case, at: now_known, going, alike };
        let spread = |target: Target| -> Spread {
            let forecaster = if target == Target::Stay { stay } else { energy };
            forecaster.spread(&self.memory, self.site.place, target, &asked)
        };
        let (stay_h, kwh) = (spread(Target::Stay).belief(), spread(Target::Energy).belief());
        Outcome {
            arrival: visit.arrival,
            stay_h: stay_h.clamped(going.elapsed_h, f64::INFINITY),
            kwh: kwh.clamped(going.so_far_kwh.unwrap_or(0.0), f64::INFINITY),
        }
    }
}
