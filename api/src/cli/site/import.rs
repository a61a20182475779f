//! `kwartier site import`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use kwartier_data::Finding;
use kwartier_data::finding::any_error;
use kwartier_data::site::Site;
use kwartier_data::site::file::{self, Changes, Given};
use kwartier_data::site::load::{BoardLoad, board_loads};
use kwartier_data::tables::{self, Reading};
use serde::Serialize;

use super::{input, text};
use crate::cli::failure::Failure;
use crate::cli::input::is_dash;
use crate::cli::output::Destination;
use crate::cli::{Verdict, output};

/// The time zone of a site of which nothing else is known.
pub const TIME_ZONE: &str = "Europe/Amsterdam";

/// Findings that say what tables cannot hold: not worth saying of tables.
const NOT_IN_TABLES: [&str; 1] = ["no-grid-meter"];

/// Turn tables of boards and stations into a site file.
///
/// Tables are .csv, .xlsx or .ods files with headers in Dutch, English or German, in one file or several. Nothing is
/// guessed: every cell that cannot be read is told with its row, and then nothing is written. Warnings do not keep the
/// file from being written.
///
/// Exit codes: 0 written; 2 tables that cannot be used.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Tables of boards and stations, or folders of them.
    #[arg(value_name = "TABLE", required = true)]
    tables: Vec<PathBuf>,
    /// Where the site file goes; without it, or with -, to standard output.
    #[arg(long, value_name = "SITE.toml")]
    out: Option<PathBuf>,
    /// What people call the site.
    #[arg(long)]
    name: Option<String>,
    /// The site's time zone, an IANA name; Europe/Amsterdam where nothing is said.
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Bring an existing file in line with the tables; what they say nothing about stays, comments included.
    #[arg(long, requires = "out")]
    update: bool,
    /// Print the summary as one JSON object.
    #[arg(long)]
    json: bool,
}

/// What was done.
#[derive(Debug, Serialize)]
struct Summary {
    site: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    written: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<Changes>,
    findings: Vec<Finding>,
    boards: Vec<BoardLoad>,
}

/// Reads, checks, writes, summarises.
pub fn run(args: &Args) -> Result<Verdict, Failure> {
    let out = args.out.as_deref().filter(|out| !is_dash(out));
    if args.json && out.is_none() {
        let what = "--json and the site file both want standard output; name a file with --out";
        return Err(Failure::Arguments(what.to_owned()));
    }
    let existing = existing(args, out)?;
    let sources = input::sources(&args.tables)?;
    let mut reading = tables::read(&sources);
    if existing.is_none() {
        reading = reading.as_whole_site();
    }
    if let Some(failure) = unusable(&reading) {
        return Err(failure);
    }
    let (site, text, changes, findings) = match &existing {
        None => {
            let name = args.name.clone().unwrap_or_else(|| name_for(&args.tables, out));
            let zone = args.time_zone.clone().unwrap_or_else(|| TIME_ZONE.to_owned());
            let site = site_of(&reading, name, zone);
            let findings = told_by_tables(reading.check(&site));
            let text = file::write(&site).map_err(|fault| Failure::Internal(fault.to_string()))?;
            (site, text, None, findings)
        }
        Some((file, text)) => {
            let given = Given {
                boards: reading.has_boards.then_some(reading.boards.as_slice()),
                stations: reading.has_stations.then_some(reading.stations.as_slice()),
            };
            let (text, changes) = file::update(text, &file.site, given).map_err(Failure::Internal)?;
            let updated = file::parse(text.as_bytes());
            let updated = updated.map_err(|findings| Failure::Internal(text::list(&findings)))?;
            let mut findings = reading.findings.clone();
            findings.extend(updated.check());
            findings.sort_by_key(|finding| finding.severity);
            (updated.site, text, Some(changes), findings)
        }
    };
    if any_error(&findings) {
        let errors: Vec<Finding> = findings.into_iter().filter(Finding::is_error).collect();
        let whose =
            if changes.is_some() { "brought in line with the tables, the site would have" } else { "the tables have" };
        let what = format!("nothing is written: {whose} {}", text::count(errors.len(), "error", "errors"));
        return Err(Failure::Unfit { what, findings: text::list(&errors) });
    }
    let destination = Destination::prepare(out.unwrap_or(Path::new("-")))?;
    destination.write(text.as_bytes())?;
    let summary = Summary {
        boards: board_loads(&site),
        site: site.name,
        written: out.map(|out| out.display().to_string()),
        changes,
        findings,
    };
    if args.json {
        output::print_json(&summary)?;
    } else if out.is_some() {
        output::print(&summary.text())?;
    } else {
        output::note(&summary.text());
    }
    Ok(Verdict::Fine)
}

/// The file to update; an existing file that is not to be updated is refused.
fn existing(args: &Args, out: Option<&Path>) -> Result<Option<(file::SiteFile, String)>, Failure> {
    let Some(out) = out.filter(|out| out.exists()) else {
        if args.update {
            let what = "--update wants a file that exists; leave it out to make a new one";
            return Err(Failure::Arguments(what.to_owned()));
        }
        return Ok(None);
    };
    if !args.update {
        let what =
            format!("{} exists; add --update to bring it in line with the tables, or name another file", out.display());
        return Err(Failure::Arguments(what));
    }
    if args.name.is_some() || args.time_zone.is_some() {
        let what = "--name and --time-zone are for new files; with --update, change them in the file";
        return Err(Failure::Arguments(what.to_owned()));
    }
    let (file, text) = input::site(out)?;
    if text.trim_start().starts_with('{') {
        let what = format!("{} is JSON, which --update cannot keep as it is; name a TOML file", out.display());
        return Err(Failure::Arguments(what));
    }
    Ok(Some((file, text)))
}

/// The failure of tables that were not read at all, so that checking the rest would only mislead.
pub fn unusable(reading: &Reading) -> Option<Failure> {
    let errors: Vec<Finding> = reading.findings.iter().filter(|finding| finding.is_error()).cloned().collect();
    let what = || "the tables cannot be used".to_owned();
    reading.is_unusable().then(|| Failure::Unfit { what: what(), findings: text::list(&errors) })
}

/// A new site of what the tables say.
pub fn site_of(reading: &Reading, name: String, time_zone: String) -> Site {
    Site::new(name, time_zone, reading.boards.clone(), reading.stations.clone())
}

/// A name for the site: that of the new file, of the only folder, or of the first table.
pub fn name_for(tables: &[PathBuf], out: Option<&Path>) -> String {
    let named = out.or(tables.first().map(PathBuf::as_path)).and_then(Path::file_stem);
    named.map_or_else(|| "site".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// The findings without those that say what tables cannot hold.
pub fn told_by_tables(findings: Vec<Finding>) -> Vec<Finding> {
    findings.into_iter().filter(|finding| !NOT_IN_TABLES.contains(&finding.code)).collect()
}

impl Summary {
    fn text(&self) -> String {
        let mut text = text::by_severity(&self.findings);
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&text::tree(&self.boards));
        if let Some(changes) = &self.changes {
            for (what, names) in
                [("added", &changes.added), ("changed", &changes.changed), ("removed", &changes.removed)]
            {
                if !names.is_empty() {
                    let _ = writeln!(text, "{what}: {}", names.join(", "));
                }
            }
            if *changes == Changes::default() {
                text.push_str("the tables say what the file says already\n");
            }
        }
        if let Some(written) = &self.written {
            let _ = writeln!(text, "The site is in {written}.");
        }
        if self.changes.is_none() {
            let _ = writeln!(
                text,
                "Tables do not say: meters, what the building draws (building_max_a), fallback values, tariff, PV, battery. \
                 Add them to the file; docs/formats/site.md shows how."
            );
        }
        text
    }
}
