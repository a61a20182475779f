//! A connection to either database. What is asked is one text for both; where they must differ, [`Dialect`] says how.

use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, Executor as _, Postgres, Sqlite};

use super::super::fault::Fault;
use super::trouble::fault;
use super::value::{Row, Value};

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

impl Dialect {
    /// What begins a transaction that will write. SQLite takes its lock at once: one that read first and writes then
    /// could fail for good because somebody else wrote in between.
    pub fn begin(self) -> &'static str {
        match self {
            Dialect::Sqlite => "BEGIN IMMEDIATE",
            Dialect::Postgres => "BEGIN",
        }
    }

    /// What begins a transaction that reads everything as it is at one instant.
    pub fn begin_reading(self) -> &'static str {
        match self {
            Dialect::Sqlite => "BEGIN",
            Dialect::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }

    /// What ends a query for rows that will be changed, so that nobody else changes them meanwhile. In SQLite nobody can.
    pub fn for_update(self) -> &'static str {
        match self {
            Dialect::Sqlite => "",
            Dialect::Postgres => " FOR UPDATE",
        }
    }

    /// The same, passing over rows that somebody else is changing.
    pub fn skip_locked(self) -> &'static str {
        match self {
            Dialect::Sqlite => "",
            Dialect::Postgres => " FOR UPDATE SKIP LOCKED",
        }
    }
}

/// A connection, on loan from its pool.
pub enum Connection {
    /// To SQLite.
    Sqlite(PoolConnection<Sqlite>),
    /// To PostgreSQL.
    Postgres(PoolConnection<Postgres>),
}

macro_rules! bound {
    ($sql:expr, $values:expr) => {{
        let mut query = sqlx::query($sql);
        for value in $values {
            query = match value {
                Value::Int(value) => query.bind(value),
                Value::Real(value) => query.bind(value),
                Value::Text(value) => query.bind(value),
                Value::Bytes(value) => query.bind(value),
            };
        }
        query
    }};
}

impl Connection {
    /// To which database.
    pub fn dialect(&self) -> Dialect {
        match self {
            Connection::Sqlite(_) => Dialect::Sqlite,
            Connection::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Does something; how many rows it concerned. The text is ours alone: whatever comes from outside is a value.
    pub async fn execute(&mut self, sql: &str, values: Vec<Value>) -> Result<u64, Fault> {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Connection::Sqlite(connection) => {
                let done = bound!(sql, values).execute(&mut **connection).await;
                done.map(|done| done.rows_affected())
            }
            Connection::Postgres(connection) => {
                let done = bound!(sql, values).execute(&mut **connection).await;
                done.map(|done| done.rows_affected())
            }
        }
        .map_err(|trouble| fault(&trouble))
    }

    /// Asks for rows.
    pub async fn fetch(&mut self, sql: &str, values: Vec<Value>) -> Result<Vec<Row>, Fault> {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Connection::Sqlite(connection) => {
                let rows = bound!(sql, values).fetch_all(&mut **connection).await;
                rows.map(|rows| rows.into_iter().map(Row::Sqlite).collect())
            }
            Connection::Postgres(connection) => {
                let rows = bound!(sql, values).fetch_all(&mut **connection).await;
                rows.map(|rows| rows.into_iter().map(Row::Postgres).collect())
            }
        }
        .map_err(|trouble| fault(&trouble))
    }

    /// Asks for the first row, where there is one.
    pub async fn first(&mut self, sql: &str, values: Vec<Value>) -> Result<Option<Row>, Fault> {
        Ok(self.fetch(sql, values).await?.into_iter().next())
    }

    /// Does something that takes no values and must not be prepared: begin, commit, roll back.
    pub async fn command(&mut self, sql: &'static str) -> Result<(), Fault> {
        match self {
            Connection::Sqlite(connection) => connection.execute(sqlx::raw_sql(sql)).await.map(drop),
            Connection::Postgres(connection) => connection.execute(sqlx::raw_sql(sql)).await.map(drop),
        }
        .map_err(|trouble| fault(&trouble))
    }

    /// Gives the connection up for good instead of back to its pool: nobody knows what state it is in.
    pub async fn discard(self) {
        // What closing it says does not matter any more.
        let _ = match self {
            Connection::Sqlite(connection) => connection.close().await,
            Connection::Postgres(connection) => connection.close().await,
        };
    }
}

/// Placeholders for a list of values, the first being number `first`: `$3, $4, $5`. An empty list is `NULL`, which
/// matches nothing.
pub fn placeholders(first: usize, count: usize) -> String {
    if count == 0 {
        return "NULL".to_owned();
    }
    (first..first + count).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ")
}
