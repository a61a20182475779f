//! What is sent to a charger next. Pure: time, answers and what happened come in as arguments.
//!
//! One call is outstanding at a time (OCPP-J, 4.1.1). The latest setpoint goes before everything but the clearing of what an
//! unknown charger may hold; then what it is to hold for good; then how it is set up; then what people asked for.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::composite::{self, Book, Told};
use super::door::Version;
use super::profiles::{Form, Limit, stamp};
use super::quirks::Quirks;
use super::readings::{Draws, Reading};
use crate::resource::setpoint::Setpoint;

/// An answer is waited for so long.
const PATIENCE: TimeDelta = TimeDelta::seconds(10);

/// What was refused for good, or not answered so often, is asked so often in all.
const TRIES: u32 = 3;

/// A charger is asked no more often what it holds.
const COMPOSITES: TimeDelta = TimeDelta::seconds(60);

/// A limit that would be the same as the one that is held is sent again when no more than this share of its time is left.
const RENEWED: f64 = 0.75;

/// What a charger is, as the site says.
#[derive(Debug, Clone, PartialEq)]
pub struct About {
    /// Highest current per phase in A.
    pub max_a: f64,
    /// What it may draw when it is alone, by hour of the local day, in A per phase; nothing where the site does not say.
    pub fallback_a: [f64; 24],
    /// The zone of those hours.
    pub zone: Tz,
    /// On how many phases it is connected.
    pub phases: u8,
    /// Voltage between phase and neutral in V.
    pub voltage_v: f64,
    /// Whether it can switch between one and three phases.
    pub switches_phases: bool,
}

/// A transaction under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transaction {
    /// Its id: a number in 1.6, text in 2.x.
    pub id: Value,
    /// The session that it is of; empty where it is not let in.
    pub session: String,
    /// The energy register when it began, in kWh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_kwh: Option<f64>,
    /// Whether it is let in.
    #[serde(default)]
    pub standing: Standing,
}

/// Whether who began a transaction may charge.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// They may.
    #[default]
    Accepted,
    /// No card was shown yet, and one is wanted.
    Waiting,
    /// They may not.
    Refused,
}

/// Something that somebody wants a charger to do once.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// Who waits for its outcome.
    pub ticket: u64,
    /// Which message.
    pub action: &'static str,
    /// What it says.
    pub payload: Value,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It was answered.
    Answered(Value),
    /// It was refused with a code.
    Refused(String),
    /// It was sent, and no answer came: it may have been done.
    NoAnswer,
}

/// A call to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Which message.
    pub action: &'static str,
    /// What it says.
    pub payload: Value,
}

/// What follows from an answer, or from none.
#[derive(Debug, Clone, PartialEq)]
pub enum Follows {
    /// A setpoint was taken, or was not.
    Setpoint {
        /// Its number.
        number: u64,
        /// Whether.
        accepted: bool,
    },
    /// What the charger holds, in A per phase.
    Holds(f64),
    /// Whether it tells that it holds more than it should: in words.
    More(Option<String>),
    /// A command has ended.
    Command(u64, Outcome),
}

/// What a call that is outstanding is for.
#[derive(Debug, Clone, PartialEq)]
enum Purpose {
    Clear,
    Setpoint { number: u64, holds: Holding, place: Place, last: bool },
    Maximum,
    Fallback,
    Capabilities,
    Setting,
    Trigger,
    Stop(Value),
    Composite { connector: i64, lapses: DateTime<Utc>, asked: DateTime<Utc> },
    Command(u64),
}

/// Where a setpoint stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Waiting,
    Charging(i64),
}

/// A limit that a place holds.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Holding {
    amps: f64,
    since: DateTime<Utc>,
    until: DateTime<Utc>,
}

/// Something that is to be done once, and tried again a few times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Once {
    wanted: bool,
    tries: u32,
}

impl Once {
    const WANTED: Once = Once { wanted: true, tries: 0 };
    const DONE: Once = Once { wanted: false, tries: 0 };

    fn failed(&mut self) {
        self.tries += 1;
        self.wanted = self.tries < TRIES;
    }
}

/// What is known of a charger at the other end of a link.
#[derive(Debug)]
pub struct Station {
    about: About,
    quirks: Quirks,
    /// How it wants its schedules, by its own word.
    said: Form,
    /// The same, by all that is known of it.
    form: Form,
    /// By how much its local time is ahead of UTC, in s: the hours of a fallback move with it.
    ahead_s: Option<i32>,
    /// Transactions by connector (1.6) or EVSE (2.x).
    pub transactions: BTreeMap<i64, Transaction>,
    /// What each connector showed last that it draws, by phase in A.
    drawn: BTreeMap<i64, [f64; 3]>,
    /// What the energy register of each connector showed last, in kWh.
    registers: BTreeMap<i64, f64>,
    setpoint: Option<Setpoint>,
    /// Places where the latest setpoint still has to be told.
    untold: VecDeque<Place>,
    /// What each place holds and until when.
    held: BTreeMap<Place, Holding>,
    clear: Once,
    maximum: Once,
    fallback: Once,
    capabilities: Once,
    settings: VecDeque<Call>,
    /// How it is to ask for cards.
    asking: Vec<Call>,
    /// Transactions that are not let in and have to end, and how often each was told to.
    stops: VecDeque<(Value, u32)>,
    triggers: VecDeque<&'static str>,
    commands: VecDeque<Command>,
    outstanding: Option<(Purpose, DateTime<Utc>)>,
    /// What is outstanding says this.
    sent: Value,
    /// All that it has taken.
    book: Book,
    composites: Composites,
}

/// Whether a charger tells what its profiles add up to, and what is still to be asked.
#[derive(Debug, Clone, Copy)]
struct Composites {
    tells: bool,
    /// Of which connector.
    wanted: Option<i64>,
    /// When it was asked last.
    asked: Option<DateTime<Utc>>,
}

impl Station {
    /// A charger that has just connected. What it holds of ours is set again: once, for as long as we run.
    pub fn new(about: About, version: Version) -> Station {
        let form = Form {
            version,
            watts: false,
            phases: about.phases,
            voltage_v: about.voltage_v,
            periods: 24,
            levels: 1,
            says_phases: false,
        };
        Station {
            about,
            quirks: Quirks::default(),
            said: form,
            form,
            ahead_s: None,
            transactions: BTreeMap::new(),
            drawn: BTreeMap::new(),
            registers: BTreeMap::new(),
            setpoint: None,
            untold: VecDeque::new(),
            held: BTreeMap::new(),
            clear: Once::DONE,
            maximum: Once::WANTED,
            fallback: Once::WANTED,
            capabilities: Once::WANTED,
            settings: settings(version),
            asking: Vec::new(),
            stops: VecDeque::new(),
            triggers: VecDeque::from(["StatusNotification", "MeterValues"]),
            commands: VecDeque::new(),
            outstanding: None,
            sent: Value::Null,
            book: Book::default(),
            composites: Composites { tells: true, wanted: None, asked: None },
        }
    }

    /// The site has changed.
    pub fn is_now(&mut self, about: About) {
        if about == self.about {
            return;
        }
        self.said.phases = about.phases;
        self.said.voltage_v = about.voltage_v;
        self.form = self.quirks.shape(self.said);
        self.about = about;
        (self.maximum, self.fallback) = (Once::WANTED, Once::WANTED);
    }

    /// How it wants to be treated.
    pub fn wants(&mut self, quirks: Quirks) {
        if self.quirks != quirks {
            self.quirks = quirks;
            self.reshape();
        }
    }

    /// Whether it keeps what it holds while its link is gone.
    pub fn keeps(&self) -> bool {
        self.quirks.keeps.unwrap_or(true)
    }

    /// Everything is told again where it is to be told otherwise.
    fn reshape(&mut self) {
        let form = self.quirks.shape(self.said);
        if self.form != form {
            self.form = form;
            (self.maximum, self.fallback) = (Once::WANTED, Once::WANTED);
            self.held.clear();
            self.tell_again();
        }
    }

    /// It has started: what it held may be gone or still there, and nothing that was under way is answered.
    pub fn booted(&mut self) {
        self.held.clear();
        self.outstanding = None;
        self.book.forget();
        self.composites = Composites { tells: true, wanted: None, asked: None };
        self.clear = if self.quirks.clear == Some(false) { Once::DONE } else { Once::WANTED };
        (self.maximum, self.fallback, self.capabilities) = (Once::WANTED, Once::WANTED, Once::WANTED);
        self.settings = settings(self.form.version);
        self.settings.extend(self.asking.iter().cloned());
        self.triggers.clear();
        self.tell_again();
    }

    /// The latest setpoint.
    pub fn told(&mut self, setpoint: Setpoint) {
        if self.setpoint.as_ref() != Some(&setpoint) {
            self.setpoint = Some(setpoint);
            self.tell_again();
        }
    }

    /// What is known of who draws here.
    pub fn draws(&self) -> Draws {
        Draws { phases: None, connected: self.about.phases, voltage_v: self.about.voltage_v }
    }

    /// Something was measured at a connector; what its session has got so far, in kWh.
    pub fn measured(&mut self, connector: i64, reading: &Reading) -> Option<f64> {
        if let Some(phases_a) = reading.phases_a {
            self.drawn.insert(connector, phases_a);
        }
        self.registers.insert(connector, reading.register_kwh?);
        self.got_kwh(connector)
    }

    /// What the transaction at a connector has got so far, in kWh.
    pub fn got_kwh(&self, connector: i64) -> Option<f64> {
        let from_kwh = self.transactions.get(&connector)?.from_kwh?;
        Some((self.registers.get(&connector)? - from_kwh).max(0.0))
    }

    /// What all connectors draw together, by what they showed last.
    pub fn draws_now(&self) -> Option<[f64; 3]> {
        // What is measured of the whole charger has all of them in it.
        let connectors: Vec<&[f64; 3]> =
            self.drawn.iter().filter(|(connector, _)| **connector > 0).map(|(_, amps)| amps).collect();
        if connectors.is_empty() {
            return self.drawn.get(&0).copied();
        }
        Some(connectors.into_iter().fold([0.0; 3], |sum, amps| std::array::from_fn(|phase| sum[phase] + amps[phase])))
    }

    /// Nothing is drawn any more.
    pub fn draws_nothing(&mut self) {
        self.drawn.clear();
    }

    /// Something that is told once, in its turn.
    pub fn sets(&mut self, call: Call) {
        self.settings.push_back(call);
    }

    /// How it is set up to ask for cards.
    pub fn asks(&mut self, calls: Vec<Call>) {
        self.settings.extend(calls.iter().cloned());
        self.asking = calls;
    }

    /// Transactions that are under way as it connects again.
    pub fn resumes(&mut self, transactions: &BTreeMap<i64, Transaction>) {
        for (connector, transaction) in transactions {
            self.begins(*connector, transaction.clone());
        }
    }

    /// A transaction that waited or was refused is let in, and has a session.
    pub fn lets_in(&mut self, connector: i64, session: String) {
        if let Some(transaction) = self.transactions.get_mut(&connector) {
            transaction.standing = Standing::Accepted;
            transaction.session = session;
            self.stops.retain(|(id, _)| *id != transaction.id);
            self.tell_again();
        }
    }

    /// A transaction has begun. One that is not let in is held at nothing, and told to end.
    pub fn begins(&mut self, connector: i64, transaction: Transaction) {
        if transaction.standing == Standing::Refused {
            self.stops.push_back((transaction.id.clone(), 0));
        }
        self.transactions.insert(connector, transaction);
        self.held.remove(&Place::Charging(connector));
        self.tell_again();
    }

    /// A transaction has ended.
    pub fn ends(&mut self, connector: i64) {
        self.book.ends(connector);
        self.registers.remove(&connector);
        if let Some(ended) = self.transactions.remove(&connector) {
            self.stops.retain(|(id, _)| *id != ended.id);
        }
        self.drawn.remove(&connector);
        self.held.remove(&Place::Charging(connector));
        self.tell_again();
    }

    /// The connector at which a transaction is under way; `None`, it is not known.
    pub fn connector_of(&self, id: &Value) -> Option<i64> {
        self.transactions.iter().find(|(_, known)| known.id == *id).map(|(connector, _)| *connector)
    }

    /// What a vehicle needs was told, and a profile sent before counts no more (2.x, K15.FR.17).
    pub fn profile_again(&mut self) {
        self.held.clear();
        self.tell_again();
    }

    /// Somebody wants something done. The same thing that waits already is not done twice; the ticket that waits for it.
    pub fn command(&mut self, command: Command) -> u64 {
        let same = |known: &&Command| known.action == command.action && known.payload == command.payload;
        if let Some(known) = self.commands.iter().find(same) {
            return known.ticket;
        }
        let ticket = command.ticket;
        self.commands.push_back(command);
        ticket
    }

    /// When an answer is no longer waited for.
    pub fn answer_by(&self) -> Option<DateTime<Utc>> {
        self.outstanding.as_ref().map(|(_, by)| *by)
    }

    fn tell_again(&mut self) {
        self.untold.clear();
        if self.transactions.is_empty() {
            self.untold.push_back(Place::Waiting);
        } else {
            self.untold.extend(self.transactions.keys().map(|connector| Place::Charging(*connector)));
        }
    }

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
            let payload = self.form.fallback(&self.about.fallback_a, self.about.zone, now);
            return Some(self.send(Purpose::Fallback, "SetChargingProfile", payload, now));
        }
        if self.maximum.wanted && self.quirks.max_profile == Some(false) {
            self.maximum = Once::DONE;
        }
        if self.maximum.wanted {
            let payload = self.form.maximum(self.about.max_a, now);
            return Some(self.send(Purpose::Maximum, "SetChargingProfile", payload, now));
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

    /// What it tells that it holds, held against what it has taken. What it holds above that is told again.
    fn composite(
        &mut self,
        answer: &Value,
        connector: i64,
        lapses: DateTime<Utc>,
        asked: DateTime<Utc>,
    ) -> Vec<Follows> {
        let Some(transaction) = self.transactions.get(&connector).map(|known| known.id.clone()) else {
            return Vec::new();
        };
        let told = Told::of(self.form.version, answer, self.form.voltage_v).filter(|_| answer["status"] == "Accepted");
        let Some(told) = told else {
            self.composites.tells = false;
            return vec![Follows::More(None)];
        };
        let more = |at: DateTime<Utc>| {
            let should_a = self.book.limit_at(connector, &transaction, at)?;
            let more_a = told.more_than(should_a, (at - asked).num_seconds())?;
            Some((more_a, should_a))
        };
        if let Some((more_a, should_a)) = more(asked) {
            self.held.remove(&Place::Charging(connector));
            self.tell_again();
            let text = format!("it tells that it holds {more_a:.1} A where it has taken {should_a:.1} A");
            return vec![Follows::Holds(more_a), Follows::More(Some(text))];
        }
        let after = more(lapses + composite::SURELY_LAPSED).map(|(more_a, should_a)| {
            format!("it tells that it goes on with {more_a:.1} A when its limit lapses, where {should_a:.1} A is its fallback")
        });
        vec![Follows::More(after)]
    }

    fn send(&mut self, purpose: Purpose, action: &'static str, payload: Value, now: DateTime<Utc>) -> Call {
        if matches!(purpose, Purpose::Setpoint { .. } | Purpose::Maximum | Purpose::Fallback) {
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
            if held.filter(enough).is_some() && limit.phase.is_none() && limit.phases.is_none() {
                if last {
                    follows.push(Follows::Setpoint { number, accepted: true });
                }
                continue;
            }
            if self.is_too_soon(held, &limit, now) {
                self.untold.push_front(place);
                return None;
            }
            let payload = match &place {
                Place::Waiting => self.form.waiting(&limit, now),
                Place::Charging(connector) if !self.has_own_profile(&place) => {
                    self.form.charging_by_default(*connector, &limit, now)
                }
                Place::Charging(connector) => {
                    let Some(transaction) = self.transactions.get(connector) else { continue };
                    self.form.charging(*connector, &transaction.id, &limit, now)
                }
            };
            let holds = Holding { amps: limit.amps, since: now, until: limit.until };
            let purpose = Purpose::Setpoint { number, holds, place, last };
            return Some(self.send(purpose, "SetChargingProfile", payload, now));
        }
        None
    }

    /// Whether what is told at a place is a profile of its transaction, beside the defaults.
    fn has_own_profile(&self, place: &Place) -> bool {
        *place != Place::Waiting && self.quirks.tx_profile != Some(false)
    }

    /// Whether a limit is raised sooner after the last one than the charger can stand.
    fn is_too_soon(&self, held: Option<&Holding>, limit: &Limit, now: DateTime<Utc>) -> bool {
        let interval = TimeDelta::seconds(i64::from(self.quirks.interval_s.unwrap_or(0)));
        held.is_some_and(|held| limit.amps > held.amps + 0.05 && held.until > now && now < held.since + interval)
    }

    /// The part of a setpoint that stands at a place.
    fn limit(&self, setpoint: &Setpoint, place: &Place) -> Limit {
        // A charger that feeds in is not asked to by these profiles: it is held at nothing.
        let all_a = setpoint.limit_a.max(0.0);
        let amps = match place {
            Place::Waiting => all_a.min(self.least_fallback_a()),
            Place::Charging(connector) => {
                let mut let_in =
                    self.transactions.iter().filter(|(_, known)| known.standing == Standing::Accepted).peekable();
                let first = let_in.peek().map(|(first, _)| *first) == Some(connector);
                let accepted = self.transactions.get(connector).map(|known| known.standing);
                #[expect(clippy::cast_precision_loss, reason = "a handful")]
                let count = let_in.count().max(1) as f64;
                match all_a / count {
                    _ if accepted != Some(Standing::Accepted) => 0.0,
                    each_a if each_a >= 6.0 || count <= 1.0 => each_a,
                    _ if first => all_a,
                    _ => 0.0,
                }
            }
        };
        let above = amps > self.least_fallback_a() + 0.05;
        let amps = self.quirks.pause_a.filter(|_| amps < 0.05).unwrap_or(amps);
        let phases = Some(setpoint.phases).filter(|count| self.about.switches_phases && *count > 0);
        Limit { amps, phases, phase: setpoint.phase, until: setpoint.valid_until, above }
    }

    fn least_fallback_a(&self) -> f64 {
        self.about.fallback_a.iter().copied().fold(f64::INFINITY, f64::min).min(self.about.max_a)
    }

    /// What it stores for good, once it has taken that: for who connects again.
    pub fn stores(&self) -> Option<Value> {
        (!self.fallback.wanted && !self.maximum.wanted && self.fallback.tries == 0).then(|| self.base())
    }

    /// It connects again, and has stored this.
    pub fn has_stored(&mut self, stored: Option<&Value>, now: DateTime<Utc>) {
        self.ahead_s = Some(self.ahead_of_utc_s(now));
        if stored == Some(&self.base()) {
            (self.maximum, self.fallback) = (Once::DONE, Once::DONE);
        }
    }

    fn base(&self) -> Value {
        let about = &self.about;
        json!([about.max_a, about.fallback_a, about.zone.name(), self.ahead_s, self.form.watts, self.form.periods])
    }

    fn ahead_of_utc_s(&self, now: DateTime<Utc>) -> i32 {
        self.about.zone.offset_from_utc_datetime(&now.naive_utc()).fix().local_minus_utc()
    }

    /// An answer has come.
    pub fn answered(&mut self, payload: &Value) -> Vec<Follows> {
        let Some((purpose, _)) = self.outstanding.take() else { return Vec::new() };
        let accepted = payload["status"] == "Accepted";
        let profile = matches!(purpose, Purpose::Setpoint { .. } | Purpose::Maximum | Purpose::Fallback);
        if accepted && profile {
            self.book.takes(self.form.version, &self.sent, self.form.voltage_v);
        }
        match purpose {
            Purpose::Clear => self.clear = Once::DONE,
            Purpose::Setpoint { number, holds, place, last } => {
                if accepted {
                    if let Place::Charging(connector) = place {
                        self.composites.wanted = Some(connector);
                    }
                    self.held.insert(place, holds);
                } else {
                    self.held.remove(&place);
                    self.untold.clear();
                }
                // Of several places the last one speaks for all; one that was overtaken speaks for itself.
                let overtaken = self.setpoint.as_ref().is_some_and(|latest| latest.number != number);
                if !accepted || last || overtaken {
                    return vec![Follows::Setpoint { number, accepted }];
                }
            }
            Purpose::Maximum => Self::settled(&mut self.maximum, accepted),
            Purpose::Fallback => {
                Self::settled(&mut self.fallback, accepted);
                if accepted && self.held.is_empty() {
                    return vec![Follows::Holds(self.highest_fallback_a())];
                }
            }
            Purpose::Capabilities => {
                self.capabilities = Once::DONE;
                self.can(payload);
            }
            Purpose::Composite { connector, lapses, asked } => {
                return self.composite(payload, connector, lapses, asked);
            }
            Purpose::Stop(id) => {
                if accepted {
                    self.stops.retain(|(known, _)| *known != id);
                }
            }
            Purpose::Setting | Purpose::Trigger => {}
            Purpose::Command(ticket) => return vec![Follows::Command(ticket, Outcome::Answered(payload.clone()))],
        }
        Vec::new()
    }

    fn highest_fallback_a(&self) -> f64 {
        self.about.fallback_a.iter().copied().fold(0.0, f64::max).min(self.about.max_a)
    }

    fn settled(what: &mut Once, accepted: bool) {
        if accepted { *what = Once::DONE } else { what.failed() }
    }

    /// A call was refused with a code.
    pub fn refused(&mut self, code: &str) -> Vec<Follows> {
        self.failed(Outcome::Refused(code.to_owned()))
    }

    /// No answer has come in time. A setpoint may have arrived: the loop assumes what is safe, and says it again.
    pub fn unanswered(&mut self) -> Vec<Follows> {
        self.failed(Outcome::NoAnswer)
    }

    fn failed(&mut self, outcome: Outcome) -> Vec<Follows> {
        let Some((purpose, _)) = self.outstanding.take() else { return Vec::new() };
        match purpose {
            Purpose::Clear => self.clear.failed(),
            Purpose::Setpoint { number, place, .. } => {
                self.held.remove(&place);
                // Of several places the last one would speak for this one too.
                self.untold.clear();
                if matches!(outcome, Outcome::Refused(_)) {
                    return vec![Follows::Setpoint { number, accepted: false }];
                }
            }
            Purpose::Maximum => self.maximum.failed(),
            Purpose::Fallback => self.fallback.failed(),
            Purpose::Capabilities => self.capabilities.failed(),
            Purpose::Composite { .. } => {
                // It does not know the message; without an answer it is asked again.
                if matches!(outcome, Outcome::Refused(_)) {
                    self.composites.tells = false;
                    return vec![Follows::More(None)];
                }
            }
            Purpose::Setting | Purpose::Trigger | Purpose::Stop(_) => {}
            Purpose::Command(ticket) => return vec![Follows::Command(ticket, outcome)],
        }
        Vec::new()
    }

    /// What it says of itself: units, stack levels, periods.
    fn can(&mut self, payload: &Value) {
        let said = |name: &str| -> Option<String> {
            let keys = payload["configurationKey"].as_array().into_iter().flatten();
            let from_keys = keys.filter(|key| key["key"] == name).find_map(|key| key["value"].as_str());
            let results = payload["getVariableResult"].as_array().into_iter().flatten();
            let from_results = results
                .filter(|result| result["variable"]["name"] == name)
                .find_map(|result| result["attributeValue"].as_str());
            from_keys.or(from_results).map(str::to_owned)
        };
        let number = |name: &str| said(name).and_then(|value| value.trim().parse::<i64>().ok());
        let units = said("ChargingScheduleAllowedChargingRateUnit").or_else(|| said("RateUnit"));
        if let Some(units) = units {
            let has = |names: &[&str]| units.split(',').any(|unit| names.contains(&unit.trim()));
            self.said.watts = has(&["Power", "W"]) && !has(&["Current", "A"]);
        }
        if let Some(levels) = number("ChargeProfileMaxStackLevel").or_else(|| number("ProfileStackLevel")) {
            self.said.levels = levels.max(0);
        }
        if let Some(periods) = number("ChargingScheduleMaxPeriods").or_else(|| number("PeriodsPerSchedule")) {
            self.said.periods = usize::try_from(periods.max(1)).unwrap_or(1);
        }
        self.reshape();
    }
}

/// What is asked of a charger about itself.
fn ask_capabilities(version: Version) -> (&'static str, Value) {
    if version == Version::V16 {
        let keys =
            ["ChargeProfileMaxStackLevel", "ChargingScheduleAllowedChargingRateUnit", "ChargingScheduleMaxPeriods"];
        return ("GetConfiguration", json!({ "key": keys }));
    }
    let variable = |name: &str| json!({ "component": { "name": "SmartChargingCtrlr" }, "variable": { "name": name } });
    let variables: Vec<Value> = ["ProfileStackLevel", "RateUnit", "PeriodsPerSchedule"].map(variable).into();
    ("GetVariables", json!({ "getVariableData": variables }))
}

/// How a charger is set up: it tells every ten seconds what each phase draws.
fn settings(version: Version) -> VecDeque<Call> {
    let measurands = "Current.Import,Energy.Active.Import.Register,Power.Active.Import";
    if version == Version::V16 {
        let set = |key: &str, value: &str| Call {
            action: "ChangeConfiguration",
            payload: json!({ "key": key, "value": value }),
        };
        return [set("MeterValuesSampledData", measurands), set("MeterValueSampleInterval", "10")].into();
    }
    let one = |component: &str, name: &str, value: &str| json!({ "component": { "name": component }, "variable": { "name": name }, "attributeValue": value });
    let all = [
        one("SampledDataCtrlr", "TxStartedMeasurands", measurands),
        one("SampledDataCtrlr", "TxUpdatedMeasurands", measurands),
        one("SampledDataCtrlr", "TxUpdatedInterval", "10"),
        one("SampledDataCtrlr", "TxEndedMeasurands", measurands),
    ];
    [Call { action: "SetVariables", payload: json!({ "setVariableData": all }) }].into()
}

/// The time that we answer with.
pub fn now_is(now: DateTime<Utc>) -> Value {
    json!({ "currentTime": stamp(now) })
}
