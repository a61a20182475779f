//! Links that work once: for setting up, and into the demo's page. They live in memory alone; a restart makes new ones.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;
use secrecy::{ExposeSecret, SecretString};

use super::caller::Who;
use super::token;

/// What a link is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// To make the first admin.
    SetUp,
    /// To log somebody in.
    LogIn {
        /// Whom.
        who: Who,
        /// Whose they are.
        tenant: String,
    },
}

/// What each link is for and until when, by the hash of its token.
type Open = HashMap<[u8; 32], (Purpose, DateTime<Utc>)>;

/// Links that work once.
#[derive(Debug, Default)]
pub struct Links {
    open: Mutex<Open>,
}

impl Links {
    /// A new one that works for so long; `None`, the system gives no random bits.
    pub fn make(&self, purpose: Purpose, now: DateTime<Utc>, works: TimeDelta) -> Option<SecretString> {
        let secret = token::secret()?;
        let mut open = self.open.lock();
        open.retain(|_, (_, until)| now < *until);
        open.insert(token::hash(secret.expose_secret()), (purpose, now + works));
        Some(secret)
    }

    /// Uses one up; `None`, there is no such link any longer. One for something else stays.
    pub fn take(&self, secret: &str, now: DateTime<Utc>, fits: impl Fn(&Purpose) -> bool) -> Option<Purpose> {
        let mut open = self.open.lock();
        let hash = token::hash(secret);
        let (purpose, until) = open.get(&hash)?;
        if !fits(purpose) {
            return None;
        }
        let works = now < *until;
        let purpose = purpose.clone();
        open.remove(&hash);
        works.then_some(purpose)
    }

    /// Whether there is one of a purpose that works.
    pub fn any(&self, purpose: &Purpose, now: DateTime<Utc>) -> bool {
        self.open.lock().values().any(|(other, until)| other == purpose && now < *until)
    }

    /// Ends all links of a purpose.
    pub fn end(&self, purpose: &Purpose) {
        self.open.lock().retain(|_, (other, _)| other != purpose);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_works_once_in_its_time_for_its_purpose() {
        let links = Links::default();
        let now = DateTime::UNIX_EPOCH;
        let hour = TimeDelta::hours(1);
        let link = links.make(Purpose::SetUp, now, hour).unwrap();
        let link = link.expose_secret();
        assert_eq!(links.take("another", now, |_| true), None);
        assert_eq!(links.take(link, now, |purpose| *purpose != Purpose::SetUp), None);
        assert_eq!(links.take(link, now, |_| true), Some(Purpose::SetUp));
        assert_eq!(links.take(link, now, |_| true), None);
        let late = links.make(Purpose::SetUp, now, hour).unwrap();
        assert_eq!(links.take(late.expose_secret(), now + hour, |_| true), None);
        let ended = links.make(Purpose::SetUp, now, hour).unwrap();
        links.end(&Purpose::SetUp);
        assert_eq!(links.take(ended.expose_secret(), now, |_| true), None);
    }
}
