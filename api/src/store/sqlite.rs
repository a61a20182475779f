//! SQLite in a folder: what a single node keeps its things in.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{SqlSafeStr as _, SqlitePool};

use super::fault::Fault;
use super::sql::database::Database;
use super::sql::{SqlStore, fault, history, unavailable};

/// The database's file in its folder.
pub const FILE: &str = "kwartier.db";
/// The file that a process holds a lock on while it has the folder open.
const LOCK: &str = "lock";

/// Connections that read at once.
const READERS: u32 = 4;
/// How long to wait for one of them.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many pages gather in the log before they are moved into the file: 16 MB.
const CHECKPOINT_PAGES: &str = "4000";
/// To what size the log shrinks again after a burst.
const LOG_BYTES: &str = "67108864";
/// Memory for pages of a connection, in KiB with a minus.
const CACHE_KIB: &str = "-16384";
/// Prepared statements that a connection remembers.
const STATEMENTS: usize = 200;

/// The steps that make the tables.
pub fn migrator() -> Migrator {
    let first = include_str!("migrations/sqlite/0001.sql").into_sql_str();
    Migrator::with_migrations(vec![Migration::new(1, "first".into(), MigrationType::Simple, first, false)])
}

/// How a file is opened. Every commit is flushed to the disk before it is answered.
fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .busy_timeout(PATIENCE)
        .statement_cache_capacity(STATEMENTS)
        .pragma("cache_size", CACHE_KIB)
}

/// Opens a folder; it is made where it is not there, its tables are made or brought up to date.
pub async fn open(folder: &Path) -> Result<SqlStore, Fault> {
    let database = create(folder).await?;
    // It is in order without this too.
    if let Err(fault) = sweep(&database).await {
        tracing::warn!(%fault, "files of the long history that are of no use any more were not removed");
    }
    Ok(SqlStore::new(database))
}

async fn sweep(database: &Database) -> Result<(), Fault> {
    match database.history() {
        Some(folder) => history::sweep(&mut database.writer().await?, &folder).await,
        None => Ok(()),
    }
}

/// Opens a folder, writing to it, without what makes it a store.
pub async fn create(folder: &Path) -> Result<Database, Fault> {
    open_with(folder, &migrator()).await
}

/// The same, with the steps that make its tables.
pub async fn open_with(folder: &Path, migrator: &Migrator) -> Result<Database, Fault> {
    make_folder(folder).map_err(|why| {
        unavailable(format!("{}: the folder cannot be made ({why}); name another with --data", folder.display()))
    })?;
    let lock = lock(folder)?;
    let file = folder.join(FILE);
    let writing = options(&file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .pragma("journal_size_limit", LOG_BYTES);
    let pool = |connections| {
        SqlitePoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(PATIENCE)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
    };
    let in_folder = |what: Fault| what.of(&file.display().to_string());
    let writer = pool(1).connect_with(writing).await.map_err(|trouble| in_folder(fault(&trouble)))?;
    if let Some((from, to)) = is_older(&writer, migrator).await.map_err(in_folder)? {
        // Should the new release turn out to be a mistake, the old one can go on from here.
        let copy = folder.join(format!("{FILE}.before-{to}"));
        tracing::info!(from, to, copy = %copy.display(), "an older release wrote this database; it is copied first");
        vacuum_into(&writer, &copy).await.map_err(in_folder)?;
    }
    migrator.run(&writer).await.map_err(|trouble| in_folder(super::sql::migration(&trouble)))?;
    let readers = pool(READERS).connect_lazy_with(options(&file).read_only(true));
    let folder = folder.to_owned();
    Ok(Database::Sqlite { folder, readers, writer, lock: Arc::new(Mutex::new(Some(lock))) })
}

/// Opens a folder to read only, whoever else has it open. It must have been written by this release.
pub async fn look(folder: &Path) -> Result<Database, Fault> {
    let file = folder.join(FILE);
    if !file.is_file() {
        return Err(unavailable(format!("{}: there is no such file; name the folder of a database", file.display())));
    }
    let in_folder = |what: Fault| what.of(&file.display().to_string());
    let readers = SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(PATIENCE)
        .connect_with(options(&file).read_only(true))
        .await
        .map_err(|trouble| in_folder(fault(&trouble)))?;
    match step_of(&readers).await.map_err(in_folder)? {
        Some(step) if Some(step) == newest(&migrator()) => {}
        _ => {
            let what =
                "another release wrote it; have `kwartier serve` of this release open it once, or use that release";
            return Err(in_folder(unavailable(what)));
        }
    }
    let folder = folder.to_owned();
    Ok(Database::Sqlite { folder, writer: readers.clone(), readers, lock: Arc::new(Mutex::new(None)) })
}

fn newest(migrator: &Migrator) -> Option<i64> {
    migrator.iter().map(|migration| migration.version).max()
}

/// Which step made the tables as they are; `None`, there are none.
async fn step_of(pool: &SqlitePool) -> Result<Option<i64>, Fault> {
    let tables = "SELECT COUNT(*) FROM sqlite_master WHERE name = '_sqlx_migrations'";
    let count: i64 = sqlx::query_scalar(tables).fetch_one(pool).await.map_err(|trouble| fault(&trouble))?;
    if count == 0 {
        return Ok(None);
    }
    let newest = sqlx::query_scalar("SELECT MAX(version) FROM _sqlx_migrations").fetch_one(pool).await;
    newest.map_err(|trouble| fault(&trouble))
}

/// From which step to which the tables will be brought, where there are any.
async fn is_older(pool: &SqlitePool, migrator: &Migrator) -> Result<Option<(i64, i64)>, Fault> {
    let (Some(step), Some(newest)) = (step_of(pool).await?, newest(migrator)) else { return Ok(None) };
    Ok((step < newest).then_some((step, newest)))
}

/// Copies everything as it is now into a new file, while others go on. A file that is there is replaced.
pub async fn vacuum_into(pool: &SqlitePool, file: &Path) -> Result<(), Fault> {
    let unwritable = |why: std::io::Error| unavailable(format!("{}: cannot be written ({why})", file.display()));
    match fs::remove_file(file) {
        Err(why) if why.kind() != std::io::ErrorKind::NotFound => return Err(unwritable(why)),
        _ => {}
    }
    let copied = sqlx::query("VACUUM INTO $1").bind(file.display().to_string()).execute(pool).await;
    copied.map_err(|trouble| fault(&trouble))?;
    File::open(file).and_then(|copy| copy.sync_all()).map_err(unwritable)
}

/// Makes a folder that nobody else may look into, where it is not there: hashes of passwords and keys are in it.
pub fn make_folder(folder: &Path) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Makes sure that no other process has the folder open, for as long as the file that is returned is.
fn lock(folder: &Path) -> Result<File, Fault> {
    let path = folder.join(LOCK);
    let unusable = |why: std::io::Error| {
        unavailable(format!("{}: cannot be written ({why}); see who owns the folder", path.display()))
    };
    let mut file = File::options().read(true).write(true).create(true).truncate(false).open(&path).map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => {
            // Who holds it is told to others; that it is held is what keeps them out.
            let told = file.set_len(0).and_then(|()| file.rewind());
            told.and_then(|()| write!(file, "{}", std::process::id())).map_err(unusable)?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let known = file.read_to_string(&mut holder).is_ok() && !holder.is_empty();
            let holder = if known { format!(" (process {holder})") } else { String::new() };
            Err(unavailable(format!(
                "{}: another kwartier{holder} has this folder open; stop it, or name another folder with --data",
                folder.display()
            )))
        }
        Err(TryLockError::Error(why)) => Err(unusable(why)),
    }
}
