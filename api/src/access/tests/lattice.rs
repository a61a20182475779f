//! Properties of who reaches what, for random tenants, roles and times.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use crate::access::caller::{Access, Caller, Place, Scope, Who};
use crate::access::place::Tree;
use crate::access::role::{Permission, Role};

const TENANTS: usize = 8;
const SITES: usize = 6;

/// Tenants within tenants: each stands in one with a lower number, or in none.
#[derive(Debug, Clone)]
struct Case {
    above: Vec<usize>,
    site_of: Vec<usize>,
    scopes: Vec<(usize, Option<usize>, Role, Option<i64>)>,
}

fn role() -> impl Strategy<Value = Role> {
    proptest::sample::select(Role::ALL.to_vec())
}

fn case() -> impl Strategy<Value = Case> {
    let scope = (0..TENANTS, proptest::option::of(0..SITES), role(), proptest::option::of(-5i64..5));
    (
        proptest::collection::vec(0..TENANTS, TENANTS),
        proptest::collection::vec(0..TENANTS, SITES),
        proptest::collection::vec(scope, 0..5),
    )
        .prop_map(|(above, site_of, scopes)| {
            let above = above.into_iter().enumerate().map(|(k, a)| if k == 0 { 0 } else { a % k }).collect();
            Case { above, site_of, scopes }
        })
}

fn name(tenant: usize) -> String {
    format!("t{tenant}")
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).expect("a time")
}

impl Case {
    fn tree(&self) -> Tree {
        let above = |k: usize| if k == 0 { String::new() } else { name(self.above[k]) };
        Tree::new((0..TENANTS).map(|k| (name(k), above(k))))
    }

    fn caller(&self) -> Caller {
        let scopes = self.scopes.iter().map(|&(tenant, site, role, hours)| {
            let tenant = name(tenant);
            let place = match site {
                None => Place::Tenant(tenant),
                Some(site) => Place::Site { site: format!("s{site}"), tenant },
            };
            Scope { role, place, until: hours.map(|hours| now() + TimeDelta::hours(hours)) }
        });
        Caller { who: Who::Key("k".to_owned()), tenant: name(0), scopes: scopes.collect(), at: now(), once: None }
    }

    /// Whether a tenant is another, or stands somewhere above it: written without the tree.
    fn covers(&self, upper: usize, lower: usize) -> bool {
        let mut at = lower;
        while at != upper && at != 0 {
            at = self.above[at];
        }
        at == upper
    }

    /// What the answer must be, from the words of the documentation.
    fn expected(&self, permission: Permission, site: Option<usize>, tenant: usize) -> Access {
        let counts = self.scopes.iter().filter(|(at, only, _, hours)| {
            let place = match (only, site) {
                (None, _) => true,
                (Some(only), Some(site)) => *only == site,
                (Some(_), None) => false,
            };
            place && self.covers(*at, tenant) && hours.is_none_or(|hours| hours > 0)
        });
        let mut known = false;
        for (_, _, role, _) in counts {
            if role.may(permission) {
                return Access::Granted;
            }
            known = true;
        }
        if known { Access::Forbidden } else { Access::Unknown }
    }
}

proptest! {
    #[test]
    fn everybody_reaches_exactly_what_their_roles_say(case in case()) {
        let (tree, caller) = (case.tree(), case.caller());
        for permission in Permission::ALL {
            for (site, &tenant) in case.site_of.iter().enumerate() {
                let found = caller.at_site(permission, &format!("s{site}"), &tree.chain(&name(tenant)));
                prop_assert_eq!(found, case.expected(permission, Some(site), tenant));
            }
            for tenant in 0..TENANTS {
                let found = caller.at_tenant(permission, &tree.chain(&name(tenant)));
                prop_assert_eq!(found, case.expected(permission, None, tenant));
            }
        }
    }

    #[test]
    fn nobody_of_one_tenant_reaches_another_that_is_not_below_it(case in case(), home in 1..TENANTS) {
        let tree = case.tree();
        let scopes = case.scopes.iter().map(|scope| (home, scope.1, scope.2, scope.3)).collect();
        let caller = Case { scopes, ..case.clone() }.caller();
        for (site, &tenant) in case.site_of.iter().enumerate().filter(|(_, tenant)| !case.covers(home, **tenant)) {
            for permission in Permission::ALL {
                let found = caller.at_site(permission, &format!("s{site}"), &tree.chain(&name(tenant)));
                prop_assert_eq!(found, Access::Unknown);
            }
        }
    }

    #[test]
    fn taking_a_role_away_or_letting_it_end_never_opens_anything(case in case(), which in 0usize..5) {
        let (tree, caller) = (case.tree(), case.caller());
        let mut less = caller.clone();
        if which < less.scopes.len() {
            less.scopes.remove(which);
        }
        let later = Caller { at: now() + TimeDelta::hours(3), ..caller.clone() };
        for permission in Permission::ALL {
            for (site, &tenant) in case.site_of.iter().enumerate() {
                let (site, chain) = (format!("s{site}"), tree.chain(&name(tenant)));
                let may = |caller: &Caller| caller.at_site(permission, &site, &chain) == Access::Granted;
                prop_assert!(may(&caller) || !may(&less));
                prop_assert!(may(&caller) || !may(&later));
            }
        }
    }

    #[test]
    fn below_is_the_other_side_of_above(case in case()) {
        let tree = case.tree();
        for upper in 0..TENANTS {
            let expected: Vec<String> = (0..TENANTS).filter(|lower| case.covers(upper, *lower)).map(name).collect();
            // Chains end at a depth that no tenant is made at.
            if (0..TENANTS).all(|k| tree.chain(&name(k)).len() <= crate::access::place::DEEPEST) {
                prop_assert_eq!(tree.below(&name(upper)), expected);
            }
        }
    }
}

#[test]
fn a_tenant_that_there_is_not_has_no_chain_and_a_circle_ends() {
    let tree = Tree::new([("a".to_owned(), "b".to_owned()), ("b".to_owned(), "a".to_owned())]);
    assert!(tree.chain("nowhere").is_empty());
    assert!(tree.chain("a").len() <= crate::access::place::DEEPEST + 1);
}
