//! `kwartier backtest load`, `pv` and `price`.

use std::fmt::Write;
use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use kwartier_data::forecast::{Belief, LEVELS};
use kwartier_data::local;
use kwartier_forecast::backtest::drift::{self, Verdict as Judgement};
use kwartier_forecast::backtest::{self, Entrant, Origins, Report, Run, Scale, Settings};
use serde::Serialize;

use super::table;
use crate::cli::failure::Failure;
use crate::cli::forecast::quarters::{Quarters, measured, number};
use crate::cli::history::{HistoryArgs, Kind, Known, Shown};
use crate::cli::input::is_dash;
use crate::cli::methods::Methods;
use crate::cli::output::Destination;
use crate::cli::span::{self, When};
use crate::cli::{Verdict, output};
use crate::report::backtest as picture;
use crate::report::fan::Fan;
use crate::solve::Monitor;

/// Without --from, the backtest is over this share of the history, its last.
const LAST_SHARE: i32 = 4;

/// Without --from, the backtest is no longer than this: a quarter of a year, in which fits and forecasts of a year of
/// history take minutes, not hours.
const LONGEST: TimeDelta = TimeDelta::days(91);

/// How much of what was measured the example shows before the forecast.
const SHOWN_BEFORE: usize = 96;

/// What stands below the options.
pub const AFTER_HELP: &str = "\
Errors in the table are in % of the mean of the absolute truth, for PV of the peak; losses are the mean pinball loss over \
the quantiles 5, 10, 25, 50, 75, 90 and 95 %; skill is by how much the loss is below that of last week. Ctrl-C scores what \
is done so far; a second one gives up.

Exit codes: 0 scored; 1 an internal fault; 2 input that cannot be used.";

/// What to score, over which span, and where to.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    history: HistoryArgs,
    /// The first forecast is made no earlier; without it, the last quarter of the history is scored, 91 days at most.
    #[arg(long, value_name = "TIME", value_parser = When::parse)]
    from: Option<When>,
    /// The last forecast is made before this; without it, before the end of the history.
    #[arg(long, value_name = "TIME", value_parser = When::parse)]
    until: Option<When>,
    /// When forecasts are made: every so long, or at these local times of day.
    #[arg(long, value_name = "LENGTH|HH:MM,...", default_value = "00:00", value_parser = span::times)]
    every: Origins,
    /// How far ahead each forecast goes.
    #[arg(long, value_name = "LENGTH", default_value = "48h", value_parser = span::length)]
    horizon: TimeDelta,
    /// How often methods are fitted anew.
    #[arg(long, value_name = "LENGTH", default_value = "7d", value_parser = span::length)]
    refit: TimeDelta,
    /// Print the scores as one JSON object.
    #[arg(long)]
    json: bool,
    /// Draw an example, how reliable the bands are, and losses by hours ahead, as SVG.
    #[arg(long, value_name = "CHART.svg")]
    chart: Option<PathBuf>,
    /// Write every forecast with its truth, a CSV file.
    #[arg(long, value_name = "FORECASTS.csv")]
    out: Option<PathBuf>,
    /// Show no progress.
    #[arg(long)]
    quiet: bool,
}

/// What was scored and how good it is.
#[derive(Debug, Serialize)]
struct Summary<'a> {
    kind: &'static str,
    history: String,
    unit: Shown,
    time_zone: &'static str,
    horizon_hours: f64,
    refit_days: f64,
    #[serde(flatten)]
    report: &'a Report,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<&'a Judgement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    said: Option<String>,
    notes: &'a [String],
}

/// Reads, runs, scores, prints.
pub fn run(args: &Args, kind: Kind) -> Result<Verdict, Failure> {
    args.history.one_dash()?;
    if args.history.history.is_none() {
        let what = "a backtest needs a history: what was measured, named with --history";
        return Err(Failure::Arguments(what.to_owned()));
    }
    let [out, chart] = places(args)?;
    let (known, end) = args.history.read(kind, None)?;
    let settings = settings(args, &known, end)?;
    // No forecast may be helped by what is known after the first.
    let mut known = known.clean(kind, settings.from);
    let notes = std::mem::take(&mut known.notes);
    let methods = Methods::of(kind, &known);
    let mut entrants = vec![Entrant { method: &*methods.model, baseline: false }];
    entrants.extend(methods.baselines.iter().map(|method| Entrant { method: &**method, baseline: true }));
    let monitor =
        Monitor::begin_counted(!args.quiet, "forecasts").map_err(|fault| Failure::Internal(fault.to_string()))?;
    let run = backtest::run(&known.history, &entrants, &settings, &monitor);
    monitor.finish();
    let scale = if kind == Kind::Pv { Scale::Given(peak(&known)) } else { Scale::MeanTruth };
    let report = backtest::score(&known.history, &run, scale, methods.reference());
    if report.methods.is_empty() {
        let why = report.left_out.iter().map(|out| format!("{}: {}", out.name, out.why)).collect::<Vec<_>>();
        return Err(Failure::Unfit { what: "there is nothing to score".to_owned(), findings: why.join("\n") });
    }
    let shown = in_unit(report, known.unit);
    let verdict = drift::judge(&shown, methods.model.name());
    if let Some(place) = &out {
        place.write(forecasts(&known, &run).as_bytes())?;
    }
    if let Some(place) = &chart {
        place.write(draw(args, kind, &known, &run, &shown, verdict.as_ref())?.as_bytes())?;
    }
    output::notes(&notes);
    let summary = Summary {
        kind: kind.name(),
        history: args.history.name(),
        unit: known.unit,
        time_zone: known.history.as_of(end).zone().name(),
        horizon_hours: args.horizon.num_minutes() as f64 / 60.0,
        refit_days: args.refit.num_minutes() as f64 / 1440.0,
        report: &shown,
        said: verdict.as_ref().map(ToString::to_string),
        verdict: verdict.as_ref(),
        notes: &notes,
    };
    if args.json {
        output::print_json(&summary)?;
    } else {
        output::print(&summary.text(kind))?;
    }
    Ok(Verdict::Fine)
}

/// The place of the forecasts, and that of the chart.
fn places(args: &Args) -> Result<[Option<Destination>; 2], Failure> {
    let mut places = [None, None];
    for (k, (option, path)) in [("--out", &args.out), ("--chart", &args.chart)].into_iter().enumerate() {
        let Some(path) = path else { continue };
        let place = Destination::prepare(path)?;
        if is_dash(path) {
            let what = format!("{option} - and the scores both want standard output; name a file for {option}");
            return Err(Failure::Arguments(what));
        }
        let other = places.iter().flatten().any(|other: &Destination| place.same(other));
        if other || args.history.files().any(|input| place.is(input)) {
            let what = format!("{option} {} is read or written already; name another file", path.display());
            return Err(Failure::Arguments(what));
        }
        places[k] = Some(place);
    }
    Ok(places)
}

/// The span and the origins.
fn settings(args: &Args, known: &Known, end: DateTime<Utc>) -> Result<Settings, Failure> {
    let zone = args.history.tz;
    let series = known.history.truth();
    let until = span::instant("--until", args.until, zone)?.unwrap_or(end);
    let from = span::instant("--from", args.from, zone)?
        .unwrap_or_else(|| until - ((until - series.start) / LAST_SHARE).min(LONGEST));
    let settings = Settings { from, until, origins: args.every.clone(), horizon: args.horizon, refit: args.refit };
    let origins = settings.origins.between(zone.unwrap_or(Tz::UTC), from, until);
    if origins.is_empty() || from < series.start || from >= end {
        let shown = |at| local::shown(zone.unwrap_or(Tz::UTC), at);
        let what = format!(
            "no forecast falls between {} and {}; the history reaches from {} to {}",
            shown(from),
            shown(until),
            shown(series.start),
            shown(end)
        );
        return Err(Failure::Arguments(what));
    }
    Ok(settings)
}

/// The peak of a plant: as it is said, else the most it ever delivered.
fn peak(known: &Known) -> f64 {
    known.peak_kw.unwrap_or_else(|| known.history.truth().values.iter().flatten().copied().fold(0.0, f64::max))
}

/// The report with its losses in the unit that is shown.
fn in_unit(mut report: Report, unit: Shown) -> Report {
    report.scale = unit.value(report.scale);
    for method in &mut report.methods {
        for scores in method.lead_days.iter_mut().chain([&mut method.all]) {
            for value in
                [&mut scores.mae, &mut scores.rmse, &mut scores.pinball, &mut scores.crps, &mut scores.width_80]
            {
                *value = unit.value(*value);
            }
        }
        method.lead_hours.iter_mut().for_each(|hour| hour.pinball = unit.value(hour.pinball));
        method.days.iter_mut().for_each(|day| day.pinball = unit.value(day.pinball));
    }
    report
}

/// Every forecast with its truth, as CSV.
fn forecasts(known: &Known, run: &Run) -> String {
    let mut text = "method,origin,start,truth,mean".to_owned();
    for level in LEVELS {
        let _ = write!(text, ",q{:02.0}", 100.0 * level);
    }
    text.push('\n');
    let series = known.history.truth();
    let stamp = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    for trial in &run.trials {
        for (origin, horizon) in run.horizons.iter().enumerate() {
            for step in 0..horizon.steps {
                let Some(belief) = trial.belief(origin, step) else { continue };
                let start = horizon.start + series.step * i32::try_from(step).unwrap_or(i32::MAX);
                let truth = series.mean(start, start + series.step).map(|truth| number(known.unit.value(truth)));
                let _ = write!(
                    text,
                    "{},{},{},{},{}",
                    trial.name,
                    stamp(run.origins[origin]),
                    stamp(start),
                    truth.unwrap_or_default(),
                    number(known.unit.value(belief.mean))
                );
                for quantile in belief.quantiles {
                    let _ = write!(text, ",{}", number(known.unit.value(quantile)));
                }
                text.push('\n');
            }
        }
    }
    text
}

fn draw(
    args: &Args,
    kind: Kind,
    known: &Known,
    run: &Run,
    report: &Report,
    verdict: Option<&Judgement>,
) -> Result<String, Failure> {
    let title = format!("{} backtest {}", kind.title(), args.history.name());
    let summary = verdict.map(ToString::to_string).unwrap_or_default();
    let unit = known.unit;
    let zone = known.history.as_of(run.origins[0]).zone();
    let series = known.history.truth();
    let in_unit = |mut values: Vec<Option<f64>>| {
        values.iter_mut().flatten().for_each(|value| *value = unit.value(*value));
        values
    };
    let example = typical(report, run).and_then(|origin| {
        let (at, horizon) = (run.origins[origin], run.horizons[origin]);
        let beliefs = run.trials.first()?.beliefs.get(origin)?.as_ref()?;
        let quarters = Quarters::of(beliefs, horizon, series.step, at, args.horizon);
        let all = |belief: &Option<Belief>| belief.map(|belief| belief.map(|value| unit.value(value)));
        let beliefs: Vec<Belief> = quarters.beliefs.iter().map_while(all).collect();
        let start = quarters.start - TimeDelta::minutes(15) * i32::try_from(SHOWN_BEFORE).unwrap_or(0);
        let before = in_unit(measured(series, start, SHOWN_BEFORE));
        let after = in_unit(measured(series, quarters.start, beliefs.len()));
        (!beliefs.is_empty()).then_some((at, quarters.start, beliefs, before, after))
    });
    let fan = example.as_ref().map(|(made_at, start, beliefs, before, after)| Fan {
        title: "A forecast like most: its loss is the median of all",
        unit: unit.name,
        zone,
        made_at: *made_at,
        start: *start,
        beliefs,
        before,
        after,
    });
    let drawn = picture::svg(report, title.trim(), unit.name, fan.as_ref(), &summary);
    drawn.map_err(|fault| Failure::Internal(fault.to_string()))
}

/// The origin whose loss is the median of all of the model's.
fn typical(report: &Report, run: &Run) -> Option<usize> {
    let model = report.methods.first()?;
    let mut days: Vec<_> = model.days.iter().collect();
    days.sort_by(|a, b| a.pinball.total_cmp(&b.pinball));
    let origin = days.get(days.len() / 2)?.origin;
    run.origins.iter().position(|at| *at == origin)
}

impl Summary<'_> {
    fn text(&self, kind: Kind) -> String {
        let zone: Tz = local::zone(self.time_zone).unwrap_or(Tz::UTC);
        let shown = |at: Option<DateTime<Utc>>| at.map(|at| local::shown(zone, at)).unwrap_or_default();
        let mut text = format!(
            "{} {}: {} forecasts of {} h from {} to {}, {}\n",
            kind.title(),
            self.history,
            self.report.origins,
            number(self.horizon_hours),
            shown(self.report.first_origin),
            shown(self.report.last_origin),
            self.time_zone,
        );
        if self.report.cancelled {
            text.push_str("Stopped early: these are the scores of what was done by then.\n");
        }
        let _ = writeln!(text, "{}", table::of(self.report, kind, self.unit.name));
        let _ = writeln!(text, "100 % is {} {}.", number(self.report.scale), self.unit.name);
        for left_out in &self.report.left_out {
            let _ = writeln!(text, "Left out: {} ({}).", left_out.name, left_out.why);
        }
        if let Some(said) = &self.said {
            let _ = writeln!(text, "{said}");
        }
        text
    }
}
