//! `kwartier chargers simulate`.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use indicatif::ProgressBar;
use reqwest::Url;

use super::super::failure::Failure;
use super::super::output::{self, Destination};
use super::super::{Verdict, span};
use super::quirks::Quirky;
use super::{fleet, shown};
use crate::chargers::fleet::faults::Rates;
use crate::serve;

/// How often a line is printed where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// How often the table on a terminal is drawn anew.
const TABLE_EVERY: Duration = Duration::from_secs(1);

/// What stands below the options.
const AFTER_HELP: &str = "\
Each station has a websocket of its own and obeys profiles as its edition of OCPP says, but for the quirks it is given. \
docs/chargers-simulate.md describes vehicles, quirks, faults and the summary.

Ctrl-C or SIGTERM ends the run in good order.

Exit codes: 0 it ran, and no limit was broken as far as limits are known; 1 a limit was broken, no station could connect, or \
an internal fault; 2 input that cannot be used.";

/// What stations speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Protocol {
    /// OCPP 1.6.
    #[value(name = "ocpp1.6")]
    V16,
    /// OCPP 2.0.1.
    #[value(name = "ocpp2.0.1")]
    V201,
    /// Every second one of each.
    Mixed,
}

/// Simulate charging stations that connect over real websockets, with vehicles, faults and quirks.
///
/// Prints how it goes while it runs, and in the end what was asked of the stations, how the boards fared, and how long it took
/// from a meter's overload to a lowered limit.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Args {
    /// Address of the central system, such as `ws://127.0.0.1:8080/ocpp`; each station's identity goes behind it.
    #[arg(value_name = "URL", value_parser = address)]
    pub url: Url,
    /// How many stations; with --site or --scenario, at most so many of theirs.
    #[arg(long, value_name = "N")]
    pub count: Option<usize>,
    /// What their identities begin with; a number follows.
    #[arg(long, value_name = "TEXT", default_value = "CP", conflicts_with_all = ["ids", "site", "scenario"])]
    pub prefix: String,
    /// Their identities: a file with one a line, or names with commas between.
    #[arg(long, value_name = "FILE|LIST", conflicts_with_all = ["site", "scenario"])]
    pub ids: Option<String>,
    /// The password of all; better in a file, as others on the machine see arguments.
    #[arg(long, value_name = "PASSWORD", conflicts_with = "password_file")]
    pub password: Option<String>,
    /// A file with the password of all, or with lines of identity, comma, password.
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// What they speak.
    #[arg(long, value_enum, default_value = "ocpp1.6")]
    pub protocol: Protocol,
    /// Decides everything that is left to chance.
    #[arg(long, value_name = "N", default_value = "1")]
    pub seed: u64,
    /// So many times as fast do vehicles come, fill and go; messages and currents take as long as they do.
    #[arg(long, value_name = "X", default_value = "1", value_parser = span::positive)]
    pub speed: f64,
    /// The site that they belong to, TOML or JSON: its stations are simulated, its boards judged.
    #[arg(long, value_name = "SITE")]
    pub site: Option<PathBuf>,
    /// A scenario of `kwartier simulate` whose days begin now: site, visits, building, sun, behaviours, faults.
    #[arg(long, value_name = "SCENARIO.toml", conflicts_with = "site")]
    pub scenario: Option<PathBuf>,
    /// Play the site's meters too: post what they show each second to `http://HOST/v1/sites/SITE/measurements`.
    #[arg(long, value_name = "URL", value_parser = web, requires = "key_file")]
    pub meter_to: Option<Url>,
    /// A file with the API key for --meter-to.
    #[arg(long, value_name = "FILE", requires = "meter_to")]
    pub key_file: Option<PathBuf>,
    /// What goes wrong by chance, and how often an hour: cut, reboot (at each station), load, meter (at the site); such as
    /// cut=2,load=30.
    #[arg(long, value_name = "NAME=RATE,…", default_value = "")]
    pub faults: Rates,
    /// What stations do wrong: a name for all of them, or with a share, such as ignores-limits=0.05; any=0.3 gives that share
    /// one of all by chance.
    #[arg(long, value_name = "NAME[=SHARE],…", default_value = "")]
    pub quirks: Quirky,
    /// Which share of the stations of 2.0.1 speaks ISO 15118 with its vehicles, which then say what they want.
    #[arg(long, value_name = "SHARE", default_value = "0", value_parser = share)]
    pub iso15118: f64,
    /// How long to run, such as 90s, 20min, 8h; a day at most.
    #[arg(long, value_name = "LENGTH", default_value = "24h", value_parser = duration)]
    pub duration: Duration,
    /// They come with their fallback stored, as an installer leaves them: the lowest of what the site says, or 0 A.
    #[arg(long)]
    pub commissioned: bool,
    /// How many stations connect a second.
    #[arg(long, value_name = "N", default_value = "100", value_parser = span::positive)]
    pub connects: f64,
    /// How long a station takes to start anew, in s.
    #[arg(long, value_name = "S", default_value = "20")]
    pub boot: u32,
    /// Certificates of those who are trusted over wss, a PEM file, in place of those whom browsers trust.
    #[arg(long, value_name = "FILE")]
    pub roots: Option<PathBuf>,
    /// The stations' own certificate, a PEM file (security profile 3).
    #[arg(long, value_name = "FILE", requires = "certificate_key")]
    pub certificate: Option<PathBuf>,
    /// Its key, a PEM file.
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub certificate_key: Option<PathBuf>,
    /// A folder for summary.json; it is made where it is not there.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print the summary as JSON.
    #[arg(long)]
    pub json: bool,
    /// Show nothing while it runs, and print no summary in words.
    #[arg(long)]
    pub quiet: bool,
}

/// Connects, plays, summarises.
pub fn run(args: &Args) -> Result<Verdict, Failure> {
    let fails = |fault: std::io::Error| Failure::Internal(format!("no threads or signals: {fault}"));
    let place = args.out.as_ref().map(|folder| place(folder)).transpose()?;
    // A second provider in the same process would be refused, and it is the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let terminal = std::io::stderr().is_terminal();
    let looks_every = if terminal { TABLE_EVERY } else { LINE_EVERY };
    let fleet = fleet::of(args, looks_every)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(fails)?;
    let bar = if args.quiet || !terminal { ProgressBar::hidden() } else { shown::table_on_terminal() };
    let summary = runtime.block_on(async {
        let stop = serve::stop_signal()?;
        let summary = fleet
            .run(stop, |look| {
                if terminal {
                    bar.set_message(shown::table(look));
                } else if !args.quiet {
                    output::note(&format!("{}\n", shown::line(look)));
                }
            })
            .await;
        Ok(summary)
    });
    let summary = summary.map_err(fails)?;
    bar.finish_and_clear();
    if let Some(place) = place {
        let json = serde_json::to_string_pretty(&summary).map_err(|fault| Failure::Internal(fault.to_string()))?;
        place.write(format!("{json}\n").as_bytes())?;
    }
    if args.json {
        output::print_json(&summary)?;
    } else if !args.quiet {
        output::print(&shown::summary(&summary))?;
    }
    let nobody = summary.stations > 0 && summary.numbers.connects == 0;
    Ok(if summary.is_broken() || nobody { Verdict::Broken } else { Verdict::Fine })
}

fn place(folder: &std::path::Path) -> Result<Destination, Failure> {
    std::fs::create_dir_all(folder).map_err(|fault| Failure::Unwritable {
        name: folder.display().to_string(),
        why: fault.to_string(),
        remedy: "name a folder, or one that can be made",
    })?;
    Destination::prepare(&folder.join("summary.json"))
}

fn address(text: &str) -> Result<Url, String> {
    let wanted = || "an address such as ws://127.0.0.1:8080/ocpp or wss://host/ocpp is wanted".to_owned();
    let url = Url::parse(text).map_err(|_| wanted())?;
    if matches!(url.scheme(), "ws" | "wss") && url.has_host() { Ok(url) } else { Err(wanted()) }
}

fn web(text: &str) -> Result<Url, String> {
    let wanted = || "an address such as http://127.0.0.1:8080/v1/sites/depot/measurements is wanted".to_owned();
    let url = Url::parse(text).map_err(|_| wanted())?;
    if matches!(url.scheme(), "http" | "https") && url.has_host() { Ok(url) } else { Err(wanted()) }
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "a share from 0 to 1 is wanted".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    let seconds = text.strip_suffix('s').and_then(|seconds| seconds.trim().parse::<u32>().ok());
    let length = match seconds {
        Some(seconds) => Duration::from_secs(u64::from(seconds)),
        None => span::length(text)?.to_std().unwrap_or_default(),
    };
    let day = Duration::from_hours(24);
    if length.is_zero() || length > day { Err("a length from 1s to 24h is wanted".to_owned()) } else { Ok(length) }
}
