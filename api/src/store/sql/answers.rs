//! Answers that are remembered under idempotency keys, in SQL.

use chrono::{DateTime, Utc};

use super::super::fault::Fault;
use super::connection::Connection;
use super::trouble::unavailable;
use super::value::Value;

/// An answer to be remembered.
#[derive(Debug, Clone)]
pub struct NewAnswer {
    /// The idempotency key, with whom it belongs to.
    pub name: String,
    /// A hash of the request.
    pub request: String,
    /// What was answered; `None`, not yet.
    pub answer: Option<serde_json::Value>,
    /// How long.
    pub until: DateTime<Utc>,
}

/// What stands for an answer that is not written yet.
const NOT_YET: &str = "null";

/// Remembers an answer under a name of which [`is_known`] has said that it may be.
pub async fn remember(connection: &mut Connection, at: DateTime<Utc>, new: &NewAnswer) -> Result<(), Fault> {
    let values = vec![
        Value::from(new.name.as_str()),
        new.request.as_str().into(),
        new.answer.as_ref().map_or_else(|| NOT_YET.to_owned(), ToString::to_string).into(),
        new.until.into(),
        at.into(),
    ];
    let sql = "INSERT INTO answer (name, request, answer, until) VALUES ($1, $2, $3, $4)
        ON CONFLICT (name) DO UPDATE SET request = excluded.request, answer = excluded.answer, until = excluded.until
        WHERE answer.until <= $5 OR (answer.answer = 'null' AND answer.request = excluded.request)";
    match connection.execute(sql, values).await? {
        0 => Err(unavailable("the same request was answered by somebody else at the same time")),
        _ => Ok(()),
    }
}

/// Whether something is remembered already that an answer may not replace: only the answer to the same request may follow
/// where it is not written yet.
pub async fn is_known(connection: &mut Connection, at: DateTime<Utc>, new: &NewAnswer) -> Result<bool, Fault> {
    let sql = "SELECT request, answer FROM answer WHERE name = $1 AND until > $2";
    let Some(row) = connection.first(sql, vec![new.name.as_str().into(), at.into()]).await? else { return Ok(false) };
    let follows = new.answer.is_some() && row.text(1)? == NOT_YET && row.text(0)? == new.request;
    Ok(!follows)
}

/// What was asked and answered under a name, where it has not run out; no answer, it is not written.
pub async fn recall(
    connection: &mut Connection,
    name: &str,
    now: DateTime<Utc>,
) -> Result<Option<(String, Option<serde_json::Value>)>, Fault> {
    let sql = "SELECT request, answer FROM answer WHERE name = $1 AND until > $2";
    let row = connection.first(sql, vec![name.into(), now.into()]).await?;
    row.map(|row| Ok((row.text(0)?, Some(row.json(1)?).filter(|answer: &serde_json::Value| !answer.is_null()))))
        .transpose()
}

/// Drops some of those that have run out. How many went.
pub async fn forget(connection: &mut Connection, until: DateTime<Utc>, limit: u32) -> Result<u64, Fault> {
    let sql = "DELETE FROM answer WHERE name IN (SELECT name FROM answer WHERE until <= $1 ORDER BY until LIMIT $2)";
    connection.execute(sql, vec![until.into(), limit.into()]).await
}
