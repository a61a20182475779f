//! `kwartier store copy`.

use super::super::failure::Failure;
use super::super::{Verdict, output};
use super::{failed, rows};
use crate::store::backup::copy_places;

/// Copy everything as it is at one instant to another place that is empty: from a folder to PostgreSQL or back.
///
/// A password need not stand in the URL: PGPASSWORD and ~/.pgpass are read too.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A folder, or the URL of a PostgreSQL database (`postgres://USER@HOST/DATABASE`).
    #[arg(long, value_name = "DIR|URL")]
    from: String,
    /// A folder, or the URL of a PostgreSQL database.
    #[arg(long, value_name = "DIR|URL")]
    to: String,
}

/// Copies, and prints how much.
pub async fn run(args: &Args) -> Result<Verdict, Failure> {
    let copied = copy_places(&args.from, &args.to).await.map_err(failed)?;
    output::print(&rows(&copied))?;
    Ok(Verdict::Fine)
}
