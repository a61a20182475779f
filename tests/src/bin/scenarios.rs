//! `make scenarios`: plays the scenarios that come with the product with several seeds under three policies, and prints the
//! table of `docs/simulation.md`.
//!
//! `scenarios PROGRAM FOLDER [SEEDS]`: the program, the folder of scenarios, how many seeds (3).

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

/// What is compared: our forecasts, what will really be, and load management by equal shares without a plan.
const POLICIES: [&[&str]; 3] =
    [&[], &["--set", "forecast=perfect"], &["--set", "planner=none", "--set", "split=equal"]];

/// What became of a scenario under a policy, over all seeds.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    runs: f64,
    bill_eur: f64,
    got_kwh: f64,
    left: f64,
    short: usize,
    nearest: f64,
    broken: u64,
}

impl Sum {
    fn add(&mut self, summary: &Value) {
        let number = |value: &Value| value.as_f64().unwrap_or(0.0);
        self.runs += 1.0;
        self.bill_eur += number(&summary["bill"]["total_eur"]);
        self.got_kwh += number(&summary["vehicles"]["got_kwh"]);
        self.left += number(&summary["vehicles"]["left"]);
        self.short += summary["vehicles"]["missed"].as_array().map_or(0, Vec::len);
        self.broken += summary["judged"]["broken"].as_u64().unwrap_or(0);
        let boards = summary["boards"].as_array().into_iter().flatten();
        let phases = boards.flat_map(|board| board["phases"].as_array().into_iter().flatten());
        self.nearest = phases.map(|phase| number(&phase["share"])).fold(self.nearest, f64::max);
    }

    fn served(&self) -> f64 {
        100.0 * (1.0 - self.short as f64 / self.left.max(1.0))
    }
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [program, folder, seeds @ ..] = words.as_slice() else {
        eprintln!("usage: scenarios PROGRAM FOLDER [SEEDS]");
        return ExitCode::from(2);
    };
    let seeds = seeds.first().and_then(|text| text.parse().ok()).unwrap_or(3);
    match table(Path::new(program), Path::new(folder), seeds) {
        Ok(table) => {
            print!("{table}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn table(program: &Path, folder: &Path, seeds: u64) -> Result<String, String> {
    let wrong = |what: &Path, fault: std::io::Error| format!("{}: {fault}", what.display());
    let entries = std::fs::read_dir(folder).map_err(|fault| wrong(folder, fault))?;
    let mut scenarios: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    scenarios.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
    scenarios.sort();
    let jobs: Vec<(usize, usize, u64)> = (0..scenarios.len())
        .flat_map(|scenario| (0..POLICIES.len()).map(move |policy| (scenario, policy)))
        .flat_map(|(scenario, policy)| (1..=seeds).map(move |seed| (scenario, policy, seed)))
        .collect();
    let sums = Mutex::new(vec![[Sum::default(); POLICIES.len()]; scenarios.len()]);
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(None));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(&(scenario, policy, seed)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match play(program, &scenarios[scenario], policy, seed) {
                        Ok(summary) => lock(&sums)[scenario][policy].add(&summary),
                        Err(why) => *lock(&failed) = Some(why),
                    }
                }
            });
        }
    });
    if let Some(why) = lock(&failed).take() {
        return Err(why);
    }
    let mut text = "| scenario | paid, EUR | charged, kWh | served, % | short | nearest fuse, % | broken |\n\
                    |---|---|---|---|---|---|---|\n"
        .to_owned();
    for (path, sums) in scenarios.iter().zip(lock(&sums).iter()) {
        let name = path.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let cell = |of: &dyn Fn(&Sum) -> String| sums.iter().map(of).collect::<Vec<_>>().join(" / ");
        let cells = [
            cell(&|sum| format!("{:.2}", sum.bill_eur / sum.runs)),
            cell(&|sum| format!("{:.0}", sum.got_kwh / sum.runs)),
            cell(&|sum| format!("{:.1}", sum.served())),
            cell(&|sum| sum.short.to_string()),
            cell(&|sum| format!("{:.0}", 100.0 * sum.nearest)),
            cell(&|sum| sum.broken.to_string()),
        ];
        text += &["| ", &name, " | ", &cells.join(" | "), " |\n"].concat();
    }
    Ok(text)
}

/// The summary of one run.
fn play(program: &Path, scenario: &Path, policy: usize, seed: u64) -> Result<Value, String> {
    let name = scenario.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let out = std::env::temp_dir().join(format!("kwartier-scenarios-{}", std::process::id()));
    let out = out.join(format!("{name}-{policy}-{seed}"));
    let run = Command::new(program)
        .args(["simulate", "--json", "--quiet", "--no-twin", "--seed", &seed.to_string(), "--out"])
        .arg(&out)
        .arg(scenario)
        .args(POLICIES[policy])
        .output()
        .map_err(|fault| format!("{}: {fault}", program.display()))?;
    let summary = serde_json::from_slice(&run.stdout)
        .map_err(|_| format!("{name}, seed {seed}: {}", String::from_utf8_lossy(&run.stderr)))?;
    std::fs::remove_dir_all(&out).map_err(|fault| format!("{}: {fault}", out.display()))?;
    Ok(summary)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
