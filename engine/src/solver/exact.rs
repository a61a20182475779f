//! The whole site as one mixed-integer model, solved by HiGHS.
//!
//! Reference and last resort for small sites: it proves what the linear relaxation cannot. The 0-or-from-minimum choice has
//! a binary of its own (HiGHS' semicontinuous variables are less trustworthy), directions exclude each other, and where
//! feed-in is priced above import so do the ways of the connection. A board's phase in a slot is a row only where what is
//! below it could break its limit.
//!
//! It gets no plan to start from: given one, HiGHS 1.16 has reported objectives below the relaxation's bound.
//!
//! HiGHS runs on one thread: its answers are then the same every time. It has been seen to overrun its time limit and to
//! crash, which is why the `kwartier` binary runs it in a process that can be killed; this file only says what such a
//! solver is ([`ExactSolver`]) and is one ([`Highs`]).

use std::num::NonZeroU32;
use std::time::Duration;

use highs::{Col, HighsModelStatus, HighsSolutionStatus, Model as HighsModel, RowProblem, Sense};
use kwartier_data::instance::Instance;
use kwartier_data::plan::Plan;
use thiserror::Error;

use crate::model::Model;
use crate::model::boards::PAIRS;
use crate::model::unit::{Store, Unit};
use crate::schedule::Schedule;
use crate::solver::interior::{Relaxation, reach};

/// What is asked of an exact solver.
#[derive(Debug, Clone, Copy)]
pub struct ExactRequest<'a> {
    /// The instance.
    pub instance: &'a Instance,
    /// Stop once objective and bound are this close, in EUR.
    pub abs_gap_eur: f64,
    /// Stop after this long.
    pub time_limit: Duration,
}

/// What an exact solver says. None of it is believed unchecked.
#[derive(Debug, Clone, PartialEq)]
pub struct ExactAnswer {
    /// The best plan it found.
    pub plan: Option<Plan>,
    /// The bound it claims, in EUR.
    pub bound_eur: Option<f64>,
    /// Whether it claims to have closed the gap asked for.
    pub claims_optimal: bool,
}

/// Why an exact solver gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ExactFault {
    /// It could not be started.
    #[error("it could not be started: {0}")]
    NotStarted(String),
    /// It crashed.
    #[error("it crashed: {0}")]
    Crashed(String),
    /// It said something that is no answer.
    #[error("its answer could not be understood: {0}")]
    Garbage(String),
    /// It says itself that it failed.
    #[error("it says that it failed: {0}")]
    Failed(String),
    /// It did not answer in time and was stopped.
    #[error("it did not answer in time and was stopped")]
    TimedOut,
    /// The caller cancelled.
    #[error("it was cancelled")]
    Cancelled,
}

/// Something that solves exact models.
pub trait ExactSolver {
    /// Solves one model.
    ///
    /// # Errors
    ///
    /// [`ExactFault`] when there is no answer.
    fn solve(&self, request: &ExactRequest<'_>) -> Result<ExactAnswer, ExactFault>;
}

/// HiGHS, in this process.
#[derive(Debug, Clone, Copy, Default)]
pub struct Highs;

/// How HiGHS solves a linear relaxation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LpMethod {
    /// Dual simplex.
    Simplex,
    /// Interior point without crossover.
    InteriorPoint,
}

impl ExactSolver for Highs {
    fn solve(&self, request: &ExactRequest<'_>) -> Result<ExactAnswer, ExactFault> {
        let model = Model::of(request.instance);
        let whole = Whole::of(&model, true);
        let mut highs = prepared(whole.problem.clone(), request.time_limit)?;
        option(&mut highs, "mip_abs_gap", request.abs_gap_eur.max(0.0))?;
        option(&mut highs, "mip_rel_gap", 0.0)?;
        let solved = highs.try_solve().map_err(failed)?;
        let optimal = solved.status() == HighsModelStatus::Optimal;
        let has_plan = solved.primal_solution_status() == HighsSolutionStatus::Feasible;
        let plan = has_plan.then(|| {
            let solution = solved.get_solution();
            whole.schedule(&model, solution.columns()).plan(request.instance, &model)
        });
        // Of a solve that ended otherwise, the value may never have been set.
        let ended = matches!(solved.status(), HighsModelStatus::Optimal | HighsModelStatus::ReachedTimeLimit);
        let bound = if !ended {
            None
        } else if whole.has_binaries {
            solved.double_info_value(c"mip_dual_bound").ok()
        } else {
            optimal.then(|| solved.objective_value())
        };
        let bound_eur = bound.filter(|b| b.is_finite()).map(|b| b + model.constant_eur);
        Ok(ExactAnswer { plan, bound_eur, claims_optimal: optimal })
    }
}

/// The cost of the linear relaxation by HiGHS in EUR, to compare with; `None` where it found no optimum in time.
///
/// # Errors
///
/// [`ExactFault`] when HiGHS refuses the model.
pub fn relaxation_eur(instance: &Instance, method: LpMethod, time_limit: Duration) -> Result<Option<f64>, ExactFault> {
    let model = Model::of(instance);
    let whole = Whole::of(&model, false);
    let mut highs = prepared(whole.problem, time_limit)?;
    match method {
        LpMethod::Simplex => option(&mut highs, "solver", "simplex")?,
        LpMethod::InteriorPoint => {
            option(&mut highs, "solver", "ipm")?;
            option(&mut highs, "run_crossover", "off")?;
        }
    }
    let solved = highs.try_solve().map_err(failed)?;
    Ok((solved.status() == HighsModelStatus::Optimal).then(|| solved.objective_value() + model.constant_eur))
}

fn prepared(problem: RowProblem, time_limit: Duration) -> Result<HighsModel, ExactFault> {
    let mut highs = problem.try_optimise(Sense::Minimise).map_err(failed)?;
    highs.make_quiet();
    if let Some(one) = NonZeroU32::new(1) {
        highs.set_threads(one);
    }
    option(&mut highs, "time_limit", time_limit.as_secs_f64())?;
    Ok(highs)
}

fn option<V: highs::HighsOptionValue>(highs: &mut HighsModel, name: &str, value: V) -> Result<(), ExactFault> {
    highs.try_set_option(name, value).map_err(failed)
}

fn failed(status: impl std::fmt::Debug) -> ExactFault {
    ExactFault::Failed(format!("HiGHS says {status:?}"))
}

/// Where a unit's quantities are among the columns.
struct Columns {
    up: Vec<usize>,
    up_on: Vec<Option<usize>>,
    down: Vec<usize>,
    down_on: Vec<Option<usize>>,
}

/// The model of a whole site.
struct Whole {
    problem: RowProblem,
    units: Vec<Columns>,
    has_binaries: bool,
    handles: Vec<Col>,
}

impl Whole {
    fn of(model: &Model, integer: bool) -> Self {
        let mut whole =
            Self { problem: RowProblem::default(), units: Vec::new(), has_binaries: false, handles: Vec::new() };
        for unit in &model.units {
            let columns = whole.unit(unit, integer);
            whole.units.push(columns);
        }
        whole.connection(model, integer);
        whole.boards(model);
        whole
    }

    fn column(&mut self, cost: f64, low: f64, high: f64) -> usize {
        self.handles.push(self.problem.add_column(cost, low..=high));
        self.handles.len() - 1
    }

    fn binary(&mut self, integer: bool) -> usize {
        self.has_binaries |= integer;
        let column =
            if integer { self.problem.add_integer_column(0.0, 0..=1) } else { self.problem.add_column(0.0, 0..=1) };
        self.handles.push(column);
        self.handles.len() - 1
    }

    fn row(&mut self, low: f64, high: f64, terms: &[(usize, f64)]) {
        let terms: Vec<(Col, f64)> = terms.iter().map(|&(c, factor)| (self.handles[c], factor)).collect();
        self.problem.add_row(low..=high, terms);
    }

    fn unit(&mut self, unit: &Unit, integer: bool) -> Columns {
        let n = unit.len();
        let mut columns =
            Columns { up: Vec::with_capacity(n), up_on: vec![None; n], down: Vec::new(), down_on: vec![None; n] };
        for k in 0..n {
            let (up_max, down_max) = (unit.up_max[k], unit.down_at(k));
            let up = self.column(0.0, 0.0, up_max);
            columns.up.push(up);
            let both = up_max > 0.0 && down_max > 0.0;
            if up_max > 0.0 && (unit.up_min > 0.0 || both) {
                let on = self.binary(integer);
                columns.up_on[k] = Some(on);
                self.row(f64::NEG_INFINITY, 0.0, &[(up, 1.0), (on, -up_max)]);
                if unit.up_min > 0.0 {
                    self.row(0.0, f64::INFINITY, &[(up, 1.0), (on, -unit.up_min)]);
                }
            }
            if unit.has_down() {
                let down = self.column(unit.wear_eur, 0.0, down_max);
                columns.down.push(down);
                if down_max > 0.0 && (unit.down_min > 0.0 || both) {
                    let on = self.binary(integer);
                    columns.down_on[k] = Some(on);
                    self.row(f64::NEG_INFINITY, 0.0, &[(down, 1.0), (on, -down_max)]);
                    if unit.down_min > 0.0 {
                        self.row(0.0, f64::INFINITY, &[(down, 1.0), (on, -unit.down_min)]);
                    }
                }
            }
            if let (Some(up_on), Some(down_on)) = (columns.up_on[k], columns.down_on[k]) {
                self.row(f64::NEG_INFINITY, 1.0, &[(up_on, 1.0), (down_on, 1.0)]);
            }
        }
        match &unit.store {
            Store::None => {}
            Store::Sum(of) => {
                let short = self.column(of.short_eur_kwh, 0.0, of.need_kwh);
                let mut terms: Vec<(usize, f64)> = columns.up.iter().map(|&c| (c, of.gain_kwh)).collect();
                self.row(f64::NEG_INFINITY, of.room_kwh, &terms);
                terms.push((short, 1.0));
                self.row(of.need_kwh, f64::INFINITY, &terms);
            }
            Store::Chain(of) => {
                let mut last = None;
                for k in 0..n {
                    let energy = self.column(0.0, 0.0, of.room_kwh);
                    let mut terms = vec![(energy, 1.0), (columns.up[k], -of.gain_kwh), (columns.down[k], of.drain_kwh)];
                    let before = if let Some(last) = last {
                        terms.push((last, -1.0));
                        0.0
                    } else {
                        of.start_kwh
                    };
                    self.row(before, before, &terms);
                    last = Some(energy);
                }
                let short = self.column(of.short_eur_kwh, 0.0, of.target_kwh);
                match last {
                    Some(last) => self.row(of.target_kwh, f64::INFINITY, &[(last, 1.0), (short, 1.0)]),
                    None => self.row(of.target_kwh - of.start_kwh, f64::INFINITY, &[(short, 1.0)]),
                }
            }
        }
        columns
    }

    fn connection(&mut self, model: &Model, integer: bool) {
        let of = &model.connection;
        let (import_kw, export_kw) = reach(model, &Relaxation::of(model, 1.0, 1.0).frames);
        let mut balance: Vec<Vec<(usize, f64)>> = vec![Vec::new(); model.slots];
        for (unit, columns) in model.units.iter().zip(&self.units) {
            for (k, &up) in columns.up.iter().enumerate() {
                balance[unit.from + k].push((up, unit.kw));
            }
            for (k, &down) in columns.down.iter().enumerate() {
                balance[unit.from + k].push((down, -unit.kw));
            }
        }
        let most = import_kw.iter().copied().fold(of.peak_so_far_kw, f64::max);
        let peak = self.column(of.peak_eur_kw, 0.0, most - of.peak_so_far_kw);
        for (slot, mut terms) in balance.into_iter().enumerate() {
            let import = self.column(of.import_eur_kwh[slot] * model.slot_h, 0.0, import_kw[slot]);
            let export = self.column(-of.export_eur_kwh[slot] * model.slot_h, 0.0, export_kw[slot]);
            terms.extend([(import, -1.0), (export, 1.0)]);
            self.row(-of.fixed_kw[slot], -of.fixed_kw[slot], &terms);
            let way = model.feed_in_pays(slot).then(|| self.binary(integer));
            if let Some(way) = way {
                self.row(f64::NEG_INFINITY, 0.0, &[(import, 1.0), (way, -import_kw[slot])]);
                self.row(f64::NEG_INFINITY, export_kw[slot], &[(export, 1.0), (way, export_kw[slot])]);
            }
            if of.peak_eur_kw > 0.0 && import_kw[slot] > of.peak_so_far_kw {
                self.row(f64::NEG_INFINITY, of.peak_so_far_kw, &[(import, 1.0), (peak, -1.0)]);
            }
        }
    }

    /// A flow column for every board, phase and slot below which something flexible is, bounded by the limit.
    fn boards(&mut self, model: &Model) {
        let boards = &model.boards;
        let size = boards.high_a.len();
        let mut terms: Vec<Vec<(usize, f64)>> = vec![Vec::new(); size];
        for (unit, columns) in model.units.iter().zip(&self.units) {
            for phase in (0..3).filter(|&p| unit.phases[p]) {
                for (k, &up) in columns.up.iter().enumerate() {
                    terms[boards.at(unit.node, phase, unit.from + k)].push((up, unit.amperes));
                }
                for (k, &down) in columns.down.iter().enumerate() {
                    terms[boards.at(unit.node, phase, unit.from + k)].push((down, -unit.amperes));
                }
            }
        }
        let mut flow_of: Vec<Option<usize>> = vec![None; size];
        for &node in &boards.children_first {
            for i in boards.at(node, 0, 0)..boards.at(node, 0, 0) + 3 * model.slots {
                if terms[i].is_empty() {
                    continue;
                }
                let flow = self.column(0.0, boards.low_a[i], boards.high_a[i]);
                flow_of[i] = Some(flow);
                let mut row = std::mem::take(&mut terms[i]);
                row.push((flow, -1.0));
                self.row(0.0, 0.0, &row);
                if let Some(up) = boards.parent[node] {
                    let offset = i - boards.at(node, 0, 0);
                    terms[boards.at(up, 0, 0) + offset].push((flow, 1.0));
                }
            }
        }
        for spread in &boards.spreads {
            for (pair, (p, q)) in PAIRS.into_iter().enumerate() {
                for slot in 0..model.slots {
                    let terms: Vec<(usize, f64)> = [(p, 1.0), (q, -1.0)]
                        .into_iter()
                        .filter_map(|(phase, sign)| Some((flow_of[boards.at(spread.node, phase, slot)]?, sign)))
                        .collect();
                    if !terms.is_empty() {
                        let (limit, base) = (spread.limit_a[slot], spread.base_a[pair][slot]);
                        self.row(-limit - base, limit - base, &terms);
                    }
                }
            }
        }
    }

    /// The schedule that the columns' values make, cleaned of the solver's tolerances.
    fn schedule(&self, model: &Model, values: &[f64]) -> Schedule {
        let mut schedule = Schedule::idle(model);
        let clean = |on: Option<usize>, value: f64, min: f64, max: f64| match on {
            Some(on) if values[on] < 0.5 => 0.0,
            Some(_) => value.clamp(min.min(max), max),
            None => value.clamp(0.0, max),
        };
        for (i, (unit, columns)) in model.units.iter().zip(&self.units).enumerate() {
            for k in 0..unit.len() {
                schedule.up[i][k] = clean(columns.up_on[k], values[columns.up[k]], unit.up_min, unit.up_max[k]);
                if let Some(&down) = columns.down.get(k) {
                    schedule.down[i][k] = clean(columns.down_on[k], values[down], unit.down_min, unit.down_max[k]);
                }
            }
        }
        schedule
    }
}
