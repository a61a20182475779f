//! Finds the plan's entry for each thing of the instance, and reads its arrays.

use std::collections::HashMap;

use kwartier_data::instance::Instance;
use kwartier_data::plan::{BatteryPlan, LoadPlan, Plan, PvPlan, SessionPlan};

use super::violation::{Group, IdFault, Item, Moment, Violation};
use super::{Findings, TOLERANCE_A};

/// The plan's entries in the order of the instance; `None` where one is missing.
pub(super) struct Entries<'a> {
    pub sessions: Vec<Option<&'a SessionPlan>>,
    pub batteries: Vec<Option<&'a BatteryPlan>>,
    pub pv: Vec<Option<&'a PvPlan>>,
    pub loads: Vec<Option<&'a LoadPlan>>,
}

impl<'a> Entries<'a> {
    /// Matches by name and reports names that are unknown, missing or used twice.
    pub fn of(instance: &'a Instance, plan: &'a Plan, found: &mut Findings) -> Self {
        let wanted: Vec<&str> = instance.sessions.iter().map(|s| s.id.as_str()).collect();
        let sessions = match_up(Group::Session, &wanted, &plan.sessions, |s| &s.id, found);
        let wanted: Vec<&str> = instance.batteries.iter().map(|b| b.id.as_str()).collect();
        let batteries = match_up(Group::Battery, &wanted, &plan.batteries, |b| &b.id, found);
        let wanted: Vec<&str> = instance.pv.iter().map(|v| v.id.as_str()).collect();
        let pv = match_up(Group::Pv, &wanted, &plan.pv, |v| &v.id, found);
        let wanted: Vec<&str> = instance.loads.iter().map(|l| l.id.as_str()).collect();
        let loads = match_up(Group::Load, &wanted, &plan.loads, |l| &l.id, found);
        Self { sessions, batteries, pv, loads }
    }
}

/// For each name wanted, the entry that bears it. The last of several counts, as for a reader of JSON objects.
fn match_up<'a, T>(
    group: Group,
    wanted: &[&str],
    entries: &'a [T],
    name: impl Fn(&'a T) -> &'a str,
    found: &mut Findings,
) -> Vec<Option<&'a T>> {
    let place: HashMap<&str, usize> = wanted.iter().enumerate().map(|(i, id)| (*id, i)).collect();
    let mut matched: Vec<Option<&'a T>> = vec![None; wanted.len()];
    let fault = |id: &str, fault| Violation::Id { item: Item { group, id: id.to_owned() }, fault };
    for entry in entries {
        let id = name(entry);
        match place.get(id) {
            None => found.add(|| fault(id, IdFault::Unknown)),
            Some(&i) => {
                if matched[i].replace(entry).is_some() {
                    found.add(|| fault(id, IdFault::Twice));
                }
            }
        }
    }
    for (id, entry) in wanted.iter().zip(&matched) {
        if entry.is_none() {
            found.add(|| fault(id, IdFault::Missing));
        }
    }
    matched
}

/// Reads one array: its values, or `None` where all are 0 (an empty or a missing array says so, and a spoilt one counts as
/// that once it has been reported).
pub(super) fn series<'a>(
    instance: &Instance,
    item: &impl Fn() -> Item,
    name: &'static str,
    values: Option<&'a Vec<f64>>,
    found: &mut Findings,
) -> Option<&'a [f64]> {
    let values = values.filter(|v| !v.is_empty())?;
    let expected = instance.slots;
    if values.len() != expected {
        found.add(|| Violation::Length { item: item(), series: name, found: values.len(), expected });
        return None;
    }
    if let Some(slot) = values.iter().position(|v| !v.is_finite()) {
        found.add(|| Violation::NotFinite { item: item(), series: name, at: Moment::of(instance, slot) });
        return None;
    }
    let mut lowest = 0;
    for (slot, &value) in values.iter().enumerate() {
        if value < values[lowest] {
            lowest = slot;
        }
    }
    // The format has one figure for A and kW here.
    if values[lowest] < -TOLERANCE_A {
        let at = || Moment::of(instance, lowest);
        found.add(|| Violation::Negative { item: item(), series: name, at: at(), value: values[lowest] });
    }
    Some(values)
}
