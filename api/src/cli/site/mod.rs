//! `kwartier site`: what an installer hands over, what is wrong with it, back again, what to store in stations, and on to a
//! planning instance.

mod check;
mod expected;
mod export;
mod fallback;
mod foresee;
mod import;
mod input;
mod instance;
mod proof;
mod stays;
mod text;

pub use input::usable;

use super::Verdict;
use super::failure::Failure;

/// Turn an installer's tables into a site file, check it, write the tables again, find what to store in
/// stations, and make a planning instance.
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
    Fallback(fallback::Args),
    Instance(Box<instance::Args>),
}

/// Runs the command that the arguments name.
pub fn run(args: &Args) -> Result<Verdict, Failure> {
    match &args.command {
        Command::Import(args) => import::run(args),
        Command::Check(args) => check::run(args),
        Command::Export(args) => export::run(args),
        Command::Fallback(args) => fallback::run(args),
        Command::Instance(args) => instance::run(args),
    }
}
