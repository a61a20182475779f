//! What people see of simulated stations: how it goes, and how it went.

use std::fmt::Write;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::super::summary;
use crate::chargers::fleet::{Look, Summary};
use crate::report::number::{grouped, percent};

/// How many boards and findings are named.
const LISTED: usize = 12;

/// A place on the terminal for a table that is drawn anew again and again.
pub fn table_on_terminal() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    // The template is a constant: where it were wrong, the usual style would do.
    bar.set_style(ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// How it goes, on one line.
pub fn line(look: &Look<'_>) -> String {
    let (numbers, glance) = (&look.numbers, look.glance);
    let fullest =
        glance.boards.iter().zip(&look.setup.nodes).max_by(|(a, _), (b, _)| (a.0 / a.1).total_cmp(&(b.0 / b.1)));
    let fullest = fullest
        .filter(|_| look.judged)
        .map_or(String::new(), |(flows, node)| format!(", {} at {:.0} of {:.0} A", node.id, flows.0, flows.1));
    let refusal = numbers.last_refusal.as_deref().filter(|_| numbers.connected == 0);
    format!(
        "{:.0} s: {} of {} connected, {} vehicles, {} charging with {:.0} A, {} profiles{fullest}{}",
        look.since.as_secs_f64(),
        numbers.connected,
        look.stations,
        glance.vehicles,
        glance.charging,
        glance.drawn_a,
        numbers.profiles.iter().map(|one| one.accepted + one.rejected).sum::<u64>(),
        refusal.map_or(String::new(), |why| format!("; refused: {why}"))
    )
}

/// How it goes, as a table.
pub fn table(look: &Look<'_>) -> String {
    if !look.judged {
        return line(look);
    }
    let mut boards = summary::table();
    boards.set_header(["board", "fullest phase", "limit", "of it", "most so far"]);
    let rows = look.setup.nodes.iter().zip(&look.glance.boards).zip(&look.glance.worst_a);
    for ((node, (flows_a, limit_a)), worst_a) in rows.take(LISTED) {
        boards.add_row([
            node.id.clone(),
            format!("{flows_a:.1} A"),
            format!("{limit_a:.0} A"),
            percent(flows_a / limit_a, 0),
            format!("{:.1} A", worst_a.iter().copied().fold(0.0, f64::max)),
        ]);
    }
    let latency = &look.numbers.latency;
    let latency = match (latency.p50_ms, latency.p99_ms) {
        (Some(p50), Some(p99)) => {
            format!("overload to lowered limit {p50:.0} ms, {p99:.0} ms at the slowest of a hundred")
        }
        _ => "no overload was answered yet".to_owned(),
    };
    format!("{}\n{boards}\n{latency}", line(look))
}

/// How it went.
pub fn summary(outcome: &Summary) -> String {
    let numbers = &outcome.numbers;
    let mut text = format!(
        "{} stations for {:.0} s: {} connections made, {} refused, {} cut on purpose; {} starts accepted\n",
        outcome.stations, outcome.seconds, numbers.connects, numbers.refused, numbers.cuts, numbers.booted
    );
    if let Some(why) = &numbers.last_refusal {
        let _ = writeln!(text, "the last refusal: {why}");
    }
    let _ = writeln!(text, "{} vehicles came, and all got {} kWh", outcome.vehicles, grouped(outcome.energy_kwh, 1));
    let _ = writeln!(
        text,
        "asked {} times, {} answered with an error; {} of their own calls were not answered well",
        numbers.asked, numbers.answered_with_error, numbers.failed
    );
    for profiles in &numbers.profiles {
        let _ =
            writeln!(text, "  {}: {} accepted, {} rejected", profiles.purpose, profiles.accepted, profiles.rejected);
    }
    let [taken, lost] = numbers.measurements;
    if taken + lost > 0 {
        let _ = writeln!(text, "{taken} measurements taken, {lost} not");
    }
    let latency = &numbers.latency;
    if let (Some(p50), Some(p99), Some(most)) = (latency.p50_ms, latency.p99_ms, latency.max_ms) {
        let _ = writeln!(
            text,
            "from a posted overload to a lowered limit: p50 {p50:.0} ms, p99 {p99:.0} ms, at most {most:.0} ms ({} times)",
            latency.count
        );
    }
    if !outcome.boards.is_empty() {
        let mut boards = summary::table();
        boards.set_header(["board", "L1", "L2", "L3", "limit"]);
        for board in outcome.boards.iter().take(LISTED) {
            let [l1, l2, l3] = board.worst_a.map(|amps| format!("{amps:.1}"));
            let limit_a = board.limit_a.iter().copied().fold(f64::INFINITY, f64::min);
            boards.add_row([board.id.clone(), l1, l2, l3, format!("{limit_a:.0}")]);
        }
        let _ = writeln!(text, "\n{boards}");
    }
    match &outcome.broken {
        Some(broken) if broken.is_empty() => text.push_str("no limit was broken\n"),
        Some(broken) => {
            let _ = writeln!(text, "{} limits were broken", broken.len());
            for one in broken.iter().take(LISTED) {
                let _ = writeln!(text, "  {}", one.words);
            }
        }
        None => {}
    }
    text
}
