//! Chargers and the stays at them.

use std::collections::HashMap;

use super::rules::{At, Rules};
use crate::instance::{Charger, Session, V2g, wire};
use crate::refusal::quoted;

const LIST: &str = "sessions";
const KIND: &str = "session";

/// Checks and converts the chargers; returns their indices by name as well.
pub(super) fn chargers(rules: &mut Rules, chargers: Vec<wire::Charger>) -> (Vec<Charger>, HashMap<String, usize>) {
    let ids = rules.ids("chargers", "charger", chargers.iter().map(|charger| charger.id.as_str()));
    let checked = chargers.into_iter().enumerate().map(|(k, charger)| {
        let at = At::item("chargers", k, "charger", &charger.id);
        rules.positive(at, "max_a", charger.max_a, "give the charger's highest current per phase in amperes");
        let node = rules.node(at, &charger.node);
        let phase_map = rules.phase_map(at, &charger.phase_map);
        Charger { id: charger.id, node, phase_map, max_a: charger.max_a }
    });
    (checked.collect(), ids)
}

/// Checks and converts the stays.
pub(super) fn sessions(
    rules: &mut Rules,
    sessions: Vec<wire::Session>,
    chargers: &HashMap<String, usize>,
) -> Vec<Session> {
    rules.ids(LIST, KIND, sessions.iter().map(|session| session.id.as_str()));
    // Only stays whose charger and window make sense can overlap.
    let mut stays: Vec<Stay> = Vec::with_capacity(sessions.len());
    let checked = sessions.into_iter().enumerate().map(|(k, session)| {
        let at = At::item(LIST, k, KIND, &session.id);
        let charger = chargers.get(&session.charger).copied();
        if charger.is_none() {
            let remedy = "name one of $.chargers[].id";
            rules.fault(at, "charger", quoted(&session.charger), "is no charger", remedy);
        }
        let window = rules.window(at, ("arrive", session.arrive), ("depart", session.depart));
        if let (Some(charger), Some((arrive, depart))) = (charger, window) {
            stays.push(Stay { charger, arrive, depart, session: k });
        }
        let (arrive, depart) = window.unwrap_or((0, 0));
        let phases = currents(rules, at, &session);
        energies(rules, at, &session);
        Session {
            charger: charger.unwrap_or(0),
            arrive,
            depart,
            phases,
            min_a: session.min_a,
            max_a: session.max_a,
            efficiency: session.efficiency,
            capacity_kwh: session.capacity_kwh,
            soc_kwh: session.soc_kwh,
            need_kwh: session.need_kwh,
            shortfall_eur_kwh: session.shortfall_eur_kwh,
            v2g: session.v2g.map(|v2g| checked_v2g(rules, at, &v2g, session.capacity_kwh)),
            id: session.id,
        }
    });
    let checked: Vec<Session> = checked.collect();
    no_overlap(rules, &checked, stays);
    checked
}

/// Checks the currents, and the number of phases, which it returns.
fn currents(rules: &mut Rules, at: At<'_>, session: &wire::Session) -> usize {
    rules.positive(at, "max_a", session.max_a, "give the vehicle's highest current per phase in amperes");
    let remedy = "give the vehicle's lowest charging current per phase, usually 6, at most max_a";
    rules.up_to(at, "min_a", session.min_a, ("max_a", session.max_a), remedy);
    if let Ok(phases @ 1..=3) = usize::try_from(session.phases) {
        return phases;
    }
    let remedy = "give how many phases vehicle and charger use together: 1, 2 or 3";
    rules.fault(at, "phases", session.phases.to_string(), "is not 1, 2 or 3", remedy);
    1
}

fn energies(rules: &mut Rules, at: At<'_>, session: &wire::Session) {
    rules.efficiency(at, "efficiency", session.efficiency);
    let capacity = ("capacity_kwh", session.capacity_kwh);
    if rules.positive(at, capacity.0, capacity.1, "give the vehicle's battery capacity in kWh") {
        let remedy = "give the energy in the battery on arrival in kWh, not in percent";
        rules.up_to(at, "soc_kwh", session.soc_kwh, capacity, remedy);
        let remedy = "give the energy to be added in kWh, at most the capacity";
        rules.up_to(at, "need_kwh", session.need_kwh, capacity, remedy);
    }
    let remedy = "give what a missing kWh costs; 0 if the vehicle may leave without";
    rules.not_negative(at, "shortfall_eur_kwh", session.shortfall_eur_kwh, remedy);
}

fn checked_v2g(rules: &mut Rules, at: At<'_>, v2g: &wire::V2g, capacity_kwh: f64) -> V2g {
    let remedy = "give the highest discharging current per phase in amperes, or leave v2g out";
    rules.not_negative(at, "v2g.max_a", v2g.max_a, remedy);
    let remedy = "give the lowest discharging current per phase, at most v2g.max_a";
    rules.up_to(at, "v2g.min_a", v2g.min_a, ("v2g.max_a", v2g.max_a), remedy);
    rules.efficiency(at, "v2g.efficiency", v2g.efficiency);
    let remedy = "give the energy to stay above in kWh, not in percent";
    rules.up_to(at, "v2g.min_soc_kwh", v2g.min_soc_kwh, ("capacity_kwh", capacity_kwh), remedy);
    let remedy = "give what a discharged kWh costs the battery in EUR, 0 or more";
    rules.not_negative(at, "v2g.wear_eur_kwh", v2g.wear_eur_kwh, remedy);
    V2g {
        min_a: v2g.min_a,
        max_a: v2g.max_a,
        efficiency: v2g.efficiency,
        min_soc_kwh: v2g.min_soc_kwh,
        wear_eur_kwh: v2g.wear_eur_kwh,
    }
}

/// When which session occupies which charger.
#[derive(Debug, Clone, Copy)]
struct Stay {
    charger: usize,
    arrive: usize,
    depart: usize,
    session: usize,
}

/// Goes through the stays of each charger by arrival and compares each with the one that departs last so far.
fn no_overlap(rules: &mut Rules, sessions: &[Session], mut stays: Vec<Stay>) {
    stays.sort_unstable_by_key(|stay| (stay.charger, stay.arrive, stay.session));
    let mut last: Option<Stay> = None;
    for stay in stays {
        let Some(other) = last.filter(|other| other.charger == stay.charger) else {
            last = Some(stay);
            continue;
        };
        if stay.arrive < other.depart {
            let wrong = format!(
                "is within the stay of session {}, which has the charger in slots {} to {}",
                quoted(&sessions[other.session].id),
                other.arrive,
                other.depart - 1,
            );
            let at = At::item(LIST, stay.session, KIND, &sessions[stay.session].id);
            let remedy = "let it arrive later, the other depart earlier, or name another charger";
            rules.fault(at, "arrive", stay.arrive.to_string(), wrong, remedy);
        }
        if stay.depart > other.depart {
            last = Some(stay);
        }
    }
}
