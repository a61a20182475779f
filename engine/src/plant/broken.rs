//! What breaks, and comes back.

use super::Plant;
use super::happen::Happening;
use super::queue::ms;
use super::world::What;
use crate::control::event::Event;

impl Plant {
    /// A fault begins or ends.
    pub(super) fn fault(&mut self, index: usize, begins: bool) {
        let what = self.world.faults[index].what.clone();
        match what {
            What::Meter { node, how } => {
                let flows_a = self.flows_a.get(node).copied().unwrap_or_default();
                if let Some(Some(meter)) = self.meters.get_mut(node) {
                    if begins {
                        meter.begins(index, how, flows_a);
                    } else {
                        meter.ends(index);
                    }
                    self.show_soon(node);
                }
            }
            What::Link { devices, noticed_after_s } => {
                let all: Vec<usize> = if devices.is_empty() { (0..self.units.len()).collect() } else { devices };
                for device in all {
                    self.link(device, begins, noticed_after_s);
                }
            }
            What::Building { node, amps } if node < self.own_a.len() => {
                self.building.add(node, amps, if begins { 1.0 } else { -1.0 });
                self.rebuild(node);
            }
            What::Pv { plant, share } => {
                if let Some(node) = self.building.dim(plant, if begins { share } else { 1.0 }) {
                    self.rebuild(node);
                }
            }
            What::Reboot { device } if begins => self.reboots(device),
            What::Ignores { device } => self.device_fault(device, |own| count(&mut own.ignoring, begins)),
            What::Rejects { device } => self.device_fault(device, |own| count(&mut own.rejecting, begins)),
            What::Overdraws { device, by_a } => {
                self.device_fault(device, |own| own.overdraws_a = if begins { by_a } else { 0.0 });
            }
            What::Slow { device, latency_s } => {
                self.device_fault(device, |own| own.slow_s = begins.then_some(latency_s));
            }
            What::Building { .. } | What::Reboot { .. } | What::Restart | What::Clock { .. } => {}
        }
    }

    fn device_fault(&mut self, device: usize, change: impl FnOnce(&mut super::charger::Electronics)) {
        if device < self.units.len() {
            change(&mut self.units[device].own);
            self.offer(device, 0);
        }
    }

    fn reboots(&mut self, device: usize) {
        if device >= self.units.len() {
            return;
        }
        let own = &mut self.units[device].own;
        own.booting = true;
        own.era += 1;
        let at = self.now + ms(own.charger.boot_s).max(1);
        self.queue.seen(at, Happening::Boots(device, own.era));
        self.offer(device, 0);
    }

    fn link(&mut self, device: usize, cut: bool, noticed_after_s: f64) {
        if device >= self.units.len() {
            return;
        }
        self.count(device);
        let own = &mut self.units[device].own;
        count(&mut own.cut, cut);
        if cut && own.cut == 1 {
            if !own.booting {
                own.era += 1;
            }
            let era = own.era;
            self.queue.seen(self.now + ms(noticed_after_s).max(1), Happening::Missed(device, era));
        } else if !cut && own.cut == 0 {
            if !own.booting {
                own.era += 1;
            }
            own.silent = false;
            self.out.push(Event::Link { device, up: true });
            if !self.units[device].own.booting {
                self.connected(device);
            }
            self.redraw(device);
        }
    }

    pub(super) fn boots(&mut self, device: usize, era: u32) {
        if self.units[device].own.era != era {
            return;
        }
        let hour = self.setup.hour(self.now());
        let own = &mut self.units[device].own;
        own.booted(hour);
        if own.cut == 0 {
            self.out.push(Event::Booted { device });
            self.connected(device);
        }
        self.offer(device, 0);
    }
}

/// Counts something that begins or ends.
fn count(number: &mut u32, begins: bool) {
    *number = if begins { *number + 1 } else { number.saturating_sub(1) };
}
