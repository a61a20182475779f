//! Equal-share load management: in every slot the vehicles that still need energy share what the limits leave, the same
//! current each, until each has all it can take or a limit on its way is full (max-min fairness, by progressive filling:
//! Bertsekas & Gallager, Data Networks, 2nd ed., section 6.5.2). Where not even the minimum is there for all, they take
//! turns: those that have had least go first.

use super::rules::{Want, batteries_alone, fit_plants, loads_early, units};
use crate::model::boards::PAIRS;
use crate::model::unit::Is;
use crate::schedule::{NOTHING, Site};

/// A limit with less than this left is full, in A or kW.
const FULL: f64 = 1e-6;

/// A vehicle that draws in the slot looked at.
#[derive(Debug, Clone, Copy)]
struct Sharer {
    unit: usize,
    /// Slot of its window.
    k: usize,
    /// What it draws in A per phase.
    draws_a: f64,
    /// What it draws at most in A per phase.
    target_a: f64,
    /// Whether it may still draw more.
    open: bool,
}

/// Runs the site under equal-share load management.
pub fn run(site: &mut Site<'_>) {
    fit_plants(site, None);
    loads_early(site, true);
    fit_plants(site, None);
    let vehicles = units(site, |is| matches!(is, Is::Session(_)));
    let wants: Vec<Want> = vehicles.iter().map(|&unit| Want::of(&site.model.units[unit])).collect();
    let mut given = vec![0.0; vehicles.len()];
    for slot in 0..site.model.slots {
        let mut present: Vec<usize> = (0..vehicles.len())
            .filter(|&v| {
                let of = &site.model.units[vehicles[v]];
                (of.from..of.to()).contains(&slot)
            })
            .collect();
        let had_kwh = |v: usize| given[v] * site.model.units[vehicles[v]].kw;
        present.sort_by(|&a, &b| had_kwh(a).total_cmp(&had_kwh(b)));
        let mut sharers: Vec<(usize, Sharer)> = Vec::new();
        for v in present {
            let unit = vehicles[v];
            let of = &site.model.units[unit];
            let k = slot - of.from;
            let target_a = wants[v].less(given[v]).target(of.up_min, of.up_max[k]);
            let least_a = of.up_min.min(target_a);
            if target_a > 0.0 && site.room(unit, k).1 >= least_a - NOTHING {
                site.add(unit, k, least_a);
                sharers.push((v, Sharer { unit, k, draws_a: least_a, target_a, open: true }));
            }
        }
        let mut filling: Vec<Sharer> = sharers.iter().map(|(_, sharer)| *sharer).collect();
        fill(site, &mut filling, slot);
        fit_plants(site, Some(slot));
        for ((v, _), sharer) in sharers.iter().zip(&filling) {
            given[*v] += sharer.draws_a;
        }
    }
    batteries_alone(site);
    fit_plants(site, None);
}

/// Raises all sharers alike, closing those that are satisfied or whose limits are full, until all are closed.
fn fill(site: &mut Site<'_>, sharers: &mut [Sharer], slot: usize) {
    loop {
        // Closing one may fill a limit for another: the difference of two phases then only grows.
        while close(site, sharers, slot) {}
        if sharers.iter().all(|sharer| !sharer.open) {
            return;
        }
        let load = Load::of(site, sharers);
        let wanted = sharers.iter().filter(|sharer| sharer.open).map(|sharer| sharer.target_a - sharer.draws_a);
        let step_a = wanted.fold(load.most_a(site, slot), f64::min);
        for sharer in sharers.iter_mut().filter(|sharer| sharer.open) {
            site.add(sharer.unit, sharer.k, step_a);
            sharer.draws_a += step_a;
        }
        if step_a <= NOTHING {
            // What is left on a limit is less than can be shared out: whoever is next to it gets no more.
            close_at_the_limit(site, sharers, slot, &load);
        }
    }
}

/// Closes the sharers that the limit with the least left hinders; at least one.
fn close_at_the_limit(site: &Site<'_>, sharers: &mut [Sharer], slot: usize, load: &Load) {
    let left = |sharer: &Sharer| load.most_on_the_way_a(site, slot, sharer.unit).min(sharer.target_a - sharer.draws_a);
    let least = sharers.iter().filter(|sharer| sharer.open).map(left).fold(f64::INFINITY, f64::min);
    for sharer in sharers.iter_mut().filter(|sharer| sharer.open) {
        sharer.open = left(sharer) > least + NOTHING;
    }
}

/// Closes the sharers that are satisfied or have a full limit on their way; whether any was.
fn close(site: &Site<'_>, sharers: &mut [Sharer], slot: usize) -> bool {
    let load = Load::of(site, sharers);
    let mut closed = false;
    for sharer in sharers.iter_mut().filter(|sharer| sharer.open) {
        let of = &site.model.units[sharer.unit];
        let boards = &site.model.boards;
        let on = |phase: usize| of.phases[phase];
        let full = boards.path(of.node).any(|node| {
            let fuse = (0..3).any(|phase| on(phase) && site.left_a(node, phase, slot) <= FULL);
            let spread = PAIRS.into_iter().enumerate().any(|(pair, (p, q))| {
                [(p, q, 1.0), (q, p, -1.0)].into_iter().any(|(more, less, sign)| {
                    on(more)
                        && !on(less)
                        && load.difference(node, pair) * sign > 0.0
                        && site.left_of_spread_a(node, pair, slot, sign) <= FULL
                })
            });
            fuse || spread
        });
        let cap = site.model.connection.high_kw[slot] - site.net_kw[slot] <= FULL;
        sharer.open = sharer.target_a - sharer.draws_a > NOTHING && !full && !cap;
        closed |= !sharer.open;
    }
    closed
}

/// What one ampere more for every open sharer adds to each limit.
struct Load {
    /// To each phase of each board, in A.
    phases: Vec<[f64; 3]>,
    /// To the power at the connection, in kW.
    kw: f64,
}

impl Load {
    fn of(site: &Site<'_>, sharers: &[Sharer]) -> Self {
        let boards = &site.model.boards;
        let mut load = Load { phases: vec![[0.0; 3]; boards.parent.len()], kw: 0.0 };
        for sharer in sharers.iter().filter(|sharer| sharer.open) {
            let of = &site.model.units[sharer.unit];
            load.kw += of.kw;
            for node in boards.path(of.node) {
                for phase in (0..3).filter(|&phase| of.phases[phase]) {
                    load.phases[node][phase] += of.amperes;
                }
            }
        }
        load
    }

    /// What is added to the difference of a pair of phases.
    fn difference(&self, node: usize, pair: usize) -> f64 {
        let (p, q) = PAIRS[pair];
        self.phases[node][p] - self.phases[node][q]
    }

    /// By how much all open sharers can be raised before the first limit is full, in A.
    fn most_a(&self, site: &Site<'_>, slot: usize) -> f64 {
        let boards = (0..self.phases.len()).map(|node| self.most_at_a(site, slot, node, [true; 3]));
        boards.fold(self.most_at_the_cap_a(site, slot), f64::min).max(0.0)
    }

    /// The same before the first limit on the way of one unit is full.
    fn most_on_the_way_a(&self, site: &Site<'_>, slot: usize, unit: usize) -> f64 {
        let of = &site.model.units[unit];
        let boards = site.model.boards.path(of.node).map(|node| self.most_at_a(site, slot, node, of.phases));
        boards.fold(self.most_at_the_cap_a(site, slot), f64::min).max(0.0)
    }

    fn most_at_the_cap_a(&self, site: &Site<'_>, slot: usize) -> f64 {
        (site.model.connection.high_kw[slot] - site.net_kw[slot]) / self.kw
    }

    /// The same before the first limit of a board that has to do with some phases is full.
    fn most_at_a(&self, site: &Site<'_>, slot: usize, node: usize, on: [bool; 3]) -> f64 {
        let mut most_a = f64::INFINITY;
        for phase in (0..3).filter(|&phase| on[phase] && self.phases[node][phase] > 0.0) {
            most_a = most_a.min(site.left_a(node, phase, slot) / self.phases[node][phase]);
        }
        for (pair, (p, q)) in PAIRS.into_iter().enumerate() {
            let per_a = self.difference(node, pair);
            let adds = if per_a > 0.0 { p } else { q };
            if per_a != 0.0 && on[adds] {
                most_a = most_a.min(site.left_of_spread_a(node, pair, slot, per_a.signum()) / per_a.abs());
            }
        }
        most_a
    }
}
