//! What the loop hears of a site, as events of the fast loop.

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_engine::control;
use kwartier_engine::control::event::{About, Action, Emergency, Event, Limit, Scope};

use super::planned::VISIT;
use super::{MOST_PENDING, MOST_SESSIONS, Moment, PRICE_DAYS, SiteLoop};
use crate::app::event::ChargerAlarm;
use crate::app::stays::{self, Origins};
use crate::resource::charger::Report;
use crate::resource::measurement::Measurement;
use crate::resource::price::Price;
use crate::resource::session::{self, KeptSession};
use crate::resource::signal::{Basis, Signal};
use crate::simulate::live::Known;

/// How soon the next step is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// It matters for safety, or somebody waits.
    Now,
    /// With the next second.
    Soon,
}

/// A charger that draws no more than it was told, give or take so many A, obeys.
const OBEYS_A: f64 = 1.0;

/// An override without an end lasts so long.
const OVERRIDE: TimeDelta = TimeDelta::hours(1);

impl SiteLoop {
    /// A meter was read, by somebody else who keeps it too.
    pub fn measured(&mut self, rows: &[Measurement], now: DateTime<Utc>) -> When {
        let mut when = When::Soon;
        for row in rows {
            let Some(node) = self.setup.node(&row.node) else {
                self.counts.dropped += 1;
                continue;
            };
            let event = Event::Meter { node, at: row.at, phases_a: [row.l1_a, row.l2_a, row.l3_a] };
            self.metering.hear(std::slice::from_ref(&event), false, now);
            when = self.queue(event).unwrap_or(when);
        }
        when
    }

    /// A charger tells something of itself that an operator should know, or that it is over.
    pub fn of_charger(&mut self, charger: &str, kind: ChargerAlarm, text: Option<String>, now: DateTime<Utc>) -> When {
        let about = format!("charger/{charger}");
        match kind {
            // Its words change with every reading: the first ones stay.
            ChargerAlarm::HoldsMore => {
                self.alarms.set(text.is_some(), kind.word(), &about, text.as_deref().unwrap_or_default(), now);
            }
            ChargerAlarm::Faulted => self.alarms.told(kind.word(), about, text, now),
            // It has happened, and is over once it is told.
            ChargerAlarm::Security => {
                self.alarms.told(kind.word(), about.clone(), text, now);
                self.alarms.clear(kind.word(), &about);
            }
        }
        When::Soon
    }

    /// A charger has reported.
    pub fn reported(&mut self, charger: &str, report: &Report, now: Moment) -> When {
        let Some(device) = self.setup.device(charger) else {
            self.counts.dropped += 1;
            return When::Soon;
        };
        self.links.reported(device, report.online.unwrap_or(true), now.run);
        let links = self.links.settle(now.run);
        self.links.hear(&links);
        for link in links {
            self.queue(link);
        }
        if let Some(amps) = report.limit_a {
            self.told[device].holds(amps, now.wall);
            self.queue(Event::Holds { device, amps: Some(amps) });
        }
        let drawn = [report.l1_a, report.l2_a, report.l3_a];
        let shows = drawn.iter().any(Option::is_some);
        let phases_a = drawn.map(|amps| amps.unwrap_or(0.0));
        if shows {
            let event = Event::Drawn { device, phases_a, session_kwh: report.session_kwh };
            self.metering.hear(std::slice::from_ref(&event), false, now.wall);
            self.queue(event);
        }
        self.answers(device, report, shows.then_some(phases_a), now.wall);
        When::Now
    }

    /// Whether a report says that the charger has taken a setpoint: by its number, by the limit that it holds, or by what it
    /// draws once it must have followed.
    fn answers(&mut self, device: usize, report: &Report, drawn: Option<[f64; 3]>, now: DateTime<Utc>) {
        let Some(last) = &self.told[device].last else { return };
        let by_number = report.setpoint.map(|number| (number, report.accepted.unwrap_or(true)));
        let waits = last.trace.confirmed.is_none();
        let by_limit = report.limit_a.filter(|amps| waits && (amps - last.limit_a).abs() < 0.05);
        #[expect(clippy::cast_possible_truncation, reason = "seconds")]
        let follows = TimeDelta::milliseconds((self.setup.devices[device].reaction_s * 1000.0) as i64);
        let by_draw = drawn.filter(|amps| {
            let in_time = waits && report.at >= last.at + follows;
            in_time && last.limit_a > 0.0 && amps.iter().all(|amps| *amps <= last.limit_a + OBEYS_A)
        });
        // Who draws nothing under a setpoint of nothing may be unplugged; where a vehicle is, it obeys.
        let by_stop = drawn.filter(|amps| {
            let wants = self.live.devices[device].session.is_some();
            let in_time = waits && report.at >= last.at + follows;
            in_time && wants && last.limit_a <= 0.0 && amps.iter().all(|amps| amps.abs() <= OBEYS_A)
        });
        let seen = by_limit.is_some() || by_draw.is_some() || by_stop.is_some();
        let Some((number, accepted)) = by_number.or(seen.then_some((last.number, true))) else { return };
        self.answered(device, number, accepted, now);
        if let Some(number) = number.checked_sub(self.base) {
            self.queue(Event::Answered { device, number, accepted });
        }
    }

    fn answered(&mut self, device: usize, number: u64, accepted: bool, now: DateTime<Utc>) {
        if accepted {
            self.told[device].confirm(number, now);
        }
    }

    /// Somebody who holds the connections has told something.
    pub fn device(&mut self, setup: u64, events: Vec<control::Event>, now: DateTime<Utc>) -> When {
        let mut when = When::Soon;
        let told = events.len();
        let mut events = self.as_now(setup, events);
        events.retain_mut(|event| self.is_known(event));
        self.counts.dropped += (told - events.len()) as u64;
        for mut event in events {
            match &mut event {
                Event::Answered { device, number, accepted } => {
                    self.answered(*device, *number, *accepted, now);
                    // Everybody else knows setpoints by their numbers at the site.
                    let Some(own) = number.checked_sub(self.base) else { continue };
                    *number = own;
                }
                Event::Holds { device, amps } => {
                    let amps = amps.unwrap_or(self.setup.devices[*device].max_a);
                    self.told[*device].holds(amps, now);
                }
                Event::Stores { device, by_hour_a } => self.told[*device].stores(by_hour_a),
                Event::Booted { device } => self.told[*device].most_a = None,
                // Plans come from our planners, sessions from whoever states them.
                Event::Planned(_) => continue,
                _ => {}
            }
            let heard = std::slice::from_ref(&event);
            self.metering.hear(heard, true, now);
            self.links.hear(heard);
            when = self.queue(event).unwrap_or(when);
        }
        when
    }

    /// What was told of a state of the site as if it were of this one. What was told of none that is known says nothing.
    fn as_now(&self, setup: u64, events: Vec<Event>) -> Vec<Event> {
        if setup == self.version {
            return events;
        }
        let moves = self.earlier.iter().find(|(version, _)| *version == setup).map(|(_, moves)| moves);
        moves.map_or_else(Vec::new, |moves| events.iter().filter_map(|event| moves.event(event)).collect())
    }

    /// Whether an event is about something that is there.
    fn is_known(&self, event: &mut Event) -> bool {
        let (devices, nodes) = (self.setup.devices.len(), self.setup.nodes.len());
        match event.about() {
            About::Device(device) => *device < devices,
            About::Devices(all) => all.iter().all(|device| *device < devices),
            About::Node(node) => *node < nodes,
            About::Nothing => true,
        }
    }

    /// A session is new or has changed.
    pub fn session(&mut self, id: String, kept: KeptSession, now: DateTime<Utc>) -> When {
        if kept.ended.is_some() {
            let got_kwh = self.got_kwh(&id);
            self.learn(&kept, got_kwh);
            self.sessions.remove(&id);
            self.since.remove(&id);
        } else if self.sessions.len() >= MOST_SESSIONS && !self.sessions.contains_key(&id) {
            self.counts.dropped += 1;
            return When::Soon;
        } else {
            if kept.stated.arrival.is_none() {
                self.since.entry(id.clone()).or_insert(now);
            }
            self.sessions.insert(id, kept);
        }
        self.settle_sessions(now);
        self.planned.want(VISIT);
        When::Now
    }

    /// Takes in a stay that has ended: what is usual is learnt from it.
    pub fn learn(&mut self, kept: &KeptSession, got_kwh: Option<f64>) {
        let group = stays::group(&self.site, &kept.stated).map(str::to_owned);
        self.habits.learn(kept, group.as_deref(), got_kwh);
    }

    /// What the vehicle of a session that is here has got, in kWh at the charger.
    fn got_kwh(&self, id: &str) -> Option<f64> {
        let here = |known: &&Known| known.session.as_ref().is_some_and(|session| session.id == id);
        self.live.devices.iter().find(here).map(|known| known.energy_kwh).filter(|kwh| *kwh > 0.0)
    }

    /// When a stay ends and what it needs in all, as planners expect it.
    pub fn expected(&self, id: &str, kept: &KeptSession) -> (DateTime<Utc>, f64, Origins) {
        let arrival = self.arrival(id, kept);
        let group = stays::group(&self.site, &kept.stated);
        let habit = self.habits.of(kept.stated.vehicle.as_deref(), group, arrival);
        stays::expected(stays::wish(&self.site, self.setup.zone, kept, arrival), habit, arrival)
    }

    /// A session was deleted.
    pub fn session_gone(&mut self, id: &str, now: DateTime<Utc>) -> When {
        self.sessions.remove(id);
        self.since.remove(id);
        self.settle_sessions(now);
        self.planned.want(VISIT);
        When::Now
    }

    /// When a session began, or begins.
    pub fn arrival(&self, id: &str, kept: &KeptSession) -> DateTime<Utc> {
        kept.stated.arrival.or_else(|| self.since.get(id).copied()).unwrap_or(DateTime::<Utc>::MIN_UTC)
    }

    /// Who is at which device by what was stated: of several the one that came last.
    pub fn settle_sessions(&mut self, now: DateTime<Utc>) {
        let mut there: Vec<Option<(DateTime<Utc>, &String)>> = vec![None; self.setup.devices.len()];
        self.next_arrival = None;
        for (id, kept) in &self.sessions {
            let Some(device) = self.setup.device(&kept.stated.charger) else { continue };
            let arrival = self.arrival(id, kept);
            if arrival > now {
                self.next_arrival = Some(self.next_arrival.map_or(arrival, |next| next.min(arrival)));
            } else if there[device].is_none_or(|(other, _)| arrival >= other) {
                there[device] = Some((arrival, id));
            }
        }
        let there: Vec<Option<String>> = there.into_iter().map(|found| found.map(|(_, id)| id.clone())).collect();
        for (device, now_there) in there.into_iter().enumerate() {
            let Some(id) = now_there else {
                if self.plugged[device].take().is_some() {
                    self.pending.push(Event::Unplugged { device });
                }
                if self.overrides[device].take().is_some() {
                    self.pending.push(overridden(device, None, now));
                }
                continue;
            };
            let kept = &self.sessions[&id];
            let wish = stays::wish(&self.site, self.setup.zone, kept, self.arrival(&id, kept));
            let session = stays::stay(&self.site, &id, kept, wish, self.setup.devices[device].max_a);
            let asked = kept.r#override.clone().map(|asked| (id.clone(), asked));
            if self.plugged[device].as_ref().is_some_and(|before| *before != id) {
                self.pending.push(Event::Unplugged { device });
            }
            let is_new = self.plugged[device].as_ref() != Some(&id);
            if is_new && self.loaded[device].is_none() {
                self.loaded[device] = kept.energy_kwh.map(|kwh| (id.clone(), kwh));
            }
            if is_new || self.live.devices[device].session.as_ref() != Some(&session) {
                self.pending.push(Event::Session { device, session });
            }
            if self.overrides[device] != asked {
                self.pending.push(overridden(device, asked.as_ref().map(|(_, asked)| asked), now));
                self.overrides[device] = asked;
            }
            self.plugged[device] = Some(id);
        }
    }

    /// Prices are new or have changed.
    pub fn priced(&mut self, prices: &[Price], now: DateTime<Utc>) -> When {
        let oldest = now - TimeDelta::days(PRICE_DAYS);
        let mut changed = false;
        for price in prices.iter().filter(|price| price.start >= oldest) {
            // It takes the place of all that it overlaps, as where it is kept.
            let end = |price: &Price| price.start + TimeDelta::minutes(i64::from(price.minutes));
            let before = self.prices.range(..price.start).next_back();
            let before = before.filter(|(_, before)| end(before) > price.start).map(|(start, _)| *start);
            let within = self.prices.range(price.start..end(price)).map(|(start, _)| *start);
            let within = within.filter(|start| *start != price.start);
            let overlapped: Vec<DateTime<Utc>> = within.chain(before).collect();
            changed |= !overlapped.is_empty();
            for start in &overlapped {
                self.prices.remove(start);
            }
            changed |= self.prices.insert(price.start, *price) != Some(*price);
        }
        self.prices = self.prices.split_off(&oldest);
        if changed {
            self.planned.want("prices");
        }
        When::Soon
    }

    /// A grid operator's limit.
    pub fn signal(&mut self, id: String, signal: Option<&Signal>) -> When {
        let Some(signal) = signal else {
            self.queue(Event::Withdrawn { id });
            return When::Now;
        };
        let Some((on, limit)) = self.limits(signal) else {
            self.counts.dropped += 1;
            return When::Soon;
        };
        let (from, until) = (signal.from, signal.until);
        self.queue(Event::Signal(control::event::Signal { id, on, limit, from, until }));
        When::Now
    }

    fn limits(&self, signal: &Signal) -> Option<(Scope, Limit)> {
        let on = match (&signal.node, &signal.group) {
            (Some(node), _) => Scope::Node(self.setup.node(node)?),
            (None, Some(group)) => {
                Scope::Devices(group.iter().map(|name| self.setup.device(name)).collect::<Option<Vec<_>>>()?)
            }
            (None, None) => Scope::Node(self.setup.root()?),
        };
        let limit = match (signal.limit_a, signal.limit_kw, signal.basis) {
            (None, None, _) => return None,
            (amps, kw, Basis::Emergency) => {
                Limit::Emergency(Emergency::of(amps, kw, signal.priority, self.setup.voltage_v))
            }
            (Some(amps), _, _) => Limit::Amps(amps),
            (None, Some(kw), Basis::Instant) => Limit::Power(kw),
            (None, Some(kw), Basis::Quarter) => Limit::Quarter(kw),
        };
        Some((on, limit))
    }

    /// Somebody has taken the setpoints up to a number, to pass them on. Of a charger of which nobody ever reports anything, who
    /// takes its setpoints answers for it: they count as accepted.
    pub fn taken(&mut self, number: u64, now: Moment) -> When {
        self.links.taken(now.run);
        for device in 0..self.setup.devices.len() {
            if !self.links.unreported(device) {
                continue;
            }
            let Some(taken) = self.told[device].take(number, now.wall) else { continue };
            if let Some(number) = taken.checked_sub(self.base) {
                self.queue(Event::Answered { device, number, accepted: true });
            }
        }
        When::Soon
    }

    /// An event waits for the next step.
    fn queue(&mut self, event: Event) -> Option<When> {
        let urgent = match &event {
            Event::Meter { node, phases_a, .. } => {
                let about = &self.setup.nodes[*node];
                (0..3).any(|phase| phases_a[phase].abs() > about.limit_a[phase] - self.setup.settings.margin_a)
            }
            Event::Drawn { .. } | Event::Planned(_) | Event::Wish { .. } => false,
            _ => true,
        };
        let measures = matches!(event, Event::Meter { .. } | Event::Drawn { .. });
        if measures && self.pending.len() >= 4 * MOST_PENDING {
            // Somebody floods us; the next reading will do.
            self.counts.dropped += 1;
            return Some(When::Now);
        }
        self.pending.push(event);
        (urgent || self.pending.len() >= MOST_PENDING).then_some(When::Now)
    }
}

/// What somebody wants instead of the plan.
fn overridden(device: usize, asked: Option<&session::Override>, now: DateTime<Utc>) -> Event {
    let until = asked.map_or(now, |asked| asked.until.unwrap_or(now + OVERRIDE));
    let action = asked.filter(|_| until > now).map(|asked| match asked.action {
        session::Action::Boost => Action::Boost,
        session::Action::Stop => Action::Stop,
    });
    Event::Override { device, action, until }
}
