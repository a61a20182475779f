//! Plans in SQL: their heads as they are, the rest compressed.

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use uuid::Uuid;

use super::super::fault::Fault;
use super::super::plan::{KeptPlan, PlanHead};
use super::connection::Connection;
use super::trouble::{corrupt, unavailable};
use super::value::{Row, Value};

/// How hard zstd tries: its default. Instances are repetitive; higher levels save little and cost a multiple.
const LEVEL: i32 = 3;

/// A plan as it is written.
#[derive(Debug, Clone)]
pub struct PackedPlan {
    head: PlanHead,
    instance: Vec<u8>,
    plan: Vec<u8>,
}

/// Compresses a plan with all it was made from.
pub fn pack(kept: &KeptPlan) -> Result<PackedPlan, Fault> {
    let packed = |json: &Json| zstd::encode_all(json.to_string().as_bytes(), LEVEL).map_err(unavailable);
    Ok(PackedPlan { head: kept.head.clone(), instance: packed(&kept.instance)?, plan: packed(&kept.plan)? })
}

/// Keeps a plan; one that is there already stays as it is.
pub async fn keep(connection: &mut Connection, kept: &PackedPlan) -> Result<(), Fault> {
    let values = vec![
        kept.head.id.to_string().into(),
        kept.head.site.as_str().into(),
        kept.head.at.into(),
        kept.head.summary.to_string().into(),
        kept.instance.clone().into(),
        kept.plan.clone().into(),
    ];
    let sql = "INSERT INTO plan (id, site, at, summary, instance, plan) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT DO NOTHING";
    connection.execute(sql, values).await.map(drop)
}

/// A plan with all it was made from.
pub async fn read(connection: &mut Connection, id: Uuid) -> Result<Option<KeptPlan>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM plan WHERE id = $1");
    connection.first(&sql, vec![id.to_string().into()]).await?.as_ref().map(whole).transpose()
}

/// The columns that [`whole`] reads.
pub const COLUMNS: &str = "id, site, at, summary, instance, plan";

/// A plan with all it was made from.
pub fn whole(row: &Row) -> Result<KeptPlan, Fault> {
    let head = head(row)?;
    let (instance, plan) = (unpack(head.id, &row.bytes(4)?)?, unpack(head.id, &row.bytes(5)?)?);
    Ok(KeptPlan { head, instance, plan })
}

/// The plans of a site made before an instant, the newest first.
pub async fn list(
    connection: &mut Connection,
    site: &str,
    before: DateTime<Utc>,
    limit: u32,
) -> Result<Vec<PlanHead>, Fault> {
    let sql = "SELECT id, site, at, summary FROM plan WHERE site = $1 AND at < $2 ORDER BY at DESC, id DESC LIMIT $3";
    let rows = connection.fetch(sql, vec![site.into(), before.into(), limit.into()]).await?;
    rows.iter().map(head).collect()
}

/// Drops some plans made before `until`, but for the newest of each site. How many went.
pub async fn forget(connection: &mut Connection, until: DateTime<Utc>, limit: u32) -> Result<u64, Fault> {
    let values: Vec<Value> = vec![until.into(), limit.into()];
    let sql = "DELETE FROM plan WHERE id IN (
        SELECT old.id FROM plan old WHERE old.at < $1 AND EXISTS (
            SELECT 1 FROM plan newer WHERE newer.site = old.site AND (newer.at, newer.id) > (old.at, old.id))
        ORDER BY old.id LIMIT $2)";
    connection.execute(sql, values).await
}

fn head(row: &Row) -> Result<PlanHead, Fault> {
    let id = row.text(0)?;
    let id = Uuid::parse_str(&id).map_err(|fault| corrupt(format!("plan {id}: {fault}")))?;
    Ok(PlanHead { id, site: row.text(1)?, at: row.time(2)?, summary: row.json(3)? })
}

fn unpack(id: Uuid, packed: &[u8]) -> Result<Json, Fault> {
    let text = zstd::decode_all(packed).map_err(|fault| corrupt(format!("plan {id}: {fault}")))?;
    serde_json::from_slice(&text).map_err(|fault| corrupt(format!("plan {id}: {fault}")))
}
