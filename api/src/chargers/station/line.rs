//! Calls out and in. A station has one call of its own open at a time; what belongs to transactions waits until somebody
//! hears it, in order, everything else is told when it is asked for.

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_engine::plant::profiles::Edition;
use serde_json::{Value, json};

use super::ask::Ask;
use super::frame::{self, Frame, Wrong};
use super::later::{Later, PATIENCE};
use super::{Count, Do, Quirk, Station, v2, v16};

/// No more is kept while nobody hears it: the oldest goes.
const MOST_KEPT: usize = 1000;

/// How much later than anybody waits for it a late answer comes.
const LATE: TimeDelta = TimeDelta::seconds(35);

/// How often in a row a station hangs up again at once, where it does.
const STORM: u64 = 10;

impl Station {
    /// A websocket stands.
    pub fn connected(&mut self, now: DateTime<Utc>) {
        self.linked = true;
        self.messages += 1;
        if self.has(Quirk::Storm) && self.messages <= STORM {
            self.out.push(Do::Hangup);
            return;
        }
        if self.accepted {
            self.told = None;
            self.refresh(now);
            self.pump(now);
        } else {
            self.queue.push_front(Ask::Boot);
            self.pump(now);
        }
    }

    /// The websocket is gone.
    pub fn cut(&mut self, now: DateTime<Utc>) {
        self.linked = false;
        self.authorizing = false;
        self.later.retain(|(_, what)| !matches!(what, Later::Send(_) | Later::BootAgain));
        if let Some((_, ask, _)) = self.pending.take() {
            self.queue.push_front(ask);
        }
        self.queue.retain(Ask::lasts);
        if self.has(Quirk::ForgetsAtCut) {
            self.store.forget();
        }
        self.refresh(now);
        if self.powered {
            self.wants_to_charge(now);
        }
    }

    /// A frame has come.
    pub fn heard(&mut self, now: DateTime<Utc>, text: &str) {
        match Frame::read(text) {
            Some(Frame::Call { id, action, payload }) => self.asked(now, &id, &action, payload),
            Some(Frame::Result { id, payload }) => self.answered(now, &id, Some(&payload)),
            Some(Frame::Error { id, .. }) => self.answered(now, &id, None),
            None => {}
        }
        self.refresh(now);
    }

    /// Says something as soon as it can.
    pub(super) fn ask(&mut self, now: DateTime<Utc>, ask: Ask) {
        if !ask.lasts() && !self.linked {
            return;
        }
        if self.queue.len() >= MOST_KEPT {
            self.queue.pop_front();
        }
        self.queue.push_back(ask);
        self.pump(now);
    }

    fn asked(&mut self, now: DateTime<Utc>, id: &str, action: &str, payload: Value) {
        if action == "SetChargingProfile" && self.has(Quirk::NeverAnswersProfiles) {
            return;
        }
        let before_a = self.limit.amps.unwrap_or(self.make.max_a);
        // What it is made to say comes after the answer.
        self.answering = true;
        let outcome = match self.make.edition {
            Edition::V16 => v16::asked(self, now, action, payload),
            Edition::V2 => v2::asked(self, now, action, payload),
        };
        self.out.push(Do::Count(Count::Asked { refused: outcome.is_err() }));
        let answer = frame::answer(id, outcome.map(|payload| self.with_extras(payload)));
        if self.has(Quirk::AnswersLate) {
            self.after(now, LATE, Later::Send(answer));
        } else {
            self.out.push(Do::Send(answer));
        }
        self.answering = false;
        self.refresh(now);
        if self.limit.amps.unwrap_or(self.make.max_a) < before_a {
            self.out.push(Do::Count(Count::Lowered));
        }
        self.pump(now);
    }

    fn answered(&mut self, now: DateTime<Utc>, id: &str, payload: Option<&Value>) {
        let Some((_, ask, _)) = self.pending.take_if(|(open, ..)| open == id) else { return };
        match payload {
            Some(payload) => match self.make.edition {
                Edition::V16 => v16::answered(self, now, &ask, payload),
                Edition::V2 => v2::answered(self, now, &ask, payload),
            },
            None => self.fails(now, &ask),
        }
        self.pump(now);
    }

    /// Nobody has answered for too long: what must not get lost is said again.
    pub(super) fn unanswered(&mut self, now: DateTime<Utc>) {
        let Some((_, ask, _)) = self.pending.take() else { return };
        self.fails(now, &ask);
        if ask.lasts() {
            self.queue.push_front(ask);
        }
        self.pump(now);
    }

    fn fails(&mut self, now: DateTime<Utc>, ask: &Ask) {
        self.out.push(Do::Count(Count::Failed));
        match ask {
            Ask::Boot => self.after(now, PATIENCE, Later::BootAgain),
            Ask::Authorize { .. } => {
                self.authorizing = false;
                self.after(now, PATIENCE, Later::AuthorizeAgain);
            }
            _ => {}
        }
    }

    /// Its start was answered: accepted, or to be tried again after so many s.
    pub(super) fn booted(&mut self, now: DateTime<Utc>, accepted: bool, interval_s: i64) {
        let interval = TimeDelta::seconds(interval_s.clamp(1, 86_400));
        if !accepted {
            self.after(now, interval, Later::BootAgain);
            return;
        }
        self.accepted = true;
        self.told = None;
        self.settings.set_heartbeat(interval);
        self.heartbeat_at = Some(now + interval);
        self.out.push(Do::Count(Count::Booted));
        if self.has(Quirk::OldTransactions) {
            self.tells_of_yesterday(now);
        }
        self.queue.push_back(Ask::Security("StartupOfTheDevice", now));
        self.refresh(now);
        self.wants_to_charge(now);
    }

    /// Sends the next of what waits, if nothing is open.
    pub(super) fn pump(&mut self, now: DateTime<Utc>) {
        if !self.linked || !self.powered || self.answering || self.pending.is_some() {
            return;
        }
        let place =
            if self.accepted { 0 } else { self.queue.iter().position(|ask| *ask == Ask::Boot).unwrap_or(usize::MAX) };
        let Some(ask) = self.queue.remove(place) else { return };
        let (action, payload) = match self.make.edition {
            Edition::V16 => v16::says(self, &ask),
            Edition::V2 => v2::says(self, &ask),
        };
        self.messages += 1;
        let number = if self.has(Quirk::ReusesIds) { self.messages % 3 } else { self.messages };
        let id = format!("{}-{number}", self.make.id.chars().take(24).collect::<String>());
        self.out.push(Do::Send(frame::call(&id, action, &self.with_extras(payload))));
        self.pending = Some((id, ask, now));
    }

    fn with_extras(&self, mut payload: Value) -> Value {
        if self.has(Quirk::ExtraFields)
            && let Value::Object(fields) = &mut payload
        {
            fields.insert("vendorRemark".to_owned(), json!("nobody knows this field"));
        }
        payload
    }
}

/// What is not known here.
pub(super) fn not_implemented(action: &str) -> Wrong {
    Wrong { code: "NotImplemented", text: format!("{action} is not known here") }
}
