//! One's own second factor.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::me::{person, proves};
use super::wire::{Secret, Way, no_store};
use crate::access::audit::{self, At, Did};
use crate::access::extract::Login;
use crate::access::kept::{KeptCredential, KeptTotp, json};
use crate::access::{session, totp};
use crate::http::problem::{Problem, ProblemKind};
use crate::http::read::Json;
use crate::service::Service;
use crate::store::{Change, Document, Expect};

/// Proof that it is not a borrowed login.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// The password.
    #[schema(value_type = String, format = Password, write_only)]
    password: Secret,
}

/// A second factor to be put into an app.
#[derive(Serialize, ToSchema)]
pub struct Begun {
    /// The secret, to be typed into the app. It is shown once.
    secret: String,
    /// The same as an `otpauth://` link, to be shown as a QR code.
    url: String,
}

/// A code of the app.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// Six digits.
    #[schema(value_type = String, write_only)]
    code: Secret,
}

/// Codes for when the app is lost.
#[derive(Serialize, ToSchema)]
pub struct Recovery {
    /// Each works once in place of a code. They are shown once.
    recovery_codes: Vec<String>,
}

/// Begin with a second factor
///
/// It is asked for from `POST /v1/me/totp/confirm` on. One that is confirmed already has to be ended first.
#[utoipa::path(post, operation_id = "begin_totp", path = "/v1/me/totp", tag = "access", request_body = Proof, responses(
    (status = 200, description = "What to put into the app", body = Begun),
    (status = 401, description = "The password is not right", body = Problem),
    (status = 403, description = "A key, or an account of single sign-on, has none", body = Problem),
    (status = 409, description = "There is one already", body = Problem),
    (status = 429, description = "Too many attempts", body = Problem),
))]
pub async fn begin(
    State(service): State<Service>,
    login: Login,
    way: Way,
    Json(asked): Json<Proof>,
) -> Result<Response, Problem> {
    let (user, document, credential) = person(&service, &login.caller).await?;
    proves(&service, &user, &credential, &asked.password, way).await?;
    if credential.totp.as_ref().is_some_and(|kept| kept.confirmed) {
        return Err(conflict("there is a second factor already; end it first at POST /v1/me/totp/end"));
    }
    let kept = totp::new();
    let url = totp::link(&kept, &user.email).ok_or_else(Problem::internal)?;
    let begun = Begun { secret: kept.secret.clone(), url: url.expose_secret().to_owned() };
    keep(&service, &login, document, KeptCredential { totp: Some(kept), ..credential }, "second factor begun").await?;
    Ok(no_store(axum::Json(begun).into_response()))
}

/// Confirm the second factor
///
/// From now on logging in needs a code.
#[utoipa::path(post, operation_id = "confirm_totp", path = "/v1/me/totp/confirm", tag = "access", request_body = Code, responses(
    (status = 200, description = "It is asked for from now on", body = Recovery),
    (status = 401, description = "The code is not right", body = Problem),
    (status = 409, description = "There is none to confirm", body = Problem),
    (status = 429, description = "Too many attempts", body = Problem),
))]
pub async fn confirm(
    State(service): State<Service>,
    login: Login,
    way: Way,
    Json(asked): Json<Code>,
) -> Result<Response, Problem> {
    let (user, document, credential) = person(&service, &login.caller).await?;
    service.gate.attempts.count(&user.email, way.address)?;
    let Some(kept) = credential.totp.as_ref().filter(|kept| !kept.confirmed) else {
        return Err(conflict("there is none to confirm; begin with POST /v1/me/totp"));
    };
    let taken = totp::take(kept, asked.code.0.expose_secret(), login.caller.at);
    let taken = taken.ok_or_else(|| Problem::unauthorized("the code is not right; look whether the clocks are"))?;
    let (codes, recovery_sha256) = totp::recovery().ok_or_else(Problem::internal)?;
    let kept = KeptTotp { confirmed: true, recovery_sha256, ..taken };
    keep(&service, &login, document, KeptCredential { totp: Some(kept), ..credential }, "second factor").await?;
    let recovery_codes = codes.iter().map(|code| code.expose_secret().to_owned()).collect();
    Ok(no_store(axum::Json(Recovery { recovery_codes }).into_response()))
}

/// End the second factor
#[utoipa::path(post, operation_id = "end_totp", path = "/v1/me/totp/end", tag = "access", request_body = Proof, responses(
    (status = 204, description = "Ended"),
    (status = 401, description = "The password is not right", body = Problem),
    (status = 409, description = "There is none", body = Problem),
    (status = 429, description = "Too many attempts", body = Problem),
))]
pub async fn end(
    State(service): State<Service>,
    login: Login,
    way: Way,
    Json(asked): Json<Proof>,
) -> Result<StatusCode, Problem> {
    let (user, document, credential) = person(&service, &login.caller).await?;
    proves(&service, &user, &credential, &asked.password, way).await?;
    if credential.totp.is_none() {
        return Err(conflict("there is no second factor"));
    }
    keep(&service, &login, document, KeptCredential { totp: None, ..credential }, "second factor ended").await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn keep(
    service: &Service,
    login: &Login,
    document: Document,
    credential: KeptCredential,
    word: &'static str,
) -> Result<(), Problem> {
    let caller = &login.caller;
    let at = At { tenant: &caller.tenant, site: None };
    let entry = audit::entry(caller, at, &session::subject(&caller.who, &caller.tenant), Did::Other(word));
    let expect = Expect::Version(document.version);
    let change = Change::Put { key: document.key, body: json(&credential)?, expect };
    caller.write(&*service.store, vec![change, entry]).await?;
    Ok(())
}

fn conflict(detail: &str) -> Problem {
    Problem::new(ProblemKind::SecondFactorState, detail)
}
