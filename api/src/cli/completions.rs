//! `kwartier completions`.

use clap::CommandFactory;
use clap_complete::Shell;

use super::failure::Failure;
use super::{Cli, Verdict, output};

/// Print a completion script for a shell.
///
/// For bash: kwartier completions bash > ~/.local/share/bash-completion/completions/kwartier
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell.
    shell: Shell,
}

/// Prints the script.
pub fn run(args: &Args) -> Result<Verdict, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "kwartier", &mut script);
    output::print(&String::from_utf8_lossy(&script))?;
    Ok(Verdict::Fine)
}
