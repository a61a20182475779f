//! Logins: a ticket for a browser or program, for some hours.

use axum::http::HeaderValue;
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};

use super::audit::{self, At, Did};
use super::caller::Who;
use super::extract::{PLAIN_COOKIE, SECURE_COOKIE};
use super::kept::{KeptTicket, TicketFor, json};
use super::token;
use crate::http::problem::Problem;
use crate::service::Service;
use crate::store::{Change, Expect, Fault, Key, Kind, List};

/// How long somebody who was invited may take to choose a password.
const INVITED: TimeDelta = TimeDelta::hours(72);

/// A login that was just made.
#[derive(Debug)]
pub struct Opened {
    /// The ticket; shown once.
    pub ticket: SecretString,
    /// Until when it works.
    pub until: DateTime<Utc>,
}

/// A new ticket, and the changes that make it.
pub fn ticket(
    who: &Who,
    purpose: TicketFor,
    now: DateTime<Utc>,
    works: TimeDelta,
) -> Result<(Opened, Change), Problem> {
    let secret = token::secret().ok_or_else(Problem::internal)?;
    let ticket = token::ticket(who, &secret);
    let key = Key::new(Kind::Ticket, who.name(), token::hex(&token::hash(ticket.expose_secret())));
    let until = now + works;
    let body = json(&KeptTicket { purpose, made: now, until })?;
    Ok((Opened { ticket, until }, Change::Put { key, body, expect: Expect::Absent }))
}

/// Logs somebody in. `changes` go into the same batch.
pub async fn open(
    service: &Service,
    who: &Who,
    tenant: &str,
    now: DateTime<Utc>,
    mut changes: Vec<Change>,
) -> Result<Opened, Problem> {
    let hours = TimeDelta::hours(i64::from(service.config.login.session_hours));
    let (opened, change) = ticket(who, TicketFor::Login, now, hours)?;
    changes.push(change);
    let at = At { tenant, site: None };
    changes.push(audit::by(who, at, &subject(who, tenant), Did::Other("login")));
    service.store.write(now, changes).await?;
    Ok(opened)
}

/// An invitation to choose a password, and the change that makes it.
pub fn invitation(who: &Who, now: DateTime<Utc>) -> Result<(Opened, Change), Problem> {
    ticket(who, TicketFor::Invitation, now, INVITED)
}

/// The changes that end all logins and invitations of somebody, but for one.
pub async fn end_all(service: &Service, who: &Who, but: Option<&[u8; 32]>) -> Result<Vec<Change>, Fault> {
    let but = but.map(|hash| token::hex(hash));
    let tickets = service.store.all(List::of(Kind::Ticket, who.name())).await?;
    let ended = tickets.into_iter().filter(|ticket| Some(&ticket.key.id) != but.as_ref());
    Ok(ended.map(|ticket| Change::Erase(ticket.key)).collect())
}

/// The document of a person or key.
pub fn subject(who: &Who, tenant: &str) -> Key {
    match who {
        Who::User(id) => Key::new(Kind::User, tenant, id),
        Who::Key(id) => Key::new(Kind::ApiKey, tenant, id),
    }
}

/// The cookie of a login; without a ticket, the one that ends it.
pub fn cookie(secure: bool, ticket: Option<(&SecretString, i64)>) -> HeaderValue {
    let (name, more) = if secure { (SECURE_COOKIE, "; Secure") } else { (PLAIN_COOKIE, "") };
    let (value, age_s) = ticket.map_or(("", 0), |(ticket, age_s)| (ticket.expose_secret(), age_s));
    let text = format!("{name}={value}; Path=/; Max-Age={age_s}; HttpOnly; SameSite=Strict{more}");
    let mut value = HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_out_of_reach_of_scripts_and_of_other_sites() {
        let ticket = SecretString::from("kt_u1_x");
        let secure = cookie(true, Some((&ticket, 60)));
        let expected = "__Host-kwartier=kt_u1_x; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure";
        assert_eq!(secure.to_str().unwrap(), expected);
        assert!(secure.is_sensitive());
        assert_eq!(cookie(false, None).to_str().unwrap(), "kwartier=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
    }
}
