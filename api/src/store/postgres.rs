//! PostgreSQL: for several nodes, or where one is run anyway.

use std::str::FromStr as _;
use std::time::Duration;

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::fault::Fault;
use super::sql::database::Database;
use super::sql::{SqlStore, fault, unavailable};

/// Connections at most; one of them writes.
const CONNECTIONS: u32 = 8;
/// How long to wait for one.
const PATIENCE: Duration = Duration::from_secs(10);

fn migrator() -> Migrator {
    let first = include_str!("migrations/postgres/0001.sql").into_sql_str();
    Migrator::with_migrations(vec![Migration::new(1, "first".into(), MigrationType::Simple, first, false)])
}

/// Opens a database by its URL; its tables are made or brought up to date, by one process at a time.
pub async fn open(url: &str) -> Result<SqlStore, Fault> {
    connect(url).await.map(SqlStore::new)
}

/// The same, without what makes it a store.
pub async fn connect(url: &str) -> Result<Database, Fault> {
    // What the URL says must not get into the message: it holds a password.
    let options = PgConnectOptions::from_str(url).map_err(|_| {
        unavailable("the URL of the database is not of the form postgres://USER:PASSWORD@HOST:PORT/DATABASE")
    })?;
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(PATIENCE)
        .connect_with(options)
        .await
        .map_err(|trouble| fault(&trouble))?;
    migrator().run(&pool).await.map_err(|trouble| super::sql::migration(&trouble))?;
    Ok(Database::Postgres(pool))
}
