//! What is sent next, and how high a limit stands where.

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_engine::control::setup::LOWEST_A;
use serde_json::{Value, json};

use super::setup::ask_capabilities;
use super::{Call, Dynamic, Follows, Holding, Once, Place, Purpose, Standing, Station, TRIES};
use crate::ocpp::composite;
use crate::ocpp::door::Version;
use crate::ocpp::profiles::Limit;
use crate::resource::setpoint::Setpoint;

/// An answer is waited for so long.
const PATIENCE: TimeDelta = TimeDelta::seconds(10);

/// A charger is asked no more often what it holds.
const COMPOSITES: TimeDelta = TimeDelta::seconds(60);

/// Limits that can be updated lapse so long before their setpoint does, so that one that is sent a little later fits too.
const UPDATED_LATE: TimeDelta = TimeDelta::seconds(2);

/// What sets a profile.
const SET: &str = "SetChargingProfile";

/// A limit that would be the same as the one that is held is sent again when no more than this share of its time is left.
const RENEWED: f64 = 0.75;

impl Station {
    /// What is sent now; nothing while an answer is awaited, or where there is nothing to say.
    pub fn next(&mut self, now: DateTime<Utc>, follows: &mut Vec<Follows>) -> Option<Call> {
        if self.outstanding.is_some() {
            return None;
        }
        let ahead_s = self.ahead_of_utc_s(now);
        if self.ahead_s.replace(ahead_s).is_some_and(|before| before != ahead_s) {
            self.fallback = Once::WANTED;
        }
        if self.clear.wanted {
            let payload = if self.form.version == Version::V16 {
                json!({})
            } else {
                json!({ "chargingProfileCriteria": { "chargingProfilePurpose": "TxDefaultProfile" } })
            };
            return Some(self.send(Purpose::Clear, "ClearChargingProfile", payload, now));
        }
        if let Some(call) = self.next_setpoint(now, follows) {
            return Some(call);
        }
        if let Some((id, tries)) = self.stops.pop_front() {
            let action =
                if self.form.version == Version::V16 { "RemoteStopTransaction" } else { "RequestStopTransaction" };
            let payload = json!({ "transactionId": id.clone() });
            if tries + 1 < TRIES {
                self.stops.push_back((id.clone(), tries + 1));
            }
            return Some(self.send(Purpose::Stop(id), action, payload, now));
        }
        if self.fallback.wanted {
            let payload = self.form.fallback(&self.stored_fallback_a(), self.about.zone, now);
            return Some(self.send(Purpose::Fallback(self.base()), SET, payload, now));
        }
        if self.maximum.wanted && self.quirks.max_profile == Some(false) {
            self.maximum = Once::DONE;
        }
        if self.maximum.wanted {
            let payload = self.form.maximum(self.about.max_a, now);
            return Some(self.send(Purpose::Maximum(self.base()), SET, payload, now));
        }
        if let Some(command) = self.commands.pop_front() {
            return Some(self.send(Purpose::Command(command.ticket), command.action, command.payload, now));
        }
        if self.capabilities.wanted {
            let (action, payload) = ask_capabilities(self.form.version);
            return Some(self.send(Purpose::Capabilities, action, payload, now));
        }
        if let Some(setting) = self.settings.pop_front() {
            return Some(self.send(Purpose::Setting, setting.action, setting.payload, now));
        }
        if let Some(trigger) = self.triggers.pop_front() {
            return Some(self.send(Purpose::Trigger, "TriggerMessage", json!({ "requestedMessage": trigger }), now));
        }
        self.next_composite(now)
    }

    /// Asks what it holds, when it was told something and all else is said.
    fn next_composite(&mut self, now: DateTime<Utc>) -> Option<Call> {
        if !self.composites.tells || self.quirks.composite == Some(false) {
            return None;
        }
        if self.composites.asked.is_some_and(|asked| now - asked < COMPOSITES) {
            return None;
        }
        let connector = self.composites.wanted?;
        let held = self.held.get(&Place::Charging(connector)).copied();
        self.composites.wanted = None;
        let held = held.filter(|held| held.until > now)?;
        self.composites.asked = Some(now);
        let duration_s = (held.until + composite::SURELY_LAPSED - now).num_seconds() + 1;
        let unit = if self.form.watts { "W" } else { "A" };
        let place = if self.form.version == Version::V16 { "connectorId" } else { "evseId" };
        let payload = json!({ place: connector, "duration": duration_s, "chargingRateUnit": unit });
        let purpose = Purpose::Composite { connector, lapses: held.until, asked: now };
        Some(self.send(purpose, "GetCompositeSchedule", payload, now))
    }

    fn send(&mut self, purpose: Purpose, action: &'static str, payload: Value, now: DateTime<Utc>) -> Call {
        if matches!(purpose, Purpose::Setpoint { .. } | Purpose::Maximum(_) | Purpose::Fallback(_)) {
            self.sent = payload.clone();
        }
        self.outstanding = Some((purpose, now + PATIENCE));
        Call { action, payload }
    }

    fn next_setpoint(&mut self, now: DateTime<Utc>, follows: &mut Vec<Follows>) -> Option<Call> {
        while let Some(place) = self.untold.pop_front() {
            let setpoint = self.setpoint.clone()?;
            let last = self.untold.is_empty();
            let number = setpoint.number;
            if setpoint.valid_until <= now {
                // It has lapsed: what it stores holds.
                continue;
            }
            let limit = self.limit(&setpoint, &place);
            if self.form.levels < 1 && !self.has_own_profile(&place) {
                // It has one level alone, where the fallback stands.
                follows.push(Follows::Setpoint { number, accepted: limit.amps >= self.least_fallback_a() });
                continue;
            }
            let held = self.held.get(&place);
            let left_s = |until: DateTime<Utc>| (until - now).as_seconds_f64();
            let enough = |held: &&Holding| {
                (held.amps - limit.amps).abs() < 0.05
                    && held.until <= limit.until
                    && left_s(held.until) >= RENEWED * left_s(limit.until)
            };
            if held.as_ref().is_some_and(enough) && limit.phase.is_none() && limit.phases.is_none() {
                if last {
                    follows.push(Follows::Setpoint { number, accepted: true });
                }
                continue;
            }
            if self.is_too_soon(held, &limit, now) {
                self.untold.push_front(place);
                return None;
            }
            let stands = Holding { amps: limit.amps, since: now, until: limit.until, updates: None };
            let (action, payload, holds) = match &place {
                Place::Waiting => (SET, self.form.waiting(&limit, now), stands),
                Place::Charging(connector) if !self.has_own_profile(&place) => {
                    (SET, self.form.charging_by_default(*connector, &limit, now), stands)
                }
                Place::Charging(connector) => {
                    let Some(transaction) = self.transactions.get(connector) else { continue };
                    if self.dynamic {
                        let updates = held.filter(|held| held.until > now).and_then(|held| held.updates);
                        self.updated(*connector, &transaction.id, &limit, updates, now)
                    } else {
                        (SET, self.form.charging(*connector, &transaction.id, &limit, now), stands)
                    }
                }
            };
            let purpose = Purpose::Setpoint { number, holds, place, last };
            return Some(self.send(purpose, action, payload, now));
        }
        None
    }

    /// What is said to a charger whose profile can be updated: no more than the limit, where nothing else is new.
    fn updated(
        &self,
        connector: i64,
        transaction: &Value,
        limit: &Limit,
        known: Option<Dynamic>,
        now: DateTime<Utc>,
    ) -> (&'static str, Value, Holding) {
        let left = limit.until - now;
        let wanted = Dynamic {
            lasts_s: (left - UPDATED_LATE).num_seconds().max(1),
            feeds_in: limit.amps < 0.0,
            above: limit.above,
            phases: limit.phases,
            phase: limit.phase,
        };
        let fits = |known: &Dynamic| {
            let lasts = TimeDelta::seconds(known.lasts_s);
            Dynamic { lasts_s: wanted.lasts_s, ..*known } == wanted
                && lasts <= left
                && lasts.as_seconds_f64() >= RENEWED * left.as_seconds_f64()
        };
        let known = known.filter(fits);
        let updates = known.unwrap_or(wanted);
        let until = now + TimeDelta::seconds(updates.lasts_s);
        let holds = Holding { amps: limit.amps, since: now, until, updates: Some(updates) };
        match known {
            Some(_) => ("UpdateDynamicSchedule", self.form.update(connector, limit), holds),
            None => (SET, self.form.dynamic(connector, transaction, limit, updates.lasts_s, now), holds),
        }
    }

    /// Whether what is told at a place is a profile of its transaction, beside the defaults.
    fn has_own_profile(&self, place: &Place) -> bool {
        *place != Place::Waiting && self.quirks.tx_profile != Some(false)
    }

    /// Whether a limit is raised sooner after the last one than the charger can stand.
    fn is_too_soon(&self, held: Option<&Holding>, limit: &Limit, now: DateTime<Utc>) -> bool {
        let interval = TimeDelta::seconds(i64::from(self.quirks.interval_s.unwrap_or(0)));
        let rises = |held: &Holding| limit.amps.max(0.0) > held.amps.max(0.0) + 0.05;
        held.is_some_and(|held| rises(held) && held.until > now && now < held.since + interval)
    }

    /// The part of a setpoint that stands at a place.
    fn limit(&self, setpoint: &Setpoint, place: &Place) -> Limit {
        // Before 2.1 nothing can be told to feed in: it is held at nothing.
        let feeds_in = self.about.feeds_in && self.form.version == Version::V21;
        let all_a = if feeds_in { setpoint.limit_a } else { setpoint.limit_a.max(0.0) };
        let amps = match place {
            Place::Waiting => self.each_a(all_a.max(0.0)).min(self.least_fallback_a()),
            Place::Charging(connector) => {
                let mut let_in =
                    self.transactions.iter().filter(|(_, known)| known.standing == Standing::Accepted).peekable();
                let first = let_in.peek().map(|(first, _)| *first) == Some(connector);
                let accepted = self.transactions.get(connector).map(|known| known.standing);
                #[expect(clippy::cast_precision_loss, reason = "a handful")]
                let count = let_in.count().max(1) as f64;
                match all_a / count {
                    _ if accepted != Some(Standing::Accepted) => 0.0,
                    each_a if each_a >= LOWEST_A || count <= 1.0 => each_a,
                    _ if first => all_a,
                    _ => 0.0,
                }
            }
        };
        let above = amps > self.least_fallback_a() + 0.05 || amps < 0.0;
        let amps = self.pauses_at(amps);
        let phases = Some(setpoint.phases).filter(|count| self.about.switches_phases && *count > 0);
        Limit { amps, phases, phase: setpoint.phase, until: setpoint.valid_until, above }
    }
}
