//! The rows that units share, and which units stand in which.
//!
//! The balance of every slot is always there. Peak, fuse and imbalance rows are added when an iterate breaks them:
//! of the thousands a depot has, a hundred or two ever bind.

use std::collections::BTreeMap;

use crate::model::Model;
use crate::model::boards::PAIRS;

/// A shared row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Row {
    /// Σ kw·z − import + export = −fixed, in kW.
    Balance {
        /// The slot.
        slot: usize,
    },
    /// import − peak ≤ peak so far, in kW.
    Peak {
        /// The slot.
        slot: usize,
    },
    /// low ≤ Σ amperes·z ≤ high, in A.
    Fuse {
        /// The board.
        node: usize,
        /// The phase.
        phase: usize,
        /// The slot.
        slot: usize,
    },
    /// −limit ≤ difference of two phases ≤ limit, in A.
    Spread {
        /// Index into [`Boards::spreads`](crate::model::boards::Boards::spreads).
        spread: usize,
        /// Index into [`PAIRS`].
        pair: usize,
        /// The slot.
        slot: usize,
    },
}

impl Row {
    /// The slot a row is about.
    pub fn slot(self) -> usize {
        match self {
            Row::Balance { slot } | Row::Peak { slot } | Row::Fuse { slot, .. } | Row::Spread { slot, .. } => slot,
        }
    }
}

/// Units that see the same prices: same board, phases and scale.
#[derive(Debug, Clone)]
pub struct Class {
    node: usize,
    phases: [bool; 3],
    amperes: f64,
    kw: f64,
    /// Where the class stands in the rows, by row.
    pub entries: Vec<Entry>,
}

/// A coefficient.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The row.
    pub row: usize,
    /// Its slot.
    pub slot: usize,
    /// The coefficient of z.
    pub factor: f64,
}

/// All classes of a model.
#[derive(Debug, Clone)]
pub struct Classes {
    /// The classes.
    pub list: Vec<Class>,
    /// Class of each unit.
    pub of_unit: Vec<usize>,
    /// Classes at or below each board.
    below: Vec<Vec<usize>>,
}

impl Classes {
    /// Groups the units of a model.
    pub fn of(model: &Model) -> Self {
        let mut index = BTreeMap::new();
        let mut list: Vec<Class> = Vec::new();
        let mut below = vec![Vec::new(); model.boards.parent.len()];
        let of_unit = model
            .units
            .iter()
            .map(|unit| {
                let key = (unit.node, unit.phases, unit.amperes.to_bits(), unit.kw.to_bits());
                *index.entry(key).or_insert_with(|| {
                    let (node, phases, amperes, kw) = (unit.node, unit.phases, unit.amperes, unit.kw);
                    list.push(Class { node, phases, amperes, kw, entries: Vec::new() });
                    for node in model.boards.path(node) {
                        below[node].push(list.len() - 1);
                    }
                    list.len() - 1
                })
            })
            .collect();
        Self { list, of_unit, below }
    }

    /// Enters a new row, which must have the highest number so far.
    pub fn enter(&mut self, model: &Model, number: usize, row: Row) {
        let slot = row.slot();
        let root = model.boards.root;
        let (node, factor): (usize, &dyn Fn(&Class) -> f64) = match row {
            Row::Peak { .. } => return,
            Row::Balance { .. } => (root, &|c| c.kw),
            Row::Fuse { node, phase, .. } => (node, &move |c| if c.phases[phase] { c.amperes } else { 0.0 }),
            Row::Spread { spread, pair, .. } => {
                let (p, q) = PAIRS[pair];
                let sign = move |c: &Class| f64::from(u8::from(c.phases[p])) - f64::from(u8::from(c.phases[q]));
                (model.boards.spreads[spread].node, &move |c| c.amperes * sign(c))
            }
        };
        for &class in &self.below[node] {
            let class = &mut self.list[class];
            let factor = factor(class);
            if factor != 0.0 {
                class.entries.push(Entry { row: number, slot, factor });
            }
        }
    }

    /// What each class's z costs per slot at these row prices: Gᵀy, flat by class and slot.
    pub fn prices(&self, slots: usize, y: &[f64]) -> Vec<f64> {
        let mut prices = vec![0.0; self.list.len() * slots];
        for (class, prices) in self.list.iter().zip(prices.chunks_exact_mut(slots)) {
            for e in &class.entries {
                prices[e.slot] += e.factor * y[e.row];
            }
        }
        prices
    }

    /// Adds what z of all classes (flat by class and slot) makes of the rows: G z.
    pub fn activity(&self, slots: usize, z: &[f64], rows: &mut [f64]) {
        for (class, z) in self.list.iter().zip(z.chunks_exact(slots)) {
            for e in &class.entries {
                rows[e.row] += e.factor * z[e.slot];
            }
        }
    }

    /// Currents of all boards' phases, flat as in [`Boards`](crate::model::boards::Boards), from z of all classes.
    pub fn flows(&self, model: &Model, z: &[f64]) -> Vec<f64> {
        let slots = model.slots;
        let mut flows = vec![0.0; model.boards.high_a.len()];
        for (class, z) in self.list.iter().zip(z.chunks_exact(slots)) {
            for phase in (0..3).filter(|&p| class.phases[p]) {
                let from = model.boards.at(class.node, phase, 0);
                for (flow, z) in flows[from..from + slots].iter_mut().zip(z) {
                    *flow += class.amperes * z;
                }
            }
        }
        model.boards.carry_up(&mut flows);
        flows
    }
}
