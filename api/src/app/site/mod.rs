//! One site in the loop: what is known of it, and what follows from that each second.

mod hear;
mod links;
mod metering;
mod missing;
mod planned;
mod show;
mod told;
mod wheel;

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use kwartier_data::local;
use kwartier_data::site::Site;
use kwartier_engine::control::command::Notice;
use kwartier_engine::control::setup::Kind;
use kwartier_engine::control::stays::{Moves, Stays};
use kwartier_engine::control::{self, Setup};

pub use self::hear::When;
pub use self::wheel::Step;

use self::links::Links;
use self::metering::Metering;
use self::planned::Planned;
use self::told::Told;
use self::wheel::{Turned, Wheel};
use super::alarms::Alarms;
use super::effect::{Effect, Held};
use super::habits::Habits;
use super::moment::Moment;
use crate::resource::price::Price;
use crate::resource::session::{KeptSession, Override};
use crate::resource::setpoint::Setpoint;
use crate::simulate::live::Live;
use crate::store::{NewEntry, Stream};

/// Most sessions of a site that have not ended.
const MOST_SESSIONS: usize = 10_000;

/// Most events that wait for a step; beyond that the step comes at once.
const MOST_PENDING: usize = 4096;

/// Energy of a session is kept at least so often.
const HELD_AT_LEAST: Duration = Duration::from_mins(5);

/// So many earlier states of a site are known: who tells something may not have heard of the last changes yet.
const EARLIER: usize = 32;

/// Prices are remembered for so many days back.
const PRICE_DAYS: i64 = 8;

/// What is counted of a site, for metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Steps made.
    pub steps: u64,
    /// Events that were about nothing that is there.
    pub dropped: u64,
    /// Setpoints that the last clamp has lowered.
    pub clamped: u64,
    /// Steps that panicked.
    pub panics: u64,
}

/// A site in the loop.
pub struct SiteLoop {
    id: String,
    tenant: String,
    site: Arc<Site>,
    setup: Arc<Setup>,
    /// Counts the states of the site.
    version: u64,
    /// Where everything of earlier states is now: what is told may be of one of those.
    earlier: VecDeque<(u64, Moves)>,
    wheel: Wheel,
    /// What waits for the next step.
    pending: Vec<control::Event>,
    live: Live,
    links: Links,
    told: Vec<Told>,
    metering: Metering,
    alarms: Alarms,
    planned: Planned,
    /// Sessions that have not ended, by id.
    sessions: BTreeMap<String, KeptSession>,
    /// What vehicles and groups usually do.
    habits: Habits,
    /// When each session that says no arrival was heard of first.
    since: BTreeMap<String, DateTime<Utc>>,
    /// By device, the session of [`SiteLoop::sessions`] that the fast loop believes to be there.
    plugged: Vec<Option<String>>,
    /// What each device has got already when its session was loaded, and which session that is about.
    loaded: Vec<Option<(String, f64)>>,
    /// By device, the override that the fast loop was told, and of which session it is.
    overrides: Vec<Option<(String, Override)>>,
    /// When a session begins that has not.
    next_arrival: Option<DateTime<Utc>>,
    prices: BTreeMap<DateTime<Utc>, Price>,
    /// What the numbers of the fast loop's setpoints count from.
    base: u64,
    /// The number given out last.
    last_number: u64,
    /// When everything held was kept last.
    held_at: Duration,
    /// What is counted.
    pub counts: Counts,
}

impl SiteLoop {
    /// A site of which nothing else is known yet. `None`, its time zone is none.
    pub fn new(
        id: String,
        tenant: String,
        site: Arc<Site>,
        over_api: &[String],
        step: Step,
        now: Moment,
    ) -> Option<Self> {
        let zone = local::zone(&site.time_zone).ok()?;
        let setup = Arc::new(Setup::of(&site, zone, control::settings::Settings::default()));
        let devices = setup.devices.len();
        let over_api = setup.devices.iter().map(|device| over_api.contains(&device.id)).collect();
        // Numbers go on rising when the service starts again.
        let base = u64::try_from(now.wall.timestamp_millis()).unwrap_or(0);
        Some(SiteLoop {
            wheel: Wheel::new(Arc::clone(&setup), step, now),
            pending: Vec::new(),
            live: Live::new(devices),
            links: Links::new(over_api, now.run),
            told: vec![Told::default(); devices],
            metering: Metering::new(&site, &setup),
            alarms: Alarms::default(),
            planned: Planned::new(&id, now),
            sessions: BTreeMap::new(),
            habits: Habits::default(),
            since: BTreeMap::new(),
            plugged: vec![None; devices],
            loaded: vec![None; devices],
            overrides: vec![None; devices],
            next_arrival: None,
            prices: BTreeMap::new(),
            base,
            last_number: base,
            held_at: now.run,
            counts: Counts::default(),
            version: 1,
            earlier: VecDeque::new(),
            id,
            tenant,
            site,
            setup,
        })
    }

    /// The same site after it has changed: what still is there is known as before, and goes on without a pause.
    pub fn changed(&self, site: Arc<Site>, over_api: &[String], step: Step, now: Moment) -> Option<Self> {
        let mut new = SiteLoop::new(self.id.clone(), self.tenant.clone(), site, over_api, step, now)?;
        let stays = Stays::of(&self.setup, &new.setup);
        new.version = self.version + 1;
        new.earlier = self.earlier_and(&stays);
        (new.base, new.last_number) = (self.base, self.last_number);
        new.counts = self.counts;
        new.prices.clone_from(&self.prices);
        new.sessions.clone_from(&self.sessions);
        new.habits.clone_from(&self.habits);
        new.since.clone_from(&self.since);
        new.held_at = self.held_at;
        new.wheel = self.wheel.carried(Arc::clone(&new.setup), &stays);
        new.links.take_over(&self.links, &stays, now.run);
        new.metering.take_over(&self.metering, &new.setup, &stays);
        new.live.signals = self.live.signals.iter().filter_map(|event| stays.moves.event(event)).collect();
        new.pending.clone_from(&new.live.signals);
        for (device, before) in stays.named.iter().enumerate() {
            let Some(before) = *before else { continue };
            new.told[device] = self.told[before].clone();
            let (was, is) = (&self.setup.devices[before], &new.setup.devices[device]);
            if (was.fallback_a, self.setup.zone) != (is.fallback_a, new.setup.zone) && !new.links.over_api(device) {
                // Until it says what it has stored it may be what it was to store until now, at whatever hours those are.
                new.told[device].may_store(was.fallback_a.as_ref(), self.setup.zone == new.setup.zone);
            }
            if stays.devices[device].is_some() {
                new.live.devices[device] = self.live.devices[before].clone();
                new.loaded[device].clone_from(&self.loaded[before]);
                new.plugged[device].clone_from(&self.plugged[before]);
                new.overrides[device].clone_from(&self.overrides[before]);
            } else {
                // It is told again what it was told, and who is there.
                new.loaded[device] =
                    self.plugged[before].clone().map(|session| (session, self.live.devices[before].energy_kwh));
                new.pending.extend(new.told[device].again(device));
            }
        }
        new.pending.extend(self.pending.iter().filter_map(|event| stays.moves.event(event)));
        let others = new.links.all().enumerate().filter(|(device, _)| stays.devices[*device].is_none());
        new.pending.extend(others.map(|(_, event)| event));
        new.planned.take_over(&self.planned, &stays);
        new.live.plan = new.planned.made().map(|made| Arc::clone(&made.targets));
        new.pending.extend(new.live.plan.clone().map(control::Event::Planned));
        new.settle_sessions(now.wall);
        new.planned.want("site");
        new.alarms.clone_from(&self.alarms);
        let chargers = new.setup.devices.iter().zip(&stays.devices).filter(|(_, same)| same.is_some());
        let nodes = new.setup.nodes.iter().zip(&stays.nodes).filter(|(_, same)| same.is_some());
        let chargers = chargers.map(|(device, _)| format!("charger/{}", device.id));
        let known: HashSet<String> = chargers.chain(nodes.map(|(node, _)| format!("node/{}", node.id))).collect();
        new.alarms.forget(|about| {
            let of_things = about.starts_with("charger/") || about.starts_with("node/");
            !of_things || known.contains(about)
        });
        Some(new)
    }

    /// The same, in a state of the site that is not the first of that name.
    pub fn counted_from(mut self, version: u64) -> Self {
        self.version = version;
        self
    }

    /// Counts the states of the site.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Where everything of the last few states of the site is once it has changed.
    fn earlier_and(&self, stays: &Stays) -> VecDeque<(u64, Moves)> {
        let before = self.earlier.iter().map(|(version, moves)| (*version, moves.then(&stays.moves)));
        let mut earlier: VecDeque<_> = before.chain([(self.version, stays.moves.clone())]).collect();
        earlier.drain(..earlier.len().saturating_sub(EARLIER));
        earlier
    }

    /// Takes in what was kept of its devices before the service was started.
    pub fn held(&mut self, kept: &[(String, Held)], now: DateTime<Utc>) {
        for (charger, held) in kept {
            let Some(device) = self.setup.device(charger) else { continue };
            self.told[device] = Told::kept(held, now);
            self.loaded[device].clone_from(&held.session);
            self.base = self.base.max(held.number);
        }
        self.last_number = self.base;
        self.pending = self.all_but_plan(now);
    }

    /// The highest quarter-hour of this month so far in kW, from what was measured before the service was started.
    pub fn peak_was(&mut self, kw: f64, now: DateTime<Utc>) {
        self.metering.peak_was(kw, now, &self.setup);
    }

    /// Whether it is the same as another state of it.
    pub fn is_same(&self, site: &Site, over_api: &[String]) -> bool {
        let reached = |device: usize| over_api.contains(&self.setup.devices[device].id);
        let all = 0..self.setup.devices.len();
        *self.site == *site && all.into_iter().all(|device| self.links.over_api(device) == reached(device))
    }

    /// The site as the fast loop sees it.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Whose it is.
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// One step: what follows from all that was heard since the last one.
    pub fn step(&mut self, now: Moment) -> Vec<Effect> {
        self.counts.steps += 1;
        let mut effects = Vec::new();
        if self.next_arrival.is_some_and(|at| at <= now.wall) {
            self.settle_sessions(now.wall);
        }
        let mut events = std::mem::take(&mut self.pending);
        let links = self.links.settle(now.run);
        self.links.hear(&links);
        events.extend(links);
        self.live.hear(&events);
        // Names of stays are looked up elsewhere; here they would only grow.
        self.live.seen.clear();
        self.energy_from_before();
        let turned = self.turn(now, events);
        let (steered, turned) = (turned.is_some(), turned.unwrap_or_default());
        let setpoints = self.give(turned.setpoints, now.wall);
        self.counts.clamped += turned.clamped;
        if turned.replan || std::mem::take(&mut self.live.news) {
            self.planned.want("change");
        }
        self.notice(turned.notices, steered, now);
        let rows = self.metering.pass(&self.id, &self.setup, self.wheel.state(), now.wall);
        if !rows.is_empty() {
            effects.push(Effect::Measured(rows));
        }
        effects.extend(self.plan(now));
        effects.extend(self.keep(&setpoints, now));
        effects.push(Effect::Publish { site: self.id.clone(), status: Arc::new(self.show(now.wall)), setpoints });
        effects
    }

    /// What vehicles had got before the service was started.
    fn energy_from_before(&mut self) {
        for (known, loaded) in self.live.devices.iter_mut().zip(&mut self.loaded) {
            let about = known.session.as_ref().map(|session| &session.id);
            if let Some((_, kwh)) = loaded.take_if(|(session, _)| Some(&*session) == about) {
                known.energy_kwh = known.energy_kwh.max(kwh);
            }
        }
    }

    fn turn(&mut self, now: Moment, events: Vec<control::Event>) -> Option<Turned> {
        let before = self.wheel.troubles();
        let everything = || {
            let mut events = all(&self.setup, &self.links, &self.told);
            events.extend(self.live.told_again(now.wall));
            events
        };
        let turned = self.wheel.turn(now, events, everything);
        let after = self.wheel.troubles();
        if after.0 != before.0 {
            // It counts from 1 again.
            self.base = self.last_number;
        }
        self.counts.panics += u64::from(after.1.saturating_sub(before.1));
        turned
    }

    /// Setpoints as everybody else knows them.
    fn give(&mut self, commands: Vec<control::Setpoint>, now: DateTime<Utc>) -> Vec<Setpoint> {
        let plan = self.planned.made().map(|made| made.kept.head.id);
        let mut given = Vec::with_capacity(commands.len());
        for command in commands {
            let number = self.base + command.number;
            self.last_number = self.last_number.max(number);
            let setpoint = told::setpoint(&self.setup, &command, number, plan, now);
            self.told[command.device].give(setpoint.clone());
            given.push(setpoint);
        }
        given
    }

    /// Everything that a fast loop that begins is told, but for the plan.
    fn all_but_plan(&self, now: DateTime<Utc>) -> Vec<control::Event> {
        let mut events = all(&self.setup, &self.links, &self.told);
        let told = self.live.told_again(now);
        events.extend(told.into_iter().filter(|event| !matches!(event, control::Event::Planned(_))));
        events
    }

    /// What an operator should know of what the fast loop has noticed.
    fn notice(&mut self, notices: Vec<Notice>, steered: bool, Moment { wall: now, run }: Moment) {
        let (setup, alarms) = (&self.setup, &mut self.alarms);
        let node = |index: usize| format!("node/{}", setup.nodes[index].id);
        let charger = |index: usize| format!("charger/{}", setup.devices[index].id);
        for notice in notices {
            match notice {
                Notice::MeterLost { node: at, reason } => {
                    let text = format!("its meter is not believed ({reason:?}): the worst credible building counts");
                    alarms.raise("meter_lost", node(at), text.to_lowercase(), now);
                }
                Notice::MeterBack { node: at } => alarms.clear("meter_lost", &node(at)),
                Notice::Disobeys { device } => {
                    let text = "it draws more than it may: it counts with all that it can draw".to_owned();
                    alarms.raise("disobeys", charger(device), text, now);
                }
                Notice::Obeys { device } => alarms.clear("disobeys", &charger(device)),
                Notice::Overload { node: at, phase, amps } => {
                    let text =
                        format!("L{} is above its limit, at {amps:.1} A, and nothing that was shed helped", phase + 1);
                    alarms.raise("overload", node(at), text, now);
                }
                Notice::Asleep { device } => {
                    let text = "the vehicle is offered current, wants energy and takes none".to_owned();
                    alarms.raise("asleep", charger(device), text, now);
                }
            }
        }
        for (index, reading) in self.metering.meters.iter().enumerate() {
            let below = reading.is_some_and(|reading| {
                (0..3).all(|phase| reading.phases_a[phase] <= setup.nodes[index].limit_a[phase])
            });
            if below && !alarms.is_empty() {
                alarms.clear("overload", &node(index));
            }
        }
        let awake: Vec<String> = alarms.about("asleep").map(str::to_owned).collect();
        for about in awake {
            let device = about.strip_prefix("charger/").and_then(|id| setup.device(id));
            let over = device.is_none_or(|device| {
                let draws = self.metering.drawn[device].is_some_and(|(_, amps)| amps.iter().any(|a| *a >= 1.0));
                draws || self.live.devices[device].session.is_none()
            });
            if over {
                alarms.clear("asleep", &about);
            }
        }
        let mut of_charger = |wrong: bool, kind, device, text: &str| {
            if wrong || !alarms.is_empty() {
                alarms.set(wrong, kind, &charger(device), text, now);
            }
        };
        for (device, about) in setup.devices.iter().enumerate() {
            let refuses = self.links.up(device) && self.wheel.state().refuses(device);
            let text = "it refuses its setpoints or does not answer them: it counts with what it held and its fallback";
            of_charger(refuses, "refuses", device, text);
            let away = !self.links.up(device) && !self.links.is_awaited(device, run);
            let steered = about.kind == Kind::Station && about.managed;
            let unheard = away && steered && self.told[device].most_a.is_none() && self.links.is_overdue(device, run);
            let text = "it has not connected yet: it counts with its fallback, which nobody has seen it store";
            of_charger(unheard, "never_connected", device, text);
            let silent = away && self.live.devices[device].session.is_some();
            of_charger(silent, "silent", device, "it is out of reach: it counts with what it held and its fallback");
        }
        let unreported = (0..setup.devices.len()).filter(|&device| {
            self.links.up(device) && self.links.unreported(device) && self.live.devices[device].session.is_some()
        });
        let unreported = unreported.count();
        let text =
            "vehicles charge where nothing is ever reported: that setpoints are taken is all that is known of them";
        self.alarms.set(unreported > 0, "unconfirmed", "site", text, now);
        let text = "the fast loop fails: nothing is sent, what was told lapses to the fallback";
        self.alarms.set(!steered, "fallback", "site", text, now);
        let text = "there is no plan: what is free is shared out";
        self.alarms.set(self.planned.is_missing(now), "no_plan", "site", text, now);
        self.not_plugged_in(now);
    }

    /// What is to be kept of this step.
    fn keep(&mut self, setpoints: &[Setpoint], now: Moment) -> Vec<Effect> {
        let mut effects = Vec::new();
        let entry = |stream, body| {
            Effect::Log(NewEntry { stream, tenant: self.tenant.clone(), site: Some(self.id.clone()), body })
        };
        for setpoint in setpoints {
            effects.extend(serde_json::to_value(setpoint).ok().map(|body| entry(Stream::Setpoint, body)));
        }
        for (open, alarm) in self.alarms.news() {
            let body = serde_json::json!({
                "kind": alarm.kind, "about": alarm.about, "text": alarm.text, "since": alarm.since,
                "state": if open { "begins" } else { "ends" },
            });
            effects.push(entry(Stream::Alarm, body));
        }
        let all = now.run.saturating_sub(self.held_at) >= HELD_AT_LEAST;
        if all {
            self.held_at = now.run;
        }
        for (device, told) in self.told.iter_mut().enumerate() {
            let known = &self.live.devices[device];
            if !(std::mem::take(&mut told.dirty) || all && known.session.is_some()) {
                continue;
            }
            let about = &self.setup.devices[device];
            let session = known.session.as_ref().map(|session| (session.id.clone(), known.energy_kwh));
            if let Some(held) = told.held(about.max_a, session) {
                effects.push(Effect::Hold { site: self.id.clone(), charger: about.id.clone(), held });
            }
        }
        effects
    }
}

/// What is connected and held, as a fast loop that begins is told: one that is out of reach may hold what it held.
fn all(setup: &Setup, links: &Links, told: &[Told]) -> Vec<control::Event> {
    let mut events = Vec::new();
    for device in 0..setup.devices.len() {
        events.extend(told[device].again(device));
    }
    events.extend(links.all());
    events
}
