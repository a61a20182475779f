//! `kwartier site check`.

use std::fmt::Write as _;
use std::path::PathBuf;

use kwartier_data::site::load::{BoardLoad, board_loads};
use kwartier_data::tables;
use kwartier_data::{Finding, Severity};
use serde::Serialize;

use super::{import, input, proof, text};
use crate::cli::failure::Failure;
use crate::cli::{Verdict, output};

/// Check a site file, or the tables that one would be made of: everything an electrician would want caught.
///
/// Exit codes: 0 no errors; 1 errors, or warnings with --strict; 2 input that cannot be used.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The site file (TOML or JSON), or tables of boards and stations (.csv, .xlsx, .ods) or folders of them.
    #[arg(value_name = "SITE.toml|TABLE", required = true)]
    inputs: Vec<PathBuf>,
    /// Fail for warnings as well.
    #[arg(long)]
    strict: bool,
    /// Print the findings as one JSON object.
    #[arg(long)]
    json: bool,
}

/// What was found.
#[derive(Debug, Serialize)]
struct Report {
    site: String,
    holds: bool,
    findings: Vec<Finding>,
    boards: Vec<BoardLoad>,
}

/// Reads, checks, prints.
pub fn run(args: &Args) -> Result<Verdict, Failure> {
    let tables = args.inputs.len() > 1 || args.inputs.iter().any(|input| input::is_tables(input));
    let (site, findings) = if tables {
        let reading = tables::read(&input::sources(&args.inputs)?).as_whole_site();
        if let Some(failure) = import::unusable(&reading) {
            return Err(failure);
        }
        let site = import::site_of(&reading, import::name_for(&args.inputs, None), import::TIME_ZONE.to_owned());
        let findings = reading.check(&site);
        (site, import::told_by_tables(findings))
    } else {
        let (file, _) = input::site(&args.inputs[0])?;
        let mut findings = file.check();
        proof::add(&file, &mut findings);
        (file.site, findings)
    };
    let worst = if args.strict { Severity::Warning } else { Severity::Error };
    let report = Report {
        holds: findings.iter().all(|finding| finding.severity > worst),
        boards: board_loads(&site),
        site: site.name,
        findings,
    };
    if args.json {
        output::print_json(&report)?;
    } else {
        output::print(&report.text())?;
    }
    Ok(if report.holds { Verdict::Fine } else { Verdict::Broken })
}

impl Report {
    fn holds_without_errors(&self) -> bool {
        !self.findings.iter().any(Finding::is_error)
    }

    fn text(&self) -> String {
        let mut text = text::by_severity(&self.findings);
        if !text.is_empty() {
            text.push('\n');
        }
        // With errors the sums may be of values that nobody wrote.
        if self.holds_without_errors() {
            text.push_str(&text::tree(&self.boards));
        }
        let _ = writeln!(text, "{}: {}", self.site, text::counts(&self.findings));
        text
    }
}
