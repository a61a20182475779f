//! What planners know of what is to come: building, sun and prices by the way that the policy names.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use kwartier_data::forecast::Belief;
use kwartier_data::history::{History, Position, Weather};
use kwartier_data::local::{self, next_day};
use kwartier_data::series::Series;
use kwartier_forecast::method::{Fitted, Horizon, Method};
use kwartier_forecast::pv::{self, PvPlant};
use kwartier_forecast::{load, naive};

use super::inputs::QUARTER_S;
use super::scenario::Foresight;
use super::world::Days;

/// Local hour from which on the prices of the next day are known (the day-ahead auction publishes before 13:00).
const PUBLISHED_H: u32 = 13;

/// A series with the ways to foresee it.
pub struct Subject {
    history: History,
    methods: Vec<Box<dyn Method>>,
    /// What was fitted last, and on which local day.
    fitted: Option<(NaiveDate, Box<dyn Fitted>)>,
}

/// When methods are fitted: with what is known at the beginning of a local day, or of the scenario. So a fit does not hang on
/// when exactly that day's first plan is made, and runs of the same days share it.
#[derive(Debug, Clone, Copy)]
pub struct Morning {
    /// The local day.
    pub day: NaiveDate,
    /// Up to when what has happened is known to the fit.
    pub known_to: DateTime<Utc>,
}

/// What is foreseen of a scenario.
pub struct Foresee {
    way: Foresight,
    zone: Tz,
    start: DateTime<Utc>,
    prices: Option<Subject>,
    /// As [`super::inputs::Inputs::building`]: the sum of the phases, and each phase's share of it.
    building: Vec<Subject>,
    /// As [`super::inputs::Inputs::pv`].
    pv: Vec<Subject>,
}

impl Subject {
    /// A series and the ways to foresee it, the best first: the first that can be fitted is used.
    pub fn new(series: Series, zone: Tz, methods: Vec<Box<dyn Method>>) -> Subject {
        Subject { history: History::new(series, zone), methods, fitted: None }
    }

    /// The same with the weather, each forecast of it known from when it came.
    pub fn with_weather(self, weather: Weather) -> Subject {
        Subject { history: self.history.with_weather(weather), ..self }
    }

    /// Beliefs of quarter-hours, from what is known at `known_to`, by what was fitted on what was known at `morning`.
    pub fn beliefs(
        &mut self,
        known_to: DateTime<Utc>,
        morning: Morning,
        from: DateTime<Utc>,
        count: usize,
    ) -> Vec<Option<Belief>> {
        if self.fitted.as_ref().is_none_or(|(fitted_on, _)| *fitted_on != morning.day) {
            let past = self.history.as_of(morning.known_to);
            let fitted = self.methods.iter().find_map(|method| method.fit(&past).ok());
            self.fitted = fitted.map(|fitted| (morning.day, fitted));
        }
        let past = self.history.as_of(known_to);
        let end = from + TimeDelta::seconds(QUARTER_S) * i32::try_from(count).unwrap_or(i32::MAX);
        let horizon = Horizon::from_origin(&past, end - known_to);
        let foreseen = match &self.fitted {
            Some((_, fitted)) => fitted.predict(&past, horizon),
            None => Vec::new(),
        };
        let step_s = past.step().num_seconds().max(1);
        let believed = |k: usize| {
            let at = from + TimeDelta::seconds(QUARTER_S) * i32::try_from(k).ok()?;
            let until = at + TimeDelta::seconds(QUARTER_S);
            if until <= known_to {
                return self.history.truth().mean(at, until).map(Belief::certain);
            }
            let step = (at - horizon.start).num_seconds().div_euclid(step_s);
            foreseen.get(usize::try_from(step).ok()?).copied().flatten()
        };
        (0..count).map(believed).collect()
    }

    /// What really is.
    fn truth(&self, from: DateTime<Utc>, count: usize) -> Vec<Option<Belief>> {
        let at = |k: usize| from + TimeDelta::seconds(QUARTER_S) * i32::try_from(k).unwrap_or(i32::MAX);
        (0..count).map(|k| self.history.truth().mean(at(k), at(k + 1)).map(Belief::certain)).collect()
    }
}

impl Foresee {
    /// The ways to foresee the series of some days.
    pub fn of(way: Foresight, days: &Days) -> Foresee {
        let zone = days.times.zone;
        let load = || match way {
            Foresight::Ours => vec![load::method(), naive::last_week(), naive::last_day()],
            Foresight::Naive | Foresight::Perfect => vec![naive::last_week(), naive::last_day()],
        };
        let sun = |plant: usize| {
            let site = &days.site;
            let position = site.latitude_deg.zip(site.longitude_deg);
            let position = position.map(|(latitude_deg, longitude_deg)| Position { latitude_deg, longitude_deg });
            let peak_kw = site.pv.get(plant).map(|plant| plant.peak_kw);
            match way {
                Foresight::Ours => vec![pv::clear_sky(PvPlant { position, peak_kw }), naive::last_day()],
                Foresight::Naive | Foresight::Perfect => vec![naive::last_day()],
            }
        };
        let inputs = &days.inputs;
        Foresee {
            way,
            zone,
            start: days.times.start,
            prices: inputs.prices.clone().map(|series| Subject::new(series, zone, load())),
            building: inputs.building.iter().map(|draw| Subject::new(sum(&draw.phases_a), zone, load())).collect(),
            pv: inputs.pv.iter().map(|plant| Subject::new(plant.kw.clone(), zone, sun(plant.plant))).collect(),
        }
    }

    fn morning(&self, now: DateTime<Utc>) -> Morning {
        let day = local::day(self.zone, now);
        Morning { day, known_to: local::day_start(self.zone, day).max(self.start) }
    }

    /// Prices in EUR/kWh of quarter-hours; none beyond the last of which anything can be said.
    pub fn prices(&mut self, now: DateTime<Utc>, from: DateTime<Utc>, count: usize) -> Option<Vec<f64>> {
        let (way, zone) = (self.way, self.zone);
        let Morning { day, known_to } = self.morning(now);
        let morning = Morning { day, known_to: published(zone, known_to) };
        let subject = self.prices.as_mut()?;
        let beliefs = match way {
            Foresight::Perfect => subject.truth(from, count),
            _ => subject.beliefs(published(zone, now), morning, from, count),
        };
        Some(beliefs.into_iter().map_while(|belief| belief.map(|belief| belief.mean)).collect())
    }

    /// What the building draws at the board of an entry, as the sum of its phases in A.
    pub fn building(&mut self, entry: usize, now: DateTime<Utc>, from: DateTime<Utc>, count: usize) -> Vec<Belief> {
        let (way, morning) = (self.way, self.morning(now));
        self.building.get_mut(entry).map_or_else(Vec::new, |subject| known(way, morning, subject, now, from, count))
    }

    /// What a plant delivers in kW.
    pub fn pv(&mut self, entry: usize, now: DateTime<Utc>, from: DateTime<Utc>, count: usize) -> Vec<Belief> {
        let (way, morning) = (self.way, self.morning(now));
        self.pv.get_mut(entry).map_or_else(Vec::new, |subject| known(way, morning, subject, now, from, count))
    }
}

/// Beliefs of quarter-hours; where nothing can be said, the last thing that could.
fn known(
    way: Foresight,
    morning: Morning,
    subject: &mut Subject,
    now: DateTime<Utc>,
    from: DateTime<Utc>,
    count: usize,
) -> Vec<Belief> {
    let beliefs = match way {
        Foresight::Perfect => subject.truth(from, count),
        _ => subject.beliefs(now, morning, from, count),
    };
    let mut last = Belief::certain(0.0);
    let filled = beliefs.into_iter().map(|belief| {
        last = belief.unwrap_or(last);
        last
    });
    filled.collect()
}

/// The sum of phases.
fn sum(phases: &[Series; 3]) -> Series {
    let mut sum = phases[0].clone();
    for (k, value) in sum.values.iter_mut().enumerate() {
        let others = phases[1..].iter().map(|phase| phase.values.get(k).copied().flatten());
        *value = others.fold(*value, |sum, other| Some(sum? + other?));
    }
    sum
}

/// Up to when prices are known.
fn published(zone: Tz, now: DateTime<Utc>) -> DateTime<Utc> {
    let today = local::day(zone, now);
    let wall: NaiveTime = now.with_timezone(&zone).time();
    let last = if wall.hour() >= PUBLISHED_H { next_day(today) } else { today };
    local::day_start(zone, next_day(last))
}
