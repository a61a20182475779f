//! From bytes to a checked instance, or to the list of everything that is wrong with them.
//!
//! Each kind of thing is checked and converted in one go ([`tree`], [`sessions`], [`site`]); where a reference leads
//! nowhere, a stand-in keeps the check going, and the fault noted keeps the result from being used.

mod rules;
mod sessions;
mod site;
mod tree;

use std::collections::HashMap;

use chrono::{DateTime, Datelike, Utc};
use chrono_tz::Tz;

use self::rules::{At, Rules};
use super::{Instance, wire};
use crate::json::{self, Part};
use crate::local;
use crate::refusal::{Faults, Refusal, number, quoted};

/// Most slots of a horizon. 2,000 quarters of an hour are three weeks.
pub const MAX_SLOTS: usize = 2000;

/// Most boards × slots. Currents are held for each board, phase and slot; this many take 120 MB.
pub const MAX_BOARD_SLOTS: usize = 5_000_000;

/// Longest slot in minutes: a day.
const MAX_SLOT_MINUTES: u32 = 24 * 60;

/// Lowest phase to neutral voltage in V. Below it, what is meant is kV; and currents are powers divided by it.
const MIN_VOLTAGE_V: f64 = 1.0;

/// First and last year of a horizon's start: beyond them, dates no longer have four digits or are mistakes.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=2999;

/// The parts in which a misshapen file is searched for further faults.
const PARTS: [Part; 8] = [
    Part::list::<wire::Node>("nodes", "node"),
    Part::list::<wire::BaseLoad>("base_load_a", "base load of"),
    Part::list::<wire::Pv>("pv", "pv"),
    Part::object::<wire::Grid>("grid"),
    Part::list::<wire::Charger>("chargers", "charger"),
    Part::list::<wire::Session>("sessions", "session"),
    Part::list::<wire::Battery>("batteries", "battery"),
    Part::list::<wire::Load>("loads", "load"),
];

/// Reads an instance from a file's bytes.
///
/// # Errors
///
/// [`Refusal`] when the bytes are no JSON, are not of the instance's shape, or break a rule of the format.
pub fn parse(bytes: &[u8]) -> Result<Instance, Refusal> {
    Instance::from_wire(json::read(bytes, &PARTS)?)
}

impl Instance {
    /// Checks an instance and resolves its names.
    ///
    /// # Errors
    ///
    /// [`Refusal`] with all rules of the format that it breaks.
    pub fn from_wire(wire: wire::Instance) -> Result<Self, Refusal> {
        let mut rules =
            Rules { faults: Faults::default(), slots: None, nodes: HashMap::new(), node_names: String::new() };
        if wire.format != 1 {
            rules.faults.add(json::unknown_format(&wire.format.to_string()));
        }
        let start = start(&mut rules, &wire.start);
        let time_zone = time_zone(&mut rules, wire.time_zone.as_deref());
        let slot_minutes = slot_minutes(&mut rules, wire.slot_minutes);
        rules.slots = slots(&mut rules, wire.slots);
        voltage(&mut rules, wire.voltage_v);
        let nodes = tree::nodes(&mut rules, wire.nodes);
        let pv = site::pv(&mut rules, wire.pv);
        let grid = site::grid(&mut rules, wire.grid);
        let (chargers, charger_ids) = sessions::chargers(&mut rules, wire.chargers);
        let sessions = sessions::sessions(&mut rules, wire.sessions, &charger_ids);
        let batteries = site::batteries(&mut rules, wire.batteries);
        let loads = site::loads(&mut rules, wire.loads);
        let base_load_a = site::base_load(&mut rules, wire.base_load_a, nodes.len());
        let slots = rules.slots.unwrap_or(0);
        rules.faults.or(Instance {
            start,
            name: wire.name,
            time_zone,
            slot_minutes,
            slots,
            voltage_v: wire.voltage_v,
            nodes,
            base_load_a,
            pv,
            grid,
            chargers,
            sessions,
            batteries,
            loads,
        })
    }
}

fn start(rules: &mut Rules, text: &str) -> DateTime<Utc> {
    let Ok(start) = DateTime::parse_from_rfc3339(text) else {
        let remedy = "give date, time and offset as in 2023-06-13T04:00:00Z";
        rules.fault(At::TOP, "start", quoted(text), "is not an RFC 3339 time", remedy);
        return DateTime::UNIX_EPOCH;
    };
    let start = start.to_utc();
    if !YEARS.contains(&start.year()) {
        let wrong = format!("is outside the years {} to {}", YEARS.start(), YEARS.end());
        rules.fault(At::TOP, "start", quoted(text), wrong, "check the date");
    }
    start
}

fn time_zone(rules: &mut Rules, name: Option<&str>) -> Option<Tz> {
    let name = name?;
    match local::zone(name) {
        Ok(zone) => Some(zone),
        Err(remedy) => {
            rules.fault(At::TOP, "time_zone", quoted(name), "is no time zone", remedy);
            None
        }
    }
}

fn slot_minutes(rules: &mut Rules, minutes: u64) -> u32 {
    if let Ok(minutes @ 1..=MAX_SLOT_MINUTES) = u32::try_from(minutes) {
        return minutes;
    }
    let wrong = format!("is not from 1 to {MAX_SLOT_MINUTES}");
    let remedy = "give the length of a slot in minutes, such as 15";
    rules.fault(At::TOP, "slot_minutes", minutes.to_string(), wrong, remedy);
    1
}

fn slots(rules: &mut Rules, slots: u64) -> Option<usize> {
    if let Ok(slots @ 1..=MAX_SLOTS) = usize::try_from(slots) {
        return Some(slots);
    }
    let wrong = format!("is not from 1 to {MAX_SLOTS}");
    let remedy = "give the number of slots; for a longer horizon, plan it in pieces or make the slots longer";
    rules.fault(At::TOP, "slots", slots.to_string(), wrong, remedy);
    None
}

fn voltage(rules: &mut Rules, voltage_v: f64) {
    let remedy = "give the phase to neutral voltage in volts, such as 230";
    if rules.positive(At::TOP, "voltage_v", voltage_v, remedy) && voltage_v < MIN_VOLTAGE_V {
        let wrong = format!("is below {MIN_VOLTAGE_V} V");
        rules.fault(At::TOP, "voltage_v", number(voltage_v), wrong, remedy);
    }
}
