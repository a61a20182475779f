//! What planners know of visits: who is there, who is announced, and what is not told of them.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::compose::{QUARTER, quarter_of};
use kwartier_data::local::HolidayCalendar;
use kwartier_data::site::V2g;
use kwartier_engine::control::event::Session;
use kwartier_engine::control::setup::Kind;
use kwartier_engine::plant::world::Stay;
use kwartier_forecast::sessions::{self, Clock, Log, Model, Ready, Salt};

use super::live::Live;
use super::scenario::{Foresight, seconds};
use super::visits::{Past, Statement, Visit};
use super::world::Days;

/// Names stay within one run: they are hashed under a secret that everybody knows.
const ONE_RUN: &[u8] = b"a simulated depot";

/// The level of the energy that is planned for where it is not told: nine in ten come for no more.
const ENERGY_LEVEL: f64 = 0.9;

/// The level of the departure that is planned for where it is not told: an early one.
const DEPARTURE_LEVEL: f64 = 0.1;

/// The levels of what became of statements that are planned for: nine in ten need no more, and stay no shorter.
const NEED_LEVEL: f64 = 0.9;
const STAY_LEVEL: f64 = 0.1;

/// With fewer statements than this nothing is known of how true they are.
const FEWEST: usize = 20;

/// Whose need is not known is planned to be able to charge for so long from now on, in h at full power.
const MORE_H: f64 = 1.0;

/// Who stays longer than was told is expected to stay so long from now on.
const OVERSTAY: TimeDelta = TimeDelta::minutes(30);

/// What a visit is taken for where nothing at all is known: hours and kWh.
const UNKNOWN: (f64, f64) = (8.0, 15.0);

/// A visit as planners expect it.
#[derive(Debug, Clone)]
pub struct Expected {
    /// Name.
    pub id: String,
    /// The device.
    pub device: usize,
    /// From when.
    pub from: DateTime<Utc>,
    /// Until when.
    pub until: DateTime<Utc>,
    /// Energy still needed at the station in kWh.
    pub need_kwh: f64,
    /// Phases.
    pub phases: u8,
    /// Lowest current in A.
    pub min_a: f64,
    /// Highest current in A.
    pub max_a: f64,
    /// Its group.
    pub group: Option<String>,
    /// What it may feed in; `None`, nothing.
    pub feeds_in: Option<FeedsIn>,
}

/// A vehicle that may feed in.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedsIn {
    /// How.
    pub v2g: V2g,
    /// Energy in its battery when the stay, or what is left of it, begins, in kWh.
    pub soc_kwh: f64,
    /// What its battery holds, in kWh.
    pub capacity_kwh: f64,
    /// Energy into the battery ÷ energy at the charger.
    pub efficiency: f64,
}

/// What planners know of visits.
pub struct People<'d> {
    days: &'d Days,
    way: Foresight,
    model: Option<Model>,
    log: Log,
    salt: Salt,
    /// Vehicles that have been here: how they charge is remembered.
    met: BTreeSet<&'d str>,
    /// Mean length in h and energy in kWh of the visits of the past.
    usual: (f64, f64),
    /// How statements are taken.
    trust: Trust,
}

/// How far statements are trusted, by what became of those of the past. What is told counts as the least that is needed and
/// the latest departure; where needs were often higher or departures earlier, more and earlier is planned for.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Trust {
    /// What is needed, of what is told.
    need: f64,
    /// How long one stays, of what is told.
    stay: f64,
}

impl Trust {
    /// Statements count as they are.
    const FULL: Trust = Trust { need: 1.0, stay: 1.0 };

    /// The trust in statements such as those of the past.
    fn in_those_of(past: &[Past]) -> Trust {
        let needs = past.iter().filter_map(|past| Some(past.visit.need_kwh / past.told.need_kwh?));
        let stays = past.iter().filter_map(|past| {
            Some(hours(past.visit.until - past.visit.from) / hours(past.told.departure? - past.visit.from))
        });
        Trust {
            need: level(needs.collect(), NEED_LEVEL).map_or(1.0, |need| need.max(1.0)),
            stay: level(stays.collect(), STAY_LEVEL).map_or(1.0, |stay| stay.min(1.0)),
        }
    }

    /// A statement made at an instant, as it is taken.
    fn takes(self, told: Statement, at: DateTime<Utc>) -> Statement {
        Statement {
            need_kwh: told.need_kwh.map(|kwh| kwh * self.need),
            departure: told.departure.map(|until| at + seconds(3600.0 * self.stay * hours(until - at))),
        }
    }
}

/// A level of some numbers; `None` where there are too few to tell.
fn level(mut values: Vec<f64>, level: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
    let index = ((values.len().saturating_sub(1)) as f64 * level).round() as usize;
    values.get(index).copied().filter(|_| values.len() >= FEWEST)
}

/// What is left of a stay that is to end at an instant: from the beginning of the quarter-hour that runs to its end at least, so
/// that it is planned too.
pub fn rest(until: DateTime<Utc>, now: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
    let from = quarter_of(now);
    (from, if until <= now { now + OVERSTAY } else { until.max(from + QUARTER) })
}

fn hours(time: TimeDelta) -> f64 {
    time.as_seconds_f64() / 3600.0
}

impl<'d> People<'d> {
    /// What is known when the days begin.
    pub fn of(days: &'d Days, way: Foresight) -> People<'d> {
        let salt = Salt::new(ONE_RUN);
        let past = &days.visits.past;
        let visit = |Past { visit, told }: &Past| sessions::Visit {
            departure: Some(visit.until),
            kwh: Some(visit.need_kwh),
            vehicle: Some(salt.pseudonym(sessions::Kind::Vehicle, &visit.vehicle)),
            stated_departure: told.departure,
            stated_kwh: told.need_kwh,
            ..sessions::Visit::arriving(visit.from)
        };
        let log = Log::new(past.iter().map(visit));
        let clock = Clock { zone: days.times.zone, holidays: HolidayCalendar::None };
        let site = sessions::Site { clock, place: days.place };
        let model = (way == Foresight::Ours).then(|| Model::fit(log.as_of(days.times.start), site, &salt.id()));
        let count = past.len() as f64;
        let mean = |of: fn(&Past) -> f64| past.iter().map(of).sum::<f64>() / count;
        let usual = if past.is_empty() {
            UNKNOWN
        } else {
            (mean(|past| hours(past.visit.until - past.visit.from)), mean(|past| past.visit.need_kwh))
        };
        let met = past.iter().map(|past| past.visit.vehicle.as_str()).collect();
        let trust = if way == Foresight::Ours { Trust::in_those_of(past) } else { Trust::FULL };
        People { days, way, model, log, salt, met, usual, trust }
    }

    /// A session that begins at an instant, with what is told of it as it is taken.
    pub fn believed(&self, session: &Session, at: DateTime<Utc>) -> Session {
        if self.way == Foresight::Perfect
            && let Some(visit) = self.days.visits.coming.iter().find(|visit| visit.stay.id == session.id)
        {
            let Stay { need_kwh, leaves, .. } = visit.stay;
            return Session { need_kwh: Some(need_kwh), departure: Some(leaves), ..session.clone() };
        }
        let told = Statement { need_kwh: session.need_kwh, departure: session.departure };
        let Statement { need_kwh, departure } = self.trust.takes(told, at);
        Session { need_kwh, departure, ..session.clone() }
    }

    /// Everybody who is there or announced, in the order of arrival, up to an instant.
    pub fn expected(&self, now: DateTime<Utc>, end: DateTime<Utc>, live: &Live) -> Vec<Expected> {
        let ready = self.model.as_ref().map(|model| model.ready_on(self.log.as_of(now)));
        let mut expected = Vec::new();
        for (device, known) in live.devices.iter().enumerate() {
            if self.days.setup.devices[device].kind == Kind::Station && known.session.is_some() {
                expected.extend(self.here(device, now, live, ready.as_ref()));
            }
        }
        for visit in &self.days.visits.coming {
            let stay = &visit.stay;
            let perfect = self.way == Foresight::Perfect;
            let known = if perfect { stay.comes } else { visit.announced };
            let gone = live.seen.contains(&stay.id) || stay.plugs_in + OVERSTAY <= now;
            if !known || gone || stay.plugs_in >= end {
                continue;
            }
            let from = stay.plugs_in.max(now);
            let (told, need) = if perfect {
                (Some(stay.leaves), Some(stay.need_kwh))
            } else {
                let told = Statement { need_kwh: stay.told.need_kwh, departure: stay.told.departure };
                let taken = self.trust.takes(told, stay.plugs_in);
                (taken.departure, taken.need_kwh)
            };
            let (until, need_kwh) = self.guess(&visit.vehicle, stay.plugs_in, None, (told, need), ready.as_ref());
            expected.push(Expected {
                id: stay.id.clone(),
                device: stay.device,
                from,
                until: until.max(from + QUARTER),
                need_kwh,
                phases: self.phases(visit, stay.told.phases),
                min_a: stay.car.min_a,
                max_a: stay.car.max_a,
                group: self.group(&visit.vehicle),
                feeds_in: None,
            });
        }
        expected.sort_by(|a, b| a.from.cmp(&b.from).then_with(|| a.id.cmp(&b.id)));
        expected
    }

    fn here(&self, device: usize, now: DateTime<Utc>, live: &Live, ready: Option<&Ready<'_>>) -> Option<Expected> {
        let known = &live.devices[device];
        let session = known.session.as_ref()?;
        let visit = self.days.visits.coming.iter().find(|visit| visit.stay.id == session.id)?;
        let (so_far, told) = (Some((now, known.energy_kwh)), (session.departure, session.need_kwh));
        let (until, need_kwh) = self.guess(&visit.vehicle, visit.stay.plugs_in, so_far, told, ready);
        let (from, until) = rest(until, now);
        let seen = known.phases_seen;
        let phases = self.phases(visit, session.phases.or(seen));
        // Whose need nobody knows may need more than was guessed, for as long as he is there.
        let setup = &self.days.setup;
        let more_kwh = MORE_H * setup.kw(session.max_a.min(setup.devices[device].max_a), usize::from(phases));
        let least_kwh = if session.need_kwh.is_none() { more_kwh } else { 0.0 };
        Some(Expected {
            id: session.id.clone(),
            device,
            from,
            until,
            need_kwh: (need_kwh - known.energy_kwh).max(least_kwh),
            phases,
            min_a: session.min_a,
            max_a: session.max_a,
            group: self.group(&visit.vehicle),
            feeds_in: None,
        })
    }

    /// Departure and whole need: what is told, else what is believed.
    fn guess(
        &self,
        vehicle: &str,
        arrival: DateTime<Utc>,
        so_far: Option<(DateTime<Utc>, f64)>,
        (departure, need_kwh): (Option<DateTime<Utc>>, Option<f64>),
        ready: Option<&Ready<'_>>,
    ) -> (DateTime<Utc>, f64) {
        if let (Some(departure), Some(need_kwh)) = (departure, need_kwh) {
            return (departure, need_kwh);
        }
        let (usual_h, usual_kwh) = self.usual;
        let (until, kwh) = match ready {
            Some(ready) => {
                let visit = sessions::Visit {
                    vehicle: Some(self.salt.pseudonym(sessions::Kind::Vehicle, vehicle)),
                    stated_departure: departure,
                    stated_kwh: need_kwh,
                    ..sessions::Visit::arriving(arrival)
                };
                let outcome = match so_far {
                    Some((now, kwh)) if now > arrival => ready.still_here(&visit, now, Some(kwh)),
                    _ => ready.at_arrival(&visit),
                };
                let stay_h = outcome.stay_h.quantile(DEPARTURE_LEVEL);
                (arrival + seconds(3600.0 * stay_h), outcome.kwh.quantile(ENERGY_LEVEL))
            }
            None => (arrival + seconds(3600.0 * usual_h), usual_kwh),
        };
        (departure.unwrap_or(until), need_kwh.unwrap_or(kwh))
    }

    /// On how many phases a vehicle is taken to charge. One of which nothing is known gets time enough for one phase; once
    /// it draws, it is seen.
    fn phases(&self, visit: &Visit, known: Option<u8>) -> u8 {
        let met = self.way == Foresight::Perfect || self.met.contains(visit.vehicle.as_str());
        known.or(met.then_some(visit.stay.car.phases)).unwrap_or(1)
    }

    fn group(&self, vehicle: &str) -> Option<String> {
        self.days.visits.groups.get(vehicle).cloned()
    }
}
