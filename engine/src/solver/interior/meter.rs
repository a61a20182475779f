//! The connection inside the interior-point method: import and export of each slot, and the peak.

use super::rows::Row;
use super::vars::Vars;
use super::{Frame, Way};
use crate::model::Model;

/// Import (one variable a slot), export (likewise) and the import peak above the one so far.
#[derive(Debug, Clone)]
pub struct Meter {
    slots: usize,
    peak_so_far_kw: f64,
    has_peak: bool,
    first: Vec<f64>,
    /// Highest import of each slot, then highest export, were both ways open.
    most: Vec<f64>,
    /// import, export, peak.
    pub vars: Vars,
}

impl Meter {
    /// The connection of a model, with no more room than its units can use.
    pub fn of(model: &Model, frames: &[Frame], ways: &[Way]) -> Self {
        let slots = model.slots;
        let of = &model.connection;
        let h = model.slot_h;
        let (import, export) = reach(model, frames);
        let both: Vec<f64> = import.iter().chain(&export).copied().collect();
        let open =
            |slot: usize, way: Way, most: f64| if ways[slot] == Way::Open || ways[slot] == way { most } else { 0.0 };
        let mut cost: Vec<f64> = of.import_eur_kwh.iter().map(|p| p * h).collect();
        cost.extend(of.export_eur_kwh.iter().map(|p| -p * h));
        cost.push(of.peak_eur_kw);
        let mut width: Vec<f64> = (0..slots).map(|t| open(t, Way::Import, import[t])).collect();
        width.extend((0..slots).map(|t| open(t, Way::Export, export[t])));
        let most = width[..slots].iter().copied().fold(0.0, f64::max);
        let has_peak = of.peak_eur_kw > 0.0 && most > of.peak_so_far_kw;
        width.push(if has_peak { most - of.peak_so_far_kw } else { 0.0 });
        let first = (0..slots)
            .map(|t| if width[t] > 0.0 { -of.import_eur_kwh[t] * h } else { -of.export_eur_kwh[t] * h })
            .collect();
        Self { slots, peak_so_far_kw: of.peak_so_far_kw, has_peak, first, most: both, vars: Vars::of(cost, width) }
    }

    /// First price of a slot's balance: minus the import price.
    pub fn first_balance_price(&self, slot: usize) -> f64 {
        self.first[slot]
    }

    /// A multiplier as large as prices are here.
    pub fn least_multiplier(&self) -> f64 {
        let costs = &self.vars.cost[..2 * self.slots];
        (costs.iter().map(|c| c.abs()).sum::<f64>() / costs.len().max(1) as f64).max(1e-4)
    }

    /// First values, from the net power of each slot.
    pub fn start(&mut self, net_kw: &[f64], y: &[f64], least: f64) {
        let n = self.slots;
        for t in 0..n {
            for (j, value, at_y) in [(t, net_kw[t], -y[t]), (n + t, -net_kw[t], y[t])] {
                let width = self.vars.width[j];
                if width > 0.0 {
                    let margin = 0.1 * width.min(net_kw[t].abs().max(1.0));
                    let x = value.clamp(margin, width - margin.min(width / 2.0));
                    self.vars.x[j] = x;
                    self.vars.w[j] = width - x;
                    let reduced = self.vars.cost[j] - at_y;
                    self.vars.set_multipliers(j, reduced, 0.5 * least);
                }
            }
        }
        let peak = 2 * n;
        if self.vars.free(peak) {
            let reduced = self.vars.cost[peak];
            self.vars.set_multipliers(peak, reduced, least);
        }
    }

    /// Closes and opens ways, the iterate kept where they are the same.
    pub fn refit(&mut self, ways: &[Way], mu: f64) {
        for (slot, way) in ways.iter().enumerate() {
            for (j, own) in [(slot, Way::Import), (self.slots + slot, Way::Export)] {
                let width = if *way == Way::Open || *way == own { self.most[j] } else { 0.0 };
                if (width > 0.0) != self.vars.free(j) {
                    self.vars.refit(j, width, mu);
                }
            }
        }
    }

    /// Import above the peak in a slot, less the peak so far excluded: `import − peak`.
    pub fn over_peak(&self, slot: usize) -> f64 {
        self.vars.x[slot] - self.vars.x[2 * self.slots]
    }

    /// Peak above the one so far, kW.
    pub fn peak_kw(&self) -> f64 {
        self.vars.x[2 * self.slots]
    }

    /// Slots whose import is above the peak.
    pub fn slots_above_peak(&self, margin: f64) -> Vec<usize> {
        let above = |&t: &usize| self.over_peak(t) > self.peak_so_far_kw + margin;
        if self.has_peak { (0..self.slots).filter(above).collect() } else { Vec::new() }
    }

    /// Width of the slack of a peak row; none where the peak costs nothing.
    pub fn peak_slack_width(&self, model: &Model, slot: usize) -> Option<f64> {
        let width = model.connection.peak_so_far_kw + self.vars.width[2 * self.slots];
        (self.has_peak && self.vars.free(slot)).then_some(width.max(1e-6))
    }

    /// Adds what the meter makes of the rows.
    pub fn activity(&self, rows: &[Row], activity: &mut [f64]) {
        self.multiply(&self.vars.x, rows, activity);
    }

    /// Adds the right-hand side's share.
    pub fn forward(&self, rows: &[Row], rhs: &mut [f64]) {
        self.multiply(&self.vars.g, rows, rhs);
    }

    fn multiply(&self, values: &[f64], rows: &[Row], sums: &mut [f64]) {
        let n = self.slots;
        for (row, sum) in rows.iter().zip(sums) {
            match *row {
                Row::Balance { slot } => *sum += values[n + slot] - values[slot],
                Row::Peak { slot } => *sum += values[slot] - values[2 * n],
                Row::Fuse { .. } | Row::Spread { .. } => {}
            }
        }
    }

    /// Aᵀy of every variable.
    fn at_y(&self, rows: &[Row], y: &[f64]) -> Vec<f64> {
        let n = self.slots;
        let mut at_y = vec![0.0; 2 * n + 1];
        for (row, y) in rows.iter().zip(y) {
            match *row {
                Row::Balance { slot } => {
                    at_y[slot] -= y;
                    at_y[n + slot] += y;
                }
                Row::Peak { slot } => {
                    at_y[slot] += y;
                    at_y[2 * n] -= y;
                }
                Row::Fuse { .. } | Row::Spread { .. } => {}
            }
        }
        at_y
    }

    /// Updates residuals; returns the largest.
    pub fn residuals(&mut self, rows: &[Row], y: &[f64]) -> f64 {
        let at_y = self.at_y(rows, y);
        at_y.into_iter().enumerate().map(|(j, at_y)| self.vars.set_residual(j, at_y)).fold(0.0, f64::max)
    }

    /// Completes the step.
    pub fn backward(&mut self, rows: &[Row], dy: &[f64]) {
        for (j, at_dy) in self.at_y(rows, dy).into_iter().enumerate() {
            self.vars.step(j, at_dy);
        }
    }
}

/// Highest import and export that units within these bounds can make, per slot in kW, within the caps.
pub fn reach(model: &Model, frames: &[Frame]) -> (Vec<f64>, Vec<f64>) {
    let of = &model.connection;
    let (mut high, mut low) = (of.fixed_kw.clone(), of.fixed_kw.clone());
    for (unit, frame) in model.units.iter().zip(frames) {
        for k in 0..unit.len() {
            let up = frame.up[k];
            let down = frame.down.get(k).copied().unwrap_or((0.0, 0.0));
            let (a, b) = ((up.0 - down.1) * unit.kw, (up.1 - down.0) * unit.kw);
            high[unit.from + k] += a.max(b);
            low[unit.from + k] += a.min(b);
        }
    }
    // A little room keeps the interior from being empty where nothing flexible is there.
    let room = |kw: f64, cap: f64| if kw <= 0.0 { 0.0 } else { (kw + 0.01).min(cap + 1e-6) };
    let import = high.iter().zip(&of.high_kw).map(|(kw, cap)| room(*kw, cap.max(0.0))).collect();
    let export = low.iter().zip(&of.low_kw).map(|(kw, cap)| room(-kw, (-cap).max(0.0))).collect();
    (import, export)
}
