//! `kwartier chargers`: charging stations.

mod fleet;
mod quirks;
mod shown;
mod simulate;
mod tls;

use super::Verdict;
use super::failure::Failure;

/// Charging stations: simulated ones that connect to a central system.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Simulate(Box<simulate::Args>),
}

/// Runs the command that the arguments name.
pub fn run(args: &Args) -> Result<Verdict, Failure> {
    match &args.command {
        Command::Simulate(args) => simulate::run(args),
    }
}
