//! The command line. Each command is thin: read, call the engine, print.

mod backtest;
mod chargers;
mod check;
mod comparison;
mod completions;
mod config;
mod extras;
pub mod failure;
mod feeds;
mod forecast;
mod health;
mod history;
pub mod input;
mod man;
mod methods;
pub mod output;
mod plan;
mod serve;
mod sessions;
mod simulate;
mod site;
mod span;
mod store;
mod summary;
mod tariff;
pub mod usage;
mod worker;

pub use site::usable as usable_site;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// How a command ended when it did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// All is well: exit code 0.
    Fine,
    /// The command did its work, and what it looked at does not hold: exit code 1.
    Broken,
}

const EXIT_BROKEN: u8 = 1;

/// Plans when each vehicle of a depot charges: cheapest within every fuse, with a proof of how cheap.
#[derive(Debug, Parser)]
#[command(name = "kwartier", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Plan(plan::Args),
    Check(check::Args),
    Site(site::Args),
    Forecast(forecast::Args),
    Backtest(backtest::Args),
    Simulate(simulate::Args),
    Chargers(chargers::Args),
    Serve(serve::Args),
    Health(health::Args),
    Config(config::Args),
    Store(store::Args),
    Tariff(tariff::Args),
    Feeds(feeds::Args),
    Completions(completions::Args),
    Man(man::Args),
    /// Solve one exact model: one request on standard input, one answer on standard output.
    #[command(hide = true)]
    SolveWorker,
}

/// Runs the command that the process's arguments name.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let outcome = catch_unwind(AssertUnwindSafe(|| match &cli.command {
        Command::Plan(args) => plan::run(args),
        Command::Check(args) => check::run(args),
        Command::Site(args) => site::run(args),
        Command::Forecast(args) => forecast::run(args),
        Command::Backtest(args) => backtest::run(args),
        Command::Simulate(args) => simulate::run(args),
        Command::Chargers(args) => chargers::run(args),
        Command::Serve(args) => serve::run(args),
        Command::Health(args) => health::run(args),
        Command::Config(args) => config::run(args),
        Command::Store(args) => store::run(args),
        Command::Tariff(args) => tariff::run(args),
        Command::Feeds(args) => feeds::run(args),
        Command::Completions(args) => completions::run(args),
        Command::Man(args) => man::run(args),
        Command::SolveWorker => worker::run(),
    }));
    match outcome {
        Ok(Ok(Verdict::Fine)) => ExitCode::SUCCESS,
        Ok(Ok(Verdict::Broken)) => ExitCode::from(EXIT_BROKEN),
        Ok(Err(failure)) => {
            output::complain(&failure);
            ExitCode::from(failure.exit_code())
        }
        // The panic's own message stands on standard error already.
        Err(_) => ExitCode::from(failure::EXIT_INTERNAL),
    }
}
