//! Who is asking, as they see themselves; changing one's own password.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::wire::{ScopeBody, Secret, Way, no_store};
use crate::access::audit::{self, At, Did};
use crate::access::caller::{Caller, Place, Who};
use crate::access::extract::Login;
use crate::access::kept::{KeptCredential, KeptUser, json};
use crate::access::{keys, password, people, session};
use crate::http::problem::Problem;
use crate::http::read::Json;
use crate::service::Service;
use crate::store::{Change, Document, Expect};

/// Who is asking.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    /// `user` or `key`.
    kind: &'static str,
    /// Id of the person or key.
    id: String,
    /// The tenant that they belong to.
    tenant: String,
    /// What people call them.
    name: String,
    /// E-mail address of a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// What they may be where, granted access included; what has run out is left out.
    scopes: Vec<ScopeBody>,
    /// What to send as the header `Kwartier-CSRF` with every change, for who comes by cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf: Option<String>,
    /// Whether a person has a second factor.
    #[serde(skip_serializing_if = "Option::is_none")]
    second_factor: Option<bool>,
}

/// A new password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// The password as it is.
    #[schema(value_type = String, format = Password, write_only)]
    current: Secret,
    /// The password as it shall be: at least 12 characters.
    #[schema(value_type = String, format = Password, write_only)]
    new: Secret,
}

/// Who is asking
#[utoipa::path(get, operation_id = "get_me", path = "/v1/me", tag = "access", responses(
    (status = 200, description = "Who is asking", body = Me),
    (status = 401, description = "Nobody that is known", body = Problem),
))]
pub async fn me(State(service): State<Service>, login: Login) -> Result<Response, Problem> {
    let caller = login.caller;
    let scopes = caller.in_force().map(|scope| {
        let (tenant, site) = match &scope.place {
            Place::Tenant(tenant) => (tenant.clone(), None),
            Place::Site { site, tenant } => (tenant.clone(), Some(site.clone())),
        };
        ScopeBody { role: scope.role, tenant: Some(tenant), site, until: scope.until }
    });
    let scopes = scopes.collect();
    let csrf = login.by_cookie.then_some(login.csrf);
    let tenant = caller.tenant.clone();
    let me = match &caller.who {
        Who::Key(id) => {
            let name = keys::read(&service, &tenant, id).await?.map(|(_, key)| key.name).unwrap_or_default();
            Me { kind: "key", id: id.clone(), tenant, name, email: None, scopes, csrf, second_factor: None }
        }
        Who::User(id) => {
            let (user, _, credential) = person(&service, &caller).await?;
            let second_factor = Some(credential.totp.is_some_and(|totp| totp.confirmed));
            let (name, email) = (user.name, Some(user.email));
            Me { kind: "user", id: id.clone(), tenant, name, email, scopes, csrf, second_factor }
        }
    };
    Ok(no_store(axum::Json(me).into_response()))
}

/// Change one's password
///
/// All other logins end.
#[utoipa::path(put, operation_id = "change_password", path = "/v1/me/password", tag = "access", request_body = NewPassword, responses(
    (status = 204, description = "Changed"),
    (status = 401, description = "The current password is not right", body = Problem),
    (status = 403, description = "A key has no password", body = Problem),
    (status = 422, description = "The new one cannot be used", body = Problem),
    (status = 429, description = "Too many attempts", body = Problem),
))]
pub async fn change_password(
    State(service): State<Service>,
    login: Login,
    way: Way,
    Json(asked): Json<NewPassword>,
) -> Result<StatusCode, Problem> {
    let caller = &login.caller;
    let (user, document, mut credential) = person(&service, caller).await?;
    proves(&service, &user, &credential, &asked.current, way).await?;
    password::check("new", &asked.new.0, &[&user.email, &user.name])?;
    credential.password = Some(password::hash(asked.new.0).await?);
    let at = At { tenant: &caller.tenant, site: None };
    let subject = session::subject(&caller.who, &caller.tenant);
    let mut changes = vec![
        Change::Put { key: document.key, body: json(&credential)?, expect: Expect::Version(document.version) },
        audit::entry(caller, at, &subject, Did::Other("password")),
    ];
    changes.extend(session::end_all(&service, &caller.who, Some(&login.shown.hash)).await?);
    caller.write(&*service.store, changes).await?;
    service.gate.changed();
    Ok(StatusCode::NO_CONTENT)
}

/// The person who is asking, and the document of their credential with what it says. 403 for keys.
pub async fn person(service: &Service, caller: &Caller) -> Result<(KeptUser, Document, KeptCredential), Problem> {
    let Who::User(id) = &caller.who else {
        return Err(Problem::forbidden("a key has neither password nor second factor; log in as a person"));
    };
    let gone = || Problem::unauthorized("this person is no longer here");
    let found = people::Found { id: id.clone(), tenant: caller.tenant.clone() };
    let (_, user) = people::user(service, &found).await?.ok_or_else(gone)?;
    let (kept, credential) = people::credential(service, id).await?.ok_or_else(gone)?;
    Ok((user, kept, credential))
}

/// That who is asking also knows the password, before something that a borrowed login must not do. Counted as a login.
pub async fn proves(
    service: &Service,
    user: &KeptUser,
    credential: &KeptCredential,
    current: &Secret,
    way: Way,
) -> Result<(), Problem> {
    if credential.password.is_none() {
        let what = "this account comes by single sign-on; password and second factor are the provider's";
        return Err(Problem::forbidden(what));
    }
    service.gate.attempts.count(&user.email, way.address)?;
    if password::matches(current.0.clone(), credential.password.clone()).await? {
        Ok(())
    } else {
        Err(Problem::unauthorized("the current password is not right"))
    }
}
