//! `kwartier check`.

use std::fmt::Write;
use std::path::PathBuf;

use kwartier_engine::verify::verify;
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
    /// Print the findings as one JSON object.
    #[arg(long)]
    json: bool,
}

/// What was found.
#[derive(Debug, Serialize)]
struct Findings {
    holds: bool,
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
    input::one_dash(&[Some(&args.instance), Some(&args.plan)])?;
    let instance = input::instance(&args.instance)?;
    let plan = input::plan(&args.plan)?;
    let report = verify(&instance, &plan);
    // A gap that is no number passes no maximum.
    let gap_holds = args.max_gap.is_none_or(|most| report.gap.is_some_and(|gap| gap <= most));
    let findings = Findings {
        holds: report.is_clean() && gap_holds,
        cost_eur: Cost::of(&report),
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

impl Findings {
    fn text(&self) -> String {
        let mut text = format!("{}\n", cost_table(&self.cost_eur, self.stated_bound_eur));
        let gap = self.gap.map_or_else(|| "unknown".to_owned(), percent);
        let _ = writeln!(text, "gap: {gap} of the flexible cost, which is {:.2} EUR", self.flexible_eur);
        if let Some(most) = self.max_gap.filter(|&most| self.gap.is_none_or(|gap| gap > most)) {
            let _ = writeln!(text, "the gap is above the {} asked for", percent(most));
        }
        match self.violation_count {
            0 => text.push_str("every limit holds, and the stated cost is right\n"),
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
        text
    }
}
