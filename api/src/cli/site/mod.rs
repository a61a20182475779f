//! `kwartier site`: what an installer hands over, what is wrong with it, back again, and on to a planning instance.

mod check;
mod expected;
mod export;
mod foresee;
mod import;
mod input;
mod instance;
mod stays;
mod text;

use super::Verdict;
use super::failure::Failure;

/// Turn an installer's tables into a site file, check it, write the tables again, and make a planning instance.
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
    Instance(Box<instance::Args>),
}

/// Runs the command that the arguments name.
pub fn run(args: &Args) -> Result<Verdict, Failure> {
    match &args.command {
        Command::Import(args) => import::run(args),
        Command::Check(args) => check::run(args),
        Command::Export(args) => export::run(args),
        Command::Instance(args) => instance::run(args),
    }
}
