//! A plan beside what the site would have done without one.

use std::fmt::Write;

use comfy_table::{CellAlignment, Table};
use kwartier_data::{Instance, Plan};
use kwartier_engine::baseline::{Baseline, baseline};
use kwartier_engine::figures::{Difference, Figures};
use serde::Serialize;

use super::summary::{euros, table};
use crate::report::words;

/// A plan that delivers so much less of the need than equal share is worth a word.
const LESS_ON_TIME: f64 = 0.01;

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
    /// By how much each of the others is above the plan.
    pub above_the_plan: Differences,
    /// What equal share costs more than the plan, in EUR.
    pub saves_eur: f64,
}

/// By how much the baselines are above the plan.
#[derive(Debug, Clone, Serialize)]
pub struct Differences {
    equal_share: Difference,
    cheapest_slots: Difference,
    uncontrolled: Difference,
}

impl Comparison {
    /// Works out the baselines and compares. `equal_share` is the plan of that baseline.
    pub fn of(instance: &Instance, plan: &Plan, equal_share: &Plan) -> Self {
        let figures = |which| Figures::of(instance, &baseline(instance, which));
        let plan = Figures::of(instance, plan);
        let equal_share = Figures::of(instance, equal_share);
        let cheapest_slots = figures(Baseline::CheapestSlots);
        let uncontrolled = figures(Baseline::Uncontrolled);
        let above_the_plan = Differences {
            equal_share: equal_share.less(&plan),
            cheapest_slots: cheapest_slots.less(&plan),
            uncontrolled: uncontrolled.less(&plan),
        };
        let saves_eur = above_the_plan.equal_share.total_eur;
        Comparison { plan, equal_share, cheapest_slots, uncontrolled, above_the_plan, saves_eur }
    }

    /// The comparison for a person.
    pub fn text(&self, instance: &Instance) -> String {
        let mut text = format!("{}\n{}\n", self.table(), self.headline());
        let less_kwh = self.equal_share.on_time_kwh - self.plan.on_time_kwh;
        if less_kwh > LESS_ON_TIME * self.plan.needed_kwh {
            let _ = writeln!(
                text,
                "Mind: the plan delivers {less_kwh:.1} kWh less in time than equal share, because a missing kWh counts \
                 less than what it would cost, peak price included. A higher shortfall_eur_kwh, or the peak so far, \
                 changes that."
            );
        }
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
        // The plan's own column has nothing to differ from.
        let above = &self.above_the_plan;
        let columns: [(&Figures, Option<Difference>); 4] = [
            (&self.plan, None),
            (&self.equal_share, Some(above.equal_share)),
            (&self.cheapest_slots, Some(above.cheapest_slots)),
            (&self.uncontrolled, Some(above.uncontrolled)),
        ];
        let mut table = table();
        table.set_header(["compared", "plan", "equal share", "cheapest slots", "uncontrolled"]);
        let mut row = |what: &str, cell: &dyn Fn(&Figures, Option<Difference>) -> String| {
            let cells = columns.iter().map(|(figures, above)| cell(figures, *above));
            table.add_row(std::iter::once(what.to_owned()).chain(cells));
        };
        row("bill, EUR", &|of, _| euros(of.bill_eur()));
        row("energy not delivered, EUR", &|of, _| euros(of.cost.shortfall));
        row("total, EUR", &|of, above| euros(of.total_eur) + &signed(above.map(|by| by.total_eur), 2));
        row("highest import, kW", &|of, above| {
            format!("{:.1}{}", of.highest_import_kw, signed(above.map(|by| by.highest_import_kw), 1))
        });
        row("imported, kWh", &|of, _| format!("{:.1}", of.import_kwh));
        if self.plan.co2_kg.is_some() {
            row("CO2, kg", &|of, above| {
                let kg = of.co2_kg.map_or_else(String::new, |kg| format!("{kg:.1}"));
                kg + &signed(above.and_then(|by| by.co2_kg), 1)
            });
        }
        row("energy on time, kWh", &|of, above| {
            format!("{:.1}{}", of.on_time_kwh, signed(above.map(|by| by.on_time_kwh), 1))
        });
        row("energy on time, %", &|of, _| format!("{:.1}", 100.0 * of.on_time()));
        row("vehicles short", &|of, _| of.vehicles_short.to_string());
        row("limits broken", &|of, _| of.broken().len().to_string());
        for column in 1..=columns.len() {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table
    }
}

/// A difference in brackets, with its sign; nothing for the plan itself.
fn signed(difference: Option<f64>, digits: usize) -> String {
    difference.map_or_else(String::new, |difference| {
        let text = format!("{difference:+.digits$}");
        let zero = text.bytes().all(|b| !(b'1'..=b'9').contains(&b));
        if zero { " (=)".to_owned() } else { format!(" ({text})") }
    })
}

/// An amount in EUR, and whether that is less or more.
fn less_or_more(eur: f64) -> String {
    format!("{} EUR {}", euros(eur.abs()), if eur < -0.005 { "more" } else { "less" })
}

/// The overloads in words; none where there are none.
fn overloads(instance: &Instance, figures: &Figures) -> Option<String> {
    let broken = figures.broken();
    let named = broken.iter().take(OVERLOADS_LISTED).map(|overload| {
        let unit = overload.limit.unit();
        format!(
            "{} ({:.0} of {:.0} {unit})",
            words::broken_limit(instance, overload.limit),
            overload.highest,
            overload.allowed
        )
    });
    let mut text = named.collect::<Vec<_>>().join(", ");
    if broken.len() > OVERLOADS_LISTED {
        let _ = write!(text, " and {} more", broken.len() - OVERLOADS_LISTED);
    }
    (!broken.is_empty()).then_some(text)
}
