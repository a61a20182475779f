//! Who changed what. An entry stands in the same batch as the change itself, so that there is none of the two without the
//! other. It names people and programs by id only.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::{Caller, Who};
use crate::store::{Change, Key, NewEntry, Stream};

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Audit {
    /// Who: `user/ID`, `key/ID`; `system` for what Kwartier does by itself.
    pub who: String,
    /// What they did: `create`, `change`, `delete`, `erase`, `login`, …
    pub action: String,
    /// The kind of thing: `site`, `charger`, `user`, …
    pub kind: String,
    /// Its id.
    pub id: String,
    /// The version that there was before; absent, none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_version: Option<u64>,
    /// The version that there is now; absent, none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_version: Option<u64>,
    /// More of it, without personal data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Where something was changed.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    /// At which tenant.
    pub tenant: &'a str,
    /// At which site, where at one.
    pub site: Option<&'a str>,
}

/// What was done to a document: the versions before and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Did {
    /// It was put where the version before was this; `None`, there was none.
    Put(Option<u64>),
    /// It was deleted or erased in that version.
    Delete(u64),
    /// Something that leaves documents as they are, by this word: `login`, `plan`, …
    Other(&'static str),
}

/// The entry of a change that a caller makes.
pub fn entry(caller: &Caller, at: At<'_>, key: &Key, did: Did) -> Change {
    of(caller.who.name(), at, key, did, None)
}

/// The same with more to say. No personal data.
pub fn noted(caller: &Caller, at: At<'_>, key: &Key, did: Did, note: impl Into<String>) -> Change {
    of(caller.who.name(), at, key, did, Some(note.into()))
}

/// The entry of what somebody did who is not authenticated yet, such as a login.
pub fn by(who: &Who, at: At<'_>, key: &Key, did: Did) -> Change {
    of(who.name(), at, key, did, None)
}

/// The entry of what Kwartier does by itself.
pub fn by_system(at: At<'_>, key: &Key, did: Did) -> Change {
    of("system".to_owned(), at, key, did, None)
}

fn of(who: String, at: At<'_>, key: &Key, did: Did, note: Option<String>) -> Change {
    let (action, from_version, to_version) = match did {
        Did::Put(None) => ("create", None, Some(1)),
        Did::Put(Some(before)) => ("change", Some(before), Some(before + 1)),
        Did::Delete(before) => ("delete", Some(before), None),
        Did::Other(word) => (word, None, None),
    };
    let audit = Audit {
        who,
        action: action.to_owned(),
        kind: key.kind.name().to_owned(),
        id: key.id.clone(),
        from_version,
        to_version,
        note,
    };
    let body = serde_json::to_value(&audit).unwrap_or_default();
    Change::Log(NewEntry {
        stream: Stream::Audit,
        tenant: at.tenant.to_owned(),
        site: at.site.map(ToOwned::to_owned),
        body,
    })
}
