//! From sessions as they are stated to stays as the fast loop and planners know them.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use kwartier_data::compose::QUARTER;
use kwartier_data::site::{Site, V2g, Vehicle};
use kwartier_engine::control::event;
use kwartier_engine::control::setup::{Device, LOWEST_A};

use super::habits::Habit;
use crate::resource::session::{KeptSession, Origin, Session};
use crate::simulate::live::Known;
use crate::simulate::people::{self, Expected, FeedsIn};

/// How long a stay is taken to last where nobody says it.
const USUAL_STAY: TimeDelta = TimeDelta::hours(8);

/// Energy that a stay is taken to need at the charger where nobody says it, in kWh.
const USUAL_KWH: f64 = 15.0;

/// Who needs what nobody knows, and has got all that is usual, is planned with so much more, in kWh.
const MORE_KWH: f64 = 3.0;

/// What a vehicle is: what its session says before what the site says before the defaults.
struct Car<'a> {
    known: Option<&'a Vehicle>,
    group: Option<&'a str>,
    phases: Option<u8>,
    min_a: f64,
    max_a: f64,
    efficiency: f64,
    capacity_kwh: f64,
}

impl<'a> Car<'a> {
    fn of(site: &'a Site, said: &'a Session) -> Car<'a> {
        let defaults = &site.vehicle_defaults;
        let known = said.vehicle.as_ref().and_then(|name| site.vehicles.iter().find(|known| known.id == *name));
        Car {
            group: said.group.as_deref().or(known.and_then(|known| known.group.as_deref())),
            phases: said.phases.or(known.and_then(|known| known.phases)),
            min_a: said.min_a.or(known.and_then(|known| known.min_a)).unwrap_or(defaults.min_a).max(LOWEST_A),
            max_a: said.max_a.or(known.and_then(|known| known.max_a)).unwrap_or(if known.is_some() {
                defaults.max_a
            } else {
                // A vehicle of which nothing is known takes what the station gives.
                f64::INFINITY
            }),
            efficiency: known.and_then(|known| known.efficiency).unwrap_or(defaults.efficiency).clamp(0.1, 1.0),
            capacity_kwh: said
                .capacity_kwh
                .or(known.and_then(|known| known.capacity_kwh))
                .unwrap_or(defaults.capacity_kwh),
            known,
        }
    }

    /// Energy wanted at the charger in kWh; `None`, nobody says.
    fn need_kwh(&self, said: &Session) -> Option<f64> {
        let at_battery = said.need_kwh.or_else(|| {
            let soc_kwh = said.soc_kwh?;
            Some((said.target_kwh.unwrap_or(self.capacity_kwh) - soc_kwh).max(0.0))
        });
        at_battery.map(|kwh| kwh.max(0.0) / self.efficiency)
    }
}

/// When a vehicle leaves and how much it needs at the charger, as far as somebody says it: who stated the session, a roster, a
/// template; and who that is.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Wish {
    /// When it leaves.
    pub departure: Option<(DateTime<Utc>, Origin)>,
    /// Energy wanted at the charger in kWh.
    pub need_kwh: Option<(f64, Origin)>,
}

/// What is said of a stay that begins at an instant.
pub fn wish(site: &Site, zone: Tz, kept: &KeptSession, arrival: DateTime<Utc>) -> Wish {
    let said = &kept.stated;
    let car = Car::of(site, said);
    let usual = site.usual(said.vehicle.as_deref(), car.group, zone, arrival);
    let stated = |origin: Option<Origin>| origin.unwrap_or(Origin::Driver);
    let departure = said.departure.map(|at| (at, stated(kept.departure_from)));
    let need_kwh = car.need_kwh(said).map(|kwh| (kwh, stated(kept.need_from)));
    let by_template = usual.and_then(|usual| Some(usual.template.need_kwh? / car.efficiency));
    Wish {
        departure: departure.or(usual.map(|usual| (usual.departure, Origin::Template))),
        need_kwh: need_kwh.or(by_template.map(|kwh| (kwh, Origin::Template))),
    }
}

/// A stay as the fast loop knows it.
pub fn stay(site: &Site, id: &str, kept: &KeptSession, wish: Wish, station_max_a: f64) -> event::Session {
    let said = &kept.stated;
    let car = Car::of(site, said);
    let group = car.group.and_then(|name| site.groups.iter().find(|group| group.id == name));
    event::Session {
        id: id.to_owned(),
        phases: car.phases,
        min_a: car.min_a,
        max_a: car.max_a.min(station_max_a).max(car.min_a),
        max_discharge_a: car.known.and_then(|known| known.v2g.as_ref()).map_or(0.0, |v2g| v2g.max_a),
        need_kwh: wish.need_kwh.map(|(kwh, _)| kwh),
        departure: wish.departure.map(|(at, _)| at),
        priority: said.priority.unwrap_or(group.map_or(0, |group| group.priority)),
        guaranteed_a: group.and_then(|group| group.guaranteed_a).unwrap_or(0.0),
    }
}

/// Where what a stay is planned with is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origins {
    /// When it leaves.
    pub departure: Origin,
    /// How much it needs.
    pub need: Origin,
}

/// When a stay ends and what it needs in all: what is said, else what is usual of its kind, else what is usual anywhere.
pub fn expected(wish: Wish, habit: Option<Habit>, arrival: DateTime<Utc>) -> (DateTime<Utc>, f64, Origins) {
    let habits = habit.map_or(Origin::Assumed, |habit| habit.of);
    let length = habit.map_or(USUAL_STAY, |habit| habit.length);
    let (until, departure) = wish.departure.unwrap_or((arrival + length, habits));
    let by_habit = habit.and_then(|habit| habit.kwh).map_or((USUAL_KWH, Origin::Assumed), |kwh| (kwh, habits));
    let (kwh, need) = wish.need_kwh.unwrap_or(by_habit);
    (until, kwh, Origins { departure, need })
}

/// A stay in progress as planners expect it, from what the fast loop was told.
pub fn here(
    device: usize,
    known: &Known,
    group: Option<String>,
    (until, need_kwh, origins): (DateTime<Utc>, f64, Origins),
    feeds_in: Option<FeedsIn>,
    now: DateTime<Utc>,
) -> Option<Expected> {
    let session = known.session.as_ref()?;
    let (from, until) = people::rest(until, now);
    let left_kwh = match origins.need {
        Origin::Driver | Origin::Vehicle | Origin::Roster | Origin::Template => (need_kwh - known.energy_kwh).max(0.0),
        Origin::History | Origin::Group | Origin::Assumed => (need_kwh - known.energy_kwh).max(MORE_KWH),
    };
    Some(Expected {
        id: session.id.clone(),
        device,
        from,
        until,
        need_kwh: left_kwh,
        phases: session.phases.or(known.phases_seen).unwrap_or(1),
        min_a: session.min_a,
        max_a: session.max_a,
        group,
        feeds_in,
    })
}

/// What a stay may feed in, where its vehicle and its station can and the energy in its battery is known; `got_kwh` is what it has got
/// so far at the charger.
pub fn feeds_in(site: &Site, said: &Session, station: &Device, got_kwh: f64) -> Option<FeedsIn> {
    let car = Car::of(site, said);
    let v2g = car.known?.v2g.clone()?;
    let max_a = v2g.max_a.min(station.max_discharge_a);
    let soc_kwh = (said.soc_kwh? + got_kwh * car.efficiency).clamp(0.0, car.capacity_kwh);
    let (capacity_kwh, efficiency) = (car.capacity_kwh, car.efficiency);
    (max_a >= v2g.min_a).then_some(FeedsIn { v2g: V2g { max_a, ..v2g }, soc_kwh, capacity_kwh, efficiency })
}

/// A stay that has not begun, as planners expect it.
pub fn coming(
    device: usize,
    stay: event::Session,
    group: Option<String>,
    (until, need_kwh): (DateTime<Utc>, f64),
    feeds_in: Option<FeedsIn>,
    arrival: DateTime<Utc>,
) -> Expected {
    Expected {
        id: stay.id,
        device,
        from: arrival,
        until: until.max(arrival + QUARTER),
        need_kwh,
        phases: stay.phases.unwrap_or(1),
        min_a: stay.min_a,
        max_a: stay.max_a,
        group,
        feeds_in,
    }
}

/// The group of a session's vehicle, where the site knows it.
pub fn group<'a>(site: &'a Site, said: &'a Session) -> Option<&'a str> {
    let name = Car::of(site, said).group?;
    site.groups.iter().find(|group| group.id == name).map(|group| group.id.as_str())
}
