//! What planners know of visits: who is there, who is announced, and what is not told of them.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::local::HolidayCalendar;
use kwartier_engine::control::setup::Kind;
use kwartier_forecast::sessions::{self, Clock, Log, Model, Ready, Salt};

use super::live::Live;
use super::scenario::{Foresight, seconds};
use super::visits::{Raw, Visit};
use super::world::Days;

/// Names stay within one run: they are hashed under a secret that everybody knows.
const ONE_RUN: &[u8] = b"a simulated depot";

/// The level of the energy that is planned for where it is not told: more than half get what they come for.
const ENERGY_LEVEL: f64 = 0.75;

/// The level of the departure that is planned for where it is not told: an early one.
const DEPARTURE_LEVEL: f64 = 0.25;

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
}

impl<'d> People<'d> {
    /// What is known when the days begin.
    pub fn of(days: &'d Days, way: Foresight) -> People<'d> {
        let salt = Salt::new(ONE_RUN);
        let past = &days.visits.past;
        let visit = |raw: &Raw| sessions::Visit {
            departure: Some(raw.until),
            kwh: Some(raw.need_kwh),
            vehicle: Some(salt.pseudonym(sessions::Kind::Vehicle, &raw.vehicle)),
            ..sessions::Visit::arriving(raw.from)
        };
        let log = Log::new(past.iter().map(visit));
        let clock = Clock { zone: days.times.zone, holidays: HolidayCalendar::None };
        let site = sessions::Site { clock, place: days.place };
        let model = (way == Foresight::Ours).then(|| Model::fit(log.as_of(days.times.start), site, &salt.id()));
        let count = past.len() as f64;
        let mean = |of: fn(&Raw) -> f64| past.iter().map(of).sum::<f64>() / count;
        let usual = if past.is_empty() {
            UNKNOWN
        } else {
            (mean(|raw| (raw.until - raw.from).as_seconds_f64() / 3600.0), mean(|raw| raw.need_kwh))
        };
        let met = past.iter().map(|raw| raw.vehicle.as_str()).collect();
        People { days, way, model, log, salt, met, usual }
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
                (stay.told.departure, stay.told.need_kwh)
            };
            let (until, need_kwh) = self.guess(&visit.vehicle, stay.plugs_in, None, (told, need), ready.as_ref());
            expected.push(Expected {
                id: stay.id.clone(),
                device: stay.device,
                from,
                until: until.max(from + TimeDelta::minutes(15)),
                need_kwh,
                phases: self.phases(visit, stay.told.phases),
                min_a: stay.car.min_a,
                max_a: stay.car.max_a,
                group: self.group(&visit.vehicle),
            });
        }
        expected.sort_by(|a, b| a.from.cmp(&b.from).then_with(|| a.id.cmp(&b.id)));
        expected
    }

    fn here(&self, device: usize, now: DateTime<Utc>, live: &Live, ready: Option<&Ready<'_>>) -> Option<Expected> {
        let known = &live.devices[device];
        let session = known.session.as_ref()?;
        let visit = self.days.visits.coming.iter().find(|visit| visit.stay.id == session.id)?;
        let truth = Some(&visit.stay).filter(|_| self.way == Foresight::Perfect);
        let told = truth.map(|stay| stay.leaves).or(session.departure);
        let need = truth.map(|stay| stay.need_kwh).or(session.need_kwh);
        let so_far = Some((now, known.energy_kwh));
        let (until, need_kwh) = self.guess(&visit.vehicle, visit.stay.plugs_in, so_far, (told, need), ready);
        let seen = known.phases_seen;
        Some(Expected {
            id: session.id.clone(),
            device,
            from: now,
            until: if until <= now { now + OVERSTAY } else { until },
            need_kwh: (need_kwh - known.energy_kwh).max(0.0),
            phases: self.phases(visit, session.phases.or(seen)),
            min_a: session.min_a,
            max_a: session.max_a,
            group: self.group(&visit.vehicle),
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
