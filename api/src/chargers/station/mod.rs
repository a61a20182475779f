//! One charging station, as a state machine: what it hears, what its connector shows and the time go in; frames to send and
//! the limit it holds come out. It knows no socket and no clock.
//!
//! ```text
//! station.connected(now)          a websocket stands
//! station.heard(now, text)        a frame has come
//! station.sees(now, seen)         what is plugged in and flows
//! station.due(now)                time has passed; next_at() says when it wants that
//! station.cut(now)                the websocket is gone
//! for what in station.take() { … }
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `line.rs` | calls out and in, one of its own at a time; what waits, what is kept while nobody hears it |
//! | `charging.rs` | vehicle, transaction, limit in force, status |
//! | `orders.rs` | what it can be told to do |
//! | `later.rs` | what it will do by itself |
//! | `settings.rs` | what it tells of itself and what can be changed |
//! | `quirks.rs` | what it does wrong |
//! | `v16/`, `v2/` | the words of OCPP 1.6 and 2.0.1 |

mod ask;
mod charging;
mod frame;
mod later;
mod line;
mod orders;
mod quirks;
mod read;
mod seen;
mod settings;
#[cfg(test)]
mod tests;
mod v16;
mod v2;

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_engine::plant::profiles::{
    Abilities, Edition, Kind, Limit, Period, Profile, Purpose, Running, Schedule, Store, Supply, Unit,
};

use self::ask::{Ask, Status};
use self::later::Later;
pub use self::quirks::{Quirk, Quirks};
pub use self::seen::{Needs, Seen};
use self::settings::Settings;

/// What its clock is ahead where it is wrong.
const CLOCK_OFF: TimeDelta = TimeDelta::hours(9);

/// What a station is.
#[derive(Debug, Clone)]
pub struct Make {
    /// Its identity: the last part of its address.
    pub id: String,
    /// What it speaks.
    pub edition: Edition,
    /// Rating in A per phase.
    pub max_a: f64,
    /// Phase to neutral voltage in V.
    pub voltage_v: f64,
    /// Grid phases (0 = L1) on its own L1, L2, L3.
    pub phases: Vec<usize>,
    /// Whether it can charge on one phase what could charge on three.
    pub switches_phases: bool,
    /// Whether it can choose the phase of a vehicle that charges on one.
    pub chooses_phase: bool,
    /// Whether it and its vehicles speak ISO 15118 (2.0.1).
    pub iso15118: bool,
    /// How long it takes to start, in s.
    pub boot_s: u32,
    /// What an installer has stored for when it hears nothing, in A per phase; `None`, it comes without any profile.
    pub stored_a: Option<f64>,
    /// What it does wrong.
    pub quirks: Quirks,
}

/// What a station wants done.
#[derive(Debug, Clone, PartialEq)]
pub enum Do {
    /// Send a frame.
    Send(String),
    /// Hold a limit.
    Hold(Held),
    /// Close the connection.
    Hangup,
    /// Connect with this password from now on.
    Password(String),
    /// Something to count.
    Count(Count),
}

/// What a station holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Held {
    /// In A per phase; `None`, no limit.
    pub amps: Option<f64>,
    /// On so many phases.
    pub phases: u8,
    /// A vehicle that charges on one phase, on this one of its own, 0 = L1.
    pub phase: Option<u8>,
}

/// Something to count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Count {
    /// Its start was accepted.
    Booted,
    /// Somebody has asked something, and it has answered with an error or not.
    Asked {
        /// Whether with an error.
        refused: bool,
    },
    /// A profile came.
    Profile {
        /// What for.
        purpose: Purpose,
        /// Whether it was taken.
        accepted: bool,
    },
    /// The limit in force was lowered by what came.
    Lowered,
    /// What it asked was answered with an error, or not at all.
    Failed,
}

/// A transaction.
#[derive(Debug, Clone, PartialEq)]
struct Transaction {
    /// Its own number.
    number: u64,
    /// What the central system calls it (1.6), or it itself (2.0.1); `None`, nobody has said yet.
    id: Option<String>,
    /// Since when, by its own clock.
    since: DateTime<Utc>,
    /// How much has been told of it.
    events: i64,
}

/// A reservation.
#[derive(Debug, Clone, PartialEq)]
struct Reservation {
    id: i64,
    tag: String,
    until: DateTime<Utc>,
}

/// A charging station.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each stands for itself")]
pub struct Station {
    make: Make,
    settings: Settings,
    store: Store,
    out: Vec<Do>,
    // Line.
    linked: bool,
    accepted: bool,
    powered: bool,
    /// While it makes up an answer, it says nothing else.
    answering: bool,
    queue: VecDeque<Ask>,
    pending: Option<(String, Ask, DateTime<Utc>)>,
    messages: u64,
    later: Vec<(DateTime<Utc>, Later)>,
    heartbeat_at: Option<DateTime<Utc>>,
    // Connector.
    seen: Seen,
    available: bool,
    reservation: Option<Reservation>,
    list_version: i64,
    transaction: Option<Transaction>,
    transactions: u64,
    /// What earlier transactions were called, the last ones.
    names: VecDeque<(u64, String)>,
    /// A start from afar that waits for a vehicle: tag and request.
    remote: Option<(String, Option<i64>)>,
    authorizing: bool,
    /// Whether the vehicle has said what it wants in this transaction.
    needs_told: bool,
    finished: bool,
    measure_at: Option<DateTime<Utc>>,
    /// The limit that the profiles make.
    limit: Limit,
    turns_at: Option<DateTime<Utc>>,
    /// After a pause, whether the limit that came next is taken for none.
    unlimited: bool,
    says_suspended: Option<DateTime<Utc>>,
    held: Option<Held>,
    told: Option<Status>,
}

impl Station {
    /// A station that has just been switched on.
    pub fn new(make: Make, now: DateTime<Utc>) -> Station {
        let mut station = Station {
            settings: Settings::new(&make),
            make,
            store: Store::default(),
            out: Vec::new(),
            linked: false,
            accepted: false,
            powered: true,
            answering: false,
            queue: VecDeque::new(),
            pending: None,
            messages: 0,
            later: Vec::new(),
            heartbeat_at: None,
            seen: Seen::default(),
            available: true,
            reservation: None,
            list_version: 0,
            transaction: None,
            transactions: 0,
            names: VecDeque::new(),
            remote: None,
            authorizing: false,
            needs_told: false,
            finished: false,
            measure_at: None,
            limit: Limit::default(),
            turns_at: None,
            unlimited: false,
            says_suspended: None,
            held: None,
            told: None,
        };
        if let Some(amps) = station.make.stored_a {
            station.is_commissioned(amps);
        }
        if station.has(Quirk::Malformed) {
            station.later.push((now + later::MALFORMED_EVERY, Later::Malformed));
        }
        station.refresh(now);
        station
    }

    /// Stores what transactions go by that nobody has given a profile.
    fn is_commissioned(&mut self, amps: f64) {
        let period = Period { start_s: 0, limit: amps, phases: None, phase: None };
        let schedule = Schedule { unit: Unit::Amps, start: None, duration_s: None, periods: vec![period] };
        let profile = Profile {
            id: 1,
            stack_level: 0,
            purpose: Purpose::TxDefault,
            kind: Kind::Relative,
            valid_from: None,
            valid_to: None,
            transaction: None,
            schedule,
        };
        // There is nothing yet that it could collide with.
        let _ = self.store.install(self.make.edition, 0, profile);
    }

    /// What it wants done, in this order.
    pub fn take(&mut self) -> Vec<Do> {
        std::mem::take(&mut self.out)
    }

    /// What it is.
    pub fn make(&self) -> &Make {
        &self.make
    }

    /// Whether it is switched on: one that starts anew connects to nobody.
    pub fn powered(&self) -> bool {
        self.powered
    }

    fn has(&self, quirk: Quirk) -> bool {
        self.make.quirks.has(quirk)
    }

    /// An instant by its own clock.
    fn clock(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        if self.has(Quirk::ClockOff) { now + CLOCK_OFF } else { now }
    }

    /// An instant as it writes it.
    fn stamp(&self, at: DateTime<Utc>) -> String {
        let zone = if self.has(Quirk::NoZone) { "" } else { "Z" };
        format!("{}{zone}", self.clock(at).format("%Y-%m-%dT%H:%M:%S%.3f"))
    }

    /// The tag that its drivers hold before it.
    fn tag(&self) -> String {
        let mut tag = format!("T{}", self.make.id);
        tag.truncate(20);
        tag
    }

    fn abilities(&self) -> Abilities {
        Abilities {
            evses: 1,
            max_stack_level: if self.has(Quirk::OnlyLevelZero) { 0 } else { settings::MAX_STACK_LEVEL },
            max_periods: settings::MAX_PERIODS,
            max_installed: settings::MAX_PROFILES,
            amps: !self.has(Quirk::OnlyWatts),
            watts: !self.has(Quirk::OnlyAmps),
            chooses_phase: self.make.chooses_phase,
            wants_transaction: self.make.edition == Edition::V2 || self.has(Quirk::WantsTransaction),
        }
    }

    fn supply(&self) -> Supply {
        Supply { voltage_v: self.make.voltage_v }
    }

    /// The transaction that runs, or would begin now, by its own clock.
    fn running(&self, now: DateTime<Utc>) -> Running<'_> {
        match &self.transaction {
            // Nobody has said yet what it is called: no profile can name it.
            Some(transaction) => {
                Running { since: transaction.since, id: Some(transaction.id.as_deref().unwrap_or("?")) }
            }
            None => Running { since: self.clock(now), id: None },
        }
    }
}
