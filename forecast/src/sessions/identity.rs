//! Who and where, as keyed hashes: nothing that a model holds or a report says names a person, a vehicle or a place.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Says what the keys that are derived from a secret are for; changing it makes every stored pseudonym another.
const CONTEXT: &str = "kwartier 2026-11 session pseudonyms";

/// What a name is a name of, so that driver 7 and vehicle 7 are different pseudonyms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A person, or the card that stands for one.
    Driver,
    /// A vehicle.
    Vehicle,
    /// Whatever people or places are grouped by.
    Group,
    /// A charging station or its connector.
    Station,
}

/// The key under which names are hashed. Kept by the site; it is never part of a model.
#[derive(Clone)]
pub struct Salt([u8; 32]);

impl Salt {
    /// The key that belongs to a secret of any length.
    pub fn new(secret: &[u8]) -> Self {
        Salt(blake3::derive_key(CONTEXT, secret))
    }

    /// Says which salt it is without giving it away: 16 hexadecimal digits.
    pub fn id(&self) -> String {
        blake3::keyed_hash(&self.0, b"id").to_hex().as_str().chars().take(16).collect()
    }

    /// The pseudonym of a name. Blanks around a name do not count.
    pub fn pseudonym(&self, kind: Kind, name: &str) -> Pseudonym {
        let domain: &[u8] = match kind {
            Kind::Driver => b"driver\0",
            Kind::Vehicle => b"vehicle\0",
            Kind::Group => b"group\0",
            Kind::Station => b"station\0",
        };
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(domain).update(name.trim().as_bytes());
        let mut first = [0; 16];
        hasher.finalize_xof().fill(&mut first);
        Pseudonym(u128::from_be_bytes(first))
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt(kept)")
    }
}

/// A name under a [`Salt`]: 128 bits of a keyed BLAKE3 hash, written as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Pseudonym(u128);

impl fmt::Display for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Pseudonym> for String {
    fn from(pseudonym: Pseudonym) -> Self {
        pseudonym.to_string()
    }
}

impl TryFrom<String> for Pseudonym {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        u128::from_str_radix(&text, 16).map(Pseudonym).map_err(|_| "a pseudonym is 32 hexadecimal digits".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pseudonyms_depend_on_kind_name_and_salt_alone() {
        let salt = Salt::new(b"one");
        let seven = salt.pseudonym(Kind::Driver, "7");
        assert_eq!(seven, Salt::new(b"one").pseudonym(Kind::Driver, " 7 "));
        assert_ne!(seven, salt.pseudonym(Kind::Vehicle, "7"));
        assert_ne!(seven, salt.pseudonym(Kind::Driver, "8"));
        assert_ne!(seven, Salt::new(b"two").pseudonym(Kind::Driver, "7"));
        assert_ne!(salt.id(), Salt::new(b"two").id());
        assert_eq!(String::from(seven).len(), 32);
        assert_eq!(Pseudonym::try_from(String::from(seven)), Ok(seven));
        assert_eq!(format!("{salt:?}"), "Salt(kept)");
    }
}
