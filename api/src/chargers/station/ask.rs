//! What a station says of its own accord, without the words of an edition.

use chrono::{DateTime, Utc};
use kwartier_engine::plant::profiles::Installed;

use super::seen::{Needs, Sample};

/// Something to say.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// It has started.
    Boot,
    /// It is there.
    Heartbeat,
    /// What its connector does.
    Status {
        /// What.
        status: Status,
        /// Since when.
        at: DateTime<Utc>,
    },
    /// May somebody charge?
    Authorize {
        /// The tag.
        tag: String,
    },
    /// Something happened in a transaction.
    Transaction {
        /// The station's own number of it.
        number: u64,
        /// Which of its events, from 0.
        event_number: i64,
        /// What.
        event: Event,
        /// When.
        at: DateTime<Utc>,
        /// What was measured then.
        sample: Sample,
        /// Whether nobody could be told then.
        offline: bool,
    },
    /// How installing new firmware goes.
    Firmware(&'static str),
    /// How uploading a log goes; the request that wanted it.
    Log(&'static str, Option<i64>),
    /// Something that matters for security, and when.
    Security(&'static str, DateTime<Utc>),
    /// What the vehicle wants, as it has said over ISO 15118 (2.0.1).
    Needs(Needs),
    /// What the vehicle will do with its profile, as it has said over ISO 15118 (2.0.1), and since when.
    Intends(DateTime<Utc>),
    /// What the station is like, as somebody wanted to know then (2.0.1).
    Report(i64, DateTime<Utc>),
    /// Which profiles it holds, as somebody wanted to know (2.0.1).
    Profiles(i64, Vec<Installed>),
}

/// What happens in a transaction.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// It begins.
    Begins {
        /// Whose it is.
        tag: String,
        /// Of which request that is the answer (2.0.1).
        remote: Option<i64>,
        /// The reservation it uses up.
        reservation: Option<i64>,
    },
    /// It is time to tell what was measured.
    Measured {
        /// Whether somebody wanted to know.
        triggered: bool,
    },
    /// The vehicle draws, or does not any more.
    Turns(Status),
    /// It ends.
    Ends {
        /// Why, in the words of 1.6.
        reason: &'static str,
    },
}

impl Ask {
    /// Whether it is kept until the connection stands again.
    pub fn lasts(&self) -> bool {
        matches!(self, Ask::Transaction { .. } | Ask::Security(..))
    }
}

/// What a connector does, in the words of 1.6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Nobody is there.
    Available,
    /// A vehicle is there and no transaction.
    Preparing,
    /// The vehicle draws.
    Charging,
    /// It could draw and does not.
    SuspendedEv,
    /// It may not draw.
    SuspendedEvse,
    /// The transaction has ended and the vehicle is still there.
    Finishing,
    /// Somebody has reserved it.
    Reserved,
    /// Out of order by order.
    Unavailable,
}

impl Status {
    /// Whether a vehicle is there: all that 2.0.1 says of such states.
    pub fn is_taken(self) -> bool {
        !matches!(self, Status::Available | Status::Reserved | Status::Unavailable)
    }
}
