//! From a request to its [`Caller`].

use axum::extract::FromRequestParts;
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use axum_extra::extract::CookieJar;
use chrono::Utc;

use super::authenticate::authenticate;
use super::caller::{Caller, Once};
use super::token::{self, Shown};
use crate::http::listen::Link;
use crate::http::problem::Problem;
use crate::service::Service;

/// The cookie of a login where the connection is encrypted. Its prefix makes browsers refuse it from anywhere else.
pub const SECURE_COOKIE: &str = "__Host-kwartier";
/// The cookie of a login over plain HTTP, which is on this machine alone.
pub const PLAIN_COOKIE: &str = "kwartier";
/// What a page sends with every change, to show that it is ours.
pub const CSRF_HEADER: &str = "kwartier-csrf";

/// A request's caller and the token that it showed.
#[derive(Debug, Clone)]
pub struct Login {
    /// Who is asking.
    pub caller: Caller,
    /// What they showed.
    pub shown: Shown,
    /// Whether a browser sent it by itself, as a cookie.
    pub by_cookie: bool,
    /// What a page has to send with changes.
    pub csrf: String,
}

impl FromRequestParts<Service> for Login {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Login, Problem> {
        let now = Utc::now();
        let (token, by_cookie) = token_of(parts, service)?;
        let shown = token::read(&token).ok_or_else(refused)?;
        let csrf = csrf(&token);
        if by_cookie && changes(&parts.method) {
            from_our_page(&parts.headers, &csrf)?;
        }
        let caller = authenticate(service, &shown, now).await?.ok_or_else(refused)?;
        let caller = Caller { once: parts.extensions.get::<Once>().cloned(), ..caller };
        Ok(Login { caller, shown, by_cookie, csrf })
    }
}

impl FromRequestParts<Service> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Caller, Problem> {
        Login::from_request_parts(parts, service).await.map(|login| login.caller)
    }
}

/// Whether cookies go out for encrypted connections only: on ours, or on that of a proxy in front of us.
pub fn is_secure(parts: &Parts, service: &Service) -> bool {
    parts.extensions.get::<Link>().is_some_and(|link| link.tls) || service.config.is_public_https()
}

/// What a page has to send with changes: it can only be made by who has the ticket.
pub fn csrf(token: &str) -> String {
    token::hex(&token::hash(&format!("csrf {token}"))[..16])
}

fn token_of(parts: &Parts, service: &Service) -> Result<(String, bool), Problem> {
    if let Some(value) = parts.headers.get(AUTHORIZATION) {
        let text = value.to_str().unwrap_or_default();
        return match text.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok((token.trim().to_owned(), false)),
            _ => Err(Problem::unauthorized("the header Authorization must be: Bearer KEY")),
        };
    }
    let name = if is_secure(parts, service) { SECURE_COOKIE } else { PLAIN_COOKIE };
    match CookieJar::from_headers(&parts.headers).get(name) {
        Some(cookie) => Ok((cookie.value().to_owned(), true)),
        None => Err(Problem::unauthorized(
            "there is no key: send the header Authorization: Bearer KEY, or log in at POST /v1/login",
        )),
    }
}

fn refused() -> Problem {
    Problem::unauthorized("this key or login does not work: it is wrong, was taken back, or has run out")
}

fn changes(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// A cookie comes by itself, so a change must also show that the page which asks for it is ours.
fn from_our_page(headers: &HeaderMap, csrf: &str) -> Result<(), Problem> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let sent = headers.get(CSRF_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !token::same(sent, csrf) {
        let what = "a change by cookie needs the header Kwartier-CSRF with the value that login and GET /v1/me give";
        return Err(Problem::forbidden(what));
    }
    let foreign = header(ORIGIN).is_some_and(|origin| {
        let host = origin.split_once("://").map_or("", |(_, host)| host);
        Some(host) != header(HOST)
    });
    if foreign { Err(Problem::forbidden("a change by cookie must come from a page of this service")) } else { Ok(()) }
}
