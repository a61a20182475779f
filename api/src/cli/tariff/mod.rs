//! `kwartier tariff`: what a kWh costs.

mod import;
mod presets;
mod price;

use super::Verdict;
use super::failure::Failure;

/// Show tariffs to begin with, make one from a table, and tell what a kWh costs at an instant.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Presets(presets::Args),
    Import(import::Args),
    Price(price::Args),
}

/// Runs the command that the arguments name.
pub fn run(args: &Args) -> Result<Verdict, Failure> {
    match &args.command {
        Command::Presets(args) => presets::run(args),
        Command::Import(args) => import::run(args),
        Command::Price(args) => price::run(args),
    }
}

/// What is wrong with a tariff, a fault a line.
fn faults(faults: &[kwartier_data::site::tariff::TariffFault]) -> String {
    let line = |fault: &kwartier_data::site::tariff::TariffFault| {
        let value = if fault.value.is_empty() { String::new() } else { format!("{} ", fault.value) };
        format!("tariff.{}: {value}{}; {}", fault.path, fault.wrong, fault.remedy)
    };
    faults.iter().map(line).collect::<Vec<_>>().join("\n")
}
