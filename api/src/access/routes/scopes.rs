//! Roles as they are asked for, held against what the one who asks may give.

use super::wire::ScopeBody;
use crate::access::kept::KeptScope;
use crate::access::{Caller, Permission, at_site, at_tenant};
use crate::http::problem::{FieldError, Problem};
use crate::service::Service;

/// How many roles one person or key may have.
const MOST: usize = 200;

/// The roles, when the caller administers every place that they name.
pub async fn given(service: &Service, caller: &Caller, asked: &[ScopeBody]) -> Result<Vec<KeptScope>, Problem> {
    if asked.len() > MOST {
        return Err(Problem::field(
            "scopes",
            format!("{} roles are more than {MOST}; give them at tenants", asked.len()),
        ));
    }
    let mut scopes = Vec::with_capacity(asked.len());
    let mut errors = Vec::new();
    for (k, scope) in asked.iter().enumerate() {
        match one(service, caller, scope).await {
            Ok(kept) => scopes.push(kept),
            // What cannot be stored or read now is no fault of the field.
            Err((_, problem)) if problem.status >= 500 => return Err(problem),
            Err((field, problem)) => {
                errors.push(FieldError { field: format!("scopes[{k}]{field}"), detail: problem.detail });
            }
        }
    }
    if errors.is_empty() { Ok(scopes) } else { Err(Problem::invalid(errors)) }
}

async fn one(service: &Service, caller: &Caller, scope: &ScopeBody) -> Result<KeptScope, (&'static str, Problem)> {
    if scope.until.is_some_and(|until| until <= caller.at) {
        return Err((".until", Problem::field("until", "it is in the past; write a time to come, or leave it out")));
    }
    let tenant = match (&scope.site, &scope.tenant) {
        (Some(site), tenant) => {
            let found = at_site(service, caller, Permission::Administer, site).await;
            let found = found.map_err(|problem| (".site", problem))?;
            if tenant.as_ref().is_some_and(|tenant| *tenant != found.tenant) {
                let detail = format!("the site {site:?} is not of that tenant; leave the tenant out");
                return Err((".tenant", Problem::field("tenant", detail)));
            }
            found.tenant
        }
        (None, Some(tenant)) => {
            let found = at_tenant(service, caller, Permission::Administer, tenant).await;
            found.map_err(|problem| (".tenant", problem))?.id
        }
        (None, None) => {
            return Err(("", Problem::field("", "it says nowhere where it counts; name a tenant or a site")));
        }
    };
    Ok(KeptScope { role: scope.role, tenant, site: scope.site.clone(), until: scope.until })
}
