//! `kwartier`, the one binary: the world around the planner. Files, standard streams, signals, processes and the clock
//! are named here and nowhere else in the workspace.

mod access;
mod app;
mod aside;
mod chargers;
mod cli;
mod config;
mod demo;
mod fetch;
mod http;
mod jobs;
mod ocpp;
mod page;
mod planning;
mod private;
mod report;
mod resource;
mod serve;
mod service;
mod simulate;
mod solve;
mod store;

use std::process::ExitCode;

/// The system's allocator keeps what each thread has freed: of ten thousand passwords that are looked at, each with 19 MiB,
/// hundreds of MiB stayed.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run()
}
