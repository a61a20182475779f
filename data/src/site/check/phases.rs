//! Whether one-phase vehicles spread over the grid's phases, which the rotations decide: a vehicle on one phase loads the
//! grid phase on its station's own L1.

use super::Check;
use crate::finding::Finding;
use crate::instance::PHASE_NAMES;
use crate::refusal::quoted;
use crate::site::Station;
use crate::site::rotation::Rotation;

/// The fewest stations of which "all alike" says something.
const SEVERAL: usize = 2;

/// The fewest stations of which an uneven spread says something.
const MANY: usize = 4;

/// The share of one phase from which the spread is called uneven, a fraction.
const UNEVEN: f64 = 0.6;

/// How many stations a remedy names for each rotation.
const NAMED: usize = 6;

/// Stations whose rotation is known.
type Known<'a> = Vec<(&'a Station, Rotation, usize)>;

pub(super) fn check(check: &mut Check<'_>) {
    let site = check.site;
    let known: Known<'_> = site
        .stations
        .iter()
        .filter_map(|station| {
            let rotation = Rotation::parse(station.rotation.as_deref()?).ok()?;
            Some((station, rotation, rotation.first()?))
        })
        .collect();
    if let Some(phase) = alike(&known) {
        let whom = format!("all {} stations of the site put", known.len());
        check.add(told(Finding::warning("alike-rotations", "stations"), &whom, phase, &known));
        return;
    }
    for (k, board) in site.boards.iter().enumerate() {
        let here: Known<'_> = known.iter().filter(|(station, ..)| station.board == board.id).copied().collect();
        if let Some(phase) = alike(&here) {
            let finding = Finding::warning("alike-rotations", format!("boards[{k}]")).of(super::boards::subject(board));
            let whom = format!("all {} stations on it put", here.len());
            check.add(told(finding, &whom, phase, &here));
        }
    }
    let share = shares(&known);
    if let Some(phase) =
        (0..3).find(|&phase| share[phase] > UNEVEN && known.len() >= MANY && known.len() == site.stations.len())
    {
        let wrong = format!(
            "{} carries {} of what one-phase vehicles draw ({})",
            PHASE_NAMES[phase],
            percent(share[phase]),
            all(share)
        );
        let remedy = "re-wire some of its stations, so that each phase carries about a third";
        check.add(Finding::note("uneven-rotations", "stations").says(wrong, remedy));
    }
}

/// The phase on which all of several stations put one-phase vehicles.
fn alike(known: &Known<'_>) -> Option<usize> {
    let (_, _, first) = *known.first()?;
    (known.len() >= SEVERAL && known.iter().all(|(_, _, phase)| *phase == first)).then_some(first)
}

/// The share of each phase in what one-phase vehicles draw at most, fractions.
fn shares(known: &Known<'_>) -> [f64; 3] {
    let mut sums = [0.0; 3];
    for (station, _, phase) in known {
        sums[*phase] += station.max_a.max(0.0);
    }
    let total: f64 = sums.iter().sum();
    if total > 0.0 { sums.map(|sum| sum / total) } else { [0.0; 3] }
}

fn told(finding: Finding, whom: &str, phase: usize, known: &Known<'_>) -> Finding {
    let wrong = format!("{whom} one-phase vehicles on {} ({})", PHASE_NAMES[phase], all(shares(known)));
    let mut moves = Vec::new();
    for steps in [1, 2] {
        let concerned: Vec<&(&Station, Rotation, usize)> = known.iter().skip(steps).step_by(3).collect();
        let Some((_, rotation, _)) = concerned.first() else { continue };
        let mut names: Vec<String> = concerned.iter().take(NAMED).map(|(station, ..)| quoted(&station.id)).collect();
        if concerned.len() > NAMED {
            names.push(format!("{} more", concerned.len() - NAMED));
        }
        moves.push(format!("{} as {}", names.join(", "), rotation.shifted(steps)));
    }
    finding.says(wrong, format!("wire {}, and write that here", moves.join(" and ")))
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

fn all(shares: [f64; 3]) -> String {
    let parts: Vec<String> = (0..3).map(|phase| format!("{} {}", PHASE_NAMES[phase], percent(shares[phase]))).collect();
    parts.join(", ")
}
