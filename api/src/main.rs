//! `kwartier`, the one binary: the world around the planner. Files, standard streams, signals, processes and the clock
//! are named here and nowhere else in the workspace.

mod cli;
mod report;
mod simulate;
mod solve;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
