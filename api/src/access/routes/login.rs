//! Logging in and out.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::wire::{Carry, LoginAnswer, Secret, Way, opened};
use crate::access::audit::{self, At, Did};
use crate::access::caller::Who;
use crate::access::extract::Login;
use crate::access::kept::json;
use crate::access::once::Purpose;
use crate::access::token::{self, Shows};
use crate::access::{password, people, session, totp};
use crate::http::problem::{Problem, ProblemKind};
use crate::http::read::Json;
use crate::service::Service;
use crate::store::{Change, Expect, Key, Kind};

/// How one may log in.
#[derive(Debug, Serialize, ToSchema)]
pub struct Ways {
    /// Names of the providers of single sign-on: go to `/v1/oidc/NAME/start`.
    providers: Vec<String>,
    /// Whether the service waits to be set up.
    set_up: bool,
}

/// Logging in: by e-mail address and password, or by a link that works once.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LogIn {
    /// E-mail address.
    #[serde(default)]
    email: Option<String>,
    /// Password.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password, write_only)]
    password: Option<Secret>,
    /// Code of the second factor, or a recovery code, for those who have one.
    #[serde(default)]
    #[schema(value_type = Option<String>, write_only)]
    code: Option<Secret>,
    /// What stands after `#link=` in the link that `serve --demo` prints; then nothing of the above.
    #[serde(default)]
    #[schema(value_type = Option<String>, write_only)]
    link: Option<Secret>,
    /// How the login is carried from now on.
    #[serde(default)]
    carry: Carry,
}

/// Ways to log in
///
/// Open: a page needs it before anybody is known.
#[utoipa::path(get, operation_id = "login_ways", path = "/v1/login", tag = "access", security(()), responses(
    (status = 200, description = "How one may log in", body = Ways),
))]
pub async fn ways(State(service): State<Service>) -> Result<Response, Problem> {
    let providers = service.config.oidc.iter().map(|provider| provider.name.clone()).collect();
    let set_up = service.gate.links.any(&Purpose::SetUp, Utc::now());
    Ok(axum::Json(Ways { providers, set_up }).into_response())
}

/// Log in
///
/// Open. A wrong password and an unknown address get the same answer, after the same time.
#[utoipa::path(post, operation_id = "log_in", path = "/v1/login", tag = "access", request_body = LogIn, security(()), responses(
    (status = 200, description = "Logged in", body = LoginAnswer),
    (status = 401, description = "Not logged in; of type `/docs/problems#second-factor` when only the code is missing", body = Problem),
    (status = 422, description = "Something in it is not right", body = Problem),
    (status = 429, description = "Too many attempts", body = Problem),
))]
pub async fn log_in(State(service): State<Service>, way: Way, Json(asked): Json<LogIn>) -> Result<Response, Problem> {
    let now = Utc::now();
    let login = attempt(&service, way, &asked, now).await;
    let outcome = match &login {
        Ok(_) => "in",
        Err(problem) if problem.status == StatusCode::TOO_MANY_REQUESTS => "held_up",
        Err(_) => "refused",
    };
    metrics::counter!("kwartier_logins_total", "outcome" => outcome).increment(1);
    Ok(opened(StatusCode::OK, way, asked.carry, &login?, now))
}

async fn attempt(service: &Service, way: Way, asked: &LogIn, now: DateTime<Utc>) -> Result<session::Opened, Problem> {
    match (&asked.link, &asked.email, &asked.password) {
        (Some(link), None, None) => {
            service.gate.attempts.count(link.0.expose_secret(), way.address)?;
            by_link(service, link, now).await
        }
        (None, Some(email), Some(password)) => {
            service.gate.attempts.count(&people::login_name(email), way.address)?;
            by_password(service, email, password, asked.code.as_ref(), now).await
        }
        _ => Err(Problem::field("email", "send email and password, or link alone")),
    }
}

/// Log out
///
/// Ends this login. A key cannot log out: delete it.
#[utoipa::path(post, operation_id = "log_out", path = "/v1/logout", tag = "access", responses(
    (status = 204, description = "Logged out"),
    (status = 401, description = "Nobody was logged in", body = Problem),
))]
pub async fn log_out(State(service): State<Service>, login: Login, way: Way) -> Result<Response, Problem> {
    let caller = &login.caller;
    if matches!(login.shown.kind, Shows::Key(_)) {
        return Err(Problem::forbidden("a key cannot log out; delete it at DELETE /v1/keys/ID"));
    }
    let key = Key::new(Kind::Ticket, caller.who.name(), token::hex(&login.shown.hash));
    let at = At { tenant: &caller.tenant, site: None };
    let entry = audit::entry(caller, at, &session::subject(&caller.who, &caller.tenant), Did::Other("logout"));
    caller.write(&*service.store, vec![Change::Erase(key), entry]).await?;
    service.gate.changed();
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().append(header::SET_COOKIE, session::cookie(way.secure, None));
    Ok(response)
}

async fn by_link(service: &Service, link: &Secret, now: DateTime<Utc>) -> Result<session::Opened, Problem> {
    let fits = |purpose: &Purpose| matches!(purpose, Purpose::LogIn { .. });
    match service.gate.links.take(link.0.expose_secret(), now, fits) {
        Some(Purpose::LogIn { who, tenant }) => session::open(service, &who, &tenant, now, Vec::new()).await,
        _ => Err(Problem::unauthorized(
            "this link does not work: it was used, or has run out; a restart prints a new one",
        )),
    }
}

async fn by_password(
    service: &Service,
    email: &str,
    password: &Secret,
    code: Option<&Secret>,
    now: DateTime<Utc>,
) -> Result<session::Opened, Problem> {
    let found = people::by_email(service, email).await?;
    let credential = match &found {
        Some(found) => people::credential(service, &found.id).await?,
        None => None,
    };
    let hash = credential.as_ref().and_then(|(_, credential)| credential.password.clone());
    let fits = password::matches(password.0.clone(), hash).await?;
    let (Some(found), Some((document, credential)), true) = (found, credential, fits) else { return Err(refused()) };
    match people::user(service, &found).await? {
        Some((_, user)) if !user.disabled => {}
        _ => return Err(refused()),
    }
    let who = Who::User(found.id.clone());
    let mut changes = Vec::new();
    if let Some(kept) = credential.totp.as_ref().filter(|kept| kept.confirmed) {
        let Some(code) = code else { return Err(second_factor()) };
        let taken = totp::take(kept, code.0.expose_secret(), now).ok_or_else(refused)?;
        let credential = crate::access::kept::KeptCredential { totp: Some(taken), ..credential };
        // In its version: of two logins with one code at the same time only one is written.
        let expect = Expect::Version(document.version);
        changes.push(Change::Put { key: document.key, body: json(&credential)?, expect });
    }
    let opened = session::open(service, &who, &found.tenant, now, changes).await;
    opened.map_err(|problem| if problem.is_conflict() { refused() } else { problem })
}

fn refused() -> Problem {
    Problem::unauthorized("e-mail address, password or code are not right")
}

fn second_factor() -> Problem {
    let detail = "this account has a second factor; send its code, or a recovery code, as `code`";
    Problem::new(ProblemKind::SecondFactor, detail)
}
