//! The relaxation and the bound against HiGHS, and the bound against any prices at all.

#![allow(clippy::expect_used, clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::{cases, decomposition, planned};
use kwartier_engine::bound::{bound_eur, regrets_eur};
use kwartier_engine::model::Model;
use kwartier_engine::schedule::{Schedule, Site};
use kwartier_engine::settings::Settings;
use kwartier_engine::solver::exact::{LpMethod, relaxation_eur};
use kwartier_engine::solver::interior::{Relaxation, Row, RowPrices};
use kwartier_tests::generate::Recipe;
use proptest::prelude::*;

/// Any plan will do.
fn roughly() -> Settings {
    Settings { gap: 1.0, ..decomposition() }
}

fn recipe() -> impl Strategy<Value = Recipe> {
    let shape = (0_usize..40, 24_usize..100, any::<bool>(), any::<bool>(), 0_u64..1_000_000);
    let world = (0.0..1.0_f64, 0.0..1.0_f64, 0.3..1.2_f64, any::<bool>(), 0.5..2.0_f64);
    (shape, world, 0_usize..3).prop_map(|(shape, world, negative_hours)| Recipe {
        vehicles: shape.0,
        slots: shape.1,
        day: shape.2,
        // A battery of no vehicles' size would be refused.
        everything: shape.3 && shape.0 > 0,
        seed: shape.4,
        v2g: world.0,
        one_phase: world.1,
        fuses: world.2,
        unequal: world.3,
        need: world.4,
        negative_hours,
        ..Recipe::night(0, 0)
    })
}

proptest! {
    #![proptest_config(cases(14))]

    /// The bound is that of the linear relaxation as HiGHS finds it, or better: the cut that keeps directions apart and
    /// the meter's one way only ever raise it.
    #[test]
    fn is_as_good_as_that_of_highs(recipe in recipe()) {
        let instance = recipe.instance();
        let model = Model::of(&instance);
        let relaxation = Relaxation::of(&model, 1e-5, 1.0);
        let solution = relaxation.solve(None, &|| true);
        prop_assert!(solution.converged);
        let bound = bound_eur(&model, &relaxation.frames, &relaxation.ways, &solution.prices);
        let reference = relaxation_eur(&instance, LpMethod::Simplex, Duration::from_mins(1)).unwrap().expect("an optimum");
        prop_assert!(bound > reference - 1e-3 - 1e-6 * reference.abs(), "bound {bound}, HiGHS {reference}");
    }

    /// Whatever the prices of the shared rows are, no plan costs less than the bound they prove.
    #[test]
    fn any_prices_prove_a_bound(recipe in recipe(), noise in prop::collection::vec(-2.0..2.0_f64, 64)) {
        let instance = recipe.instance();
        let model = Model::of(&instance);
        let relaxation = Relaxation::of(&model, 1e-2, 1.0);
        let mut prices = relaxation.solve(None, &|| true).prices;
        for (i, (_, y)) in prices.0.iter_mut().enumerate() {
            *y *= 1.0 + noise[i % noise.len()];
        }
        let extra = (0..model.slots.min(20)).map(|slot| (Row::Fuse { node: 0, phase: slot % 3, slot }, noise[slot]));
        prices.0.extend(extra.filter(|(row, _)| prices.0.iter().all(|p| p.0 != *row)).collect::<Vec<_>>());
        let bound = bound_eur(&model, &relaxation.frames, &relaxation.ways, &prices);
        let plan = planned(&instance, &roughly()).plan;
        prop_assert!(bound < plan.objective_eur + 1e-6 + 1e-9 * plan.objective_eur.abs(), "{bound} > {}", plan.objective_eur);
    }

    /// No unit does better than its least, and what units and limits leave adds up to no more than the gap.
    #[test]
    fn regrets_are_a_part_of_the_gap(recipe in recipe()) {
        let instance = recipe.instance();
        let model = Model::of(&instance);
        let relaxation = Relaxation::of(&model, 1e-5, 1.0);
        let solution = relaxation.solve(None, &|| true);
        let bound = bound_eur(&model, &relaxation.frames, &relaxation.ways, &solution.prices);
        let plan = planned(&instance, &roughly()).plan;
        let schedule = Schedule::of_plan(&instance, &model, &plan);
        let regrets = regrets_eur(&model, &relaxation.frames, &solution.prices, &schedule);
        let slack = 1e-3 + 1e-6 * plan.objective_eur.abs();
        prop_assert!(regrets.iter().all(|r| *r > -slack), "{regrets:?}");
        prop_assert!(regrets.iter().sum::<f64>() < plan.objective_eur - bound + slack);
    }
}

#[test]
fn free_rows_prove_something() {
    let model = Model::of(&Recipe::night(10, 1).instance());
    let relaxation = Relaxation::of(&model, 1e-3, 1.0);
    assert!(bound_eur(&model, &relaxation.frames, &relaxation.ways, &RowPrices::default()).is_finite());
}

#[test]
fn an_interrupted_solve_still_proves_a_bound() {
    let instance = Recipe::night(30, 1).instance();
    let model = Model::of(&instance);
    let relaxation = Relaxation::of(&model, 1e-5, 1.0);
    let whole = relaxation.solve(None, &|| true);
    let looks = std::cell::Cell::new(0);
    let cut = relaxation.solve(None, &|| {
        looks.set(looks.get() + 1);
        looks.get() < 12
    });
    assert!(!cut.converged);
    let bound = |prices| bound_eur(&model, &relaxation.frames, &relaxation.ways, prices);
    assert!(bound(&cut.prices) <= bound(&whole.prices) + 1e-3);
}

#[test]
fn a_warm_start_ends_where_a_cold_one_does() {
    let model = Model::of(&Recipe::night(50, 4).instance());
    let mut relaxation = Relaxation::of(&model, 1e-5, 100.0);
    let first = relaxation.solve(None, &|| true);
    for frame in relaxation.frames.iter_mut().step_by(3) {
        for (low, high) in frame.up.iter_mut().step_by(2) {
            (*low, *high) = (0.0, *high * 0.5);
        }
    }
    let cost = |warm| {
        let solution = relaxation.solve(warm, &|| true);
        assert!(solution.converged);
        Site::of(&model, Schedule { up: solution.up, down: solution.down }, solution.peak_kw).objective_eur()
    };
    let (cold, warm) = (cost(None), cost(first.warm.as_ref()));
    assert!((cold - warm).abs() < 1e-3, "cold {cold}, warm {warm}");
}
