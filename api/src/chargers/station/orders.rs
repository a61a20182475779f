//! What both editions can order, in neither's words.

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_engine::plant::profiles::Clear;
use serde_json::{Value, json};

use super::ask::Ask;
use super::later::Later;
use super::{Do, Quirk, Reservation, Station};

/// How long profiles stay in force after they were cleared, where a station is slow about it.
const SLOW_CLEAR: TimeDelta = TimeDelta::seconds(30);

/// The longest local list.
const LONGEST_LIST: usize = 100;

/// How it is said that something is done, or is not.
pub(super) fn accepted(accepted: bool) -> &'static str {
    if accepted { "Accepted" } else { "Rejected" }
}

impl Station {
    /// A start from afar: at once where a vehicle waits, else when one comes.
    pub(super) fn starts_from_afar(&mut self, now: DateTime<Utc>, tag: String, request: Option<i64>) {
        self.finished = false;
        self.authorizing = false;
        self.remote = Some((tag, request));
        self.wants_to_charge(now);
    }

    /// Tells what its connector does once more.
    pub(super) fn tells_status(&mut self, now: DateTime<Utc>) {
        if let Some(status) = self.told {
            self.ask(now, Ask::Status { status, at: now });
        }
    }

    /// Goes out of order or comes back; while somebody charges, afterwards.
    pub(super) fn set_available(&mut self, now: DateTime<Utc>, available: bool) -> &'static str {
        self.available = available;
        if available {
            self.wants_to_charge(now);
        }
        if self.transaction.is_some() && !available { "Scheduled" } else { "Accepted" }
    }

    /// Takes a local list of so many entries.
    pub(super) fn takes_list(&mut self, version: i64, entries: usize, differential: bool) -> &'static str {
        if differential && version <= self.list_version {
            return "VersionMismatch";
        }
        if entries > LONGEST_LIST {
            return "Failed";
        }
        self.list_version = version;
        "Accepted"
    }

    /// Reserves its connector.
    pub(super) fn reserves(&mut self, now: DateTime<Utc>, id: i64, tag: String, until: DateTime<Utc>) -> &'static str {
        let other = self.reservation.as_ref().is_some_and(|reservation| reservation.id != id);
        if !self.available {
            return "Unavailable";
        }
        if self.seen.vehicle.is_some() || other {
            return "Occupied";
        }
        if until <= now {
            return "Rejected";
        }
        self.reservation = Some(Reservation { id, tag, until });
        self.after(now, until - now, Later::ReservationEnds);
        "Accepted"
    }

    /// Ends a reservation. Whether there was one.
    pub(super) fn cancels(&mut self, now: DateTime<Utc>, id: i64) -> bool {
        let there = self.reservation.take_if(|reservation| reservation.id == id).is_some();
        self.refresh(now);
        there
    }

    /// Clears profiles.
    pub(super) fn clears(&mut self, now: DateTime<Utc>, which: Clear) -> &'static str {
        let any = self.store.installed().iter().any(|installed| which.matches(installed));
        if self.has(Quirk::SlowClear) {
            self.after(now, SLOW_CLEAR, Later::Clear(which));
        } else {
            self.store.clear(which);
        }
        if any { "Accepted" } else { "Unknown" }
    }

    /// A setting was changed: some have to be acted upon.
    pub(super) fn setting_changed(&mut self, now: DateTime<Utc>, name: &str, value: &str) {
        match name {
            "AuthorizationKey" | "SecurityCtrlr.BasicAuthPassword" => self.out.push(Do::Password(value.to_owned())),
            "HeartbeatInterval" | "OCPPCommCtrlr.HeartbeatInterval" => {
                self.heartbeat_at = Some(now + self.settings.heartbeat());
            }
            _ => {
                if self.measure_at.is_some() {
                    self.measure_at = Some(now + self.settings.sampling());
                }
            }
        }
    }

    /// Its composite schedule: from when, and the periods as both editions write them.
    pub(super) fn composite(&self, now: DateTime<Utc>, duration_s: i64, watts: bool) -> (String, Vec<Value>) {
        let spans = self.store.composite(1, self.clock(now), duration_s, self.running(now), self.supply());
        let all = u8::try_from(self.make.phases.len()).unwrap_or(3);
        let periods = spans.iter().map(|span| {
            let phases = span.limit.phases.unwrap_or(all);
            let amps = span.limit.amps.map_or(self.make.max_a, |amps| amps.min(self.make.max_a));
            let limit = if watts { amps * self.make.voltage_v * f64::from(phases) } else { amps };
            json!({"startPeriod": span.start_s, "limit": (limit * 10.0).round() / 10.0, "numberPhases": phases})
        });
        (self.stamp(now), periods.collect())
    }
}
