//! What happens to the loop.

use std::sync::Arc;

use kwartier_data::site::Site;
use kwartier_engine::control;
use uuid::Uuid;

use crate::planning::Made;
use crate::resource::charger::Report;
use crate::resource::measurement::Measurement;
use crate::resource::price::Price;
use crate::resource::session::KeptSession;
use crate::resource::signal::Signal;

/// What a charger tells of itself that an operator should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChargerAlarm {
    /// It holds more than it should.
    HoldsMore,
    /// Something is wrong with it.
    Faulted,
    /// Somebody may tamper with it.
    Security,
}

impl ChargerAlarm {
    /// The kind of the alarm.
    pub fn word(self) -> &'static str {
        match self {
            ChargerAlarm::HoldsMore => "holds_more",
            ChargerAlarm::Faulted => "faulted",
            ChargerAlarm::Security => "security",
        }
    }
}

/// Something that happened. What it says is stored already when it comes here, where it is to be stored at all.
#[derive(Debug, Clone)]
pub enum Event {
    /// A site is new or has changed.
    Site {
        /// Its id.
        site: String,
        /// Its tenant.
        tenant: String,
        /// What it is now.
        what: Arc<Site>,
        /// The chargers that somebody else passes our setpoints on to.
        over_api: Vec<String>,
    },
    /// A site is gone.
    SiteGone {
        /// Its id.
        site: String,
    },
    /// Meters show something.
    Measured {
        /// At which site.
        site: String,
        /// What.
        rows: Vec<Measurement>,
    },
    /// A charger reports, through somebody else's system.
    Reported {
        /// At which site.
        site: String,
        /// Which.
        charger: String,
        /// What.
        report: Report,
    },
    /// A device that we hold the connection to, or play ourselves, tells something; by the indices of the site's
    /// [`control::setup::Setup`] of the given version.
    Device {
        /// At which site.
        site: String,
        /// [`SiteStatus::setup`](crate::resource::status::SiteStatus::setup); events for an older one are dropped.
        setup: u64,
        /// What.
        events: Vec<control::Event>,
    },
    /// A charger tells something of itself that an operator should know, or that it is over.
    OfCharger {
        /// At which site.
        site: String,
        /// Which.
        charger: String,
        /// What.
        kind: ChargerAlarm,
        /// In words; `None`, it is over.
        text: Option<String>,
    },
    /// A session is new or has changed.
    Session {
        /// At which site.
        site: String,
        /// Its id.
        id: String,
        /// What is kept of it now.
        kept: KeptSession,
    },
    /// A session was deleted.
    SessionGone {
        /// At which site.
        site: String,
        /// Its id.
        id: String,
    },
    /// Prices are new or have changed.
    Prices {
        /// At which site.
        site: String,
        /// The intervals that have.
        prices: Vec<Price>,
    },
    /// A forecast that somebody else makes is new, has changed or is withdrawn; planners read it.
    Foreseen {
        /// Of which site.
        site: String,
    },
    /// A grid operator's limit is new, has changed (`Some`) or is withdrawn.
    Signal {
        /// At which site.
        site: String,
        /// Its id.
        id: String,
        /// What it says.
        signal: Option<Signal>,
    },
    /// Somebody takes the setpoints of a site over the API, to pass them on.
    Taken {
        /// Of which site.
        site: String,
        /// Up to which number.
        number: u64,
    },
    /// Somebody wants a new plan.
    PlanWanted {
        /// For which site.
        site: String,
        /// The job that waits for it.
        job: Option<Uuid>,
    },
    /// A plan was made, or was not.
    Planned {
        /// For which site.
        site: String,
        /// What it was made for: a plan for an older state of the site is dropped.
        number: u64,
        /// The plan, which may be the one that is in force already; `Err`, why there is none.
        outcome: Result<Arc<Made>, String>,
    },
}
