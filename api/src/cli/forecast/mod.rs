//! `kwartier forecast`: what will be, from what is known at an instant.

pub mod chain;
mod forget;
mod kept;
mod model;
pub mod quarters;
mod series;
mod sessions;

use super::Verdict;
use super::failure::Failure;
use super::history::Kind;

/// Forecast a building's load, PV power, prices or charging sessions, as means and quantiles.
///
/// A forecast knows nothing that came after --at.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Forecast what a building draws, by quarter-hours.
    #[command(after_help = series::AFTER_HELP)]
    Load(Box<series::Args>),
    /// Forecast what a PV plant delivers, by quarter-hours.
    #[command(after_help = series::AFTER_HELP)]
    Pv(Box<series::Args>),
    /// Forecast prices from those up to --at, by quarter-hours.
    #[command(after_help = series::AFTER_HELP)]
    Price(Box<series::Args>),
    /// Forecast for each arrival when the vehicle leaves and how much it takes.
    #[command(after_help = sessions::AFTER_HELP)]
    Sessions(Box<sessions::Args>),
    /// Take all sessions of a driver or vehicle out of a saved model of sessions.
    Forget(Box<forget::Args>),
}

/// Runs the command that the arguments name.
pub fn run(args: &Args) -> Result<Verdict, Failure> {
    match &args.command {
        Command::Load(args) => series::run(args, Kind::Load),
        Command::Pv(args) => series::run(args, Kind::Pv),
        Command::Price(args) => series::run(args, Kind::Price),
        Command::Sessions(args) => sessions::run(args),
        Command::Forget(args) => forget::run(args),
    }
}
