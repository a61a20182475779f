//! A plan beside what the site would have done without one.

use std::fmt::Write;

use comfy_table::{CellAlignment, Table};
use kwartier_data::{Instance, PHASE_NAMES, Plan};
use kwartier_engine::baseline::{Baseline, baseline};
use kwartier_engine::figures::{Figures, Limit, Overload};
use serde::Serialize;

use super::summary::{euros, table};

/// How many overloaded limits the text names.
const OVERLOADS_LISTED: usize = 5;

/// The figures of a plan and of every baseline on the same instance.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    /// The plan.
    pub plan: Figures,
    /// Equal-share load management within the same fuses: the headline comparison.
    pub equal_share: Figures,
    /// Each vehicle in its cheapest slots, within the same fuses.
    pub cheapest_slots: Figures,
    /// Full power from arrival on, whatever the fuses say.
    pub uncontrolled: Figures,
    /// What equal share costs more than the plan, in EUR.
    pub saves_eur: f64,
}

impl Comparison {
    /// Works out the baselines and compares. `equal_share` is the plan of that baseline.
    pub fn of(instance: &Instance, plan: &Plan, equal_share: &Plan) -> Self {
        let figures = |which| Figures::of(instance, &baseline(instance, which));
        let plan = Figures::of(instance, plan);
        let equal_share = Figures::of(instance, equal_share);
        Comparison {
            saves_eur: equal_share.total_eur - plan.total_eur,
            plan,
            equal_share,
            cheapest_slots: figures(Baseline::CheapestSlots),
            uncontrolled: figures(Baseline::Uncontrolled),
        }
    }

    /// The comparison for a person.
    pub fn text(&self, instance: &Instance) -> String {
        let mut text = format!("{}\n{}\n", self.table(), self.headline());
        if let Some(overloads) = overloads(instance, &self.uncontrolled) {
            let _ = writeln!(text, "Uncontrolled charging would have overloaded {overloads}.");
        }
        // Where even load management breaks a limit, something flexible would have had to deliver.
        for (name, figures) in [("Equal share", &self.equal_share), ("Cheapest slots", &self.cheapest_slots)] {
            if let Some(overloads) = overloads(instance, figures) {
                let _ = writeln!(text, "{name} cannot keep {overloads}.");
            }
        }
        text
    }

    /// What the plan saves, in two sentences.
    pub fn headline(&self) -> String {
        let share = 100.0 * self.saves_eur / self.equal_share.total_eur.abs().max(0.01);
        let bill_eur = self.equal_share.bill_eur() - self.plan.bill_eur();
        let delivered_eur = self.equal_share.cost.shortfall - self.plan.cost.shortfall;
        let (verb, against) = if self.saves_eur < 0.0 { ("costs", "more than") } else { ("saves", "against") };
        format!(
            "The plan {verb} {} EUR ({:.1} %) {against} equal-share load management within the same fuses.\n\
             On the bill: {}. Energy not delivered in time: {}.",
            euros(self.saves_eur.abs()),
            share.abs(),
            less_or_more(bill_eur),
            less_or_more(delivered_eur),
        )
    }

    fn table(&self) -> Table {
        let columns = [&self.plan, &self.equal_share, &self.cheapest_slots, &self.uncontrolled];
        let mut table = table();
        table.set_header(["compared", "plan", "equal share", "cheapest slots", "uncontrolled"]);
        let mut row = |what: &str, cell: &dyn Fn(&Figures) -> String| {
            table.add_row(std::iter::once(what.to_owned()).chain(columns.iter().map(|figures| cell(figures))));
        };
        row("bill, EUR", &|figures| euros(figures.bill_eur()));
        row("energy not delivered, EUR", &|figures| euros(figures.cost.shortfall));
        row("total, EUR", &|figures| euros(figures.total_eur));
        row("highest import, kW", &|figures| format!("{:.1}", figures.highest_import_kw));
        row("imported, kWh", &|figures| format!("{:.1}", figures.import_kwh));
        if self.plan.co2_kg.is_some() {
            row("CO2, kg", &|figures| figures.co2_kg.map_or_else(String::new, |kg| format!("{kg:.1}")));
        }
        row("energy on time, %", &|figures| format!("{:.1}", 100.0 * figures.on_time()));
        row("vehicles short", &|figures| figures.vehicles_short.to_string());
        row("limits broken", &|figures| broken(figures).len().to_string());
        for column in 1..=columns.len() {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table
    }
}

/// An amount in EUR, and whether that is less or more.
fn less_or_more(eur: f64) -> String {
    format!("{} EUR {}", euros(eur.abs()), if eur < -0.005 { "more" } else { "less" })
}

/// The worst overload of each limit that is broken, the worst first.
pub fn broken(figures: &Figures) -> Vec<&Overload> {
    let mut worst: Vec<&Overload> = Vec::new();
    for overload in &figures.overloads {
        if worst.iter().all(|known| known.limit != overload.limit) {
            worst.push(overload);
        }
    }
    worst
}

/// The overloads in words; none where there are none.
fn overloads(instance: &Instance, figures: &Figures) -> Option<String> {
    let broken = broken(figures);
    let named = broken.iter().take(OVERLOADS_LISTED).map(|overload| {
        let unit = overload.limit.unit();
        format!("{} ({:.0} of {:.0} {unit})", name(instance, overload.limit), overload.highest, overload.allowed)
    });
    let mut text = named.collect::<Vec<_>>().join(", ");
    if broken.len() > OVERLOADS_LISTED {
        let _ = write!(text, " and {} more", broken.len() - OVERLOADS_LISTED);
    }
    (!broken.is_empty()).then_some(text)
}

/// A limit's name, such as `UV3 L2`.
pub fn name(instance: &Instance, limit: Limit) -> String {
    match limit {
        Limit::Phase { node, phase } => format!("{} {}", instance.nodes[node].id, PHASE_NAMES[phase]),
        Limit::Imbalance { node } => format!("the imbalance of {}", instance.nodes[node].id),
        Limit::Import => "the cap on import".to_owned(),
        Limit::Export => "the cap on export".to_owned(),
    }
}
