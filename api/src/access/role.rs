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
    /// To manage people, keys and grants.
    Administer,
}

impl Role {
    /// All of them.
    pub const ALL: [Role; 7] =
        [Role::Viewer, Role::Analyst, Role::Operator, Role::Installer, Role::Admin, Role::Driver, Role::Service];

    /// Whether who has this role may do that.
    pub fn may(self, permission: Permission) -> bool {
        use Permission::{Administer, Analyse, Audit, Feed, Install, Operate, See, Sessions, Signal, Solve, Webhooks};
        match self {
            Role::Viewer => matches!(permission, See),
            Role::Analyst => matches!(permission, See | Analyse | Solve),
            Role::Operator => {
                matches!(permission, See | Analyse | Solve | Sessions | Feed | Operate | Signal | Audit | Webhooks)
            }
            Role::Installer => matches!(permission, See | Analyse | Install | Feed | Sessions),
            Role::Admin => {
                let all = [See, Analyse, Solve, Sessions, Feed, Operate, Signal, Install, Audit, Webhooks, Administer];
                all.contains(&permission)
            }
            Role::Driver => matches!(permission, See | Sessions),
            Role::Service => matches!(permission, See | Analyse | Solve | Sessions | Feed | Operate | Signal),
        }
    }
}
