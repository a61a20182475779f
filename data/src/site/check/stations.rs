//! Stations: on a board, wired in a known way, within every fuse above them.

use std::collections::HashMap;

use super::boards::{ABSURD_A, ampere};
use super::{Check, names};
use crate::finding::Finding;
use crate::instance::PHASE_NAMES;
use crate::refusal::{number, quoted};
use crate::site::Station;
use crate::site::rotation::{Misread, Rotation};
use crate::site::tree::phases;

/// The lowest current a station may offer, in A (IEC 61851-1, table A.8).
pub(super) const LOWEST_A: f64 = 6.0;

pub(super) fn check(check: &mut Check<'_>) {
    let site = check.site;
    let ids: Vec<&str> = site.stations.iter().map(|station| station.id.as_str()).collect();
    check.unique("stations", "station", &ids);
    serials(check);
    for (k, station) in site.stations.iter().enumerate() {
        let path = format!("stations[{k}]");
        let board = check.on_board(&path, &subject(station), &station.board);
        rotation(check, &path, station);
        behaviour(check, &path, station);
        if highest(check, &path, station)
            && let Some(board) = board
        {
            within_fuses(check, &path, station, board);
        }
    }
}

pub(super) fn subject(station: &Station) -> String {
    format!("station {}", quoted(&station.id))
}

fn serials(check: &mut Check<'_>) {
    let site = check.site;
    let mut seen: HashMap<String, usize> = HashMap::new();
    for (k, station) in site.stations.iter().enumerate() {
        let Some(serial) = station.serial.as_deref().filter(|serial| !names::folded(serial).is_empty()) else {
            continue;
        };
        if let Some(&first) = seen.get(&names::folded(serial)) {
            let wrong = format!("is the serial number of {} too", subject(&site.stations[first]));
            let remedy = "read both type plates again; one device with two outlets may keep it";
            let finding = Finding::warning("duplicate-serial", format!("stations[{k}].serial")).of(subject(station));
            check.add(finding.value(quoted(serial)).says(wrong, remedy));
        } else {
            seen.insert(names::folded(serial), k);
        }
    }
}

fn rotation(check: &mut Check<'_>, path: &str, station: &Station) {
    let path = format!("{path}.rotation");
    match station.rotation.as_deref().map(|text| (text, Rotation::parse(text))) {
        Some((_, Ok(_))) => {}
        Some((text, Err(why))) if why != Misread::Unknown => {
            let (wrong, remedy) = why.says();
            check
                .add(Finding::error("bad-rotation", path).of(subject(station)).value(quoted(text)).says(wrong, remedy));
        }
        unknown => {
            let (wrong, remedy) = match unknown {
                Some(_) => Misread::Unknown.says(),
                None => ("has no phase rotation, so nothing can be planned per phase", Misread::Unknown.says().1),
            };
            let finding = Finding::error("missing-rotation", path).of(subject(station));
            let finding = unknown.map_or(finding.clone(), |(text, _)| finding.value(quoted(text)));
            check.add(finding.says(wrong, remedy));
        }
    }
}

/// How it follows setpoints.
fn behaviour(check: &mut Check<'_>, path: &str, station: &Station) {
    if !(station.reaction_s > 0.0 && station.reaction_s <= 300.0) {
        let finding = Finding::error("bad-number", format!("{path}.reaction_s")).of(subject(station));
        let remedy = "write the seconds until station and vehicle have followed a setpoint, such as 10";
        check.add(finding.value(number(station.reaction_s)).says("is not between 0 and 300 s", remedy));
    }
    if let Some(most_a) = station.max_discharge_a.filter(|most_a| !(0.0..=station.max_a.max(0.0)).contains(most_a)) {
        let finding = Finding::error("bad-number", format!("{path}.max_discharge_a")).of(subject(station));
        let remedy = "write what it can feed in, 0 or more and at most max_a";
        check.add(finding.value(ampere(most_a)).says("is not between 0 A and the station's max_a", remedy));
    }
}

/// Whether the highest current is usable.
fn highest(check: &mut Check<'_>, path: &str, station: &Station) -> bool {
    let max_a = station.max_a;
    let (wrong, remedy) = if max_a <= 0.0 {
        ("is no current", "write the highest current per phase in amperes")
    } else if max_a < LOWEST_A {
        ("is less than the 6 A that any vehicle needs (IEC 61851-1)", "write amperes per phase, not kW; at least 6")
    } else if max_a > ABSURD_A {
        ("is more than any station draws (10,000 A)", "write amperes, not milliamperes or watts")
    } else {
        return true;
    };
    let finding = Finding::error("bad-limit", format!("{path}.max_a")).of(subject(station)).value(ampere(max_a));
    check.add(finding.says(wrong, remedy));
    false
}

/// The nearest fuse above the station that is smaller than the station, on a phase that it uses.
fn within_fuses(check: &mut Check<'_>, path: &str, station: &Station, board: usize) {
    let site = check.site;
    let used = phases(station);
    let found = check.tree.chain(board).find_map(|above| {
        let limits_a = site.boards[above].limit_a.phases();
        let phase = used.iter().copied().filter(|&phase| station.max_a > limits_a[phase]);
        let phase = phase.min_by(|&a, &b| limits_a[a].total_cmp(&limits_a[b]))?;
        // A limit that is itself unusable has been told already.
        (limits_a[phase] > 0.0).then_some((above, phase, limits_a))
    });
    let Some((above, phase, limits_a)) = found else { return };
    let name = quoted(&site.boards[above].id);
    let which = if above == board { format!("its board {name}") } else { format!("board {name} above it") };
    let on = if limits_a.iter().all(|limit_a| limit_a.total_cmp(&limits_a[0]).is_eq()) {
        String::new()
    } else {
        format!(" on {}", PHASE_NAMES[phase])
    };
    let wrong = format!("is more than the {} of {which}{on}", ampere(limits_a[phase]));
    let remedy = "set the station to what the fuse carries, or check both ratings and where it hangs";
    let finding = Finding::error("station-above-fuse", format!("{path}.max_a")).of(subject(station));
    check.add(finding.value(ampere(station.max_a)).says(wrong, remedy));
}
