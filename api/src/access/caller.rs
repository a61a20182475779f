//! Who is asking, and whether they may.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};

use super::role::{Permission, Role};
use crate::store::{Change, Fault, Store, Written};

/// Who is asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// A person, by id.
    User(String),
    /// A program, by the id of its key.
    Key(String),
}

impl Who {
    /// As it stands in audit entries: `user/…`, `key/…`. No name, no address.
    pub fn name(&self) -> String {
        match self {
            Who::User(id) => format!("user/{id}"),
            Who::Key(id) => format!("key/{id}"),
        }
    }
}

/// Where a role counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// At a tenant, all tenants below it, and all their sites.
    Tenant(String),
    /// At one site, as long as it is that tenant's or of one below: a site of the same name elsewhere is another one.
    Site {
        /// Which.
        site: String,
        /// Whose.
        tenant: String,
    },
}

/// A role somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// What.
    pub role: Role,
    /// Where.
    pub place: Place,
    /// Until when; `None`, until it is taken away.
    pub until: Option<DateTime<Utc>>,
}

/// Somebody who was authenticated.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who.
    pub who: Who,
    /// The tenant that they belong to: what they make is its.
    pub tenant: String,
    /// What they may be where.
    pub scopes: Vec<Scope>,
    /// When their request came: the time by which it is judged, and which what it changes carries.
    pub at: DateTime<Utc>,
    /// Under which key their request is done once; `None`, they sent none.
    pub once: Option<Once>,
}

/// A request that is done once, however often it is sent: what it changes and that it was done are written together.
#[derive(Debug, Clone)]
pub struct Once {
    /// The key, with whose it is.
    pub name: String,
    /// A hash of the request.
    pub request: String,
    /// How long it is remembered.
    pub until: DateTime<Utc>,
    /// Whether it is written already that it was done.
    pub noted: Arc<AtomicBool>,
}

impl Once {
    /// What is remembered of it; without an answer, that it was done.
    pub fn remember(&self, answer: Option<serde_json::Value>) -> Change {
        let Once { name, request, until, .. } = self;
        Change::Remember { name: name.clone(), request: request.clone(), answer, until: *until }
    }
}

/// Whether a request goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Yes.
    Granted,
    /// They may see that it is there, and not do this: 403.
    Forbidden,
    /// They may not even know that it is there: 404.
    Unknown,
}

impl Caller {
    /// Makes changes for them, together with the note that their request was done, where it is to be done once.
    pub async fn write(&self, store: &dyn Store, mut changes: Vec<Change>) -> Result<Vec<Written>, Fault> {
        let once = self.once.as_ref().filter(|once| !once.noted.load(Ordering::Relaxed));
        changes.extend(once.map(|once| once.remember(None)));
        let written = store.write(self.at, changes).await?;
        if let Some(once) = once {
            once.noted.store(true, Ordering::Relaxed);
        }
        Ok(written)
    }

    /// Whether they may do something at a site of a tenant. `tenants` are the site's tenant and all above it.
    pub fn at_site(&self, permission: Permission, site: &str, tenants: &[String]) -> Access {
        self.access(permission, |place| match place {
            Place::Tenant(tenant) => tenants.contains(tenant),
            Place::Site { site: own, tenant } => own == site && tenants.contains(tenant),
        })
    }

    /// Whether they may do something at a tenant itself. `tenants` are the tenant and all above it.
    pub fn at_tenant(&self, permission: Permission, tenants: &[String]) -> Access {
        self.access(permission, |place| match place {
            Place::Tenant(tenant) => tenants.contains(tenant),
            Place::Site { .. } => false,
        })
    }

    /// Whether they may do something somewhere.
    pub fn anywhere(&self, permission: Permission) -> bool {
        self.in_force().any(|scope| scope.role.may(permission))
    }

    /// The roles that count now.
    pub fn in_force(&self) -> impl Iterator<Item = &Scope> {
        self.scopes.iter().filter(|scope| scope.until.is_none_or(|until| self.at < until))
    }

    fn access(&self, permission: Permission, covers: impl Fn(&Place) -> bool) -> Access {
        let mut access = Access::Unknown;
        for scope in self.in_force().filter(|scope| covers(&scope.place)) {
            if scope.role.may(permission) {
                return Access::Granted;
            }
            access = Access::Forbidden;
        }
        access
    }
}
