//! `kwartier solve-worker`: the process that [`ChildSolver`](crate::solve::ChildSolver) runs a solver in.
//!
//! The request is one line on standard input, which then stays open: when it closes, whoever asked has gone, and the
//! worker ends at once, whatever the solver is doing.

use std::io::{self, BufRead, Read};
use std::process;
use std::thread;

use kwartier_engine::solver::exact::Highs;

use super::failure::Failure;
use super::{Verdict, output};
use crate::solve::protocol;

/// Reads the request, solves, prints the answer.
pub fn run() -> Result<Verdict, Failure> {
    let mut line = Vec::new();
    let read = io::stdin().lock().read_until(b'\n', &mut line);
    read.map_err(|fault| Failure::Internal(format!("the request cannot be read: {fault}")))?;
    thread::spawn(end_with_whoever_asked);
    let answer = protocol::answer(&line, &Highs).map_err(Failure::Internal)?;
    output::print(&answer)?;
    Ok(Verdict::Fine)
}

fn end_with_whoever_asked() {
    let mut rest = [0];
    while matches!(io::stdin().lock().read(&mut rest), Ok(1..)) {}
    // Leaving in good order would run the solver's clean-up under its feet.
    process::abort();
}
