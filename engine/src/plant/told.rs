//! What is heard of the depot: who is plugged in, what devices draw, what meters show.

use super::Plant;
use super::happen::Happening;
use super::meter::Reading;
use super::queue::{Ms, ms, seconds, whole_second};
use crate::control::event::{Event, Session};

/// A second.
const SECOND: Ms = 1000;

impl Plant {
    /// The fast loop is told who is plugged in, if the device can be reached.
    pub(super) fn introduce(&mut self, device: usize) {
        let unit = &self.units[device];
        let there = self.truth.devices[device].stay;
        if unit.own.cut > 0 || unit.own.booting || unit.told_stay == there {
            return;
        }
        if unit.told_stay.is_some() {
            self.out.push(Event::Unplugged { device });
        }
        if let Some(stay) = there {
            self.out.push(self.session(stay));
        }
        self.units[device].told_stay = there;
    }

    /// What is told of a stay.
    pub(super) fn session(&self, stay: usize) -> Event {
        let visit = &self.world.stays[stay];
        let session = Session {
            id: visit.id.clone(),
            phases: visit.told.phases,
            min_a: visit.car.min_a,
            max_a: visit.car.max_a,
            max_discharge_a: visit.car.max_discharge_a,
            need_kwh: visit.told.need_kwh,
            departure: visit.told.departure,
            priority: visit.told.priority,
            guaranteed_a: visit.told.guaranteed_a,
        };
        Event::Session { device: visit.device, session }
    }

    /// A connection stands again.
    pub(super) fn connected(&mut self, device: usize) {
        self.introduce(device);
        let own = &self.units[device].own;
        let at = self.now + ms(own.charger.latency_s).max(1);
        self.queue.seen(at, Happening::Holds(device, own.era));
        self.tell_soon(device);
    }

    /// A device tells what it draws at its next regular instant.
    pub(super) fn tell_soon(&mut self, device: usize) {
        let Some(every) = self.every(device) else { return };
        if !self.units[device].due {
            self.units[device].due = true;
            self.queue.seen((self.now / every + 1) * every, Happening::Tells(device));
        }
    }

    /// Where nothing has changed since the last regular instant, what was drawn then is heard.
    pub(super) fn tell_again(&mut self, device: usize) {
        let Some(every) = self.every(device) else { return };
        let at = self.now / every * every;
        let unit = &self.units[device];
        if !unit.due && at > unit.told_at && self.truth.devices[device].stay.is_some() {
            self.tell(device, at);
        }
    }

    /// How often a device tells what it draws.
    fn every(&self, device: usize) -> Option<Ms> {
        self.units[device].own.charger.meter_every_s.map(|every_s| ms(every_s).max(SECOND))
    }

    pub(super) fn tell(&mut self, device: usize, at: Ms) {
        let kw = self.kw(device);
        let truth = &self.truth.devices[device];
        let unit = &mut self.units[device];
        if !unit.own.reachable() {
            return;
        }
        unit.told_at = at;
        let energy_kwh = truth.stay.map(|stay| self.stays[stay].energy_kwh - kw * seconds(self.now - at) / 3600.0);
        let session_kwh = energy_kwh.filter(|_| unit.own.charger.tells_energy);
        self.out.push(Event::Drawn { device, phases_a: truth.drawn_a, session_kwh });
    }

    /// A meter publishes at the next whole second, which may be now.
    pub(super) fn show_soon(&mut self, node: usize) {
        if let Some(meter) = &mut self.meters[node]
            && !meter.due
        {
            meter.due = true;
            self.queue.seen(whole_second(self.now), Happening::Publishes(node));
        }
    }

    pub(super) fn publishes(&mut self, node: usize) {
        let flows_a = self.flows_a[node];
        let Some(meter) = &mut self.meters[node] else { return };
        meter.due = false;
        let Some(reading) = meter.read(self.now, flows_a) else { return };
        match meter.latency() {
            0 => self.reads(node, reading),
            latency => self.queue.seen(self.now + latency, Happening::Reads(node, reading)),
        }
    }

    /// Whoever looks at a meter sees what it shows.
    pub(super) fn show_again(&mut self, node: usize) {
        let flows_a = self.flows_a[node];
        if let Some(reading) = self.meters[node].as_ref().and_then(|meter| meter.again(self.now, flows_a)) {
            self.reads(node, reading);
        }
    }

    pub(super) fn reads(&mut self, node: usize, reading: Reading) {
        let Some(meter) = &mut self.meters[node] else { return };
        let clock = meter.clock();
        for heard in meter.arrives(reading).into_iter().flatten() {
            let at = self.instant(heard.at + clock);
            self.out.push(Event::Meter { node, at, phases_a: heard.amps });
        }
    }
}
