//! Two thousand days of random depots with random faults, half of them with a plan by rule: no rule of `docs/simulation.md` is
//! broken but for what `docs/safety.md` excuses, and a seed gives the same day again. `make soak` goes on from there.

#![allow(clippy::unwrap_used)]

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::TimeDelta;
use kwartier_engine::plant::judge::{Finding, Rule};
use kwartier_engine::plant::world::What;
use kwartier_tests::depots::{Depot, depot, lapses, rule};
use kwartier_tests::play::play;

const DAYS: u64 = 2_000;

/// For so long after a connection or meter is back what it has left may last, in s.
const RECOVERS_S: i64 = 60;

/// For so long stations below a board are cut after an overload that nothing explains, in s.
const CUT_S: i64 = 600;

/// What is excused, as `docs/safety.md` lists it.
#[expect(clippy::cast_possible_truncation, reason = "milliseconds of days")]
fn excused(depot: &Depot, finding: &Finding) -> bool {
    let ends = finding.from + TimeDelta::milliseconds((finding.seconds * 1000.0) as i64);
    let during = |recovers_s: i64, what: fn(&What) -> bool| {
        depot.world.faults.iter().any(|fault| {
            what(&fault.what) && fault.from <= ends && finding.from <= fault.until + TimeDelta::seconds(recovers_s)
        })
    };
    let unlimited = depot.world.chargers.iter().any(|charger| charger.zero_means_unlimited);
    match finding.rule {
        // What is held when the links go lapses in its time.
        Rule::Overload => lapses(&depot.world.faults, finding.from, finding.seconds),
        // Nobody can balance stations that are cut off, nor a board whose meter shows something else.
        Rule::Imbalance => during(RECOVERS_S, |what| matches!(what, What::Link { .. } | What::Meter { .. })),
        // A station that takes 0 A for no limit at all is left without current, or draws what it likes.
        Rule::Starts => finding.device.is_some_and(|device| depot.world.chargers[device].zero_means_unlimited),
        Rule::Order => unlimited || during(RECOVERS_S, |what| matches!(what, What::Link { .. })),
        // A meter has shown an overload that was none, and stations were cut for it.
        Rule::Guaranteed => unlimited || during(CUT_S, |what| matches!(what, What::Meter { .. })),
        Rule::Quarter | Rule::Balance => false,
    }
}

#[test]
fn two_thousand_faulted_days_break_no_rule() {
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
                    let played = play(&depot, seed, rule(&depot, seed).as_ref(), false);
                    *served.lock().unwrap() += played.energy_kwh;
                    let found: Vec<Finding> =
                        played.report.findings.into_iter().filter(|finding| !excused(&depot, finding)).collect();
                    if !found.is_empty() {
                        broken.lock().unwrap().push((seed, found));
                    }
                }
            });
        }
    });
    let broken = broken.into_inner().unwrap();
    assert!(broken.is_empty(), "replay with: soak SEED --log\n{broken:#?}");
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
