//! Roles, and what each of them may do.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What somebody may be at a tenant or site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees boards, chargers, setpoints, plans.
    Viewer,
    /// Sees all a viewer does, and history, forecasts, reports, plans with all they were made from; may solve instances.
    Analyst,
    /// Runs the site: sessions, overrides, rosters, tariffs, signals, plans, webhooks.
    Operator,
    /// Builds it: site, boards, limits, phase maps, chargers and their fallback.
    Installer,
    /// Everything, and who may do what.
    Admin,
    /// Sees chargers and states departure and override of sessions.
    Driver,
    /// A program: sends sessions, measurements, prices and signals, takes setpoints and plans.
    Service,
}

/// What a request needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// To see the site as it is: status, setpoints, plan in force.
    See,
    /// To see history: measurements, forecasts, old plans, logs of setpoints and alarms.
    Analyse,
    /// To have an instance solved that belongs to no site.
    Solve,
    /// To state sessions and overrides.
    Sessions,
    /// To send measurements and reports of chargers, and take setpoints as the one who passes them on.
    Feed,
    /// To set prices, tariffs, rosters, vehicles, forecasts, and ask for plans.
    Operate,
    /// To set a grid operator's limits.
    Signal,
    /// To change the site: boards, limits, phase maps, chargers, fallback.
    Install,
    /// To see who changed what.
    Audit,
    /// To manage webhooks.
    Webhooks,
    /// To grant others access to a site for a time.
    Grant,
    /// To manage people, keys and grants.
    Administer,
}

impl Role {
    /// All of them.
    pub const ALL: [Role; 7] =
        [Role::Viewer, Role::Analyst, Role::Operator, Role::Installer, Role::Admin, Role::Driver, Role::Service];

    /// Its name over HTTP and in what is kept.
    pub fn name(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Analyst => "analyst",
            Role::Operator => "operator",
            Role::Installer => "installer",
            Role::Admin => "admin",
            Role::Driver => "driver",
            Role::Service => "service",
        }
    }

    /// The role of a name.
    pub fn of(name: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Whether who has this role may do that.
    pub fn may(self, permission: Permission) -> bool {
        use Permission::{Analyse, Audit, Feed, Grant, Install, Operate, See, Sessions, Signal, Solve, Webhooks};
        match self {
            Role::Viewer => matches!(permission, See),
            Role::Analyst => matches!(permission, See | Analyse | Solve),
            Role::Operator => matches!(
                permission,
                See | Analyse | Solve | Sessions | Feed | Operate | Signal | Audit | Webhooks | Grant
            ),
            Role::Installer => matches!(permission, See | Analyse | Install | Feed | Sessions),
            Role::Admin => true,
            Role::Driver => matches!(permission, See | Sessions),
            Role::Service => matches!(permission, See | Analyse | Solve | Sessions | Feed | Operate | Signal),
        }
    }

    /// Whether who has this role may grant that one to others for a time. An operator lets others look and build; only an
    /// admin lets them run the site, and nobody makes admins this way.
    pub fn may_grant(self, other: Role) -> bool {
        match self {
            Role::Operator => matches!(other, Role::Viewer | Role::Analyst | Role::Installer),
            Role::Admin => other != Role::Admin,
            _ => false,
        }
    }
}

impl Permission {
    /// All of them.
    #[cfg(test)]
    pub const ALL: [Permission; 12] = [
        Permission::See,
        Permission::Analyse,
        Permission::Solve,
        Permission::Sessions,
        Permission::Feed,
        Permission::Operate,
        Permission::Signal,
        Permission::Install,
        Permission::Audit,
        Permission::Webhooks,
        Permission::Grant,
        Permission::Administer,
    ];

    /// Its name, for messages and documentation.
    pub fn name(self) -> &'static str {
        match self {
            Permission::See => "see",
            Permission::Analyse => "analyse",
            Permission::Solve => "solve",
            Permission::Sessions => "sessions",
            Permission::Feed => "feed",
            Permission::Operate => "operate",
            Permission::Signal => "signal",
            Permission::Install => "install",
            Permission::Audit => "audit",
            Permission::Webhooks => "webhooks",
            Permission::Grant => "grant",
            Permission::Administer => "administer",
        }
    }
}
