//! Logs: what an operator should know, and who changed what.

use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::{Listed, PageQuery, cursor};
use super::problem::Problem;
use super::read::{Path, Query};
use crate::access::audit::Audit;
use crate::access::{self, Caller, Permission};
use crate::resource::status::Alarm;
use crate::service::Service;
use crate::store::{Entry, Fault, LogPage, Stream};

/// The routes of logs.
pub fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new().routes(routes!(list_alarms)).routes(routes!(list_audit))
}

/// An alarm that was raised.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Alarmed {
    /// Its number in the log.
    pub number: u64,
    /// When it was raised.
    pub at: DateTime<Utc>,
    /// What it says.
    #[schema(value_type = Alarm)]
    pub alarm: Value,
}

/// An entry of the audit log.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Audited {
    /// Its number in the log.
    pub number: u64,
    /// When.
    pub at: DateTime<Utc>,
    /// At which tenant.
    pub tenant: String,
    /// At which site, where at one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// Who did what.
    #[serde(flatten)]
    pub what: Audit,
}

/// Which audit entries.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// How many items at most; 100 where nothing is said. More than 1,000 is refused.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Only of this site.
    site: Option<String>,
    /// Only of this tenant; all at which the caller may audit where nothing is said.
    tenant: Option<String>,
}

/// List alarms
///
/// Those that were raised at a site, the oldest first. Those that are so now stand in the status.
#[utoipa::path(
    get, path = "/v1/sites/{site}/alarms", tag = "control",
    params(("site" = String, Path, description = "The site's id."), PageQuery),
    responses((status = 200, description = "A page of alarms.", body = Listed<Alarmed>)),
)]
async fn list_alarms(
    State(service): State<Service>,
    caller: Caller,
    Path(site): Path<String>,
    Query(page): Query<PageQuery>,
) -> Result<axum::Json<Listed<Alarmed>>, Problem> {
    let site = access::at_site(&service, &caller, Permission::Analyse, &site).await?;
    let ask = LogPage {
        stream: Stream::Alarm,
        tenants: None,
        site: Some(site.id),
        after: page.after()?.unwrap_or(0),
        limit: page.limit()?,
    };
    let entries = service.store.log(&ask).await?;
    let next = next(&entries, ask.limit);
    let alarm = |entry: Entry| Alarmed { number: entry.number, at: entry.at, alarm: entry.what.body };
    Ok(axum::Json(Listed { items: entries.into_iter().map(alarm).collect(), next }))
}

/// The audit log
///
/// Who changed what, the oldest first: people and programs by their ids, the versions before and after.
#[utoipa::path(
    get, path = "/v1/audit", tag = "audit", params(AuditQuery),
    responses((status = 200, description = "A page of entries.", body = Listed<Audited>)),
)]
async fn list_audit(
    State(service): State<Service>,
    caller: Caller,
    Query(query): Query<AuditQuery>,
) -> Result<axum::Json<Listed<Audited>>, Problem> {
    let (tenants, site) = match (&query.site, &query.tenant) {
        (Some(_), Some(_)) => return Err(Problem::parameter("tenant", "stands beside site; ask for one of them")),
        (Some(site), None) => {
            let site = access::at_site(&service, &caller, Permission::Audit, site).await?;
            (vec![site.tenant], Some(site.id))
        }
        (None, Some(tenant)) => (vec![access::at_tenant(&service, &caller, Permission::Audit, tenant).await?.id], None),
        (None, None) => {
            access::anywhere(&caller, Permission::Audit)?;
            (access::reach(&service, &caller, Permission::Audit).await?.tenants, None)
        }
    };
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let (after, limit) = (page.after()?.unwrap_or(0), page.limit()?);
    let ask = LogPage { stream: Stream::Audit, tenants: Some(tenants), site, after, limit };
    let entries = service.store.log(&ask).await?;
    let next = next(&entries, limit);
    Ok(axum::Json(Listed { items: entries.into_iter().map(audited).collect::<Result<_, _>>()?, next }))
}

fn audited(entry: Entry) -> Result<Audited, Fault> {
    let what = serde_json::from_value(entry.what.body)
        .map_err(|why| Fault::Corrupt(format!("audit {}: {why}", entry.number)))?;
    Ok(Audited { number: entry.number, at: entry.at, tenant: entry.what.tenant, site: entry.what.site, what })
}

/// The cursor of the next page, when this one is full.
fn next(entries: &[Entry], limit: u32) -> Option<String> {
    entries.last().filter(|_| entries.len() == limit as usize).and_then(|last| cursor(&last.number))
}
