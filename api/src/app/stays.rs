//! From sessions as they are stated to stays as the fast loop and planners know them.

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::site::{Site, Vehicle};
use kwartier_engine::control::event;
use kwartier_engine::control::setup::LOWEST_A;

use crate::resource::session::{KeptSession, Session};
use crate::simulate::live::Known;
use crate::simulate::people::Expected;

/// How long a stay is taken to last where nobody says it.
const USUAL_STAY: TimeDelta = TimeDelta::hours(8);

/// Energy that a stay is taken to need at the charger where nobody says it, in kWh.
const USUAL_KWH: f64 = 15.0;

/// Who needs what nobody knows, and has got all that is usual, is planned with so much more, in kWh.
const MORE_KWH: f64 = 3.0;

/// Length of a plan's slot in s.
const SLOT_S: i64 = 900;

/// Who stays longer than was said is expected to stay so long from now on.
const OVERSTAY: TimeDelta = TimeDelta::minutes(30);

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

/// A stay as the fast loop knows it.
pub fn stay(site: &Site, id: &str, kept: &KeptSession, station_max_a: f64) -> event::Session {
    let said = &kept.stated;
    let car = Car::of(site, said);
    let group = car.group.and_then(|name| site.groups.iter().find(|group| group.id == name));
    event::Session {
        id: id.to_owned(),
        phases: car.phases,
        min_a: car.min_a,
        max_a: car.max_a.min(station_max_a).max(car.min_a),
        max_discharge_a: car.known.and_then(|known| known.v2g.as_ref()).map_or(0.0, |v2g| v2g.max_a),
        need_kwh: car.need_kwh(said),
        departure: said.departure,
        priority: said.priority.unwrap_or(group.map_or(0, |group| group.priority)),
        guaranteed_a: group.and_then(|group| group.guaranteed_a).unwrap_or(0.0),
    }
}

/// What was assumed of a stay, because nobody says it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Assumed {
    /// When it leaves.
    pub departure: bool,
    /// How much it needs.
    pub need: bool,
}

/// A stay in progress as planners expect it, from what the fast loop was told. It is there from the beginning of the slot that
/// runs, so that this slot is planned too.
pub fn here(
    device: usize,
    known: &Known,
    group: Option<String>,
    arrival: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Option<(Expected, Assumed)> {
    let session = known.session.as_ref()?;
    let until = session.departure.unwrap_or(arrival + USUAL_STAY);
    let left_kwh = match session.need_kwh {
        Some(need_kwh) => (need_kwh - known.energy_kwh).max(0.0),
        None => (USUAL_KWH - known.energy_kwh).max(MORE_KWH),
    };
    let expected = Expected {
        id: session.id.clone(),
        device,
        from: now - TimeDelta::seconds(now.timestamp().rem_euclid(SLOT_S)) - subsecond(now),
        until: if until <= now { now + OVERSTAY } else { until },
        need_kwh: left_kwh,
        phases: session.phases.or(known.phases_seen).unwrap_or(1),
        min_a: session.min_a,
        max_a: session.max_a,
        group,
    };
    let assumed = Assumed { departure: session.departure.is_none(), need: session.need_kwh.is_none() };
    Some((expected, assumed))
}

fn subsecond(at: DateTime<Utc>) -> TimeDelta {
    TimeDelta::nanoseconds(i64::from(at.timestamp_subsec_nanos()))
}

/// A stay that has not begun, as planners expect it.
pub fn coming(
    site: &Site,
    id: &str,
    kept: &KeptSession,
    device: usize,
    station_max_a: f64,
    arrival: DateTime<Utc>,
) -> (Expected, Assumed) {
    let said = &kept.stated;
    let stay = stay(site, id, kept, station_max_a);
    let expected = Expected {
        id: id.to_owned(),
        device,
        from: arrival,
        until: stay.departure.unwrap_or(arrival + USUAL_STAY).max(arrival + TimeDelta::minutes(15)),
        need_kwh: stay.need_kwh.unwrap_or(USUAL_KWH),
        phases: stay.phases.unwrap_or(1),
        min_a: stay.min_a,
        max_a: stay.max_a,
        group: group(site, said).map(str::to_owned),
    };
    (expected, Assumed { departure: stay.departure.is_none(), need: stay.need_kwh.is_none() })
}

/// The group of a session's vehicle, where the site knows it.
pub fn group<'a>(site: &'a Site, said: &'a Session) -> Option<&'a str> {
    let name = Car::of(site, said).group?;
    site.groups.iter().find(|group| group.id == name).map(|group| group.id.as_str())
}
