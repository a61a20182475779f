//! What `kwartier plan` makes beside the plan: a chart, a page, and why the plan is as it is.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono_tz::Tz;
use kwartier_data::{Instance, Plan, local};
use kwartier_engine::explain::{Explanation, Saving, explain, upgrades};
use kwartier_engine::plan::plan;
use kwartier_engine::settings::{Settings, Watch};

use super::comparison::Comparison;
use super::failure::Failure;
use super::input;
use super::output::Destination;
use crate::report::{ReportFault, View, page, poster};
use crate::solve::{ChildSolver, Monitor};

/// How long planning one change of the site may take.
const UPGRADE_LIMIT: Duration = Duration::from_secs(10);

/// Where chart and page go, and in which local time.
#[derive(Debug, clap::Args)]
pub struct Extras {
    /// Draw the plan: prices, site power, boards and vehicles, before and after, as one SVG; - for standard output.
    #[arg(long, value_name = "CHART.svg")]
    chart: Option<PathBuf>,
    /// Write one self-contained HTML page with charts, tables and reasons; - for standard output.
    #[arg(long, value_name = "PAGE.html")]
    html: Option<PathBuf>,
    /// Say which limits bind, why each vehicle charges when it does, and what larger limits would save. Plans the site
    /// again for each of a few changes, which takes 10 s each at most.
    #[arg(long)]
    pub explain: bool,
    /// The time zone of charts, page and reasons, such as Europe/Amsterdam; without it that of the instance, else UTC.
    #[arg(long, value_name = "ZONE", value_parser = local::zone)]
    tz: Option<Tz>,
}

impl Extras {
    /// The time zone of everything that people read.
    pub fn zone(&self, instance: &Instance) -> Tz {
        self.tz.or(instance.time_zone).unwrap_or(Tz::UTC)
    }
}

/// The places of the outputs, checked.
#[derive(Debug)]
pub struct Places {
    /// Where the plan goes.
    pub out: Option<Destination>,
    chart: Option<Destination>,
    html: Option<Destination>,
}

impl Places {
    /// Checks that all outputs can be written and that none is in the way of another or of an input.
    pub fn prepare(
        out: Option<&Path>,
        args: &Extras,
        instance: &Path,
        previous: Option<&Path>,
        stdout_taken: bool,
    ) -> Result<Self, Failure> {
        let named = [("--out", out), ("--chart", args.chart.as_deref()), ("--html", args.html.as_deref())];
        let dashes: Vec<&str> = named
            .iter()
            .filter(|(_, path)| path.is_some_and(input::is_dash))
            .map(|(option, _)| *option)
            .chain(stdout_taken.then_some("--json"))
            .collect();
        if let [first, second, ..] = dashes[..] {
            return Err(Failure::Arguments(wanted_twice(first, second)));
        }
        let mut places: Vec<(&str, Destination)> = Vec::new();
        let mut prepared = [None, None, None];
        for (index, (option, path)) in named.into_iter().enumerate() {
            let Some(path) = path else { continue };
            let place = Destination::prepare(path)?;
            // The plan may take the place of the one before; a picture may not.
            let previous = previous.filter(|_| option != "--out");
            for (input, kind) in [(Some(instance), "instance"), (previous, "plan in force")] {
                if input.is_some_and(|input| place.is(input)) {
                    let what = format!("{option} {} is the {kind} itself; name another file", path.display());
                    return Err(Failure::Arguments(what));
                }
            }
            if let Some((other, _)) = places.iter().find(|(_, other)| place.same(other)) {
                let what = format!("{other} and {option} are the same file, {}; name two", path.display());
                return Err(Failure::Arguments(what));
            }
            places.push((option, place.clone()));
            prepared[index] = Some(place);
        }
        let [out, chart, html] = prepared;
        Ok(Places { out, chart, html })
    }

    /// Whether some output goes to standard output.
    pub fn take_stdout(&self) -> bool {
        [&self.out, &self.chart, &self.html].into_iter().any(|place| matches!(place, Some(Destination::Stdout)))
    }

    /// Whether an explanation is asked for or shown on the page.
    pub fn explained(&self, args: &Extras) -> bool {
        args.explain || self.html.is_some()
    }

    /// Whether there is anything to draw.
    pub fn report(&self) -> bool {
        self.chart.is_some() || self.html.is_some()
    }

    /// Draws and writes the chart and the page.
    pub fn write(
        &self,
        view: &View<'_>,
        comparison: &Comparison,
        explanation: Option<&Explanation>,
        notes: &[String],
    ) -> Result<(), Failure> {
        let fault = |fault: ReportFault| Failure::Internal(fault.to_string());
        if let Some(place) = &self.chart {
            place.write(poster::svg(view).map_err(fault)?.as_bytes())?;
        }
        if let Some(place) = &self.html {
            let others = [("cheapest slots", &comparison.cheapest_slots), ("uncontrolled", &comparison.uncontrolled)];
            place.write(page::html(view, &others, explanation, notes).map_err(fault)?.as_bytes())?;
        }
        Ok(())
    }

    /// What else was written, for the summary.
    pub fn notes(&self) -> String {
        let said = |what: &str, place: &Option<Destination>| match place {
            Some(Destination::File { name, .. } | Destination::Stream { name, .. }) => {
                format!("The {what} is in {name}.\n")
            }
            _ => String::new(),
        };
        said("chart", &self.chart) + &said("page", &self.html)
    }
}

/// The refusal of a second output to standard output.
fn wanted_twice(first: &str, second: &str) -> String {
    let (first, second) = if second == "--json" { (second, first) } else { (first, second) };
    let dash = |option: &str| if option == "--json" { option.to_owned() } else { format!("{option} -") };
    format!(
        "{} and {} both want standard output; name a file for {second}, or leave one of them out",
        dash(first),
        dash(second)
    )
}

/// Explains a plan. With `changes` the site is planned anew for each change worth looking at, until somebody cancels;
/// what is left out is said in the notes.
pub fn explained(
    instance: &Instance,
    made: &Plan,
    settings: &Settings,
    monitor: &Monitor,
    changes: bool,
) -> (Explanation, Vec<String>) {
    let mut explanation = explain(instance, made);
    if !changes {
        return (explanation, Vec::new());
    }
    let settings = Settings { time_limit: settings.time_limit.min(UPGRADE_LIMIT), previous: None, ..settings.clone() };
    let mut missing = 0;
    for upgrade in upgrades(instance, &explanation.limits) {
        if monitor.cancelled() {
            missing += 1;
            continue;
        }
        let lap = monitor.lap();
        match plan(&upgrade.instance, &settings, &lap, &ChildSolver::of_this_program(&lap)) {
            Ok(then) if !monitor.cancelled() => {
                explanation.savings.push(Saving::of(upgrade.change, made, &then.plan));
            }
            _ => missing += 1,
        }
    }
    explanation.savings.sort_by(|a, b| b.saves_eur.total_cmp(&a.saves_eur));
    let note = || format!("What {missing} further changes of the site would save is not known: no plan in time.");
    (explanation, if missing > 0 { vec![note()] } else { Vec::new() })
}
