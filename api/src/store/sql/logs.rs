//! Logs in SQL.

use chrono::{DateTime, Utc};

use super::super::fault::Fault;
use super::super::log::{Entry, LogPage, NewEntry, Stream};
use super::connection::{Connection, placeholders};
use super::insert::insert;
use super::trouble::corrupt;
use super::value::{Row, Value};

/// Appends entries. Their numbers come from a row that stays locked until the transaction ends: whoever has read up to a
/// number has missed none below it.
pub async fn append(connection: &mut Connection, at: DateTime<Utc>, entries: &[NewEntry]) -> Result<(), Fault> {
    if entries.is_empty() {
        return Ok(());
    }
    let count = Value::from(entries.len() as u64);
    let row = connection
        .first("UPDATE counter SET value = value + $1 WHERE name = 'log' RETURNING value", vec![count])
        .await?
        .ok_or_else(|| corrupt("the counter of log entries is gone"))?;
    let first = row.count(0)? + 1 - entries.len() as u64;
    let rows = (first..).zip(entries).map(|(number, entry)| {
        vec![
            Value::from(number),
            entry.stream.name().into(),
            at.into(),
            entry.tenant.as_str().into(),
            entry.site.clone().into(),
            entry.body.to_string().into(),
        ]
    });
    insert(connection, "INSERT INTO log (number, stream, at, tenant, site, body)", "", rows.collect()).await
}

/// Entries of a log, the oldest first, after a number.
pub async fn page(connection: &mut Connection, ask: &LogPage) -> Result<Vec<Entry>, Fault> {
    let mut values = vec![ask.stream.name().into(), Value::from(ask.after), ask.limit.into()];
    let mut wheres = String::new();
    if let Some(site) = &ask.site {
        values.push(site.as_str().into());
        wheres += &format!(" AND site = ${}", values.len());
    }
    if let Some(tenants) = &ask.tenants {
        wheres += &format!(" AND tenant IN ({})", placeholders(values.len() + 1, tenants.len()));
        values.extend(tenants.iter().map(|tenant| Value::from(tenant.as_str())));
    }
    let sql = format!("SELECT {COLUMNS} FROM log WHERE stream = $1 AND number > $2{wheres} ORDER BY number LIMIT $3");
    let rows = connection.fetch(&sql, values).await?;
    rows.iter().map(any).collect()
}

/// Drops some entries of one log that are older than `until`. How many went.
pub async fn forget(
    connection: &mut Connection,
    stream: Stream,
    until: DateTime<Utc>,
    limit: u32,
) -> Result<u64, Fault> {
    let values = vec![stream.name().into(), until.into(), limit.into()];
    let sql = "DELETE FROM log WHERE number IN (
        SELECT number FROM log WHERE stream = $1 AND at < $2 ORDER BY at LIMIT $3)";
    connection.execute(sql, values).await
}

/// The columns that [`any`] reads.
pub const COLUMNS: &str = "number, stream, at, tenant, site, body";

/// An entry of any log.
pub fn any(row: &Row) -> Result<Entry, Fault> {
    let stream = row.text(1)?;
    let stream = Stream::ALL.into_iter().find(|known| known.name() == stream);
    let stream = stream.ok_or_else(|| corrupt("it is in no log that there is"))?;
    Ok(Entry {
        number: row.count(0)?,
        at: row.time(2)?,
        what: NewEntry { stream, tenant: row.text(3)?, site: row.text_or_none(4)?, body: row.json(5)? },
    })
}
