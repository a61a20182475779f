//! API keys: made once, shown once.

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};

use super::kept::{KeptCredential, KeptKey, KeptScope, body, credential_key, json};
use super::token;
use crate::service::Service;
use crate::store::{Change, Document, Expect, Fault, Key, Kind};

/// A key that is about to be made.
#[derive(Debug)]
pub struct Made {
    /// Its id.
    pub id: String,
    /// The key itself; shown once.
    pub secret: SecretString,
    /// The changes that make it, but for the audit entry.
    pub changes: Vec<Change>,
}

/// A new key; `None`, the system gives no random bits.
pub fn make(
    tenant: &str,
    name: &str,
    scopes: Vec<KeptScope>,
    now: DateTime<Utc>,
    until: Option<DateTime<Utc>>,
) -> Result<Option<Made>, Fault> {
    let id = token::id();
    let Some(secret) = token::secret() else { return Ok(None) };
    let secret = token::key(&id, &secret);
    let kept = KeptKey { name: name.to_owned(), scopes, made: now, until };
    let credential = KeptCredential {
        tenant: tenant.to_owned(),
        key_sha256: Some(token::hex(&token::hash(secret.expose_secret()))),
        ..KeptCredential::default()
    };
    let expect = Expect::Absent;
    let changes = vec![
        Change::Put { key: Key::new(Kind::ApiKey, tenant, &id), body: json(&kept)?, expect },
        Change::Put { key: credential_key(&id), body: json(&credential)?, expect },
    ];
    Ok(Some(Made { id, secret, changes }))
}

/// A key's document.
pub async fn read(service: &Service, tenant: &str, id: &str) -> Result<Option<(Document, KeptKey)>, Fault> {
    let Some(document) = service.store.read(&Key::new(Kind::ApiKey, tenant, id), None).await? else { return Ok(None) };
    let key = body(&document)?;
    Ok(Some((document, key)))
}
