//! Documents in SQL: every version in `document`, the newest of each in `document_head`.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::super::document::{Document, Expect, Key, Kind, List, Page, Written};
use super::super::fault::Fault;
use super::connection::{Connection, placeholders};
use super::trouble::{corrupt, unavailable};
use super::value::{Row, Value};

/// The newest version of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Head {
    version: u64,
    is_deleted: bool,
}

/// The newest versions of the documents that a batch is about, as they become while it is gone through. Nothing is
/// written before the whole batch is known to be possible.
pub struct Heads {
    known: HashMap<Key, Option<Head>>,
    rows: Vec<(Key, u64, Option<String>)>,
    erased: Vec<Key>,
}

impl Heads {
    /// What there is of some keys, held until the transaction ends.
    pub async fn of(connection: &mut Connection, mut keys: Vec<Key>) -> Result<Heads, Fault> {
        // In one order, so that two who want the same rows do not wait for each other.
        keys.sort();
        keys.dedup();
        let sql = format!(
            "SELECT version, deleted FROM document_head WHERE kind = $1 AND owner = $2 AND id = $3{}",
            connection.dialect().for_update()
        );
        let mut known = HashMap::new();
        for key in keys {
            let head = match connection.first(&sql, named(&key)).await? {
                Some(row) => Some(Head { version: row.count(0)?, is_deleted: row.int(1)? != 0 }),
                None => None,
            };
            known.insert(key, head);
        }
        Ok(Heads { known, rows: Vec::new(), erased: Vec::new() })
    }

    fn head(&self, key: &Key) -> Option<Head> {
        self.known.get(key).copied().flatten()
    }

    fn check(&self, key: &Key, expect: Expect) -> Result<(), Fault> {
        let found = self.head(key).filter(|head| !head.is_deleted).map(|head| head.version);
        let is_met = match expect {
            Expect::Any => true,
            Expect::Absent => found.is_none(),
            Expect::Version(version) => found == Some(version),
        };
        if is_met { Ok(()) } else { Err(Fault::Conflict { key: key.clone(), found }) }
    }

    /// Puts a document.
    pub fn put(&mut self, key: Key, body: &serde_json::Value, expect: Expect) -> Result<Written, Fault> {
        self.check(&key, expect)?;
        Ok(self.next(key, Some(body.to_string())))
    }

    /// Deletes a document. Where there is none nothing happens, and the answer is the version of its last deletion, 0
    /// without one.
    pub fn delete(&mut self, key: Key, expect: Expect) -> Result<Written, Fault> {
        self.check(&key, expect)?;
        match self.head(&key) {
            Some(head) if !head.is_deleted => Ok(self.next(key, None)),
            head => Ok(Written { key, version: head.map_or(0, |head| head.version) }),
        }
    }

    /// Erases a document with all its versions.
    pub fn erase(&mut self, key: Key) {
        self.rows.retain(|(other, _, _)| *other != key);
        self.known.insert(key.clone(), None);
        self.erased.push(key);
    }

    fn next(&mut self, key: Key, body: Option<String>) -> Written {
        let version = self.head(&key).map_or(1, |head| head.version + 1);
        self.known.insert(key.clone(), Some(Head { version, is_deleted: body.is_none() }));
        self.rows.push((key.clone(), version, body));
        Written { key, version }
    }

    /// Writes what has become of them.
    pub async fn write(self, connection: &mut Connection, at: DateTime<Utc>) -> Result<(), Fault> {
        for key in &self.erased {
            let sql = "DELETE FROM document WHERE kind = $1 AND owner = $2 AND id = $3";
            connection.execute(sql, named(key)).await?;
            let sql = "DELETE FROM document_head WHERE kind = $1 AND owner = $2 AND id = $3";
            connection.execute(sql, named(key)).await?;
        }
        for (key, version, body) in self.rows {
            let mut values = named(&key);
            values.extend([Value::from(version), at.into(), body.into()]);
            let sql = "INSERT INTO document (kind, owner, id, version, at, body) VALUES ($1, $2, $3, $4, $5, $6)";
            connection.execute(sql, values).await?;
            let Some(Some(head)) = self.known.get(&key) else { continue };
            if head.version != version {
                continue;
            }
            let mut values = named(&key);
            values.extend([Value::from(version), head.is_deleted.into(), Value::from(version - 1)]);
            // A version that somebody else has put meanwhile is not put again.
            let sql = "INSERT INTO document_head (kind, owner, id, version, deleted) VALUES ($1, $2, $3, $4, $5)
                ON CONFLICT (kind, owner, id) DO UPDATE SET version = excluded.version, deleted = excluded.deleted
                WHERE document_head.version <= $6";
            if connection.execute(sql, values).await? == 0 {
                return Err(unavailable(format!("{key} was changed by somebody else at the same time")));
            }
        }
        Ok(())
    }
}

fn named(key: &Key) -> Vec<Value> {
    vec![key.kind.name().into(), key.owner.as_str().into(), key.id.as_str().into()]
}

/// A document as it is, or as it was known at an instant.
pub async fn read(
    connection: &mut Connection,
    key: &Key,
    as_of: Option<DateTime<Utc>>,
) -> Result<Option<Document>, Fault> {
    let mut values = named(key);
    let sql = match as_of {
        None => {
            "SELECT kind, owner, id, version, at, body FROM document WHERE kind = $1 AND owner = $2 AND id = $3
            ORDER BY version DESC LIMIT 1"
        }
        Some(at) => {
            values.push(at.into());
            "SELECT kind, owner, id, version, at, body FROM document WHERE kind = $1 AND owner = $2 AND id = $3 AND at <= $4
            ORDER BY version DESC LIMIT 1"
        }
    };
    let row = connection.first(sql, values).await?;
    let found = row.map(|row| any(&row)).transpose()?;
    Ok(found.filter(|document| document.body.is_some()))
}

/// Documents of one kind, ordered by owner and id.
pub async fn list(connection: &mut Connection, ask: &List) -> Result<Page<Document>, Fault> {
    let mut values: Vec<Value> = vec![ask.kind.name().into()];
    let mut wheres = String::new();
    let mut put = |value: Value| {
        values.push(value);
        values.len()
    };
    if let Some(owners) = &ask.owners {
        let numbers: Vec<usize> = owners.iter().map(|owner| put(owner.as_str().into())).collect();
        let first = numbers.first().copied().unwrap_or_default();
        wheres += &format!(" AND head.owner IN ({})", placeholders(first, numbers.len()));
    }
    if !ask.prefix.is_empty() {
        let prefix = put(ask.prefix.as_str().into());
        let length = put(Value::from(i64::try_from(ask.prefix.chars().count()).unwrap_or(i64::MAX)));
        let start = format!("substr(head.id, 1, CAST(${length} AS INTEGER))");
        wheres += &format!(" AND head.id >= ${prefix} AND {start} = ${prefix}");
    }
    if let Some((owner, id)) = &ask.after {
        let owner = put(owner.as_str().into());
        let id = put(id.as_str().into());
        wheres += &format!(" AND (head.owner, head.id) > (${owner}, ${id})");
    }
    let version = match ask.as_of {
        None => "head.version".to_owned(),
        Some(at) => {
            let at = put(at.into());
            format!(
                "(SELECT old.version FROM document old WHERE old.kind = head.kind AND old.owner = head.owner
                AND old.id = head.id AND old.at <= ${at} ORDER BY old.version DESC LIMIT 1)"
            )
        }
    };
    let limit = put(Value::from(i64::from(ask.limit) + 1));
    let sql = format!(
        "SELECT head.kind, head.owner, head.id, doc.version, doc.at, doc.body FROM document_head head
        JOIN document doc ON doc.kind = head.kind AND doc.owner = head.owner AND doc.id = head.id
        AND doc.version = {version}
        WHERE head.kind = $1 AND doc.body IS NOT NULL{wheres} ORDER BY head.owner, head.id LIMIT ${limit}"
    );
    let rows = connection.fetch(&sql, values).await?;
    let more = rows.len() > ask.limit as usize;
    let items = rows.iter().take(ask.limit as usize).map(any).collect::<Result<_, _>>()?;
    Ok(Page { items, more })
}

/// All versions of a document, the newest first.
pub async fn history(
    connection: &mut Connection,
    key: &Key,
    before: Option<u64>,
    limit: u32,
) -> Result<Vec<Document>, Fault> {
    let mut values = named(key);
    values.extend([Value::from(before.unwrap_or(u64::MAX)), limit.into()]);
    let sql = "SELECT kind, owner, id, version, at, body FROM document WHERE kind = $1 AND owner = $2 AND id = $3
        AND version < $4 ORDER BY version DESC LIMIT $5";
    let rows = connection.fetch(sql, values).await?;
    rows.iter().map(any).collect()
}

/// Drops some versions of a kind that were superseded before an instant, and deletions with nothing before them. How many went.
pub async fn forget(connection: &mut Connection, kind: Kind, until: DateTime<Utc>, limit: u32) -> Result<u64, Fault> {
    let values = vec![kind.name().into(), until.into(), limit.into()];
    let sql = "DELETE FROM document WHERE kind = $1 AND (owner, id, version) IN (
            SELECT old.owner, old.id, old.version FROM document old
            JOIN document next ON next.kind = old.kind AND next.owner = old.owner AND next.id = old.id
                AND next.version = old.version + 1
            WHERE old.kind = $1 AND next.at < $2 ORDER BY old.owner, old.id, old.version LIMIT $3)";
    connection.execute(sql, values).await
}

/// The columns that [`any`] reads.
pub const COLUMNS: &str = "kind, owner, id, version, at, body";

/// A document of any kind.
pub fn any(row: &Row) -> Result<Document, Fault> {
    let kind = row.text(0)?;
    let kind = Kind::of(&kind).ok_or_else(|| corrupt(format!("there is no kind {kind}")))?;
    let key = Key::new(kind, row.text(1)?, row.text(2)?);
    let body = row.json_or_none(5).map_err(|fault| corrupt(format!("{key}: {fault}")))?;
    Ok(Document { key, version: row.count(3)?, at: row.time(4)?, body })
}
