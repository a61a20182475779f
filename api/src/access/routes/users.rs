//! People, for those who administer their tenant.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::scopes;
use super::wire::{ScopeBody, no_store};
use crate::access::audit::{self, At, Did};
use crate::access::caller::{Caller, Who};
use crate::access::kept::{KeptCredential, KeptName, KeptUser, body, json};
use crate::access::people::{self, Found};
use crate::access::role::Permission;
use crate::access::{anywhere, at_tenant, reach, session};
use crate::http::page::{Listed, PageQuery, next_of_any};
use crate::http::problem::{Problem, ProblemKind};
use crate::http::read::{Json, Path, Query};
use crate::http::version::{Condition, etag, tagged};
use crate::service::Service;
use crate::store::{Change, Document, Expect, Fault, Kind, List};

/// A person.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserAnswer {
    /// Their id.
    id: String,
    /// The tenant that they belong to.
    tenant: String,
    /// Their e-mail address.
    email: String,
    /// Their name.
    name: String,
    /// What they may be where.
    scopes: Vec<ScopeBody>,
    /// Through which provider of single sign-on they come; absent, by password.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
    /// Whether they are kept out.
    disabled: bool,
}

/// A person to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// Their e-mail address: they log in by it.
    email: String,
    /// Their name.
    name: String,
    /// The tenant that they belong to; absent, the caller's.
    #[serde(default)]
    tenant: Option<String>,
    /// What they may be where.
    #[serde(default)]
    scopes: Vec<ScopeBody>,
}

/// A person who was made or invited again.
#[derive(Serialize, ToSchema)]
pub struct Invited {
    /// Their id.
    id: String,
    /// What they send to `POST /v1/setup` to choose a password. It is shown once, and works once.
    invitation: String,
    /// Until when it works.
    until: DateTime<Utc>,
}

/// What of a person is to change.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserChange {
    /// Their e-mail address.
    #[serde(default)]
    email: Option<String>,
    /// Their name.
    #[serde(default)]
    name: Option<String>,
    /// What they may be where, from now on.
    #[serde(default)]
    scopes: Option<Vec<ScopeBody>>,
    /// Whether they are kept out. Their logins end.
    #[serde(default)]
    disabled: Option<bool>,
}

/// How somebody is invited again.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Invite {
    /// Whether their second factor ends, because they have lost it.
    #[serde(default)]
    end_second_factor: bool,
}

/// Of which tenant.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct TenantQuery {
    /// Only those of this tenant; absent, of all that the caller administers.
    pub tenant: Option<String>,
    /// How many items at most; 100 where nothing is said. More than 1,000 is refused.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<u32>,
    /// `next` of the page before.
    pub cursor: Option<String>,
}

impl TenantQuery {
    /// What to list of a kind, as far as the caller administers.
    pub async fn list(&self, service: &Service, caller: &Caller, kind: Kind) -> Result<List, Problem> {
        anywhere(caller, Permission::Administer)?;
        let page = PageQuery { limit: self.limit, cursor: self.cursor.clone() };
        let tenants = match &self.tenant {
            Some(tenant) => vec![at_tenant(service, caller, Permission::Administer, tenant).await?.id],
            None => reach(service, caller, Permission::Administer).await?.tenants,
        };
        Ok(List {
            kind,
            owners: Some(tenants),
            prefix: String::new(),
            after: page.after()?,
            limit: page.limit()?,
            as_of: None,
        })
    }
}

fn answer(document: &Document) -> Result<UserAnswer, Fault> {
    let user: KeptUser = body(document)?;
    Ok(UserAnswer {
        id: document.key.id.clone(),
        tenant: document.key.owner.clone(),
        email: user.email,
        name: user.name,
        scopes: user.scopes.iter().map(ScopeBody::from).collect(),
        provider: user.sso.map(|sso| sso.provider),
        disabled: user.disabled,
    })
}

/// A person whom the caller administers.
async fn find(service: &Service, caller: &Caller, id: &str) -> Result<(Document, KeptUser), Problem> {
    let unknown = || Problem::not_found(&format!("the person {id:?}"));
    let (_, credential) = people::credential(service, id).await?.ok_or_else(unknown)?;
    let tenant = at_tenant(service, caller, Permission::Administer, &credential.tenant).await;
    // Somebody else's person is as unknown as none.
    let tenant = tenant.map_err(|problem| if problem.status == 404 { unknown() } else { problem })?;
    people::user(service, &Found { id: id.to_owned(), tenant: tenant.id }).await?.ok_or_else(unknown)
}

/// List people
#[utoipa::path(get, operation_id = "list_users", path = "/v1/users", tag = "access", params(TenantQuery), responses(
    (status = 200, description = "People", body = Listed<UserAnswer>),
    (status = 400, description = "A parameter is not right", body = Problem),
))]
pub async fn list(
    State(service): State<Service>,
    caller: Caller,
    Query(query): Query<TenantQuery>,
) -> Result<axum::Json<Listed<UserAnswer>>, Problem> {
    let page = service.store.list(&query.list(&service, &caller, Kind::User).await?).await?;
    let items = page.items.iter().map(answer).collect::<Result<Vec<_>, Fault>>()?;
    Ok(axum::Json(Listed { items, next: next_of_any(&page) }))
}

/// Make a person
///
/// The answer holds an invitation, by which they choose their password.
#[utoipa::path(post, operation_id = "create_user", path = "/v1/users", tag = "access", request_body = NewUser, responses(
    (status = 201, description = "Made", body = Invited),
    (status = 403, description = "Not allowed", body = Problem),
    (status = 409, description = "Somebody logs in by this address already", body = Problem),
    (status = 422, description = "Something in it is not right", body = Problem),
))]
pub async fn create(
    State(service): State<Service>,
    caller: Caller,
    Json(asked): Json<NewUser>,
) -> Result<Response, Problem> {
    let tenant = asked.tenant.as_deref().unwrap_or(&caller.tenant);
    let tenant = at_tenant(&service, &caller, Permission::Administer, tenant).await?;
    people::check_email("email", &asked.email)?;
    people::check_name("name", &asked.name)?;
    let scopes = scopes::given(&service, &caller, &asked.scopes).await?;
    let (email, name) = (people::login_name(&asked.email), asked.name.trim().to_owned());
    let user = KeptUser { email, name, scopes, sso: None, disabled: false };
    let (id, mut changes) = people::make(Some(&caller), &tenant.id, &user, None)?;
    let (invited, change) = session::invitation(&Who::User(id.clone()), caller.at)?;
    changes.push(change);
    caller.write(&*service.store, changes).await.map_err(taken)?;
    service.gate.changed();
    let location = format!("/v1/users/{id}");
    let invitation = invited.ticket.expose_secret().to_owned();
    let answer = axum::Json(Invited { id, invitation, until: invited.until });
    Ok(no_store((StatusCode::CREATED, [(header::LOCATION, location)], answer).into_response()))
}

/// Read a person
#[utoipa::path(get, operation_id = "get_user", path = "/v1/users/{id}", tag = "access", params(("id" = String, Path, description = "Their id")), responses(
    (status = 200, description = "The person", body = UserAnswer),
    (status = 404, description = "Not there", body = Problem),
))]
pub async fn get(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (document, _) = find(&service, &caller, &id).await?;
    Ok(tagged(&headers, document.version, &answer(&document)?))
}

/// Change a person
#[utoipa::path(patch, operation_id = "change_user", path = "/v1/users/{id}", tag = "access", request_body = UserChange,
    params(("id" = String, Path, description = "Their id")), responses(
    (status = 200, description = "Changed", body = UserAnswer),
    (status = 404, description = "Not there", body = Problem),
    (status = 409, description = "The address is taken, or nobody would be left to administer", body = Problem),
    (status = 412, description = "It has changed meanwhile", body = Problem),
    (status = 422, description = "Something in it is not right", body = Problem),
))]
pub async fn change(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(asked): Json<UserChange>,
) -> Result<Response, Problem> {
    let (document, mut user) = find(&service, &caller, &id).await?;
    Condition::of(&headers)?.check(Some(document.version))?;
    let tenant = document.key.owner.clone();
    let mut changes = Vec::new();
    if let Some(name) = asked.name {
        people::check_name("name", &name)?;
        name.trim().clone_into(&mut user.name);
    }
    if let Some(email) = asked.email {
        people::check_email("email", &email)?;
        if user.sso.is_some() {
            return Err(Problem::field("email", "it is the provider's; change it there"));
        }
        let email = people::login_name(&email);
        if email != user.email {
            let owner = KeptName { owner: tenant.clone(), user: Some(id.clone()) };
            changes.push(Change::Erase(people::login_key(&user.email)));
            changes.push(Change::Put { key: people::login_key(&email), body: json(&owner)?, expect: Expect::Absent });
            user.email = email;
        }
    }
    if let Some(asked) = asked.scopes {
        if user.sso.is_some() {
            let detail = "what they may be follows from their groups at the provider; change those, or [[oidc.roles]]";
            return Err(Problem::field("scopes", detail));
        }
        user.scopes = scopes::given(&service, &caller, &asked).await?;
    }
    user.disabled = asked.disabled.unwrap_or(user.disabled);
    let who = Who::User(id.clone());
    if user.disabled {
        changes.extend(session::end_all(&service, &who, None).await?);
    }
    people::not_the_last_admin(&service, &id, Some(&user), caller.at).await?;
    let at = At { tenant: &tenant, site: None };
    changes.push(audit::entry(&caller, at, &document.key, Did::Put(Some(document.version))));
    let (key, expect) = (document.key, Expect::Version(document.version));
    changes.push(Change::Put { key, body: json(&user)?, expect });
    caller.write(&*service.store, changes).await.map_err(taken)?;
    service.gate.changed();
    let (document, _) = find(&service, &caller, &id).await?;
    let mut response = axum::Json(answer(&document)?).into_response();
    response.headers_mut().insert(header::ETAG, etag(document.version));
    Ok(response)
}

/// Erase a person
///
/// With all that is known of them, past included. The audit log goes on naming their id.
#[utoipa::path(delete, operation_id = "delete_user", path = "/v1/users/{id}", tag = "access", params(("id" = String, Path, description = "Their id")), responses(
    (status = 204, description = "Erased"),
    (status = 404, description = "Not there", body = Problem),
    (status = 409, description = "Nobody would be left to administer", body = Problem),
))]
pub async fn delete(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let (document, user) = find(&service, &caller, &id).await?;
    people::not_the_last_admin(&service, &id, None, caller.at).await?;
    let mut changes = people::erase(&service, &id, &document, &user).await?;
    let at = At { tenant: &document.key.owner, site: None };
    changes.push(audit::noted(&caller, at, &document.key, Did::Delete(document.version), "erased with its past"));
    caller.write(&*service.store, changes).await?;
    service.gate.changed();
    Ok(StatusCode::NO_CONTENT)
}

/// Invite a person again
///
/// For who has lost the invitation, the password, or the second factor. Earlier invitations and logins end when it is
/// accepted.
#[utoipa::path(post, operation_id = "invite_user", path = "/v1/users/{id}/invitation", tag = "access", request_body = Invite,
    params(("id" = String, Path, description = "Their id")), responses(
    (status = 201, description = "Invited", body = Invited),
    (status = 404, description = "Not there", body = Problem),
    (status = 409, description = "They come by single sign-on", body = Problem),
))]
pub async fn invite(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<String>,
    Json(asked): Json<Invite>,
) -> Result<Response, Problem> {
    let (document, user) = find(&service, &caller, &id).await?;
    if user.sso.is_some() {
        let detail = "they come by single sign-on, and have no password here";
        return Err(Problem::new(ProblemKind::SingleSignOn, detail));
    }
    let who = Who::User(id.clone());
    let (invited, change) = session::invitation(&who, caller.at)?;
    let at = At { tenant: &document.key.owner, site: None };
    let mut changes = vec![change, audit::entry(&caller, at, &document.key, Did::Other("invite"))];
    if asked.end_second_factor
        && let Some((kept, credential)) = people::credential(&service, &id).await?
        && credential.totp.is_some()
    {
        let body = json(&KeptCredential { totp: None, ..credential })?;
        changes.push(Change::Put { key: kept.key, body, expect: Expect::Version(kept.version) });
        changes.push(audit::entry(&caller, at, &document.key, Did::Other("second factor ended")));
    }
    caller.write(&*service.store, changes).await?;
    service.gate.changed();
    let invitation = invited.ticket.expose_secret().to_owned();
    let answer = axum::Json(Invited { id, invitation, until: invited.until });
    Ok(no_store((StatusCode::CREATED, answer).into_response()))
}

/// A conflict about a name is a name that is taken.
pub fn taken(fault: Fault) -> Problem {
    match &fault {
        Fault::Conflict { key, .. } if key.kind == Kind::Name => {
            let detail = "this name or address is taken; choose another";
            Problem::new(ProblemKind::Taken, detail)
        }
        _ => fault.into(),
    }
}
