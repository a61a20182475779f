//! API keys, for those who administer their tenant.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::scopes;
use super::users::TenantQuery;
use super::wire::{ScopeBody, no_store};
use crate::access::audit::{self, At, Did};
use crate::access::caller::{Caller, Who};
use crate::access::kept::{KeptKey, body, credential_key};
use crate::access::role::Permission;
use crate::access::{at_tenant, keys, people, session};
use crate::http::page::{Listed, next_of_any};
use crate::http::problem::Problem;
use crate::http::read::{Json, Path, Query};
use crate::service::Service;
use crate::store::{Change, Document, Expect, Fault, Kind};

/// A key, without the key itself.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeyAnswer {
    /// Its id; the key itself begins with `kw_` and this.
    id: String,
    /// The tenant that it belongs to.
    tenant: String,
    /// What it is for.
    name: String,
    /// What it may be where.
    scopes: Vec<ScopeBody>,
    /// When it was made.
    made: DateTime<Utc>,
    /// Until when it works; absent, until it is deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<DateTime<Utc>>,
    /// When it was last used, to the hour; absent, never.
    #[serde(skip_serializing_if = "Option::is_none")]
    used: Option<DateTime<Utc>>,
}

/// A key to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// What it is for.
    name: String,
    /// The tenant that it belongs to; absent, the caller's.
    #[serde(default)]
    tenant: Option<String>,
    /// What it may be where.
    scopes: Vec<ScopeBody>,
    /// Until when it works; absent, until it is deleted.
    #[serde(default)]
    until: Option<DateTime<Utc>>,
}

/// A key that was made.
#[derive(Serialize, ToSchema)]
pub struct KeyMade {
    /// Its id.
    id: String,
    /// The key, to be sent as `Authorization: Bearer KEY`. It is shown once.
    key: String,
}

async fn answer(service: &Service, document: &Document) -> Result<KeyAnswer, Fault> {
    let key: KeptKey = body(document)?;
    let credential = people::credential(service, &document.key.id).await?;
    Ok(KeyAnswer {
        id: document.key.id.clone(),
        tenant: document.key.owner.clone(),
        name: key.name,
        scopes: key.scopes.iter().map(ScopeBody::from).collect(),
        made: key.made,
        until: key.until,
        used: credential.and_then(|(_, credential)| credential.used),
    })
}

/// A key that the caller administers.
async fn find(service: &Service, caller: &Caller, id: &str) -> Result<Document, Problem> {
    let unknown = || Problem::not_found(&format!("the key {id:?}"));
    let (_, credential) = people::credential(service, id).await?.ok_or_else(unknown)?;
    let tenant = at_tenant(service, caller, Permission::Administer, &credential.tenant).await;
    // Somebody else's key is as unknown as none.
    let tenant = tenant.map_err(|problem| if problem.status == 404 { unknown() } else { problem })?;
    let (document, _) = keys::read(service, &tenant.id, id).await?.ok_or_else(unknown)?;
    Ok(document)
}

/// List keys
#[utoipa::path(get, operation_id = "list_keys", path = "/v1/keys", tag = "access", params(TenantQuery), responses(
    (status = 200, description = "Keys, without the keys themselves", body = Listed<KeyAnswer>),
    (status = 400, description = "A parameter is not right", body = Problem),
))]
pub async fn list(
    State(service): State<Service>,
    caller: Caller,
    Query(query): Query<TenantQuery>,
) -> Result<axum::Json<Listed<KeyAnswer>>, Problem> {
    let page = service.store.list(&query.list(&service, &caller, Kind::ApiKey).await?).await?;
    let mut items = Vec::with_capacity(page.items.len());
    for document in &page.items {
        items.push(answer(&service, document).await?);
    }
    Ok(axum::Json(Listed { items, next: next_of_any(&page) }))
}

/// Make a key
///
/// The answer shows the key, once: only its hash is kept.
#[utoipa::path(post, operation_id = "create_key", path = "/v1/keys", tag = "access", request_body = NewKey, responses(
    (status = 201, description = "Made", body = KeyMade),
    (status = 403, description = "Not allowed", body = Problem),
    (status = 422, description = "Something in it is not right", body = Problem),
))]
pub async fn create(
    State(service): State<Service>,
    caller: Caller,
    Json(asked): Json<NewKey>,
) -> Result<Response, Problem> {
    let tenant = asked.tenant.as_deref().unwrap_or(&caller.tenant);
    let tenant = at_tenant(&service, &caller, Permission::Administer, tenant).await?;
    people::check_name("name", &asked.name)?;
    if asked.until.is_some_and(|until| until <= caller.at) {
        return Err(Problem::field("until", "it is in the past; write a time to come, or leave it out"));
    }
    if asked.scopes.is_empty() {
        return Err(Problem::field("scopes", "there are none, so the key could do nothing; give it a role somewhere"));
    }
    let scopes = scopes::given(&service, &caller, &asked.scopes).await?;
    let made = keys::make(&tenant.id, asked.name.trim(), scopes, caller.at, asked.until)?;
    let made = made.ok_or_else(Problem::internal)?;
    let place = session::subject(&Who::Key(made.id.clone()), &tenant.id);
    let mut changes = made.changes;
    changes.push(audit::entry(&caller, At { tenant: &tenant.id, site: None }, &place, Did::Put(None)));
    caller.write(&*service.store, changes).await?;
    service.gate.changed();
    let location = format!("/v1/keys/{}", made.id);
    let answer = axum::Json(KeyMade { id: made.id, key: made.secret.expose_secret().to_owned() });
    Ok(no_store((StatusCode::CREATED, [(header::LOCATION, location)], answer).into_response()))
}

/// Read a key
#[utoipa::path(get, operation_id = "get_key", path = "/v1/keys/{id}", tag = "access", params(("id" = String, Path, description = "Its id")), responses(
    (status = 200, description = "The key, without the key itself", body = KeyAnswer),
    (status = 404, description = "Not there", body = Problem),
))]
pub async fn get(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<KeyAnswer>, Problem> {
    let document = find(&service, &caller, &id).await?;
    Ok(axum::Json(answer(&service, &document).await?))
}

/// Delete a key
///
/// It works no longer from the next request on.
#[utoipa::path(delete, operation_id = "delete_key", path = "/v1/keys/{id}", tag = "access", params(("id" = String, Path, description = "Its id")), responses(
    (status = 204, description = "Deleted"),
    (status = 404, description = "Not there", body = Problem),
    (status = 409, description = "Nobody would be left to administer", body = Problem),
))]
pub async fn delete(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let document = find(&service, &caller, &id).await?;
    people::not_the_last_admin(&service, &id, None, caller.at).await?;
    let mut changes = session::end_all(&service, &Who::Key(id.clone()), None).await?;
    let at = At { tenant: &document.key.owner, site: None };
    changes.push(audit::entry(&caller, at, &document.key, Did::Delete(document.version)));
    let (key, expect) = (document.key, Expect::Version(document.version));
    changes.push(Change::Delete { key, expect });
    changes.push(Change::Erase(credential_key(&id)));
    caller.write(&*service.store, changes).await?;
    service.gate.changed();
    Ok(StatusCode::NO_CONTENT)
}
