//! A depot in a test's hand: chargers that obey after a while, a meter at every board, a building that can be moved. What the
//! simulated depot of `engine::plant` does in earnest, this does in a few lines, so that a test can say what it means.

use std::collections::VecDeque;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::site::{Board, HourlyByPhase, Meter, PerPhase, Site, Station};
use kwartier_engine::control::command::Notice;
use kwartier_engine::control::event::Session;
use kwartier_engine::control::settings::Settings;
use kwartier_engine::control::{Event, Output, Setpoint, Setup, State, step};

/// A winter's midnight.
pub fn midnight() -> DateTime<Utc> {
    "2026-01-14T23:00:00Z".parse().unwrap()
}

/// A board of the test.
pub fn board(id: &str, parent: Option<&str>, limit_a: f64, building_max_a: f64) -> Board {
    Board {
        building_max_a: Some(HourlyByPhase::Constant(PerPhase::Same(building_max_a))),
        ..Board::new(id.to_owned(), parent.map(str::to_owned), PerPhase::Same(limit_a))
    }
}

/// A station of the test, with a fallback of 6 A.
pub fn station(id: &str, board: &str, rotation: &str, max_a: f64) -> Station {
    Station {
        rotation: Some(rotation.to_owned()),
        fallback_a: Some(kwartier_data::site::Hourly::Constant(6.0)),
        ..Station::new(id.to_owned(), board.to_owned(), max_a)
    }
}

/// A site of these, with a meter at each board named.
pub fn site(boards: Vec<Board>, stations: Vec<Station>, metered: &[&str]) -> Site {
    let mut site = Site::new("Test".to_owned(), "Europe/Amsterdam".to_owned(), boards, stations);
    site.meters = metered
        .iter()
        .map(|board| Meter {
            id: format!("M {board}"),
            board: (*board).to_owned(),
            includes: vec![
                kwartier_data::site::Included::Building,
                kwartier_data::site::Included::Stations,
                kwartier_data::site::Included::Pv,
                kwartier_data::site::Included::Batteries,
                kwartier_data::site::Included::Loads,
            ],
        })
        .collect();
    site
}

/// How a charger of the test behaves.
#[expect(clippy::struct_excessive_bools, reason = "each stands for itself")]
#[derive(Debug, Clone, PartialEq)]
pub struct Charger {
    pub up: bool,
    /// What it holds in A per phase.
    pub holds_a: f64,
    /// What its vehicle takes at most; 0 without one.
    pub takes_a: f64,
    /// On how many of its own phases.
    pub phases: usize,
    /// Whether it does what it accepts.
    pub obeys: bool,
    /// Whether commands and answers get through.
    pub answers: bool,
    /// The grid phases it really hangs on.
    pub wired: Vec<usize>,
    /// Whether it accepts what it is told.
    pub accepts: bool,
    /// When what it was told lapses.
    pub lapses: DateTime<Utc>,
    /// On which of its own phases a vehicle on one charges, and whether it goes where it is told.
    pub single: usize,
    pub chooses: bool,
    /// Setpoints and when each is obeyed, in that order: in A, and on which phase.
    pub coming: VecDeque<(DateTime<Utc>, f64, Option<u8>)>,
}

impl Charger {
    /// Whether one of its own phases carries current, if any does.
    pub fn carries(&self, own: usize) -> bool {
        if self.phases == 1 { own == self.single } else { own < self.phases }
    }
}

/// The depot.
#[derive(Debug, Clone)]
pub struct Depot {
    pub setup: Arc<Setup>,
    pub state: Option<State>,
    pub now: DateTime<Utc>,
    pub chargers: Vec<Charger>,
    /// What the building draws at each board itself, by phase, in A.
    pub building_a: Vec<[f64; 3]>,
    /// Whether the meter of each board speaks.
    pub meter_up: Vec<bool>,
    /// When a meter was last lost.
    pub lost_at: DateTime<Utc>,
    /// What the meter of each board makes of what flows.
    pub meter_shows: Vec<fn(f64) -> f64>,
    /// How long readings of the meters are under way, in s, and how far their clocks are behind.
    pub meters_late_s: i64,
    pub meters_behind_s: i64,
    /// Readings that are under way: when they were taken, and of which board.
    waiting: VecDeque<(DateTime<Utc>, usize, [f64; 3])>,
    /// Whether each charger tells what it draws.
    pub tells: Vec<bool>,
    /// Seconds until a charger and its vehicle have followed.
    pub reaction_s: i64,
    pub events: Vec<Event>,
    pub sent: Vec<Setpoint>,
    pub last: Output,
    /// All that the loop heard since the last restart, and what it said.
    pub heard: Vec<(DateTime<Utc>, Vec<Event>, Output)>,
    /// For each board and phase, the seconds above the limit in one go, now and at most.
    pub over_s: Vec<[(i64, i64); 3]>,
}

impl Depot {
    pub fn new(site: &Site, settings: Settings) -> Depot {
        let setup = Arc::new(Setup::of(site, chrono_tz::Europe::Amsterdam, settings));
        let chargers = setup.devices.iter().map(|device| Charger {
            up: true,
            holds_a: 0.0,
            takes_a: 0.0,
            phases: device.phases.len(),
            obeys: true,
            answers: true,
            wired: device.phases.clone(),
            accepts: true,
            lapses: DateTime::<Utc>::MAX_UTC,
            single: 0,
            chooses: device.chooses_phase,
            coming: VecDeque::new(),
        });
        let now = midnight();
        let mut depot = Depot {
            state: Some(State::new(setup.clone(), now)),
            now,
            chargers: chargers.collect(),
            building_a: vec![[0.0; 3]; setup.nodes.len()],
            meter_up: vec![true; setup.nodes.len()],
            lost_at: DateTime::<Utc>::MIN_UTC,
            meter_shows: vec![|amps| amps; setup.nodes.len()],
            meters_late_s: 0,
            meters_behind_s: 0,
            waiting: VecDeque::new(),
            tells: vec![true; setup.devices.len()],
            reaction_s: 5,
            events: Vec::new(),
            sent: Vec::new(),
            last: Output::default(),
            heard: Vec::new(),
            over_s: vec![[(0, 0); 3]; setup.nodes.len()],
            setup,
        };
        for device in 0..depot.chargers.len() {
            depot.events.push(Event::Link { device, up: true });
            depot.events.push(Event::Holds { device, amps: Some(0.0) });
        }
        depot
    }

    /// The loop is new: it hears which chargers are connected, what they hold and who is plugged in.
    pub fn restart(&mut self) {
        self.state = Some(State::new(self.setup.clone(), self.now));
        self.events.clear();
        self.heard.clear();
        for device in 0..self.chargers.len() {
            let charger = &self.chargers[device];
            if !charger.up {
                continue;
            }
            let (takes_a, amps) =
                (charger.takes_a, charger.coming.iter().map(|(_, amps, _)| *amps).fold(charger.holds_a, f64::max));
            self.events.push(Event::Link { device, up: true });
            self.events.push(Event::Holds { device, amps: Some(amps) });
            if takes_a > 0.0 {
                self.plug(device, takes_a);
            }
        }
    }

    /// A vehicle that wants as much as it can get.
    pub fn plug(&mut self, device: usize, takes_a: f64) {
        self.plug_as(device, takes_a, 0, 0.0);
    }

    pub fn plug_as(&mut self, device: usize, takes_a: f64, priority: u8, guaranteed_a: f64) {
        self.chargers[device].takes_a = takes_a;
        let session = Session {
            id: format!("stay {device} {}", self.now.timestamp()),
            phases: u8::try_from(self.chargers[device].phases).ok(),
            min_a: 6.0,
            max_a: 32.0,
            max_discharge_a: 0.0,
            need_kwh: None,
            departure: None,
            priority,
            guaranteed_a,
        };
        self.events.push(Event::Session { device, session });
    }

    pub fn unplug(&mut self, device: usize) {
        self.chargers[device].takes_a = 0.0;
        self.events.push(Event::Unplugged { device });
    }

    /// What a charger draws per phase.
    pub fn draws_a(&self, device: usize) -> f64 {
        let charger = &self.chargers[device];
        let amps = charger.holds_a.min(charger.takes_a);
        if amps < 6.0 { 0.0 } else { amps }
    }

    /// What flows through a board by phase, in A.
    pub fn flows_a(&self, node: usize) -> [f64; 3] {
        let below = |of: usize| self.setup.chain(of).any(|above| above == node);
        let mut amps = [0.0; 3];
        for (_, building_a) in self.building_a.iter().enumerate().filter(|(board, _)| below(*board)) {
            (0..3).for_each(|phase| amps[phase] += building_a[phase]);
        }
        for (k, _) in self.setup.devices.iter().enumerate().filter(|(_, device)| below(device.node)) {
            let charger = &self.chargers[k];
            let carries = charger.wired.iter().enumerate().filter(|(own, _)| charger.carries(*own));
            carries.for_each(|(_, &phase)| amps[phase] += self.draws_a(k));
        }
        amps
    }

    /// One second.
    pub fn second(&mut self) {
        self.now += TimeDelta::seconds(1);
        let now = self.now;
        for charger in &mut self.chargers {
            if charger.lapses <= now {
                // Nobody chooses for it any more.
                charger.single =
                    if charger.chooses { (charger.single + 1) % charger.wired.len() } else { charger.single };
                charger.lapses = DateTime::<Utc>::MAX_UTC;
                charger.holds_a = charger.holds_a.min(6.0);
                charger.coming.clear();
            }
            while let Some((_, amps, phase)) = charger.coming.pop_front_if(|(at, ..)| *at <= now) {
                charger.holds_a = amps;
                charger.single = phase.filter(|_| charger.chooses).map_or(charger.single, usize::from);
            }
        }
        let mut events = std::mem::take(&mut self.events);
        for node in 0..self.setup.nodes.len() {
            if self.meter_up[node] && self.setup.nodes[node].meter.is_some() {
                let phases_a = self.flows_a(node).map(self.meter_shows[node]);
                self.waiting.push_back((now, node, phases_a));
            }
        }
        let arrived = now - TimeDelta::seconds(self.meters_late_s);
        while let Some((at, node, phases_a)) = self.waiting.pop_front_if(|(at, ..)| *at <= arrived) {
            events.push(Event::Meter { node, at: at - TimeDelta::seconds(self.meters_behind_s), phases_a });
        }
        for device in 0..self.chargers.len() {
            if self.chargers[device].up
                && self.tells[device]
                && now.timestamp() % 10 == i64::try_from(device % 10).unwrap()
            {
                let mut phases_a = [0.0; 3];
                let carries = (0..3).filter(|own| self.chargers[device].carries(*own));
                carries.for_each(|own| phases_a[own] = self.draws_a(device));
                events.push(Event::Drawn { device, phases_a, session_kwh: None });
            }
        }
        let (state, output) = step(self.state.take().unwrap(), now, &events);
        self.state = Some(state);
        self.heard.push((now, events, output.clone()));
        for setpoint in &output.setpoints {
            self.sent.push(*setpoint);
            let charger = &mut self.chargers[setpoint.device];
            if !charger.up || !charger.answers {
                continue;
            }
            let accepted = charger.accepts;
            self.events.push(Event::Answered { device: setpoint.device, number: setpoint.number, accepted });
            if accepted {
                #[expect(clippy::cast_possible_truncation, reason = "whole seconds")]
                let valid = TimeDelta::seconds(setpoint.valid_s as i64);
                charger.lapses = now + valid;
            }
            if accepted && charger.obeys {
                charger.coming.push_back((now + TimeDelta::seconds(self.reaction_s), setpoint.amps, setpoint.phase));
            }
        }
        self.last = output;
        for node in 0..self.setup.nodes.len() {
            let flows_a = self.flows_a(node);
            for phase in 0..3 {
                let over = flows_a[phase] > self.setup.nodes[node].limit_a[phase] + 1.0;
                let (run_s, most_s) = &mut self.over_s[node][phase];
                *run_s = if over { *run_s + 1 } else { 0 };
                *most_s = (*most_s).max(*run_s);
            }
        }
    }

    pub fn seconds(&mut self, count: usize) {
        (0..count).for_each(|_| self.second());
    }

    /// What is told of meters in so many s.
    pub fn of_meters(&mut self, seconds: usize) -> Vec<Notice> {
        let mut told = Vec::new();
        for _ in 0..seconds {
            self.second();
            told.append(&mut self.last.notices);
        }
        told.retain(|notice| matches!(notice, Notice::MeterLost { .. } | Notice::MeterBack { .. }));
        told
    }

    /// For so long nothing can be known yet of a meter that was lost, in s.
    pub fn unnoticed_s(&self) -> i64 {
        #[expect(clippy::cast_possible_truncation, reason = "whole seconds")]
        let timeout_s = self.setup.settings.meter_timeout_s as i64;
        (timeout_s - (self.now - self.lost_at).num_seconds()).max(0)
    }

    /// The longest time that any phase of any board was above its limit in one go, in s.
    pub fn longest_over_s(&self) -> i64 {
        self.over_s.iter().flatten().map(|(_, most_s)| *most_s).max().unwrap_or(0)
    }
}
