//! What stations draw when nobody tells them anything, and what they are promised: whether that fits under every fuse at
//! every hour, on top of the worst that the building draws.

use super::boards::{ampere, subject as board_subject};
use super::stations::{LOWEST_A, subject};
use super::{Check, severity};
use crate::finding::Finding;
use crate::instance::PHASE_NAMES;
use crate::refusal::{names, number};
use crate::site::{Board, Hourly, HourlyByPhase, Station};

/// Hours of a day.
const HOURS: usize = 24;

/// A value for each phase and hour: hour 0 of L1, hour 1 of L1 and so on.
type Day = [f64; 3 * HOURS];

/// Amperes below which a sum counts as fitting: rounding.
const SLACK_A: f64 = 1e-6;

pub(super) fn check(check: &mut Check<'_>) {
    let site = check.site;
    let mut sound = true;
    for (k, station) in site.stations.iter().enumerate() {
        sound &= station_values(check, k, station);
    }
    for (k, board) in site.boards.iter().enumerate() {
        sound &= building_values(check, k, board);
    }
    some_without(check);
    if !sound {
        return;
    }
    let own: Vec<Day> = site.boards.iter().map(building).collect();
    let building = check.tree.sums(own.clone());
    building_fits(check, &own, &building);
    fallback_fits(check, &building);
    guaranteed_fits(check, &building);
}

/// Whether what a station is given is usable.
fn station_values(check: &mut Check<'_>, k: usize, station: &Station) -> bool {
    let mut sound = true;
    let path = format!("stations[{k}].fallback_a");
    match &station.fallback_a {
        None => {}
        Some(Hourly::Constant(value_a)) => sound &= current(check, &path, "fallback", station, *value_a),
        Some(Hourly::Hours(values_a)) => {
            sound &= day_long(check, &path, &subject(station), values_a.len());
            for (hour, value_a) in values_a.iter().enumerate() {
                sound &= current(check, &format!("{path}[{hour}]"), "fallback", station, *value_a);
            }
        }
    }
    if let Some(value_a) = station.guaranteed_a {
        sound &= current(check, &format!("stations[{k}].guaranteed_a"), "guaranteed", station, value_a);
    }
    sound
}

/// Whether a current that a station is to draw is one that it can.
fn current(check: &mut Check<'_>, path: &str, what: &str, station: &Station, value_a: f64) -> bool {
    let code = if what == "fallback" { "bad-fallback" } else { "bad-guarantee" };
    let (error, wrong, remedy) = if value_a < 0.0 {
        (true, "is below 0 A".to_owned(), "write 0 to stop, or 6 A and more".to_owned())
    } else if value_a > station.max_a {
        let wrong = format!("is more than the station's {}", ampere(station.max_a));
        (true, wrong, format!("write at most {}", number(station.max_a)))
    } else if value_a > 0.0 && value_a < LOWEST_A {
        let wrong = "is between 0 and 6 A, which no vehicle can draw (IEC 61851-1), so the station stops".to_owned();
        (false, wrong, "write 0 to stop, or 6 A and more".to_owned())
    } else {
        return true;
    };
    let finding = Finding::new(severity(error), code, path).of(subject(station)).value(ampere(value_a));
    check.add(finding.says(wrong, remedy));
    !error
}

fn day_long(check: &mut Check<'_>, path: &str, subject: &str, length: usize) -> bool {
    if length == HOURS {
        return true;
    }
    let remedy = "write 24, one for each hour from midnight, or a single number";
    check.add(Finding::error("not-24-hours", path).of(subject).says(format!("has {length} values"), remedy));
    false
}

/// Whether what the building draws is usable.
fn building_values(check: &mut Check<'_>, k: usize, board: &Board) -> bool {
    let path = format!("boards[{k}].building_max_a");
    let mut sound = true;
    let mut values: Vec<f64> = Vec::new();
    match &board.building_max_a {
        None => {}
        Some(HourlyByPhase::Constant(value)) => values.extend(value.phases()),
        Some(HourlyByPhase::Hourly { l1, l2, l3 }) => {
            for (name, phase) in [("l1", l1), ("l2", l2), ("l3", l3)] {
                sound &= day_long(check, &format!("{path}.{name}"), &board_subject(board), phase.len());
                values.extend(phase);
            }
        }
    }
    if let Some(bad) = values.into_iter().find(|value| *value < 0.0) {
        let remedy = "write the most that the building draws, 0 or more; feed-in does not count here";
        let finding = Finding::error("bad-number", path).of(board_subject(board)).value(ampere(bad));
        check.add(finding.says("is below 0 A", remedy));
        sound = false;
    }
    sound
}

/// What the building draws at most at a board itself; 0 where unknown.
fn building(board: &Board) -> Day {
    let mut day = [0.0; 3 * HOURS];
    match &board.building_max_a {
        None => {}
        Some(HourlyByPhase::Constant(value)) => {
            let phases = value.phases();
            day.iter_mut().enumerate().for_each(|(k, a)| *a = phases[k / HOURS]);
        }
        Some(HourlyByPhase::Hourly { l1, l2, l3 }) => {
            day.iter_mut().zip(l1.iter().chain(l2).chain(l3)).for_each(|(a, value)| *a = *value);
        }
    }
    day
}

/// For each board the sum over the stations below of what `amount` gives each at an hour, on the phases it uses.
fn below(check: &Check<'_>, amount: impl Fn(&Station, usize) -> f64) -> Vec<Day> {
    let mut own: Vec<Day> = vec![[0.0; 3 * HOURS]; check.site.boards.len()];
    for (station, board, phases) in check.tree.stations() {
        let Some(board) = board else { continue };
        for phase in phases {
            for hour in 0..HOURS {
                own[board][phase * HOURS + hour] += amount(station, hour);
            }
        }
    }
    check.tree.sums(own)
}

fn fallback_a(station: &Station, hour: usize) -> f64 {
    station.fallback_a.as_ref().map_or(0.0, |value| value.by_hour()[hour])
}

/// The hour of an index in words; a day that is alike at every hour has no worst one.
fn hour(day: &Day, index: usize) -> String {
    let phase = index / HOURS * HOURS;
    if day[phase..phase + HOURS].iter().all(|a| (a - day[index]).abs() <= SLACK_A) {
        return "at every hour".to_owned();
    }
    let hour = index % HOURS;
    format!("from {hour:02}:00 to {:02}:00", hour + 1)
}

/// The first index where `over` is highest, of those where it is above 0 and `counts` holds.
fn worst(over: impl Fn(usize) -> f64, counts: impl Fn(usize) -> bool) -> Option<usize> {
    let mut worst: Option<usize> = None;
    for index in (0..3 * HOURS).filter(|&index| over(index) > SLACK_A && counts(index)) {
        if worst.is_none_or(|worst| over(index) > over(worst) + SLACK_A) {
            worst = Some(index);
        }
    }
    worst
}

/// Where what the stations below draw, with the building, is most above a board's limit, and both together. Where the
/// building alone is too much, that has been told.
fn overfull(board: &Board, stations: &Day, building: &Day) -> Option<(usize, Day)> {
    let limits_a = board.limit_a.phases();
    let together = plus(stations, building);
    let index = worst(|index| together[index] - limits_a[index / HOURS], |index| stations[index] > 0.0)?;
    Some((index, together))
}

fn plus(a: &Day, b: &Day) -> Day {
    std::array::from_fn(|index| a[index] + b[index])
}

fn some_without(check: &mut Check<'_>) {
    let site = check.site;
    let without: Vec<&str> = site
        .stations
        .iter()
        .filter(|station| station.fallback_a.is_none())
        .map(|station| station.id.as_str())
        .collect();
    if without.is_empty() || without.len() == site.stations.len() {
        return;
    }
    let wrong = format!(
        "{} of {} stations have no fallback_a ({}): when they hear nothing they may draw all they can, and the fallback of \
         the others proves nothing",
        without.len(),
        site.stations.len(),
        names(without.iter().copied())
    );
    check.add(
        Finding::warning("some-without-fallback", "stations").says(wrong, "give each station a fallback_a, 0 to stop"),
    );
}

fn building_fits(check: &mut Check<'_>, own: &[Day], with_below: &[Day]) {
    let site = check.site;
    for (k, board) in site.boards.iter().enumerate() {
        let limits_a = board.limit_a.phases();
        let worst = |day: &Day| worst(|index| day[index] - limits_a[index / HOURS], |index| day[index] > 0.0);
        let path = format!("boards[{k}].building_max_a");
        let (error, index, day, what) = match (worst(&own[k]), worst(&with_below[k])) {
            (Some(index), _) => (true, index, &own[k], "the building alone"),
            (None, Some(index)) => {
                (false, index, &with_below[k], "the building here and on the boards below, added up,")
            }
            _ => continue,
        };
        let phase = index / HOURS;
        let wrong = format!(
            "{what} draws up to {} on {} {}, more than the {} of the board",
            ampere(day[index]),
            PHASE_NAMES[phase],
            hour(day, index),
            ampere(limits_a[phase])
        );
        let remedy =
            "the fuse would have blown: write what has been measured; a board's value leaves out boards below it";
        let finding = Finding::new(severity(error), "building-above-fuse", path).of(board_subject(board));
        check.add(finding.says(wrong, remedy));
    }
}

fn fallback_fits(check: &mut Check<'_>, building: &[Day]) {
    let site = check.site;
    if site.stations.iter().all(|station| station.fallback_a.is_none()) {
        return;
    }
    let unknown: Vec<&str> =
        site.boards.iter().filter(|board| board.building_max_a.is_none()).map(|board| board.id.as_str()).collect();
    if !unknown.is_empty() {
        let wrong = format!("unknown on {}: that the fallback fits cannot be proven", names(unknown.into_iter()));
        let remedy = "write the most that the building draws at each of them, 0 where it draws nothing";
        check.add(Finding::warning("fallback-unproven", "boards").of("building_max_a").says(wrong, remedy));
    }
    devices(check);
    let sums = below(check, fallback_a);
    let counts = below(check, |station, _| if station.fallback_a.is_some() { 1.0 } else { 0.0 });
    let fits_all = uniform(check, building, &counts);
    for (k, board) in site.boards.iter().enumerate() {
        let limits_a = board.limit_a.phases();
        let Some((index, together)) = overfull(board, &sums[k], &building[k]) else { continue };
        let phase = index / HOURS;
        let wrong = format!(
            "the fallback of the stations below is {} on {} {}, with {} of the building {}: more than its {}",
            ampere(sums[k][index]),
            PHASE_NAMES[phase],
            hour(&together, index),
            ampere(building[k][index]),
            ampere(together[index]),
            ampere(limits_a[phase])
        );
        let remedy = match fits_all {
            Some(value_a) if value_a >= LOWEST_A => {
                format!("lower fallback_a; {} for every station fits everywhere", ampere(value_a))
            }
            _ => "not even 6 A for every station fits at every hour: give some 0, or lower values at these hours"
                .to_owned(),
        };
        check.add(
            Finding::error("fallback-does-not-fit", format!("boards[{k}]"))
                .of(board_subject(board))
                .says(wrong, remedy),
        );
    }
}

/// Batteries and flexible loads draw as well while nobody controls them, unless `building_max_a` has them in it.
fn devices(check: &mut Check<'_>) {
    let site = check.site;
    let batteries = site.batteries.iter().filter(|battery| battery.max_charge_kw > 0.0).map(|of| of.id.as_str());
    let loads = site.loads.iter().filter(|load| load.max_kw > 0.0).map(|load| load.id.as_str());
    let all: Vec<&str> = batteries.chain(loads).collect();
    if all.is_empty() {
        return;
    }
    let wrong =
        format!("is proven without {}, which may draw as well while nobody controls them", names(all.into_iter()));
    let remedy = "make sure that each stops by itself without a signal, or count what it draws in building_max_a";
    check.add(Finding::note("fallback-without-devices", "stations").of("fallback_a").says(wrong, remedy));
}

/// The whole amperes that would fit as fallback of every station that has one, at every hour under every board.
fn uniform(check: &Check<'_>, building: &[Day], counts: &[Day]) -> Option<f64> {
    let mut least: Option<f64> = None;
    for (k, board) in check.site.boards.iter().enumerate() {
        let limits_a = board.limit_a.phases();
        for index in (0..3 * HOURS).filter(|&index| counts[k][index] > 0.0) {
            let room_a = (limits_a[index / HOURS] - building[k][index]) / counts[k][index];
            least = Some(least.map_or(room_a, |least| least.min(room_a)));
        }
    }
    let smallest_max_a = check.site.stations.iter().map(|station| station.max_a).fold(f64::INFINITY, f64::min);
    least.map(|least| least.min(smallest_max_a).floor())
}

fn guaranteed_fits(check: &mut Check<'_>, building: &[Day]) {
    let site = check.site;
    let sums = below(check, |station, _| station.guaranteed_a.unwrap_or(0.0));
    for (k, board) in site.boards.iter().enumerate() {
        let limits_a = board.limit_a.phases();
        let Some((index, together)) = overfull(board, &sums[k], &building[k]) else { continue };
        let phase = index / HOURS;
        let wrong = format!(
            "the stations below are guaranteed {} on {} together; with {} of the building {} that is more than its {}",
            ampere(sums[k][index]),
            PHASE_NAMES[phase],
            ampere(building[k][index]),
            hour(&together, index),
            ampere(limits_a[phase])
        );
        let remedy = "lower guaranteed_a, or accept that at such hours not all get it";
        let finding = Finding::warning("guarantee-does-not-fit", format!("boards[{k}]")).of(board_subject(board));
        check.add(finding.says(wrong, remedy));
    }
}
