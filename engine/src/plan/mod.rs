//! The planner: from an instance to a plan that is verified, with a bound that is proven.
//!
//! A ladder, each rung ready to be handed out should the next one fail, be cancelled or run out of time:
//!
//! | rung | file | gives |
//! |---|---|---|
//! | rule | `rule.rs` | a plan at once: everything off, then one unit after the other at its cheapest |
//! | previous | `previous.rs` | the plan in force, mended; with its prices it may already be proven good enough |
//! | decomposition | `decomposition.rs` | a bound from the linear relaxation, a plan from dives into it |
//! | branching | `branching.rs` | a better bound where feed-in is priced above import |
//! | exact | here | one mixed-integer model, for small sites whose gap stays open |
//!
//! Nothing is kept that the [verifier](crate::verify) has not passed.

mod branching;
mod chance;
mod decomposition;
mod neighbourhood;
mod previous;
mod prices;
mod rule;
mod tidy;

use std::time::Duration;

use kwartier_data::instance::Instance;
use kwartier_data::plan::{BoundBy, Made, Plan, Status};

use crate::bound::bound_eur;
use crate::model::Model;
use crate::model::unit::{Is, Store};
use crate::outcome::{Ended, NoPlan, Outcome};
use crate::schedule::Schedule;
use crate::settings::{Method, Progress, Settings, Watch};
use crate::solver::exact::{ExactFault, ExactRequest, ExactSolver};
use crate::solver::interior::{Relaxation, RowPrices};
use crate::verify;

/// Sites with at most so many on-or-off decisions are given to the exact solver before their plan is improved by search.
const EXACT_FIRST: usize = 900;
/// Sites with at most so many on-or-off decisions are given to the exact solver when the gap stays open.
const EXACT_DECISIONS: usize = 6000;
/// The exact solver's start-up is not worth it with less time than this left.
const EXACT_LEAST: Duration = Duration::from_millis(200);
/// How much of the time limit the exact solver leaves for checking and writing.
const EXACT_RESERVE: Duration = Duration::from_millis(100);
/// What rounding may have added to a bound on its way through two languages, relative.
const BOUND_MARGIN: f64 = 1e-9;

/// Plans an instance.
///
/// # Errors
///
/// [`NoPlan`] when even with everything flexible off, the building and its PV break limits that nothing can mend.
pub fn plan(
    instance: &Instance,
    settings: &Settings,
    watch: &dyn Watch,
    exact: &dyn ExactSolver,
) -> Result<Outcome, NoPlan> {
    let model = Model::of(instance);
    let mut search = Search::begin(instance, &model, settings, watch);
    rule::plan(&mut search);
    if let Some(previous) = &settings.previous {
        previous::mend(&mut search, previous);
    }
    match settings.method {
        Method::Exact => {
            search.exact(exact);
            if search.faulted && !search.done() && search.go_on() {
                search.remarks.push("the decomposition took over".to_owned());
                decomposition::search(&mut search);
            }
        }
        Method::Decomposition => {
            if !search.done() {
                decomposition::search(&mut search);
            }
        }
        Method::Auto => climb(&mut search, exact),
    }
    let mut exhausted = false;
    if search.go_on() {
        exhausted = !search.done() && !search.cut_short;
        if search.method != "previous" {
            tidy::tidy(&mut search);
        }
    }
    search.finish(exhausted)
}

/// The rungs in the order that is quickest for a site of its size: the exact model early where it takes a second, late where
/// it takes a minute, never where it takes an hour.
fn climb(search: &mut Search<'_>, exact: &dyn ExactSolver) {
    let decisions = decisions(search.model);
    let rungs: [&mut dyn FnMut(&mut Search<'_>); 5] = [
        &mut decomposition::dive_first,
        &mut |search| {
            if decisions <= EXACT_FIRST {
                decomposition::improve_best(search, neighbourhood::BRIEFLY);
                if !search.done() && search.go_on() {
                    search.exact(exact);
                }
            }
        },
        &mut |search| {
            let small = decisions <= EXACT_DECISIONS;
            decomposition::improve_best(search, if small { neighbourhood::SHORTLY } else { neighbourhood::PATIENCE });
        },
        &mut branching::search,
        &mut |search| {
            if (EXACT_FIRST + 1..=EXACT_DECISIONS).contains(&decisions) {
                search.exact(exact);
            }
        },
    ];
    for rung in rungs {
        if search.done() || !search.go_on() {
            return;
        }
        rung(search);
    }
}

/// On-or-off decisions of a model.
fn decisions(model: &Model) -> usize {
    let of = |unit: &crate::model::unit::Unit| {
        let slots = unit.up_max.iter().filter(|&&max| max > 0.0).count();
        match (&unit.is, &unit.store) {
            (Is::Pv(_), _) => 0,
            (_, Store::Chain(_)) => 2 * slots,
            _ if unit.up_min > 0.0 => slots,
            _ => 0,
        }
    };
    model.units.iter().map(of).sum()
}

/// A search for a plan: the best one so far, the best bound so far, and who is watching.
struct Search<'a> {
    instance: &'a Instance,
    model: &'a Model,
    settings: &'a Settings,
    watch: &'a dyn Watch,
    best: Option<Best>,
    /// The best proven bound in EUR.
    bound_eur: f64,
    /// What proves it.
    bound_by: BoundBy,
    /// The prices that prove it, or the last ones known.
    prices: RowPrices,
    /// The method that made the best plan.
    method: &'static str,
    idle_eur: f64,
    remarks: Vec<String>,
    /// Whether the exact solver failed.
    faulted: bool,
    /// Whether its time ran out.
    cut_short: bool,
    /// What is wrong with the plan of everything off, for the case that there is none.
    first_violation: Option<String>,
}

/// The best plan so far.
struct Best {
    plan: Plan,
    schedule: Schedule,
    objective_eur: f64,
}

impl<'a> Search<'a> {
    fn begin(instance: &'a Instance, model: &'a Model, settings: &'a Settings, watch: &'a dyn Watch) -> Self {
        let free = Relaxation::of(model, 1.0, 1.0);
        let prices = RowPrices::default();
        // Free rows: a poor bound, but a proven one, and there before anything else.
        let bound_eur = bound_eur(model, &free.frames, &free.ways, &prices);
        Self {
            instance,
            model,
            settings,
            watch,
            best: None,
            bound_eur,
            bound_by: BoundBy::Prices,
            prices,
            method: "rule",
            idle_eur: verify::idle_eur(instance),
            remarks: Vec::new(),
            faulted: false,
            cut_short: false,
            first_violation: None,
        }
    }

    /// Whether there is time and nobody has cancelled.
    fn go_on(&self) -> bool {
        !self.watch.cancelled() && self.watch.elapsed() < self.settings.time_limit
    }

    /// The gap of the best plan, infinite without one.
    fn gap(&self) -> f64 {
        self.best.as_ref().map_or(f64::INFINITY, |best| self.gap_of(best.objective_eur))
    }

    fn gap_of(&self, objective_eur: f64) -> f64 {
        verify::gap(objective_eur, self.bound_eur.min(objective_eur), objective_eur - self.idle_eur)
    }

    /// Whether the gap asked for is proven.
    fn done(&self) -> bool {
        self.gap() <= self.settings.gap
    }

    /// The flexible cost that gaps are relative to, from what is known so far, in EUR.
    fn flexible_eur(&self) -> f64 {
        let objective = self.best.as_ref().map_or(f64::INFINITY, |best| best.objective_eur);
        // The best plan is above the optimum, the bound below: the smaller of both flexible costs is on the safe side.
        let of = |eur: f64| (eur - self.idle_eur).abs();
        of(objective).min(of(self.bound_eur)).max(1.0)
    }

    /// Takes a bound that `prices` prove.
    fn raise_priced_bound(&mut self, eur: f64, prices: RowPrices) {
        if self.raise_bound(eur, BoundBy::Prices) {
            self.prices = prices;
        }
    }

    /// Takes a bound if it is higher than the one known; whether it was.
    fn raise_bound(&mut self, eur: f64, by: BoundBy) -> bool {
        // No bound is above what a plan is known to cost, whatever rounding or a search that stopped at that plan says.
        let known = self.best.as_ref().map_or(f64::INFINITY, |best| best.objective_eur);
        let eur = (eur - BOUND_MARGIN * eur.abs()).min(known);
        let higher = eur.is_finite() && eur > self.bound_eur;
        if higher {
            self.bound_eur = eur;
            self.bound_by = by;
        }
        higher
    }

    /// Offers a schedule. It is kept if the verifier passes it and it is the best so far.
    fn offer(&mut self, schedule: Schedule, method: &'static str) -> bool {
        let mut plan = schedule.priced_plan(self.instance, self.model);
        let objective_eur = plan.objective_eur;
        plan.bound_eur = self.bound_eur.min(objective_eur);
        if self.best.as_ref().is_some_and(|best| best.objective_eur <= objective_eur) {
            return false;
        }
        let report = verify::verify(self.instance, &plan);
        if !report.is_clean() {
            if self.first_violation.is_none() {
                self.first_violation = report.violations.first().map(ToString::to_string);
            }
            return false;
        }
        self.best = Some(Best { plan, schedule, objective_eur });
        self.method = method;
        true
    }

    fn progress(&self, doing: &'static str) {
        self.watch.progress(&Progress {
            doing,
            objective_eur: self.best.as_ref().map(|best| best.objective_eur),
            bound_eur: Some(self.bound_eur),
            gap: self.best.as_ref().map(|_| self.gap()),
        });
    }

    /// Asks the exact solver, and believes nothing it says but what can be checked.
    fn exact(&mut self, solver: &dyn ExactSolver) {
        // What the gap is relative to is only known with a plan; a second time where the first was for a rough one.
        for _ in 0..2 {
            if !self.ask(solver) || self.done() || !self.go_on() {
                return;
            }
        }
    }

    /// Asks once; whether it is worth asking again.
    fn ask(&mut self, solver: &dyn ExactSolver) -> bool {
        let left = self.settings.time_limit.saturating_sub(self.watch.elapsed());
        if left < EXACT_LEAST {
            self.cut_short = true;
            return false;
        }
        self.progress("solving the exact model");
        let request = ExactRequest {
            instance: self.instance,
            abs_gap_eur: 0.5 * self.settings.gap * self.flexible_eur(),
            time_limit: left.saturating_sub(EXACT_RESERVE),
        };
        let answer = match solver.solve(&request) {
            Ok(answer) => answer,
            Err(ExactFault::Cancelled) => return false,
            Err(fault) => {
                self.faulted = true;
                self.remarks.push(format!("the exact solver was of no use: {fault}"));
                return false;
            }
        };
        let used_up = self.watch.elapsed() + 2 * EXACT_RESERVE >= self.settings.time_limit;
        self.cut_short = !answer.claims_optimal && used_up;
        let claims_optimal = answer.claims_optimal;
        let before = self.best.as_ref().map_or(f64::INFINITY, |best| best.objective_eur);
        if let Some(plan) = answer.plan {
            let schedule = Schedule::of_plan(self.instance, self.model, &plan);
            self.offer(schedule, "exact");
            let found = verify::price(self.instance, &plan);
            if self.best.as_ref().is_none_or(|best| best.objective_eur > found.objective_eur + verify::TOLERANCE_EUR) {
                self.faulted = true;
                self.remarks.push("the exact solver's plan breaks limits and was not used".to_owned());
            }
            let proven = answer.bound_eur.unwrap_or(f64::NEG_INFINITY) + request.abs_gap_eur + verify::TOLERANCE_EUR;
            if answer.claims_optimal && found.objective_eur > proven {
                self.faulted = true;
                self.remarks.push("the exact solver's plan costs more than it says and proves nothing".to_owned());
            }
        }
        // A bound cannot be checked. One that a verified plan contradicts is a lie; one that comes without a plan as good
        // as the best known is believed only as far as that plan goes.
        if let Some(bound) = answer.bound_eur.filter(|_| !self.faulted) {
            let best = self.best.as_ref().map_or(f64::INFINITY, |best| best.objective_eur).min(before);
            if !bound.is_finite() || bound > best + verify::TOLERANCE_EUR {
                self.faulted = true;
                self.remarks.push(format!("the exact solver's bound of {bound} EUR is wrong and was not used"));
            } else {
                self.raise_bound(bound.min(best), BoundBy::Exact);
            }
        }
        self.progress("solving the exact model");
        claims_optimal && !self.faulted
    }

    /// Words the outcome.
    fn finish(self, exhausted: bool) -> Result<Outcome, NoPlan> {
        let gap = self.gap();
        let done = self.done();
        let solve_seconds = self.watch.elapsed().as_secs_f64();
        let ended = if done {
            Ended::Gap
        } else if self.watch.cancelled() {
            Ended::Cancelled
        } else if exhausted {
            Ended::Exhausted
        } else {
            Ended::TimeLimit
        };
        let prices = prices::stated(self.instance, self.model, &self.prices);
        let out_of_time = !self.go_on();
        let Some(best) = self.best else {
            let what = self.first_violation.unwrap_or_else(|| "nothing was tried".to_owned());
            return Err(if out_of_time { NoPlan::NotInTime(what) } else { NoPlan::LimitsContradict(what) });
        };
        let mut plan = best.plan;
        plan.status = if done { Status::Optimal } else { Status::Feasible };
        plan.bound_eur = self.bound_eur.min(best.objective_eur);
        plan.solve_seconds = solve_seconds;
        plan.gap = Some(gap);
        plan.prices = Some(prices);
        plan.made = Some(Made {
            start: self.instance.start.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            slot_minutes: self.instance.slot_minutes,
            method: self.method.to_owned(),
            ended: ended.name().to_owned(),
            bound_by: self.bound_by,
            remarks: self.remarks,
        });
        Ok(Outcome { plan, gap, flexible_eur: best.objective_eur - self.idle_eur, ended })
    }
}
