//! `kwartier store backup`.

use std::path::PathBuf;

use super::super::Verdict;
use super::super::failure::Failure;
use super::failed;
use crate::store::backup::{backup, look};

/// Copy everything as it is now into a new folder, while the service goes on.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder of the service's data, or the URL of its PostgreSQL database.
    #[arg(long, value_name = "DIR|URL")]
    data: String,
    /// The folder to make; there must be nothing in it.
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
}

/// Makes it.
pub async fn run(args: &Args) -> Result<Verdict, Failure> {
    let database = look(&args.data).await.map_err(failed)?;
    let made = backup(&database, &args.to).await;
    database.close().await;
    made.map_err(failed)?;
    Ok(Verdict::Fine)
}
