//! What is sent to a charger next. Pure: time, answers and what happened come in as arguments.
//!
//! One call is outstanding at a time (OCPP-J, 4.1.1). The latest setpoint goes before everything but the clearing of what an
//! unknown charger may hold; then what it is to hold for good; then what people asked for; then how it is set up; then what it
//! says that it holds. What is sent next is in `next`, what follows from an answer in `answers`.

mod answers;
mod next;
mod setup;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chrono::{DateTime, Offset, TimeZone, Utc};
use chrono_tz::Tz;
use kwartier_engine::control::setup::LOWEST_A;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::setup::settings;
use super::composite::Book;
use super::door::Version;
use super::profiles::{Form, stamp};
use super::quirks::Quirks;
use super::readings::{Draws, Reading};
use crate::resource::setpoint::Setpoint;

/// What a vehicle draws to have again what it has fed in: a tenth is lost each way.
const AGAIN: f64 = 1.0 / 0.81;

/// No charger has more connectors, whatever it says.
const MOST_CONNECTORS: usize = 64;

/// Where what is stored for good says in which unit it was, in how many periods at most, and of which connectors.
const WATTS: usize = 4;
const PERIODS: usize = 5;
const CONNECTORS: usize = 6;

/// No schedule of ours has more periods, and none stands on a higher level.
const MOST_PERIODS: usize = 24;
const HIGHEST_LEVEL: i64 = 1;

/// What was refused for good, or not answered so often, is asked so often in all.
const TRIES: u32 = 3;

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
    /// Whether vehicles may feed in there.
    pub feeds_in: bool,
}

/// A transaction under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transaction {
    /// Its id: a number in 1.6, text in 2.x.
    pub id: Value,
    /// The session that it is of; empty where it is not let in.
    pub session: String,
    /// When it began, by the charger's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
    /// The energy register when it began, in kWh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_kwh: Option<f64>,
    /// The register of what was fed in when it first showed, in kWh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_exported_kwh: Option<f64>,
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
    Setpoint {
        number: u64,
        holds: Holding,
        place: Place,
        last: bool,
    },
    /// What is stored for good, and all that it followed from.
    Maximum(Value),
    Fallback(Value),
    Capabilities,
    Setting,
    Trigger,
    Stop(Value),
    Composite {
        connector: i64,
        lapses: DateTime<Utc>,
        asked: DateTime<Utc>,
    },
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
    /// What the profile is beside its limit, where that can be updated by itself.
    updates: Option<Dynamic>,
}

/// What an update of a limit does not change (2.1, K28).
#[derive(Debug, Clone, Copy, PartialEq)]
struct Dynamic {
    /// How long each update holds, in s.
    lasts_s: i64,
    feeds_in: bool,
    above: bool,
    phases: Option<u8>,
    phase: Option<u8>,
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
    /// Whether it takes profiles whose limit can be updated by itself (2.1, K28).
    dynamic: bool,
    /// By how much its local time is ahead of UTC, in s: the hours of a fallback move with it.
    ahead_s: Option<i32>,
    /// The connectors (1.6) or EVSEs (2.x) that it is known to have.
    connectors: BTreeSet<i64>,
    /// Transactions by connector (1.6) or EVSE (2.x).
    pub transactions: BTreeMap<i64, Transaction>,
    /// What each connector showed last that it draws, by phase in A.
    drawn: BTreeMap<i64, [f64; 3]>,
    /// What the energy register of each connector showed last, in kWh.
    registers: BTreeMap<i64, f64>,
    /// The same of what was fed in there.
    exported: BTreeMap<i64, f64>,
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
        let feeds_in = about.feeds_in;
        let form = Form {
            version,
            watts: false,
            phases: about.phases,
            voltage_v: about.voltage_v,
            periods: MOST_PERIODS,
            levels: HIGHEST_LEVEL,
            says_phases: false,
        };
        Station {
            about,
            quirks: Quirks::default(),
            said: form,
            form,
            dynamic: false,
            ahead_s: None,
            connectors: BTreeSet::new(),
            transactions: BTreeMap::new(),
            drawn: BTreeMap::new(),
            registers: BTreeMap::new(),
            exported: BTreeMap::new(),
            setpoint: None,
            untold: VecDeque::new(),
            held: BTreeMap::new(),
            clear: Once::DONE,
            maximum: Once::WANTED,
            fallback: Once::WANTED,
            capabilities: Once::WANTED,
            settings: settings(version, feeds_in),
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
        if about.feeds_in != self.about.feeds_in {
            self.settings.extend(settings(self.form.version, about.feeds_in));
        }
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

    /// Whether vehicles may feed in here.
    pub fn feeds_in(&self) -> bool {
        self.about.feeds_in
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
        self.settings = settings(self.form.version, self.about.feeds_in);
        self.settings.extend(self.asking.iter().cloned());
        self.triggers.clear();
        self.tell_again();
    }

    /// It has a connector. What it stores for when it is alone holds for each of them, so all of them share it.
    pub fn has(&mut self, connector: i64) {
        if self.connectors.len() < MOST_CONNECTORS && self.connectors.insert(connector) && self.connectors.len() > 1 {
            self.fallback = Once::WANTED;
            self.held.remove(&Place::Waiting);
            self.tell_again();
        }
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
        if let Some(exported_kwh) = reading.exported_kwh.filter(|_| self.about.feeds_in) {
            self.exported.insert(connector, exported_kwh);
            if let Some(transaction) = self.transactions.get_mut(&connector) {
                transaction.from_exported_kwh.get_or_insert(exported_kwh);
            }
        }
        self.registers.insert(connector, reading.register_kwh?);
        self.got_kwh(connector)
    }

    /// What the transaction at a connector has got so far, in kWh at the charger. What was fed in since has to be got again, with
    /// what is lost both ways.
    pub fn got_kwh(&self, connector: i64) -> Option<f64> {
        let transaction = self.transactions.get(&connector)?;
        let got_kwh = (self.registers.get(&connector)? - transaction.from_kwh?).max(0.0);
        let fed = self.exported.get(&connector).zip(transaction.from_exported_kwh);
        Some(got_kwh - fed.map_or(0.0, |(until, from)| (until - from).max(0.0) * AGAIN))
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
        let before = std::mem::replace(&mut self.asking, calls);
        self.settings.retain(|call| !before.contains(call) && !self.asking.contains(call));
        self.settings.extend(self.asking.iter().cloned());
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
        self.has(connector);
        self.transactions.insert(connector, transaction);
        self.held.remove(&Place::Charging(connector));
        self.tell_again();
    }

    /// A transaction has ended.
    pub fn ends(&mut self, connector: i64) {
        self.book.ends(connector);
        self.registers.remove(&connector);
        self.exported.remove(&connector);
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

    /// What it is told in place of a limit: some take no 0.
    fn pauses_at(&self, amps: f64) -> f64 {
        self.quirks.pause_a.filter(|_| (0.0..0.05).contains(&amps)).unwrap_or(amps)
    }

    /// What each connector has of a limit that holds for each of them, in A: defaults do (1.6, 5.16.4; 2.0.1, K01.FR.31). No vehicle
    /// charges with less than [`LOWEST_A`].
    fn each_a(&self, all_a: f64) -> f64 {
        let count = self.sharing();
        let each_a = all_a / count;
        if count <= 1.0 || each_a >= LOWEST_A { each_a } else { 0.0 }
    }

    /// How many connectors share what it has.
    #[expect(clippy::cast_precision_loss, reason = "a handful")]
    fn sharing(&self) -> f64 {
        self.connectors.len().max(1) as f64
    }

    /// The fallback as it is stored.
    fn stored_fallback_a(&self) -> [f64; 24] {
        self.about.fallback_a.map(|amps| self.pauses_at(self.each_a(amps)))
    }

    fn least_fallback_a(&self) -> f64 {
        self.each_a(self.about.fallback_a.iter().copied().fold(f64::INFINITY, f64::min).min(self.about.max_a))
    }

    /// What it stores for good, once it has taken that: for who connects again.
    pub fn stores(&self) -> Option<Value> {
        (!self.fallback.wanted && !self.maximum.wanted && self.fallback.tries == 0).then(|| self.base())
    }

    /// What it draws at most when it is alone, once it has taken that, by hour of the local day: all connectors together, in A per
    /// phase.
    pub fn stores_a(&self) -> Option<[f64; 24]> {
        self.stores().map(|_| self.about.fallback_a.map(|amps| self.each_a(amps) * self.sharing()))
    }

    /// It connects again, and has stored this.
    pub fn has_stored(&mut self, stored: Option<&Value>, now: DateTime<Utc>) {
        self.ahead_s = Some(self.ahead_of_utc_s(now));
        // What it said of itself before is as before, until it says otherwise.
        let said = |at: usize| stored.map(|stored| &stored[at]);
        self.said.watts = said(WATTS).and_then(Value::as_bool).unwrap_or(self.said.watts);
        let periods = said(PERIODS).and_then(Value::as_u64).and_then(|periods| usize::try_from(periods).ok());
        self.said.periods = periods.unwrap_or(self.said.periods);
        self.form = self.quirks.shape(self.said);
        let connectors = stored.and_then(|stored| stored[CONNECTORS].as_array());
        self.connectors.extend(connectors.into_iter().flatten().filter_map(Value::as_i64));
        if stored == Some(&self.base()) {
            (self.maximum, self.fallback) = (Once::DONE, Once::DONE);
        }
    }

    fn base(&self) -> Value {
        let about = &self.about;
        json!([
            about.max_a,
            self.stored_fallback_a(),
            about.zone.name(),
            self.ahead_s,
            self.form.watts,
            self.form.periods,
            self.connectors,
        ])
    }

    fn ahead_of_utc_s(&self, now: DateTime<Utc>) -> i32 {
        self.about.zone.offset_from_utc_datetime(&now.naive_utc()).fix().local_minus_utc()
    }

    fn highest_fallback_a(&self) -> f64 {
        self.about.fallback_a.iter().copied().fold(0.0, f64::max).min(self.about.max_a)
    }
}

/// The time that we answer with.
pub fn now_is(now: DateTime<Utc>) -> Value {
    json!({ "currentTime": stamp(now) })
}
