//! The planner against an independent exact reference, and against everything that can go wrong around it.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

mod common;
mod reference;

use std::time::Duration;

use common::{Clock, NoSolver, cases, decomposition, planned};
use kwartier_data::Instance;
use kwartier_data::plan::{Plan, Status};
use kwartier_engine::outcome::Ended;
use kwartier_engine::plan::plan;
use kwartier_engine::settings::{Method, Settings};
use kwartier_engine::solver::exact::{ExactAnswer, ExactFault, ExactRequest, ExactSolver, Highs};
use kwartier_engine::verify::verify;
use kwartier_tests::generate::Recipe;
use proptest::prelude::*;
use reference::{Reference, reference};

/// Sites small enough for the reference, of every kind.
fn small() -> impl Strategy<Value = Recipe> {
    let shape = (1_usize..5, 8_usize..14, any::<bool>(), any::<bool>(), 0_u64..1_000_000);
    let world = (0.0..1.0_f64, 0.0..1.0_f64, 0.2..1.2_f64, any::<bool>(), 0.3..3.0_f64);
    let prices = (0_usize..3, 0_usize..3, 1_usize..3);
    (shape, world, prices).prop_map(|(shape, world, prices)| Recipe {
        vehicles: shape.0,
        slots: 4 * shape.1,
        day: shape.2,
        everything: shape.3,
        seed: shape.4,
        v2g: world.0,
        one_phase: world.1,
        fuses: world.2,
        unequal: world.3,
        need: world.4,
        negative_hours: prices.0,
        feed_in_hours: prices.1,
        depth: prices.2,
        together: false,
    })
}

/// What the reference's own tolerances may add up to, in EUR.
const REFERENCE_EUR: f64 = 2e-3;

proptest! {
    #![proptest_config(cases(12))]

    /// No plan beats the optimum, no bound exceeds it, and the exact model reaches it as nearly as it claims.
    #[test]
    fn agrees_with_the_reference(recipe in small()) {
        let instance = recipe.instance();
        let optimum = match reference(&instance) {
            Reference::Optimum(optimum) => optimum,
            Reference::NoPlan => return Ok(()),
            Reference::Unknown => return Err(TestCaseError::reject("too hard for the reference")),
        };
        let exact = Settings { method: Method::Exact, gap: 1e-5, ..Settings::default() };
        let exact = plan(&instance, &exact, &Clock::default(), &Highs).expect("a plan");
        // HiGHS has a clock of its own: on a busy machine a hard case may end before the proof, and then says so.
        let unproven = exact.plan.objective_eur - exact.plan.bound_eur;
        let off = exact.plan.objective_eur - optimum;
        let tolerance = REFERENCE_EUR + 1e-4 * optimum.abs();
        prop_assert!(off > -tolerance && off < tolerance + unproven, "exact {} optimum {optimum} {:?}", exact.plan.objective_eur, exact.plan.made);
        prop_assert!(exact.plan.bound_eur < optimum + REFERENCE_EUR);

        let free = planned(&instance, &decomposition());
        prop_assert!(free.plan.bound_eur < optimum + REFERENCE_EUR, "bound {} optimum {optimum}", free.plan.bound_eur);
        prop_assert!(free.plan.objective_eur > optimum - REFERENCE_EUR, "cost {} optimum {optimum}", free.plan.objective_eur);
        // What is called optimal is within the gap asked for.
        if free.plan.status == Status::Optimal {
            let allowed = 1e-3 * free.flexible_eur.abs().max(1.0);
            prop_assert!(free.plan.objective_eur < optimum + allowed + REFERENCE_EUR);
        }
    }
}

proptest! {
    #![proptest_config(cases(12))]

    /// Whenever it is stopped, what comes back is verified and its bound is below its cost; the same stop gives the same.
    #[test]
    fn stops_anywhere(recipe in small(), at in 0_u64..400) {
        let instance = recipe.instance();
        let run = || {
            let clock = Clock { cancel_at: Some(at), ..Clock::default() };
            plan(&instance, &decomposition(), &clock, &NoSolver).expect("a plan")
        };
        let outcome = run();
        let report = verify(&instance, &outcome.plan);
        prop_assert!(report.is_clean(), "{:?}", report.violations);
        prop_assert!(outcome.plan.bound_eur <= outcome.plan.objective_eur);
    }

    /// Vehicles that may leave without, and those that can never be filled, are planned like all others.
    #[test]
    fn impossible_needs_are_shortfall(mut recipe in small()) {
        recipe.need = 100.0;
        recipe.fuses = 0.1;
        let instance = recipe.instance();
        let Ok(outcome) = plan(&instance, &Settings::default(), &Clock::default(), &Highs) else {
            // A building may break a limit in one phase that its sun breaks in another. Then nobody has a plan.
            prop_assert!(matches!(reference(&instance), Reference::NoPlan | Reference::Unknown));
            return Ok(());
        };
        prop_assert!(verify(&instance, &outcome.plan).is_clean());
        let short: f64 = outcome.plan.sessions.iter().map(|s| s.shortfall_kwh).sum();
        prop_assert!(instance.sessions.is_empty() || short > 0.0);
    }
}

#[test]
fn the_exact_model_proves_the_optimum_of_a_small_site() {
    let instance = Recipe::night(6, 9).instance();
    let Reference::Optimum(optimum) = reference(&instance) else { panic!("an optimum") };
    let settings = Settings { method: Method::Exact, gap: 1e-5, ..Settings::default() };
    let exact = plan(&instance, &settings, &Clock::default(), &Highs).expect("a plan");
    assert_eq!(exact.ended, Ended::Gap);
    assert!((exact.plan.objective_eur - optimum).abs() < REFERENCE_EUR, "{} {optimum}", exact.plan.objective_eur);
}

#[test]
fn the_same_input_gives_the_same_plan_bit_for_bit() {
    let instance = Recipe::day(30, 5).instance();
    let mut plans: Vec<Plan> = (0..2).map(|_| planned(&instance, &decomposition()).plan).collect();
    for plan in &mut plans {
        plan.solve_seconds = 0.0;
    }
    assert_eq!(plans[0], plans[1]);
}

#[test]
fn depots_of_every_kind_reach_the_gap() {
    let night = Recipe::night(60, 3);
    let kinds = [
        night.clone(),
        Recipe { one_phase: 1.0, ..night.clone() },
        Recipe { v2g: 0.8, negative_hours: 4, ..night.clone() },
        Recipe { slots: 92, ..night.clone() },
        Recipe { slots: 100, ..Recipe::day(60, 4) },
        Recipe { depth: 30, ..night.clone() },
        Recipe { together: true, ..night.clone() },
        Recipe { unequal: true, ..night.clone() },
        Recipe { everything: false, vehicles: 0, ..night },
    ];
    for recipe in kinds {
        let outcome = planned(&recipe.instance(), &decomposition());
        assert!(outcome.gap <= 2e-3, "{recipe:?}: gap {}", outcome.gap);
    }
}

#[test]
fn no_time_at_all_still_gives_a_safe_plan() {
    let instance = Recipe::night(40, 1).instance();
    let settings = Settings { time_limit: Duration::ZERO, ..Settings::default() };
    let outcome = plan(&instance, &settings, &Clock::default(), &NoSolver).expect("a plan");
    assert_eq!(outcome.ended, Ended::TimeLimit);
    assert_eq!(outcome.plan.status, Status::Feasible);
    assert!(verify(&instance, &outcome.plan).is_clean());
}

#[test]
fn an_unchanged_day_keeps_its_plan() {
    let instance = Recipe::night(60, 2).instance();
    let first = planned(&instance, &decomposition());
    assert_eq!(first.ended, Ended::Gap);
    let again = planned(&instance, &Settings { previous: Some(first.plan.clone()), ..decomposition() });
    assert_eq!(again.plan.made.as_ref().map(|m| m.method.as_str()), Some("previous"));
    assert_eq!(again.plan.sessions, first.plan.sessions);
    assert_eq!(again.plan.batteries, first.plan.batteries);
}

#[test]
fn a_plan_from_another_day_is_said_to_be_of_no_use() {
    let instance = Recipe::night(10, 2).instance();
    let mut previous = planned(&instance, &decomposition()).plan;
    previous.made.as_mut().unwrap().start = "2023-06-13T14:07:00Z".to_owned();
    let outcome = planned(&instance, &Settings { previous: Some(previous), ..decomposition() });
    let remarks = outcome.plan.made.unwrap().remarks;
    assert!(remarks.iter().any(|r| r.contains("do not line up")), "{remarks:?}");
}

#[test]
fn a_later_start_moves_the_previous_plan() {
    let recipe = Recipe::night(20, 7);
    let previous = planned(&recipe.instance(), &decomposition()).plan;
    // The same night, two hours in: the first eight slots are gone.
    let mut later = recipe.json();
    later["start"] = "2023-06-13T16:00:00Z".into();
    for session in later["sessions"].as_array_mut().unwrap() {
        for field in ["arrive", "depart"] {
            session[field] = session[field].as_u64().unwrap().saturating_sub(8).into();
        }
    }
    let instance = kwartier_data::instance::parse(later.to_string().as_bytes()).unwrap();
    let outcome = planned(&instance, &Settings { previous: Some(previous), ..decomposition() });
    assert!(outcome.plan.made.unwrap().remarks.is_empty());
}

/// A solver that says what it is told to.
struct Puppet(fn(&Instance) -> Result<ExactAnswer, ExactFault>);

impl ExactSolver for Puppet {
    fn solve(&self, request: &ExactRequest<'_>) -> Result<ExactAnswer, ExactFault> {
        (self.0)(request.instance)
    }
}

/// Plans a site with a solver that lies; returns status, and the remarks.
fn with(puppet: fn(&Instance) -> Result<ExactAnswer, ExactFault>) -> (Status, Vec<String>) {
    let instance = Recipe::night(6, 9).instance();
    let Reference::Optimum(optimum) = reference(&instance) else { panic!("an optimum") };
    let settings = Settings { method: Method::Exact, ..Settings::default() };
    let outcome = plan(&instance, &settings, &Clock::default(), &Puppet(puppet)).expect("a plan");
    assert!(verify(&instance, &outcome.plan).is_clean());
    assert!(outcome.plan.bound_eur < optimum + REFERENCE_EUR, "the bound {} was believed", outcome.plan.bound_eur);
    (outcome.plan.status, outcome.plan.made.expect("made").remarks)
}

#[test]
fn a_solver_that_fails_is_survived() {
    let (status, remarks) = with(|_| Err(ExactFault::TimedOut));
    assert_eq!(status, Status::Optimal, "the decomposition takes over");
    assert!(remarks.iter().any(|r| r.contains("did not answer in time")), "{remarks:?}");
    let (_, remarks) = with(|_| Err(ExactFault::Crashed("signal 11".to_owned())));
    assert!(remarks.iter().any(|r| r.contains("signal 11")), "{remarks:?}");
}

#[test]
fn a_solver_that_lies_is_not_believed() {
    // A bound above what a verified plan costs.
    let (_, remarks) = with(|_| Ok(ExactAnswer { plan: None, bound_eur: Some(1e9), claims_optimal: true }));
    assert!(remarks.iter().any(|r| r.contains("is wrong")), "{remarks:?}");
    // No number.
    let (_, remarks) = with(|_| Ok(ExactAnswer { plan: None, bound_eur: Some(f64::NAN), claims_optimal: true }));
    assert!(remarks.iter().any(|r| r.contains("is wrong")), "{remarks:?}");
    // A plan that breaks every fuse.
    let (_, remarks) = with(|instance| {
        let mut plan = planned(instance, &decomposition()).plan;
        for session in &mut plan.sessions {
            session.charge_a.fill(1e6);
        }
        Ok(ExactAnswer { plan: Some(plan), bound_eur: Some(0.0), claims_optimal: true })
    });
    assert!(!remarks.is_empty());
    // Nothing.
    let (status, _) = with(|_| Ok(ExactAnswer { plan: None, bound_eur: None, claims_optimal: false }));
    assert_eq!(
        status,
        Status::Feasible,
        "an exact solver without a word proves nothing, and nothing else was asked for"
    );
}
