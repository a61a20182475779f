//! Tokens: what a program or browser shows to say who it is. 256 random bits, kept only as their SHA-256.
//!
//! `kw_ID_SECRET` is an API key, `kt_uID_SECRET` and `kt_kID_SECRET` the login of a person or key. The id says where the
//! hash is kept; it is no secret.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::caller::Who;

/// Begins every API key, so that scanners find those that got where they should not be.
pub const KEY_PREFIX: &str = "kw_";
/// Begins every ticket of a login.
pub const TICKET_PREFIX: &str = "kt_";

/// A token that was shown: whose it says it is, and its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// What it says it is.
    pub kind: Shows,
    /// SHA-256 of the whole token.
    pub hash: [u8; 32],
}

/// What a token says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shows {
    /// The key of that id.
    Key(String),
    /// A login of theirs.
    Ticket(Who),
}

/// 256 random bits, in letters that need no quoting anywhere. `None`, the system gives none.
pub fn secret() -> Option<SecretString> {
    let mut bytes = [0; 32];
    rustls::crypto::ring::default_provider().secure_random.fill(&mut bytes).ok()?;
    Some(URL_SAFE_NO_PAD.encode(bytes).into())
}

/// The API key of an id and secret.
pub fn key(id: &str, secret: &SecretString) -> SecretString {
    format!("{KEY_PREFIX}{id}_{}", secret.expose_secret()).into()
}

/// The ticket of a login of somebody.
pub fn ticket(who: &Who, secret: &SecretString) -> SecretString {
    let (letter, id) = match who {
        Who::User(id) => ('u', id),
        Who::Key(id) => ('k', id),
    };
    format!("{TICKET_PREFIX}{letter}{id}_{}", secret.expose_secret()).into()
}

/// A new id for a person, a key, or a grant: a UUID of version 7 without hyphens.
pub fn id() -> String {
    Uuid::now_v7().simple().to_string()
}

/// The hash that a token is kept as.
pub fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// A hash as text.
pub fn hex(hash: &[u8]) -> String {
    use std::fmt::Write as _;
    hash.iter().fold(String::with_capacity(hash.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Whether two hashes are the same, in a time that does not tell where they differ.
pub fn same(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}

/// Reads a token; `None`, it is none of ours.
pub fn read(token: &str) -> Option<Shown> {
    let (kind, rest) = if let Some(rest) = token.strip_prefix(KEY_PREFIX) {
        (None, rest)
    } else {
        let rest = token.strip_prefix(TICKET_PREFIX)?;
        (Some(rest.chars().next()?), rest.get(1..)?)
    };
    let (id, secret) = rest.split_once('_')?;
    let plain = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) && secret.len() == 43;
    let kind = match (plain, kind) {
        (true, None) => Shows::Key(id.to_owned()),
        (true, Some('u')) => Shows::Ticket(Who::User(id.to_owned())),
        (true, Some('k')) => Shows::Ticket(Who::Key(id.to_owned())),
        _ => return None,
    };
    Some(Shown { kind, hash: hash(token) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read_as_what_they_were_made_and_differ() {
        let id = id();
        let (one, two) = (secret().unwrap(), secret().unwrap());
        assert_ne!(one.expose_secret(), two.expose_secret());
        assert_eq!(one.expose_secret().len(), 43);
        let key = key(&id, &one);
        let shown = read(key.expose_secret()).unwrap();
        assert_eq!(shown.kind, Shows::Key(id.clone()));
        assert_eq!(shown.hash, hash(key.expose_secret()));
        for who in [Who::User(id.clone()), Who::Key(id.clone())] {
            let ticket = ticket(&who, &one);
            assert_eq!(read(ticket.expose_secret()).unwrap().kind, Shows::Ticket(who));
        }
    }

    #[test]
    fn what_is_no_token_of_ours_is_not_looked_up() {
        let secret = "a".repeat(43);
        let id = "0".repeat(32);
        for wrong in [
            String::new(),
            "kw_".to_owned(),
            "kt_".to_owned(),
            "kt_é".to_owned(),
            format!("kw_{id}"),
            format!("kw_{id}_short"),
            format!("kw_../../{id}_{secret}"),
            format!("kt_x{id}_{secret}"),
            format!("{id}_{secret}"),
        ] {
            assert_eq!(read(&wrong), None, "{wrong}");
        }
    }
}
