//! What a station will do by itself.

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_engine::plant::profiles::Clear;

use super::ask::{Ask, Event};
use super::{Do, Quirk, Station};

/// How often a station sends a frame that is none, where it does.
pub(super) const MALFORMED_EVERY: TimeDelta = TimeDelta::seconds(20);

/// How long a step of installing or uploading takes.
pub(super) const STEP: TimeDelta = TimeDelta::seconds(3);

/// How long after a transaction has begun its vehicle says what it wants.
pub(super) const NEEDS_AFTER: TimeDelta = TimeDelta::seconds(2);

/// How long nobody answers before a station gives up.
pub(super) const PATIENCE: TimeDelta = TimeDelta::seconds(30);

/// Frames that are none: cut off, no JSON, wrong kinds, answers that nobody asked for.
const MALFORMED: [&str; 6] = [
    "[2,\"x\",\"Heartbeat\",{",
    "hello",
    "[2,42,\"Heartbeat\",{}]",
    "[3,\"nobody-asked\",{\"status\":\"Accepted\"}]",
    "[9,\"x\",\"Heartbeat\",{}]",
    "[2,\"bad\",\"MeterValues\",{\"connectorId\":\"one\"}]",
];

/// Something that is due at an instant.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Later {
    /// A frame to send, unless the connection is gone by then.
    Send(String),
    /// It is switched on again.
    PowerOn,
    /// It tries again to be accepted.
    BootAgain,
    /// It asks again whether a vehicle that waits may charge.
    AuthorizeAgain,
    /// The next step of installing firmware.
    Firmware(&'static [&'static str]),
    /// The next step of uploading a log.
    Log(&'static [&'static str], Option<i64>),
    /// It goes off to start anew, if it is idle where that is a condition.
    Reset,
    /// Profiles go at last.
    Clear(Clear),
    /// The vehicle of a transaction says what it wants.
    Needs(u64),
    /// A frame that is none.
    Malformed,
    /// A reservation ends.
    ReservationEnds,
    /// It no longer says that it is suspended.
    Resumes,
}

impl Station {
    /// Time has passed.
    pub fn due(&mut self, now: DateTime<Utc>) {
        let (due, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.later).into_iter().partition(|(at, _)| *at <= now);
        self.later = rest;
        for (_, what) in due {
            self.happens(now, what);
        }
        if self.heartbeat_at.is_some_and(|at| at <= now) {
            self.heartbeat_at = Some(now + self.settings.heartbeat());
            if self.linked && self.accepted {
                self.ask(now, Ask::Heartbeat);
            }
        }
        if self.measure_at.is_some_and(|at| at <= now) {
            self.measure_at = Some(now + self.settings.sampling());
            self.tell(now, Event::Measured { triggered: false });
        }
        if self.pending.as_ref().is_some_and(|(.., sent)| *sent + PATIENCE <= now) {
            self.unanswered(now);
        }
        self.refresh(now);
    }

    /// When it wants to be told that time has passed; `None`, never.
    pub fn next_at(&self) -> Option<DateTime<Utc>> {
        let offset = self.clock(DateTime::UNIX_EPOCH) - DateTime::UNIX_EPOCH;
        let pending = self.pending.as_ref().map(|(.., sent)| *sent + PATIENCE);
        let turns = self.turns_at.map(|at| at - offset);
        let own = [self.heartbeat_at, self.measure_at, pending, turns];
        own.into_iter().flatten().chain(self.later.iter().map(|(at, _)| *at)).min()
    }

    pub(super) fn after(&mut self, now: DateTime<Utc>, wait: TimeDelta, what: Later) {
        self.later.push((now + wait, what));
    }

    fn happens(&mut self, now: DateTime<Utc>, what: Later) {
        match what {
            Later::Send(frame) if self.linked => self.out.push(Do::Send(frame)),
            Later::PowerOn => {
                self.powered = true;
                self.finished = false;
                if self.has(Quirk::ForgetsAtReboot) {
                    self.store.forget();
                }
                self.wants_to_charge(now);
            }
            Later::BootAgain if self.linked && !self.accepted => self.ask(now, Ask::Boot),
            Later::AuthorizeAgain => self.wants_to_charge(now),
            Later::Firmware([step, rest @ ..]) => {
                self.ask(now, Ask::Firmware(step));
                self.after(now, STEP, Later::Firmware(rest));
            }
            Later::Log([step, rest @ ..], request) => {
                self.ask(now, Ask::Log(step, request));
                self.after(now, STEP, Later::Log(rest, request));
            }
            Later::Send(_) | Later::BootAgain | Later::Firmware([]) | Later::Log([], _) => {}
            Later::Reset if self.transaction.is_some() => self.after(now, STEP, Later::Reset),
            Later::Reset => self.power_off(now),
            Later::Clear(clear) => {
                self.store.clear(clear);
            }
            Later::Needs(number) => {
                let runs = self.transaction.as_ref().is_some_and(|transaction| transaction.number == number);
                if let Some(needs) = self.seen.needs.filter(|_| runs) {
                    self.needs_told = true;
                    self.ask(now, Ask::Needs(needs));
                }
            }
            Later::Malformed => {
                if self.linked && self.accepted {
                    let turn = usize::try_from(self.messages).unwrap_or(0) + self.later.len();
                    self.messages += 1;
                    self.out.push(Do::Send(MALFORMED[turn % MALFORMED.len()].to_owned()));
                }
                self.after(now, MALFORMED_EVERY, Later::Malformed);
            }
            Later::ReservationEnds => {
                self.reservation = self.reservation.take().filter(|reservation| reservation.until > now);
            }
            Later::Resumes => self.says_suspended = None,
        }
    }

    /// It goes off, and comes back when it has started.
    pub(super) fn power_off(&mut self, now: DateTime<Utc>) {
        self.powered = false;
        self.accepted = false;
        self.authorizing = false;
        self.later.retain(|(_, what)| !matches!(what, Later::Send(_) | Later::BootAgain));
        self.after(now, TimeDelta::seconds(i64::from(self.make.boot_s)), Later::PowerOn);
        self.out.push(Do::Hangup);
    }

    /// It loses power for a moment. Its transaction ends, of which it tells when it is back.
    pub fn loses_power(&mut self, now: DateTime<Utc>) {
        // Who has no power says nothing any more.
        (self.linked, self.powered) = (false, false);
        self.end(now, "PowerLoss");
        self.power_off(now);
        self.cut(now);
    }
}
