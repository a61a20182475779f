//! `make soak`: random depots with random faults, one after another, until the time is up: half of the time with the fast
//! loop alone, half of it with the program itself, planner and forecasts included.
//!
//! `soak SECONDS [FIRST_SEED]`; `soak --log SEED` plays one day of the fast loop again and tells every step on standard error;
//! `soak --planned SEED` writes one planned day again and keeps its files.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use kwartier_tests::depots::{depot, rule};
use kwartier_tests::{planned, play};

/// Length of a simulated run in h.
const HOURS: i64 = 24;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let numbers: Vec<u64> = words.iter().filter_map(|word| word.parse().ok()).collect();
    let seed = numbers.first().copied().unwrap_or(1);
    if words.iter().any(|word| word == "--log") {
        let depot = depot(seed, HOURS);
        eprintln!("{:#?}", depot.setup);
        depot.world.faults.iter().for_each(|fault| eprintln!("{fault:?}"));
        println!("{:#?}", play::play(&depot, seed, rule(&depot, seed).as_ref(), true).report.findings);
        return ExitCode::SUCCESS;
    }
    let program = match std::env::current_exe() {
        Ok(own) => own.with_file_name("kwartier"),
        Err(fault) => return wrong(&fault.to_string()),
    };
    if words.iter().any(|word| word == "--planned") {
        let folder = folder(seed);
        return match planned::play(&program, &folder, seed, HOURS) {
            Ok(day) => {
                println!("{:#?}\n{}", day.found, folder.display());
                ExitCode::SUCCESS
            }
            Err(why) => wrong(&why),
        };
    }
    let time = Duration::from_secs(numbers.first().copied().unwrap_or(60));
    soak(&program, time, numbers.get(1).copied().unwrap_or(1))
}

/// Both kinds, each on half of the threads.
fn soak(program: &Path, time: Duration, first: u64) -> ExitCode {
    let began = Instant::now();
    let by_loop = Kind::from(first);
    let by_program = Kind::from(first);
    let pairs = std::thread::available_parallelism().map_or(1, |threads| threads.get().div_ceil(2));
    std::thread::scope(|scope| {
        for _ in 0..pairs {
            scope.spawn(|| {
                by_loop.go_on(began, time, |seed| {
                    let depot = depot(seed, HOURS);
                    let found = play::play(&depot, seed, rule(&depot, seed).as_ref(), false).report.findings;
                    if found.is_empty() { Ok(()) } else { Err(format!("seed {seed}: {found:?}")) }
                });
            });
            scope.spawn(|| by_program.go_on(began, time, |seed| one_planned(program, seed)));
        }
    });
    let seconds = began.elapsed().as_secs_f64();
    by_loop.tell("faulted depot-days by the fast loop", first, seconds);
    by_program.tell("faulted depot-days with planner and forecasts", first, seconds);
    let broken = by_loop.broken.load(Ordering::Relaxed) + by_program.broken.load(Ordering::Relaxed);
    if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn one_planned(program: &Path, seed: u64) -> Result<(), String> {
    let folder = folder(seed);
    let day = planned::play(program, &folder, seed, HOURS)?;
    if !day.found.is_empty() {
        return Err(format!("planned seed {seed}: {:?}; its files are in {}", day.found, folder.display()));
    }
    std::fs::remove_dir_all(&folder).map_err(|fault| format!("{}: {fault}", folder.display()))
}

fn folder(seed: u64) -> PathBuf {
    std::env::temp_dir().join(format!("kwartier-soak-{}", std::process::id())).join(seed.to_string())
}

fn wrong(why: &str) -> ExitCode {
    eprintln!("{why}");
    ExitCode::FAILURE
}

/// Days of one kind.
struct Kind {
    next: AtomicU64,
    played: AtomicU64,
    broken: AtomicU64,
}

impl Kind {
    fn from(first: u64) -> Kind {
        Kind { next: AtomicU64::new(first), played: AtomicU64::new(0), broken: AtomicU64::new(0) }
    }

    /// Plays one seed after the other until the time is up.
    fn go_on(&self, began: Instant, time: Duration, day: impl Fn(u64) -> Result<(), String>) {
        while began.elapsed() < time {
            let seed = self.next.fetch_add(1, Ordering::Relaxed);
            self.played.fetch_add(1, Ordering::Relaxed);
            if let Err(what) = day(seed) {
                self.broken.fetch_add(1, Ordering::Relaxed);
                println!("{what}");
            }
        }
    }

    fn tell(&self, what: &str, first: u64, seconds: f64) {
        let (played, broken) = (self.played.load(Ordering::Relaxed), self.broken.load(Ordering::Relaxed));
        println!("{played} {what} from seed {first} in {seconds:.0} s, {broken} with something broken");
    }
}
