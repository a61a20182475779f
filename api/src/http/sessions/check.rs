//! What must hold of a session.

use chrono::{DateTime, Utc};
use kwartier_data::site::{Site, Vehicle};

use super::super::finite::{Finite, MOST_A, MOST_KWH, shown};
use super::super::problem::Problem;
use crate::resource::session::{KeptSession, Session, SessionChange};

/// Whether a session can be what it says.
pub fn session(site: &Site, session: &Session, now: DateTime<Utc>) -> Result<(), Problem> {
    let mut finite = Finite::new("");
    if !site.stations.iter().any(|station| station.id == session.charger) {
        finite.wrong("charger", format!("{:?} is no charger of the site; put it first", session.charger));
    }
    if let Some(group) = session.group.as_ref().filter(|group| !site.groups.iter().any(|known| known.id == **group)) {
        finite.wrong("group", format!("{group:?} is no group of the site; leave it out, or add it to the site"));
    }
    let vehicle = known_vehicle(site, session, &mut finite);
    expected_times(&mut finite, session.arrival, session.departure, now);
    energies(&mut finite, site, session, vehicle);
    currents(&mut finite, session);
    finite.done()
}

fn known_vehicle<'a>(site: &'a Site, session: &Session, finite: &mut Finite) -> Option<&'a Vehicle> {
    let name = session.vehicle.as_ref()?;
    let vehicle = site.vehicles.iter().find(|known| known.id == *name);
    if vehicle.is_none() {
        finite.wrong("vehicle", format!("{name:?} is no vehicle of the site; leave it out, or put it first"));
    }
    vehicle
}

/// Whether arrival and departure can be.
fn expected_times(
    finite: &mut Finite,
    arrival: Option<DateTime<Utc>>,
    departure: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) {
    if let Some(arrival) = arrival {
        finite.near("arrival", arrival, now);
        if arrival < now - super::super::finite::AHEAD {
            finite.wrong("arrival", format!("{} is more than 400 days ago; check the year", shown(arrival)));
        }
    }
    let Some(departure) = departure else { return };
    finite.near("departure", departure, now);
    if departure <= now {
        let detail =
            format!("{} has passed; send one that lies ahead, or leave it out where it is unknown", shown(departure));
        finite.wrong("departure", detail);
    } else if let Some(arrival) = arrival.filter(|arrival| departure <= *arrival) {
        let detail = format!("{} is not after the arrival, {}; send a later one", shown(departure), shown(arrival));
        finite.wrong("departure", detail);
    }
}

fn energies(finite: &mut Finite, site: &Site, session: &Session, vehicle: Option<&Vehicle>) {
    finite.not_negative("need_kwh", session.need_kwh, MOST_KWH, "kWh");
    finite.not_negative("soc_kwh", session.soc_kwh, MOST_KWH, "kWh");
    finite.not_negative("target_kwh", session.target_kwh, MOST_KWH, "kWh");
    finite.positive("capacity_kwh", session.capacity_kwh, MOST_KWH, "kWh");
    if session.need_kwh.is_some() && session.target_kwh.is_some() {
        finite.wrong("target_kwh", "says the same as need_kwh in another way; send one of them");
    }
    let capacity_kwh = session.capacity_kwh.or(vehicle.and_then(|vehicle| vehicle.capacity_kwh));
    let (capacity_kwh, whose) = match capacity_kwh {
        Some(capacity_kwh) => (capacity_kwh, "the battery's capacity"),
        None => (site.vehicle_defaults.capacity_kwh, "the capacity that the site takes for granted"),
    };
    for (field, value) in [("soc_kwh", session.soc_kwh), ("target_kwh", session.target_kwh)] {
        if let Some(value) = value.filter(|value| *value > capacity_kwh) {
            let detail = format!("{value} is more than {whose}, {capacity_kwh} kWh; correct it, or say capacity_kwh");
            finite.wrong(field, detail);
        }
    }
}

fn currents(finite: &mut Finite, session: &Session) {
    if let Some(phases) = session.phases.filter(|phases| !(1..=3).contains(phases)) {
        finite.wrong("phases", format!("{phases} is not 1, 2 or 3"));
    }
    finite.positive("min_a", session.min_a, MOST_A, "A");
    finite.positive("max_a", session.max_a, MOST_A, "A");
    if let (Some(min_a), Some(max_a)) = (session.min_a, session.max_a)
        && min_a > max_a
    {
        finite.wrong("min_a", format!("{min_a} is more than max_a, {max_a}; swap them"));
    }
}

/// Whether a session can become what a change makes of it.
pub fn change(site: &Site, kept: &KeptSession, change: &SessionChange, now: DateTime<Utc>) -> Result<(), Problem> {
    let mut finite = Finite::new("");
    let stated = Session {
        need_kwh: change.need_kwh,
        soc_kwh: change.soc_kwh,
        target_kwh: change.target_kwh,
        phases: change.phases,
        ..kept.stated.clone()
    };
    let vehicle = stated.vehicle.as_ref().and_then(|name| site.vehicles.iter().find(|known| known.id == *name));
    energies(&mut finite, site, &stated, vehicle);
    currents(&mut finite, &stated);
    if let Some(Some(departure)) = change.departure {
        // What was said of the arrival long ago is no fault of this change.
        let arrival = kept.stated.arrival.filter(|arrival| *arrival > now - super::super::finite::AHEAD);
        expected_times(&mut finite, arrival, Some(departure), now);
    }
    if let Some(Some(wanted)) = &change.r#override
        && let Some(until) = wanted.until
    {
        finite.near("override.until", until, now);
        if until <= now {
            let detail = format!("{} has passed; send one that lies ahead, or null to take it back", shown(until));
            finite.wrong("override.until", detail);
        }
    }
    if let Some(ended) = change.ended {
        finite.not_ahead("ended", ended, now);
        if let Some(arrival) = kept.stated.arrival.filter(|arrival| ended < *arrival) {
            let detail = format!(
                "{} is before the arrival, {}; erase the session if it never came",
                shown(ended),
                shown(arrival)
            );
            finite.wrong("ended", detail);
        }
    }
    if kept.ended.is_some() && (change.departure.is_some() || change.r#override.is_some()) {
        finite.wrong("", "the session has ended; state a new one");
    }
    finite.done()
}
