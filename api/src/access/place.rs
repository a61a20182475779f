//! Whether a caller may do something somewhere. Every handler asks here.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::caller::{Access, Caller, Place};
use super::kept::{KeptName, body, json, name_key};
use super::role::Permission;
use crate::http::problem::{Problem, ProblemKind};
use crate::service::Service;
use crate::store::{Change, Expect, Fault, Kind, List};

/// How deep tenants stand within tenants at most.
pub const DEEPEST: usize = 8;

/// A site that exists, and that the caller may do what they asked for at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SiteRef {
    /// Its id.
    pub id: String,
    /// Its tenant: the owner of its document.
    pub tenant: String,
}

/// A tenant that exists, and that the caller may do what they asked for at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantRef {
    /// Its id.
    pub id: String,
    /// It and all above it, from the inside out.
    pub chain: Vec<String>,
}

/// All that a caller may do something at, for lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// Tenants, those below tenants included: they and all their sites.
    pub tenants: Vec<String>,
    /// Single sites of other tenants: site and tenant.
    pub sites: Vec<(String, String)>,
}

/// Which tenant stands within which.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tree {
    above: HashMap<String, String>,
}

impl Tree {
    /// From tenants and what is above them; empty, nothing.
    pub fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Tree {
        Tree { above: pairs.into_iter().collect() }
    }

    /// A tenant and all above it, from the inside out; empty, there is no such tenant.
    pub fn chain(&self, tenant: &str) -> Vec<String> {
        let mut chain = Vec::new();
        let mut next = tenant;
        while let Some(above) = self.above.get(next) {
            chain.push(next.to_owned());
            if above.is_empty() || chain.len() > DEEPEST {
                break;
            }
            next = above;
        }
        chain
    }

    /// A tenant and all below it.
    pub fn below(&self, tenant: &str) -> Vec<String> {
        let mut below: Vec<String> =
            self.above.keys().filter(|name| self.chain(name).iter().any(|above| above == tenant)).cloned().collect();
        below.sort();
        below
    }
}

/// The site, when the caller may do that there: 404 when there is none that they may know of, 403 when they may not do it.
pub async fn at_site(
    service: &Service,
    caller: &Caller,
    permission: Permission,
    site: &str,
) -> Result<SiteRef, Problem> {
    let unknown = || Problem::not_found(&format!("the site {site:?}"));
    let Some(tenant) = tenant_of(service, caller, site).await? else { return Err(unknown()) };
    let chain = tree(service, caller.at).await?.chain(&tenant);
    match caller.at_site(permission, site, &chain) {
        Access::Granted => Ok(SiteRef { id: site.to_owned(), tenant }),
        Access::Forbidden => Err(forbidden(permission, &format!("the site {site:?}"))),
        Access::Unknown => Err(unknown()),
    }
}

/// The tenant, when the caller may do that there.
pub async fn at_tenant(
    service: &Service,
    caller: &Caller,
    permission: Permission,
    tenant: &str,
) -> Result<TenantRef, Problem> {
    let chain = tree(service, caller.at).await?.chain(tenant);
    match caller.at_tenant(permission, &chain) {
        Access::Granted => Ok(TenantRef { id: tenant.to_owned(), chain }),
        Access::Forbidden => Err(forbidden(permission, &format!("the tenant {tenant:?}"))),
        Access::Unknown => Err(Problem::not_found(&format!("the tenant {tenant:?}"))),
    }
}

/// That the caller may do something that belongs to no site, such as solving an instance.
pub fn anywhere(caller: &Caller, permission: Permission) -> Result<(), Problem> {
    if caller.anywhere(permission) { Ok(()) } else { Err(forbidden(permission, "any tenant or site")) }
}

/// The tenant that a new site will be of, when the caller may install there and the name is free: 409 when it is not.
/// Whoever makes the site puts [`claim`] in the same batch.
pub async fn new_site(
    service: &Service,
    caller: &Caller,
    site: &str,
    tenant: Option<&str>,
) -> Result<TenantRef, Problem> {
    let tenant = at_tenant(service, caller, Permission::Install, tenant.unwrap_or(&caller.tenant)).await?;
    if tenant_of(service, caller, site).await?.is_some() {
        let detail = format!("the id {site:?} is taken; choose another");
        return Err(Problem::new(ProblemKind::Taken, detail));
    }
    Ok(tenant)
}

/// Gives a site's name to a tenant; belongs in the batch that makes the site. A conflict about [`Kind::Name`] means that
/// somebody else was first.
pub fn claim(site: &str, tenant: &str) -> Result<Change, Fault> {
    let body = json(&KeptName { owner: tenant.to_owned(), user: None })?;
    Ok(Change::Put { key: name_key("site", site), body, expect: Expect::Absent })
}

/// Ends what was granted at a site; belongs in the batch that deletes the site. Its name stays with its tenant: what is kept
/// of its past stands under it, and is nobody else's to see. Call [`super::Gate::changed`] after it.
pub async fn release(service: &Service, site: &str) -> Result<Vec<Change>, Fault> {
    let ask = List { prefix: format!("{site}/"), ..List::all(Kind::Grant) };
    let grants = service.store.all(ask).await?;
    Ok(grants.into_iter().map(|grant| Change::Delete { key: grant.key, expect: Expect::Any }).collect())
}

/// All that a caller may do something at.
pub async fn reach(service: &Service, caller: &Caller, permission: Permission) -> Result<Reach, Problem> {
    let tree = tree(service, caller.at).await?;
    let mut tenants = HashSet::new();
    let mut sites = Vec::new();
    for scope in caller.in_force().filter(|scope| scope.role.may(permission)) {
        match &scope.place {
            Place::Tenant(tenant) => tenants.extend(tree.below(tenant)),
            Place::Site { site, tenant } => sites.push((site.clone(), tenant.clone())),
        }
    }
    let mut reach = Reach { tenants: tenants.iter().cloned().collect(), sites: Vec::new() };
    for (site, tenant) in sites {
        let now = tenant_of(service, caller, &site).await?;
        let Some(now) = now.filter(|now| tree.chain(now).contains(&tenant) && !tenants.contains(now)) else { continue };
        if !reach.sites.iter().any(|(known, _)| *known == site) {
            reach.sites.push((site, now));
        }
    }
    reach.tenants.sort();
    reach.sites.sort();
    Ok(reach)
}

/// The tenant of a site; `None`, there is no such site.
async fn tenant_of(service: &Service, caller: &Caller, site: &str) -> Result<Option<String>, Fault> {
    let cache = &service.gate.sites;
    let era = match cache.get(&site.to_owned(), caller.at) {
        Ok(tenant) => return Ok(tenant),
        Err(era) => era,
    };
    let document = service.store.read(&name_key("site", site), None).await?;
    let tenant = document.as_ref().map(body::<KeptName>).transpose()?.map(|name| name.owner);
    cache.put(era, site.to_owned(), tenant.clone(), caller.at);
    Ok(tenant)
}

/// A site by its id alone, for what Kwartier does by itself.
pub async fn named(service: &Service, site: &str) -> Result<Option<SiteRef>, Fault> {
    let document = service.store.read(&name_key("site", site), None).await?;
    let name = document.as_ref().map(body::<KeptName>).transpose()?;
    Ok(name.map(|name| SiteRef { id: site.to_owned(), tenant: name.owner }))
}

/// Which tenant stands within which.
pub async fn tree(service: &Service, now: DateTime<Utc>) -> Result<Arc<Tree>, Fault> {
    let cache = &service.gate.tenants;
    let era = match cache.get(&(), now) {
        Ok(tree) => return Ok(tree),
        Err(era) => era,
    };
    let tenants = service.store.all(List::all(Kind::Tenant)).await?;
    let pairs = tenants.into_iter().map(|tenant| (tenant.key.id, tenant.key.owner));
    let tree = Arc::new(Tree::new(pairs));
    cache.put(era, (), Arc::clone(&tree), now);
    Ok(tree)
}

fn forbidden(permission: Permission, place: &str) -> Problem {
    let roles: Vec<&str> =
        super::Role::ALL.into_iter().filter(|role| role.may(permission)).map(super::Role::name).collect();
    let what = format!(
        "this needs the permission {:?} at {place}; the roles {} have it, and an admin can give them",
        permission.name(),
        roles.join(", ")
    );
    Problem::forbidden(&what)
}
