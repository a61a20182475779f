//! Vehicle, transaction, limit in force, status.

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_engine::control::setup::LOWEST_A;
use kwartier_engine::plant::profiles::{Edition, Limit, Profile, Purpose, Refused};

use super::ask::{Ask, Event, Status};
use super::later::{Later, NEEDS_AFTER};
use super::seen::{PHASE_NAMES, Sample, Seen};
use super::{Count, Do, Held, Quirk, Station, Transaction};

/// For how long it says that it is suspended although it is not any more, where it does.
const LONG_SUSPENDED: TimeDelta = TimeDelta::minutes(3);

/// How many earlier transactions it knows by name.
const MOST_NAMES: usize = 8;

impl Station {
    /// What is plugged in and flows.
    pub fn sees(&mut self, now: DateTime<Utc>, seen: Seen) {
        let before = std::mem::replace(&mut self.seen, seen);
        if before.vehicle != seen.vehicle {
            if before.vehicle.is_some() {
                self.end(now, "EVDisconnected");
            }
            self.finished = false;
            self.wants_to_charge(now);
        }
        self.refresh(now);
    }

    /// A vehicle that is there and has no transaction wants one.
    pub(super) fn wants_to_charge(&mut self, now: DateTime<Utc>) {
        let waits = self.seen.vehicle.is_some() && self.transaction.is_none() && !self.finished;
        if !waits || !self.powered || !self.available || self.authorizing {
            return;
        }
        if let Some((tag, request)) = self.remote.take() {
            self.begin(now, tag, request);
        } else if self.linked && self.accepted {
            self.authorizing = true;
            let tag = self.tag();
            self.ask(now, Ask::Authorize { tag });
        } else if !self.linked {
            // Whom nobody can ask for may charge: a depot's own vans.
            self.begin(now, self.tag(), None);
        }
    }

    /// Somebody may charge, or not.
    pub(super) fn authorized(&mut self, now: DateTime<Utc>, tag: &str, accepted: bool) {
        self.authorizing = false;
        if !accepted {
            self.finished = true;
        } else if self.seen.vehicle.is_some() && self.transaction.is_none() {
            self.begin(now, tag.to_owned(), None);
        }
    }

    /// A transaction begins.
    pub(super) fn begin(&mut self, now: DateTime<Utc>, tag: String, remote: Option<i64>) {
        self.transactions += 1;
        let number = self.transactions;
        let id = (self.make.edition == Edition::V2)
            .then(|| format!("{:.24}-{number}-{}", self.make.id, now.timestamp() % 1_000_000));
        if let Some(id) = &id {
            self.named(number, id.clone());
        }
        let since = self.clock(now);
        self.transaction = Some(Transaction { number, id, since, events: 0 });
        self.finished = false;
        self.needs_told = false;
        if self.make.iso15118 && self.make.edition == Edition::V2 {
            self.after(now, NEEDS_AFTER, Later::Needs(number));
        }
        let reservation = self.reservation.take().filter(|reservation| reservation.tag == tag);
        let reservation = reservation.map(|reservation| reservation.id);
        self.tell(now, Event::Begins { tag, remote, reservation });
        self.measure_at = Some(now + self.settings.sampling());
        self.refresh(now);
    }

    /// The transaction that runs, if one does, ends.
    pub(super) fn end(&mut self, now: DateTime<Utc>, reason: &'static str) {
        if self.transaction.is_none() {
            return;
        }
        self.tell(now, Event::Ends { reason });
        self.transaction = None;
        self.measure_at = None;
        self.finished = true;
        self.store.ended(1);
        self.refresh(now);
    }

    /// What a transaction is called.
    pub(super) fn named(&mut self, number: u64, id: String) {
        if let Some(transaction) = self.transaction.as_mut().filter(|transaction| transaction.number == number) {
            transaction.id = Some(id.clone());
        }
        self.names.push_back((number, id));
        while self.names.len() > MOST_NAMES {
            self.names.pop_front();
        }
    }

    /// The name of a transaction by its number.
    pub(super) fn name(&self, number: u64) -> Option<&str> {
        self.names.iter().rev().find(|(known, _)| *known == number).map(|(_, id)| id.as_str())
    }

    /// Tells what happens in the transaction that runs.
    pub(super) fn tell(&mut self, now: DateTime<Utc>, event: Event) {
        let sample = self.sample(now);
        let offline = !self.linked || !self.accepted;
        // What was measured while nobody heard it is not told later: begin and end have the meter's reading.
        if offline && matches!(event, Event::Measured { .. } | Event::Turns(_)) {
            return;
        }
        let Some(transaction) = &mut self.transaction else { return };
        let (number, event_number) = (transaction.number, transaction.events);
        transaction.events += 1;
        self.ask(now, Ask::Transaction { number, event_number, event, at: now, sample, offline });
    }

    /// Begin and end of a transaction of yesterday, as if they had waited since.
    pub(super) fn tells_of_yesterday(&mut self, now: DateTime<Utc>) {
        self.transactions += 1;
        let number = self.transactions;
        if self.make.edition == Edition::V2 {
            self.named(number, format!("{:.24}-old-{number}", self.make.id));
        }
        let begins = Event::Begins { tag: self.tag(), remote: None, reservation: None };
        let sample = Sample { amps: [0.0; 3], watts: 0.0, ..self.sample(now) };
        for (event_number, event, hours) in [(1, Event::Ends { reason: "Local" }, 20), (0, begins, 24)] {
            let at = now - TimeDelta::hours(hours);
            self.queue.push_front(Ask::Transaction { number, event_number, event, at, sample, offline: true });
        }
    }

    pub(super) fn sample(&self, now: DateTime<Utc>) -> Sample {
        self.seen.sample(now, self.held.and_then(|held| held.amps))
    }

    /// Currents by the names of the phases they are measured on, with what it does wrong.
    pub(super) fn measured_phases(&self, sample: &Sample) -> Vec<(Option<&'static str>, f64)> {
        if self.has(Quirk::ReportsOnePhase) {
            return vec![(None, sample.amps[0])];
        }
        let rotated = self.has(Quirk::ReportsRotated);
        let phases = self.make.phases.iter().enumerate();
        let mut all: Vec<(usize, f64)> =
            phases.map(|(own, &grid)| (if rotated { grid } else { own }, sample.amps[own])).collect();
        all.sort_by_key(|(phase, _)| *phase);
        all.into_iter().map(|(phase, amps)| (PHASE_NAMES.get(phase).copied(), amps)).collect()
    }

    /// Installs a profile, or says why not.
    pub(super) fn installs(&mut self, now: DateTime<Utc>, evse: u32, profile: Profile) -> Result<(), Refused> {
        let purpose = profile.purpose;
        let outcome = self.may_install(now, evse, &profile).and_then(|()| {
            if self.has(Quirk::IgnoresLimits) { Ok(()) } else { self.store.install(self.make.edition, evse, profile) }
        });
        self.out.push(Do::Count(Count::Profile { purpose, accepted: outcome.is_ok() }));
        outcome
    }

    fn may_install(&self, now: DateTime<Utc>, evse: u32, profile: &Profile) -> Result<(), Refused> {
        if self.has(Quirk::RefusesZero) && profile.schedule.periods.iter().any(|period| period.limit < 0.05) {
            return Err(Refused::Periods);
        }
        if self.has(Quirk::RefusesStationMax) && profile.purpose == Purpose::StationMax {
            return Err(Refused::Purpose);
        }
        self.abilities().check(self.make.edition, evse, profile, self.running(now), &self.store)
    }

    /// Brings the limit it holds and what it says of itself in line with its state.
    pub(super) fn refresh(&mut self, now: DateTime<Utc>) {
        let clock = self.clock(now);
        let running = self.running(now);
        let limit = self.store.limit_at(1, clock, running, self.supply());
        self.turns_at = self.store.turns_after(clock, running);
        let before = std::mem::replace(&mut self.limit, limit);
        if before.amps != limit.amps {
            self.unlimited = self.has(Quirk::UnlimitedAfterPause) && before.amps == Some(0.0);
            let paused = |limit: Limit| limit.amps.is_some_and(|amps| amps < LOWEST_A);
            if self.has(Quirk::LongSuspended) && paused(before) && !paused(limit) && self.transaction.is_some() {
                self.says_suspended = Some(now + LONG_SUSPENDED);
                self.after(now, LONG_SUSPENDED, Later::Resumes);
            }
        }
        let held = self.holds();
        if self.held != Some(held) {
            self.held = Some(held);
            self.out.push(Do::Hold(held));
        }
        let status = self.status();
        if self.told != Some(status) && self.linked && self.accepted {
            let before = self.told.replace(status);
            if matches!(status, Status::Charging | Status::SuspendedEv | Status::SuspendedEvse) {
                self.tell(now, Event::Turns(status));
            }
            let same =
                self.make.edition == Edition::V2 && before.is_some_and(|before| before.is_taken() == status.is_taken());
            if !same || !status.is_taken() {
                self.ask(now, Ask::Status { status, at: now });
            }
        }
    }

    /// What it holds: nothing flows without a transaction; whoever comes next may draw what the profiles say.
    fn holds(&self) -> Held {
        let closed = self.powered && self.available && (self.transaction.is_some() || self.seen.vehicle.is_none());
        let amps = if !closed {
            Some(0.0)
        } else if self.unlimited {
            None
        } else {
            self.limit.amps.map(|amps| amps.min(self.make.max_a))
        };
        let all = u8::try_from(self.make.phases.len()).unwrap_or(3);
        let phases = if self.has(Quirk::IgnoresPhases) { all } else { self.limit.phases.unwrap_or(all).min(all) };
        Held { amps, phases, phase: self.limit.phase.map(|phase| phase.saturating_sub(1)) }
    }

    fn status(&self) -> Status {
        let draws = self.seen.amps.iter().any(|amps| *amps > 0.0);
        let may = self.held.and_then(|held| held.amps).is_none_or(|amps| amps >= LOWEST_A);
        match (self.seen.vehicle, &self.transaction) {
            _ if !self.available && self.transaction.is_none() => Status::Unavailable,
            (None, _) if self.reservation.is_some() => Status::Reserved,
            (None, _) => Status::Available,
            (Some(_), None) if self.finished => Status::Finishing,
            (Some(_), None) => Status::Preparing,
            (Some(_), Some(_)) if self.says_suspended.is_some() || !may => Status::SuspendedEvse,
            (Some(_), Some(_)) if draws => Status::Charging,
            (Some(_), Some(_)) => Status::SuspendedEv,
        }
    }
}
