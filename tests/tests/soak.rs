//! Two thousand days of random depots with random faults, half of them with a plan by rule: no limit is broken beyond what the
//! rule of `docs/simulation.md` allows, and a seed gives the same day again. `make soak` goes on from there.

#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use kwartier_engine::control::event::Targets;
use kwartier_engine::plant::judge::{Finding, Rule};
use kwartier_tests::depots::{Depot, depot, excused};
use kwartier_tests::play::play;

const DAYS: u64 = 2_000;

/// A plan by rule: each device charges in every other half-hour, at a current of its own.
fn rule(depot: &Depot, seed: u64) -> Arc<Targets> {
    let slots = 2 * 24;
    let amps = (0..depot.setup.devices.len()).map(|device| {
        let shift = usize::try_from(seed).unwrap_or(0) + device;
        let full_a = depot.setup.devices[device].max_a;
        Some((0..slots).map(|slot| if (slot + shift).is_multiple_of(2) { full_a } else { 0.0 }).collect())
    });
    Arc::new(Targets { start: depot.world.start, slot_s: 1800, amps: amps.collect() })
}

#[test]
fn two_thousand_faulted_days_break_no_limit() {
    let next = AtomicU64::new(1);
    let broken = Mutex::new(Vec::new());
    let served = Mutex::new(0.0);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed > DAYS {
                        break;
                    }
                    let depot = depot(seed, 24);
                    let plan = seed.is_multiple_of(2).then(|| rule(&depot, seed));
                    let played = play(&depot, seed, plan.as_ref(), false);
                    *served.lock().unwrap() += played.energy_kwh;
                    let hard = [Rule::Overload, Rule::Quarter, Rule::Balance];
                    let found: Vec<Finding> = played
                        .report
                        .findings
                        .into_iter()
                        .filter(|finding| {
                            hard.contains(&finding.rule) && !excused(&depot.world.faults, finding.from, finding.seconds)
                        })
                        .collect();
                    if !found.is_empty() {
                        broken.lock().unwrap().push((seed, found));
                    }
                }
            });
        }
    });
    let broken = broken.into_inner().unwrap();
    assert!(broken.is_empty(), "replay with: soak 1 SEED --log\n{broken:#?}");
    // Safety by never charging would be none.
    let served_kwh = served.into_inner().unwrap() / DAYS as f64;
    assert!(served_kwh > 50.0, "{served_kwh} kWh a depot and day");
}

#[test]
fn a_seed_is_the_same_day_again() {
    for seed in [3, 77, 1234] {
        let once = play(&depot(seed, 24), seed, None, false);
        let again = play(&depot(seed, 24), seed, None, false);
        assert_eq!((once.trace, once.steps), (again.trace, again.steps));
        assert_eq!(once.report, again.report);
    }
}
