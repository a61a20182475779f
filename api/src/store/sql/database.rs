//! A database: its pools of connections, and what must be let go of at the end.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;
use sqlx::{PgPool, SqlitePool};

use super::super::fault::Fault;
use super::connection::{Connection, Dialect};
use super::history;
use super::trouble::fault;

/// A database. Clones are the same one.
#[derive(Debug, Clone)]
pub enum Database {
    /// SQLite in a folder.
    Sqlite {
        /// Where it is.
        folder: PathBuf,
        /// Connections that read.
        readers: SqlitePool,
        /// The one that writes.
        writer: SqlitePool,
        /// Keeps other processes out while it is held.
        lock: Arc<Mutex<Option<File>>>,
    },
    /// PostgreSQL.
    Postgres(PgPool),
}

impl Database {
    /// Which.
    pub fn dialect(&self) -> Dialect {
        match self {
            Database::Sqlite { .. } => Dialect::Sqlite,
            Database::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Where its long history is kept in files; PostgreSQL keeps all of it in tables, which every node can read.
    pub fn history(&self) -> Option<PathBuf> {
        match self {
            Database::Sqlite { folder, .. } => Some(folder.join(history::FOLDER)),
            Database::Postgres(_) => None,
        }
    }

    /// A connection to read with.
    pub async fn reader(&self) -> Result<Connection, Fault> {
        match self {
            Database::Sqlite { readers, .. } => readers.acquire().await.map(Connection::Sqlite),
            Database::Postgres(pool) => pool.acquire().await.map(Connection::Postgres),
        }
        .map_err(|trouble| fault(&trouble))
    }

    /// The connection to write with.
    pub async fn writer(&self) -> Result<Connection, Fault> {
        match self {
            Database::Sqlite { writer, .. } => writer.acquire().await.map(Connection::Sqlite),
            Database::Postgres(pool) => pool.acquire().await.map(Connection::Postgres),
        }
        .map_err(|trouble| fault(&trouble))
    }

    /// Closes all connections and lets others in.
    pub async fn close(&self) {
        match self {
            Database::Sqlite { readers, writer, lock, .. } => {
                readers.close().await;
                // The last to go: SQLite then empties its log into the file.
                writer.close().await;
                drop(lock.lock().take());
            }
            Database::Postgres(pool) => pool.close().await,
        }
    }
}
