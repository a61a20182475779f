//! Who shows a token.

use chrono::{DateTime, Utc};

use super::caller::{Caller, Scope, Who};
use super::gate::Known;
use super::kept::{KeptCredential, KeptGrant, KeptKey, KeptTicket, KeptUser, TicketFor, body, credential_key, json};
use super::role::Role;
use super::token::{self, Shown, Shows};
use crate::service::Service;
use crate::store::{Change, Expect, Fault, Key, Kind, List};

/// Who shows a token; `None`, it does not work, for whatever reason.
pub async fn authenticate(service: &Service, shown: &Shown, now: DateTime<Utc>) -> Result<Option<Caller>, Fault> {
    let known = match service.gate.callers.get(&shown.hash, now) {
        Ok(known) => known,
        Err(era) => {
            let known = look_up(service, shown).await?;
            service.gate.callers.put(era, shown.hash, known.clone(), now);
            known
        }
    };
    let Some(known) = known.filter(|known| known.until.is_none_or(|until| now < until)) else { return Ok(None) };
    if let Who::Key(id) = &known.who
        && service.gate.first_use(id, now)
    {
        note_use(service, id, now).await;
    }
    Ok(Some(Caller { who: known.who, tenant: known.tenant, scopes: known.scopes, at: now, once: None }))
}

/// The same caller as they are now: for answers that go on for long. `None`, they may do nothing any longer.
pub async fn again(service: &Service, caller: &Caller, now: DateTime<Utc>) -> Result<Option<Caller>, Fault> {
    let known = match &caller.who {
        Who::User(id) => person(service, id).await?,
        Who::Key(id) => key(service, id, None).await?,
    };
    let known = known.filter(|known| known.until.is_none_or(|until| now < until));
    Ok(known.map(|known| Caller { who: known.who, tenant: known.tenant, scopes: known.scopes, at: now, once: None }))
}

async fn look_up(service: &Service, shown: &Shown) -> Result<Option<Known>, Fault> {
    let hash = token::hex(&shown.hash);
    match &shown.kind {
        Shows::Key(id) => key(service, id, Some(&hash)).await,
        Shows::Ticket(who) => {
            let Some(ticket) = service.store.read(&Key::new(Kind::Ticket, who.name(), hash), None).await? else {
                return Ok(None);
            };
            let ticket: KeptTicket = body(&ticket)?;
            if ticket.purpose != TicketFor::Login {
                return Ok(None);
            }
            let known = match who {
                Who::User(id) => person(service, id).await?,
                Who::Key(id) => key(service, id, None).await?,
            };
            Ok(known.map(|known| {
                let until = known.until.map_or(ticket.until, |until| until.min(ticket.until));
                Known { until: Some(until), ..known }
            }))
        }
    }
}

async fn key(service: &Service, id: &str, hash: Option<&str>) -> Result<Option<Known>, Fault> {
    let Some(credential) = service.store.read(&credential_key(id), None).await? else { return Ok(None) };
    let credential: KeptCredential = body(&credential)?;
    let fits = match (hash, &credential.key_sha256) {
        (Some(hash), Some(kept)) => token::same(hash, kept),
        (None, Some(_)) => true,
        (_, None) => false,
    };
    let place = Key::new(Kind::ApiKey, credential.tenant.clone(), id);
    let kept = if fits { service.store.read(&place, None).await? } else { None };
    let Some(kept) = kept else { return Ok(None) };
    let kept: KeptKey = body(&kept)?;
    let own = kept.scopes.iter().map(super::kept::KeptScope::scope).collect();
    let who = Who::Key(id.to_owned());
    let scopes = with_grants(service, &who, &credential.tenant, own).await?;
    Ok(Some(Known { who, tenant: credential.tenant, scopes, until: kept.until }))
}

async fn person(service: &Service, id: &str) -> Result<Option<Known>, Fault> {
    let Some(credential) = service.store.read(&credential_key(id), None).await? else { return Ok(None) };
    let credential: KeptCredential = body(&credential)?;
    let place = Key::new(Kind::User, credential.tenant.clone(), id);
    let Some(user) = service.store.read(&place, None).await? else { return Ok(None) };
    let user: KeptUser = body(&user)?;
    if user.disabled {
        return Ok(None);
    }
    let own = user.scopes.iter().map(super::kept::KeptScope::scope).collect();
    let who = Who::User(id.to_owned());
    let scopes = with_grants(service, &who, &credential.tenant, own).await?;
    Ok(Some(Known { who, tenant: credential.tenant, scopes, until: None }))
}

/// Adds what others have granted to this tenant. A grant to the whole tenant counts for those who have its role, or are
/// admin, at home: it makes nobody more than they are there.
async fn with_grants(service: &Service, who: &Who, tenant: &str, mut scopes: Vec<Scope>) -> Result<Vec<Scope>, Fault> {
    let home: Vec<(Role, Option<DateTime<Utc>>)> = scopes
        .iter()
        .filter(|scope| matches!(&scope.place, super::Place::Tenant(place) if place == tenant))
        .map(|scope| (scope.role, scope.until))
        .collect();
    for document in service.store.all(List::of(Kind::Grant, tenant)).await? {
        let grant: KeptGrant = body(&document)?;
        let place = super::Place::Site { site: grant.site, tenant: grant.site_tenant };
        match &grant.user {
            Some(user) if Who::User(user.clone()) == *who => {
                scopes.push(Scope { role: grant.role, place, until: Some(grant.until) });
            }
            Some(_) => {}
            None => {
                let like_it = home.iter().filter(|(role, _)| *role == grant.role || *role == Role::Admin);
                scopes.extend(like_it.map(|(_, until)| Scope {
                    role: grant.role,
                    place: place.clone(),
                    until: Some(until.map_or(grant.until, |until| until.min(grant.until))),
                }));
            }
        }
    }
    Ok(scopes)
}

/// Writes down that a key is used. Where that is not possible now, the request goes on without.
async fn note_use(service: &Service, id: &str, now: DateTime<Utc>) {
    if let Err(fault) = write_use(service, id, now).await {
        tracing::debug!(%fault, key = id, "that a key is used could not be written down");
    }
}

async fn write_use(service: &Service, id: &str, now: DateTime<Utc>) -> Result<(), Fault> {
    let Some(document) = service.store.read(&credential_key(id), None).await? else { return Ok(()) };
    let credential = KeptCredential { used: Some(now), ..body(&document)? };
    let change = Change::Put { key: document.key, body: json(&credential)?, expect: Expect::Version(document.version) };
    service.store.write(now, vec![change]).await?;
    Ok(())
}
