//! Sites: what stands where, as the site file says it.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kwartier_data::site::file;
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::change::{self, Batch, reserve};
use super::edit::{self, Edited, Wanted};
use super::page::{Listed, PageQuery, cursor};
use super::problem::Problem;
use super::read::{Path, Query, bytes, content_type, refused, unsupported};
use super::version::{Condition, etag, tagged};
use crate::access::{self, Caller, Permission, SiteRef};
use crate::app::Event;
use crate::resource::site::{SiteBody, SiteFinding, SiteHead, SitePut};
use crate::service::Service;
use crate::store::{Kind, List};

/// The longest id of a site.
const LONGEST_ID: usize = 64;

/// The largest site in bytes, as of a site file.
const LARGEST: usize = file::MAX_FILE_BYTES;

/// What is kept of a site beside it, and goes with it.
const PARTS: [Kind; 12] = [
    Kind::Charger,
    Kind::Vehicle,
    Kind::Roster,
    Kind::Session,
    Kind::Tariff,
    Kind::Prices,
    Kind::Signal,
    Kind::Forecast,
    Kind::Held,
    Kind::Station,
    Kind::Tag,
    Kind::Authorisation,
];

/// The routes of sites.
pub fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new()
        .routes(routes!(list_sites))
        .routes(routes!(get_site, delete_site))
        .merge(OpenApiRouter::new().routes(routes!(put_site)).layer(axum::extract::DefaultBodyLimit::max(LARGEST)))
}

/// Whose a new site is.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OfTenant {
    /// The tenant of a new site; the caller's own where nothing is said.
    tenant: Option<String>,
}

/// List sites
///
/// All that the caller may see, in the order of tenant and id.
#[utoipa::path(
    get, path = "/v1/sites", tag = "sites", params(PageQuery),
    responses((status = 200, description = "A page of sites.", body = Listed<SiteHead>)),
)]
async fn list_sites(
    State(service): State<Service>,
    caller: Caller,
    Query(page): Query<PageQuery>,
) -> Result<axum::Json<Listed<SiteHead>>, Problem> {
    let limit = page.limit()?;
    let reach = access::reach(&service, &caller, Permission::See).await?;
    let single = |tenant: &String, site: &String| reach.sites.iter().any(|(id, of)| id == site && of == tenant);
    let mut owners = reach.tenants.clone();
    owners.extend(reach.sites.iter().map(|(_, tenant)| tenant.clone()));
    let mut ask = List { owners: Some(owners), after: page.after()?, limit: limit + 1, ..List::all(Kind::Site) };
    let mut items = Vec::new();
    loop {
        let found = service.store.list(&ask).await?;
        ask.after = found.items.last().map(|last| (last.key.owner.clone(), last.key.id.clone()));
        for document in found.items {
            let key = &document.key;
            if reach.tenants.contains(&key.owner) || single(&key.owner, &key.id) {
                let name = document.body.as_ref().and_then(|body| body.get("name")).and_then(Value::as_str);
                items.push(SiteHead {
                    id: key.id.clone(),
                    tenant: key.owner.clone(),
                    name: name.unwrap_or_default().to_owned(),
                    version: document.version,
                    changed: document.at,
                });
            }
        }
        if !found.more || items.len() > limit as usize {
            break;
        }
    }
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    let next = items.last().filter(|_| more).and_then(|last| cursor(&(&last.tenant, &last.id)));
    Ok(axum::Json(Listed { items, next }))
}

/// Read a site
///
/// As JSON, or with `Accept: application/toml` as a site file.
#[utoipa::path(
    get, path = "/v1/sites/{site}", tag = "sites", params(("site" = String, Path, description = "The site's id.")),
    responses((status = 200, description = "The site.", content(
        (SiteBody = "application/json"), (String = "application/toml"),
    ), headers(("ETag" = String, description = "Its version, for `If-Match`.")))),
)]
async fn get_site(
    State(service): State<Service>,
    caller: Caller,
    headers: HeaderMap,
    Path(site): Path<String>,
) -> Result<Response, Problem> {
    let site = access::at_site(&service, &caller, Permission::See, &site).await?;
    let (document, what) = change::site(&service, &site).await?;
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains("application/toml") {
        let text = file::write(&what).map_err(|_| Problem::internal())?;
        let kind = HeaderValue::from_static("application/toml");
        return Ok(([(header::CONTENT_TYPE, kind), (header::ETAG, etag(document.version))], text).into_response());
    }
    Ok(tagged(&headers, document.version, &what))
}

/// Put a site
///
/// The whole of it: what the site file holds, as JSON, or as TOML with `Content-Type: application/toml`. Everything that
/// `kwartier site check` calls an error is refused, each with its field; what it warns of comes back as findings. Stations
/// that are gone take their charger's data with them.
#[utoipa::path(
    put, path = "/v1/sites/{site}", tag = "sites",
    params(
        ("site" = String, Path, description = "The site's id: letters, digits, `-`, `_`, `.`; up to 64."),
        OfTenant,
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the version to be replaced."),
        ("If-None-Match" = Option<String>, Header, description = "`*`: only if there is none yet."),
    ),
    request_body(content((SiteBody = "application/json"), (String = "application/toml"))),
    responses(
        (status = 200, description = "Replaced.", body = SitePut),
        (status = 201, description = "Made.", body = SitePut),
    ),
)]
async fn put_site(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<String>,
    Query(of): Query<OfTenant>,
    request: axum::extract::Request,
) -> Result<Response, Problem> {
    let (site, new) = place(&service, &caller, &id, of.tenant.as_deref()).await?;
    let headers = request.headers().clone();
    let kind = content_type(&headers);
    if !matches!(kind.as_str(), "application/json" | "application/toml" | "text/toml") {
        return Err(unsupported("application/json or application/toml", &headers));
    }
    let body = bytes(request, &service).await?;
    if kind == "application/json" {
        kwartier_data::json::read::<serde_json::Map<String, Value>>(&body, &[]).map_err(|why| refused(&body, &why))?;
    }
    // Both are read as a file is; JSON begins with a brace.
    let file = file::parse(&body).map_err(|findings| edit::refused(&findings, ""))?;
    let what = change::body(&file.site)?;
    let claim = if new { Some(access::claim(&site.id, &site.tenant)?) } else { None };
    let edited = edit::edit(&service, &caller, &site, &headers, |_| {
        Ok(Wanted { also: claim.iter().cloned().collect(), ..Wanted::site(what.clone(), "") })
    })
    .await;
    if new {
        service.gate.changed();
    }
    Ok(answer(&site, &edited?))
}

/// Where a site is, or will be; whether its name is still to be claimed.
pub async fn place(
    service: &Service,
    caller: &Caller,
    id: &str,
    tenant: Option<&str>,
) -> Result<(SiteRef, bool), Problem> {
    match access::at_site(service, caller, Permission::Install, id).await {
        Ok(site) if tenant.is_none_or(|tenant| tenant == site.tenant) => return Ok((site, false)),
        Ok(_) => {
            return Err(Problem::parameter("tenant", "is not the site's; a site stays with its tenant, leave it out"));
        }
        Err(problem) if problem.status != StatusCode::NOT_FOUND.as_u16() => return Err(problem),
        Err(_) => {}
    }
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let begins = id.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if !begins || id.len() > LONGEST_ID || !id.bytes().all(letters) {
        let detail = "is no id of a site; use letters, digits, `-`, `_` and `.`, a letter or digit first, up to 64";
        return Err(Problem::field("path.site", detail));
    }
    let tenant = access::new_site(service, caller, id, tenant).await?;
    Ok((SiteRef { id: id.to_owned(), tenant: tenant.id }, true))
}

/// What is answered when a site was put.
pub fn answer(site: &SiteRef, edited: &Edited) -> Response {
    let put = SitePut {
        id: site.id.clone(),
        tenant: site.tenant.clone(),
        version: edited.version,
        findings: edited.findings.iter().map(SiteFinding::of).collect(),
    };
    let status = if edited.new { StatusCode::CREATED } else { StatusCode::OK };
    (status, [(header::ETAG, etag(edited.version))], axum::Json(put)).into_response()
}

/// Delete a site
///
/// With everything that belongs to it: chargers, sessions, cards, rosters, prices, signals, forecasts. Chargers fall back to what they
/// store. Sessions are erased with their past; measurements and plans stay until they age out, for the same tenant to see.
#[utoipa::path(
    delete, path = "/v1/sites/{site}", tag = "sites",
    params(
        ("site" = String, Path, description = "The site's id."),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the version to be deleted."),
    ),
    responses((status = 204, description = "Deleted.")),
)]
async fn delete_site(
    State(service): State<Service>,
    caller: Caller,
    headers: HeaderMap,
    Path(site): Path<String>,
) -> Result<StatusCode, Problem> {
    let site = access::at_site(&service, &caller, Permission::Install, &site).await?;
    let (document, _) = change::site(&service, &site).await?;
    Condition::of(&headers)?.check(Some(document.version))?;
    let ended = access::release(&service, &site.id).await?;
    let place = reserve(&service)?;
    let mut batch = Batch::at_site(&caller, &site);
    batch.delete(document.key, document.version);
    batch.also(ended);
    for kind in PARTS {
        let parts = service.store.all(List::of(kind, &site.id)).await?;
        batch.also(parts.into_iter().map(|part| crate::store::Change::Erase(part.key)));
    }
    batch.write(&service).await?;
    service.gate.changed();
    service.guests.forget().await;
    service.hub.close(&site.id);
    service.feeds.changed(&site);
    place.tell(Event::SiteGone { site: site.id });
    Ok(StatusCode::NO_CONTENT)
}
