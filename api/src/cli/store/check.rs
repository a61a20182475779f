//! `kwartier store check`.

use super::super::failure::Failure;
use super::super::{Verdict, output};
use super::{failed, rows};
use crate::store::backup::look;
use crate::store::sql::check::check;

/// Read everything that is kept and tell what is damaged, while the service goes on.
///
/// Exit codes: 0 all can be read and fits together; 1 something is damaged; 2 it cannot be opened.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder of the service's data or of a backup, or the URL of its PostgreSQL database.
    #[arg(long, value_name = "DIR|URL")]
    data: String,
}

/// Checks, prints.
pub async fn run(args: &Args) -> Result<Verdict, Failure> {
    let database = look(&args.data).await.map_err(failed)?;
    let checked = check(&database).await;
    database.close().await;
    let checked = checked.map_err(failed)?;
    output::print(&rows(&checked.rows))?;
    output::print(&checked.findings.iter().map(|finding| format!("{finding}\n")).collect::<String>())?;
    Ok(if checked.findings.is_empty() { Verdict::Fine } else { Verdict::Broken })
}
