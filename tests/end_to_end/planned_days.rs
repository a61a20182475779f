//! Two hundred days of random depots with random faults, played by the program with planner and forecasts: no limit is broken
//! beyond what the rule of `docs/simulation.md` allows. `make soak` goes on from there.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use kwartier_tests::planned;
use tempfile::tempdir;

const DAYS: u64 = 200;

#[test]
fn two_hundred_planned_and_faulted_days_break_no_limit() {
    let program = Path::new(env!("CARGO_BIN_EXE_kwartier"));
    let folder = tempdir().expect("a folder");
    let next = AtomicU64::new(1);
    let (broken, total) = (Mutex::new(Vec::new()), Mutex::new((0.0, 0, 0)));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed > DAYS {
                        break;
                    }
                    let day = planned::play(program, &folder.path().join(seed.to_string()), seed, 24).unwrap();
                    let mut total = total.lock().unwrap();
                    *total = (total.0 + day.energy_kwh(), total.1 + day.plans().0, total.2 + day.plans().1);
                    if !day.found.is_empty() {
                        broken.lock().unwrap().push((seed, day.found));
                    }
                }
            });
        }
    });
    let broken = broken.into_inner().unwrap();
    assert!(broken.is_empty(), "replay with: soak --planned SEED\n{broken:#?}");
    // Safety by never charging would be none, and so would days without plans.
    let (energy_kwh, made, failed) = total.into_inner().unwrap();
    assert!(energy_kwh / DAYS as f64 > 30.0, "{energy_kwh} kWh on {DAYS} days");
    assert!(made > 10 * DAYS && failed * 100 < made, "{made} plans, {failed} failed");
}
