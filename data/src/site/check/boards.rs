//! Boards: one tree, limits that make sense, something behind each.

use super::{Check, names, severity};
use crate::finding::Finding;
use crate::instance::PHASE_NAMES;
use crate::refusal::{number, quoted};
use crate::site::Board;

/// Above this no low-voltage board goes, in A: the number is milliamperes or a slip.
pub(super) const ABSURD_A: f64 = 10_000.0;

/// Rated currents of fuses and breakers in A (IEC 60269-1, IEC 60898-1, IEC 60947-2).
const STANDARD_A: [f64; 35] = [
    2.0, 4.0, 6.0, 8.0, 10.0, 13.0, 16.0, 20.0, 25.0, 32.0, 35.0, 40.0, 50.0, 63.0, 80.0, 100.0, 125.0, 160.0, 200.0,
    224.0, 250.0, 300.0, 315.0, 355.0, 400.0, 425.0, 500.0, 630.0, 800.0, 1000.0, 1250.0, 1600.0, 2000.0, 2500.0,
    4000.0,
];

pub(super) fn check(check: &mut Check<'_>) {
    let site = check.site;
    if site.boards.is_empty() {
        let remedy = "add at least the grid connection, a board without parent";
        check.add(Finding::error("no-boards", "boards").says("there is no board", remedy));
        return;
    }
    let ids: Vec<&str> = site.boards.iter().map(|board| board.id.as_str()).collect();
    check.unique("boards", "board", &ids);
    parents(check);
    circles(check);
    grid_connection(check);
    for (k, board) in site.boards.iter().enumerate() {
        if limits(check, k, board) {
            below_parent(check, k, board);
        }
        imbalance(check, k, board);
        behaviour(check, k, board);
    }
    empty(check);
}

pub(super) fn subject(board: &Board) -> String {
    format!("board {}", quoted(&board.id))
}

fn parents(check: &mut Check<'_>) {
    let site = check.site;
    for (k, board) in site.boards.iter().enumerate() {
        let Some(parent) = &board.parent else { continue };
        if check.tree.board(parent).is_some() {
            continue;
        }
        let others = site.boards.iter().filter(|other| other.id != board.id).map(|other| other.id.as_str());
        let remedy = names::nearest(parent, others).unwrap_or_else(|| {
            format!("name the board that feeds it, one of {}, or add that board", check.board_names())
        });
        let finding = Finding::error("unknown-board", format!("boards[{k}].parent")).of(subject(board));
        check.add(finding.value(quoted(parent)).says("is no board of the site", remedy));
    }
}

fn circles(check: &mut Check<'_>) {
    let site = check.site;
    for circle in check.tree.circles().to_vec() {
        let first = circle[0];
        let name = |board: usize| quoted(&site.boards[board].id);
        let mut ring: Vec<String> = circle.iter().chain([&first]).map(|&board| name(board)).take(9).collect();
        if circle.len() > 8 {
            ring.push("and so on".to_owned());
        }
        let wrong = if circle.len() == 1 {
            "is fed by itself".to_owned()
        } else {
            format!("is in a circle of boards that feed each other: {}", ring.join(" is fed by "))
        };
        let remedy = "name the board that really feeds one of them, or none for the grid connection";
        let finding =
            Finding::error("board-circle", format!("boards[{first}].parent")).of(subject(&site.boards[first]));
        check.add(finding.says(wrong, remedy));
    }
}

fn grid_connection(check: &mut Check<'_>) {
    let site = check.site;
    let roots: Vec<usize> = (0..site.boards.len()).filter(|&k| site.boards[k].parent.is_none()).collect();
    // Where boards go in a circle, the grid connection is in it.
    if roots.is_empty() && check.tree.circles().is_empty() {
        let remedy = "leave the parent of the main board empty";
        let wrong = "no board is the grid connection: each is fed by another";
        check.add(Finding::error("no-grid-connection", "boards").says(wrong, remedy));
    }
    for &extra in roots.iter().skip(1) {
        let wrong =
            format!("is fed by no board, and the grid connection is {} already", quoted(&site.boards[roots[0]].id));
        let remedy = "name the board that feeds it; a second grid connection is a site of its own";
        let finding = Finding::error("several-grid-connections", format!("boards[{extra}].parent"));
        check.add(finding.of(subject(&site.boards[extra])).says(wrong, remedy));
    }
}

/// Whether the limits are usable.
fn limits(check: &mut Check<'_>, k: usize, board: &Board) -> bool {
    let path = format!("boards[{k}].limit_a");
    let limits_a = board.limit_a.phases();
    if let Some(bad) = limits_a.into_iter().find(|limit_a| *limit_a <= 0.0 || *limit_a > ABSURD_A) {
        let (wrong, remedy) = if bad <= 0.0 {
            ("is no limit", "write the rating of fuse or cable in amperes")
        } else {
            ("is more than any low-voltage board carries (10,000 A)", "write amperes, not milliamperes or watts")
        };
        check.add(Finding::error("bad-limit", path).of(subject(board)).value(ampere(bad)).says(wrong, remedy));
        return false;
    }
    let odd = limits_a.into_iter().find(|limit_a| !STANDARD_A.iter().any(|size| (size - limit_a).abs() < 0.01));
    if let Some(odd) = odd {
        let wrong = "is no standard size of a fuse or breaker (IEC 60269, IEC 60898)";
        let remedy = match neighbours(odd) {
            Some((below, above)) => {
                format!("fine if it is a cable or a derated fuse; the sizes next to it are {below} and {above} A")
            }
            None => "fine if it is a cable or a derated fuse; otherwise read the fuse again".to_owned(),
        };
        check.add(Finding::note("odd-fuse", path).of(subject(board)).value(ampere(odd)).says(wrong, remedy));
    }
    true
}

fn neighbours(limit_a: f64) -> Option<(f64, f64)> {
    let above = STANDARD_A.iter().position(|size| *size > limit_a)?;
    Some((STANDARD_A[above.checked_sub(1)?], STANDARD_A[above]))
}

fn below_parent(check: &mut Check<'_>, k: usize, board: &Board) {
    let Some(parent) = check.tree.parent(k).map(|parent| &check.site.boards[parent]) else { return };
    let (own, above) = (board.limit_a.phases(), parent.limit_a.phases());
    let worst =
        (0..3).filter(|&p| own[p] > above[p]).max_by(|&a, &b| (own[a] - above[a]).total_cmp(&(own[b] - above[b])));
    let Some(phase) = worst else { return };
    let on = if (0..3).all(|p| own[p] > above[p]) { String::new() } else { format!(" on {}", PHASE_NAMES[phase]) };
    let wrong = format!("is more than the {} of {}, which feeds it{on}", ampere(above[phase]), quoted(&parent.id));
    let remedy = "check which is which: as it stands the fuse above blows first, and kwartier keeps to the smaller one";
    let finding = Finding::warning("larger-than-parent", format!("boards[{k}].limit_a")).of(subject(board));
    check.add(finding.value(ampere(own[phase])).says(wrong, remedy));
}

fn behaviour(check: &mut Check<'_>, k: usize, board: &Board) {
    let wrong = |key: &str, value: f64, says: &str, remedy: &str| {
        Finding::error("bad-number", format!("boards[{k}].{key}"))
            .of(subject(board))
            .value(number(value))
            .says(says, remedy)
    };
    if let Some(percent) = board.imbalance_limit_percent.filter(|percent| !(*percent > 0.0 && *percent <= 100.0)) {
        let remedy = "write percent of the board's highest limit_a, such as 20";
        check.add(wrong("imbalance_limit_percent", percent, "is not between 0 and 100", remedy));
    }
    if !(0.0..=60.0).contains(&board.tolerance_s) {
        let says = "is not between 0 and 60 s";
        check.add(wrong(
            "tolerance_s",
            board.tolerance_s,
            says,
            "write the seconds that a motor takes to start, such as 2",
        ));
    }
}

fn imbalance(check: &mut Check<'_>, k: usize, board: &Board) {
    let Some(limit_a) = board.imbalance_limit_a else { return };
    let most_a = board.limit_a.phases().into_iter().fold(0.0, f64::max);
    let path = format!("boards[{k}].imbalance_limit_a");
    if limit_a <= 0.0 {
        let finding =
            Finding::new(severity(limit_a < 0.0), "bad-imbalance", path).of(subject(board)).value(ampere(limit_a));
        let wrong = if limit_a < 0.0 { "is below 0" } else { "allows no one-phase vehicle at all" };
        check.add(finding.says(wrong, "write amperes, such as 20, or remove it where there is no limit"));
    } else if limit_a >= most_a {
        let wrong = format!("limits nothing: the board itself carries at most {}", ampere(most_a));
        let finding = Finding::warning("bad-imbalance", path).of(subject(board)).value(ampere(limit_a));
        check.add(
            finding.says(wrong, "write the limit that the grid operator or the switchgear asks for, or remove it"),
        );
    } else if limit_a < 6.0 {
        let wrong =
            "is less than the 6 A of any charging vehicle (IEC 61851-1), so one-phase vehicles can only charge in step";
        let finding = Finding::warning("bad-imbalance", path).of(subject(board)).value(ampere(limit_a));
        check.add(finding.says(wrong, "check the figure"));
    }
}

/// Boards that nothing hangs on.
fn empty(check: &mut Check<'_>) {
    let site = check.site;
    if site.stations.is_empty() {
        let remedy = "add the stations";
        check.add(Finding::warning("no-stations", "stations").says("the site has no charging station", remedy));
        return;
    }
    let on = |boards: &mut Vec<usize>, names: &mut dyn Iterator<Item = &str>| {
        boards.extend(names.filter_map(|name| check.tree.board(name)));
    };
    let mut used = Vec::new();
    on(&mut used, &mut site.stations.iter().map(|station| station.board.as_str()));
    on(&mut used, &mut site.pv.iter().map(|pv| pv.board.as_str()));
    on(&mut used, &mut site.batteries.iter().map(|battery| battery.board.as_str()));
    on(&mut used, &mut site.loads.iter().map(|load| load.board.as_str()));
    on(&mut used, &mut site.meters.iter().map(|meter| meter.board.as_str()));
    used.extend((0..site.boards.len()).filter(|&k| site.boards[k].building_max_a.is_some()));
    let mut uses = vec![[0.0]; site.boards.len()];
    for board in used {
        uses[board][0] += 1.0;
    }
    let uses = check.tree.sums(uses);
    for k in (0..site.boards.len()).filter(|&k| uses[k][0] < 1.0) {
        let finding = Finding::warning("empty-board", format!("boards[{k}]")).of(subject(&site.boards[k]));
        let remedy = "add what hangs there, or say with building_max_a what else it feeds, or remove the board";
        check.add(finding.says("feeds no station and nothing else that the site knows", remedy));
    }
}

pub(super) fn ampere(value: f64) -> String {
    format!("{} A", number((value * 100.0).round() / 100.0))
}
