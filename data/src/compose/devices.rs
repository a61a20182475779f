//! PV plants, stationary batteries and flexible loads.

use std::collections::HashSet;

use super::{Context, NoteCode, dated_name, kwh, listed};
use crate::instance::wire;
use crate::local::{self, TimeOfDay, next_day, previous_day};
use crate::site::Load;

/// PV plants with their power; without a forecast they deliver nothing.
pub(super) fn pv(context: &mut Context<'_>) -> Vec<wire::Pv> {
    let (mut dark, mut below, mut plants) = (Vec::new(), Vec::new(), Vec::new());
    for plant in &context.site.pv {
        let mut kw = vec![0.0; context.horizon.slots];
        if let Some(power) = context.inputs.pv.iter().find(|power| power.plant == plant.id) {
            kw = context.slots(&format!("the values of {}", plant.id), &power.kw);
        } else {
            dark.push(plant.id.as_str());
        }
        if kw.iter().any(|&kw| kw < 0.0) {
            below.push(plant.id.as_str());
            kw = kw.into_iter().map(|kw| kw.max(0.0)).collect();
        }
        plants.push(wire::Pv {
            id: plant.id.clone(),
            node: plant.board.clone(),
            phases: plant.phases.clone(),
            kw,
            curtailable: plant.curtailable,
        });
    }
    if !dark.is_empty() {
        let text = format!("no forecast for {}: planned as if they delivered nothing; give --pv", listed(&dark));
        context.note(NoteCode::NoPv, text);
    }
    if !below.is_empty() {
        context.note(NoteCode::NoPv, format!("powers below 0 of {} are taken for 0", listed(&below)));
    }
    plants
}

/// Stationary batteries; what is in them at the start comes from the caller, else the site file, else it is half.
pub(super) fn batteries(context: &mut Context<'_>) -> Vec<wire::Battery> {
    let known = |name: &str| context.site.batteries.iter().any(|battery| battery.id == name);
    let unknown: Vec<String> =
        context.inputs.battery_soc_kwh.iter().map(|(name, _)| name.clone()).filter(|name| !known(name)).collect();
    for name in unknown {
        let remedy = super::nearest(&name, context.site.batteries.iter().map(|b| b.id.as_str()), "battery");
        context.fault("the battery's state of charge", &name, "is no battery of the site", remedy);
    }
    let mut batteries = Vec::new();
    for battery in &context.site.batteries {
        let said = context.inputs.battery_soc_kwh.iter().find(|(name, _)| *name == battery.id).map(|&(_, kwh)| kwh);
        let soc_kwh = said.or(battery.soc_kwh).unwrap_or(battery.capacity_kwh / 2.0);
        if said.is_none() && battery.soc_kwh.is_none() {
            let text =
                format!("battery {} is taken to be half full, at {}; give --battery-soc", battery.id, kwh(soc_kwh));
            context.note(NoteCode::BatterySoc, text);
        }
        batteries.push(wire::Battery {
            id: battery.id.clone(),
            node: battery.board.clone(),
            capacity_kwh: battery.capacity_kwh,
            soc_kwh,
            end_soc_kwh: battery.end_soc_kwh.unwrap_or(soc_kwh),
            shortfall_eur_kwh: 1.0,
            max_charge_kw: battery.max_charge_kw,
            max_discharge_kw: battery.max_discharge_kw,
            efficiency: battery.efficiency,
            wear_eur_kwh: battery.wear_eur_kwh,
        });
    }
    batteries
}

/// Flexible loads: each daily window as far as it lies within the horizon, with its share of the need.
pub(super) fn loads(context: &mut Context<'_>) -> Vec<wire::Load> {
    let mut taken = HashSet::new();
    let mut loads = Vec::new();
    for load in &context.site.loads {
        let times = [("from", &load.from), ("until", &load.until)].map(|(field, text)| {
            let time = TimeOfDay::parse(text);
            if time.is_none() {
                let path = format!("{field} of load \"{}\"", load.id);
                context.fault(path, text, "is no time of day", "write HH:MM, up to 24:00");
            }
            time
        });
        if let [Some(from), Some(until)] = times {
            let windows = windows(context, load, from, until);
            let several = windows.len() > 1;
            for mut window in windows {
                if several || !taken.insert(window.id.clone()) {
                    let at = context.horizon.at(usize::try_from(window.earliest).unwrap_or(0));
                    window.id = dated_name(&load.id, context.zone, at, &mut taken);
                }
                loads.push(window);
            }
        }
    }
    loads
}

fn windows(context: &mut Context<'_>, load: &Load, from: TimeOfDay, until: TimeOfDay) -> Vec<wire::Load> {
    let (horizon, zone) = (context.horizon, context.zone);
    let mut windows = Vec::new();
    let mut day = previous_day(local::day(zone, horizon.start));
    let last = local::day(zone, horizon.end());
    while day <= last {
        let ends = if until > from { day } else { next_day(day) };
        let (begin, end) = (from.on(zone, day), until.on(zone, ends));
        day = next_day(day);
        if begin >= end || end <= horizon.start || begin >= horizon.end() {
            continue;
        }
        let (_, share) = horizon.shares(begin, end);
        let need_kwh = load.need_kwh * share;
        let Some((earliest, latest)) = horizon.window(begin, end) else {
            let text = format!(
                "load {} is left out: less than a slot of its window is within the horizon; {} are not planned",
                load.id,
                kwh(need_kwh)
            );
            context.note(NoteCode::LoadLeftOut, text);
            continue;
        };
        windows.push(wire::Load {
            id: load.id.clone(),
            node: load.board.clone(),
            phases: load.phases.clone(),
            earliest: earliest as u64,
            latest: latest as u64,
            min_kw: load.min_kw,
            max_kw: load.max_kw,
            need_kwh,
            shortfall_eur_kwh: load.shortfall_eur_kwh,
        });
    }
    windows
}
