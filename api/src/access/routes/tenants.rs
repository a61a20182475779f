//! Tenants within tenants: a group and its companies, a service company and its customers.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::users::taken;
use crate::access::audit::{self, At, Did};
use crate::access::caller::Caller;
use crate::access::kept::{KeptName, KeptTenant, body, json, name_key};
use crate::access::place::{DEEPEST, tree};
use crate::access::role::Permission;
use crate::access::{TenantRef, at_tenant, people, reach};
use crate::http::page::{Listed, PageQuery, cursor};
use crate::http::problem::{Problem, ProblemKind};
use crate::http::read::{Json, Path, Query};
use crate::http::version::{Condition, etag, tagged};
use crate::service::Service;
use crate::store::{Change, Document, Expect, Key, Kind, List};

/// A tenant.
#[derive(Debug, Serialize, ToSchema)]
pub struct TenantAnswer {
    /// Its id.
    id: String,
    /// What people call it.
    name: String,
    /// The tenant that it stands in, where the caller may know of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
}

/// A tenant to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTenant {
    /// Its id: 1 to 64 of a to z, 0 to 9, `-`.
    id: String,
    /// What people call it.
    name: String,
    /// The tenant that it stands in; absent, the caller's.
    #[serde(default)]
    parent: Option<String>,
}

/// What of a tenant is to change.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantChange {
    /// What people call it.
    name: String,
}

async fn read(service: &Service, caller: &Caller, tenant: &TenantRef) -> Result<(Document, TenantAnswer), Problem> {
    let above = tenant.chain.get(1).cloned().unwrap_or_default();
    let unknown = || Problem::not_found(&format!("the tenant {:?}", tenant.id));
    let key = Key::new(Kind::Tenant, &above, &tenant.id);
    let document = service.store.read(&key, None).await?.ok_or_else(unknown)?;
    let kept: KeptTenant = body(&document)?;
    let seen = !above.is_empty() && at_tenant(service, caller, Permission::See, &above).await.is_ok();
    let answer = TenantAnswer { id: tenant.id.clone(), name: kept.name, parent: seen.then_some(above) };
    Ok((document, answer))
}

/// List tenants
#[utoipa::path(get, operation_id = "list_tenants", path = "/v1/tenants", tag = "access", params(PageQuery), responses(
    (status = 200, description = "Tenants that the caller may see", body = Listed<TenantAnswer>),
    (status = 400, description = "A parameter is not right", body = Problem),
))]
pub async fn list(
    State(service): State<Service>,
    caller: Caller,
    Query(page): Query<PageQuery>,
) -> Result<axum::Json<Listed<TenantAnswer>>, Problem> {
    let limit = page.limit()? as usize;
    let after: Option<String> = page.after()?;
    let tree = tree(&service, caller.at).await?;
    let all = reach(&service, &caller, Permission::See).await?.tenants;
    let mut left = all.into_iter().filter(|id| after.as_ref().is_none_or(|after| id > after));
    let mut items = Vec::new();
    for id in left.by_ref().take(limit) {
        let chain = tree.chain(&id);
        items.push(read(&service, &caller, &TenantRef { id, chain }).await?.1);
    }
    let next = items.last().filter(|_| left.next().is_some()).and_then(|last| cursor(&last.id));
    Ok(axum::Json(Listed { items, next }))
}

/// Make a tenant
#[utoipa::path(post, operation_id = "create_tenant", path = "/v1/tenants", tag = "access", request_body = NewTenant, responses(
    (status = 201, description = "Made", body = TenantAnswer),
    (status = 403, description = "Not allowed", body = Problem),
    (status = 409, description = "The id is taken", body = Problem),
    (status = 422, description = "Something in it is not right", body = Problem),
))]
pub async fn create(
    State(service): State<Service>,
    caller: Caller,
    Json(asked): Json<NewTenant>,
) -> Result<Response, Problem> {
    let parent = asked.parent.as_deref().unwrap_or(&caller.tenant);
    let parent = at_tenant(&service, &caller, Permission::Administer, parent).await?;
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if asked.id.is_empty() || asked.id.len() > 64 || !asked.id.bytes().all(plain) {
        return Err(Problem::field("id", format!("{:?} does not fit; write 1 to 64 of a to z, 0 to 9, -", asked.id)));
    }
    people::check_name("name", &asked.name)?;
    if parent.chain.len() >= DEEPEST {
        return Err(Problem::field("parent", format!("tenants stand within each other {DEEPEST} deep at most")));
    }
    let key = Key::new(Kind::Tenant, &parent.id, &asked.id);
    let name = asked.name.trim().to_owned();
    let owner = KeptName { owner: parent.id.clone(), user: None };
    let expect = Expect::Absent;
    let changes = vec![
        audit::entry(&caller, At { tenant: &asked.id, site: None }, &key, Did::Put(None)),
        Change::Put { key: name_key("tenant", &asked.id), body: json(&owner)?, expect },
        Change::Put { key, body: json(&KeptTenant { name: name.clone() })?, expect },
    ];
    caller.write(&*service.store, changes).await.map_err(taken)?;
    service.gate.changed();
    let location = format!("/v1/tenants/{}", asked.id);
    let answer = axum::Json(TenantAnswer { id: asked.id, name, parent: Some(parent.id) });
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], answer).into_response())
}

/// Read a tenant
#[utoipa::path(get, operation_id = "get_tenant", path = "/v1/tenants/{tenant}", tag = "access", params(("tenant" = String, Path, description = "Its id")), responses(
    (status = 200, description = "The tenant", body = TenantAnswer),
    (status = 404, description = "Not there", body = Problem),
))]
pub async fn get(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let tenant = at_tenant(&service, &caller, Permission::See, &id).await?;
    let (document, answer) = read(&service, &caller, &tenant).await?;
    Ok(tagged(&headers, document.version, &answer))
}

/// Rename a tenant
#[utoipa::path(patch, operation_id = "change_tenant", path = "/v1/tenants/{tenant}", tag = "access", request_body = TenantChange,
    params(("tenant" = String, Path, description = "Its id")), responses(
    (status = 200, description = "Changed", body = TenantAnswer),
    (status = 404, description = "Not there", body = Problem),
    (status = 412, description = "It has changed meanwhile", body = Problem),
    (status = 422, description = "Something in it is not right", body = Problem),
))]
pub async fn change(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(asked): Json<TenantChange>,
) -> Result<Response, Problem> {
    let tenant = at_tenant(&service, &caller, Permission::Administer, &id).await?;
    people::check_name("name", &asked.name)?;
    let (document, mut answer) = read(&service, &caller, &tenant).await?;
    Condition::of(&headers)?.check(Some(document.version))?;
    asked.name.trim().clone_into(&mut answer.name);
    let entry = audit::entry(&caller, At { tenant: &id, site: None }, &document.key, Did::Put(Some(document.version)));
    let body = json(&KeptTenant { name: answer.name.clone() })?;
    let expect = Expect::Version(document.version);
    caller.write(&*service.store, vec![Change::Put { key: document.key, body, expect }, entry]).await?;
    let mut response = axum::Json(answer).into_response();
    response.headers_mut().insert(header::ETAG, etag(document.version + 1));
    Ok(response)
}

/// Delete a tenant
///
/// It must be empty: without tenants, sites, people, keys and webhooks. Its id is not given again: what is kept of its past stands
/// under it, and is nobody else's to see.
#[utoipa::path(delete, operation_id = "delete_tenant", path = "/v1/tenants/{tenant}", tag = "access", params(("tenant" = String, Path, description = "Its id")), responses(
    (status = 204, description = "Deleted"),
    (status = 404, description = "Not there", body = Problem),
    (status = 409, description = "It is not empty, or it is the top one", body = Problem),
))]
pub async fn delete(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let tenant = at_tenant(&service, &caller, Permission::Administer, &id).await?;
    let conflict = |detail: String| Problem::new(ProblemKind::NotEmpty, detail);
    if tenant.chain.len() < 2 {
        return Err(conflict("it is the tenant above all others; it stays".to_owned()));
    }
    for kind in [Kind::Tenant, Kind::Site, Kind::User, Kind::ApiKey, Kind::Webhook] {
        let first = service.store.list(&List { limit: 1, ..List::of(kind, &id) }).await?;
        if let Some(first) = first.items.first() {
            return Err(conflict(format!("it has the {}; delete that first", first.key)));
        }
    }
    let (document, _) = read(&service, &caller, &tenant).await?;
    let mut changes: Vec<Change> = vec![audit::entry(
        &caller,
        At { tenant: &tenant.chain[1], site: None },
        &document.key,
        Did::Delete(document.version),
    )];
    let grants = service.store.all(List::of(Kind::Grant, &id)).await?;
    changes.extend(grants.into_iter().map(|grant| Change::Delete { key: grant.key, expect: Expect::Any }));
    changes.push(Change::Delete { key: document.key, expect: Expect::Version(document.version) });
    caller.write(&*service.store, changes).await?;
    service.gate.changed();
    Ok(StatusCode::NO_CONTENT)
}
