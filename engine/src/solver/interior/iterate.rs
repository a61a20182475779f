//! Where the method stands: all variables and prices, one step, and the rows that are added on the way.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::block::Block;
use super::meter::Meter;
use super::rows::{Classes, Row};
use super::schur::Schur;
use super::vars::{Aim, Vars, shorten};
use super::{Relaxation, RowPrices, Solution};
use crate::model::Model;
use crate::model::boards::PAIRS;

/// Largest residual of a row of a finished solution, in the row's unit.
const FEASIBLE: f64 = 1e-4;
/// Rows larger than this, in A or kW, may have residuals larger in proportion: digits are finite.
const LARGE: f64 = 1e4;
/// Largest dual residual of a finished solution, in EUR per unit of a variable.
const FEASIBLE_EUR: f64 = 1e-6;
/// How far beyond its limit a phase must be for its row to be added, in A.
const BROKEN_A: f64 = 1e-5;

/// What an iterate looks like.
#[derive(Debug, Clone, Copy)]
pub struct State {
    /// Σ x·z of all variables and bounds: the distance to the optimum once residuals are gone, in EUR.
    pub complementarity: f64,
    /// The same per product.
    pub mu: f64,
    /// Largest dual residual.
    dual: f64,
    /// Largest residual of a row.
    pub primal: f64,
}

impl State {
    /// Whether this is a solution within a tolerance, where the largest right-hand side is as given.
    pub fn done(&self, tolerance_eur: f64, largest: f64) -> bool {
        let feasible = FEASIBLE * (largest / LARGE).max(1.0);
        self.complementarity <= tolerance_eur && self.primal <= feasible && self.dual <= FEASIBLE_EUR
    }
}

/// An iterate of the method.
#[derive(Debug, Clone)]
pub struct Iterate {
    slots: usize,
    blocks: Vec<Block>,
    classes: Classes,
    meter: Meter,
    /// The shared rows, those of the balance first.
    pub rows: Vec<Row>,
    /// Right-hand side of each row (upper end of a range).
    rhs: Vec<f64>,
    slack: Vars,
    y: Vec<f64>,
    /// Primal residual of each row.
    rp: Vec<f64>,
    present: BTreeSet<Row>,
    /// The largest right-hand side.
    pub largest: f64,
    /// Complementarity at the beginning.
    pub first_complementarity: f64,
    /// Complementarity per product when the iterate was kept.
    pub mu: f64,
    schur: Schur,
}

impl Iterate {
    /// The iterate inside the bounds of another relaxation of its model, with these rows.
    pub fn refitted(&self, relaxation: &Relaxation<'_>, rows: &[Row]) -> Self {
        let mut iterate = self.clone();
        let mu = iterate.mu;
        let none = Vec::new();
        for (i, (block, frame)) in iterate.blocks.iter_mut().zip(&relaxation.frames).enumerate() {
            block.refit(frame, relaxation.tilt_eur.get(i).unwrap_or(&none), mu);
        }
        iterate.meter.refit(&relaxation.ways, mu);
        iterate.enter_all(relaxation.model, rows);
        iterate
    }

    /// The first iterate.
    pub fn begin(relaxation: &Relaxation<'_>) -> Self {
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
            largest: model.connection.fixed_kw.iter().fold(0.0, |most, kw| kw.abs().max(most)),
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
        self.largest = self.largest.max(rhs.abs());
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
    pub fn look(&mut self) -> State {
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
    pub fn step(&mut self, model: &Model, state: State) -> bool {
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
    pub fn add_broken_rows(&mut self, model: &Model, last: bool) -> bool {
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
    pub fn enter_all(&mut self, model: &Model, rows: &[Row]) {
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

    /// The solution that the iterate is.
    pub fn finish(self, model: &Model, converged: bool, iterations: usize) -> Solution {
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
