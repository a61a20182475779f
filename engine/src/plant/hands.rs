//! Stations that somebody else plays, such as one that speaks OCPP over a real socket: they decide themselves what they hold,
//! and their vehicles, boards and meters stay here.

use super::Plant;

impl Plant {
    /// A station holds a limit from now on, in A per phase (`None`, none), on so many phases, and has a vehicle that charges on
    /// one phase on this one of its own (0 = L1; `None`, as before). At the instant of the last advance.
    pub fn hold(&mut self, device: usize, amps: Option<f64>, phases: u8, phase: Option<u8>) {
        if device >= self.units.len() {
            return;
        }
        self.count(device);
        let took = self.units[device].own.holds(amps, phases, phase);
        self.rewired(device, took.switches || (took.moves && self.phases(device) == 1));
    }

    /// A station's connection is known to be cut, or stands again: what it holds counts from now on with whoever judges.
    pub fn silence(&mut self, device: usize, silent: bool) {
        if device < self.units.len() {
            self.count(device);
            self.units[device].own.silent = silent;
            self.redraw(device);
        }
    }
}
