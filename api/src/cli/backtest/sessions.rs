//! `kwartier backtest sessions`.

use std::fmt::Write;

use comfy_table::{CellAlignment, Table};
use kwartier_data::local;
use kwartier_data::sessions::Kind;
use kwartier_forecast::sessions::backtest::{BacktestSettings, Predicted, ScoreRow, SessionsReport, backtest};
use kwartier_forecast::sessions::{Salt, Visit};

use crate::cli::failure::Failure;
use crate::cli::sessions::LogArgs;
use crate::cli::span::{self, When};
use crate::cli::summary::table;
use crate::cli::{Verdict, output};
use crate::solve::Monitor;

/// What stands below the options.
pub const AFTER_HELP: &str = "\
Each visit is forecast at its arrival, and again while it is still here, from the sessions that had ended by then. Loss is \
the mean pinball loss over the quantiles 5, 10, 25, 50, 75, 90 and 95 %; skill is by how much it is below that of own \
history shrunk to the group.

Exit codes: 0 scored; 1 an internal fault; 2 input that cannot be used.";

/// What to score, over which span.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    log: LogArgs,
    /// Arrivals before this are history alone; without it, the last quarter of the sessions is scored.
    #[arg(long, value_name = "TIME", value_parser = When::parse)]
    from: Option<When>,
    /// Arrivals from this on are left out.
    #[arg(long, value_name = "TIME", value_parser = When::parse)]
    until: Option<When>,
    /// How many days the model serves before it is fitted anew.
    #[arg(long, value_name = "DAYS", default_value = "7", value_parser = clap::value_parser!(u32).range(1..))]
    refit: u32,
    /// Print the scores as one JSON object.
    #[arg(long)]
    json: bool,
    /// Show no progress.
    #[arg(long)]
    quiet: bool,
}

/// Reads, runs, prints.
pub fn run(args: &Args) -> Result<Verdict, Failure> {
    let Some(path) = &args.log.history else {
        let what = "a backtest needs a history: the sessions that were, named with --history";
        return Err(Failure::Arguments(what.to_owned()));
    };
    let zone = args.log.tz;
    let (from, until) = (span::instant("--from", args.from, zone)?, span::instant("--until", args.until, zone)?);
    let file = args.log.read(path, Kind::History)?;
    let salt = Salt::new(b"backtest");
    let visits: Vec<Visit> = file.rows.iter().map(|row| Visit::of(row, &salt)).collect();
    let settings = BacktestSettings { site: args.log.site(), from, until, refit_days: args.refit };
    let monitor = Monitor::begin_counted(!args.quiet, "fits").map_err(|fault| Failure::Internal(fault.to_string()))?;
    let report = backtest(&visits, settings, &mut |done, all| monitor.count(done, all));
    monitor.finish();
    let report = report.map_err(|nothing| Failure::Arguments(format!("{}: {nothing}", path.display())))?;
    output::notes(&file.notes);
    if let (_, true) = args.log.zone() {
        output::note("note: hours of the day are those of UTC; name the site's zone with --tz\n");
    }
    if args.json {
        output::print_json(&report)?;
    } else {
        output::print(&text(&report, args))?;
    }
    Ok(Verdict::Fine)
}

fn text(report: &SessionsReport, args: &Args) -> String {
    let (zone, _) = args.log.zone();
    let shown = |at| local::shown(zone, at);
    let mut text = format!(
        "{} sessions that arrived from {} to {}, {}; {} fits\n",
        report.visits,
        shown(report.tested.0),
        shown(report.tested.1),
        zone.name(),
        report.fits
    );
    for (predicted, what) in [(Predicted::StayH, "stay, h"), (Predicted::Kwh, "energy, kWh")] {
        let rows: Vec<&ScoreRow> = report.rows.iter().filter(|row| row.predicted == predicted).collect();
        let _ = writeln!(text, "{}", scores(&rows, what));
    }
    text
}

fn scores(rows: &[&ScoreRow], what: &str) -> Table {
    let mut table = table();
    table.set_header([what, "when", "n", "MAE", "RMSE", "loss", "skill", "80 %", "below 10 %", "width 80 %"]);
    let mut last = String::new();
    for row in rows {
        let scores = &row.scores;
        let when = match (row.after_h, row.stated_only) {
            (after_h, _) if after_h > 0.0 => format!("still here after {after_h} h"),
            (_, true) => "at arrival, where stated".to_owned(),
            _ => "at arrival".to_owned(),
        };
        let percent = |share: Option<f64>| share.map_or_else(String::new, |share| format!("{:.0}", 100.0 * share));
        let plain = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.3}"));
        table.add_row([
            row.way.name().to_owned(),
            if when == last { String::new() } else { when.clone() },
            scores.n.to_string(),
            format!("{:.2}", scores.mae),
            format!("{:.2}", scores.rmse),
            plain(scores.pinball),
            row.skill.map_or_else(String::new, |skill| format!("{skill:+.2}")),
            percent(scores.coverage_80),
            percent(Some(scores.below_q10)),
            plain(scores.width_80),
        ]);
        last = when;
    }
    for column in 2..10 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}
