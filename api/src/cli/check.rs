//! `kwartier check`.

use std::fmt::Write;
use std::path::PathBuf;

use kwartier_data::{Instance, Plan};
use kwartier_engine::verify::{price, verify};
use serde::Serialize;

use super::failure::Failure;
use super::summary::{Cost, cost_table, percent};
use super::{Verdict, input, output, plan};

/// Check a plan against its instance: every limit and the cost, from scratch and without a solver; of the bound, that it is
/// not above the cost.
///
/// Exit codes: 0 the plan holds; 1 it does not, or its gap is above --max-gap; 2 input that cannot be used.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The planning instance, a JSON file; - for standard input.
    #[arg(value_name = "INSTANCE.json")]
    instance: PathBuf,
    /// The plan, a JSON file; - for standard input.
    #[arg(value_name = "PLAN.json")]
    plan: PathBuf,
    /// The highest gap that passes, as a fraction of the flexible cost.
    #[arg(long, value_name = "FRACTION", value_parser = plan::fraction, allow_hyphen_values = true)]
    max_gap: Option<f64>,
    /// The plan was made for this other instance, say from forecasts: find out what it costs on INSTANCE.json, and which
    /// limits it would have broken there. PV is turned down by as much as was planned; what the plan states of itself is
    /// not tested.
    #[arg(long, value_name = "PLANNED.json", conflicts_with = "max_gap")]
    made_for: Option<PathBuf>,
    /// Print the findings as one JSON object.
    #[arg(long)]
    json: bool,
}

/// What was found.
#[derive(Debug, Serialize)]
struct Findings {
    holds: bool,
    #[serde(skip)]
    carried_over: bool,
    cost_eur: Cost,
    stated_objective_eur: f64,
    stated_bound_eur: f64,
    flexible_eur: f64,
    gap: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_gap: Option<f64>,
    violation_count: usize,
    violations: Vec<String>,
}

/// Reads, verifies, prints.
pub fn run(args: &Args) -> Result<Verdict, Failure> {
    input::one_dash(&[Some(&args.instance), Some(&args.plan), args.made_for.as_ref()])?;
    let instance = input::instance(&args.instance)?;
    let mut plan = input::plan(&args.plan)?;
    if let Some(path) = &args.made_for {
        carry_over(&mut plan, &input::instance(path)?, &instance)?;
    }
    let report = verify(&instance, &plan);
    // A gap that is no number passes no maximum.
    let gap_holds = args.max_gap.is_none_or(|most| report.gap.is_some_and(|gap| gap <= most));
    let findings = Findings {
        holds: report.is_clean() && gap_holds,
        cost_eur: Cost::of(&report),
        carried_over: args.made_for.is_some(),
        stated_objective_eur: plan.objective_eur,
        stated_bound_eur: plan.bound_eur,
        flexible_eur: report.flexible_eur,
        gap: report.gap,
        max_gap: args.max_gap,
        violation_count: report.violation_count,
        violations: report.violations.iter().map(ToString::to_string).collect(),
    };
    if args.json {
        output::print_json(&findings)?;
    } else {
        output::print(&findings.text())?;
    }
    Ok(if findings.holds { Verdict::Fine } else { Verdict::Broken })
}

/// Makes a plan for one instance one for another of the same slots: PV gives what there is less what was turned down, and
/// what the plan states of itself is what it is there.
fn carry_over(plan: &mut Plan, planned: &Instance, real: &Instance) -> Result<(), Failure> {
    if planned.start != real.start || planned.slots != real.slots || planned.slot_minutes != real.slot_minutes {
        let what = "the instance of --made-for has other slots than the one to check on; make both of the same --date and --start";
        return Err(Failure::Arguments(what.to_owned()));
    }
    for entry in &mut plan.pv {
        let of = |instance: &Instance| instance.pv.iter().find(|pv| pv.id == entry.id).map(|pv| pv.kw.clone());
        let (Some(forecast_kw), Some(real_kw)) = (of(planned), of(real)) else { continue };
        for ((used_kw, forecast_kw), real_kw) in entry.used_kw.iter_mut().zip(forecast_kw).zip(real_kw) {
            *used_kw = (real_kw - (forecast_kw - *used_kw).max(0.0)).max(0.0);
        }
    }
    plan.objective_eur = price(real, plan).objective_eur;
    plan.bound_eur = plan.objective_eur;
    Ok(())
}

impl Findings {
    fn text(&self) -> String {
        let mut text = format!("{}\n", cost_table(&self.cost_eur, self.stated_bound_eur));
        if self.carried_over {
            text = format!("on this instance the plan costs {:.2} EUR:", self.stated_objective_eur);
            for (what, eur) in self.cost_eur.parts() {
                let _ = write!(text, " {what} {eur:.2},");
            }
            text.truncate(text.len() - 1);
            text.push('\n');
            self.tell_violations(&mut text, "every limit would have held");
            return text;
        }
        let gap = self.gap.map_or_else(|| "unknown".to_owned(), percent);
        let _ = writeln!(text, "gap: {gap} of the flexible cost, which is {:.2} EUR", self.flexible_eur);
        if let Some(most) = self.max_gap.filter(|&most| self.gap.is_none_or(|gap| gap > most)) {
            let _ = writeln!(text, "the gap is above the {} asked for", percent(most));
        }
        self.tell_violations(&mut text, "every limit holds, and the stated cost is right");
        text
    }

    fn tell_violations(&self, text: &mut String, none: &str) {
        match self.violation_count {
            0 => {
                let _ = writeln!(text, "{none}");
            }
            count => {
                let _ = writeln!(text, "{count} {}:", if count == 1 { "violation" } else { "violations" });
                for violation in &self.violations {
                    let _ = writeln!(text, "  {violation}");
                }
                let more = count - self.violations.len();
                if more > 0 {
                    let _ = writeln!(text, "  and {more} more");
                }
            }
        }
    }
}
