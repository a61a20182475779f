//! The simulated depot: vehicles, charging stations, boards, meters and what goes wrong with them.
//!
//! A [`World`] says what happens whatever is commanded; [`Plant`] adds what commands do. It goes from event to event: what
//! flows is constant in between, and quiet time costs nothing. The physics and the quirks are in `docs/simulation.md`.
//!
//! ```text
//! t = min(plant.next_at(), what else is due)
//! events = plant.advance(t, &mut judges)      the truth of every interval goes to the judges
//! output = control.step(t, events)
//! plant.send(setpoint) for each
//! ```

// A value is compared with what it was before, not with one that was computed otherwise.
#![allow(clippy::float_cmp)]

mod broken;
mod building;
mod car;
mod chance;
mod charger;
mod hands;
mod happen;
pub mod judge;
mod meter;
pub mod population;
pub mod possible;
pub mod profiles;
mod queue;
pub mod record;
mod steady;
mod told;
pub mod trace;
pub mod truth;
pub mod world;

use chrono::{DateTime, TimeDelta, Timelike, Utc};

use self::building::Building;
use self::car::OnCable;
use self::chance::{Chance, For};
use self::charger::Electronics;
use self::happen::Happening;
use self::meter::Measuring;
use self::queue::{Ms, Queue, seconds};
use self::steady::Battery;
use self::truth::{DeviceTruth, NodeTruth, StayTruth, Truth, Watcher};
use self::world::World;
use crate::control::command::Setpoint;
use crate::control::event::Event;
use crate::control::setup::{Kind, Setup};

/// What hangs on a device.
#[derive(Debug, Clone)]
enum Body {
    /// Nothing.
    Nothing,
    /// A vehicle.
    Car(OnCable),
    /// A stationary battery.
    Battery(Battery),
    /// A flexible load, and what it wants in A per phase.
    Load(f64),
}

/// A device: its electronics, what hangs on it, and what of it has been told.
#[derive(Debug)]
struct Unit {
    own: Electronics,
    body: Body,
    /// The stay that the fast loop believes in.
    told_stay: Option<usize>,
    /// Stays that wait until the device is free.
    waiting: Vec<usize>,
    /// Counts what voids a planned turn of its body.
    turn: u32,
    /// Counts vehicles, so that none hears what was offered to another.
    guest: u32,
    /// What the vehicle was last offered, in A.
    offered_a: f64,
    /// When it notices that.
    notices_at: Ms,
    /// Until when its energy is counted.
    counted: Ms,
    /// What it adds to the boards: drawn, and held in reserve, by grid phase.
    flows_a: [f64; 3],
    reserve_a: [f64; 3],
    /// Whether it will tell what it draws, and when it last did.
    due: bool,
    told_at: Ms,
}

/// The simulated depot.
#[derive(Debug)]
pub struct Plant {
    setup: Setup,
    world: World,
    now: Ms,
    queue: Queue<Happening>,
    building: Building,
    /// What the building draws at each node itself.
    own_a: Vec<[f64; 3]>,
    /// What each node's meter has in its reading.
    flows_a: Vec<[f64; 3]>,
    meters: Vec<Option<Measuring>>,
    units: Vec<Unit>,
    truth: Truth,
    stays: Vec<StayTruth>,
    /// What the fast loop will hear.
    out: Vec<Event>,
}

impl Plant {
    /// A depot at the beginning of its days. The same setup, world, seed and commands make the same events.
    pub fn new(setup: &Setup, world: World, seed: u64) -> Plant {
        let nodes = setup.nodes.len();
        let hour = setup.hour(world.start);
        let units: Vec<Unit> = setup
            .devices
            .iter()
            .enumerate()
            .map(|(k, device)| {
                let charger = world.chargers.get(k).cloned().unwrap_or_default();
                let store = world.stores.iter().find(|store| store.device == k);
                let body = match (device.kind, store) {
                    (Kind::Load, _) => Body::Load(0.0),
                    (Kind::Battery, Some(store)) => Body::Battery(Battery::new(*store)),
                    _ => Body::Nothing,
                };
                let own = Electronics::new(device, charger, Chance::new(seed, For::Device(k)), hour);
                Unit {
                    own,
                    body,
                    told_stay: None,
                    waiting: Vec::new(),
                    turn: 0,
                    guest: 0,
                    offered_a: 0.0,
                    notices_at: 0,
                    counted: 0,
                    flows_a: [0.0; 3],
                    reserve_a: [0.0; 3],
                    due: false,
                    told_at: 0,
                }
            })
            .collect();
        let meters = setup
            .nodes
            .iter()
            .enumerate()
            .map(|(k, node)| node.meter.map(|_| Measuring::new(world.meters.get(k).copied().unwrap_or_default())))
            .collect();
        let stays = world.stays.iter().map(|s| StayTruth { soc_kwh: s.soc_kwh, ..StayTruth::default() }).collect();
        let mut plant = Plant {
            building: Building::new(&world, nodes, setup.voltage_v, seed),
            own_a: vec![[0.0; 3]; nodes],
            flows_a: vec![[0.0; 3]; nodes],
            meters,
            truth: Truth {
                nodes: vec![NodeTruth::default(); nodes],
                devices: vec![DeviceTruth::default(); units.len()],
            },
            units,
            stays,
            setup: setup.clone(),
            world,
            now: 0,
            queue: Queue::new(),
            out: Vec::new(),
        };
        plant.begin();
        plant
    }

    /// The next instant at which the fast loop may have something to hear; `None`, never again.
    pub fn next_at(&self) -> Option<DateTime<Utc>> {
        self.queue.next().map(|at| self.instant(at))
    }

    /// Goes on to an instant, and shows the watcher every interval in which nothing changed. Returns what the fast loop
    /// hears. Meters and stations that publish regularly are heard even if nothing has changed.
    pub fn advance(&mut self, to: DateTime<Utc>, watcher: &mut dyn Watcher) -> Vec<Event> {
        let to = (to - self.world.start).num_milliseconds().max(self.now);
        while let Some((at, what)) = self.queue.pop(to) {
            self.pass(at, watcher);
            self.happen(what);
        }
        self.pass(to, watcher);
        for device in 0..self.units.len() {
            self.count(device);
            self.tell_again(device);
        }
        for node in 0..self.meters.len() {
            self.show_again(node);
        }
        let units = &self.units;
        self.queue.drop_void(|what| what.is_void(units));
        std::mem::take(&mut self.out)
    }

    /// Sends a command, at the instant of the last advance.
    pub fn send(&mut self, setpoint: &Setpoint) {
        let Some(unit) = self.units.get_mut(setpoint.device) else { return };
        if let Some((at, command)) = unit.own.sent(self.now, *setpoint) {
            self.queue.seen(at, Happening::Arrives(command));
        }
    }

    /// What really is.
    pub fn truth(&self) -> &Truth {
        &self.truth
    }

    /// What became of the stays, in the order of the world.
    pub fn stays(&self) -> &[StayTruth] {
        &self.stays
    }

    /// Energy in a stationary battery in kWh; `None`, the device is none.
    pub fn stored_kwh(&self, device: usize) -> Option<f64> {
        match &self.units.get(device)?.body {
            Body::Battery(battery) => Some(battery.soc_kwh()),
            _ => None,
        }
    }

    /// What a fast loop that has just started would hear: which connections are up, who is plugged in, what is held.
    pub fn holds(&self) -> Vec<Event> {
        let mut events = Vec::new();
        for (device, unit) in self.units.iter().enumerate() {
            let up = unit.own.reachable();
            events.push(Event::Link { device, up });
            if !up {
                continue;
            }
            events.extend(unit.told_stay.map(|stay| self.session(stay)));
            if unit.own.charger.tells_limit {
                events.push(Event::Holds { device, amps: unit.own.claims_a });
            }
            if let Body::Load(amps) = unit.body {
                events.push(Event::Wish { device, amps });
            }
        }
        events
    }

    /// The instant now.
    pub fn now(&self) -> DateTime<Utc> {
        self.instant(self.now)
    }

    fn instant(&self, at: Ms) -> DateTime<Utc> {
        self.world.start + TimeDelta::milliseconds(at)
    }

    /// Time passes, and the watcher looks on.
    fn pass(&mut self, at: Ms, watcher: &mut dyn Watcher) {
        if at > self.now {
            watcher.held(self.instant(self.now), self.instant(at), &self.truth);
            self.now = at;
        }
    }

    /// How long until the next full hour of the clock.
    fn next_hour(&self) -> Ms {
        let now = self.now();
        let into = i64::from(now.minute()) * 60_000 + i64::from(now.second()) * 1000;
        self.now + 3_600_000 - into - i64::from(now.timestamp_subsec_millis())
    }

    /// Phases of a device that carry current now.
    fn phases(&self, device: usize) -> usize {
        let unit = &self.units[device];
        let wired = unit.own.phases.len();
        match &unit.body {
            Body::Car(car) => car.phases().min(unit.own.in_use).min(wired),
            _ => wired,
        }
    }

    /// Which of its own phases carry current now.
    fn carries(&self, device: usize) -> [bool; 3] {
        let (unit, phases) = (&self.units[device], self.phases(device));
        let single = phases == 1 && matches!(unit.body, Body::Car(_));
        std::array::from_fn(|own| if single { own == unit.own.single } else { own < phases })
    }

    /// What flows through a device now, in kW.
    fn kw(&self, device: usize) -> f64 {
        let drawn_a = self.truth.devices[device].drawn_a;
        let amps = drawn_a.into_iter().find(|amps| *amps != 0.0).unwrap_or(0.0);
        self.setup.kw(amps, self.phases(device))
    }

    /// Counts a device's energy up to now.
    fn count(&mut self, device: usize) {
        let kw = self.kw(device);
        let truth = &mut self.truth.devices[device];
        let unit = &mut self.units[device];
        let hours = seconds(self.now - unit.counted) / 3600.0;
        unit.counted = self.now;
        if hours <= 0.0 || truth.drawn_a == [0.0; 3] {
            return;
        }
        truth.energy_kwh += kw * hours;
        match &mut unit.body {
            Body::Car(car) => {
                truth.lost_kwh += car.pass(hours, kw);
                if let Some(stay) = truth.stay {
                    self.stays[stay].energy_kwh += kw * hours;
                    self.stays[stay].soc_kwh = car.soc_kwh;
                }
            }
            Body::Battery(battery) => truth.lost_kwh += battery.pass(hours, kw),
            Body::Nothing | Body::Load(_) => {}
        }
    }

    /// Brings what a device draws, and everything above it, in line with the state of its body. Its energy has been counted.
    fn redraw(&mut self, device: usize) {
        let carries = self.carries(device);
        let unit = &mut self.units[device];
        let allows_a = unit.own.allows_a();
        let amps = match &unit.body {
            Body::Nothing => 0.0,
            Body::Car(car) => car.amps,
            Body::Battery(battery) => battery.amps(),
            Body::Load(wants_a) => steady::load_a(*wants_a, allows_a, self.setup.devices[device].min_a),
        };
        let drawn_a = std::array::from_fn(|own| if carries[own] { amps } else { 0.0 });
        let truth = &mut self.truth.devices[device];
        let changed = truth.drawn_a != drawn_a;
        truth.drawn_a = drawn_a;
        truth.holds_a = unit.own.holds_a;
        truth.allows_a = allows_a;
        truth.silent = unit.own.silent;
        truth.hungry = matches!(&unit.body, Body::Car(car) if car.hungry());
        if let (Body::Car(car), Some(stay)) = (&unit.body, truth.stay) {
            self.stays[stay].starts = car.starts;
        }
        let mut flows_a = [0.0; 3];
        let mut reserve_a = [0.0; 3];
        for (own, &grid) in unit.own.phases.iter().enumerate() {
            flows_a[grid] = drawn_a[own];
            // The vehicle that is there draws on its own phases alone; whoever comes next may use all.
            let may = carries[own] || matches!(unit.body, Body::Nothing);
            reserve_a[grid] = if unit.own.silent && may { (allows_a - drawn_a[own]).max(0.0) } else { 0.0 };
        }
        let more_a: [f64; 3] = std::array::from_fn(|phase| flows_a[phase] - unit.flows_a[phase]);
        let wary_a: [f64; 3] = std::array::from_fn(|phase| reserve_a[phase] - unit.reserve_a[phase]);
        unit.flows_a = flows_a;
        unit.reserve_a = reserve_a;
        if more_a != [0.0; 3] || wary_a != [0.0; 3] {
            self.flow(device, more_a, wary_a);
        }
        if changed {
            self.tell_soon(device);
        }
        self.plan_turn(device);
    }

    /// A device draws more or less, and holds more or less in reserve: that goes up the tree.
    fn flow(&mut self, device: usize, more_a: [f64; 3], wary_a: [f64; 3]) {
        let kind = self.setup.devices[device].kind;
        let mut next = Some(self.setup.devices[device].node);
        while let Some(node) = next {
            let seen = self.setup.nodes[node].meter.is_some_and(|meter| meter.sees(kind));
            for phase in 0..3 {
                self.truth.nodes[node].devices_a[phase] += more_a[phase];
                self.truth.nodes[node].reserve_a[phase] += wary_a[phase];
                if seen {
                    self.flows_a[node][phase] += more_a[phase];
                }
            }
            if seen && more_a != [0.0; 3] {
                self.show_soon(node);
            }
            next = self.setup.nodes[node].parent;
        }
    }

    /// The building at a node draws something else: that goes up the tree.
    fn rebuild(&mut self, node: usize) {
        let own_a = self.building.own_a(node, self.now);
        let before_a = std::mem::replace(&mut self.own_a[node], own_a);
        if own_a == before_a {
            return;
        }
        let mut next = Some(node);
        while let Some(node) = next {
            for phase in 0..3 {
                let more_a = own_a[phase] - before_a[phase];
                self.truth.nodes[node].building_a[phase] += more_a;
                self.flows_a[node][phase] += more_a;
            }
            self.show_soon(node);
            next = self.setup.nodes[node].parent;
        }
    }
}

#[cfg(test)]
mod tests;
