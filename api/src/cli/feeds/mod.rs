//! `kwartier feeds`: what feeds answered, from the records that the service keeps.

mod replay;

use super::Verdict;
use super::failure::Failure;

/// Look at what feeds of prices and weather have answered.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Replay(replay::Args),
}

/// Runs the command that the arguments name.
pub fn run(args: &Args) -> Result<Verdict, Failure> {
    match &args.command {
        Command::Replay(args) => replay::run(args),
    }
}
