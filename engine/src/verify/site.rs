//! What all share: the phases of the boards, the connection's caps, and the bill.

use kwartier_data::instance::{Instance, PhaseIndex};

use super::violation::{Moment, Side, Violation};
use super::{Cost, Findings, SUM_FACTOR, TOLERANCE_A, TOLERANCE_KW};

/// Phase currents of every board in every slot, in A: at first those that arise at the board itself, after
/// [`carry_up`](Site::carry_up) those it carries.
pub(super) struct Site {
    slots: usize,
    /// Base load less the PV that cannot be turned down.
    base: Vec<f64>,
    /// All PV that can be turned down, as a positive current.
    sun: Vec<f64>,
    /// Everything flexible, PV in use included (negative).
    flow: Vec<f64>,
}

impl Site {
    /// The site with nothing flexible running yet.
    pub fn of(instance: &Instance) -> Self {
        let slots = instance.slots;
        let size = instance.nodes.len() * 3 * slots;
        let mut site = Self { slots, base: vec![0.0; size], sun: vec![0.0; size], flow: vec![0.0; size] };
        for (node, phases) in instance.base_load_a.iter().enumerate() {
            for (phase, values) in phases.iter().enumerate() {
                add(&mut site.base, slots, node, &[phase], values, 1.0);
            }
        }
        for plant in &instance.pv {
            let a_per_kw = 1000.0 / instance.voltage_v / plant.phases.len() as f64;
            if plant.curtailable {
                add(&mut site.sun, slots, plant.node, &plant.phases, &plant.kw, a_per_kw);
            } else {
                add(&mut site.base, slots, plant.node, &plant.phases, &plant.kw, -a_per_kw);
            }
        }
        site
    }

    /// Adds `factor` × `values` to the given phases of a board, one value a slot.
    pub fn draw(&mut self, node: usize, phases: &[PhaseIndex], values: &[f64], factor: f64) {
        add(&mut self.flow, self.slots, node, phases, values, factor);
    }

    /// Adds what each board carries to the board above it, children first.
    pub fn carry_up(&mut self, instance: &Instance) {
        let width = 3 * self.slots;
        for node in children_first(instance) {
            let Some(parent) = instance.nodes[node].parent else { continue };
            for field in [&mut self.base, &mut self.sun, &mut self.flow] {
                for i in 0..width {
                    field[parent * width + i] += field[node * width + i];
                }
            }
        }
    }

    /// The currents of one field in one slot of a board, by phase.
    fn phases(&self, field: &[f64], node: usize, slot: usize) -> [f64; 3] {
        [0, 1, 2].map(|phase| field[(node * 3 + phase) * self.slots + slot])
    }

    /// Tests every phase of every board, and the imbalance where it is limited.
    ///
    /// Where the building breaks a limit by itself the limit is what the building makes: upward with all PV running,
    /// downward with all PV that can be turned down off.
    pub fn check_boards(&self, instance: &Instance, found: &mut Findings) {
        for (i, node) in instance.nodes.iter().enumerate() {
            for slot in 0..self.slots {
                let base = self.phases(&self.base, i, slot);
                let sun = self.phases(&self.sun, i, slot);
                let flow = self.phases(&self.flow, i, slot);
                let total = [0, 1, 2].map(|p| base[p] + flow[p]);
                for phase in 0..3 {
                    let (found_a, limit_a) = (total[phase], node.limit_a[phase]);
                    let upper_a = limit_a.max(base[phase] - sun[phase]);
                    let lower_a = -(limit_a.max(-base[phase]));
                    if !(lower_a - TOLERANCE_A..=upper_a + TOLERANCE_A).contains(&found_a) {
                        let limit_a = if found_a > upper_a { upper_a } else { lower_a };
                        let at = || Moment::of(instance, slot);
                        found.add(|| Violation::Board { node: node.id.clone(), phase, at: at(), found_a, limit_a });
                    }
                }
                if let Some(limit_a) = node.imbalance_limit_a {
                    let sunny = [0, 1, 2].map(|p| base[p] - sun[p]);
                    let limit_a = limit_a.max(spread(base)).max(spread(sunny));
                    let found_a = spread(total);
                    if found_a > limit_a + TOLERANCE_A {
                        let at = || Moment::of(instance, slot);
                        found.add(|| Violation::Imbalance { node: node.id.clone(), at: at(), found_a, limit_a });
                    }
                }
            }
        }
    }

    /// Tests the caps at the connection and adds energy and peak to the cost.
    pub fn check_connection(&self, instance: &Instance, cost: &mut Cost, found: &mut Findings) {
        let kw_per_a = instance.voltage_v / 1000.0;
        let root = root(instance);
        let fixed_kw = fixed(instance);
        let mut net_kw = Vec::with_capacity(self.slots);
        for (slot, &base_kw) in fixed_kw.iter().enumerate() {
            let sum = |field: &[f64]| self.phases(field, root, slot).iter().sum::<f64>() * kw_per_a;
            let net = base_kw + sum(&self.flow);
            let sunny_kw = base_kw - sum(&self.sun);
            let caps = [
                (Side::Over, &instance.grid.import_cap_kw, net.max(0.0), sunny_kw),
                (Side::Under, &instance.grid.export_cap_kw, (-net).max(0.0), -base_kw),
            ];
            for (side, cap, found_kw, alone_kw) in caps {
                let Some(cap) = cap else { continue };
                let cap_kw = cap[slot].max(alone_kw);
                if found_kw > cap_kw + SUM_FACTOR * TOLERANCE_KW {
                    let at = || Moment::of(instance, slot);
                    found.add(|| Violation::Cap { side, at: at(), found_kw, cap_kw });
                }
            }
            net_kw.push(net);
        }
        bill(instance, &net_kw, cost);
    }
}

/// What the site pays with nothing flexible running and all its PV used.
pub(super) fn idle(instance: &Instance) -> Cost {
    let mut net_kw = fixed(instance);
    for plant in instance.pv.iter().filter(|v| v.curtailable) {
        for (net, kw) in net_kw.iter_mut().zip(&plant.kw) {
            *net -= kw;
        }
    }
    let mut cost = Cost::default();
    bill(instance, &net_kw, &mut cost);
    cost
}

/// Adds energy and peak of the net power at the connection (kW per slot, import positive) to the cost.
fn bill(instance: &Instance, net_kw: &[f64], cost: &mut Cost) {
    let grid = &instance.grid;
    let slot_h = f64::from(instance.slot_minutes) / 60.0;
    let mut peak_kw = grid.peak_so_far_kw;
    for (slot, &net) in net_kw.iter().enumerate() {
        cost.energy += net.max(0.0) * slot_h * grid.import_eur_kwh[slot];
        cost.export -= (-net).max(0.0) * slot_h * grid.export_eur_kwh[slot];
        peak_kw = peak_kw.max(net);
    }
    cost.peak += grid.peak_eur_kw * (peak_kw - grid.peak_so_far_kw);
}

/// Active power of base load less the PV that cannot be turned down, per slot in kW.
fn fixed(instance: &Instance) -> Vec<f64> {
    let mut fixed_kw = if let Some(base_kw) = &instance.grid.base_kw {
        base_kw.clone()
    } else {
        let mut sum_kw = vec![0.0; instance.slots];
        for values in instance.base_load_a.iter().flatten() {
            for (sum, a) in sum_kw.iter_mut().zip(values) {
                *sum += a * instance.voltage_v / 1000.0;
            }
        }
        sum_kw
    };
    for plant in instance.pv.iter().filter(|v| !v.curtailable) {
        for (fixed, kw) in fixed_kw.iter_mut().zip(&plant.kw) {
            *fixed -= kw;
        }
    }
    fixed_kw
}

/// Largest less smallest of three phase currents.
fn spread(phases: [f64; 3]) -> f64 {
    let [a, b, c] = phases;
    a.max(b).max(c) - a.min(b).min(c)
}

/// Index of the grid connection.
fn root(instance: &Instance) -> usize {
    instance.nodes.iter().position(|n| n.parent.is_none()).unwrap_or(0)
}

/// Adds `factor` × `values` to the given phases of a board.
fn add(field: &mut [f64], slots: usize, node: usize, phases: &[PhaseIndex], values: &[f64], factor: f64) {
    for &phase in phases {
        let from = (node * 3 + phase) * slots;
        for (sum, value) in field[from..from + slots].iter_mut().zip(values) {
            *sum += factor * value;
        }
    }
}

/// All boards, each before the one above it. A queue instead of recursion: a tree may be as deep as it has boards.
fn children_first(instance: &Instance) -> Vec<usize> {
    let mut waiting = vec![0_usize; instance.nodes.len()];
    for parent in instance.nodes.iter().filter_map(|n| n.parent) {
        waiting[parent] += 1;
    }
    let mut order: Vec<usize> = (0..instance.nodes.len()).filter(|&n| waiting[n] == 0).collect();
    let mut next = 0;
    while next < order.len() {
        if let Some(parent) = instance.nodes[order[next]].parent {
            waiting[parent] -= 1;
            if waiting[parent] == 0 {
                order.push(parent);
            }
        }
        next += 1;
    }
    order
}
