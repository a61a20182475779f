//! What is kept of tenants, people, keys, grants and logins.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::caller::{Place, Scope};
use super::role::Role;
use crate::store::{Document, Fault, Key, Kind};

/// The tenant above all others: who administers it administers the installation.
pub const TOP_TENANT: &str = "main";

/// A tenant: a company, a group of them, or a company that serves others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptTenant {
    /// What people call it.
    pub name: String,
}

/// A role somewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptScope {
    /// What.
    pub role: Role,
    /// At which tenant; with `site`, whose site it is.
    pub tenant: String,
    /// At which site alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

impl KeptScope {
    /// As it is judged by.
    pub fn scope(&self) -> Scope {
        let place = match &self.site {
            None => Place::Tenant(self.tenant.clone()),
            Some(site) => Place::Site { site: site.clone(), tenant: self.tenant.clone() },
        };
        Scope { role: self.role, place, until: self.until }
    }
}

/// A person. What is personal about them stands here alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptUser {
    /// Their e-mail address, in lower case: they log in by it.
    pub email: String,
    /// Their name.
    pub name: String,
    /// What they may be where.
    pub scopes: Vec<KeptScope>,
    /// Through which single sign-on they come; absent, by password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sso: Option<KeptSso>,
    /// Whether they are kept out.
    #[serde(default)]
    pub disabled: bool,
}

/// How single sign-on knows a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptSso {
    /// The provider's name in the configuration.
    pub provider: String,
    /// SHA-256 of the subject that it names them by.
    pub subject_sha256: String,
}

/// A program's key, without the key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptKey {
    /// What it is for.
    pub name: String,
    /// What it may be where.
    pub scopes: Vec<KeptScope>,
    /// When it was made.
    pub made: DateTime<Utc>,
    /// Until when it works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

/// What proves who a person or key is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct KeptCredential {
    /// Whose the person or key is.
    pub tenant: String,
    /// SHA-256 of the key; absent for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_sha256: Option<String>,
    /// The password as argon2id keeps it; absent for keys and single sign-on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// The second factor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub totp: Option<KeptTotp>,
    /// When it was last used, to the hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<DateTime<Utc>>,
}

/// A second factor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptTotp {
    /// The shared secret, in base32.
    pub secret: String,
    /// Whether a code has shown that it works; until then it is not asked for.
    pub confirmed: bool,
    /// The last time step whose code was taken: none is taken twice.
    pub step: u64,
    /// SHA-256 of the recovery codes that are left.
    pub recovery_sha256: Vec<String>,
}

/// Access to a site for the people of another tenant. Its key says which tenant and which site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptGrant {
    /// Whose site it is.
    pub site_tenant: String,
    /// Which.
    pub site: String,
    /// What they may be there.
    pub role: Role,
    /// Only this person; absent, all who have that role, or are admin, at their own tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Until when.
    pub until: DateTime<Utc>,
}

/// What a ticket is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketFor {
    /// To come in with.
    Login,
    /// To choose a password with, once.
    Invitation,
}

/// A login or an invitation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptTicket {
    /// What it is for.
    pub purpose: TicketFor,
    /// When it was made.
    pub made: DateTime<Utc>,
    /// Until when it works.
    pub until: DateTime<Utc>,
}

/// Whose a name is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptName {
    /// The owner: a site's or a person's tenant, the tenant above a tenant.
    pub owner: String,
    /// The person, where it is one's name for logging in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

/// What a document says.
pub fn body<T: DeserializeOwned>(document: &Document) -> Result<T, Fault> {
    let corrupt = |why: &dyn std::fmt::Display| Fault::Corrupt(format!("{}: {why}", document.key));
    let body = document.body.clone().ok_or_else(|| corrupt(&"it was deleted"))?;
    serde_json::from_value(body).map_err(|error| corrupt(&error))
}

/// As it is kept.
pub fn json(value: &impl Serialize) -> Result<serde_json::Value, Fault> {
    serde_json::to_value(value).map_err(|error| Fault::Corrupt(error.to_string()))
}

/// Where a name stands: of a `site`, a `tenant`, a `login`.
pub fn name_key(of: &str, name: &str) -> Key {
    Key::new(Kind::Name, "", format!("{of}/{name}"))
}

/// Where it stands what proves who a person or key is.
pub fn credential_key(id: &str) -> Key {
    Key::new(Kind::Credential, "", id)
}
