//! What access remembers while the service runs: what was read a moment ago, how often somebody tried, links that work
//! once. All of it may be lost at any time.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;

use super::attempts::Attempts;
use super::cache::Cache;
use super::caller::{Scope, Who};
use super::oidc::SignOns;
use super::once::Links;
use super::place::Tree;
use crate::config::Config;

/// How often it is written down that a key was used.
const USED_EVERY: TimeDelta = TimeDelta::hours(1);

/// What is known of whoever shows a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Who they are.
    pub who: Who,
    /// Whose they are.
    pub tenant: String,
    /// What they may be where.
    pub scopes: Vec<Scope>,
    /// Until when the token works.
    pub until: Option<DateTime<Utc>>,
}

/// What access remembers.
#[derive(Debug)]
pub struct Gate {
    /// The tenant of a site.
    pub sites: Cache<String, Option<String>>,
    /// Which tenant stands within which.
    pub tenants: Cache<(), Arc<Tree>>,
    /// Who shows a token, by its hash.
    pub callers: Cache<[u8; 32], Option<Known>>,
    /// How often somebody may try to log in.
    pub attempts: Attempts,
    /// Links that work once.
    pub links: Links,
    /// Single sign-on that is under way.
    pub sign_ons: SignOns,
    /// When it was last written down that a key was used.
    used: Mutex<HashMap<String, DateTime<Utc>>>,
}

impl Gate {
    /// One that remembers nothing yet.
    pub fn new(config: &Config) -> Gate {
        Gate {
            sites: Cache::new(),
            tenants: Cache::new(),
            callers: Cache::new(),
            attempts: Attempts::new(&config.login),
            links: Links::default(),
            sign_ons: SignOns::default(),
            used: Mutex::new(HashMap::new()),
        }
    }

    /// To be called after every change of a site's existence, a tenant, a person, a key, a grant, a login: the next
    /// request sees it.
    pub fn changed(&self) {
        self.sites.forget();
        self.tenants.forget();
        self.callers.forget();
    }

    /// Whether it is to be written down that a key is used now; true once an hour.
    pub fn first_use(&self, key: &str, now: DateTime<Utc>) -> bool {
        let mut used = self.used.lock();
        if used.get(key).is_some_and(|at| (now - *at).abs() < USED_EVERY) {
            return false;
        }
        used.retain(|_, at| (now - *at).abs() < USED_EVERY);
        used.insert(key.to_owned(), now);
        true
    }
}
