//! `kwartier forecast sessions`.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use kwartier_data::forecast::LEVELS;
use kwartier_data::sessions::{Kind, SessionRow};
use kwartier_forecast::sessions::{Log, Model, Outcome, Salt, Visit};

use super::quarters::number;
use crate::cli::failure::Failure;
use crate::cli::input::{self, is_dash};
use crate::cli::output::Destination;
use crate::cli::sessions::LogArgs;
use crate::cli::span::When;
use crate::cli::{Verdict, output};

/// What stands below the options.
pub const AFTER_HELP: &str = "\
The forecast is CSV with a row for each arrival: session,arrival,departure_mean,departure_q05 ... departure_q95,kwh_mean,\
kwh_q05 ... kwh_q95; times in UTC. Each is forecast from the sessions that had ended when it arrived, or by --now where \
that is given: then those who came before are known to be still here.

Exit codes: 0 forecast; 1 an internal fault; 2 input that cannot be used.";

/// Names are hashed even where the hashes are gone when the process is.
const ONE_RUN: &[u8] = b"one run";

/// What to forecast, from what, and where to.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    log: LogArgs,
    /// Who arrived: `session,arrival[,vehicle,driver,group,station,stated_departure,stated_kwh,kwh]`.
    #[arg(long, value_name = "FILE")]
    arrivals: PathBuf,
    /// What is known ends here; vehicles that arrived before are still here.
    #[arg(long, value_name = "TIME", value_parser = When::parse)]
    now: Option<When>,
    /// Where the forecast goes, a CSV file; without it, or with -, to standard output.
    #[arg(long, value_name = "FORECAST.csv")]
    out: Option<PathBuf>,
}

/// Reads, fits, forecasts, writes.
pub fn run(args: &Args) -> Result<Verdict, Failure> {
    input::one_dash(&[args.log.history.as_ref(), Some(&args.arrivals)])?;
    let place = Destination::prepare(args.out.as_deref().unwrap_or(Path::new("-")))?;
    let files = args.log.history.iter().chain([&args.arrivals]).filter(|path| !is_dash(path));
    if let Some(input) = files.into_iter().find(|input| place.is(input)) {
        let what = format!("--out {} is one of the files to read; name another file", input.display());
        return Err(Failure::Arguments(what));
    }
    let now = args.now.map(|now| now.at(args.log.tz)).transpose();
    let now = now.map_err(|wrong| Failure::Arguments(format!("--now {wrong}")))?;
    let arrivals = args.log.read(&args.arrivals, Kind::Arrivals)?;
    let history = args.log.history.as_deref().map(|path| args.log.read(path, Kind::History)).transpose()?;
    let mut notes = arrivals.notes;
    if let (_, true) = args.log.zone() {
        notes.push("hours of the day are those of UTC; name the site's zone with --tz".to_owned());
    }
    let salt = Salt::new(ONE_RUN);
    let log = if let Some(history) = history {
        notes.extend(history.notes);
        Log::new(history.rows.iter().map(|row| Visit::of(row, &salt)))
    } else {
        notes.push("there is no history: what is forecast is usual at such places".to_owned());
        Log::default()
    };
    let forecast = forecast(&log, &arrivals.rows, args, &salt, now);
    for note in &notes {
        output::note(&format!("note: {note}\n"));
    }
    place.write(forecast.as_bytes())?;
    Ok(Verdict::Fine)
}

/// The forecast of each arrival, as CSV.
fn forecast(log: &Log, arrivals: &[SessionRow], args: &Args, salt: &Salt, now: Option<DateTime<Utc>>) -> String {
    let mut text = header();
    let first = arrivals.iter().map(|row| row.arrival).min();
    let last = arrivals.iter().map(|row| row.arrival).max();
    let (Some(first), Some(last)) = (first, last) else { return text };
    // Fitted on what had ended before any of them came; each is forecast from what had ended when it came itself.
    let model = Model::fit(log.as_of(now.unwrap_or(first)), args.log.site(), &salt.id());
    let ready = model.ready_on(log.as_of(now.unwrap_or(last)));
    for row in arrivals {
        let visit = Visit { departure: None, kwh: None, ..Visit::of(row, salt) };
        let outcome = match now.filter(|now| *now > row.arrival) {
            Some(now) => ready.still_here(&visit, now, row.kwh),
            None => ready.at_arrival(&visit),
        };
        line(&mut text, row, &outcome);
    }
    text
}

fn header() -> String {
    let mut text = "session,arrival".to_owned();
    for what in ["departure", "kwh"] {
        let _ = write!(text, ",{what}_mean");
        for level in LEVELS {
            let _ = write!(text, ",{what}_q{:02.0}", 100.0 * level);
        }
    }
    text.push('\n');
    text
}

fn line(text: &mut String, row: &SessionRow, outcome: &Outcome) {
    let stamp = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let _ = write!(text, "{},{},{}", cell(&row.session), stamp(row.arrival), stamp(outcome.mean_departure()));
    for departure in outcome.departures() {
        let _ = write!(text, ",{}", stamp(departure));
    }
    let _ = write!(text, ",{}", number(outcome.kwh.mean));
    for kwh in outcome.kwh.quantiles {
        let _ = write!(text, ",{}", number(kwh));
    }
    text.push('\n');
}

/// A name as a cell of CSV.
fn cell(name: &str) -> String {
    if name.contains([',', '"', '\n', '\r']) { format!("\"{}\"", name.replace('"', "\"\"")) } else { name.to_owned() }
}
