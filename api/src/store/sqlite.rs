//! SQLite in a folder: what a single node keeps its things in.

use std::fs::{self, File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::fault::Fault;
use super::sql::database::Database;
use super::sql::{SqlStore, fault, unavailable};

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

fn migrator() -> Migrator {
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
    fs::create_dir_all(folder).map_err(|why| {
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
    let in_folder = |what: Fault| unavailable(format!("{}: {what}", file.display()));
    let writer = pool(1).connect_with(writing).await.map_err(|trouble| in_folder(fault(&trouble)))?;
    migrator().run(&writer).await.map_err(|trouble| in_folder(super::sql::migration(&trouble)))?;
    let readers = pool(READERS).connect_lazy_with(options(&file).read_only(true));
    Ok(SqlStore::new(Database::Sqlite { readers, writer, lock: Arc::new(Mutex::new(Some(lock))) }))
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
