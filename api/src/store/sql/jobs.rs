//! Jobs in SQL.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::super::fault::Fault;
use super::super::job::{Job, JobState, NewJob};
use super::connection::{Connection, placeholders};
use super::trouble::corrupt;
use super::value::{Row, Value};

/// The columns that [`job`] reads.
pub const COLUMNS: &str =
    "id, kind, tenant, site, once, due, input, state, attempts, progress, result, error, made, changed, lease";

/// Puts a job in the queue, unless its id is there or its `once` name is taken.
pub async fn enqueue(connection: &mut Connection, at: DateTime<Utc>, job: &NewJob) -> Result<(), Fault> {
    let values = vec![
        job.id.to_string().into(),
        job.kind.as_str().into(),
        job.tenant.as_str().into(),
        job.site.clone().into(),
        job.once.clone().into(),
        job.due.into(),
        job.input.to_string().into(),
        JobState::Waiting.name().into(),
        at.into(),
    ];
    let sql = "INSERT INTO job (id, kind, tenant, site, once, due, input, state, attempts, progress, made, changed)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0.0, $9, $9) ON CONFLICT DO NOTHING";
    connection.execute(sql, values).await.map(drop)
}

/// Cancels a job that has not ended.
pub async fn cancel(connection: &mut Connection, at: DateTime<Utc>, id: Uuid) -> Result<(), Fault> {
    let values = vec![id.to_string().into(), at.into(), JobState::Cancelled.name().into()];
    let sql = "UPDATE job SET state = $3, changed = $2, lease = NULL WHERE id = $1 AND state IN ('waiting', 'running')";
    connection.execute(sql, values).await.map(drop)
}

/// The job of one of some kinds that has waited longest, claimed until `lease_until`.
pub async fn claim(
    connection: &mut Connection,
    kinds: &[String],
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
) -> Result<Option<Job>, Fault> {
    let mut values = vec![Value::from(now), lease_until.into()];
    values.extend(kinds.iter().map(|kind| Value::from(kind.as_str())));
    let sql = format!(
        "UPDATE job SET state = 'running', attempts = attempts + 1, lease = $2, changed = $1 WHERE id = (
            SELECT id FROM job WHERE state IN ('waiting', 'running') AND (state = 'waiting' OR lease <= $1)
            AND due <= $1 AND kind IN ({}) ORDER BY due, id LIMIT 1{}) RETURNING {COLUMNS}",
        placeholders(3, kinds.len()),
        connection.dialect().skip_locked()
    );
    connection.first(&sql, values).await?.as_ref().map(job).transpose()
}

/// Writes down how a claimed job goes; `false`, it is somebody else's by now.
pub async fn report(connection: &mut Connection, job: &Job) -> Result<bool, Fault> {
    let values = vec![
        Value::from(job.what.id.to_string()),
        job.attempts.into(),
        job.state.name().into(),
        job.progress.into(),
        job.result.as_ref().map(ToString::to_string).into(),
        job.error.clone().into(),
        job.changed.into(),
        job.what.due.into(),
        Value::Int(job.lease_until.map(|until| until.timestamp_micros())),
    ];
    let sql = "UPDATE job SET state = $3, progress = $4, result = $5, error = $6, changed = $7, due = $8,
        lease = CASE WHEN $3 = 'running' THEN COALESCE($9, lease) END
        WHERE id = $1 AND attempts = $2 AND state = 'running'";
    Ok(connection.execute(sql, values).await? > 0)
}

/// A job by its id.
pub async fn read(connection: &mut Connection, id: Uuid) -> Result<Option<Job>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM job WHERE id = $1");
    connection.first(&sql, vec![id.to_string().into()]).await?.as_ref().map(job).transpose()
}

/// Jobs of some tenants, the newest first.
pub async fn list(
    connection: &mut Connection,
    tenants: Option<&[String]>,
    before: Option<Uuid>,
    limit: u32,
) -> Result<Vec<Job>, Fault> {
    let before = before.map_or_else(|| Uuid::max().to_string(), |id| id.to_string());
    let mut values = vec![Value::from(before), limit.into()];
    let mut wheres = String::new();
    if let Some(tenants) = tenants {
        wheres = format!(" AND tenant IN ({})", placeholders(3, tenants.len()));
        values.extend(tenants.iter().map(|tenant| Value::from(tenant.as_str())));
    }
    let sql = format!("SELECT {COLUMNS} FROM job WHERE id < $1{wheres} ORDER BY id DESC LIMIT $2");
    let rows = connection.fetch(&sql, values).await?;
    rows.iter().map(job).collect()
}

/// Drops some jobs that ended before `until`. How many went.
pub async fn forget(connection: &mut Connection, until: DateTime<Utc>, limit: u32) -> Result<u64, Fault> {
    let sql = "DELETE FROM job WHERE id IN (
        SELECT id FROM job WHERE state NOT IN ('waiting', 'running') AND changed < $1 ORDER BY id LIMIT $2)";
    connection.execute(sql, vec![until.into(), limit.into()]).await
}

/// A job.
pub fn job(row: &Row) -> Result<Job, Fault> {
    let id = row.text(0)?;
    let state = row.text(7)?;
    let attempts = row.int(8)?;
    Ok(Job {
        what: NewJob {
            id: Uuid::parse_str(&id).map_err(|fault| corrupt(format!("job {id}: {fault}")))?,
            kind: row.text(1)?,
            tenant: row.text(2)?,
            site: row.text_or_none(3)?,
            once: row.text_or_none(4)?,
            due: row.time(5)?,
            input: row.json(6)?,
        },
        state: JobState::ALL
            .into_iter()
            .find(|known| known.name() == state)
            .ok_or_else(|| corrupt(format!("job {id} is in state {state}")))?,
        attempts: u32::try_from(attempts).map_err(|_| corrupt(format!("job {id} was tried {attempts} times")))?,
        progress: row.real(9)?,
        result: row.json_or_none(10)?,
        error: row.text_or_none(11)?,
        made: row.time(12)?,
        changed: row.time(13)?,
        lease_until: row.int_or_none(14)?.map(super::value::time).transpose()?,
    })
}
