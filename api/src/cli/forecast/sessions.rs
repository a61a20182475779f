//! `kwartier forecast sessions`.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use kwartier_data::forecast::LEVELS;
use kwartier_data::sessions::{Kind, SessionRow};
use kwartier_forecast::sessions::{Log, Model, Outcome, Salt, Visit};

use super::kept;
use super::quarters::number;
use crate::cli::failure::Failure;
use crate::cli::input::{self, is_dash};
use crate::cli::output::Destination;
use crate::cli::sessions::LogArgs;
use crate::cli::span::{self, When};
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
    /// Use the model that --save-model wrote instead of fitting one; with --history, on what has come since.
    #[arg(long, value_name = "FILE", conflicts_with = "save_model")]
    model: Option<PathBuf>,
    /// Save the fitted model. It holds the sessions with names as hashes.
    #[arg(long, value_name = "FILE")]
    save_model: Option<PathBuf>,
    /// A file with the secret under which names in a saved model are hashed, 16 bytes or more. Keep it apart from the model.
    #[arg(long, value_name = "FILE")]
    salt_file: Option<PathBuf>,
}

/// Reads, fits, forecasts, writes.
pub fn run(args: &Args) -> Result<Verdict, Failure> {
    let optional = [&args.log.history, &args.model, &args.salt_file];
    let files: Vec<&PathBuf> = optional.into_iter().flatten().chain([&args.arrivals]).collect();
    input::one_dash(&files.iter().map(|&path| Some(path)).collect::<Vec<_>>())?;
    let read = || files.iter().copied().filter(|path| !is_dash(path));
    let place = Destination::apart("--out", args.out.as_deref().unwrap_or(Path::new("-")), read())?;
    let save = args.save_model.as_deref().map(|path| Destination::apart("--save-model", path, read())).transpose()?;
    if save.as_ref().is_some_and(|save| save.same(&place) || matches!(save, Destination::Stdout)) {
        return Err(Failure::Arguments("--save-model wants a file of its own; name another one".to_owned()));
    }
    let salt = match (&args.salt_file, args.model.is_some() || save.is_some()) {
        (Some(path), _) => kept::salt(path)?,
        (None, true) => return Err(kept::no_salt()),
        (None, false) => Salt::new(ONE_RUN),
    };
    let now = span::instant("--now", args.now, args.log.tz)?;
    let arrivals = args.log.read(&args.arrivals, Kind::Arrivals)?;
    let history = args.log.history.as_deref().map(|path| args.log.read(path, Kind::History)).transpose()?;
    let mut notes = arrivals.notes;
    let (_, unsaid) = args.log.zone();
    if unsaid && args.model.is_none() {
        notes.push("hours of the day are those of UTC; name the site's zone with --tz".to_owned());
    }
    let log = if let Some(history) = history {
        notes.extend(history.notes);
        Log::new(history.rows.iter().map(|row| Visit::of(row, &salt)))
    } else if args.model.is_some() {
        Log::default()
    } else {
        notes.push("there is no history: what is forecast is usual at such places".to_owned());
        Log::default()
    };
    // Fitted on what had ended before any of them came; each is forecast from what had ended when it came itself.
    let first = now.or_else(|| arrivals.rows.iter().map(|row| row.arrival).min());
    let Some(first) = first else {
        output::notes(&notes);
        place.write(header().as_bytes())?;
        return Ok(Verdict::Fine);
    };
    let model = match &args.model {
        Some(path) => kept::load(path, &salt, first)?,
        None => Model::fit(log.as_of(first), args.log.site(), &salt.id()),
    };
    // A model that is used without a history goes on from the log it holds.
    let log = if args.log.history.is_none() && args.model.is_some() { model.log() } else { &log };
    let forecast = forecast(&model, log, &arrivals.rows, &salt, now);
    output::notes(&notes);
    place.write(forecast.as_bytes())?;
    if let Some(save) = save {
        kept::save(&save, model)?;
    }
    Ok(Verdict::Fine)
}

/// The forecast of each arrival, as CSV.
fn forecast(model: &Model, log: &Log, arrivals: &[SessionRow], salt: &Salt, now: Option<DateTime<Utc>>) -> String {
    let mut text = header();
    let Some(last) = arrivals.iter().map(|row| row.arrival).max() else { return text };
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
