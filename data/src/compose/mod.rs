//! From a site, a roster, prices and forecasts to a planning instance for one local day.
//!
//! [`instance`] is pure and refuses what it cannot know; what it assumes, it says in [`Note`]s. What it returns is accepted
//! by [`crate::instance::parse`]: it has been through the same rules.

mod building;
mod devices;
mod horizon;
mod prices;
mod sessions;
mod stations;

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde::Serialize;

pub use horizon::{Horizon, QUARTER, quarter_of};
pub use sessions::Need;

use crate::instance::{Instance, wire};
use crate::local;
use crate::refusal::{Fault, Faults, Refusal, quoted};
use crate::roster::Roster;
use crate::series::{Building, PlantPower, Series};
use crate::site::Site;

/// All that an instance is made from besides the site.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// Which slots.
    pub horizon: Horizon,
    /// Who stays.
    pub roster: &'a Roster,
    /// Spot prices in EUR/kWh.
    pub prices: Option<&'a Series>,
    /// What the building draws; empty, it is assumed.
    pub building: &'a [Building],
    /// What PV plants deliver.
    pub pv: &'a [PlantPower],
    /// Carbon intensity in kg/kWh.
    pub co2: Option<&'a Series>,
    /// Highest import of the billing period so far in kW.
    pub peak_so_far_kw: Option<f64>,
    /// Energy imported this calendar year so far in kWh.
    pub used_this_year_kwh: Option<f64>,
    /// Energy in stationary batteries at the start in kWh, by name.
    pub battery_soc_kwh: &'a [(String, f64)],
}

/// Something that was assumed or left out, for the person who asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// What kind of note it is, for programs.
    pub code: NoteCode,
    /// What it says, for people.
    pub text: String,
}

/// Kinds of notes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteCode {
    /// The building's draw is the site file's highest, for want of a forecast.
    BuildingAtMost,
    /// The building's draw is unknown and taken for nothing. Fuses may be overloaded.
    BuildingUnknown,
    /// PV power is unknown, or below zero, and taken for nothing.
    NoPv,
    /// Prices are those of the price file, for want of a tariff.
    NoTariff,
    /// Something that the price depends on was not said.
    PriceAssumed,
    /// A battery's energy at the start was not said.
    BatterySoc,
    /// A vehicle's state of charge was not said.
    VehicleSoc,
    /// A vehicle's capacity was not said, and its need depends on it.
    VehicleCapacity,
    /// A stay was left out.
    StayLeftOut,
    /// Stays reach beyond the horizon and get their fair share.
    FairShare,
    /// A load's window was left out.
    LoadLeftOut,
}

impl NoteCode {
    /// Whether the person should act on it, because fuses are at risk or something is not planned.
    pub fn is_warning(self) -> bool {
        matches!(self, NoteCode::BuildingUnknown | NoteCode::StayLeftOut | NoteCode::LoadLeftOut)
    }
}

/// What the parts of the composition share.
struct Context<'a> {
    site: &'a Site,
    inputs: &'a Inputs<'a>,
    zone: Tz,
    horizon: Horizon,
    faults: Faults,
    notes: Vec<Note>,
}

impl Context<'_> {
    fn fault(&mut self, path: impl Into<String>, value: &str, wrong: impl Into<String>, remedy: impl Into<String>) {
        self.faults.add(Fault::of_table(path, value, wrong, remedy));
    }

    fn note(&mut self, code: NoteCode, text: impl Into<String>) {
        self.notes.push(Note { code, text: text.into() });
    }

    /// The means of a series over the slots; zeros and a fault where a slot is not covered.
    fn slots(&mut self, what: &str, series: &Series) -> Vec<f64> {
        let horizon = self.horizon;
        series.means(horizon.start, horizon.slot(), horizon.slots).unwrap_or_else(|missing| {
            let wrong = format!("say nothing of the slot at {}", local::shown(self.zone, missing.slot));
            let remedy = if series.start <= missing.slot && missing.slot + horizon.slot() <= series.end() {
                "fill the gap in the file".to_owned()
            } else {
                format!(
                    "give values from {} to {}; the file has {} to {}",
                    local::shown(self.zone, horizon.start),
                    local::shown(self.zone, horizon.end()),
                    local::shown(self.zone, series.start),
                    local::shown(self.zone, series.end()),
                )
            };
            self.fault(what, "", wrong, remedy);
            vec![0.0; horizon.slots]
        })
    }
}

/// Makes the planning instance of a horizon.
///
/// # Errors
///
/// [`Refusal`] with everything that cannot be used or is missing: a zone, a rotation, a series that does not cover the
/// horizon, a station that the site does not have, stays that overlap; and at last what breaks a rule of the instance
/// format, by its JSON path.
pub fn instance(site: &Site, inputs: &Inputs<'_>) -> Result<(wire::Instance, Vec<Note>), Refusal> {
    let zone = local::zone(&site.time_zone)
        .map_err(|remedy| Fault::of_table("time_zone", &site.time_zone, "is no time zone", remedy))?;
    let horizon = inputs.horizon;
    let mut context = Context { site, inputs, zone, horizon, faults: Faults::default(), notes: Vec::new() };
    let stations = stations::stations(&mut context);
    let building = building::building(&mut context);
    let wire = wire::Instance {
        format: 1,
        start: horizon.start.to_rfc3339_opts(SecondsFormat::Secs, true),
        name: Some(site.name.clone()).filter(|name| !name.trim().is_empty()),
        time_zone: Some(zone.name().to_owned()),
        slot_minutes: u64::from(horizon.slot_minutes),
        slots: horizon.slots as u64,
        voltage_v: site.voltage_v,
        nodes: nodes(site),
        pv: devices::pv(&mut context),
        grid: prices::grid(&mut context, building.kw),
        base_load_a: building.loads,
        chargers: stations.iter().map(|station| station.charger.clone()).collect(),
        sessions: sessions::sessions(&mut context, &stations),
        batteries: devices::batteries(&mut context),
        loads: devices::loads(&mut context),
    };
    let notes = context.faults.or(context.notes)?;
    Instance::from_wire(wire.clone())?;
    Ok((wire, notes))
}

/// What the vehicles want that stay within a horizon, and what was assumed.
///
/// # Errors
///
/// [`Refusal`] with every row that cannot be used, and stays that overlap.
pub fn needs<'a>(site: &Site, roster: &'a Roster, horizon: Horizon) -> Result<(Vec<Need<'a>>, Vec<Note>), Refusal> {
    let inputs = Inputs {
        horizon,
        roster,
        prices: None,
        building: &[],
        pv: &[],
        co2: None,
        peak_so_far_kw: None,
        used_this_year_kwh: None,
        battery_soc_kwh: &[],
    };
    let faults = Faults::default();
    let mut context = Context { site, inputs: &inputs, zone: roster.zone, horizon, faults, notes: Vec::new() };
    let needs = sessions::needs(&mut context, roster)?;
    let notes = context.faults.or(context.notes)?;
    Ok((needs, notes))
}

fn nodes(site: &Site) -> Vec<wire::Node> {
    let nodes = site.boards.iter().map(|board| wire::Node {
        id: board.id.clone(),
        parent: board.parent.clone(),
        limit_a: board.limit_a.phases().to_vec(),
        imbalance_limit_a: board.imbalance_a(),
    });
    nodes.collect()
}

/// A number of kWh as a note shows it.
fn kwh(amount: f64) -> String {
    format!("{amount:.1} kWh")
}

/// A name that is none of `taken`: `name` with the local day behind it, with the time where that is taken too.
fn dated_name(name: &str, zone: Tz, at: DateTime<Utc>, taken: &mut std::collections::HashSet<String>) -> String {
    let local = at.with_timezone(&zone);
    let mut candidate = format!("{name}@{}", local.format("%Y-%m-%d"));
    if taken.contains(&candidate) {
        candidate = format!("{name}@{}", local.format("%Y-%m-%dT%H:%M%:z"));
    }
    while !taken.insert(candidate.clone()) {
        candidate.push('+');
    }
    candidate
}

/// Names in quotes, and how many more.
fn listed(names: &[&str]) -> String {
    crate::refusal::names(names.iter().copied())
}

/// The nearest of some names, as a remedy; all of them where none is near.
fn nearest<'a>(name: &str, all: impl Iterator<Item = &'a str> + Clone, what: &str) -> String {
    let best = all.clone().max_by(|a, b| strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name)));
    match best {
        Some(near) if strsim::jaro_winkler(near, name) > 0.85 => {
            format!("did you mean {}? Otherwise add the {what} to the site file", quoted(near))
        }
        Some(_) => format!("name a {what} of the site: {}", listed(&all.collect::<Vec<_>>())),
        None => format!("add the {what} to the site file, which has none"),
    }
}
