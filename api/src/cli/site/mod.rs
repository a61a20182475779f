//! `kwartier site`.

mod instance;

use clap::Subcommand;

use super::Verdict;
use super::failure::Failure;

/// Work with a site file.
#[derive(Debug, Subcommand)]
pub enum Command {
    Instance(Box<instance::Args>),
}

/// Runs one of the site commands.
pub fn run(command: &Command) -> Result<Verdict, Failure> {
    match command {
        Command::Instance(args) => instance::run(args),
    }
}
