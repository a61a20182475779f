//! `kwartier store restore`.

use std::path::PathBuf;

use super::super::Verdict;
use super::super::failure::Failure;
use super::failed;
use crate::store::backup::restore;

/// Put a backup in place: into a folder that is not there, or empty. A damaged backup is refused.
///
/// Into PostgreSQL: kwartier store copy --from FOLDER --to URL.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The backup.
    #[arg(long, value_name = "FOLDER")]
    from: PathBuf,
    /// The folder of the service's data.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

/// Restores it.
pub async fn run(args: &Args) -> Result<Verdict, Failure> {
    restore(&args.from, &args.data).await.map_err(failed)?;
    Ok(Verdict::Fine)
}
