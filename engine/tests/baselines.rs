//! The baselines keep what they promise, on generated sites.
#![expect(clippy::panic, reason = "a test that cannot go on has failed")]

use kwartier_data::Instance;
use kwartier_engine::baseline::{Baseline, baseline};
use kwartier_engine::figures::{Figures, Limit};
use kwartier_engine::profile::Profile;
use kwartier_engine::verify::verify;
use kwartier_tests::generate::Recipe;
use proptest::prelude::*;

const SAMPLE: &[u8] = include_bytes!("../../data/samples/guide-24.json");

fn sample() -> Instance {
    kwartier_data::instance::parse(SAMPLE).unwrap_or_else(|refusal| panic!("{refusal}"))
}

fn sites() -> impl Strategy<Value = Recipe> {
    (1_usize..30, any::<bool>(), 0.4..1.2, any::<bool>(), 0_usize..4, 0.0..1.0, any::<u64>()).prop_map(
        |(vehicles, day, fuses, unequal, depth, one_phase, seed)| {
            let recipe = if day { Recipe::day(vehicles, seed) } else { Recipe::night(vehicles, seed) };
            Recipe { fuses, unequal, depth, one_phase, ..recipe }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// Load management and smart charging pass the verifier wherever doing nothing passes it.
    #[test]
    fn managed_baselines_keep_every_limit(recipe in sites()) {
        let instance = recipe.instance();
        for which in [Baseline::EqualShare, Baseline::CheapestSlots] {
            let report = verify(&instance, &baseline(&instance, which));
            prop_assert!(report.is_clean(), "{which:?}: {}", report.violations[0]);
        }
    }

    /// Without control only shared limits break; each vehicle by itself does what it can do.
    #[test]
    fn uncontrolled_breaks_shared_limits_alone(recipe in sites()) {
        let instance = recipe.instance();
        let plan = baseline(&instance, Baseline::Uncontrolled);
        let figures = Figures::of(&instance, &plan);
        let report = verify(&instance, &plan);
        prop_assert_eq!(figures.overloads.is_empty(), report.is_clean(), "{:?}", report.violations.first());
        // Whoever can be full in time is: no vehicle waits for another.
        for (session, entry) in instance.sessions.iter().zip(&plan.sessions) {
            let most_kwh = instance.session_max_a(session) * instance.kw_per_a() * session.phases as f64
                * instance.slot_h() * session.efficiency * (session.depart - session.arrive) as f64;
            let possible_kwh = session.need_kwh.min(most_kwh).min(session.capacity_kwh - session.soc_kwh);
            let minimum_kwh = session.min_a * instance.kw_per_a() * session.phases as f64
                * instance.slot_h() * session.efficiency;
            let had_kwh = session.need_kwh - entry.shortfall_kwh;
            prop_assert!(had_kwh > possible_kwh - minimum_kwh - 1e-6, "{}: {had_kwh} of {possible_kwh}", session.id);
        }
    }
}

/// A site with one board, one price and identical three-phase vehicles that arrive together.
fn alike(vehicles: usize, limit_a: f64) -> Instance {
    let mut instance = sample();
    instance.nodes.truncate(1);
    instance.nodes[0].limit_a = [limit_a; 3];
    instance.nodes[0].imbalance_limit_a = None;
    instance.base_load_a = vec![[0, 1, 2].map(|_| vec![0.0; instance.slots])];
    instance.pv.clear();
    instance.batteries.clear();
    instance.loads.clear();
    instance.grid.import_cap_kw = None;
    instance.grid.base_kw = None;
    instance.chargers.truncate(vehicles);
    let mut session = instance.sessions[0].clone();
    session.v2g = None;
    (session.phases, session.min_a, session.max_a, session.efficiency) = (3, 6.0, 16.0, 1.0);
    (session.arrive, session.depart) = (0, 8);
    (session.capacity_kwh, session.soc_kwh, session.need_kwh) = (100.0, 0.0, 100.0);
    instance.sessions = (0..vehicles)
        .map(|charger| {
            instance.chargers[charger].node = 0;
            instance.chargers[charger].max_a = 32.0;
            kwartier_data::Session { id: format!("V{charger}"), charger, ..session.clone() }
        })
        .collect();
    instance
}

fn currents(instance: &Instance, slot: usize) -> Vec<f64> {
    baseline(instance, Baseline::EqualShare).sessions.iter().map(|entry| entry.charge_a[slot]).collect()
}

#[test]
fn alike_vehicles_share_alike() {
    for a in currents(&alike(4, 40.0), 0) {
        assert!((a - 10.0).abs() < 1e-6, "{a} A instead of a quarter of 40 A");
    }
}

#[test]
fn what_one_cannot_take_the_others_get() {
    let mut instance = alike(3, 40.0);
    instance.sessions[1].max_a = 8.0;
    let found = currents(&instance, 0);
    assert!((found[1] - 8.0).abs() < 1e-6 && (found[0] - 16.0).abs() < 1e-6 && (found[2] - 16.0).abs() < 1e-6);
}

#[test]
fn below_the_minimum_vehicles_take_turns() {
    // 14 A for three vehicles: two at 7 A, one waits, and each waits a third of the time.
    let instance = alike(3, 14.0);
    let plan = baseline(&instance, Baseline::EqualShare);
    for slot in 0..6 {
        let running = plan.sessions.iter().filter(|entry| entry.charge_a[slot] > 0.0).count();
        assert_eq!(running, 2, "slot {slot}");
    }
    let had: Vec<f64> = plan.sessions.iter().map(|entry| entry.charge_a[..6].iter().sum()).collect();
    assert!(had.iter().all(|sum| (sum - 28.0).abs() < 1e-6), "unequal turns: {had:?}");
}

#[test]
fn two_vehicles_on_different_phases_do_not_share() {
    let mut instance = alike(2, 16.0);
    instance.sessions.iter_mut().for_each(|session| session.phases = 1);
    instance.chargers[0].phase_map = [0, 1, 2];
    instance.chargers[1].phase_map = [1, 2, 0];
    assert_eq!(currents(&instance, 0), [16.0, 16.0]);
    instance.chargers[1].phase_map = [0, 1, 2];
    assert_eq!(currents(&instance, 0), [8.0, 8.0]);
}

#[test]
fn uncontrolled_names_the_phase_it_overloads() {
    let mut instance = alike(4, 40.0);
    instance.sessions.iter_mut().for_each(|session| session.phases = 1);
    for charger in &mut instance.chargers {
        charger.phase_map = [1, 2, 0];
    }
    let figures = Figures::of(&instance, &baseline(&instance, Baseline::Uncontrolled));
    let [overload] = &figures.overloads[..] else { panic!("{:?}", figures.overloads) };
    assert_eq!(overload.limit, Limit::Phase { node: 0, phase: 1 });
    assert_eq!((overload.from, overload.to), (0, 8));
    assert!((overload.highest - 64.0).abs() < 1e-6 && (overload.allowed - 40.0).abs() < 1e-6);
}

#[test]
fn cheapest_slots_are_the_cheapest() {
    let mut instance = alike(1, 40.0);
    instance.sessions[0].need_kwh = 2.0 * 16.0 * 3.0 * instance.kw_per_a() * instance.slot_h();
    instance.grid.import_eur_kwh[..8].copy_from_slice(&[0.3, 0.2, 0.4, 0.1, 0.3, 0.3, 0.3, 0.3]);
    let plan = baseline(&instance, Baseline::CheapestSlots);
    let on: Vec<usize> = (0..8).filter(|&slot| plan.sessions[0].charge_a[slot] > 0.0).collect();
    assert_eq!(on, [1, 3]);
}

/// The profile adds up to what the verifier finds: money follows from it.
#[test]
fn profile_and_bill_agree() {
    let instance = sample();
    for which in Baseline::ALL {
        let plan = baseline(&instance, which);
        let profile = Profile::of(&instance, &plan);
        let figures = Figures::of(&instance, &plan);
        let bought: f64 = profile
            .net_kw
            .iter()
            .zip(&instance.grid.import_eur_kwh)
            .map(|(kw, eur)| kw.max(0.0) * instance.slot_h() * eur)
            .sum();
        assert!((bought - figures.cost.energy).abs() < 1e-6, "{which:?}: {bought} and {}", figures.cost.energy);
        let root = instance.root();
        for slot in 0..instance.slots {
            let kw: f64 = (0..3).map(|phase| profile.boards_a[root][phase][slot]).sum::<f64>() * instance.kw_per_a();
            // The sample's base load states its own active power.
            let amperes_kw: f64 = instance.base_load_a.iter().flatten().map(|a| a[slot] * instance.kw_per_a()).sum();
            let net_kw = profile.net_kw[slot] - profile.building_kw[slot] + amperes_kw;
            assert!((kw - net_kw).abs() < 1e-6, "slot {slot}: {kw} and {net_kw} kW");
        }
    }
}

/// A limit that has nothing left on one board must not stop what another board shares out.
#[test]
fn a_full_board_holds_up_nobody_elsewhere() {
    let mut instance = alike(3, 200.0);
    let root = instance.nodes[0].clone();
    for (id, imbalance_limit_a) in [("A", Some(5.0)), ("B", None)] {
        let limit_a = [100.0; 3];
        instance.nodes.push(kwartier_data::Node { id: id.to_owned(), parent: Some(0), limit_a, imbalance_limit_a });
        instance.base_load_a.push([0, 1, 2].map(|_| vec![0.0; instance.slots]));
    }
    assert_eq!(root.parent, None);
    instance.base_load_a[1][1].fill(10.0);
    instance.base_load_a[1][2].fill(10.0);
    for (charger, (node, phase_map)) in [(1, [0, 1, 2]), (1, [2, 0, 1]), (2, [0, 1, 2])].into_iter().enumerate() {
        (instance.chargers[charger].node, instance.chargers[charger].phase_map) = (node, phase_map);
    }
    instance.sessions.iter_mut().take(2).for_each(|session| session.phases = 1);
    instance.sessions[0].max_a = 8.0;
    let found = currents(&instance, 0);
    assert!((found[2] - 16.0).abs() < 1e-6, "{found:?}");
}

/// An inverter that may not feed in follows what the vehicles draw.
#[test]
fn the_sun_is_used_for_vehicles() {
    let mut instance = alike(1, 100.0);
    let kw = vec![6.0; instance.slots];
    instance.pv =
        vec![kwartier_data::Pv { id: "roof".to_owned(), node: 0, phases: vec![0, 1, 2], kw, curtailable: true }];
    instance.grid.export_cap_kw = Some(vec![0.0; instance.slots]);
    for which in Baseline::ALL {
        let plan = baseline(&instance, which);
        assert!((plan.pv[0].used_kw[0] - 6.0).abs() < 1e-6, "{which:?}: {}", plan.pv[0].used_kw[0]);
        assert!(plan.pv[0].used_kw[20].abs() < 1e-6, "{which:?} feeds in");
        assert!(Figures::of(&instance, &plan).overloads.is_empty());
    }
}

/// What one vehicle gives away is not taken from what the others got.
#[test]
fn energy_on_time_counts_each_vehicle_by_itself() {
    let instance = alike(2, 100.0);
    assert!((kwartier_engine::figures::delivered_kwh(&instance, &[0.0, 150.0]) - 100.0).abs() < 1e-9);
}
