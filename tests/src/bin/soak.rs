//! `make soak`: random depots with random faults, one after another, until the time is up or something breaks.
//!
//! `soak SECONDS [FIRST_SEED] [--log]`: with `--log` one seed alone is played, and every step told on standard error.

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use kwartier_tests::depots::depot;
use kwartier_tests::play::play;

/// Length of a simulated run in h.
const HOURS: i64 = 24;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let numbers: Vec<u64> = words.iter().filter_map(|word| word.parse().ok()).collect();
    let (seconds, first) = (numbers.first().copied().unwrap_or(60), numbers.get(1).copied().unwrap_or(1));
    if words.iter().any(|word| word == "--log") {
        let depot = depot(first, HOURS);
        depot.world.faults.iter().for_each(|fault| eprintln!("{fault:?}"));
        let played = play(&depot, first, None, true);
        println!("{:#?}", played.report.findings);
        return ExitCode::SUCCESS;
    }
    let began = Instant::now();
    let next = AtomicU64::new(first);
    let broken = AtomicU64::new(0);
    let steps = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while began.elapsed() < Duration::from_secs(seconds) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let played = play(&depot(seed, HOURS), seed, None, false);
                    steps.fetch_add(played.steps, Ordering::Relaxed);
                    if !played.report.findings.is_empty() {
                        broken.fetch_add(1, Ordering::Relaxed);
                        println!("seed {seed}: {:?}", played.report.findings);
                    }
                }
            });
        }
    });
    let days = next.load(Ordering::Relaxed) - first;
    let broken = broken.load(Ordering::Relaxed);
    println!(
        "{days} faulted depot-days from seed {first} in {:.0} s, {} steps, {broken} with something broken",
        began.elapsed().as_secs_f64(),
        steps.load(Ordering::Relaxed)
    );
    if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
