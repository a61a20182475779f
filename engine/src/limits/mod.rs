//! The last clamp: every setpoint passes it on its way to a device, and it can only lower.
//!
//! It stands here so that no mistake in `control` can blow a fuse. It therefore shares nothing with `control` but the words
//! in `control::{setup, event, command}`, keeps its own small view of what devices hold and meters show, and knows no plan,
//! no wishes, no fairness. For every board and phase it keeps
//!
//! ```text
//! building at its worst + the most that every device below may draw ≤ limit
//! ```
//!
//! where the most a device may draw is what it holds and every command to it that may still be in force, and, for devices
//! that are out of reach, what they fall back to. What fits by this sum passes. What does not is cut to what fits, but not
//! below what the device surely holds already; who comes last is cut first. Setpoints that lower always pass.
//!
//! What it leaves to `control`: tolerances in time, imbalance, averages over a quarter-hour, and sending decreases: a clamp
//! cannot make room by itself. Where neither a meter nor `building_max_a` tells what the building draws at a board, no
//! device below gets more than its fallback.

mod board;
mod grid;
mod held;
mod meter;

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};

use self::board::Sums;
use self::grid::Orders;
use self::held::Held;
use self::meter::Shown;
use crate::control::command::Setpoint;
use crate::control::event::Event;
use crate::control::setup::{Device, Kind, LOWEST_A, Setup};
use crate::control::stays::Stays;

/// What knows more of the time than this was paused, or its clock has jumped.
const LONGEST_STEP: TimeDelta = TimeDelta::seconds(61);

/// How far the clock of a device that is out of reach may be off, in minutes: around a change of the hour it may hold
/// either hour's fallback.
const CLOCK_ERROR_MIN: i64 = 5;

/// Sums of currents are compared with so much tolerance, in A: rounding.
const SLACK_A: f64 = 1e-6;

/// The clamp, and what it knows.
#[derive(Debug, Clone)]
pub struct Clamp {
    setup: Setup,
    held: Vec<Held>,
    shown: Vec<Shown>,
    sums: Sums,
    orders: Orders,
    /// Grid phases on which each device counts now, and what it may draw on them.
    counted: Vec<Counted>,
    /// Devices whose readings will count less: when and which; those that meters may lag behind, those still believed.
    ageing: [VecDeque<(f64, usize)>; 2],
    /// Devices of which nobody may have heard by then: when, by the sure seconds, and which.
    unheard: VecDeque<(f64, usize)>,
    /// s that have passed, which never go back, whatever the wall clock does.
    clock_s: f64,
    /// s that have surely passed: none where the process was paused or the wall clock jumped.
    sure_s: f64,
    heard_at: Option<DateTime<Utc>>,
    /// The hours whose fallback counts, and the part of the hour in which they do.
    hours: [usize; 2],
    part: Option<i64>,
}

/// What a device may draw, as it stands in the sums.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[expect(clippy::struct_field_names, reason = "the unit")]
struct Counted {
    /// The most on each grid phase in A.
    most_a: [f64; 3],
    /// The least, below 0 where it may feed in.
    least_a: [f64; 3],
    /// What it draws in the meters' readings at least, and at most.
    seen_a: [[f64; 3]; 2],
}

impl Clamp {
    /// A clamp that knows nothing yet: whatever a device holds may be its full rating.
    pub fn new(setup: &Setup) -> Self {
        let held: Vec<Held> = setup.devices.iter().map(|_| Held::default()).collect();
        let mut clamp = Clamp {
            setup: setup.clone(),
            shown: vec![Shown::default(); setup.nodes.len()],
            sums: Sums::of(setup.nodes.len()),
            orders: Orders::default(),
            counted: vec![Counted::default(); held.len()],
            held,
            ageing: [VecDeque::new(), VecDeque::new()],
            unheard: (0..setup.devices.len()).map(|device| (held::LAPSED_S, device)).collect(),
            clock_s: 0.0,
            sure_s: 0.0,
            heard_at: None,
            hours: [0, 0],
            part: None,
        };
        (0..clamp.held.len()).for_each(|device| clamp.recount(device));
        clamp
    }

    /// The clamp after its site has changed: what it knows of devices and boards that are the same as before is kept. It has to be
    /// told again what a grid operator orders.
    pub fn carried(&self, setup: &Setup, stays: &Stays) -> Self {
        let mut new = Clamp::new(setup);
        (new.clock_s, new.sure_s, new.heard_at, new.hours) = (self.clock_s, self.sure_s, self.heard_at, self.hours);
        for (device, before) in stays.devices.iter().enumerate() {
            if let Some(before) = before {
                new.held[device] = self.held[*before].clone();
            }
        }
        for (node, before) in stays.nodes.iter().enumerate() {
            if let Some(before) = before {
                new.shown[node] = self.shown[*before].clone();
            }
        }
        // What goes may draw on, and is the building's from now on, should the meter be silent.
        for &device in &stays.away {
            let most_a = self.counted[device].most_a;
            for node in self.setup.chain(self.setup.devices[device].node).filter_map(|node| stays.moves.node(node)) {
                new.shown[node].draws_more(most_a);
            }
        }
        for (ageing, before) in new.ageing.iter_mut().zip(&self.ageing) {
            ageing.extend(before.iter().filter_map(|(until_s, device)| Some((*until_s, stays.moves.device(*device)?))));
        }
        let still = self.unheard.iter().filter_map(|(until_s, device)| Some((*until_s, stays.moves.device(*device)?)));
        let still = still.filter(|(_, device)| stays.devices[*device].is_some());
        let unknown = (0..new.held.len()).filter(|&device| stays.devices[device].is_none());
        new.unheard = still.chain(unknown.map(|device| (self.sure_s + held::LAPSED_S, device))).collect();
        (0..new.held.len()).for_each(|device| new.recount(device));
        new
    }

    /// Takes in what has happened.
    pub fn hear(&mut self, now: DateTime<Utc>, events: &[Event]) {
        self.pass_time(now);
        for event in events {
            match event {
                Event::Meter { node, at, phases_a } => self.hear_meter(*node, *at, *phases_a),
                Event::Signal(signal) => self.orders.put(signal.clone()),
                Event::Withdrawn { id } => self.orders.remove(id),
                Event::Drawn { device, .. }
                | Event::Link { device, .. }
                | Event::Booted { device }
                | Event::Holds { device, .. }
                | Event::Stores { device, .. }
                | Event::Answered { device, .. }
                | Event::Session { device, .. }
                | Event::Unplugged { device } => self.hear_device(*device, event),
                Event::Wish { .. } | Event::Planned(_) | Event::Override { .. } => {}
            }
        }
    }

    /// What of these setpoints may be sent, in their order, without those for devices that are none. They count as sent
    /// from now on.
    pub fn pass(&mut self, now: DateTime<Utc>, mut setpoints: Vec<Setpoint>) -> Vec<Setpoint> {
        self.pass_time(now);
        let buildings = self.buildings();
        let mut orders = self.orders.at(&self.setup, now, &self.counted);
        setpoints.retain(|setpoint| setpoint.device < self.held.len());
        for setpoint in &mut setpoints {
            let k = setpoint.device;
            setpoint.amps = self.lowered(setpoint, &buildings, &orders);
            let before = self.counted[k];
            self.held[k].sent(setpoint);
            self.recount(k);
            orders.shift(&self.setup, k, &before, &self.counted[k]);
        }
        setpoints
    }

    /// The most that may flow through a board's phases by what is known, in A, import positive; infinite where nothing
    /// tells what the building draws.
    pub fn most_a(&self, node: usize) -> [f64; 3] {
        let buildings = self.buildings();
        std::array::from_fn(|phase| buildings[node].most_a[phase] + self.sums.most_a[node][phase])
    }

    /// The most that may be fed in through a board's phases, as a current below 0.
    pub fn least_a(&self, node: usize) -> [f64; 3] {
        let buildings = self.buildings();
        std::array::from_fn(|phase| buildings[node].least_a[phase] + self.sums.least_a[node][phase])
    }

    fn pass_time(&mut self, now: DateTime<Utc>) {
        let passed = self.heard_at.map_or(TimeDelta::zero(), |heard_at| now - heard_at);
        self.heard_at = Some(now);
        let passed_s = (passed.num_milliseconds().max(0) as f64) / 1000.0;
        self.clock_s += passed_s;
        if passed > LONGEST_STEP {
            self.shown.iter_mut().for_each(Shown::jumped);
        } else {
            self.sure_s += passed_s;
        }
        // An hour that long ago or ahead begins and ends at a whole multiple of that, in every zone.
        let part = now.timestamp().div_euclid(60 * CLOCK_ERROR_MIN);
        let error = TimeDelta::minutes(CLOCK_ERROR_MIN);
        let hours = if self.part == Some(part) {
            self.hours
        } else {
            self.part = Some(part);
            [self.setup.hour(now - error), self.setup.hour(now + error)]
        };
        if hours != self.hours {
            self.hours = hours;
            for device in 0..self.held.len() {
                if self.held[device].is_adrift() {
                    self.recount(device);
                }
            }
        }
        while let Some((_, device)) = self.unheard.pop_front_if(|(until_s, _)| *until_s <= self.sure_s) {
            self.held[device].lapses();
            self.recount(device);
        }
        for kind in 0..self.ageing.len() {
            while let Some((_, device)) = self.ageing[kind].pop_front_if(|(until_s, _)| *until_s <= self.clock_s) {
                self.recount(device);
            }
        }
    }

    fn hear_device(&mut self, k: usize, event: &Event) {
        let Some(device) = self.setup.devices.get(k) else { return };
        let held = &mut self.held[k];
        match event {
            Event::Drawn { phases_a, .. } => {
                let lag_s = self.setup.settings.meter_timeout_s;
                held.drew(self.clock_s, *phases_a, device, self.hours, lag_s);
                self.ageing[0].push_back((self.clock_s + lag_s, k));
                self.ageing[1].push_back((self.clock_s + held::BELIEVED_S, k));
            }
            Event::Link { up, .. } => held.link(*up),
            Event::Booted { .. } => held.booted(device),
            Event::Holds { amps, .. } => held.holds(amps.unwrap_or(device.max_a), device),
            Event::Stores { by_hour_a, .. } => held.stores(*by_hour_a, device),
            Event::Answered { number, accepted, .. } => held.answered(*number, *accepted),
            Event::Session { session, .. } => held.plugged(Some(&session.id), session.phases),
            Event::Unplugged { .. } => {
                let lag_s = self.setup.settings.meter_timeout_s;
                held.unplugged(self.clock_s, lag_s);
                self.ageing[0].push_back((self.clock_s + lag_s, k));
            }
            _ => {}
        }
        self.recount(k);
    }

    fn hear_meter(&mut self, k: usize, at: DateTime<Utc>, phases_a: [f64; 3]) {
        let Some(node) = self.setup.nodes.get(k) else { return };
        if node.meter.is_some() {
            let (seen_a, feeding_a) = (&self.sums.seen_a[k], &self.sums.least_a[k]);
            self.shown[k].hear(self.clock_s, at, phases_a, node, seen_a, feeding_a, &self.setup.settings);
        }
    }

    /// What the building draws below each board, at most and at least.
    fn buildings(&self) -> Vec<board::Building> {
        board::buildings(&self.setup, &self.shown, &self.sums, self.clock_s, self.hours)
    }

    /// Brings what a device may draw up to date in the sums of all boards above it.
    fn recount(&mut self, k: usize) {
        let device = &self.setup.devices[k];
        let now = self.held[k].counted(device, self.clock_s, self.hours, self.setup.settings.meter_timeout_s);
        if now != self.counted[k] {
            self.sums.shift(&self.setup, device, &self.counted[k], &now);
            self.counted[k] = now;
        }
    }

    /// The setpoint as it may be sent: nearer to 0, or as it was.
    fn lowered(&self, setpoint: &Setpoint, buildings: &[board::Building], orders: &grid::InForce) -> f64 {
        let k = setpoint.device;
        let device = &self.setup.devices[k];
        if !setpoint.amps.is_finite() {
            return 0.0;
        }
        let amps = setpoint.amps.clamp(-device.max_discharge_a.max(0.0), device.max_a.max(0.0));
        let held = &self.held[k];
        let counted = &self.counted[k];
        let phases = held.phases(device, Some(setpoint));
        // On phases that are new to it, it surely holds nothing yet.
        let least_a = if phases == held.phases(device, None) { held.surely(device, self.hours) } else { 0.0 };
        let mut room_a = f64::INFINITY;
        let importing = amps >= 0.0;
        if !importing && !orders.may_feed_in(&self.setup, k) {
            return 0.0;
        }
        for node in self.setup.chain(device.node) {
            for phase in (0..3).filter(|&phase| phases[phase]) {
                let limit_a = self.setup.nodes[node].limit_a[phase].min(orders.node_a(node, phase));
                let building = &buildings[node];
                let free_a = if !importing {
                    let others_a = self.sums.least_a[node][phase] - counted.least_a[phase];
                    limit_a + building.least_a[phase] + others_a
                } else if building.most_a[phase].is_finite() {
                    let others_a = self.sums.most_a[node][phase] - counted.most_a[phase];
                    limit_a - building.most_a[phase] - others_a
                } else {
                    held::fallback_now(device, self.hours).map_or(0.0, |[low_a, _]| low_a)
                };
                room_a = room_a.min(free_a);
            }
        }
        if importing {
            room_a = room_a.min(orders.room_a(&self.setup, k, &self.counted, buildings, &self.sums, phases));
        }
        let surely_a = if importing { least_a.max(0.0) } else { (-least_a).max(0.0) };
        let magnitude = amps.abs();
        let fits = if magnitude <= room_a + SLACK_A { magnitude } else { room_a.max(surely_a).min(magnitude) };
        let lowest_a = lowest_a(device);
        let fits = if magnitude < lowest_a || fits + SLACK_A < lowest_a { 0.0 } else { fits.max(lowest_a) };
        if importing { fits } else { -fits }
    }
}

/// The lowest current other than 0 that a device can run at, in A.
fn lowest_a(device: &Device) -> f64 {
    if device.kind == Kind::Station { device.min_a.max(LOWEST_A) } else { device.min_a }
}
