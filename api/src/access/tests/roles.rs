//! Roles and permissions as `docs/access.md` shows them.

use std::fmt::Write as _;

use crate::access::role::{Permission, Role};

/// The table of the documentation.
fn table() -> String {
    let mut text = "| permission |".to_owned();
    for role in Role::ALL {
        let _ = write!(text, " {} |", role.name());
    }
    text.push_str("\n|---|");
    text.push_str(&"---|".repeat(Role::ALL.len()));
    for permission in Permission::ALL {
        let _ = write!(text, "\n| `{}` |", permission.name());
        for role in Role::ALL {
            text.push_str(if role.may(permission) { " yes |" } else { " |" });
        }
    }
    text
}

#[test]
fn the_documentation_shows_what_each_role_may() {
    let docs = include_str!("../../../../docs/access.md");
    let (_, rest) = docs.split_once("<!-- roles: begin -->\n").expect("the mark in docs/access.md");
    let (found, _) = rest.split_once("<!-- roles: end -->").expect("the mark in docs/access.md");
    assert_eq!(found.trim(), table(), "put this between the marks in docs/access.md");
}

#[test]
fn roles_hold_what_the_design_asks_of_them() {
    use Permission::{Administer, Analyse, Audit, Feed, Grant, Install, Operate, See, Sessions, Signal};
    for permission in Permission::ALL {
        assert!(Role::Admin.may(permission), "{}", permission.name());
        // Who looks only, changes nothing.
        let looks = matches!(permission, See | Analyse | Permission::Solve);
        assert!(looks || !Role::Viewer.may(permission) && !Role::Analyst.may(permission), "{}", permission.name());
    }
    // Limits are the installer's, not the operator's; prices and overrides the other way round.
    assert!(Role::Installer.may(Install) && !Role::Operator.may(Install));
    assert!(Role::Operator.may(Operate) && Role::Operator.may(Signal) && !Role::Installer.may(Operate));
    assert!(Role::Operator.may(Grant) && Role::Operator.may(Audit));
    assert!(Role::Driver.may(Sessions) && !Role::Driver.may(Analyse));
    assert!(Role::Service.may(Feed) && !Role::Service.may(Install));
    for role in Role::ALL.into_iter().filter(|role| *role != Role::Admin) {
        assert!(!role.may(Administer), "{}", role.name());
    }
}

#[test]
fn nobody_grants_what_they_are_not_allowed_themselves() {
    for giver in Role::ALL {
        for given in Role::ALL.into_iter().filter(|given| giver.may_grant(*given)) {
            assert!(giver.may(Permission::Grant), "{} grants {}", giver.name(), given.name());
            assert_ne!(given, Role::Admin);
        }
    }
}
