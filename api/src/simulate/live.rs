//! What a service knows while the days go by, from the events alone; it survives a restart of the fast loop, as a database
//! does.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use kwartier_engine::control::event::{Action, Event, Session, Targets};

/// A current in A above which a phase counts as used.
const USED_A: f64 = 1.0;

/// What is known of a device.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Who is there.
    pub session: Option<Session>,
    /// Energy that it got so far, in kWh, as the station tells.
    pub energy_kwh: f64,
    /// On how many phases it has been seen to charge.
    pub phases_seen: Option<u8>,
    /// What somebody wants of it.
    action: Option<(DateTime<Utc>, Action)>,
}

/// What is known of everything.
#[derive(Debug, Clone, Default)]
pub struct Live {
    /// By device.
    pub devices: Vec<Known>,
    /// Grid operators' limits in force or announced.
    pub signals: Vec<Event>,
    /// The plan in force.
    pub plan: Option<Arc<Targets>>,
    /// Stays that have begun.
    pub seen: BTreeSet<String>,
    /// Whether something was learnt that plans should know.
    pub news: bool,
    /// Highest import of a quarter-hour so far in kW.
    pub peak_kw: f64,
    /// Energy in batteries in kWh, by name.
    pub stored_kwh: Vec<(String, f64)>,
}

impl Live {
    /// Nothing is known of so many devices.
    pub fn new(devices: usize) -> Live {
        Live { devices: vec![Known::default(); devices], ..Live::default() }
    }

    /// Takes in what happened.
    pub fn hear(&mut self, events: &[Event]) {
        for event in events {
            match event {
                Event::Session { device, session } => {
                    let known = &mut self.devices[*device];
                    if known.session.as_ref().is_none_or(|before| before.id != session.id) {
                        known.energy_kwh = 0.0;
                        known.phases_seen = None;
                    }
                    self.seen.insert(session.id.clone());
                    known.session = Some(session.clone());
                }
                Event::Unplugged { device } => self.devices[*device].session = None,
                Event::Drawn { device, phases_a, session_kwh } => {
                    let known = &mut self.devices[*device];
                    known.energy_kwh = session_kwh.unwrap_or(known.energy_kwh);
                    let used = phases_a.iter().filter(|amps| amps.abs() > USED_A).count();
                    if let Ok(used @ 1..) = u8::try_from(used) {
                        let seen = known.phases_seen.map_or(used, |before| before.max(used));
                        // One of which nothing was said is planned for on one phase.
                        let unsaid = known.session.as_ref().is_some_and(|session| session.phases.is_none());
                        self.news |= unsaid && seen != known.phases_seen.unwrap_or(1);
                        known.phases_seen = Some(seen);
                    }
                }
                Event::Override { device, action, until } => {
                    self.devices[*device].action = action.map(|action| (*until, action));
                }
                Event::Signal(signal) => {
                    self.signals.retain(|known| !matches!(known, Event::Signal(other) if other.id == signal.id));
                    self.signals.push(event.clone());
                }
                Event::Withdrawn { id } => {
                    self.signals.retain(|known| !matches!(known, Event::Signal(signal) if signal.id == *id));
                }
                Event::Planned(targets) => self.plan = Some(Arc::clone(targets)),
                Event::Meter { .. }
                | Event::Link { .. }
                | Event::Booted { .. }
                | Event::Holds { .. }
                | Event::Stores { .. }
                | Event::Answered { .. }
                | Event::Wish { .. } => {}
            }
        }
    }

    /// What a fast loop that has just started is told: everything that a database keeps; what is
    /// connected and held, stations tell.
    pub fn told_again(&self, now: DateTime<Utc>) -> Vec<Event> {
        let mut events = self.signals.clone();
        for (device, known) in self.devices.iter().enumerate() {
            if let Some(session) = &known.session {
                events.push(Event::Session { device, session: session.clone() });
            }
            let action = known.action.filter(|(until, _)| *until > now);
            events.extend(action.map(|(until, action)| Event::Override { device, action: Some(action), until }));
        }
        events.extend(self.plan.clone().map(Event::Planned));
        events
    }
}
