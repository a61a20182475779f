//! Documents: JSON under a key, in versions.

use std::fmt;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::job::NewJob;
use super::log::NewEntry;

/// What a document is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A tenant; its owner is the tenant above, or empty.
    Tenant,
    /// A site as its file says it; its owner is its tenant.
    Site,
    /// What a charger needs beyond the site file (how it connects); its owner is its site, as of all kinds down to `Plan`.
    Charger,
    /// A vehicle.
    Vehicle,
    /// A roster.
    Roster,
    /// A vehicle's stay with its overrides.
    Session,
    /// A tariff.
    Tariff,
    /// Prices of one UTC day; its id is the day.
    Prices,
    /// A grid operator's limit.
    Signal,
    /// A forecast as it was told by somebody.
    Forecast,
    /// What a charger holds: the last setpoint that it confirmed, and what it stores for when it is alone.
    Held,
    /// A charger that connects itself: what it says it is, its transactions, what it has stored.
    Station,
    /// A card that chargers are shown; its id is its hash.
    Tag,
    /// Who may charge at a site.
    Authorisation,
    /// Somebody who wants to be told; its owner is a tenant, as of all kinds below.
    Webhook,
    /// A person who may log in.
    User,
    /// A program's key.
    ApiKey,
    /// Access that an operator grants to somebody else's people for a time; its owner is the tenant that gets it, its id
    /// begins with the site and `/`.
    Grant,
    /// A login of a person or program; its owner is who it is: `user/…`, `key/…`.
    Ticket,
    /// What proves who somebody is: hashes of a password, of recovery codes, of a key; without an owner, its id is the
    /// person's or key's.
    Credential,
    /// A name that is given once in the whole service: `site/…`, `tenant/…`, `login/…`; without an owner. It says whose it
    /// is.
    Name,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 21] = [
        Kind::Tenant,
        Kind::Site,
        Kind::Charger,
        Kind::Vehicle,
        Kind::Roster,
        Kind::Session,
        Kind::Tariff,
        Kind::Prices,
        Kind::Signal,
        Kind::Forecast,
        Kind::Held,
        Kind::Station,
        Kind::Tag,
        Kind::Authorisation,
        Kind::Webhook,
        Kind::User,
        Kind::ApiKey,
        Kind::Grant,
        Kind::Ticket,
        Kind::Credential,
        Kind::Name,
    ];

    /// Its name in the database and in audit entries.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Tenant => "tenant",
            Kind::Site => "site",
            Kind::Charger => "charger",
            Kind::Vehicle => "vehicle",
            Kind::Roster => "roster",
            Kind::Session => "session",
            Kind::Tariff => "tariff",
            Kind::Prices => "prices",
            Kind::Signal => "signal",
            Kind::Forecast => "forecast",
            Kind::Held => "held",
            Kind::Station => "station",
            Kind::Tag => "tag",
            Kind::Authorisation => "authorisation",
            Kind::Webhook => "webhook",
            Kind::User => "user",
            Kind::ApiKey => "api_key",
            Kind::Grant => "grant",
            Kind::Ticket => "ticket",
            Kind::Credential => "credential",
            Kind::Name => "name",
        }
    }

    /// The kind of a name.
    pub fn of(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Where a document stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// What it is about.
    pub kind: Kind,
    /// The site or tenant that it belongs to, as [`Kind`] says.
    pub owner: String,
    /// Its name within the owner's documents of its kind.
    pub id: String,
}

impl Key {
    /// A key.
    pub fn new(kind: Kind, owner: impl Into<String>, id: impl Into<String>) -> Key {
        Key { kind, owner: owner.into(), id: id.into() }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.name(), self.id)
    }
}

/// A document in one version.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Where it stands.
    pub key: Key,
    /// 1 for the first, then one more each time. A document that was deleted and put again goes on counting.
    pub version: u64,
    /// When this version became known.
    pub at: DateTime<Utc>,
    /// What it says; `None`, in this version it was deleted.
    pub body: Option<serde_json::Value>,
}

/// In which version a document must be for a change to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// In any, or not there.
    Any,
    /// Not there, or deleted.
    Absent,
    /// In this one.
    Version(u64),
}

/// One change of several that are made together.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Puts a document in a new version. The same body as before makes a new version too.
    Put {
        /// Where.
        key: Key,
        /// What it says from now on.
        body: serde_json::Value,
        /// In which version it must be.
        expect: Expect,
    },
    /// Deletes a document; what it said before stays readable as of then. One that is not there is a conflict, unless any
    /// version was expected.
    Delete {
        /// Where.
        key: Key,
        /// In which version it must be.
        expect: Expect,
    },
    /// Erases a document with all its versions: personal data, secrets. The next put begins with version 1.
    Erase(Key),
    /// Appends to a log.
    Log(NewEntry),
    /// Puts a job in the queue; one with the same `once` name that has not ended yet is left as it is.
    Enqueue(NewJob),
    /// Cancels a job that has not ended.
    Cancel(Uuid),
    /// Remembers that a request was done, or what was answered to it, for when it is sent again. One that is known already is
    /// refused, but for the answer to one that is known to be done.
    Remember {
        /// The idempotency key, with whom it belongs to.
        name: String,
        /// A hash of the request.
        request: String,
        /// What was answered; `None`, it is done, and its answer is not written yet.
        answer: Option<serde_json::Value>,
        /// How long.
        until: DateTime<Utc>,
    },
}

/// How a put or delete ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Where.
    pub key: Key,
    /// The new version.
    pub version: u64,
}

/// What to list.
#[derive(Debug, Clone, PartialEq)]
pub struct List {
    /// Of what kind.
    pub kind: Kind,
    /// Of which owners; `None`, of all.
    pub owners: Option<Vec<String>>,
    /// Only ids that begin with this.
    pub prefix: String,
    /// Only what comes after this owner and id.
    pub after: Option<(String, String)>,
    /// At most so many.
    pub limit: u32,
    /// As known at this instant; `None`, as it is.
    pub as_of: Option<DateTime<Utc>>,
}

impl List {
    /// Everything of a kind that some owner has, up to 10,000.
    pub fn of(kind: Kind, owner: impl Into<String>) -> List {
        List { kind, owners: Some(vec![owner.into()]), prefix: String::new(), after: None, limit: 10_000, as_of: None }
    }

    /// Everything of a kind, whoever's it is, up to 10,000.
    pub fn all(kind: Kind) -> List {
        List { owners: None, ..List::of(kind, "") }
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Whether there is more after it.
    pub more: bool,
}
