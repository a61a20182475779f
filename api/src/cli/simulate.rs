//! `kwartier simulate`.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use comfy_table::{CellAlignment, Table};
use kwartier_data::local;
use kwartier_engine::plant::judge::Class;

use super::failure::Failure;
use super::output::{self, Destination};
use super::span;
use super::summary::table;
use super::{Verdict, input};
use crate::report::number::{eur, grouped, percent};
use crate::simulate::{self, FaultEffect, Outcome, Play, Summary};
use crate::solve::Monitor;

/// How many vehicles, findings and faults the text names.
const LISTED: usize = 10;

/// How many steps the progress has.
const PROGRESS: usize = 1000;

/// What stands below the options.
const AFTER_HELP: &str = "\
The folder gets summary.json and trace.parquet; with --seeds, a folder each. The same scenario, seed and version give the \
same files, bit for bit. docs/formats/scenario.md describes scenarios, docs/simulation.md what is simulated and what the \
summary says.

Ctrl-C stops and leaves what there is up to then.

Exit codes: 0 played, and no limit was broken; 1 a limit was broken, or an internal fault; 2 input that cannot be used.";

/// Simulate a depot under a virtual clock: vehicles, stations, meters, prices, planner, load management, and what breaks.
///
/// Prints what was paid, who left with less than was possible, how near every fuse came, and what each fault did.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command")]
pub struct Args {
    /// The scenario, a TOML file.
    #[arg(value_name = "SCENARIO.toml", required_unless_present = "schema")]
    scenario: Option<PathBuf>,
    /// Decides everything that is left to chance.
    #[arg(long, value_name = "N", default_value = "1", conflicts_with = "seeds")]
    seed: u64,
    /// Several seeds, first and last, one after the other.
    #[arg(long, value_name = "A..B", value_parser = seeds)]
    seeds: Option<(u64, u64)>,
    /// A folder for the results; it is made where it is not there.
    #[arg(long, value_name = "DIR", required_unless_present = "schema")]
    out: Option<PathBuf>,
    /// Play no twin without faults beside it: half the time, but nobody knows then what energy the faults cost.
    #[arg(long)]
    no_twin: bool,
    /// A setting instead of the scenario's, such as planner=none; may be given several times.
    #[arg(long, value_name = "KEY=VALUE", value_parser = span::pair)]
    set: Vec<(String, String)>,
    /// Print the summary as one JSON object; with --seeds, as a list of them.
    #[arg(long)]
    json: bool,
    /// Show no progress and print no table.
    #[arg(long)]
    quiet: bool,
    /// Print the JSON schema of scenario files instead, for editors and programs that write them.
    #[arg(long, exclusive = true)]
    schema: bool,
}

/// The places of a run's results.
struct Places {
    summary: Destination,
    trace: Destination,
}

/// Reads, plays, writes, summarises.
pub fn run(args: &Args) -> Result<Verdict, Failure> {
    let (Some(scenario), Some(out)) = (&args.scenario, &args.out) else {
        output::print_json(&simulate::schema())?;
        return Ok(Verdict::Fine);
    };
    let play = Play::read(scenario, &args.set)?;
    let (first, last) = args.seeds.unwrap_or((args.seed, args.seed));
    let places = (first..=last).map(|seed| {
        let folder = if args.seeds.is_some() { out.join(format!("seed-{seed}")) } else { out.clone() };
        Places::prepare(&folder, scenario)
    });
    let places = places.collect::<Result<Vec<_>, _>>()?;
    let monitor =
        Monitor::begin_counted(!args.quiet, "thousandths").map_err(|fault| Failure::Internal(fault.to_string()))?;
    let runs = places.len();
    let mut summaries: Vec<Summary> = Vec::new();
    let mut text = String::new();
    for (k, (seed, places)) in (first..=last).zip(&places).enumerate() {
        let began = Instant::now();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a thousand")]
        let progress = |done: f64| monitor.count(k * PROGRESS + (done * PROGRESS as f64) as usize, runs * PROGRESS);
        let played = play.run(seed, !args.no_twin, &monitor, &progress);
        let outcome = match played {
            Ok(outcome) => outcome,
            Err(failure) => {
                monitor.finish();
                return Err(failure);
            }
        };
        places.write(&outcome)?;
        let speed = (outcome.summary.until - outcome.summary.start).as_seconds_f64() / began.elapsed().as_secs_f64();
        if runs == 1 {
            text = one(&play, &outcome, out);
            let _ = writeln!(text, "{} simulated seconds a second", grouped(speed, 0));
        }
        let stopped = outcome.summary.stopped;
        summaries.push(outcome.summary);
        if stopped {
            break;
        }
    }
    monitor.finish();
    let broken = summaries.iter().any(|summary| summary.judged.broken > 0);
    if args.json {
        match summaries.as_slice() {
            [summary] if args.seeds.is_none() => output::print_json(summary)?,
            summaries => output::print_json(&summaries)?,
        }
    } else if !args.quiet {
        if runs > 1 {
            text = many(&play, &summaries);
        }
        output::print(&text)?;
    }
    Ok(if broken { Verdict::Broken } else { Verdict::Fine })
}

impl Places {
    /// Makes the folder, and sees that it can be written to.
    fn prepare(folder: &Path, scenario: &Path) -> Result<Places, Failure> {
        if input::is_dash(folder) {
            let what = "--out wants a folder: there are two files to write; --json prints the summary";
            return Err(Failure::Arguments(what.to_owned()));
        }
        fs::create_dir_all(folder).map_err(|fault| Failure::Unwritable {
            name: folder.display().to_string(),
            why: fault.to_string(),
            remedy: "name a folder, or one that can be made",
        })?;
        let scenario = scenario.to_owned();
        let place = |name: &str| Destination::apart("--out", &folder.join(name), std::iter::once(&scenario));
        Ok(Places { summary: place("summary.json")?, trace: place("trace.parquet")? })
    }

    fn write(&self, outcome: &Outcome) -> Result<(), Failure> {
        let json = serde_json::to_string_pretty(&outcome.summary);
        let json = json.map_err(|fault| Failure::Internal(fault.to_string()))?;
        self.trace.write(&outcome.trace)?;
        self.summary.write(format!("{json}\n").as_bytes())
    }
}

/// One run in words.
fn one(play: &Play, outcome: &Outcome, out: &Path) -> String {
    let (summary, zone) = (&outcome.summary, outcome.zone);
    let mut text = head(play, summary, zone);
    let bill = &summary.bill;
    let _ = writeln!(
        text,
        "paid {}: {} for {} kWh imported, {} for {} kWh fed in, {} for a peak of {} kW",
        eur(bill.total_eur),
        eur(bill.import_eur),
        grouped(bill.import_kwh, 1),
        eur(bill.export_eur),
        grouped(bill.export_kwh, 1),
        eur(bill.peak_eur),
        grouped(bill.peak_kw, 1)
    );
    let vehicles = &summary.vehicles;
    let _ = writeln!(
        text,
        "{} vehicles came, {} left, {} of them with what was possible; all got {} kWh, {:.1} starts each",
        vehicles.came,
        vehicles.left,
        percent(vehicles.served, 1),
        grouped(vehicles.got_kwh, 1),
        vehicles.starts[0]
    );
    text.push_str(&missed(summary, zone));
    let _ = writeln!(text, "\n{}", boards(summary, zone));
    text.push_str(&judged(summary));
    if !summary.faults.is_empty() {
        let _ = writeln!(text, "\n{}", faults(&summary.faults, zone));
    }
    for note in &summary.notes {
        let _ = writeln!(text, "Note: {note}");
    }
    let _ = writeln!(
        text,
        "{} plans, {} setpoints; trace {}; the results are in {}",
        summary.plans[0],
        summary.setpoints[0],
        summary.trace_hash.get(..16).unwrap_or_default(),
        out.display()
    );
    text
}

fn head(play: &Play, summary: &Summary, zone: Tz) -> String {
    let (name, about) = play.name();
    let mut text = format!(
        "{name}, seed {}, {} to {}{}\n",
        summary.seed,
        local::shown(zone, summary.start),
        local::shown(zone, summary.until),
        if summary.stopped { ", stopped there" } else { "" }
    );
    if !about.is_empty() {
        let _ = writeln!(text, "{about}");
    }
    text
}

fn missed(summary: &Summary, zone: Tz) -> String {
    let mut text = String::new();
    let all = &summary.vehicles.missed;
    for missed in all.iter().take(LISTED) {
        let _ = writeln!(
            text,
            "  {} left {} at {} with {:.1} of {:.1} kWh; {:.1} were possible",
            missed.stay,
            missed.station,
            clock(missed.left, zone),
            missed.got_kwh,
            missed.needed_kwh,
            missed.possible_kwh
        );
    }
    if all.len() > LISTED {
        let _ = writeln!(text, "  and {} more", all.len() - LISTED);
    }
    text
}

fn boards(summary: &Summary, zone: Tz) -> Table {
    let mut shown = table();
    shown.set_header(["board", "L1", "L2", "L3", "of limit", "when", "imbalance"]);
    for board in &summary.boards {
        let nearest = board.phases.iter().max_by(|a, b| a.share.total_cmp(&b.share));
        let limit = board.imbalance_limit_a.map_or(String::new(), |limit| format!(" of {limit:.0}"));
        let [l1, l2, l3] = board.phases.map(|phase| format!("{:.1}", phase.max_a));
        shown.add_row([
            board.id.clone(),
            l1,
            l2,
            l3,
            nearest.map_or(String::new(), |phase| percent(phase.share, 1)),
            nearest.and_then(|phase| phase.at).map_or(String::new(), |at| clock(at, zone)),
            format!("{:.1}{limit}", board.imbalance_a),
        ]);
    }
    for column in 1..5 {
        if let Some(column) = shown.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    shown
}

fn judged(summary: &Summary) -> String {
    let judged = &summary.judged;
    let mut text = match judged.broken {
        0 => "no limit was broken".to_owned(),
        1 => "1 limit was broken".to_owned(),
        count => format!("{count} limits were broken"),
    };
    let class = |class: &Class| format!("{:.3} at priority {} ({} limited)", class.jain, class.priority, class.limited);
    let fairness: Vec<String> = judged.fairness.iter().map(class).collect();
    if !fairness.is_empty() {
        let _ = write!(text, "; fairness (Jain) {}", fairness.join(", "));
    }
    text.push('\n');
    for finding in judged.words.iter().take(LISTED) {
        let _ = writeln!(text, "  {finding}");
    }
    if judged.words.len() > LISTED {
        let _ = writeln!(text, "  and {} more in summary.json", judged.words.len() - LISTED);
    }
    text
}

fn faults(all: &[FaultEffect], zone: Tz) -> Table {
    let mut shown = table();
    shown.set_header(["fault", "from", "until", "nearest limit", "setpoints", "kWh lost", "as usual after"]);
    for fault in all.iter().take(3 * LISTED) {
        let nearest = fault.during.iter().chain(&fault.after).max_by(|a, b| a.over_a.total_cmp(&b.over_a));
        let nearest = nearest.map_or(String::new(), |at| format!("{} {} {:+.1} A", at.board, at.phase, at.over_a));
        shown.add_row([
            fault.what.clone(),
            clock(fault.from, zone),
            clock(fault.until, zone),
            nearest,
            fault.setpoints.to_string(),
            fault.energy_lost_kwh.map_or(String::new(), |kwh| format!("{kwh:.1}")),
            fault.normal_after_s.map_or("never".to_owned(), |s| format!("{s:.0} s")),
        ]);
    }
    if all.len() > 3 * LISTED {
        shown.add_row([format!("and {} more", all.len() - 3 * LISTED)]);
    }
    shown
}

/// Several runs in a table.
fn many(play: &Play, summaries: &[Summary]) -> String {
    let (name, about) = play.name();
    let mut shown = table();
    shown.set_header(["seed", "paid", "peak kW", "kWh", "served", "nearest fuse", "broken", "trace"]);
    for summary in summaries {
        let nearest = summary.boards.iter().flat_map(|board| board.phases.iter().map(|phase| phase.share));
        shown.add_row([
            summary.seed.to_string(),
            eur(summary.bill.total_eur),
            grouped(summary.bill.peak_kw, 1),
            grouped(summary.vehicles.got_kwh, 1),
            percent(summary.vehicles.served, 1),
            percent(nearest.fold(0.0, f64::max), 1),
            summary.judged.broken.to_string(),
            summary.trace_hash.get(..16).unwrap_or_default().to_owned(),
        ]);
    }
    let about = if about.is_empty() { String::new() } else { format!("{about}\n") };
    format!("{name}\n{about}{shown}\n")
}

/// A day of the month and a time, by the site's clock.
fn clock(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%d. %H:%M:%S").to_string()
}

fn seeds(text: &str) -> Result<(u64, u64), String> {
    let wanted = || "first and last seed are wanted, such as 1..50".to_owned();
    let (first, last) = text.split_once("..").ok_or_else(wanted)?;
    let (first, last) = (first.trim().parse().map_err(|_| wanted())?, last.trim().parse().map_err(|_| wanted())?);
    if first > last || last - first >= 100_000 { Err(wanted()) } else { Ok((first, last)) }
}
