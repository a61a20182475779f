//! What happens in the depot, one kind of happening after the other. What breaks is in `broken.rs`, what is heard in `told.rs`.

use chrono::{DateTime, Utc};

use super::car::OnCable;
use super::charger::OnItsWay;
use super::meter::Reading;
use super::queue::{Ms, ms};
use super::world::World;
use super::{Body, Plant, Unit};
use crate::control::event::Event;
use crate::control::setup::Kind;

/// How long contactors stay open when a station changes phases, in s: vehicles take offence at less.
const SWITCHING_S: f64 = 10.0;

/// Something that happens.
#[derive(Debug, Clone)]
pub(super) enum Happening {
    /// The next step of the series.
    Step,
    /// A full hour: fallbacks may differ.
    Hour,
    /// A building's noise changes.
    Wavers(usize),
    /// A plant's noise changes.
    Clouds(usize),
    /// A motor starts at a node.
    MotorStarts(usize),
    /// It runs.
    MotorRuns(usize),
    /// A fault begins.
    Begins(usize),
    /// A fault ends.
    Ends(usize),
    /// A stay begins.
    Comes(usize),
    /// A stay ends.
    Leaves(usize),
    /// A flexible load wants to run.
    Wants(usize),
    /// It does not any more.
    Wanted(usize),
    /// The fast loop is told something.
    Told(usize),
    /// A command arrives.
    Arrives(OnItsWay),
    /// A vehicle notices what it is offered: device, guest, A.
    Notices(usize, u32, f64),
    /// A vehicle or battery changes by itself: device, turn.
    Turns(usize, u32),
    /// A setpoint lapses: device, lease.
    Lapses(usize, u32),
    /// A device has booted: device, era.
    Boots(usize, u32),
    /// The fast loop notices that a connection is cut: device, era.
    Missed(usize, u32),
    /// A device tells what it holds: device, era.
    Holds(usize, u32),
    /// A device tells what it draws.
    Tells(usize),
    /// A meter publishes.
    Publishes(usize),
    /// A late reading arrives.
    Reads(usize, Reading),
}

impl Happening {
    /// Whether it would change nothing, because something else came first.
    pub(super) fn is_void(&self, units: &[Unit]) -> bool {
        match self {
            Happening::Notices(device, guest, _) => units[*device].guest != *guest,
            Happening::Turns(device, turn) => units[*device].turn != *turn,
            Happening::Lapses(device, lease) => units[*device].own.lease != *lease,
            _ => false,
        }
    }
}

impl Plant {
    /// Everything that is known from the beginning goes into the queue.
    pub(super) fn begin(&mut self) {
        let World { faults, stays, runs, signals, start, .. } = &self.world;
        let at = |instant: DateTime<Utc>| (instant - *start).num_milliseconds().max(0);
        for (k, fault) in faults.iter().enumerate() {
            self.queue.unseen(at(fault.from), Happening::Begins(k));
            if fault.until > fault.from {
                self.queue.unseen(at(fault.until), Happening::Ends(k));
            }
        }
        for (k, stay) in stays.iter().enumerate().filter(|(_, stay)| stay.comes && stay.leaves > stay.plugs_in) {
            if stay.device < self.units.len() {
                self.queue.seen(at(stay.leaves), Happening::Leaves(k));
                self.queue.seen(at(stay.plugs_in), Happening::Comes(k));
            }
        }
        for (k, run) in runs.iter().enumerate().filter(|(_, run)| run.device < self.units.len()) {
            self.queue.seen(at(run.until), Happening::Wanted(k));
            self.queue.seen(at(run.from), Happening::Wants(k));
        }
        for (k, (instant, _)) in signals.iter().enumerate() {
            self.queue.seen(at(*instant), Happening::Told(k));
        }
        let (nodes, plants) = self.building.wavering();
        for node in nodes {
            self.queue.unseen(0, Happening::Wavers(node));
        }
        for plant in plants {
            self.queue.unseen(0, Happening::Clouds(plant));
        }
        for node in 0..self.setup.nodes.len() {
            if let Some(wait) = self.building.next_motor(node) {
                self.queue.unseen(wait, Happening::MotorStarts(node));
            }
            self.rebuild(node);
        }
        self.queue.unseen(self.building.step(), Happening::Step);
        self.queue.unseen(self.next_hour(), Happening::Hour);
        (0..self.units.len()).for_each(|device| self.offer(device, 0));
    }

    /// Something happens now.
    #[expect(clippy::needless_pass_by_value, reason = "it has happened then")]
    pub(super) fn happen(&mut self, what: Happening) {
        match what {
            Happening::Step => {
                (0..self.own_a.len()).for_each(|node| self.rebuild(node));
                self.queue.unseen(self.now + self.building.step(), Happening::Step);
            }
            Happening::Hour => {
                let hour = self.setup.hour(self.now());
                for device in 0..self.units.len() {
                    if self.units[device].own.on_fallback {
                        self.units[device].own.fall_back(hour);
                        self.offer(device, 0);
                    }
                }
                self.queue.unseen(self.next_hour(), Happening::Hour);
            }
            Happening::Wavers(node) => {
                let lasts = self.building.waver(node);
                self.queue.unseen(self.now + lasts, Happening::Wavers(node));
                self.rebuild(node);
            }
            Happening::Clouds(plant) => {
                let (node, lasts) = self.building.cloud(plant);
                self.queue.unseen(self.now + lasts, Happening::Clouds(plant));
                self.rebuild(node);
            }
            Happening::MotorStarts(node) => {
                let takes = self.building.motor_starts(node);
                self.queue.unseen(self.now + takes, Happening::MotorRuns(node));
                if let Some(wait) = self.building.next_motor(node) {
                    self.queue.unseen(self.now + wait, Happening::MotorStarts(node));
                }
                self.rebuild(node);
            }
            Happening::MotorRuns(node) => {
                self.building.motor_runs(node);
                self.rebuild(node);
            }
            Happening::Begins(fault) => self.fault(fault, true),
            Happening::Ends(fault) => self.fault(fault, false),
            Happening::Comes(stay) => self.comes(stay),
            Happening::Leaves(stay) => self.leaves(stay),
            Happening::Wants(run) => self.wants(run, self.world.runs[run].amps),
            Happening::Wanted(run) => self.wants(run, 0.0),
            Happening::Told(signal) => self.out.push(self.world.signals[signal].1.clone()),
            Happening::Arrives(command) => self.arrives(command),
            Happening::Notices(device, guest, amps) => {
                if self.units[device].guest == guest {
                    self.change(device, |car, now| car.hear(now, amps));
                }
            }
            Happening::Turns(device, turn) => {
                if self.units[device].turn == turn {
                    self.change(device, OnCable::turn);
                }
            }
            Happening::Lapses(device, lease) => {
                if self.units[device].own.lease == lease && !self.units[device].own.booting {
                    let hour = self.setup.hour(self.now());
                    let own = &mut self.units[device].own;
                    if own.ignoring == 0 && !own.charger.ignores {
                        let moves = own.fall_back(hour);
                        self.rewired(device, moves && self.phases(device) == 1);
                    }
                }
            }
            Happening::Boots(device, era) => self.boots(device, era),
            Happening::Missed(device, era) => {
                if self.units[device].own.era == era && self.units[device].own.cut > 0 {
                    self.count(device);
                    self.units[device].own.silent = true;
                    self.out.push(Event::Link { device, up: false });
                    self.redraw(device);
                }
            }
            Happening::Holds(device, era) => {
                let own = &self.units[device].own;
                if own.era == era && own.reachable() && own.charger.tells_limit {
                    self.out.push(Event::Holds { device, amps: own.claims_a });
                }
            }
            Happening::Tells(device) => {
                self.units[device].due = false;
                self.count(device);
                self.tell(device, self.now);
            }
            Happening::Publishes(node) => self.publishes(node),
            Happening::Reads(node, reading) => self.reads(node, reading),
        }
    }

    /// A change of a vehicle or battery by itself, then of all that hangs on it.
    fn change(&mut self, device: usize, change: impl FnOnce(&mut OnCable, Ms)) {
        self.count(device);
        if let Body::Car(car) = &mut self.units[device].body {
            change(car, self.now);
        }
        self.redraw(device);
    }

    /// What a device allows may have changed: whoever hangs on it will notice, after so long and its own reaction.
    pub(super) fn offer(&mut self, device: usize, after: Ms) {
        self.count(device);
        let unit = &mut self.units[device];
        let allows_a = unit.own.allows_a();
        match &mut unit.body {
            Body::Car(car) => {
                if unit.own.booting {
                    car.interrupt(self.now);
                    unit.guest += 1;
                    unit.offered_a = 0.0;
                } else if unit.offered_a != allows_a || after > 0 {
                    unit.offered_a = allows_a;
                    // Never before what it was offered earlier: contactors may still be open.
                    let at = unit.notices_at.max(self.now + after + car.reaction());
                    unit.notices_at = at;
                    self.queue.unseen(at, Happening::Notices(device, unit.guest, allows_a));
                }
            }
            Body::Battery(battery) => battery.hear(allows_a),
            Body::Nothing | Body::Load(_) => {}
        }
        self.redraw(device);
    }

    /// The next change of a vehicle or battery by itself.
    pub(super) fn plan_turn(&mut self, device: usize) {
        let kw = self.kw(device);
        let unit = &mut self.units[device];
        unit.turn += 1;
        let next = match &unit.body {
            Body::Car(car) => car.next(self.now, kw),
            Body::Battery(battery) => battery.next(self.now, kw),
            Body::Nothing | Body::Load(_) => None,
        };
        if let Some(at) = next {
            self.queue.unseen(at.max(self.now + 1), Happening::Turns(device, unit.turn));
        }
    }

    fn comes(&mut self, stay: usize) {
        let device = self.world.stays[stay].device;
        if self.truth.devices[device].stay.is_some() {
            self.units[device].waiting.push(stay);
            return;
        }
        self.count(device);
        let visit = &self.world.stays[stay];
        let unit = &mut self.units[device];
        unit.body = Body::Car(OnCable::new(visit.car, visit.soc_kwh, self.now));
        unit.guest += 1;
        unit.offered_a = 0.0;
        self.truth.devices[device].stay = Some(stay);
        self.stays[stay].plugged_in = Some(self.now());
        self.introduce(device);
        self.offer(device, 0);
    }

    fn leaves(&mut self, stay: usize) {
        let device = self.world.stays[stay].device;
        self.units[device].waiting.retain(|&other| other != stay);
        if self.truth.devices[device].stay != Some(stay) {
            return;
        }
        self.count(device);
        self.stays[stay].left = Some(self.now());
        self.truth.devices[device].stay = None;
        let unit = &mut self.units[device];
        unit.body = Body::Nothing;
        unit.guest += 1;
        let next = if unit.waiting.is_empty() { None } else { Some(unit.waiting.remove(0)) };
        self.introduce(device);
        self.redraw(device);
        if let Some(next) = next {
            self.comes(next);
        }
    }

    fn wants(&mut self, run: usize, amps: f64) {
        let device = self.world.runs[run].device;
        if self.setup.devices[device].kind == Kind::Load {
            self.count(device);
            self.units[device].body = Body::Load(amps);
            self.out.push(Event::Wish { device, amps });
            self.redraw(device);
        }
    }

    fn arrives(&mut self, command: OnItsWay) {
        let device = command.setpoint.device;
        self.count(device);
        let own = &mut self.units[device].own;
        let before = own.lease;
        let took = own.takes(command);
        if own.lease != before
            && let Some(wait) = own.lapses_in(&command.setpoint)
        {
            self.queue.unseen(self.now + wait, Happening::Lapses(device, own.lease));
        }
        if let Some(accepted) = took.answer {
            self.out.push(Event::Answered { device, number: command.setpoint.number, accepted });
        }
        self.rewired(device, took.switches || (took.moves && self.phases(device) == 1));
    }

    /// What a device allows may have changed, and where it `switches` phases its contactors open first.
    pub(super) fn rewired(&mut self, device: usize, switches: bool) {
        if switches && matches!(self.units[device].body, Body::Car(_)) {
            self.change(device, OnCable::interrupt);
            self.units[device].guest += 1;
            self.offer(device, ms(SWITCHING_S));
        } else {
            self.offer(device, 0);
        }
    }
}
