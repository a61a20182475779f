//! Changes: documents and the audit entries of what was done to them, in one batch; and the loop is told.
//!
//! The place in the loop's queue is taken before anything is stored: a loop that is too busy is a 503 with nothing
//! changed, and nothing is ever stored that the loop is not told. (It reads everything anew when it starts.)

use kwartier_data::site::Site;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::problem::{Problem, ProblemKind};
use crate::access::audit::{self, At, Did};
use crate::access::{Caller, SiteRef};
use crate::app::handle::{Busy, Reserved};
use crate::service::Service;
use crate::store::{Change, Document, Expect, Fault, Key, Kind, Written};

/// How often a change is tried when others change the same document at the same time.
pub const ATTEMPTS: u32 = 5;

/// Several changes that are made together, with their audit entries.
#[derive(Debug)]
pub struct Batch<'a> {
    caller: &'a Caller,
    at: At<'a>,
    changes: Vec<Change>,
}

impl<'a> Batch<'a> {
    /// Changes at a site.
    pub fn at_site(caller: &'a Caller, site: &'a SiteRef) -> Batch<'a> {
        Batch { caller, at: At { tenant: &site.tenant, site: Some(&site.id) }, changes: Vec::new() }
    }

    /// Changes at a tenant.
    pub fn at_tenant(caller: &'a Caller, tenant: &'a str) -> Batch<'a> {
        Batch { caller, at: At { tenant, site: None }, changes: Vec::new() }
    }

    /// Puts a document in place of what was read.
    pub fn put(&mut self, key: Key, was: Option<u64>, body: Value) {
        let expect = was.map_or(Expect::Absent, Expect::Version);
        self.changes.push(audit::entry(self.caller, self.at, &key, Did::Put(was)));
        self.changes.push(Change::Put { key, body, expect });
    }

    /// Deletes a document that was read; what it said stays readable as of then.
    pub fn delete(&mut self, key: Key, was: u64) {
        self.changes.push(audit::entry(self.caller, self.at, &key, Did::Delete(was)));
        self.changes.push(Change::Delete { key, expect: Expect::Version(was) });
    }

    /// Erases a document that was read, and all its past.
    pub fn erase(&mut self, key: Key, was: u64) {
        self.changes.push(audit::noted(self.caller, self.at, &key, Did::Delete(was), "erased with its past"));
        self.changes.push(Change::Erase(key));
    }

    /// Something else, and what the audit log says of it.
    pub fn and(&mut self, key: &Key, word: &'static str, change: Change) {
        self.changes.push(audit::entry(self.caller, self.at, key, Did::Other(word)));
        self.changes.push(change);
    }

    /// Something else that needs no entry of its own.
    pub fn also(&mut self, changes: impl IntoIterator<Item = Change>) {
        self.changes.extend(changes);
    }

    /// Makes all of them, or none.
    pub async fn write(self, service: &Service) -> Result<Vec<Written>, Fault> {
        self.caller.write(&*service.store, self.changes).await
    }
}

/// A place in the loop's queue.
pub fn reserve(service: &Service) -> Result<Reserved, Problem> {
    service.app.reserve().map_err(Problem::from)
}

impl From<Busy> for Problem {
    fn from(_: Busy) -> Problem {
        Problem::new(ProblemKind::Busy, "nothing was changed; the sites are steered on, try again in a second")
    }
}

/// What is kept as a type.
pub fn kept<T: DeserializeOwned>(document: &Document) -> Result<T, Fault> {
    let body = document.body.clone().unwrap_or(Value::Null);
    serde_json::from_value(body).map_err(|why| Fault::Corrupt(format!("{}: {why}", document.key)))
}

/// A value as it is kept.
pub fn body(value: &impl Serialize) -> Result<Value, Fault> {
    serde_json::to_value(value).map_err(|why| Fault::Corrupt(why.to_string()))
}

/// A document as it is; 404, it is not there.
pub async fn read(service: &Service, key: &Key) -> Result<Document, Problem> {
    let document = service.store.read(key, None).await?;
    document.ok_or_else(|| Problem::not_found(&format!("the {} {:?}", key.kind.name(), key.id)))
}

/// The site's document, and what it says.
pub async fn site(service: &Service, site: &SiteRef) -> Result<(Document, Site), Problem> {
    let document = read(service, &site_key(site)).await?;
    let what = kept(&document)?;
    Ok((document, what))
}

/// Where a site's document stands.
pub fn site_key(site: &SiteRef) -> Key {
    Key::new(Kind::Site, &site.tenant, &site.id)
}

/// Whether to try once more: somebody changed the same thing, and the client did not ask to hear of that.
pub fn again(problem: &Problem, attempt: u32, conditional: bool) -> bool {
    problem.is_conflict() && !conditional && attempt < ATTEMPTS
}
