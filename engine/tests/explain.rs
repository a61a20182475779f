//! What an explanation says against what is found by changing the site and solving again.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

mod common;

use std::time::Duration;

use common::{cases, decomposition, planned};
use kwartier_data::plan::{BoardLimit, BoundBy};
use kwartier_data::{Instance, instance};
use kwartier_engine::explain::{
    BindingLimit, Binds, Change, Help, PriceMeaning, Saving, ShortfallCause, explain, upgrades,
};
use kwartier_engine::model::Model;
use kwartier_engine::settings::Settings;
use kwartier_engine::solver::exact::{LpMethod, relaxation_eur};
use kwartier_tests::generate::Recipe;
use proptest::prelude::*;

const SAMPLE: &[u8] = include_bytes!("../../data/samples/guide-24.json");
/// By how much a limit is moved, in A or kW.
const STEP: f64 = 1.0;
const PHASES: [BoardLimit; 3] = [BoardLimit::L1, BoardLimit::L2, BoardLimit::L3];

fn sample() -> Instance {
    instance::parse(SAMPLE).unwrap()
}

/// The cost of the best plan were every on-or-off decision a matter of degree, by a solver that knows nothing of our prices.
fn relaxed_eur(instance: &Instance) -> f64 {
    relaxation_eur(instance, LpMethod::Simplex, Duration::from_mins(2)).unwrap().expect("an optimum")
}

/// The site with one of its limits moved by so much all day; none where the limit is of another kind.
fn moved(instance: &Instance, limit: &BindingLimit, by: f64) -> Option<Instance> {
    let mut moved = instance.clone();
    match &limit.binds {
        Binds::Board { node, limit } => {
            let board = moved.nodes.iter_mut().find(|board| board.id == *node)?;
            match PHASES.iter().position(|phase| phase == limit) {
                Some(phase) => board.limit_a[phase] += by,
                None => return None,
            }
        }
        Binds::ImportCap => moved.grid.import_cap_kw.iter_mut().flatten().for_each(|cap_kw| *cap_kw += by),
        Binds::Peak => moved.grid.peak_so_far_kw += by,
        Binds::ExportCap => return None,
    }
    Some(moved)
}

/// Whether moving the limit leaves alone what the building breaks by itself and what can run at all: there the cost has a
/// jump, and no price can tell of it.
fn smooth(before: &Instance, after: &Instance) -> bool {
    let reach = |instance: &Instance| -> Vec<bool> {
        let units = Model::of(instance).units;
        units.iter().flat_map(|unit| unit.up_max.iter().chain(&unit.down_max)).map(|most| *most > 0.0).collect()
    };
    let head = |instance: &Instance| -> Vec<bool> {
        let boards = Model::of(instance).boards;
        boards.high_a.iter().zip(&boards.low_a).map(|(high, low)| *high > 1e-9 && *low < -1e-9).collect()
    };
    reach(before) == reach(after) && head(before) == head(after)
}

/// The sample with fuses of little more than half the size, so that boards bind.
fn crowded() -> Instance {
    let mut instance = sample();
    instance.nodes.iter_mut().for_each(|node| node.limit_a.iter_mut().for_each(|limit_a| *limit_a *= 0.6));
    instance
}

/// A plan with the prices of the relaxation; how good the plan itself is does not matter.
fn roughly() -> Settings {
    Settings { gap: 0.2, ..decomposition() }
}

/// The limits' prices against the differences that moving them by one unit makes: (price, saved by more, lost by less).
fn differences(instance: &Instance, count: usize) -> Vec<(BindingLimit, [f64; 3])> {
    let plan = planned(instance, &roughly()).plan;
    if plan.made.as_ref().unwrap().bound_by != BoundBy::Prices {
        return Vec::new();
    }
    let here = relaxed_eur(instance);
    // Where our relaxation is tighter than the plain one, the prices are those of another problem.
    if (plan.bound_eur - here).abs() > 1e-3 + 1e-5 * here.abs() {
        return Vec::new();
    }
    let explanation = explain(instance, &plan);
    assert_eq!(explanation.prices, PriceMeaning::ProveTheBound);
    let compared = explanation.limits.into_iter().filter_map(|limit| {
        let (more, less) = (moved(instance, &limit, STEP)?, moved(instance, &limit, -STEP)?);
        if !smooth(instance, &more) || !smooth(instance, &less) {
            return None;
        }
        let found = [limit.saves_eur * STEP, here - relaxed_eur(&more), relaxed_eur(&less) - here];
        Some((limit, found))
    });
    compared.take(count).collect()
}

/// A limit's price lies between what one more unit saves and what one less costs: the cost is convex in the limit, and the
/// price is one of its slopes there. What the solvers leave open is in the tolerance.
fn brackets([price, more, less]: [f64; 3]) -> bool {
    let tolerance = 4e-3 + 1e-2 * price.abs();
    more <= price + tolerance && price <= less + tolerance
}

proptest! {
    #![proptest_config(cases(10))]

    #[test]
    fn prices_are_slopes(
        (vehicles, seed, fuses, one_phase) in (4_usize..24, any::<u64>(), 0.5..0.9_f64, 0.0..0.8_f64),
        (everything, unequal) in (any::<bool>(), any::<bool>()),
    ) {
        let recipe = Recipe { fuses, one_phase, everything, unequal, slots: 48, v2g: 0.0, ..Recipe::night(vehicles, seed) };
        for (limit, found) in differences(&recipe.instance(), 3) {
            prop_assert!(brackets(found), "{:?}: {found:?}", limit.binds);
        }
    }
}

#[test]
fn prices_of_a_crowded_sample_are_slopes() {
    let compared = differences(&crowded(), 12);
    println!("{:<14} {:>10} {:>12} {:>12}", "limit", "price", "1 more saves", "1 less costs");
    for (limit, found) in &compared {
        let name = match &limit.binds {
            Binds::Board { node, limit } => format!("{node} {limit:?}"),
            other => format!("{other:?}"),
        };
        println!("{name:<14} {:>10.4} {:>12.4} {:>12.4}", found[0], found[1], found[2]);
        assert!(brackets(*found), "{name}: {found:?}");
    }
    assert!(compared.len() >= 3, "only {} limits bind", compared.len());
    // Prices that are all nearly nothing would pass as well.
    assert!(compared[0].1[0] > 0.1, "{:?}", compared[0]);
}

#[test]
fn a_larger_fuse_saves_what_planning_with_it_says() {
    let instance = crowded();
    let plan = planned(&instance, &roughly()).plan;
    let explanation = explain(&instance, &plan);
    let changes = upgrades(&instance, &explanation.limits);
    assert!(changes.iter().any(|upgrade| matches!(upgrade.change, Change::Fuse { .. })));
    assert!(changes.iter().any(|upgrade| matches!(upgrade.change, Change::Battery { .. })));
    for upgrade in changes {
        let then = planned(&upgrade.instance, &roughly()).plan;
        let saving = Saving::of(upgrade.change, &plan, &then);
        assert!(
            saving.at_least_eur <= saving.saves_eur.max(0.0) + 1e-9 && saving.saves_eur <= saving.at_most_eur + 1e-9
        );
        if let Change::Fuse { from_a, to_a, .. } = saving.change {
            assert!((0..3).all(|phase| to_a[phase] > from_a[phase]));
            // More room never costs more: the best plan of before still fits.
            assert!(saving.at_most_eur >= 0.0 && then.bound_eur <= plan.objective_eur + 1e-6);
        }
    }
}

/// One vehicle on a site of its own; what keeps it from its energy is what `change` does.
fn lonely(change: impl FnOnce(&mut Instance)) -> (Instance, Option<kwartier_engine::explain::Shortfall>) {
    let mut instance = sample();
    instance.sessions.truncate(1);
    instance.pv.clear();
    instance.batteries.clear();
    instance.loads.clear();
    instance.base_load_a.iter_mut().flatten().for_each(|series| series.fill(1.0));
    instance.grid.base_kw = None;
    let session = &mut instance.sessions[0];
    session.v2g = None;
    (session.phases, session.min_a, session.max_a, session.efficiency) = (3, 6.0, 16.0, 0.9);
    (session.arrive, session.depart) = (0, 8);
    (session.capacity_kwh, session.soc_kwh, session.need_kwh, session.shortfall_eur_kwh) = (80.0, 10.0, 15.0, 1.0);
    instance.nodes.iter_mut().for_each(|node| (node.limit_a, node.imbalance_limit_a) = ([100.0; 3], None));
    change(&mut instance);
    let plan = planned(&instance, &decomposition()).plan;
    let shortfall = explain(&instance, &plan).vehicles.swap_remove(0).shortfall;
    (instance, shortfall)
}

#[test]
fn who_is_not_short_needs_no_reason() {
    assert_eq!(lonely(|_| {}).1, None);
}

#[test]
fn a_stay_too_short_is_called_so() {
    // 2 h at 16 A on three phases: 19.9 kWh at most. The help named first is enough.
    let (instance, shortfall) = lonely(|instance| instance.sessions[0].need_kwh = 30.0);
    let shortfall = shortfall.unwrap();
    let ShortfallCause::StayTooShort { possible_kwh } = shortfall.cause else { panic!("{shortfall:?}") };
    assert!((possible_kwh - 2.0 * 3.0 * 16.0 * instance.kw_per_a() * 0.9).abs() < 1e-6);
    let Help::StayLonger { hours } = shortfall.help[0] else { panic!("{shortfall:?}") };
    let (_, longer) = lonely(|instance| {
        instance.sessions[0].need_kwh = 30.0;
        let slots = (1..50_u8).find(|&slots| f64::from(slots) * instance.slot_h() >= hours);
        instance.sessions[0].depart += usize::from(slots.unwrap());
    });
    assert_eq!(longer, None);
}

#[test]
fn a_full_battery_is_called_so() {
    let (_, shortfall) = lonely(|instance| {
        instance.sessions[0].soc_kwh = 75.0;
        instance.sessions[0].depart = 90;
    });
    let shortfall = shortfall.unwrap();
    assert!(matches!(shortfall.cause, ShortfallCause::BatteryFull { room_kwh } if (room_kwh - 5.0).abs() < 1e-9));
    assert_eq!(shortfall.help, [Help::LowerNeed { need_kwh: 5.0 }]);
}

#[test]
fn a_fuse_that_is_too_small_is_named() {
    let (instance, shortfall) = lonely(|instance| {
        let node = instance.chargers[instance.sessions[0].charger].node;
        instance.nodes[node].limit_a = [8.0, 8.0, 8.0];
    });
    let shortfall = shortfall.unwrap();
    let ShortfallCause::Limits { limits } = &shortfall.cause else { panic!("{shortfall:?}") };
    let node = &instance.nodes[instance.chargers[instance.sessions[0].charger].node].id;
    assert!(limits[0].limit.starts_with(node.as_str()), "{limits:?}");
    assert!(shortfall.help.iter().any(|help| matches!(help, Help::LargerLimit { limit, saves_eur } if limit.starts_with(node.as_str()) && *saves_eur > 0.0)));
}

#[test]
fn energy_dearer_than_the_shortfall_is_called_so() {
    let (_, shortfall) = lonely(|instance| {
        instance.grid.import_eur_kwh.fill(0.5);
        instance.sessions[0].shortfall_eur_kwh = 0.3;
    });
    let shortfall = shortfall.unwrap();
    let ShortfallCause::TooDear { eur_kwh } = shortfall.cause else { panic!("{shortfall:?}") };
    assert!((eur_kwh - 0.5 / 0.9).abs() < 1e-6);
    assert!(shortfall.help.contains(&Help::HigherPriority { above_eur_kwh: eur_kwh }));
}

/// What is said of a vehicle's charging is what its plan does, at prices that are its own.
#[test]
fn charging_is_told_as_planned() {
    let instance = sample();
    let plan = planned(&instance, &decomposition()).plan;
    let mut told = 0.0;
    for reason in explain(&instance, &plan).vehicles {
        let entry = plan.sessions.iter().find(|entry| entry.id == reason.session).unwrap();
        let Some(charging) = reason.charging else {
            assert!(entry.charge_a.iter().all(|a| *a < 5e-3), "{}", reason.session);
            continue;
        };
        for (slot, a) in entry.charge_a.iter().enumerate() {
            let within = charging.spans.iter().any(|span| (span.from_slot..span.to_slot).contains(&slot));
            assert_eq!(*a > 5e-3, within, "{} slot {slot}", reason.session);
        }
        assert!(charging.paid_eur_kwh <= charging.dearest_eur_kwh + 1e-9);
        told += charging.energy_kwh;
    }
    let delivered: f64 = instance
        .sessions
        .iter()
        .zip(&plan.sessions)
        .map(|(session, entry)| {
            entry.charge_a.iter().sum::<f64>()
                * instance.kw_per_a()
                * session.phases as f64
                * instance.slot_h()
                * session.efficiency
        })
        .sum();
    assert!((told - delivered).abs() < 1e-6, "{told} kWh told of {delivered}");
}
