//! Stays within the horizon as sessions.

use std::collections::{HashMap, HashSet};

use super::stations::Placed;
use super::{Context, NoteCode, dated_name, kwh, listed};
use crate::instance::wire;
use crate::refusal::{Refusal, number, quoted};
use crate::roster::{Entry, Roster, Stay};
use crate::site::{Group, Vehicle};

/// A vehicle as a row, the site and the defaults together say.
struct Known<'a> {
    phases: u8,
    min_a: f64,
    max_a: f64,
    efficiency: f64,
    capacity_kwh: f64,
    capacity_said: bool,
    shortfall_eur_kwh: f64,
    v2g: Option<&'a crate::site::V2g>,
}

/// The sessions of all stays that reach into the horizon, each clipped to it with its fair share of the need: the part of
/// the need that the part of the stay is.
pub(super) fn sessions(context: &mut Context<'_>, stations: &[Placed]) -> Vec<wire::Session> {
    unknown_stations(context, stations);
    let (from, to) = (context.horizon.start, context.horizon.end());
    let stays = match context.inputs.roster.stays(from, to) {
        Ok(stays) => stays,
        Err(refusal) => {
            for fault in refusal.faults() {
                let path = format!("the roster, {}", fault.path);
                context.faults.add(crate::refusal::Fault { path, ..fault.clone() });
            }
            return Vec::new();
        }
    };
    let mut stays_of: HashMap<&str, usize> = HashMap::new();
    for stay in &stays {
        *stays_of.entry(&stay.entry.vehicle).or_default() += 1;
    }
    let mut notes = Assumed::default();
    let mut taken = HashSet::new();
    let mut sessions = Vec::with_capacity(stays.len());
    for stay in &stays {
        let Some(station) = stations.iter().find(|station| station.charger.id == stay.entry.station) else { continue };
        if let Some(mut session) = session(context, &mut notes, stay, station) {
            if stays_of[stay.entry.vehicle.as_str()] > 1 || !taken.insert(session.id.clone()) {
                session.id = dated_name(&stay.entry.vehicle, context.zone, stay.arrival, &mut taken);
            }
            sessions.push(session);
        }
    }
    notes.tell(context);
    sessions
}

/// A stay and what its vehicle wants, whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Need<'a> {
    /// The stay.
    pub stay: Stay<'a>,
    /// On how many phases the vehicle charges.
    pub phases: u8,
    /// Lowest current per phase in A.
    pub min_a: f64,
    /// Highest current per phase in A.
    pub max_a: f64,
    /// Energy wanted at the charger in kWh.
    pub charger_kwh: f64,
}

/// What the vehicles want that stay within the horizon, none of it clipped.
pub(super) fn needs<'a>(context: &mut Context<'_>, roster: &'a Roster) -> Result<Vec<Need<'a>>, Refusal> {
    let stays = roster.stays(context.horizon.start, context.horizon.end())?;
    let mut assumed = Assumed::default();
    let mut needs = Vec::with_capacity(stays.len());
    for stay in stays {
        let Some(vehicle) = known(context, stay.entry) else { continue };
        let Some((_, need_kwh)) = energies(context, &mut assumed, &stay, &vehicle) else { continue };
        needs.push(Need {
            stay,
            phases: vehicle.phases,
            min_a: vehicle.min_a,
            max_a: vehicle.max_a,
            charger_kwh: need_kwh / vehicle.efficiency,
        });
    }
    // What a vehicle has on arrival matters to nobody here.
    Assumed { soc: Vec::new(), ..assumed }.tell(context);
    Ok(needs)
}

/// Every row is at a station of the site, whether or not it concerns the horizon.
fn unknown_stations(context: &mut Context<'_>, stations: &[Placed]) {
    let names = || stations.iter().map(|station| station.charger.id.as_str());
    let roster = context.inputs.roster;
    for entry in roster.rows.iter().filter(|entry| !names().any(|name| name == entry.station)) {
        let remedy = super::nearest(&entry.station, names(), "station");
        context.fault(place(entry, "station"), &entry.station, "is no station of the site", remedy);
    }
}

fn place(entry: &Entry, column: &str) -> String {
    format!("the roster, row {} (vehicle {}), {column}", entry.row, quoted(&entry.vehicle))
}

/// What was assumed of many vehicles, told once each.
#[derive(Default)]
struct Assumed<'a> {
    soc: Vec<&'a str>,
    capacity: Vec<&'a str>,
    clipped: usize,
    share_kwh: f64,
    whole_kwh: f64,
}

impl Assumed<'_> {
    fn tell(self, context: &mut Context<'_>) {
        if !self.soc.is_empty() {
            let text = format!(
                "the state of charge of {} is unknown: taken to be what its need leaves of its capacity, or of its target",
                listed(&self.soc)
            );
            context.note(NoteCode::VehicleSoc, text);
        }
        if !self.capacity.is_empty() {
            let text = format!(
                "the capacity of {} is unknown: {} kWh as vehicle_defaults say, on which the need depends",
                listed(&self.capacity),
                number(context.site.vehicle_defaults.capacity_kwh)
            );
            context.note(NoteCode::VehicleCapacity, text);
        }
        if self.clipped > 0 {
            let text = format!(
                "{} reach beyond the horizon: they get their fair share of the need by time, {} of {}",
                if self.clipped == 1 { "1 stay".to_owned() } else { format!("{} stays", self.clipped) },
                kwh(self.share_kwh),
                kwh(self.whole_kwh)
            );
            context.note(NoteCode::FairShare, text);
        }
    }
}

fn session<'a>(
    context: &mut Context<'_>,
    assumed: &mut Assumed<'a>,
    stay: &Stay<'a>,
    station: &Placed,
) -> Option<wire::Session> {
    let entry = stay.entry;
    let vehicle = known(context, entry)?;
    let (soc_kwh, need_kwh) = energies(context, assumed, stay, &vehicle)?;
    let (before, inside) = context.horizon.shares(stay.arrival, stay.departure);
    let share_kwh = need_kwh * inside;
    let left_out = |context: &mut Context<'_>, why: &str| {
        let text =
            format!("{} at {} is left out, {why}: {} are not planned", entry.vehicle, entry.station, kwh(share_kwh));
        context.note(NoteCode::StayLeftOut, text);
    };
    let Some((arrive, depart)) = context.horizon.window(stay.arrival, stay.departure) else {
        left_out(context, "whose stay holds no whole slot of the horizon");
        return None;
    };
    let Some(phases) = station.phases(vehicle.phases) else {
        left_out(context, "whose phase rotation is unknown");
        return None;
    };
    if inside < 1.0 {
        assumed.clipped += 1;
        assumed.share_kwh += share_kwh;
        assumed.whole_kwh += need_kwh;
    }
    Some(wire::Session {
        id: entry.vehicle.clone(),
        charger: entry.station.clone(),
        arrive: arrive as u64,
        depart: depart as u64,
        phases: phases as u64,
        min_a: vehicle.min_a,
        max_a: vehicle.max_a,
        efficiency: vehicle.efficiency,
        capacity_kwh: vehicle.capacity_kwh,
        soc_kwh: (soc_kwh + need_kwh * before).min(vehicle.capacity_kwh),
        need_kwh: share_kwh,
        shortfall_eur_kwh: vehicle.shortfall_eur_kwh,
        v2g: vehicle.v2g.map(wire::V2g::from),
    })
}

/// The vehicle: what the row says before what the site says before the defaults.
fn known<'a>(context: &mut Context<'a>, entry: &Entry) -> Option<Known<'a>> {
    let site = context.site;
    let row = &entry.vehicle_facts;
    let none = Vehicle::default();
    let vehicle: Option<&'a Vehicle> = site.vehicles.iter().find(|vehicle| vehicle.id == entry.vehicle);
    let facts = vehicle.unwrap_or(&none);
    let defaults = &site.vehicle_defaults;
    let group: Option<&Group> = match row.group.as_ref().or(facts.group.as_ref()) {
        None => None,
        Some(name) => {
            let group = site.groups.iter().find(|group| group.id == *name);
            if group.is_none() {
                let remedy = super::nearest(name, site.groups.iter().map(|group| group.id.as_str()), "group");
                context.fault(place(entry, "group"), name, "is no group of the site", remedy);
                return None;
            }
            group
        }
    };
    let known = Known {
        phases: row.phases.or(facts.phases).unwrap_or(defaults.phases),
        min_a: row.min_a.or(facts.min_a).unwrap_or(defaults.min_a),
        max_a: row.max_a.or(facts.max_a).unwrap_or(defaults.max_a),
        efficiency: row.efficiency.or(facts.efficiency).unwrap_or(defaults.efficiency),
        capacity_kwh: row.capacity_kwh.or(facts.capacity_kwh).unwrap_or(defaults.capacity_kwh),
        capacity_said: row.capacity_kwh.or(facts.capacity_kwh).is_some(),
        shortfall_eur_kwh: group.and_then(|group| group.shortfall_eur_kwh).unwrap_or(defaults.shortfall_eur_kwh),
        v2g: vehicle.and_then(|vehicle| vehicle.v2g.as_ref()),
    };
    if known.min_a > known.max_a {
        let wrong = format!("is below min_a, {}", number(known.min_a));
        let remedy = "give a max_a of at least min_a; a vehicle that takes less than 6 A cannot charge by IEC 61851";
        context.fault(place(entry, "max_a"), &number(known.max_a), wrong, remedy);
        return None;
    }
    Some(known)
}

/// Energy on arrival and energy to be added in kWh.
fn energies<'a>(
    context: &mut Context<'_>,
    assumed: &mut Assumed<'a>,
    stay: &Stay<'a>,
    vehicle: &Known<'_>,
) -> Option<(f64, f64)> {
    let entry = stay.entry;
    let capacity_kwh = vehicle.capacity_kwh;
    let target_kwh = entry.target.map_or(capacity_kwh, |target| target.kwh(capacity_kwh));
    let soc_kwh = entry.soc.map(|soc| soc.kwh(capacity_kwh));
    // What is expected is what the station delivers, and never more than the battery holds.
    let expected_kwh = stay.charged_kwh.map(|kwh| (kwh * vehicle.efficiency).clamp(0.0, target_kwh));
    let need_kwh = entry.need_kwh.or(soc_kwh.map(|soc| (target_kwh - soc).max(0.0))).or(expected_kwh)?;
    let given = [("soc", soc_kwh), ("target", entry.target.map(|_| target_kwh)), ("need_kwh", Some(need_kwh))];
    for (column, value) in given {
        if let Some(value) = value.filter(|&value| value > capacity_kwh) {
            let from = if vehicle.capacity_said { "" } else { " (of vehicle_defaults)" };
            let wrong = format!("is more than the capacity{from}, {} kWh", number(capacity_kwh));
            let remedy = "correct it, or give the vehicle's capacity_kwh in the roster or the site file";
            context.fault(place(entry, column), &format!("{} kWh", number(value)), wrong, remedy);
            return None;
        }
    }
    let by_percent = entry.need_kwh.is_none() && expected_kwh.is_none();
    if by_percent && !vehicle.capacity_said && !assumed.capacity.contains(&entry.vehicle.as_str()) {
        assumed.capacity.push(&entry.vehicle);
    }
    let soc_kwh = soc_kwh.unwrap_or_else(|| {
        if !assumed.soc.contains(&entry.vehicle.as_str()) {
            assumed.soc.push(&entry.vehicle);
        }
        (target_kwh - need_kwh).max(0.0)
    });
    Some((soc_kwh, need_kwh))
}
