//! `kwartier serve`.

use std::path::PathBuf;

use super::config::unfit;
use super::failure::Failure;
use super::{Verdict, output};
use crate::config::{self, Arguments};
use crate::serve;

/// Run the service: it steers sites, answers the API and serves the page.
///
/// It needs no configuration: it listens on 127.0.0.1:8080 and keeps everything in one folder. SIGTERM or Ctrl-C ends it in
/// good order; chargers then fall back to what they store.
///
/// Exit codes: 0 ended in good order; 1 an internal fault; 2 it cannot begin: a port or folder in use, a configuration that
/// cannot be used.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration, a TOML file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where to listen, such as 127.0.0.1:8080, in place of what the configuration says; port 0, any that is free.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// The folder of all that is kept; it is made where it is not there.
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Run the demo depot: the guide's example site with simulated chargers and vehicles, on real prices.
    #[arg(long)]
    demo: bool,
}

/// Reads the configuration and serves until told to stop.
pub fn run(args: &Args) -> Result<Verdict, Failure> {
    let said =
        Arguments { file: args.config.clone(), listen: args.listen.clone(), data: args.data.clone(), demo: args.demo };
    let loaded = config::load(&said, config::variables()).map_err(|findings| unfit(&findings))?;
    let warnings: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
    output::notes(&warnings);
    serve::run(loaded.config)?;
    Ok(Verdict::Fine)
}
