//! Who may charge: what a card that a charger was shown is worth.
//!
//! Numbers of cards are short and easily guessed, so they are kept as HMAC-SHA256 by a key that is not in the database: a copy
//! of the database or a backup says nothing of them. The key is a file in the data folder. Where a site has no cards, or says
//! so, everyone may charge, and no number is looked at.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use parking_lot::Mutex;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use sha2::Sha256;

use super::door::Version;
use super::station::Call;
use crate::access::token;
use crate::http::change::kept;
use crate::http::sessions::{LONGEST_STAY, stated_since};
use crate::private;
use crate::resource::tag::{Authorisation, KeptTag, TagFacts, TagNumber};
use crate::service::Service;
use crate::store::{Fault, Key, Kind, List, Store};

/// The file of the key, in the data folder.
const FILE: &str = "tags.key";

/// The fewest characters of a key.
const SHORTEST: usize = 32;

/// A charger may remember that a card was let in for so long.
const REMEMBERED: TimeDelta = TimeDelta::days(30);

/// Why cards cannot be hashed or looked up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TagFault {
    /// There are cards, and the key that they were hashed with is gone.
    #[error("{} is not there, with which the cards were hashed; bring it back, or delete all cards and put them again", .0.display())]
    Gone(PathBuf),
    /// The file holds no key.
    #[error("{} holds no key; bring back the one that was made", .0.display())]
    NoKey(PathBuf),
    /// The file cannot be read or written.
    #[error("{} cannot be read or made: {why}; make the folder readable and writable for this user", file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// What the system says.
        why: String,
    },
    /// No random bits.
    #[error("the system gives no random bits; without them no key is safe")]
    NoRandomness,
    /// The store.
    #[error(transparent)]
    Store(#[from] Fault),
}

/// What cards are hashed with. Clones are of the same one.
#[derive(Debug, Clone)]
pub struct TagKey {
    file: PathBuf,
    read: Arc<Mutex<Option<SecretString>>>,
}

impl TagKey {
    /// The key of a data folder; it is made when it is first needed.
    pub fn at(folder: &Path) -> TagKey {
        TagKey { file: folder.join(FILE), read: Arc::default() }
    }

    /// The id of a card at a site: the same card has another one at another site, so that nobody can tell.
    pub async fn id(&self, store: &dyn Store, site: &str, number: &TagNumber) -> Result<String, TagFault> {
        self.keyed(store, "tag", site, &number.plain()).await
    }

    /// A name of a family that says nothing and is short enough for 1.6, where 20 characters are the most.
    async fn family(&self, store: &dyn Store, site: &str, family: &str) -> Result<String, TagFault> {
        let mut id = self.keyed(store, "family", site, family).await?;
        id.truncate(20);
        Ok(id)
    }

    async fn keyed(&self, store: &dyn Store, what: &str, site: &str, value: &str) -> Result<String, TagFault> {
        let key = self.read(store).await?;
        let mut mac = Hmac::<Sha256>::new_from_slice(key.expose_secret().as_bytes())
            .map_err(|_| TagFault::NoKey(self.file.clone()))?;
        for part in [what, site, value] {
            mac.update(part.as_bytes());
            mac.update(&[0]);
        }
        Ok(token::hex(&mac.finalize().into_bytes()[..16]))
    }

    async fn read(&self, store: &dyn Store) -> Result<SecretString, TagFault> {
        if let Some(key) = self.read.lock().clone() {
            return Ok(key);
        }
        let failed = |why: std::io::Error| TagFault::File { file: self.file.clone(), why: why.to_string() };
        if !self.file.exists() {
            let any = List { limit: 1, ..List::all(Kind::Tag) };
            if !store.list(&any).await?.items.is_empty() {
                return Err(TagFault::Gone(self.file.clone()));
            }
            let new = token::secret().ok_or(TagFault::NoRandomness)?;
            private::write_new(&self.file, new.expose_secret()).map_err(failed)?;
        }
        let text = SecretString::from(std::fs::read_to_string(&self.file).map_err(failed)?);
        let key = SecretString::from(text.expose_secret().trim());
        if key.expose_secret().len() < SHORTEST {
            return Err(TagFault::NoKey(self.file.clone()));
        }
        *self.read.lock() = Some(key.clone());
        Ok(key)
    }
}

/// A card that a charger was shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// Its number; `None`, somebody charges without one.
    pub number: Option<TagNumber>,
    /// When.
    pub at: DateTime<Utc>,
    /// What for.
    pub occasion: Occasion,
}

/// What a card is shown for.
#[derive(Debug, Clone, PartialEq)]
pub enum Occasion {
    /// To ask whether it is let in, or to end what it began.
    Asks,
    /// In a transaction: at which connector, where that is said, and its id.
    Within(Option<i64>, Value),
}

/// What a card is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is let in.
    Accepted,
    /// It is blocked.
    Blocked,
    /// Its time is over.
    Expired,
    /// Its time has not come.
    NotYet,
    /// Nobody knows it.
    Unknown,
    /// It charges somewhere else.
    Elsewhere,
    /// There is none yet, and one is wanted.
    Awaited,
}

/// What was found of a card.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// What it is worth.
    pub verdict: Verdict,
    /// Its id and what is said of it; `None`, it is not known, or was not looked for.
    pub tag: Option<(String, TagFacts)>,
    /// A name of its family for the charger.
    family: Option<String>,
    /// Until when a charger may remember that it is let in.
    until: Option<DateTime<Utc>>,
}

impl Found {
    fn of(verdict: Verdict) -> Found {
        Found { verdict, tag: None, family: None, until: None }
    }

    /// Whether it is let in.
    pub fn is_accepted(&self) -> bool {
        self.verdict == Verdict::Accepted
    }

    /// As 1.6 says it: `IdTagInfo`.
    pub fn in_v16(&self) -> Value {
        let status = match self.verdict {
            Verdict::Accepted => "Accepted",
            Verdict::Blocked => "Blocked",
            Verdict::Expired => "Expired",
            Verdict::NotYet | Verdict::Unknown | Verdict::Awaited => "Invalid",
            Verdict::Elsewhere => "ConcurrentTx",
        };
        let mut info = json!({ "status": status });
        if let Some(until) = self.until {
            info["expiryDate"] = json!(super::profiles::stamp(until));
        }
        if let Some(family) = &self.family {
            info["parentIdTag"] = json!(family);
        }
        info
    }

    /// As 2.x says it: `IdTokenInfo`.
    pub fn in_v2(&self) -> Value {
        let status = match self.verdict {
            Verdict::Accepted => "Accepted",
            Verdict::Blocked => "Blocked",
            Verdict::Expired => "Expired",
            Verdict::NotYet => "NotAtThisTime",
            Verdict::Unknown => "Unknown",
            Verdict::Awaited => "Invalid",
            Verdict::Elsewhere => "ConcurrentTx",
        };
        let mut info = json!({ "status": status });
        if let Some(until) = self.until {
            info["cacheExpiryDateTime"] = json!(super::profiles::stamp(until));
        }
        if let Some(family) = &self.family {
            info["groupIdToken"] = json!({ "idToken": family, "type": "Central" });
        }
        info
    }
}

/// Who may charge at a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Whether everyone may.
    pub free: bool,
    /// Whether it has cards.
    pub has_tags: bool,
}

impl Policy {
    /// That of a site.
    pub async fn of(store: &dyn Store, site: &str) -> Result<Policy, Fault> {
        let key = Key::new(Kind::Authorisation, site, site);
        let said = store.read(&key, None).await?.as_ref().map(kept::<Authorisation>).transpose()?;
        let any = List { limit: 1, ..List::of(Kind::Tag, site) };
        let has_tags = !store.list(&any).await?.items.is_empty();
        Ok(Policy { free: said.and_then(|said| said.free_vend).unwrap_or(!has_tags), has_tags })
    }
}

/// What a card is worth at a site. Where it began the session `own` itself, that is nowhere else.
pub async fn look(
    service: &Service,
    site: &str,
    shown: &Shown,
    own: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Found, TagFault> {
    let store = &*service.store;
    let Policy { free, has_tags } = Policy::of(store, site).await?;
    let Some(number) = shown.number.as_ref().filter(|_| has_tags) else {
        let other = if shown.number.is_some() { Verdict::Unknown } else { Verdict::Awaited };
        return Ok(Found::of(if free { Verdict::Accepted } else { other }));
    };
    let id = service.tag_key.id(store, site, number).await?;
    let document = store.read(&Key::new(Kind::Tag, site, &id), None).await?;
    let Some(KeptTag { what, .. }) = document.as_ref().map(kept::<KeptTag>).transpose()? else {
        return Ok(Found::of(if free { Verdict::Accepted } else { Verdict::Unknown }));
    };
    let begins = matches!(shown.occasion, Occasion::Within(..));
    let verdict = if free {
        Verdict::Accepted
    } else if what.blocked {
        Verdict::Blocked
    } else if what.until.is_some_and(|until| until <= shown.at) {
        Verdict::Expired
    } else if what.from.is_some_and(|from| from > shown.at) {
        Verdict::NotYet
    } else if begins && what.one_at_a_time && charges(store, site, &id, own, now).await? {
        Verdict::Elsewhere
    } else {
        Verdict::Accepted
    };
    let accepted = verdict == Verdict::Accepted;
    let family = match what.family.as_ref().filter(|_| accepted) {
        Some(family) => Some(service.tag_key.family(store, site, family).await?),
        None => None,
    };
    let until = accepted.then(|| what.until.map_or(now + REMEMBERED, |until| until.min(now + REMEMBERED)));
    Ok(Found { verdict, tag: Some((id, what)), family, until })
}

/// Whether a card would be let in at a site now.
pub async fn is_let_in(service: &Service, site: &str, number: &str, now: DateTime<Utc>) -> Result<bool, TagFault> {
    let shown = Shown { number: Some(TagNumber::of(number)), at: now, occasion: Occasion::Asks };
    look(service, site, &shown, None, now).await.map(|found| found.is_accepted())
}

/// Whether a session of a card is under way, other than `own`.
async fn charges(
    store: &dyn Store,
    site: &str,
    tag: &str,
    own: Option<&str>,
    now: DateTime<Utc>,
) -> Result<bool, Fault> {
    for (document, session) in stated_since(store, site, now - LONGEST_STAY).await? {
        let open = session.ended.is_none() && own != Some(document.key.id.as_str());
        if open && session.card.is_some_and(|card| card.tag.as_deref() == Some(tag)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How a charger is set up to ask: by cards that it knows from before while nobody answers, and by no others; where everyone may
/// charge, by any.
pub fn settings(version: Version, free: bool) -> Vec<Call> {
    let flag = |on: bool| if on { "true" } else { "false" };
    if version == Version::V16 {
        let set = |(key, on): (&str, bool)| Call {
            action: "ChangeConfiguration",
            payload: json!({ "key": key, "value": flag(on) }),
        };
        let all = [
            ("AllowOfflineTxForUnknownId", free),
            ("LocalAuthorizeOffline", true),
            ("AuthorizationCacheEnabled", true),
            ("LocalPreAuthorize", false),
            ("StopTransactionOnInvalidId", true),
        ];
        return all.into_iter().take(if free { 1 } else { all.len() }).map(set).collect();
    }
    let set = |(component, name, on): (&str, &str, bool)| json!({ "component": { "name": component }, "variable": { "name": name }, "attributeValue": flag(on) });
    let all = [
        ("AuthCtrlr", "OfflineTxForUnknownIdEnabled", free),
        ("AuthCtrlr", "LocalAuthorizeOffline", true),
        ("AuthCacheCtrlr", "Enabled", true),
        ("AuthCtrlr", "LocalPreAuthorize", false),
        ("TxCtrlr", "StopTxOnInvalidId", true),
    ];
    let all: Vec<Value> = all.into_iter().take(if free { 1 } else { all.len() }).map(set).collect();
    vec![Call { action: "SetVariables", payload: json!({ "setVariableData": all }) }]
}

/// What a charger is told when it may remember no card any more.
pub fn forget() -> Call {
    Call { action: "ClearCache", payload: json!({}) }
}
