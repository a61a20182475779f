//! Rosters: who stays where, when. What they say of the next two days stands as expected sessions, which anybody may then
//! change; those that nobody has touched follow the roster.

mod expect;
mod table;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::change::{self, Batch, kept};
use super::page::{self, Listed, PageQuery};
use super::problem::Problem;
use super::read::{Path, Query};
use super::version::{Condition, etag, tagged};
use crate::access::{self, Caller, Permission, SiteRef};
use crate::resource::roster::{KeptRoster, RosterHead, RosterPut, RosterRow};
use crate::service::Service;
use crate::store::{Key, Kind};

pub use expect::keep_expected;

/// The routes of rosters.
pub fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new().routes(routes!(list_rosters)).routes(routes!(get_roster, put_roster, delete_roster))
}

/// List rosters
#[utoipa::path(
    get, path = "/v1/sites/{site}/rosters", tag = "vehicles",
    params(("site" = String, Path, description = "The site's id."), PageQuery),
    responses((status = 200, description = "A page of rosters.", body = Listed<RosterHead>)),
)]
async fn list_rosters(
    State(service): State<Service>,
    caller: Caller,
    Path(site): Path<String>,
    Query(page): Query<PageQuery>,
) -> Result<axum::Json<Listed<RosterHead>>, Problem> {
    let site = access::at_site(&service, &caller, Permission::See, &site).await?;
    let found = service.store.list(&page.of(Kind::Roster, &site.id)?).await?;
    let next = page::next(&found);
    let mut items = Vec::with_capacity(found.items.len());
    for document in found.items {
        let KeptRoster { rows, .. } = kept(&document)?;
        items.push(RosterHead { id: document.key.id, version: document.version, changed: document.at, rows });
    }
    Ok(axum::Json(Listed { items, next }))
}

/// Read a roster
///
/// As rows, or with `Accept: text/csv` as a table.
#[utoipa::path(
    get, path = "/v1/sites/{site}/rosters/{roster}", tag = "vehicles",
    params(
        ("site" = String, Path, description = "The site's id."),
        ("roster" = String, Path, description = "The roster's name."),
    ),
    responses((status = 200, description = "The roster.", content(
        (Vec<RosterRow> = "application/json"), (String = "text/csv"),
    ))),
)]
async fn get_roster(
    State(service): State<Service>,
    caller: Caller,
    headers: HeaderMap,
    Path((site, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let site = access::at_site(&service, &caller, Permission::See, &site).await?;
    let document = change::read(&service, &key(&site, &id)).await?;
    let roster: KeptRoster = kept(&document)?;
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains("text/csv") {
        let kind = HeaderValue::from_static("text/csv; charset=utf-8");
        return Ok(([(header::CONTENT_TYPE, kind), (header::ETAG, etag(document.version))], roster.csv).into_response());
    }
    Ok(tagged(&headers, document.version, &table::rows(&roster.csv)))
}

/// Put a roster
///
/// One row for a stay, or for the same stay every week; columns as `docs/formats/inputs.md` lists them. As CSV, as a workbook, or as
/// JSON rows with the same columns. A departure or need that a row leaves open is unknown.
#[utoipa::path(
    put, path = "/v1/sites/{site}/rosters/{roster}", tag = "vehicles",
    params(
        ("site" = String, Path, description = "The site's id."),
        ("roster" = String, Path, description = "The roster's name, yours to choose."),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the version to be replaced."),
    ),
    request_body(content((Vec<RosterRow> = "application/json"), (String = "text/csv"),
        (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))),
    responses(
        (status = 200, description = "Replaced.", body = RosterPut),
        (status = 201, description = "Made.", body = RosterPut),
    ),
)]
async fn put_roster(
    State(service): State<Service>,
    caller: Caller,
    Path((site, id)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    let site = access::at_site(&service, &caller, Permission::Operate, &site).await?;
    let (_, what) = change::site(&service, &site).await?;
    let condition = Condition::of(request.headers())?;
    let csv = table::of_request(&service, request).await?;
    let roster = table::parsed(&csv, &what)?;
    let was = service.store.read(&key(&site, &id), None).await?;
    condition.check(was.as_ref().map(|was| was.version))?;
    let before = was.as_ref().map(kept::<KeptRoster>).transpose()?;
    let kept = KeptRoster { csv, rows: roster.rows.len() };
    let plan = expect::plan(&service, &site, &what, &id, before.as_ref(), Some(&kept), caller.at).await?;
    let mut batch = Batch::at_site(&caller, &site);
    batch.put(key(&site, &id), was.as_ref().map(|was| was.version), change::body(&kept)?);
    batch.also(plan.changes()?);
    let version = batch.write(&service).await?.first().map_or(1, |written| written.version);
    let put = RosterPut { id, version, rows: kept.rows, expected: plan.expected };
    plan.tell(&service, &site).await;
    let status = if was.is_none() { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, [(header::ETAG, etag(version))], axum::Json(put)).into_response())
}

/// Delete a roster
///
/// With the expected sessions that it made and nobody has touched.
#[utoipa::path(
    delete, path = "/v1/sites/{site}/rosters/{roster}", tag = "vehicles",
    params(
        ("site" = String, Path, description = "The site's id."),
        ("roster" = String, Path, description = "The roster's name."),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the version to be deleted."),
    ),
    responses((status = 204, description = "Deleted.")),
)]
async fn delete_roster(
    State(service): State<Service>,
    caller: Caller,
    headers: HeaderMap,
    Path((site, id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let site = access::at_site(&service, &caller, Permission::Operate, &site).await?;
    let document = change::read(&service, &key(&site, &id)).await?;
    Condition::of(&headers)?.check(Some(document.version))?;
    let (_, what) = change::site(&service, &site).await?;
    let before: KeptRoster = kept(&document)?;
    let plan = expect::plan(&service, &site, &what, &id, Some(&before), None, caller.at).await?;
    let mut batch = Batch::at_site(&caller, &site);
    batch.delete(document.key, document.version);
    batch.also(plan.changes()?);
    batch.write(&service).await?;
    plan.tell(&service, &site).await;
    Ok(StatusCode::NO_CONTENT)
}

fn key(site: &SiteRef, id: &str) -> Key {
    Key::new(Kind::Roster, &site.id, id)
}
