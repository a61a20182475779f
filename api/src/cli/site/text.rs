//! Findings and boards as people read them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use kwartier_data::site::load::BoardLoad;
use kwartier_data::{Finding, Severity};

/// How many findings of one code are listed; the others are counted. `--json` has them all.
const LISTED: usize = 20;

/// Findings, one a line.
pub fn list(findings: &[Finding]) -> String {
    let mut told: BTreeMap<&str, usize> = BTreeMap::new();
    let mut lines = Vec::new();
    for finding in findings {
        let count = told.entry(finding.code).or_default();
        *count += 1;
        if *count <= LISTED {
            lines.push(format!("  {finding} [{}]", finding.code));
        }
    }
    let more = |(code, count): (&str, usize)| {
        count.checked_sub(LISTED + 1).map(|more| format!("  and {} more of [{code}]; --json lists them all", more + 1))
    };
    lines.extend(told.into_iter().filter_map(more));
    lines.join("\n")
}

/// Findings under a heading for each severity; empty where there are none.
pub fn by_severity(findings: &[Finding]) -> String {
    let mut text = String::new();
    for (severity, one, many) in [
        (Severity::Error, "error", "errors"),
        (Severity::Warning, "warning", "warnings"),
        (Severity::Note, "note", "notes"),
    ] {
        let of_this: Vec<Finding> = findings.iter().filter(|finding| finding.severity == severity).cloned().collect();
        if !of_this.is_empty() {
            let _ = writeln!(text, "{}:\n{}", count(of_this.len(), one, many), list(&of_this));
        }
    }
    text
}

/// A number with its noun.
pub fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// How many findings there are of each severity, in words.
pub fn counts(findings: &[Finding]) -> String {
    let of = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    [
        count(of(Severity::Error), "error", "errors"),
        count(of(Severity::Warning), "warning", "warnings"),
        count(of(Severity::Note), "note", "notes"),
    ]
    .join(", ")
}

/// How many boards the tree shows.
const SHOWN_BOARDS: usize = 100;

/// The boards as a tree, with their limits and what the stations below could draw together.
pub fn tree(loads: &[BoardLoad]) -> String {
    let more = loads.len().saturating_sub(SHOWN_BOARDS);
    let loads = &loads[..loads.len() - more];
    let mut names = Vec::with_capacity(loads.len());
    // Whether each level above still goes on below the line that is drawn: found out from the bottom up.
    let mut goes_on: Vec<bool> = Vec::new();
    for load in loads.iter().rev() {
        let last = !goes_on.get(load.depth).copied().unwrap_or(false);
        goes_on.resize(load.depth + 1, false);
        let mut name: String = goes_on[..load.depth].iter().skip(1).map(|on| if *on { "│  " } else { "   " }).collect();
        if load.depth > 0 {
            name.push_str(if last { "└─ " } else { "├─ " });
        }
        goes_on[load.depth] = true;
        name.push_str(&load.board);
        names.push(name);
    }
    names.reverse();
    let wide = |texts: &[String]| texts.iter().map(|text| text.chars().count()).max().unwrap_or(0);
    let limits: Vec<String> = loads.iter().map(|load| format!("{} A", amperes(load.limit_a))).collect();
    let stations: Vec<String> = loads.iter().map(|load| count(load.stations, "station", "stations")).collect();
    let (name_width, limit_width, station_width) = (wide(&names), wide(&limits), wide(&stations));
    let mut text = String::new();
    for (((load, name), limit), stations) in loads.iter().zip(&names).zip(&limits).zip(&stations) {
        let _ = write!(text, "{name:<name_width$}  {limit:>limit_width$}  {stations:>station_width$}");
        if load.stations > 0 {
            let _ = write!(text, "  {} A together, {:.1} × the limit", amperes(load.stations_a), load.ratio);
        }
        text.push('\n');
    }
    if more > 0 {
        let _ = writeln!(text, "and {} more; --json lists them all", count(more, "board", "boards"));
    }
    text
}

/// One number where the phases are alike, otherwise three.
fn amperes(phases: [f64; 3]) -> String {
    let shown = phases.map(|a| format!("{}", (a * 10.0).round() / 10.0));
    if shown.iter().all(|a| *a == shown[0]) { shown[0].clone() } else { shown.join(" / ") }
}
