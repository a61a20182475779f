//! `kwartier site`: what an installer hands over, what is wrong with it, and back.

mod check;
mod export;
mod import;
mod input;
mod text;

use super::Verdict;
use super::failure::Failure;

/// Turn an installer's tables into a site file, check it, and write the tables again.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Import(import::Args),
    Check(check::Args),
    Export(export::Args),
}

/// Runs the command that the arguments name.
pub fn run(args: &Args) -> Result<Verdict, Failure> {
    match &args.command {
        Command::Import(args) => import::run(args),
        Command::Check(args) => check::run(args),
        Command::Export(args) => export::run(args),
    }
}
