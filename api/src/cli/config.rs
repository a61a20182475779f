//! `kwartier config`.

use std::path::PathBuf;

use super::failure::Failure;
use super::{Verdict, output};
use crate::config;

/// Look at the configuration of the service.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Check(CheckArgs),
}

/// Check a configuration: everything that is wrong with it, or the whole of it as it counts, secrets masked.
///
/// Environment variables (`KWARTIER_…`) count as they would for `kwartier serve`.
///
/// Exit codes: 0 it can be used; 2 it cannot.
#[derive(Debug, clap::Args)]
struct CheckArgs {
    /// The configuration file; without it, what defaults and environment make.
    #[arg(value_name = "FILE.toml")]
    file: Option<PathBuf>,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> Result<Verdict, Failure> {
    let Command::Check(check) = &args.command;
    let arguments = config::Arguments { file: check.file.clone(), ..config::Arguments::default() };
    let loaded = config::load(&arguments, config::variables()).map_err(|findings| unfit(&findings))?;
    let warnings: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
    output::notes(&warnings);
    output::print(&loaded.effective)?;
    Ok(Verdict::Fine)
}

/// A configuration that cannot be used, as a command fails with it.
pub fn unfit(findings: &[kwartier_data::Finding]) -> Failure {
    let findings: Vec<String> = findings.iter().map(|finding| format!("  {finding}")).collect();
    Failure::Unfit { what: "the configuration cannot be used".to_owned(), findings: findings.join("\n") }
}
