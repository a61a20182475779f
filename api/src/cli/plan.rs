//! `kwartier plan`.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;
use kwartier_data::Instance;
use kwartier_engine::baseline::{Baseline, baseline};
use kwartier_engine::plan::plan;
use kwartier_engine::settings::{Method, Settings};

use super::comparison::Comparison;
use super::extras::Places;
use super::failure::Failure;
use super::summary::Summary;
use super::{Verdict, extras, input, output};
use crate::report::clock::Clock;
use crate::report::{View, words};
use crate::solve::{ChildSolver, Monitor};

/// Plan every vehicle, battery and flexible load of a site.
///
/// Prints what the plan costs, and how much cheaper any plan can be at most. Ctrl-C stops the search and hands out the
/// best plan so far; a second Ctrl-C gives up.
///
/// Exit codes: 0 planned; 1 no plan, or an internal fault; 2 input that cannot be used.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The planning instance, a JSON file; - for standard input.
    #[arg(value_name = "INSTANCE.json")]
    instance: PathBuf,
    /// Where the plan goes, a JSON file; - for standard output. Without it the summary is all there is.
    #[arg(long, value_name = "PLAN.json")]
    out: Option<PathBuf>,
    /// Stop once the plan is proven to be within this fraction of the flexible cost of the best one.
    #[arg(long, value_name = "FRACTION", default_value = "0.001", value_parser = fraction, allow_hyphen_values = true)]
    gap: f64,
    /// Hand out the best plan so far after this many seconds.
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds, allow_hyphen_values = true)]
    time_limit: Duration,
    /// The plan in force, to stay close to.
    #[arg(long, value_name = "PLAN.json")]
    previous: Option<PathBuf>,
    /// How to solve.
    #[arg(long, value_enum, default_value_t = MethodName::Auto)]
    method: MethodName,
    #[command(flatten)]
    extras: extras::Extras,
    /// Print the summary as one JSON object.
    #[arg(long)]
    json: bool,
    /// Show no progress and print no table.
    #[arg(long)]
    quiet: bool,
}

/// A method, as it is named on the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum MethodName {
    /// Decomposition; the exact model as well where the site is small and the gap stays open.
    Auto,
    /// Decomposition by vehicle alone.
    Decomposition,
    /// One mixed-integer model of the whole site alone.
    Exact,
}

impl From<MethodName> for Method {
    fn from(name: MethodName) -> Self {
        match name {
            MethodName::Auto => Method::Auto,
            MethodName::Decomposition => Method::Decomposition,
            MethodName::Exact => Method::Exact,
        }
    }
}

/// Reads, plans, writes, summarises.
pub fn run(args: &Args) -> Result<Verdict, Failure> {
    input::one_dash(&[Some(&args.instance), args.previous.as_ref()])?;
    let instance = input::instance(&args.instance)?;
    let previous = args.previous.as_deref().map(input::plan).transpose()?;
    let places =
        Places::prepare(args.out.as_deref(), &args.extras, &args.instance, args.previous.as_deref(), args.json)?;

    let settings = Settings { gap: args.gap, time_limit: args.time_limit, method: args.method.into(), previous };
    let monitor = Monitor::begin(!args.quiet).map_err(|fault| Failure::Internal(fault.to_string()))?;
    let planned = plan(&instance, &settings, &monitor, &ChildSolver::of_this_program(&monitor));
    let outcome = match planned {
        Ok(outcome) => outcome,
        Err(fault) => {
            monitor.finish();
            return Err(fault.into());
        }
    };

    if let Some(destination) = &places.out {
        let mut content = serde_json::to_vec(&outcome.plan).map_err(|fault| Failure::Internal(fault.to_string()))?;
        content.push(b'\n');
        destination.write(&content)?;
    }
    let explained = places
        .explained(&args.extras)
        .then(|| extras::explained(&instance, &outcome.plan, &settings, &monitor, args.extras.explain));
    monitor.finish();
    let (explanation, notes) = explained.unzip();
    let notes = notes.unwrap_or_default();
    if args.quiet && !args.json && explanation.is_none() && !places.report() {
        return Ok(Verdict::Fine);
    }
    let tz = args.extras.zone(&instance);
    let clock = Clock::of(&instance, tz);
    let equal_share = baseline(&instance, Baseline::EqualShare);
    let comparison = Comparison::of(&instance, &outcome.plan, &equal_share);
    if places.report() {
        let after = (&outcome.plan, &comparison.plan);
        let before = (&equal_share, &comparison.equal_share);
        let view = View::of(&instance, after, before, clock.clone(), &title(&instance, &args.instance));
        places.write(&view, &comparison, explanation.as_ref(), &notes)?;
    }

    let mut summary = Summary::of(&instance, &outcome, comparison);
    let explanation = explanation.filter(|_| args.extras.explain);
    if args.json {
        summary.remarks.extend(notes);
        summary.explanation = explanation;
        output::print_json(&summary)?;
        return Ok(Verdict::Fine);
    }
    let mut text = String::new();
    if !args.quiet {
        text.push_str(&summary.text(&instance, &clock, places.out.as_ref()));
        text.push_str(&places.notes());
    }
    if let Some(explanation) = &explanation {
        text.push_str(&words::explanation(&instance, explanation, tz));
        for note in &notes {
            let _ = writeln!(text, "Note: {note}");
        }
    }
    if places.take_stdout() {
        output::note(&text);
    } else {
        output::print(&text)?;
    }
    Ok(Verdict::Fine)
}

/// What a report is called: by the site's name, or by that of the instance's file.
fn title(instance: &Instance, path: &Path) -> String {
    let file = path.file_stem().filter(|_| !input::is_dash(path)).map(|name| name.to_string_lossy().into_owned());
    let name = instance.name.clone().or(file).unwrap_or_default();
    if name.is_empty() { "Charging plan".to_owned() } else { format!("Charging plan for {name}") }
}

/// Reads a gap: a fraction from 0 to 1.
pub fn fraction(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        Ok(value) if value > 1.0 && value <= 100.0 => {
            Err(format!("a fraction from 0 to 1 is wanted; for {value} % write {}", value / 100.0))
        }
        _ => Err("a fraction from 0 to 1 is wanted, such as 0.001 for 0.1 %".to_owned()),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let wanted = || "a number of seconds, 0 or more, is wanted, such as 60 or 0.5".to_owned();
    let value = text.parse::<f64>().map_err(|_| wanted())?;
    Duration::try_from_secs_f64(value).map_err(|_| wanted())
}
