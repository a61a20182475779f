//! What several routes of access send and take.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::access::extract;
use crate::access::kept::KeptScope;
use crate::access::role::Role;
use crate::access::session::{self, Opened};
use crate::http::problem::Problem;
use crate::service::Service;

/// A secret in a body. Debugging shows nothing of it.
#[derive(Debug, Clone)]
pub struct Secret(pub SecretString);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        String::deserialize(deserializer).map(|text| Secret(text.into()))
    }
}

/// A role somewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScopeBody {
    /// What they may be.
    pub role: Role,
    /// At which tenant, those below it included. Where `site` is given it need not be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// At which site alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// Until when; absent, until it is taken away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

impl From<&KeptScope> for ScopeBody {
    fn from(kept: &KeptScope) -> ScopeBody {
        ScopeBody { role: kept.role, tenant: Some(kept.tenant.clone()), site: kept.site.clone(), until: kept.until }
    }
}

/// How a login is carried from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Carry {
    /// By the browser, as a cookie that scripts cannot read; changes then need the header `Kwartier-CSRF`.
    #[default]
    Cookie,
    /// By the client, as `Authorization: Bearer TICKET`.
    Bearer,
}

/// A login.
#[derive(Serialize, ToSchema)]
pub struct LoginAnswer {
    /// The ticket, with `carry: "bearer"`. It is shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// What to send as the header `Kwartier-CSRF` with every change, with `carry: "cookie"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub csrf: Option<String>,
    /// Until when it works.
    pub until: DateTime<Utc>,
}

/// How a request came: what is needed to count attempts and to set cookies.
#[derive(Debug, Clone, Copy)]
pub struct Way {
    /// From where.
    pub address: Option<IpAddr>,
    /// Whether cookies go out for encrypted connections only.
    pub secure: bool,
}

impl FromRequestParts<Service> for Way {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Way, Problem> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
        let secure = extract::is_secure(parts, service);
        // Behind a proxy on this machine everybody comes from here: then only accounts are counted.
        let address = peer.filter(|peer| !(peer.is_loopback() && service.config.public_url.is_some()));
        Ok(Way { address, secure })
    }
}

/// The answer to a login that was made.
pub fn opened(status: StatusCode, way: Way, carry: Carry, opened: &Opened, now: DateTime<Utc>) -> Response {
    let until = opened.until;
    if carry == Carry::Bearer {
        let ticket = Some(opened.ticket.expose_secret().to_owned());
        return no_store((status, axum::Json(LoginAnswer { ticket, csrf: None, until })).into_response());
    }
    let csrf = Some(extract::csrf(opened.ticket.expose_secret()));
    let mut response = (status, axum::Json(LoginAnswer { ticket: None, csrf, until })).into_response();
    let cookie = session::cookie(way.secure, Some((&opened.ticket, (until - now).num_seconds())));
    response.headers_mut().append(header::SET_COOKIE, cookie);
    no_store(response)
}

/// An answer that nobody on the way may keep: there is a secret in it.
pub fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response
}
