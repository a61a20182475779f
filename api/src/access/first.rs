//! The first start: a link to set up with, no default password. For the demo, a key in a file and a link into the page.

use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};

use super::audit::{self, At, Did};
use super::caller::Who;
use super::kept::{KeptScope, KeptTenant, TOP_TENANT, json, name_key};
use super::once::Purpose;
use super::role::Role;
use super::token::{self, Shows};
use super::{authenticate, keys, people};
use crate::private;
use crate::service::Service;
use crate::store::{Change, Expect, Fault, Key, Kind};

/// How long the link to set up with works.
const SET_UP_WITHIN: TimeDelta = TimeDelta::hours(1);
/// How long the link into the demo's page works.
const LOOK_WITHIN: TimeDelta = TimeDelta::hours(24);
/// The file of the demo's key, in the data folder.
pub const DEMO_KEY: &str = "demo.key";

/// Why the first start went wrong.
#[derive(Debug, thiserror::Error)]
pub enum FirstFault {
    /// The store.
    #[error(transparent)]
    Store(#[from] Fault),
    /// The file of the demo's key.
    #[error("{} cannot be written: {why}; make the folder writable for this user", file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// What the system says.
        why: std::io::Error,
    },
    /// No random bits.
    #[error("the system gives no random bits; without them no key is safe")]
    NoRandomness,
}

/// Makes the top tenant where there is none. Where nobody can administer yet, the secret of a link to set up with, made
/// anew at each start; it works once, for an hour.
pub async fn first_start(service: &Service, now: DateTime<Utc>) -> Result<Option<SecretString>, FirstFault> {
    top_tenant(service, now).await?;
    if people::has_admin(service, None, now).await? {
        return Ok(None);
    }
    service.gate.links.end(&Purpose::SetUp);
    service.gate.links.make(Purpose::SetUp, now, SET_UP_WITHIN).map(Some).ok_or(FirstFault::NoRandomness)
}

/// Makes sure that the demo's key works and stands in its file; the file, and the secret of a link into the page, which
/// works once, for a day.
pub async fn demo(service: &Service, now: DateTime<Utc>) -> Result<(PathBuf, SecretString), FirstFault> {
    top_tenant(service, now).await?;
    let file = service.config.data.join(DEMO_KEY);
    let id = if let Some(id) = kept_key(service, &file, now).await? {
        id
    } else {
        let admin = KeptScope { role: Role::Admin, tenant: TOP_TENANT.to_owned(), site: None, until: None };
        let made = keys::make(TOP_TENANT, "demo", vec![admin], now, None)?.ok_or(FirstFault::NoRandomness)?;
        let mut changes = made.changes;
        let at = At { tenant: TOP_TENANT, site: None };
        changes.push(audit::by_system(at, &Key::new(Kind::ApiKey, TOP_TENANT, &made.id), Did::Put(None)));
        service.store.write(now, changes).await?;
        service.gate.changed();
        let written = private::write(&file, made.secret.expose_secret());
        written.map_err(|why| FirstFault::File { file: file.clone(), why })?;
        made.id
    };
    let purpose = Purpose::LogIn { who: Who::Key(id), tenant: TOP_TENANT.to_owned() };
    let link = service.gate.links.make(purpose, now, LOOK_WITHIN).ok_or(FirstFault::NoRandomness)?;
    Ok((file, link))
}

async fn top_tenant(service: &Service, now: DateTime<Utc>) -> Result<(), Fault> {
    let key = Key::new(Kind::Tenant, "", TOP_TENANT);
    if service.store.read(&key, None).await?.is_some() {
        return Ok(());
    }
    let name = super::kept::KeptName { owner: String::new(), user: None };
    let changes = vec![
        audit::by_system(At { tenant: TOP_TENANT, site: None }, &key, Did::Put(None)),
        Change::Put { key, body: json(&KeptTenant { name: "Main".to_owned() })?, expect: Expect::Absent },
        Change::Put { key: name_key("tenant", TOP_TENANT), body: json(&name)?, expect: Expect::Absent },
    ];
    service.store.write(now, changes).await?;
    service.gate.changed();
    Ok(())
}

/// The id of the key in the file, where it is one that works.
async fn kept_key(service: &Service, file: &Path, now: DateTime<Utc>) -> Result<Option<String>, Fault> {
    let Ok(text) = std::fs::read_to_string(file) else { return Ok(None) };
    let Some(shown) = token::read(text.trim()) else { return Ok(None) };
    let caller = authenticate::authenticate(service, &shown, now).await?;
    Ok(match (caller, shown.kind) {
        (Some(_), Shows::Key(id)) => Some(id),
        _ => None,
    })
}
