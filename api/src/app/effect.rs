//! What the loop wants done: it does nothing itself.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use kwartier_data::site::Hourly;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::planning::Request;
use crate::resource::setpoint::Setpoint;
use crate::resource::status::SiteStatus;
use crate::store::{Measured, NewEntry};

/// What the loop wants done.
#[derive(Debug)]
pub enum Effect {
    /// Everybody who follows a site is told.
    Publish {
        /// Its id.
        site: String,
        /// How it looks now.
        status: Arc<SiteStatus>,
        /// Setpoints that are new, decreases first.
        setpoints: Vec<Setpoint>,
    },
    /// A site is no longer there to be followed.
    Gone {
        /// Its id.
        site: String,
    },
    /// A plan is to be made.
    Plan(Box<Request>),
    /// What a charger holds is to be kept.
    Hold {
        /// At which site.
        site: String,
        /// Which.
        charger: String,
        /// What.
        held: Held,
    },
    /// An entry for a log.
    Log(NewEntry),
    /// Measurements that nobody else keeps.
    Measured(Vec<Measured>),
    /// A job that waited for a plan has its answer: the plan, or why there is none.
    Answered {
        /// The job.
        job: Uuid,
        /// The plan in force.
        outcome: Result<Uuid, String>,
    },
}

/// What is kept of a charger, so that a loop that starts again begins from what it may really hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// Number of the setpoint given out last.
    pub number: u64,
    /// The most that it may hold by what it was told, in A per phase: the last confirmed, and all given out since.
    pub limit_a: f64,
    /// When the last one lapses.
    pub valid_until: DateTime<Utc>,
    /// The last setpoint that it confirmed, in A per phase, and when; absent, none since the loop knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<(f64, DateTime<Utc>)>,
    /// What it has stored for when it is alone, in A per phase by hour of the local day; absent, it has not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback_a: Option<Hourly>,
    /// The session there, and what it has got so far in kWh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<(String, f64)>,
}
