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
//! | `iterate.rs` | where the method stands, one step of it, rows that are added |
//! | `vars.rs` | bounded variables and their steps |
//! | `block.rs` | one unit: variables, own rows, elimination |
//! | `rows.rs` | shared rows and who stands in them |
//! | `meter.rs` | import, export and peak |
//! | `schur.rs` | the shared system: assembly and factorisation |

mod block;
mod iterate;
mod meter;
mod rows;
mod schur;
mod vars;

use self::iterate::Iterate;
pub use self::meter::reach;
pub use self::rows::Row;
use crate::model::Model;

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
            Some(warm) => warm.iterate.refitted(self, &warm.rows),
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
            if state.done(self.tolerance_eur, iterate.largest) && !iterate.add_broken_rows(self.model, true) {
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
