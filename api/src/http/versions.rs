//! The versions of a site: when each became known, and what it said.

use axum::extract::State;
use axum::response::Response;
use axum::{Json as Answer, http::HeaderMap};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::change::{kept, site_key};
use super::page::{Listed, PageQuery, cursor};
use super::problem::Problem;
use super::read::{Path, Query};
use super::version::tagged;
use crate::access::{self, Caller, Permission};
use crate::resource::site::SiteBody;
use crate::service::Service;

/// The routes of versions.
pub fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new().routes(routes!(list_versions)).routes(routes!(get_version))
}

/// A version of a site.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SiteVersion {
    /// Its number: 1 for the first.
    pub version: u64,
    /// When it became known.
    pub at: DateTime<Utc>,
    /// Whether the site was deleted in it.
    pub deleted: bool,
}

/// List a site's versions
///
/// The newest first. Who made them stands in the audit log.
#[utoipa::path(
    get, path = "/v1/sites/{site}/versions", tag = "sites",
    params(("site" = String, Path, description = "The site's id."), PageQuery),
    responses((status = 200, description = "A page of versions.", body = Listed<SiteVersion>)),
)]
async fn list_versions(
    State(service): State<Service>,
    caller: Caller,
    Path(site): Path<String>,
    Query(page): Query<PageQuery>,
) -> Result<Answer<Listed<SiteVersion>>, Problem> {
    let site = access::at_site(&service, &caller, Permission::See, &site).await?;
    let (limit, before) = (page.limit()?, page.after::<u64>()?);
    let mut found = service.store.history(&site_key(&site), before, limit + 1).await?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next = found.last().filter(|_| more).and_then(|last| cursor(&last.version));
    let items = found.into_iter().map(|document| SiteVersion {
        version: document.version,
        at: document.at,
        deleted: document.body.is_none(),
    });
    Ok(Answer(Listed { items: items.collect(), next }))
}

/// Read a version of a site
#[utoipa::path(
    get, path = "/v1/sites/{site}/versions/{version}", tag = "sites",
    params(
        ("site" = String, Path, description = "The site's id."),
        ("version" = u64, Path, description = "The version's number."),
    ),
    responses((status = 200, description = "The site as it was then.", body = SiteBody)),
)]
async fn get_version(
    State(service): State<Service>,
    caller: Caller,
    headers: HeaderMap,
    Path((site, version)): Path<(String, u64)>,
) -> Result<Response, Problem> {
    let site = access::at_site(&service, &caller, Permission::See, &site).await?;
    let found = service.store.history(&site_key(&site), version.checked_add(1), 1).await?;
    let document = found.first().filter(|document| document.version == version && document.body.is_some());
    let document = document.ok_or_else(|| Problem::not_found(&format!("version {version} of the site")))?;
    Ok(tagged(&headers, document.version, &kept::<kwartier_data::site::Site>(document)?))
}
