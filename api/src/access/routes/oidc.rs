//! Single sign-on: to the provider, and back.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use chrono::Utc;
use serde::Deserialize;
use utoipa::IntoParams;

use super::wire::{Way, no_store};
use crate::access::audit::{self, At, Did};
use crate::access::caller::Who;
use crate::access::kept::{KeptScope, KeptSso, KeptUser, body, json, name_key};
use crate::access::oidc::Person;
use crate::access::place::tree;
use crate::access::{people, session, token};
use crate::config::Oidc;
use crate::http::problem::Problem;
use crate::http::read::{Path, Query};
use crate::service::Service;
use crate::store::{Change, Expect};

/// The cookie that shows that the browser which comes back is the one that was sent.
const COOKIE: &str = "kwartier-sign-on";
/// How long it lasts, in s.
const COOKIE_S: u32 = 600;

/// What a provider sends the browser back with.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Back {
    /// The state that the browser was sent with.
    #[serde(default)]
    state: String,
    /// A code to be exchanged for tokens.
    #[serde(default)]
    code: Option<String>,
    /// Why there is no code.
    #[serde(default)]
    error: Option<String>,
}

/// Go to a provider of single sign-on
///
/// Open. Sends the browser there.
#[utoipa::path(get, operation_id = "start_sign_on", path = "/v1/oidc/{provider}/start", tag = "access", security(()),
    params(("provider" = String, Path, description = "The provider's name in the configuration")), responses(
    (status = 303, description = "To the provider"),
    (status = 404, description = "There is no such provider", body = Problem),
    (status = 502, description = "The provider does not answer as it should", body = Problem),
))]
pub async fn start(State(service): State<Service>, way: Way, Path(name): Path<String>) -> Result<Response, Problem> {
    let provider = provider(&service, &name)?;
    service.gate.attempts.count_address(way.address)?;
    let (url, state) = service.gate.sign_ons.start(provider, &callback_url(&service, &name), Utc::now()).await?;
    Ok(to(&url, &cookie(way, &state, COOKIE_S)))
}

/// Come back from a provider of single sign-on
///
/// Open to whoever the provider sends. Logs them in by cookie, and sends the browser to the page.
#[utoipa::path(get, operation_id = "finish_sign_on", path = "/v1/oidc/{provider}/callback", tag = "access", security(()),
    params(("provider" = String, Path, description = "The provider's name in the configuration"), Back), responses(
    (status = 303, description = "Logged in; to the page"),
    (status = 401, description = "This sign-on was not begun here, or the provider refused it", body = Problem),
    (status = 403, description = "None of their groups has a role here", body = Problem),
    (status = 404, description = "There is no such provider", body = Problem),
    (status = 502, description = "The provider does not answer as it should", body = Problem),
))]
pub async fn callback(
    State(service): State<Service>,
    way: Way,
    Path(name): Path<String>,
    Query(back): Query<Back>,
    jar: CookieJar,
) -> Result<Response, Problem> {
    let now = Utc::now();
    let provider = provider(&service, &name)?;
    service.gate.attempts.count_address(way.address)?;
    let own = jar.get(&cookie_name(way)).is_some_and(|cookie| token::same(cookie.value(), &back.state));
    if back.state.is_empty() || !own {
        return Err(Problem::unauthorized("this sign-on was not begun in this browser, or took too long; begin again"));
    }
    let Some(code) = back.code else {
        let why = back.error.unwrap_or_default();
        let why: String =
            why.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '_').take(60).collect();
        return Err(Problem::unauthorized(format!("the provider did not let them through ({why}); begin again")));
    };
    let callback = callback_url(&service, &name);
    let person = service.gate.sign_ons.finish(provider, &callback, &back.state, code, now).await?;
    let (id, changes) = known(&service, provider, &person).await?;
    let login = session::open(&service, &Who::User(id), &provider.tenant, now, changes).await?;
    service.gate.changed();
    let age_s = (login.until - now).num_seconds();
    let mut response = to("/", &session::cookie(way.secure, Some((&login.ticket, age_s))));
    response.headers_mut().append(header::SET_COOKIE, cookie(way, "", 0));
    Ok(response)
}

/// The person whom a provider means, made or brought up to date, with the roles that their groups have now.
async fn known(service: &Service, provider: &Oidc, person: &Person) -> Result<(String, Vec<Change>), Problem> {
    if tree(service, Utc::now()).await?.chain(&provider.tenant).is_empty() {
        tracing::error!(provider = provider.name, tenant = provider.tenant, "single sign-on leads to no tenant");
        return Err(Problem::forbidden("the tenant that this provider leads to is not there; an admin can make it"));
    }
    let scopes = scopes(service, provider, person).await?;
    let subject_sha256 = token::hex(&token::hash(&person.subject));
    let sso = KeptSso { provider: provider.name.clone(), subject_sha256 };
    let email = person.email.as_deref().map(people::login_name).unwrap_or_default();
    let name = person.name.clone().unwrap_or_else(|| email.clone());
    let found = people::by_sso(service, &sso).await?;
    let was = match &found {
        Some(found) => people::user(service, found).await?,
        None => None,
    };
    let refused = || Problem::forbidden("none of your groups at the provider has a role here; ask an admin");
    let Some((document, user)) = was else {
        if scopes.is_empty() {
            return Err(refused());
        }
        let user = KeptUser { email, name, scopes, sso: Some(sso), disabled: false };
        return Ok(people::make(None, &provider.tenant, &user, None)?);
    };
    if user.disabled {
        return Err(Problem::forbidden("this person is kept out; ask an admin"));
    }
    let id = document.key.id.clone();
    let now = KeptUser { email, name, scopes, ..user.clone() };
    let mut changes = Vec::new();
    if now != user {
        let at = At { tenant: &document.key.owner, site: None };
        let who = Who::User(id.clone());
        changes.push(audit::by(&who, at, &document.key, Did::Put(Some(document.version))));
        let expect = Expect::Version(document.version);
        changes.push(Change::Put { key: document.key, body: json(&now)?, expect });
    }
    if now.scopes.is_empty() {
        service.store.write(Utc::now(), changes).await?;
        service.gate.changed();
        return Err(refused());
    }
    Ok((id, changes))
}

/// What somebody's groups may be here.
async fn scopes(service: &Service, provider: &Oidc, person: &Person) -> Result<Vec<KeptScope>, Problem> {
    let mut scopes: Vec<KeptScope> = Vec::new();
    for role in provider.roles.iter().filter(|role| person.groups.contains(&role.group)) {
        let tenant = match &role.site {
            None => role.tenant.clone(),
            Some(site) => {
                let document = service.store.read(&name_key("site", site), None).await?;
                match document.as_ref().map(body::<crate::access::kept::KeptName>).transpose()? {
                    Some(name) if name.owner == role.tenant => name.owner,
                    _ => continue,
                }
            }
        };
        let scope = KeptScope { role: role.role, tenant, site: role.site.clone(), until: None };
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    Ok(scopes)
}

fn provider<'s>(service: &'s Service, name: &str) -> Result<&'s Oidc, Problem> {
    let found = service.config.oidc.iter().find(|provider| provider.name == name);
    found.ok_or_else(|| Problem::not_found(&format!("the provider {name:?}")))
}

fn callback_url(service: &Service, provider: &str) -> String {
    let public = service.config.public_url.as_deref().unwrap_or_default();
    format!("{public}/v1/oidc/{provider}/callback")
}

fn cookie_name(way: Way) -> String {
    if way.secure { format!("__Host-{COOKIE}") } else { COOKIE.to_owned() }
}

/// Lax, since the browser comes back from elsewhere.
fn cookie(way: Way, state: &str, age_s: u32) -> HeaderValue {
    let secure = if way.secure { "; Secure" } else { "" };
    let text = format!("{}={state}; Path=/; Max-Age={age_s}; HttpOnly; SameSite=Lax{secure}", cookie_name(way));
    let mut value = HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

fn to(url: &str, cookie: &HeaderValue) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let place = HeaderValue::try_from(url).unwrap_or(HeaderValue::from_static("/"));
    response.headers_mut().insert(header::LOCATION, place);
    response.headers_mut().append(header::SET_COOKIE, cookie.clone());
    no_store(response)
}
