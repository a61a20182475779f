//! `POST /v1/setup`: the first admin, by the link that the first start prints; or a password, by an invitation.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::Utc;
use secrecy::ExposeSecret;
use serde::Deserialize;
use utoipa::ToSchema;

use super::wire::{Carry, LoginAnswer, Secret, Way, opened};
use crate::access::audit::{self, At, Did};
use crate::access::caller::Who;
use crate::access::kept::{KeptScope, KeptTicket, KeptUser, TOP_TENANT, TicketFor, body, json};
use crate::access::once::Purpose;
use crate::access::role::Role;
use crate::access::token::{self, Shows};
use crate::access::{password, people, session};
use crate::http::problem::Problem;
use crate::http::read::Json;
use crate::service::Service;
use crate::store::{Change, Expect, Key, Kind};

/// Setting up.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetUp {
    /// What stands after `#setup=` in the link that the first start prints, or after `#invitation=` in an invitation.
    #[schema(value_type = String, write_only)]
    token: Secret,
    /// E-mail address of the first admin; with an invitation it is known already.
    #[serde(default)]
    email: Option<String>,
    /// Name of the first admin; with an invitation it is known already.
    #[serde(default)]
    name: Option<String>,
    /// The password to log in with: at least 12 characters.
    #[schema(value_type = String, format = Password, write_only)]
    password: Secret,
    /// How the login is carried from now on.
    #[serde(default)]
    carry: Carry,
}

/// Make the first admin, or accept an invitation
///
/// Open to whoever has the link. It works once.
#[utoipa::path(post, operation_id = "set_up", path = "/v1/setup", tag = "access", request_body = SetUp, security(()), responses(
    (status = 201, description = "Set up and logged in", body = LoginAnswer),
    (status = 401, description = "The link does not work (any longer)", body = Problem),
    (status = 422, description = "Something in it is not right", body = Problem),
    (status = 429, description = "Too many attempts", body = Problem),
))]
pub async fn set_up(State(service): State<Service>, way: Way, Json(asked): Json<SetUp>) -> Result<Response, Problem> {
    let now = Utc::now();
    let secret = asked.token.0.expose_secret();
    service.gate.attempts.count(secret, way.address)?;
    match token::read(secret) {
        Some(shown) => match shown.kind {
            Shows::Ticket(Who::User(id)) => invited(&service, way, &asked, &id, &shown.hash, now).await,
            _ => Err(refused()),
        },
        None => first(&service, way, &asked, now).await,
    }
}

async fn first(service: &Service, way: Way, asked: &SetUp, now: chrono::DateTime<Utc>) -> Result<Response, Problem> {
    // What can be mended comes first: the link is used up by the attempt that fits.
    let missing = |field| Problem::field(field, "it is missing; the first admin needs one");
    let email = asked.email.as_deref().ok_or_else(|| missing("email"))?;
    let name = asked.name.as_deref().ok_or_else(|| missing("name"))?;
    people::check_email("email", email)?;
    people::check_name("name", name)?;
    password::check("password", &asked.password.0, &[email, name])?;
    let secret = asked.token.0.expose_secret();
    service.gate.links.take(secret, now, |purpose| *purpose == Purpose::SetUp).ok_or_else(refused)?;
    let admin = KeptScope { role: Role::Admin, tenant: TOP_TENANT.to_owned(), site: None, until: None };
    let user = KeptUser {
        email: people::login_name(email),
        name: name.trim().to_owned(),
        scopes: vec![admin],
        sso: None,
        disabled: false,
    };
    let hash = password::hash(asked.password.0.clone()).await?;
    let (id, changes) = people::make(None, TOP_TENANT, &user, Some(hash))?;
    let login = session::open(service, &Who::User(id), TOP_TENANT, now, changes).await?;
    service.gate.changed();
    Ok(opened(StatusCode::CREATED, way, asked.carry, &login, now))
}

async fn invited(
    service: &Service,
    way: Way,
    asked: &SetUp,
    id: &str,
    hash: &[u8; 32],
    now: chrono::DateTime<Utc>,
) -> Result<Response, Problem> {
    let who = Who::User(id.to_owned());
    let key = Key::new(Kind::Ticket, who.name(), token::hex(hash));
    let ticket = service.store.read(&key, None).await?.ok_or_else(refused)?;
    let kept: KeptTicket = body(&ticket)?;
    if kept.purpose != TicketFor::Invitation || kept.until <= now {
        return Err(refused());
    }
    let (document, mut credential) = people::credential(service, id).await?.ok_or_else(refused)?;
    let found = people::Found { id: id.to_owned(), tenant: credential.tenant.clone() };
    let (_, user) = people::user(service, &found).await?.ok_or_else(refused)?;
    if user.disabled {
        return Err(refused());
    }
    for (field, known) in [("email", asked.email.is_some()), ("name", asked.name.is_some())] {
        if known {
            return Err(Problem::field(field, "an invitation knows it already; leave it out"));
        }
    }
    password::check("password", &asked.password.0, &[&user.email, &user.name])?;
    credential.password = Some(password::hash(asked.password.0.clone()).await?);
    let at = At { tenant: &found.tenant, site: None };
    let mut changes = vec![
        // Deleting in its version is what makes it work once.
        Change::Delete { key: key.clone(), expect: Expect::Version(ticket.version) },
        Change::Put { key: document.key, body: json(&credential)?, expect: Expect::Version(document.version) },
        audit::by(&who, at, &session::subject(&who, &found.tenant), Did::Other("password")),
    ];
    changes.extend(session::end_all(service, &who, None).await?);
    let login = session::open(service, &who, &found.tenant, now, changes).await?;
    service.gate.changed();
    Ok(opened(StatusCode::CREATED, way, asked.carry, &login, now))
}

fn refused() -> Problem {
    Problem::unauthorized(
        "this link does not work: it was used, or has run out; a restart prints a new one, an admin invites again",
    )
}
