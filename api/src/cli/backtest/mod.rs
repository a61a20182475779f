//! `kwartier backtest`: how good forecasts would have been on a history.

mod series;
mod sessions;
mod table;

use super::Verdict;
use super::failure::Failure;
use super::history::Kind;

/// Score forecasts on a history against the obvious guesses.
///
/// Walks through the last part of the history and makes each forecast from what was known at its time alone.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Score forecasts of what a building draws.
    #[command(after_help = series::AFTER_HELP)]
    Load(Box<series::Args>),
    /// Score forecasts of what a PV plant delivers.
    #[command(after_help = series::AFTER_HELP)]
    Pv(Box<series::Args>),
    /// Score forecasts of prices.
    #[command(after_help = series::AFTER_HELP)]
    Price(Box<series::Args>),
    /// Score forecasts of departures and energies.
    #[command(after_help = sessions::AFTER_HELP)]
    Sessions(Box<sessions::Args>),
}

/// Runs the command that the arguments name.
pub fn run(args: &Args) -> Result<Verdict, Failure> {
    match &args.command {
        Command::Load(args) => series::run(args, Kind::Load),
        Command::Pv(args) => series::run(args, Kind::Pv),
        Command::Price(args) => series::run(args, Kind::Price),
        Command::Sessions(args) => sessions::run(args),
    }
}
