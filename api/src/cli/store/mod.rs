//! `kwartier store`: what the service keeps, from outside: backup, restore, looking for damage, moving.

mod backup;
mod check;
mod copy;
mod restore;

use comfy_table::CellAlignment;

use super::Verdict;
use super::failure::Failure;
use super::summary;
use crate::store::Fault;

/// Back up what the service keeps, restore it, look for damage, move it between SQLite and PostgreSQL.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Backup(backup::Args),
    Restore(restore::Args),
    Check(check::Args),
    Copy(copy::Args),
}

/// Runs the command that the arguments name.
pub fn run(args: &Args) -> Result<Verdict, Failure> {
    // A few connections to one database: threads beyond two would have nothing to do.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|why| Failure::Internal(format!("no threads can be started: {why}")))?;
    runtime.block_on(async {
        match &args.command {
            Command::Backup(args) => backup::run(args).await,
            Command::Restore(args) => restore::run(args).await,
            Command::Check(args) => check::run(args).await,
            Command::Copy(args) => copy::run(args).await,
        }
    })
}

/// A fault of the store, as the reason why a command failed.
#[expect(clippy::needless_pass_by_value, reason = "the signature that map_err wants")]
fn failed(fault: Fault) -> Failure {
    Failure::Storage(fault)
}

/// Rows of each table, as a table.
fn rows(counts: &[(&'static str, u64)]) -> String {
    let mut table = summary::table();
    table.set_header(["what", "rows"]);
    for (name, count) in counts {
        table.add_row([(*name).to_owned(), count.to_string()]);
    }
    if let Some(column) = table.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!("{table}\n")
}
