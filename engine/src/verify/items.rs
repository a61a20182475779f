//! Each vehicle, battery, plant and load by itself: ranges, windows, energy, shortfall, wear. What it draws is handed to
//! its board.

use kwartier_data::instance::{Instance, Session};

use super::entries::{Entries, series};
use super::site::Site;
use super::violation::{Group, Item, Moment, Side, Violation};
use super::{Cost, Findings, SUM_FACTOR, TOLERANCE_A, TOLERANCE_KW, TOLERANCE_KWH, TOLERANCE_SHORTFALL_KWH};

/// The value in a slot of a series that may be absent, which means 0.
fn at(values: Option<&[f64]>, slot: usize) -> f64 {
    values.map_or(0.0, |v| v[slot])
}

/// Whether `value` is 0 or in `[low, high]`, within `tolerance`.
fn zero_or_within(value: f64, low: f64, high: f64, tolerance: f64) -> bool {
    value <= tolerance || (low - tolerance <= value && value <= high + tolerance)
}

/// Reports a stated shortfall that is not the one found.
fn check_shortfall(item: &impl Fn() -> Item, stated_kwh: f64, found_kwh: f64, found: &mut Findings) {
    if !stated_kwh.is_finite() || (stated_kwh - found_kwh).abs() > TOLERANCE_SHORTFALL_KWH {
        found.add(|| Violation::Shortfall { item: item(), stated_kwh, found_kwh });
    }
}

/// Tests every session; returns what each is short of, in kWh.
pub(super) fn sessions(
    instance: &Instance,
    entries: &Entries<'_>,
    site: &mut Site,
    cost: &mut Cost,
    found: &mut Findings,
) -> Vec<f64> {
    let mut shortfalls_kwh = Vec::with_capacity(instance.sessions.len());
    for (session, entry) in instance.sessions.iter().zip(&entries.sessions) {
        let item = || Item { group: Group::Session, id: session.id.clone() };
        let charge = series(instance, &item, "charge_a", entry.map(|e| &e.charge_a), found);
        let discharge = series(instance, &item, "discharge_a", entry.map(|e| &e.discharge_a), found);
        if charge.is_some() || discharge.is_some() {
            session_ranges(instance, session, charge, discharge, found);
        }
        let added_kwh = session_energy(instance, session, charge, discharge, cost, found);
        let short_kwh = (session.need_kwh - added_kwh).max(0.0);
        cost.shortfall += short_kwh * session.shortfall_eur_kwh;
        check_shortfall(&item, entry.map_or(0.0, |e| e.shortfall_kwh), short_kwh, found);
        shortfalls_kwh.push(short_kwh);
        let charger = &instance.chargers[session.charger];
        let phases = &charger.phase_map[..session.phases];
        for (values, sign) in [(charge, 1.0), (discharge, -1.0)] {
            if let Some(values) = values {
                site.draw(charger.node, phases, values, sign);
            }
        }
    }
    shortfalls_kwh
}

/// Currents only within the stay, 0 or within their range, and one direction at a time.
fn session_ranges(
    instance: &Instance,
    session: &Session,
    charge: Option<&[f64]>,
    discharge: Option<&[f64]>,
    found: &mut Findings,
) {
    let item = || Item { group: Group::Session, id: session.id.clone() };
    let charger_a = instance.chargers[session.charger].max_a;
    let high = session.max_a.min(charger_a);
    for slot in 0..instance.slots {
        let (charge_a, discharge_a) = (at(charge, slot), at(discharge, slot));
        if charge_a <= TOLERANCE_A && discharge_a <= TOLERANCE_A {
            continue;
        }
        let moment = || Moment::of(instance, slot);
        if slot < session.arrive || slot >= session.depart {
            let value = charge_a.max(discharge_a);
            found.add(|| Violation::OutsideWindow { item: item(), at: moment(), value, unit: "A" });
        }
        if !zero_or_within(charge_a, session.min_a, high, TOLERANCE_A) {
            let (low, value) = (session.min_a, charge_a);
            found.add(|| Violation::OutOfRange {
                item: item(),
                series: "charge_a",
                at: moment(),
                value,
                low,
                high,
                unit: "A",
            });
        }
        if discharge_a <= TOLERANCE_A {
            continue;
        }
        match &session.v2g {
            None => found.add(|| Violation::CannotDischarge { item: item(), at: moment(), value_a: discharge_a }),
            Some(v2g) => {
                let (low, high) = (v2g.min_a, v2g.max_a.min(charger_a));
                if !zero_or_within(discharge_a, low, high, TOLERANCE_A) {
                    found.add(|| Violation::OutOfRange {
                        item: item(),
                        series: "discharge_a",
                        at: moment(),
                        value: discharge_a,
                        low,
                        high,
                        unit: "A",
                    });
                }
            }
        }
        if charge_a > TOLERANCE_A {
            found.add(|| Violation::BothDirections {
                item: item(),
                at: moment(),
                charge: charge_a,
                discharge: discharge_a,
                unit: "A",
            });
        }
    }
}

/// Follows the energy in the vehicle's battery, charges the wear, and returns what was added by the end, in kWh.
fn session_energy(
    instance: &Instance,
    session: &Session,
    charge: Option<&[f64]>,
    discharge: Option<&[f64]>,
    cost: &mut Cost,
    found: &mut Findings,
) -> f64 {
    let item = || Item { group: Group::Session, id: session.id.clone() };
    let kwh_per_a = instance.voltage_v / 1000.0 * session.phases as f64 * f64::from(instance.slot_minutes) / 60.0;
    let floor_kwh = session.v2g.as_ref().map(|v| v.min_soc_kwh.min(session.soc_kwh));
    let mut added_kwh = 0.0;
    for slot in 0..instance.slots {
        added_kwh += at(charge, slot) * kwh_per_a * session.efficiency;
        if let Some(v2g) = &session.v2g {
            let drawn_kwh = at(discharge, slot) * kwh_per_a;
            added_kwh -= drawn_kwh / v2g.efficiency;
            cost.wear += drawn_kwh * v2g.wear_eur_kwh;
        }
        let found_kwh = session.soc_kwh + added_kwh;
        let mut report = |limit_kwh, side| {
            found.add(|| Violation::Energy {
                item: item(),
                at: Moment::of(instance, slot),
                found_kwh,
                limit_kwh,
                side,
            });
        };
        if let Some(floor_kwh) = floor_kwh
            && found_kwh < floor_kwh - TOLERANCE_KWH
        {
            report(floor_kwh, Side::Under);
        }
        if found_kwh > session.capacity_kwh + TOLERANCE_KWH {
            report(session.capacity_kwh, Side::Over);
        }
    }
    added_kwh
}

/// Tests every stationary battery.
pub(super) fn batteries(
    instance: &Instance,
    entries: &Entries<'_>,
    site: &mut Site,
    cost: &mut Cost,
    found: &mut Findings,
) {
    let slot_h = f64::from(instance.slot_minutes) / 60.0;
    let a_per_kw = 1000.0 / instance.voltage_v / 3.0;
    for (battery, entry) in instance.batteries.iter().zip(&entries.batteries) {
        let item = || Item { group: Group::Battery, id: battery.id.clone() };
        let charge = series(instance, &item, "charge_kw", entry.map(|e| &e.charge_kw), found);
        let discharge = series(instance, &item, "discharge_kw", entry.map(|e| &e.discharge_kw), found);
        let mut held_kwh = battery.soc_kwh;
        for slot in 0..instance.slots {
            let moment = || Moment::of(instance, slot);
            let (charge_kw, discharge_kw) = (at(charge, slot), at(discharge, slot));
            let directions = [
                ("charge_kw", charge_kw, battery.max_charge_kw),
                ("discharge_kw", discharge_kw, battery.max_discharge_kw),
            ];
            for (series, value, high) in directions {
                if value > high + TOLERANCE_KW {
                    let low = 0.0;
                    found.add(|| Violation::OutOfRange {
                        item: item(),
                        series,
                        at: moment(),
                        value,
                        low,
                        high,
                        unit: "kW",
                    });
                }
            }
            if charge_kw.min(discharge_kw) > TOLERANCE_KW {
                found.add(|| Violation::BothDirections {
                    item: item(),
                    at: moment(),
                    charge: charge_kw,
                    discharge: discharge_kw,
                    unit: "kW",
                });
            }
            held_kwh += slot_h * (charge_kw * battery.efficiency - discharge_kw / battery.efficiency);
            cost.wear += discharge_kw * slot_h * battery.wear_eur_kwh;
            let slack_kwh = SUM_FACTOR * TOLERANCE_KWH;
            let mut report = |limit_kwh, side| {
                found.add(|| Violation::Energy { item: item(), at: moment(), found_kwh: held_kwh, limit_kwh, side });
            };
            if held_kwh < -slack_kwh {
                report(0.0, Side::Under);
            }
            if held_kwh > battery.capacity_kwh + slack_kwh {
                report(battery.capacity_kwh, Side::Over);
            }
        }
        cost.shortfall += (battery.end_soc_kwh - held_kwh).max(0.0) * battery.shortfall_eur_kwh;
        for (values, sign) in [(charge, 1.0), (discharge, -1.0)] {
            if let Some(values) = values {
                site.draw(battery.node, &[0, 1, 2], values, sign * a_per_kw);
            }
        }
    }
}

/// Tests every PV plant that can be turned down; the others deliver what the forecast says, whatever the plan says.
pub(super) fn pv(instance: &Instance, entries: &Entries<'_>, site: &mut Site, found: &mut Findings) {
    for (plant, entry) in instance.pv.iter().zip(&entries.pv).filter(|(plant, _)| plant.curtailable) {
        let item = || Item { group: Group::Pv, id: plant.id.clone() };
        let Some(used) = series(instance, &item, "used_kw", entry.map(|e| &e.used_kw), found) else { continue };
        for (slot, (&value, &high)) in used.iter().zip(&plant.kw).enumerate() {
            if value > high + TOLERANCE_KW {
                let (series, at, low) = ("used_kw", || Moment::of(instance, slot), 0.0);
                found.add(|| Violation::OutOfRange { item: item(), series, at: at(), value, low, high, unit: "kW" });
            }
        }
        let a_per_kw = 1000.0 / instance.voltage_v / plant.phases.len() as f64;
        site.draw(plant.node, &plant.phases, used, -a_per_kw);
    }
}

/// Tests every flexible load; returns what each is short of, in kWh.
pub(super) fn loads(
    instance: &Instance,
    entries: &Entries<'_>,
    site: &mut Site,
    cost: &mut Cost,
    found: &mut Findings,
) -> Vec<f64> {
    let slot_h = f64::from(instance.slot_minutes) / 60.0;
    let mut shortfalls_kwh = Vec::with_capacity(instance.loads.len());
    for (load, entry) in instance.loads.iter().zip(&entries.loads) {
        let item = || Item { group: Group::Load, id: load.id.clone() };
        let power = series(instance, &item, "kw", entry.map(|e| &e.kw), found);
        for (slot, &value) in power.unwrap_or_default().iter().enumerate() {
            let at = || Moment::of(instance, slot);
            if value > TOLERANCE_KW && (slot < load.earliest || slot >= load.latest) {
                found.add(|| Violation::OutsideWindow { item: item(), at: at(), value, unit: "kW" });
            } else if !zero_or_within(value, load.min_kw, load.max_kw, TOLERANCE_KW) {
                let (low, high) = (load.min_kw, load.max_kw);
                found.add(|| Violation::OutOfRange {
                    item: item(),
                    series: "kw",
                    at: at(),
                    value,
                    low,
                    high,
                    unit: "kW",
                });
            }
        }
        let used_kwh = power.unwrap_or_default().iter().sum::<f64>() * slot_h;
        let short_kwh = (load.need_kwh - used_kwh).max(0.0);
        cost.shortfall += short_kwh * load.shortfall_eur_kwh;
        check_shortfall(&item, entry.map_or(0.0, |e| e.shortfall_kwh), short_kwh, found);
        shortfalls_kwh.push(short_kwh);
        if let Some(power) = power {
            site.draw(load.node, &load.phases, power, 1000.0 / instance.voltage_v / load.phases.len() as f64);
        }
    }
    shortfalls_kwh
}
