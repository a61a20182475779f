//! People: making, finding, changing and erasing them. What is personal stands in [`KeptUser`] alone, and goes with it.

use chrono::{DateTime, Utc};

use super::audit::{self, At, Did};
use super::caller::{Caller, Who};
use super::kept::{
    KeptCredential, KeptKey, KeptName, KeptScope, KeptSso, KeptUser, TOP_TENANT, body, credential_key, json, name_key,
};
use super::role::Role;
use super::{session, token};
use crate::http::problem::{Problem, ProblemKind};
use crate::service::Service;
use crate::store::{Change, Document, Expect, Fault, Key, Kind, List};

/// Longest e-mail address and name, in characters.
const LONGEST: usize = 254;

/// A person who was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// Their id.
    pub id: String,
    /// Whose they are.
    pub tenant: String,
}

/// An e-mail address as people log in by it.
pub fn login_name(email: &str) -> String {
    email.trim().to_lowercase()
}

/// Where it stands whose a name for logging in is: by its hash, since the address itself is personal.
pub fn login_key(email: &str) -> Key {
    name_key("login", &token::hex(&token::hash(&login_name(email))))
}

/// Where it stands whom a provider means by a subject.
pub fn sso_key(sso: &KeptSso) -> Key {
    name_key("sso", &format!("{}/{}", sso.provider, sso.subject_sha256))
}

/// Whether an e-mail address can be used.
pub fn check_email(field: &str, email: &str) -> Result<(), Problem> {
    let parts = email.trim().split_once('@');
    let fits = parts.is_some_and(|(user, host)| !user.is_empty() && !host.is_empty() && !host.contains('@'));
    let clean = email.chars().count() <= LONGEST && !email.chars().any(char::is_control);
    if fits && clean && !email.trim().contains(char::is_whitespace) {
        return Ok(());
    }
    Err(Problem::field(field, "it is no e-mail address; write it as in name@company.example"))
}

/// Whether a name can be used.
pub fn check_name(field: &str, name: &str) -> Result<(), Problem> {
    if name.trim().is_empty() || name.chars().count() > LONGEST || name.chars().any(char::is_control) {
        let detail = format!("it is empty, longer than {LONGEST} characters, or has control characters; write a name");
        return Err(Problem::field(field, detail));
    }
    Ok(())
}

/// The person who logs in by an e-mail address.
pub async fn by_email(service: &Service, email: &str) -> Result<Option<Found>, Fault> {
    by_name(service, &login_key(email)).await
}

/// The person whom a provider means.
pub async fn by_sso(service: &Service, sso: &KeptSso) -> Result<Option<Found>, Fault> {
    by_name(service, &sso_key(sso)).await
}

async fn by_name(service: &Service, key: &Key) -> Result<Option<Found>, Fault> {
    let Some(document) = service.store.read(key, None).await? else { return Ok(None) };
    let name: KeptName = body(&document)?;
    Ok(name.user.map(|id| Found { id, tenant: name.owner }))
}

/// A person's document.
pub async fn user(service: &Service, found: &Found) -> Result<Option<(Document, KeptUser)>, Fault> {
    let key = Key::new(Kind::User, &found.tenant, &found.id);
    let Some(document) = service.store.read(&key, None).await? else { return Ok(None) };
    let user = body(&document)?;
    Ok(Some((document, user)))
}

/// A person's credential.
pub async fn credential(service: &Service, id: &str) -> Result<Option<(Document, KeptCredential)>, Fault> {
    let Some(document) = service.store.read(&credential_key(id), None).await? else { return Ok(None) };
    let credential = body(&document)?;
    Ok(Some((document, credential)))
}

/// The changes that make a person, and their id. `by` is who makes them; `None`, they make themselves.
pub fn make(
    by: Option<&Caller>,
    tenant: &str,
    user: &KeptUser,
    password: Option<String>,
) -> Result<(String, Vec<Change>), Fault> {
    let id = token::id();
    let who = Who::User(id.clone());
    let key = session::subject(&who, tenant);
    let at = At { tenant, site: None };
    let entry = match by {
        Some(caller) => audit::entry(caller, at, &key, Did::Put(None)),
        None => audit::by(&who, at, &key, Did::Put(None)),
    };
    let credential = KeptCredential { tenant: tenant.to_owned(), password, ..KeptCredential::default() };
    let name = match &user.sso {
        Some(sso) => sso_key(sso),
        None => login_key(&user.email),
    };
    let owner = KeptName { owner: tenant.to_owned(), user: Some(id.clone()) };
    let expect = Expect::Absent;
    let changes = vec![
        entry,
        Change::Put { key, body: json(user)?, expect },
        Change::Put { key: credential_key(&id), body: json(&credential)?, expect },
        Change::Put { key: name, body: json(&owner)?, expect },
    ];
    Ok((id, changes))
}

/// The changes that erase a person with all their past: their document, credential, names, logins.
pub async fn erase(service: &Service, id: &str, user: &Document, kept: &KeptUser) -> Result<Vec<Change>, Fault> {
    let who = Who::User(id.to_owned());
    let mut changes = session::end_all(service, &who, None).await?;
    changes.push(Change::Delete { key: user.key.clone(), expect: Expect::Version(user.version) });
    changes.push(Change::Erase(user.key.clone()));
    changes.push(Change::Erase(credential_key(id)));
    changes.push(Change::Erase(match &kept.sso {
        Some(sso) => sso_key(sso),
        None => login_key(&kept.email),
    }));
    Ok(changes)
}

/// Whether somebody besides one can administer the installation.
pub async fn has_admin(service: &Service, but: Option<&str>, now: DateTime<Utc>) -> Result<bool, Fault> {
    for kind in [Kind::User, Kind::ApiKey] {
        let all = service.store.all(List::of(kind, TOP_TENANT)).await?;
        for document in all.iter().filter(|document| Some(document.key.id.as_str()) != but) {
            let can = if kind == Kind::User {
                administers(&body(document)?, now)
            } else {
                let key: KeptKey = body(document)?;
                key.until.is_none_or(|until| now < until) && administer(&key.scopes, now)
            };
            if can {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// 409 when nobody would be left to administer the installation, once one person or key is as given, or gone.
pub async fn not_the_last_admin(
    service: &Service,
    id: &str,
    then: Option<&KeptUser>,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    if then.is_some_and(|then| administers(then, now)) || has_admin(service, Some(id), now).await? {
        return Ok(());
    }
    let detail = format!("nobody else is admin at the tenant {TOP_TENANT:?}; make another first");
    Err(Problem::new(ProblemKind::LastAdmin, detail))
}

fn administers(user: &KeptUser, now: DateTime<Utc>) -> bool {
    !user.disabled && administer(&user.scopes, now)
}

fn administer(scopes: &[KeptScope], now: DateTime<Utc>) -> bool {
    scopes.iter().any(|scope| {
        scope.role == Role::Admin
            && scope.tenant == TOP_TENANT
            && scope.site.is_none()
            && scope.until.is_none_or(|until| now < until)
    })
}
