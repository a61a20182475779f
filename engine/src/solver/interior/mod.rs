//! The linear relaxation by an interior-point method that knows what a depot looks like.
//!
//! Mehrotra's predictor-corrector for bounded variables (Wright, *Primal-Dual Interior-Point Methods*, 1997, chapter 10),
//! on normal equations. What only one unit has (its need, its battery) is eliminated unit by unit (`block.rs`), in
//! parallel; what remains is a dense symmetric system over the shared rows (`rows.rs`): the balance of every slot and
//! the few hundred fuse, imbalance and peak rows that an iterate has ever broken. The work of an iteration is linear in the
//! number of vehicles.
//!
//! | file | holds |
//! |---|---|
//! | `vars.rs` | bounded variables and their steps |
//! | `block.rs` | one unit: variables, own rows, elimination |
//! | `rows.rs` | shared rows and who stands in them |
//! | `meter.rs` | import, export and peak |
//! | `schur.rs` | the shared system: assembly and factorisation |

mod block;
mod meter;
mod rows;
mod schur;
mod vars;

use std::collections::BTreeSet;

use rayon::prelude::*;

use self::block::Block;
use self::meter::Meter;
pub use self::meter::reach;
use self::rows::Classes;
pub use self::rows::Row;
use self::schur::Schur;
use self::vars::{Aim, Vars, shorten};
use crate::model::Model;
use crate::model::boards::PAIRS;

/// Between which bounds a unit may run, per slot of its window: the relaxation of "0, or from min to max" is from 0.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Frame {
    /// Lowest and highest quantity up.
    pub up: Vec<(f64, f64)>,
    /// Lowest and highest quantity down.
    pub down: Vec<(f64, f64)>,
}

/// Which way the connection may run in a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Way {
    /// Either; the relaxation allows both at once.
    #[default]
    Open,
    /// Import alone.
    Import,
    /// Export alone.
    Export,
}

/// A linear program: the model with bounds in place of "0, or from min to max".
#[derive(Debug, Clone)]
pub struct Relaxation<'a> {
    /// The model.
    pub model: &'a Model,
    /// Bounds of each unit.
    pub frames: Vec<Frame>,
    /// Way of the connection in each slot.
    pub ways: Vec<Way>,
    /// What each slot up costs besides its price, per unit, in EUR: breaks ties. Empty for none.
    pub tilt_eur: Vec<Vec<f64>>,
    /// Rows that are likely to bind, to begin with; others are added when they are broken.
    pub known: Vec<Row>,
    /// Stop when the solution is within this many EUR of the optimum.
    pub tolerance_eur: f64,
    /// Keep the iterate that is first within this many EUR of the optimum, as a start for the next relaxation.
    pub halfway_eur: f64,
}

/// Price of each shared row, in EUR per unit of the row; what is absent is free.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RowPrices(pub Vec<(Row, f64)>);

/// A solved relaxation.
#[derive(Debug, Clone)]
pub struct Solution {
    /// Quantity up per unit and slot of its window.
    pub up: Vec<Vec<f64>>,
    /// Quantity down likewise; empty where a unit has no such direction.
    pub down: Vec<Vec<f64>>,
    /// Import peak in kW, at least the one so far.
    pub peak_kw: f64,
    /// Prices of the shared rows.
    pub prices: RowPrices,
    /// Whether the tolerance was reached.
    pub converged: bool,
    /// Iterations it took.
    pub iterations: usize,
    /// A start for the next relaxation of the same model.
    pub warm: Option<Warm>,
}

impl Solution {
    fn is_finite(&self) -> bool {
        self.up.iter().chain(&self.down).flatten().all(|x| x.is_finite())
    }
}

/// More iterations than any solvable instance needs.
const MAX_ITERATIONS: usize = 150;
/// Largest residual of a row of a finished solution, in the row's unit.
const FEASIBLE: f64 = 1e-4;
/// Largest dual residual of a finished solution, in EUR per unit of a variable.
const FEASIBLE_EUR: f64 = 1e-6;
/// How far beyond its limit a phase must be for its row to be added, in A.
const BROKEN_A: f64 = 1e-5;
/// An iteration that leaves more than this fraction of complementarity and residuals makes no progress.
const PROGRESS: f64 = 0.95;
/// So many iterations without progress are enough: bounds may contradict each other.
const PATIENCE: usize = 25;
/// How often a relaxation that did not converge is solved again from afar.
const SECOND_CHANCES: usize = 2;
/// Complementarity below this fraction of the tolerance, and rows still broken: the bounds contradict each other.
const HOPELESS: f64 = 1e-9;
/// Iterations after which an iterate is central enough to start another relaxation from.
const CENTRED: usize = 3;
/// Rows are added once complementarity is below this fraction of what it was at first.
const SETTLED: f64 = 0.1;

impl<'a> Relaxation<'a> {
    /// The relaxation of a model, with no ties broken.
    pub fn of(model: &'a Model, tolerance_eur: f64, halfway_eur: f64) -> Self {
        let frames = model
            .units
            .iter()
            .map(|u| Frame {
                up: u.up_max.iter().map(|&max| (0.0, max)).collect(),
                down: u.down_max.iter().map(|&max| (0.0, max)).collect(),
            })
            .collect();
        Self {
            model,
            frames,
            ways: vec![Way::Open; model.slots],
            tilt_eur: Vec::new(),
            known: Vec::new(),
            tolerance_eur,
            halfway_eur,
        }
    }

    /// Solves it, from an iterate on the way to the solution of a relaxation of the same model where there is one.
    /// `go_on` is asked every iteration; on `false` what there is comes back, not converged.
    pub fn solve(&self, warm: Option<&Warm>, go_on: &dyn Fn() -> bool) -> Solution {
        let first = match warm {
            Some(warm) => warm.refitted(self),
            None => self.begin(&self.known),
        };
        let (mut solution, mut rows) = self.solve_from(first, go_on);
        for _ in 0..SECOND_CHANCES {
            if solution.converged || !go_on() {
                break;
            }
            // A start too close to another solution, or rows that came late: from afar, with all rows known by now.
            let (again, more) = self.solve_from(self.begin(&rows), go_on);
            if again.converged || !solution.is_finite() {
                solution = again;
            }
            rows = more;
        }
        solution
    }

    fn begin(&self, known: &[Row]) -> Iterate {
        let mut iterate = Iterate::begin(self);
        iterate.enter_all(self.model, known);
        iterate
    }

    /// Iterates from here; returns also the rows that were there in the end.
    fn solve_from(&self, mut iterate: Iterate, go_on: &dyn Fn() -> bool) -> (Solution, Vec<Row>) {
        let mut halfway: Option<Box<Iterate>> = None;
        let (mut least, mut nearest) = (f64::INFINITY, f64::INFINITY);
        let mut in_vain = 0;
        let mut converged = false;
        let mut iterations = 0;
        while iterations < MAX_ITERATIONS && go_on() {
            let state = iterate.look();
            if state.done(self.tolerance_eur) && !iterate.add_broken_rows(self.model, true) {
                converged = true;
                break;
            }
            if halfway.is_none() && iterations >= CENTRED && state.complementarity <= self.halfway_eur {
                iterate.mu = state.mu;
                halfway = Some(Box::new(iterate.clone()));
            }
            in_vain += 1;
            if state.complementarity < PROGRESS * least {
                (least, in_vain) = (state.complementarity, 0);
            }
            if state.primal < PROGRESS * nearest {
                (nearest, in_vain) = (state.primal, 0);
            }
            if in_vain > PATIENCE || state.complementarity < HOPELESS * self.tolerance_eur {
                break;
            }
            if !iterate.step(self.model, state) {
                break;
            }
            iterations += 1;
            if state.complementarity < SETTLED * iterate.first_complementarity {
                iterate.add_broken_rows(self.model, false);
            }
        }
        let rows = iterate.rows.clone();
        let mut solution = iterate.finish(self.model, converged, iterations);
        solution.warm = halfway.map(|iterate| Warm { iterate, rows: rows.clone() });
        (solution, rows)
    }
}

/// An iterate on the way to a solution, to start the next one from.
#[derive(Debug, Clone)]
pub struct Warm {
    iterate: Box<Iterate>,
    /// Rows of the end.
    rows: Vec<Row>,
}

impl Warm {
    /// The iterate inside the bounds of another relaxation.
    fn refitted(&self, relaxation: &Relaxation<'_>) -> Iterate {
        let model = relaxation.model;
        let mut iterate = (*self.iterate).clone();
        let mu = iterate.mu;
        let none = Vec::new();
        for (i, (block, frame)) in iterate.blocks.iter_mut().zip(&relaxation.frames).enumerate() {
            block.refit(frame, relaxation.tilt_eur.get(i).unwrap_or(&none), mu);
        }
        iterate.meter.refit(&relaxation.ways, mu);
        iterate.enter_all(model, &self.rows);
        iterate
    }
}

/// What an iterate looks like.
#[derive(Debug, Clone, Copy)]
struct State {
    complementarity: f64,
    mu: f64,
    dual: f64,
    primal: f64,
}

impl State {
    fn done(&self, tolerance_eur: f64) -> bool {
        self.complementarity <= tolerance_eur && self.primal <= FEASIBLE && self.dual <= FEASIBLE_EUR
    }
}

/// An iterate of the method.
#[derive(Debug, Clone)]
struct Iterate {
    slots: usize,
    blocks: Vec<Block>,
    classes: Classes,
    meter: Meter,
    rows: Vec<Row>,
    /// Right-hand side of each row (upper end of a range).
    rhs: Vec<f64>,
    slack: Vars,
    y: Vec<f64>,
    /// Primal residual of each row.
    rp: Vec<f64>,
    present: BTreeSet<Row>,
    first_complementarity: f64,
    /// Complementarity per product when the iterate was kept.
    mu: f64,
    schur: Schur,
}

impl Iterate {
    fn begin(relaxation: &Relaxation<'_>) -> Self {
        let model = relaxation.model;
        let slots = model.slots;
        let classes = Classes::of(model);
        let none = Vec::new();
        let blocks: Vec<Block> = model
            .units
            .iter()
            .zip(&relaxation.frames)
            .enumerate()
            .map(|(i, (unit, frame))| {
                let tilt = relaxation.tilt_eur.get(i).unwrap_or(&none);
                Block::of(unit, classes.of_unit[i], frame, tilt)
            })
            .collect();
        let meter = Meter::of(model, &relaxation.frames, &relaxation.ways);
        let mut iterate = Self {
            slots,
            blocks,
            classes,
            meter,
            rows: Vec::new(),
            rhs: Vec::new(),
            slack: Vars::default(),
            y: Vec::new(),
            rp: Vec::new(),
            present: BTreeSet::new(),
            first_complementarity: 0.0,
            mu: 0.0,
            schur: Schur::default(),
        };
        for slot in 0..slots {
            let y = iterate.meter.first_balance_price(slot);
            iterate.enter(model, Row::Balance { slot }, -model.connection.fixed_kw[slot], 0.0, 0.0, y, 0.0);
        }
        let prices = iterate.classes.prices(slots, &iterate.y);
        let least = iterate.meter.least_multiplier();
        for block in &mut iterate.blocks {
            let from = block.class * slots + block.from;
            let slot_prices = &prices[from..from + block.len];
            let typical = slot_prices.iter().map(|p| p.abs()).sum::<f64>() / slot_prices.len().max(1) as f64;
            block.start(slot_prices, typical.max(1e-4) * 0.5 + least * 1e-3);
        }
        let z = iterate.z();
        let mut net = model.connection.fixed_kw.clone();
        for (class, z) in iterate.classes.list.iter().zip(z.chunks_exact(slots)) {
            for e in &class.entries {
                net[e.slot] += e.factor * z[e.slot];
            }
        }
        iterate.meter.start(&net, &iterate.y, least);
        let state = iterate.look();
        iterate.first_complementarity = state.complementarity;
        iterate
    }

    /// Adds a row.
    #[allow(clippy::too_many_arguments)]
    fn enter(&mut self, model: &Model, row: Row, rhs: f64, width: f64, slack: f64, y: f64, mu: f64) {
        if !self.present.insert(row) {
            return;
        }
        self.classes.enter(model, self.rows.len(), row);
        self.rows.push(row);
        self.rhs.push(rhs);
        self.y.push(y);
        self.rp.push(0.0);
        let (zl, zu) = if width > 0.0 { (mu / slack, mu / (width - slack)) } else { (0.0, 0.0) };
        self.slack.push(0.0, width, slack, zl, zu);
    }

    /// z of all classes.
    fn z(&self) -> Vec<f64> {
        let mut z = vec![0.0; self.classes.list.len() * self.slots];
        for block in &self.blocks {
            let from = block.class * self.slots + block.from;
            for (k, z) in z[from..from + block.len].iter_mut().enumerate() {
                *z += block.z(k);
            }
        }
        z
    }

    /// Updates all residuals.
    fn look(&mut self) -> State {
        let prices = self.classes.prices(self.slots, &self.y);
        let slots = self.slots;
        let (dual, primal, sum, count) = self
            .blocks
            .par_iter_mut()
            .with_min_len(64)
            .map(|block| {
                let from = block.class * slots + block.from;
                let (dual, primal) = block.residuals(&prices[from..from + block.len]);
                let (sum, count) = block.vars.complementarity();
                (dual, primal, sum, count)
            })
            .collect::<Vec<_>>()
            .into_iter()
            .fold((0.0_f64, 0.0_f64, 0.0, 0), |a, b| (a.0.max(b.0), a.1.max(b.1), a.2 + b.2, a.3 + b.3));
        let (mut dual, mut primal, mut sum, mut count) = (dual, primal, sum, count);
        let mut activity = vec![0.0; self.rows.len()];
        self.classes.activity(slots, &self.z(), &mut activity);
        self.meter.activity(&self.rows, &mut activity);
        for r in 0..self.rows.len() {
            self.rp[r] = self.rhs[r] - activity[r] - self.slack.x[r];
            primal = primal.max(self.rp[r].abs());
            dual = dual.max(self.slack.set_residual(r, self.y[r]));
        }
        dual = dual.max(self.meter.residuals(&self.rows, &self.y));
        for vars in [&self.meter.vars, &self.slack] {
            let (more, terms) = vars.complementarity();
            sum += more;
            count += terms;
        }
        State { complementarity: sum, mu: sum / count.max(1) as f64, dual, primal }
    }

    /// One predictor-corrector step; `false` when the numbers give out.
    fn step(&mut self, model: &Model, state: State) -> bool {
        self.blocks.par_iter_mut().with_min_len(64).for_each(Block::factor);
        self.meter.vars.scale();
        self.slack.scale();
        if !self.schur.factor(model.slots, &self.rows, &self.classes, &self.blocks, &self.meter, &self.slack) {
            return false;
        }
        self.solve(Aim::Affine);
        let (primal, dual) = self.longest();
        let (primal, dual) = (primal.min(1.0), dual.min(1.0));
        let after = self.complementarity_after(primal, dual);
        let ratio = (after / state.complementarity.max(f64::MIN_POSITIVE)).clamp(0.0, 1.0);
        let mu = state.mu * ratio.powi(3).max(1e-8);
        self.solve(Aim::Corrected(mu));
        let (primal, dual) = self.longest();
        let (primal, dual) = (shorten(primal), shorten(dual));
        // Not a number anywhere in the step: stay where it was one.
        if !self.complementarity_after(primal, dual).is_finite() {
            return false;
        }
        self.blocks.par_iter_mut().with_min_len(64).for_each(|block| block.go(primal, dual));
        self.meter.vars.go(primal, dual);
        self.slack.go(primal, dual);
        let dy = self.schur.dy.iter();
        self.y.iter_mut().zip(dy).for_each(|(y, dy)| *y += dual * dy);
        self.y.iter().all(|y| y.is_finite())
    }

    /// Computes a step of all variables.
    fn solve(&mut self, aim: Aim) {
        let slots = self.slots;
        self.blocks.par_iter_mut().with_min_len(64).for_each(|block| block.forward(aim));
        let mut pass = vec![0.0; self.classes.list.len() * slots];
        for block in &self.blocks {
            let from = block.class * slots + block.from;
            pass[from..from + block.len].iter_mut().zip(&block.pass).for_each(|(sum, pass)| *sum += pass);
        }
        self.meter.vars.aim(aim);
        self.slack.aim(aim);
        let mut rhs = self.rp.clone();
        self.classes.activity(slots, &pass, &mut rhs);
        self.meter.forward(&self.rows, &mut rhs);
        rhs.iter_mut().zip(&self.slack.g).for_each(|(rhs, g)| *rhs += g);
        self.schur.solve(&rhs);
        let prices = self.classes.prices(slots, &self.schur.dy);
        self.blocks.par_iter_mut().with_min_len(64).for_each(|block| {
            let from = block.class * slots + block.from;
            block.backward(&prices[from..from + block.len]);
        });
        self.meter.backward(&self.rows, &self.schur.dy);
        for r in 0..self.rows.len() {
            self.slack.step(r, self.schur.dy[r]);
        }
    }

    fn longest(&self) -> (f64, f64) {
        let shorter = |a: (f64, f64), b: (f64, f64)| (a.0.min(b.0), a.1.min(b.1));
        let blocks = self.blocks.par_iter().with_min_len(64).map(|b| b.vars.longest());
        let longest = blocks.reduce(|| (1.0, 1.0), shorter);
        shorter(longest, shorter(self.meter.vars.longest(), self.slack.longest()))
    }

    fn complementarity_after(&self, primal: f64, dual: f64) -> f64 {
        let blocks = self.blocks.par_iter().with_min_len(64).map(|b| b.vars.complementarity_after(primal, dual));
        // Collected before it is summed: the sum must not depend on who computed what.
        let blocks: Vec<f64> = blocks.collect();
        let shared = [&self.meter.vars, &self.slack].map(|v| v.complementarity_after(primal, dual));
        blocks.into_iter().chain(shared).sum()
    }

    /// Adds the rows that the iterate breaks; whether there were any. An iterate on its way is allowed a little more.
    fn add_broken_rows(&mut self, model: &Model, last: bool) -> bool {
        let boards = &model.boards;
        let flows = self.classes.flows(model, &self.z());
        let mut broken = Vec::new();
        let beyond = |value: f64, low: f64, high: f64| {
            let margin = if last { BROKEN_A } else { BROKEN_A + 1e-3 * (high - low) };
            value > high + margin || value < low - margin
        };
        for node in 0..boards.parent.len() {
            for phase in 0..3 {
                let from = boards.at(node, phase, 0);
                for slot in 0..self.slots {
                    let i = from + slot;
                    if beyond(flows[i], boards.low_a[i], boards.high_a[i]) {
                        broken.push(Row::Fuse { node, phase, slot });
                    }
                }
            }
        }
        for (spread, of) in boards.spreads.iter().enumerate() {
            for (pair, (p, q)) in PAIRS.into_iter().enumerate() {
                for slot in 0..self.slots {
                    let flow = |phase| flows[boards.at(of.node, phase, slot)];
                    let difference = of.base_a[pair][slot] + flow(p) - flow(q);
                    if beyond(difference, -of.limit_a[slot], of.limit_a[slot]) {
                        broken.push(Row::Spread { spread, pair, slot });
                    }
                }
            }
        }
        for slot in self.meter.slots_above_peak(if last { BROKEN_A } else { 1e-2 }) {
            broken.push(Row::Peak { slot });
        }
        broken.retain(|row| !self.present.contains(row));
        if broken.is_empty() {
            return false;
        }
        let (sum, count) = self.slack.complementarity();
        let (meter_sum, meter_count) = self.meter.vars.complementarity();
        let mu = (sum + meter_sum) / (count + meter_count).max(1) as f64;
        for &row in &broken {
            self.enter_ranged(model, row, &flows, mu);
        }
        true
    }

    /// Adds these rows as far as they are not there yet.
    fn enter_all(&mut self, model: &Model, rows: &[Row]) {
        if rows.iter().all(|row| self.present.contains(row)) {
            return;
        }
        let mu = if self.mu > 0.0 { self.mu } else { self.look().mu };
        let flows = self.classes.flows(model, &self.z());
        for &row in rows {
            self.enter_ranged(model, row, &flows, mu);
        }
    }

    /// Adds a row that has a slack.
    fn enter_ranged(&mut self, model: &Model, row: Row, flows: &[f64], mu: f64) {
        let boards = &model.boards;
        let (rhs, width, value) = match row {
            Row::Balance { .. } => return,
            Row::Peak { slot } => {
                let Some(width) = self.meter.peak_slack_width(model, slot) else { return };
                (model.connection.peak_so_far_kw, width, self.meter.over_peak(slot))
            }
            Row::Fuse { node, phase, slot } => {
                let i = boards.at(node, phase, slot);
                (boards.high_a[i], boards.high_a[i] - boards.low_a[i], flows[i])
            }
            Row::Spread { spread, pair, slot } => {
                let of = &boards.spreads[spread];
                let (p, q) = PAIRS[pair];
                let value = flows[boards.at(of.node, p, slot)] - flows[boards.at(of.node, q, slot)];
                (of.limit_a[slot] - of.base_a[pair][slot], 2.0 * of.limit_a[slot], value)
            }
        };
        let slack = (rhs - value).clamp(0.01 * width, 0.99 * width);
        self.enter(model, row, rhs, width, slack, 0.0, mu.max(f64::MIN_POSITIVE));
    }

    fn finish(self, model: &Model, converged: bool, iterations: usize) -> Solution {
        let quantity =
            |of: &dyn Fn(&Block, usize) -> f64, block: &Block| (0..block.len).map(|k| of(block, k)).collect();
        let up = self.blocks.iter().map(|b| quantity(&Block::up, b)).collect();
        let down = self
            .blocks
            .iter()
            .zip(&model.units)
            .map(|(b, unit)| if unit.has_down() { quantity(&Block::down, b) } else { Vec::new() })
            .collect();
        let prices = self.rows.iter().copied().zip(self.y.iter().copied()).collect();
        Solution {
            up,
            down,
            peak_kw: model.connection.peak_so_far_kw + self.meter.peak_kw(),
            prices: RowPrices(prices),
            converged,
            iterations,
            warm: None,
        }
    }
}
