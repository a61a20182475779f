//! The system over the shared rows: assembled from all units, dense, symmetric, positive definite.
//!
//! Peak rows stay in it although each could be eliminated by hand: that was tried, and loses the digits that binding peaks
//! need.

use faer::linalg::solvers::{Llt, Solve};
use faer::{Mat, MatRef, Side};
use rayon::prelude::*;

use super::block::{Block, COLUMNS, Rest};
use super::meter::Meter;
use super::rows::{Classes, Entry, Row};
use super::vars::Vars;

/// Into how many parts the units are cut for assembly, at most. Not the number of cores: sums must not depend on the
/// machine.
const PARTS: usize = 4;
/// Fewer units than this are not worth a part of their own.
const UNITS_A_PART: usize = 100;
/// Added to the diagonal, relative, always and at first when the factorisation fails.
const ALWAYS_HELP: f64 = 1e-14;
const FIRST_HELP: f64 = 1e-12;
/// Last addition to the diagonal.
const LAST_HELP: f64 = 1e-3;

/// The factored system.
#[derive(Default)]
pub struct Schur {
    parts: Vec<Vec<f64>>,
    factor: Option<Llt<f64>>,
    /// Scale of each row.
    scale: Vec<f64>,
    /// The last solution.
    pub dy: Vec<f64>,
}

impl Clone for Schur {
    /// An empty one: everything in it is made anew in each step.
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl std::fmt::Debug for Schur {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Schur").field("rows", &self.scale.len()).finish_non_exhaustive()
    }
}

impl Schur {
    /// Assembles and factors; `false` when the numbers give out.
    pub fn factor(
        &mut self,
        slots: usize,
        rows: &[Row],
        classes: &Classes,
        blocks: &[Block],
        meter: &Meter,
        slack: &Vars,
    ) -> bool {
        let m = rows.len();
        let parts = (blocks.len() / UNITS_A_PART).clamp(1, PARTS);
        self.parts.resize_with(parts, Vec::new);
        let per_part = blocks.len().div_ceil(parts).max(1);
        self.parts.par_iter_mut().enumerate().for_each(|(part, sum)| {
            sum.clear();
            sum.resize(m * m, 0.0);
            let from = (part * per_part).min(blocks.len());
            let to = (from + per_part).min(blocks.len());
            units(slots, classes, &blocks[from..to], m, sum);
        });
        let (sum, others) = self.parts.split_at_mut(1);
        let sum = &mut sum[0];
        for other in others {
            sum.iter_mut().zip(other.iter()).for_each(|(sum, other)| *sum += other);
        }
        meter_and_slack(slots, rows, meter, slack, m, sum);
        self.decompose(m)
    }

    /// Scales to a unit diagonal (rows are in A and kW) and factors, with as little help as it takes.
    fn decompose(&mut self, m: usize) -> bool {
        let sum = &mut self.parts[0];
        self.scale = (0..m).map(|r| 1.0 / sum[r * m + r].max(1e-300).sqrt()).collect();
        for column in 0..m {
            let s = self.scale[column];
            for row in column..m {
                sum[column * m + row] *= s * self.scale[row];
            }
        }
        let mut help = ALWAYS_HELP;
        loop {
            for r in 0..m {
                sum[r * m + r] = 1.0 + help;
            }
            let matrix = MatRef::from_column_major_slice(sum, m, m);
            if let Ok(factor) = Llt::new(matrix, Side::Lower) {
                self.factor = Some(factor);
                return true;
            }
            help = if help < FIRST_HELP { FIRST_HELP } else { help * 100.0 };
            if help > LAST_HELP || !sum.iter().all(|v| v.is_finite()) {
                return false;
            }
        }
    }

    /// Solves for the change of the row prices.
    pub fn solve(&mut self, rhs: &[f64]) {
        let Some(factor) = &self.factor else { return };
        let mut column = Mat::from_fn(rhs.len(), 1, |i, _| rhs[i] * self.scale[i]);
        factor.solve_in_place(column.as_mut());
        self.dy.clear();
        self.dy.extend((0..rhs.len()).map(|i| column[(i, 0)] * self.scale[i]));
    }
}

/// Adds what some units contribute, below the diagonal.
fn units(slots: usize, classes: &Classes, blocks: &[Block], m: usize, sum: &mut [f64]) {
    let mut diagonal = vec![0.0; classes.list.len() * slots];
    let mut seen = vec![false; classes.list.len()];
    let mut columns = Vec::new();
    let mut list: Vec<(usize, f64)> = Vec::new();
    let mut by_slot: Vec<Entry> = Vec::new();
    for block in blocks {
        let class = &classes.list[block.class];
        seen[block.class] = true;
        let at = block.class * slots + block.from;
        for (k, d) in diagonal[at..at + block.len].iter_mut().enumerate() {
            *d += block.diagonal(k);
        }
        let window = |e: &&Entry| e.slot >= block.from && e.slot < block.from + block.len;
        match block.rest() {
            Rest::None => {}
            Rest::RankOne { theta, scale } => {
                list.clear();
                list.extend(class.entries.iter().filter(window).filter_map(|e| {
                    let theta = theta[e.slot - block.from];
                    (theta > 0.0).then_some((e.row, e.factor * theta))
                }));
                for (j, &(row_j, a_j)) in list.iter().enumerate() {
                    let take = scale * a_j;
                    let target = &mut sum[row_j * m..(row_j + 1) * m];
                    for &(row_i, a_i) in &list[j..] {
                        target[row_i] -= take * a_i;
                    }
                }
            }
            Rest::Inverse(inverse) => {
                by_slot.clear();
                by_slot.extend(class.entries.iter().filter(window).copied());
                by_slot.sort_by_key(|e| (e.slot, e.row));
                let mut next = 0;
                for k in 0..inverse.len() {
                    if k % COLUMNS == 0 {
                        inverse.columns(k, &mut columns);
                    }
                    let first = next;
                    while next < by_slot.len() && by_slot[next].slot == block.from + k {
                        next += 1;
                    }
                    for e_j in &by_slot[first..next] {
                        let from = e_j.row * m;
                        let target = &mut sum[from..from + m];
                        for e_i in class.entries.iter().filter(window).skip_while(|e| e.row < e_j.row) {
                            target[e_i.row] -= e_j.factor * e_i.factor * columns[e_i.slot - block.from][k % COLUMNS];
                        }
                    }
                }
            }
        }
    }
    for (c, class) in classes.list.iter().enumerate().filter(|(c, _)| seen[*c]) {
        by_slot.clear();
        by_slot.extend_from_slice(&class.entries);
        by_slot.sort_by_key(|e| (e.slot, e.row));
        for same in by_slot.chunk_by(|a, b| a.slot == b.slot) {
            let d = diagonal[c * slots + same[0].slot];
            for (j, e_j) in same.iter().enumerate() {
                for e_i in &same[j..] {
                    sum[e_j.row * m + e_i.row] += d * e_j.factor * e_i.factor;
                }
            }
        }
    }
}

/// Adds import, export, peak and slacks.
fn meter_and_slack(slots: usize, rows: &[Row], meter: &Meter, slack: &Vars, m: usize, sum: &mut [f64]) {
    let theta = &meter.vars.theta;
    let mut peaks = Vec::new();
    for (r, row) in rows.iter().enumerate() {
        sum[r * m + r] += slack.theta[r];
        match *row {
            Row::Balance { slot } => sum[r * m + r] += theta[slot] + theta[slots + slot],
            Row::Peak { slot } => {
                // Balance rows are the first rows, in the order of the slots, so the pair is below the diagonal.
                sum[slot * m + r] -= theta[slot];
                sum[r * m + r] += theta[slot];
                peaks.push(r);
            }
            Row::Fuse { .. } | Row::Spread { .. } => {}
        }
    }
    for (j, &column) in peaks.iter().enumerate() {
        for &row in &peaks[j..] {
            sum[column * m + row] += theta[2 * slots];
        }
    }
}
