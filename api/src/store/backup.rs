//! Backup and restore. A backup is a folder with a SQLite file like that of a running one, wherever it came from: it can be
//! opened where it is, restored to another folder, or copied into PostgreSQL.

use std::fs;
use std::path::{Path, PathBuf};

use super::fault::Fault;
use super::sql::check::check;
use super::sql::copy::copy;
use super::sql::database::Database;
use super::sql::history;
use super::sql::unavailable;
use super::sqlite;

fn told(path: &Path, what: &str, why: &std::io::Error) -> Fault {
    unavailable(format!("{}: {what} ({why})", path.display()))
}

/// Copies everything as it is now into a new folder, which is there when it is whole and not before.
pub async fn backup(database: &Database, to: &Path) -> Result<(), Fault> {
    let begun = begin(to)?;
    let made = fill(database, &begun).await;
    finish(begun, to, made)
}

async fn fill(database: &Database, folder: &Path) -> Result<(), Fault> {
    match database {
        Database::Sqlite { readers, .. } => {
            sqlite::vacuum_into(readers, &folder.join(sqlite::FILE)).await?;
            history(database, folder).await
        }
        Database::Postgres(_) => {
            let file = sqlite::create(folder).await?;
            let copied = copy(database, &file).await.map(drop);
            file.close().await;
            copied
        }
    }
}

/// Copies the files of the long history that the copy of the database in a folder names. They are never changed, and one that
/// is replaced stays for a while, so they may be copied after it.
async fn history(from: &Database, folder: &Path) -> Result<(), Fault> {
    let Some(files) = from.history() else { return Ok(()) };
    let copy = sqlite::look(folder).await?;
    let named = match copy.reader().await {
        Ok(mut connection) => history::files(&mut connection).await,
        Err(fault) => Err(fault),
    };
    copy.close().await;
    for file in named? {
        let (from, to) = (files.join(&file), folder.join(history::FOLDER).join(&file));
        let copied = || -> std::io::Result<()> {
            fs::create_dir_all(to.parent().unwrap_or(folder))?;
            fs::copy(&from, &to)?;
            fs::File::open(&to)?.sync_all()
        };
        copied().map_err(|why| told(&from, "cannot be copied", &why))?;
    }
    Ok(())
}

/// Restores a backup into a folder that is not there, or empty.
pub async fn restore(from: &Path, to: &Path) -> Result<(), Fault> {
    let begun = begin(to)?;
    let made = refill(from, &begun).await;
    finish(begun, to, made)
}

async fn refill(from: &Path, folder: &Path) -> Result<(), Fault> {
    let file = sqlite::look(from).await?;
    let copied = match check(&file).await {
        Ok(checked) if checked.findings.is_empty() => fill(&file, folder).await,
        Ok(checked) => Err(unavailable(format!(
            "{}: the backup is damaged and was not restored: {}",
            from.display(),
            checked.findings.join("; ")
        ))),
        Err(fault) => Err(fault),
    };
    file.close().await;
    copied
}

/// A folder beside the one that is wanted, to be filled and then renamed.
fn begin(wanted: &Path) -> Result<PathBuf, Fault> {
    match fs::read_dir(wanted) {
        Ok(mut entries) => {
            if entries.next().is_some() {
                return Err(unavailable(format!(
                    "{}: there is something in it already; name a folder that is not there or empty",
                    wanted.display()
                )));
            }
        }
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => {}
        Err(why) => return Err(told(wanted, "is no folder that can be read", &why)),
    }
    let Some(name) = wanted.file_name() else {
        return Err(unavailable(format!("{}: has no name of its own; name a new folder", wanted.display())));
    };
    let begun = wanted.with_file_name(format!(".{}.{}", name.display(), std::process::id()));
    sqlite::make_folder(&begun).map_err(|why| told(&begun, "the folder cannot be made", &why))?;
    Ok(begun)
}

fn finish(begun: PathBuf, wanted: &Path, made: Result<(), Fault>) -> Result<(), Fault> {
    let ended = made.and_then(|()| {
        // An empty folder may be there.
        if wanted.is_dir() {
            fs::remove_dir(wanted).map_err(|why| told(wanted, "cannot be replaced", &why))?;
        }
        fs::rename(&begun, wanted).map_err(|why| told(wanted, "cannot be put in place", &why))?;
        let parent = wanted.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let synced = fs::File::open(parent).and_then(|parent| parent.sync_all());
        synced.map_err(|why| told(parent, "cannot be written to the disk", &why))
    });
    if ended.is_err() {
        // What is left over is of no use to anybody; that it could not be removed is not what went wrong.
        let _ = fs::remove_dir_all(begun);
    }
    ended
}

/// Copies everything from one place to another: folders, or URLs of PostgreSQL databases. The second must be empty; it is
/// made where it is a folder that is not there. How many rows of each table.
pub async fn copy_places(from: &str, to: &str) -> Result<Vec<(&'static str, u64)>, Fault> {
    let from = look(from).await?;
    let to =
        if super::is_url(to) { super::postgres::connect(to).await? } else { sqlite::create(Path::new(to)).await? };
    let copied = copy(&from, &to).await;
    from.close().await;
    to.close().await;
    copied
}

/// Opens a place to read: a folder whoever else has it open, or a PostgreSQL database.
pub async fn look(place: &str) -> Result<Database, Fault> {
    if super::is_url(place) { super::postgres::connect(place).await } else { sqlite::look(Path::new(place)).await }
}
