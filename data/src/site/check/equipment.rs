//! Meters, PV plants, batteries and flexible loads.

use std::collections::HashMap;

use super::Check;
use crate::finding::Finding;
use crate::instance::PHASE_NAMES;
use crate::local::TimeOfDay;
use crate::refusal::{number, quoted};
use crate::site::Load;

pub(super) fn check(check: &mut Check<'_>) {
    meters(check);
    pv(check);
    batteries(check);
    loads(check);
}

fn meters(check: &mut Check<'_>) {
    let site = check.site;
    let ids: Vec<&str> = site.meters.iter().map(|meter| meter.id.as_str()).collect();
    check.unique("meters", "meter", &ids);
    let mut first_on: HashMap<usize, usize> = HashMap::new();
    for (k, meter) in site.meters.iter().enumerate() {
        let (path, subject) = (format!("meters[{k}]"), format!("meter {}", quoted(&meter.id)));
        if meter.includes.is_empty() {
            let remedy =
                "write what it sees, such as [\"building\", \"stations\"], or remove the key where it sees everything";
            let finding = Finding::error("blind-meter", format!("{path}.includes")).of(&subject).value("[]");
            check.add(finding.says("says that it sees nothing", remedy));
        }
        let Some(board) = check.on_board(&path, &subject, &meter.board) else { continue };
        if let Some(&first) = first_on.get(&board) {
            let wrong = format!("is on the same board as meter {}", quoted(&site.meters[first].id));
            let remedy = "keep the one in the board's supply, or name the board that the other one sits in";
            let finding =
                Finding::warning("two-meters", format!("{path}.board")).of(&subject).value(quoted(&meter.board));
            check.add(finding.says(wrong, remedy));
        }
        first_on.entry(board).or_insert(k);
    }
    let root = check.tree.roots().find(|&board| site.boards[board].parent.is_none());
    if let Some(root) = root.filter(|root| !first_on.contains_key(root)) {
        let board = &site.boards[root];
        let wrong = "is the grid connection and has no meter, so the building always counts as the most it may draw";
        let remedy = format!("add under [[meters]] the one in its supply, with board = {}", quoted(&board.id));
        let finding = Finding::warning("no-grid-meter", format!("boards[{root}]")).of(super::boards::subject(board));
        check.add(finding.says(wrong, remedy));
    }
}

fn phases(check: &mut Check<'_>, path: &str, subject: &str, phases: &[String]) {
    let path = format!("{path}.phases");
    let remedy = "write one, two or three of \"L1\", \"L2\", \"L3\", or remove the key where it is on all three";
    if let Some(bad) = phases.iter().find(|phase| !PHASE_NAMES.contains(&phase.as_str())) {
        check.add(Finding::error("bad-phases", path).of(subject).value(quoted(bad)).says("is no grid phase", remedy));
    } else if phases.is_empty() {
        check.add(Finding::error("bad-phases", path).of(subject).value("[]").says("names no phase", remedy));
    } else if PHASE_NAMES.iter().any(|name| phases.iter().filter(|phase| phase == name).count() > 1) {
        check.add(Finding::error("bad-phases", path).of(subject).says("names a phase twice", remedy));
    }
}

fn pv(check: &mut Check<'_>) {
    let site = check.site;
    let ids: Vec<&str> = site.pv.iter().map(|pv| pv.id.as_str()).collect();
    check.unique("pv", "pv", &ids);
    for (k, plant) in site.pv.iter().enumerate() {
        let (path, subject) = (format!("pv[{k}]"), format!("pv {}", quoted(&plant.id)));
        check.on_board(&path, &subject, &plant.board);
        phases(check, &path, &subject, &plant.phases);
        check.positive(&path, &subject, "peak_kw", plant.peak_kw, "write the peak power in kW");
        let angles = [
            ("tilt_deg", plant.tilt_deg, 90.0, "write degrees from the horizontal: 0 flat, 90 upright"),
            (
                "azimuth_deg",
                plant.azimuth_deg,
                360.0,
                "write degrees clockwise from north: 90 east, 180 south, 270 west",
            ),
        ];
        for (field, angle, most, remedy) in angles {
            if let Some(angle) = angle.filter(|angle| !(0.0..=most).contains(angle)) {
                let finding = Finding::error("bad-number", format!("{path}.{field}")).of(&subject).value(number(angle));
                check.add(finding.says(format!("is not from 0 to {most}"), remedy));
            }
        }
    }
    if !site.pv.is_empty() && site.latitude_deg.is_none() {
        let wrong = "there is PV, and without latitude_deg and longitude_deg nobody knows the sun over it";
        check.add(Finding::note("no-place", "latitude_deg").says(wrong, "add both, in degrees north and east"));
    }
}

fn batteries(check: &mut Check<'_>) {
    let site = check.site;
    let ids: Vec<&str> = site.batteries.iter().map(|battery| battery.id.as_str()).collect();
    check.unique("batteries", "battery", &ids);
    for (k, battery) in site.batteries.iter().enumerate() {
        let (path, subject) = (format!("batteries[{k}]"), format!("battery {}", quoted(&battery.id)));
        check.on_board(&path, &subject, &battery.board);
        let usable =
            check.positive(&path, &subject, "capacity_kwh", battery.capacity_kwh, "write the usable capacity in kWh");
        let power = "write the highest power in kW, 0 if it cannot";
        check.not_negative(&path, &subject, "max_charge_kw", battery.max_charge_kw, power);
        check.not_negative(&path, &subject, "max_discharge_kw", battery.max_discharge_kw, power);
        check.fraction(&path, &subject, "efficiency", battery.efficiency);
        check.not_negative(
            &path,
            &subject,
            "wear_eur_kwh",
            battery.wear_eur_kwh,
            "write what a discharged kWh costs in EUR",
        );
        for (field, soc_kwh) in [("soc_kwh", battery.soc_kwh), ("end_soc_kwh", battery.end_soc_kwh)] {
            let Some(soc_kwh) = soc_kwh.filter(|soc_kwh| usable && !(0.0..=battery.capacity_kwh).contains(soc_kwh))
            else {
                continue;
            };
            let wrong = format!("is not from 0 to the capacity, {} kWh", number(battery.capacity_kwh));
            let finding = Finding::error("bad-number", format!("{path}.{field}")).of(&subject).value(number(soc_kwh));
            check.add(finding.says(wrong, "write energy in kWh, not in percent"));
        }
    }
}

fn loads(check: &mut Check<'_>) {
    let site = check.site;
    let ids: Vec<&str> = site.loads.iter().map(|load| load.id.as_str()).collect();
    check.unique("loads", "load", &ids);
    for (k, load) in site.loads.iter().enumerate() {
        let (path, subject) = (format!("loads[{k}]"), format!("load {}", quoted(&load.id)));
        check.on_board(&path, &subject, &load.board);
        phases(check, &path, &subject, &load.phases);
        let usable = check.positive(&path, &subject, "max_kw", load.max_kw, "write the highest power in kW");
        if usable && !(0.0..=load.max_kw).contains(&load.min_kw) {
            let finding =
                Finding::error("bad-number", format!("{path}.min_kw")).of(&subject).value(number(load.min_kw));
            let wrong = format!("is not from 0 to max_kw, {}", number(load.max_kw));
            check.add(finding.says(wrong, "write the lowest power other than 0 in kW, 0 where there is none"));
        }
        check.not_negative(&path, &subject, "need_kwh", load.need_kwh, "write the energy wanted in each window in kWh");
        let shortfall = "write what a missing kWh is worth in EUR";
        check.not_negative(&path, &subject, "shortfall_eur_kwh", load.shortfall_eur_kwh, shortfall);
        window(check, &path, &subject, load);
    }
}

fn window(check: &mut Check<'_>, path: &str, subject: &str, load: &Load) {
    let mut minutes = |field: &str, text: &str| {
        let found = TimeOfDay::parse(text).map(TimeOfDay::minutes);
        if found.is_none() {
            let finding = Finding::error("bad-time", format!("{path}.{field}")).of(subject).value(quoted(text));
            check.add(
                finding.says("is no time of day", "write hours and minutes, such as \"22:30\"; midnight is \"00:00\""),
            );
        }
        found
    };
    let (from, until) = (minutes("from", &load.from), minutes("until", &load.until));
    let (Some(from), Some(until)) = (from, until) else { return };
    let day = 24 * 60;
    let length = if until > from { until - from } else { until + day - from };
    let most_kwh = load.max_kw * f64::from(length) / 60.0;
    if load.need_kwh > most_kwh + 1e-9 && load.max_kw > 0.0 {
        let wrong = format!(
            "is more than {} kW can give from {} until {} ({} kWh)",
            number(load.max_kw),
            load.from,
            load.until,
            number(most_kwh)
        );
        let finding =
            Finding::warning("need-too-large", format!("{path}.need_kwh")).of(subject).value(number(load.need_kwh));
        check.add(finding.says(wrong, "lower the need, or widen the window"));
    }
}
