//! What a person wants to know of a plan: what it costs, how good that is, who falls short.

use std::collections::HashMap;
use std::fmt::Write;

use chrono::{DateTime, TimeDelta, Utc};
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};
use kwartier_data::{Instance, Plan, Status};
use kwartier_engine::explain::Explanation;
use kwartier_engine::figures::SHORT_KWH;
use kwartier_engine::outcome::{Ended, Outcome};
use kwartier_engine::verify::{Report, verify};
use serde::Serialize;

use super::comparison::Comparison;
use super::output::Destination;
use crate::report::clock::Clock;
use crate::report::number::label;

/// The longest name of a site that is shown, in letters.
const LONGEST_NAME: usize = 80;

/// How many of those that fall short the text names.
const SHORT_LISTED: usize = 10;

/// A plan in short.
#[derive(Debug, Serialize)]
pub struct Summary {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    slots: usize,
    slot_minutes: u32,
    boards: usize,
    chargers: usize,
    vehicles: usize,
    batteries: usize,
    pv: usize,
    loads: usize,
    cost_eur: Cost,
    bound_eur: f64,
    flexible_eur: f64,
    gap: f64,
    gap_eur: f64,
    status: Status,
    ended: &'static str,
    #[serde(skip)]
    ended_text: &'static str,
    method: String,
    /// What went wrong on the way.
    pub remarks: Vec<String>,
    solve_seconds: f64,
    needed_kwh: f64,
    delivered_kwh: f64,
    highest_import_kw: f64,
    comparison: Comparison,
    short: Vec<Short>,
    /// Why the plan is as it is, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Explanation>,
}

/// A cost by kind, in EUR.
#[derive(Debug, Serialize)]
pub struct Cost {
    energy: f64,
    export: f64,
    peak: f64,
    shortfall: f64,
    wear: f64,
    total: f64,
}

/// A vehicle or flexible load that gets less than it needs.
#[derive(Debug, Serialize)]
struct Short {
    kind: &'static str,
    id: String,
    #[serde(rename = "short_kwh")]
    missing_kwh: f64,
    need_kwh: f64,
}

impl Cost {
    /// The cost that the verifier found.
    pub fn of(report: &Report) -> Self {
        let cost = &report.cost;
        Cost {
            energy: cost.energy,
            export: cost.export,
            peak: cost.peak,
            shortfall: cost.shortfall,
            wear: cost.wear,
            total: report.objective_eur,
        }
    }

    /// Its parts with their names.
    pub fn parts(&self) -> [(&'static str, f64); 5] {
        [
            ("energy", self.energy),
            ("feed-in", self.export),
            ("peak", self.peak),
            ("energy not delivered", self.shortfall),
            ("wear", self.wear),
        ]
    }
}

impl Summary {
    /// Sums up a plan of an instance.
    pub fn of(instance: &Instance, outcome: &Outcome, comparison: Comparison) -> Self {
        let plan = &outcome.plan;
        let report = verify(instance, plan);
        let span =
            TimeDelta::minutes(i64::from(instance.slot_minutes)) * i32::try_from(instance.slots).unwrap_or(i32::MAX);
        let (ended, ended_text) = ended(outcome.ended);
        Summary {
            start: instance.start,
            end: instance.start + span,
            slots: instance.slots,
            slot_minutes: instance.slot_minutes,
            boards: instance.nodes.len(),
            chargers: instance.chargers.len(),
            vehicles: instance.sessions.len(),
            batteries: instance.batteries.len(),
            pv: instance.pv.len(),
            loads: instance.loads.len(),
            cost_eur: Cost::of(&report),
            bound_eur: plan.bound_eur,
            flexible_eur: outcome.flexible_eur,
            gap: outcome.gap,
            gap_eur: report.objective_eur - plan.bound_eur,
            status: plan.status,
            ended,
            ended_text,
            method: plan.made.as_ref().map(|made| made.method.clone()).unwrap_or_default(),
            remarks: plan.made.as_ref().map(|made| made.remarks.clone()).unwrap_or_default(),
            solve_seconds: plan.solve_seconds,
            needed_kwh: comparison.plan.needed_kwh,
            delivered_kwh: comparison.plan.on_time_kwh,
            highest_import_kw: comparison.plan.highest_import_kw,
            comparison,
            short: short(instance, plan),
            explanation: None,
        }
    }

    /// The summary for a person.
    pub fn text(&self, instance: &Instance, clock: &Clock, destination: Option<&Destination>) -> String {
        let name = instance.name.as_ref().map_or_else(String::new, |name| format!("{}: ", label(name, LONGEST_NAME)));
        let mut text = format!("{name}{}\n{}\n", self.what(), self.when(clock));
        let _ = writeln!(text, "{}", cost_table(&self.cost_eur, self.bound_eur));
        let _ = writeln!(text, "{}", self.facts());
        text.push_str(&self.comparison.text(instance));
        if !self.short.is_empty() {
            let _ = writeln!(text, "Less than needed:");
        }
        for short in self.short.iter().take(SHORT_LISTED) {
            let _ = writeln!(
                text,
                "  {} {}: {:.2} of {:.2} kWh short",
                short.kind,
                label(&short.id, LONGEST_NAME),
                short.missing_kwh,
                short.need_kwh
            );
        }
        if self.short.len() > SHORT_LISTED {
            let _ = writeln!(text, "  and {} more", self.short.len() - SHORT_LISTED);
        }
        for remark in &self.remarks {
            let _ = writeln!(text, "Note: {remark}");
        }
        if let Some(Destination::File { name, .. } | Destination::Stream { name, .. }) = destination {
            let _ = writeln!(text, "The plan is in {name}.");
        }
        text
    }

    fn what(&self) -> String {
        let counts = [
            (self.vehicles, "vehicle", "vehicles"),
            (self.chargers, "charger", "chargers"),
            (self.boards, "board", "boards"),
            (self.pv, "PV plant", "PV plants"),
            (self.batteries, "battery", "batteries"),
            (self.loads, "flexible load", "flexible loads"),
        ];
        let named = counts
            .iter()
            .filter(|(count, _, _)| *count > 0)
            .map(|(count, one, many)| format!("{count} {}", if *count == 1 { one } else { many }));
        named.collect::<Vec<_>>().join(", ")
    }

    fn when(&self, clock: &Clock) -> String {
        format!("{}, {} slots of {} min", clock.horizon(), self.slots, self.slot_minutes)
    }

    fn facts(&self) -> Table {
        let mut table = table();
        table.add_row(["gap", &format!("{} of the flexible cost, {:.2} EUR", percent(self.gap), self.gap_eur)]);
        table.add_row(["ended", self.ended_text]);
        table.add_row(["method", &format!("{}, {:.2} s", self.method, self.solve_seconds)]);
        let share = if self.needed_kwh > 0.0 { self.delivered_kwh / self.needed_kwh } else { 1.0 };
        table.add_row([
            "energy",
            &format!("{:.1} of {:.1} kWh needed, {:.1} %", self.delivered_kwh, self.needed_kwh, 100.0 * share),
        ]);
        table.add_row(["highest import", &format!("{:.1} kW", self.highest_import_kw)]);
        table
    }
}

/// The cost by kind with the bound below it.
pub fn cost_table(cost: &Cost, bound_eur: f64) -> Table {
    let mut table = table();
    table.set_header(["cost", "EUR"]);
    let rows = [
        ("energy bought", cost.energy),
        ("energy sold", cost.export),
        ("peak", cost.peak),
        ("energy not delivered", cost.shortfall),
        ("wear", cost.wear),
        ("total", cost.total),
        ("no plan can cost less than", bound_eur),
    ];
    for (what, eur) in rows {
        table.add_row([what, &euros(eur)]);
    }
    if let Some(column) = table.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// A fraction as a percentage, fine enough for a gap.
pub fn percent(fraction: f64) -> String {
    format!("{:.3} %", 100.0 * fraction)
}

/// An amount in EUR; nothing is 0.00, never -0.00.
pub fn euros(eur: f64) -> String {
    let text = format!("{eur:.2}");
    if text == "-0.00" { "0.00".to_owned() } else { text }
}

/// A table in the style of all tables.
pub fn table() -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table
}

/// How a solve ended, for programs and for people.
fn ended(ended: Ended) -> (&'static str, &'static str) {
    match ended {
        Ended::Gap => ("gap", "the gap asked for is proven"),
        Ended::Exhausted => ("exhausted", "every method has said all it can; the gap asked for stays open"),
        Ended::TimeLimit => ("time_limit", "time limit; this is the best plan so far"),
        Ended::Cancelled => ("cancelled", "cancelled; this is the best plan so far"),
    }
}

/// Those that get less than they need, the worst first.
fn short(instance: &Instance, plan: &Plan) -> Vec<Short> {
    let session_needs: HashMap<&str, f64> = instance.sessions.iter().map(|s| (s.id.as_str(), s.need_kwh)).collect();
    let load_needs: HashMap<&str, f64> = instance.loads.iter().map(|l| (l.id.as_str(), l.need_kwh)).collect();
    let row = |kind, needs: &HashMap<&str, f64>, id: &str, short_kwh| {
        needs.get(id).map(|&need_kwh| Short { kind, id: id.to_owned(), missing_kwh: short_kwh, need_kwh })
    };
    let sessions = plan.sessions.iter().filter_map(|s| row("vehicle", &session_needs, &s.id, s.shortfall_kwh));
    let loads = plan.loads.iter().filter_map(|l| row("load", &load_needs, &l.id, l.shortfall_kwh));
    let mut short: Vec<Short> = sessions.chain(loads).filter(|short| short.missing_kwh > SHORT_KWH).collect();
    short.sort_by(|a, b| b.missing_kwh.total_cmp(&a.missing_kwh).then_with(|| a.id.cmp(&b.id)));
    short
}
