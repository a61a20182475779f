//! `kwartier forecast forget`.

use std::fmt::Write;
use std::path::PathBuf;

use kwartier_forecast::sessions::Kind;

use super::kept;
use crate::cli::output::{self, Destination};
use crate::cli::{Verdict, failure::Failure, input};

/// Whom to forget, and where.
///
/// The model is written back to its file. Widths and trees were fitted over all sessions together and hold no name and no
/// hash; they are without that party from the next fit on.
///
/// Exit codes: 0 nothing of them is left; 1 an internal fault; 2 input that cannot be used.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("who").required(true).multiple(true).args(["driver", "vehicle"])))]
pub struct Args {
    /// The model that `forecast sessions --save-model` wrote.
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// The secret under which it was saved.
    #[arg(long, value_name = "FILE")]
    salt_file: PathBuf,
    /// A driver, by the name in the log; once for each.
    #[arg(long, value_name = "NAME")]
    driver: Vec<String>,
    /// A vehicle, by the name in the log; once for each.
    #[arg(long, value_name = "NAME")]
    vehicle: Vec<String>,
}

/// Reads, forgets, writes, says how much.
pub fn run(args: &Args) -> Result<Verdict, Failure> {
    if let Some(path) = [&args.model, &args.salt_file].into_iter().find(|path| input::is_dash(path)) {
        return Err(Failure::Arguments(format!("{} is no file to keep things in; name one", path.display())));
    }
    let place = Destination::apart("--model", &args.model, [&args.salt_file].into_iter())?;
    let salt = kept::salt(&args.salt_file)?;
    let mut model = kept::read(&args.model, &salt)?.model;
    let drivers = args.driver.iter().map(|name| (Kind::Driver, "driver", name));
    let vehicles = args.vehicle.iter().map(|name| (Kind::Vehicle, "vehicle", name));
    let mut text = String::new();
    for (kind, what, name) in drivers.chain(vehicles) {
        let count = model.forget(salt.pseudonym(kind, name));
        let _ = writeln!(text, "{what} {name:?}: {count} sessions taken out");
    }
    let _ = writeln!(text, "{} sessions are left in {}", model.log().len(), args.model.display());
    kept::save(&place, model)?;
    output::print(&text)?;
    Ok(Verdict::Fine)
}
