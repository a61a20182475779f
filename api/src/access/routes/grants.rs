//! Access to a site for the people of another tenant: an operator grants it for a time, and can withdraw it.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::audit::{self, At, Did};
use crate::access::caller::{Caller, Place};
use crate::access::kept::{KeptGrant, body, json};
use crate::access::place::tree;
use crate::access::role::{Permission, Role};
use crate::access::{at_site, people, token};
use crate::http::page::{Listed, PageQuery, next_of_any};
use crate::http::problem::Problem;
use crate::http::read::{Json, Path, Query};
use crate::service::Service;
use crate::store::{Change, Document, Expect, Fault, Key, Kind, List};

/// Longest time that access is granted for. It can be granted again.
const LONGEST: TimeDelta = TimeDelta::days(366);

/// Access that was granted.
#[derive(Debug, Serialize, ToSchema)]
pub struct GrantAnswer {
    /// Its id.
    id: String,
    /// The tenant whose people get it.
    tenant: String,
    /// The one person who gets it; absent, all there who have that role, or are admin, at home.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    /// What they may be at the site.
    role: Role,
    /// Until when.
    until: DateTime<Utc>,
}

/// Access to be granted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewGrant {
    /// The tenant whose people get it.
    tenant: String,
    /// The one person who gets it; absent, all there who have that role, or are admin, at home.
    #[serde(default)]
    user: Option<String>,
    /// What they may be at the site. An operator grants viewer, analyst and installer; an admin all but admin.
    role: Role,
    /// Until when, a year ahead at most.
    until: DateTime<Utc>,
}

fn answer(document: &Document) -> Result<GrantAnswer, Fault> {
    let grant: KeptGrant = body(document)?;
    let id = document.key.id.rsplit('/').next().unwrap_or_default().to_owned();
    Ok(GrantAnswer { id, tenant: document.key.owner.clone(), user: grant.user, role: grant.role, until: grant.until })
}

/// List access granted to a site
#[utoipa::path(get, operation_id = "list_grants", path = "/v1/sites/{site}/grants", tag = "access",
    params(("site" = String, Path, description = "The site"), PageQuery), responses(
    (status = 200, description = "What was granted, what has run out included", body = Listed<GrantAnswer>),
    (status = 404, description = "Not there", body = Problem),
))]
pub async fn list(
    State(service): State<Service>,
    caller: Caller,
    Path(site): Path<String>,
    Query(page): Query<PageQuery>,
) -> Result<axum::Json<Listed<GrantAnswer>>, Problem> {
    let site = at_site(&service, &caller, Permission::Grant, &site).await?;
    let (after, limit) = (page.after()?, page.limit()?);
    let ask = List { prefix: format!("{}/", site.id), after, limit, ..List::all(Kind::Grant) };
    let page = service.store.list(&ask).await?;
    let items = page.items.iter().map(answer).collect::<Result<Vec<_>, Fault>>()?;
    Ok(axum::Json(Listed { items, next: next_of_any(&page) }))
}

/// Grant access to a site
#[utoipa::path(post, operation_id = "create_grant", path = "/v1/sites/{site}/grants", tag = "access", request_body = NewGrant,
    params(("site" = String, Path, description = "The site")), responses(
    (status = 201, description = "Granted", body = GrantAnswer),
    (status = 403, description = "Not allowed", body = Problem),
    (status = 404, description = "Not there", body = Problem),
    (status = 422, description = "Something in it is not right", body = Problem),
))]
pub async fn create(
    State(service): State<Service>,
    caller: Caller,
    Path(site): Path<String>,
    Json(asked): Json<NewGrant>,
) -> Result<Response, Problem> {
    let site = at_site(&service, &caller, Permission::Grant, &site).await?;
    let chain = tree(&service, caller.at).await?.chain(&site.tenant);
    let may = caller.in_force().filter(|scope| match &scope.place {
        Place::Tenant(tenant) => chain.contains(tenant),
        Place::Site { site: own, tenant } => *own == site.id && chain.contains(tenant),
    });
    if !may.into_iter().any(|scope| scope.role.may_grant(asked.role)) {
        let what =
            format!("the role {} cannot be granted by this role; an admin may, but for admin", asked.role.name());
        return Err(Problem::forbidden(&what));
    }
    if asked.until <= caller.at {
        return Err(Problem::field("until", "it is in the past; write a time to come"));
    }
    if asked.until > caller.at + LONGEST {
        return Err(Problem::field("until", "it is more than a year ahead; grant it again then"));
    }
    if tree(&service, caller.at).await?.chain(&asked.tenant).is_empty() {
        return Err(Problem::field("tenant", format!("{:?} is no tenant; ask the others for their id", asked.tenant)));
    }
    if let Some(user) = &asked.user {
        let theirs = people::credential(&service, user).await?;
        let theirs =
            theirs.is_some_and(|(_, credential)| credential.tenant == asked.tenant && credential.key_sha256.is_none());
        if !theirs {
            return Err(Problem::field("user", format!("{user:?} is no person of that tenant; ask them for their id")));
        }
    }
    let id = token::id();
    let key = Key::new(Kind::Grant, &asked.tenant, format!("{}/{id}", site.id));
    let grant = KeptGrant {
        site_tenant: site.tenant.clone(),
        site: site.id.clone(),
        role: asked.role,
        user: asked.user,
        until: asked.until,
    };
    let note = format!("{} for {} until {}", grant.role.name(), asked.tenant, grant.until.to_rfc3339());
    let at = At { tenant: &site.tenant, site: Some(&site.id) };
    let changes = vec![
        audit::noted(&caller, at, &key, Did::Put(None), note),
        Change::Put { key, body: json(&grant)?, expect: Expect::Absent },
    ];
    caller.write(&*service.store, changes).await?;
    service.gate.changed();
    let location = format!("/v1/sites/{}/grants/{id}", site.id);
    let answer = GrantAnswer { id, tenant: asked.tenant, user: grant.user, role: grant.role, until: grant.until };
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], axum::Json(answer)).into_response())
}

/// Withdraw access to a site
///
/// It ends with the next request.
#[utoipa::path(delete, operation_id = "delete_grant", path = "/v1/sites/{site}/grants/{grant}", tag = "access",
    params(("site" = String, Path, description = "The site"), ("grant" = String, Path, description = "Its id")), responses(
    (status = 204, description = "Withdrawn"),
    (status = 404, description = "Not there", body = Problem),
))]
pub async fn delete(
    State(service): State<Service>,
    caller: Caller,
    Path((site, grant)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let site = at_site(&service, &caller, Permission::Grant, &site).await?;
    let id = format!("{}/{grant}", site.id);
    let ask = List { prefix: id.clone(), limit: 10, ..List::all(Kind::Grant) };
    let found = service.store.list(&ask).await?.items.into_iter().find(|document| document.key.id == id);
    let document = found.ok_or_else(|| Problem::not_found(&format!("the grant {grant:?}")))?;
    let at = At { tenant: &site.tenant, site: Some(&site.id) };
    let entry = audit::entry(&caller, at, &document.key, Did::Delete(document.version));
    let (key, expect) = (document.key, Expect::Version(document.version));
    caller.write(&*service.store, vec![Change::Delete { key, expect }, entry]).await?;
    service.gate.changed();
    Ok(StatusCode::NO_CONTENT)
}
