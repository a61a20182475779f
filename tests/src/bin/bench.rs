//! `make bench`: how long plans take and how good they are, side by side with one HiGHS model of the same instance.
//!
//! Every measurement is a process of its own, so that its peak memory is its own: this program called with `--one`. What is
//! compared runs in the same run, one after the other, on the same machine.
//!
//! `bench [--quick] [FOLDER]`: FOLDER holds public instances (`../shared/planning/instances` where that is); `--quick` leaves
//! out HiGHS and the sizes above 5,000.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};
use kwartier_data::Instance;
use kwartier_engine::plan::plan;
use kwartier_engine::settings::{Method, Progress, Settings, Watch};
use kwartier_engine::solver::exact::{
    ExactAnswer, ExactFault, ExactRequest, ExactSolver, Highs, LpMethod, relaxation_eur,
};
use kwartier_engine::verify;
use kwartier_tests::generate::Recipe;
use serde_json::{Value, json};

/// Sizes of the growth table.
const SIZES: [usize; 7] = [24, 50, 200, 1_000, 2_000, 5_000, 20_000];
/// The most a HiGHS linear relaxation may take.
const LP_LIMIT: Duration = Duration::from_secs(150);
/// The most a HiGHS mixed-integer model may take.
const MILP_LIMIT: Duration = Duration::from_secs(20);
/// Larger instances are not given to HiGHS.
const HIGHS_SESSIONS: u64 = 1_100;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if let ["--one", what, file] = words[..] {
        return match one(what, Path::new(file)) {
            Ok(value) => {
                println!("{value}");
                ExitCode::SUCCESS
            }
            Err(fault) => {
                eprintln!("{file}: {fault}");
                ExitCode::FAILURE
            }
        };
    }
    let quick = words.contains(&"--quick");
    let folder = words.iter().find(|w| !w.starts_with("--")).map_or_else(public, PathBuf::from);
    let scratch = std::env::temp_dir().join(format!("kwartier-bench-{}", std::process::id()));
    let done =
        fs::create_dir_all(&scratch).map_err(|fault| fault.to_string()).and_then(|()| tables(&folder, &scratch, quick));
    // A folder in the system's own place for such: should it stay, no harm is done.
    let _ = fs::remove_dir_all(&scratch);
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("bench: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn public() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/planning/instances")
}

fn tables(folder: &Path, scratch: &Path, quick: bool) -> Result<(), String> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).map(|entries| entries.flatten().map(|e| e.path()).collect()).unwrap_or_default();
    files.retain(|f| f.extension().is_some_and(|e| e == "json") && !f.ends_with("reference.json"));
    files.sort();
    if files.is_empty() {
        println!("There are no public instances in {}; name their folder.\n", folder.display());
    } else {
        println!(
            "Public instances; HiGHS: one model of the whole, one thread, linear relaxation by its faster method,"
        );
        println!(
            "mixed-integer model stopped after {} s, its gap against the better of both bounds\n",
            MILP_LIMIT.as_secs()
        );
        println!("{}\n", comparison(&files, quick)?);
    }
    let mut grown = Vec::new();
    for vehicles in SIZES.into_iter().filter(|n| !quick || *n <= 5_000) {
        let path = scratch.join(format!("night-{vehicles}.json"));
        let recipe = Recipe::night(vehicles, 1);
        fs::write(&path, recipe.json().to_string()).map_err(|fault| fault.to_string())?;
        grown.push(path);
    }
    println!("Growth: generated depots by night, everything on\n");
    println!("{}", growth(&grown)?);
    Ok(())
}

fn comparison(files: &[PathBuf], quick: bool) -> Result<Table, String> {
    let mut table = table(&[
        "instance",
        "vehicles",
        "plan s",
        "gap %",
        "command s",
        "MB",
        "HiGHS LP s",
        "LP s ÷ plan s",
        "HiGHS MILP gap %",
    ]);
    for file in files {
        let ours = measured("plan", file)?;
        let sessions = ours["sessions"].as_u64().unwrap_or(0);
        let seconds = ours["seconds"].as_f64().unwrap_or(f64::NAN);
        let (mut lp, mut ratio, mut milp) = ("–".to_owned(), "–".to_owned(), "–".to_owned());
        if !quick && sessions <= HIGHS_SESSIONS {
            let methods = [measured("lp-simplex", file)?, measured("lp-ipm", file)?];
            let fastest = methods.iter().filter_map(|m| m["seconds"].as_f64()).fold(f64::INFINITY, f64::min);
            if fastest.is_finite() {
                lp = format!("{fastest:.2}");
                ratio = format!("{:.0}", fastest / seconds);
            } else {
                lp = format!("> {}", LP_LIMIT.as_secs());
                ratio = format!("> {:.0}", LP_LIMIT.as_secs_f64() / seconds);
            }
            let answer = measured("milp", file)?;
            milp = gap_of(&answer, &ours).map_or("none".to_owned(), |gap| format!("{:.3}", 100.0 * gap));
        }
        table.add_row([
            name(file),
            sessions.to_string(),
            format!("{seconds:.3}"),
            percent(&ours["gap"]),
            format!("{:.3}", command_seconds(file)?),
            megabytes(&ours),
            lp,
            ratio,
            milp,
        ]);
        eprintln!("measured {}", name(file));
    }
    Ok(table)
}

/// The gap of HiGHS' plan against the better bound.
fn gap_of(answer: &Value, ours: &Value) -> Option<f64> {
    let cost = answer["objective_eur"].as_f64()?;
    let bound = answer["bound_eur"].as_f64().unwrap_or(f64::NEG_INFINITY).max(ours["bound_eur"].as_f64()?);
    Some(verify::gap(cost, bound, cost - ours["idle_eur"].as_f64()?))
}

fn growth(files: &[PathBuf]) -> Result<Table, String> {
    let mut table = table(&["vehicles", "plan s", "gap %", "ms a vehicle", "command s", "MB"]);
    for file in files {
        let ours = measured("plan", file)?;
        let sessions = ours["sessions"].as_f64().unwrap_or(f64::NAN);
        let seconds = ours["seconds"].as_f64().unwrap_or(f64::NAN);
        table.add_row([
            format!("{sessions}"),
            format!("{seconds:.3}"),
            percent(&ours["gap"]),
            format!("{:.2}", 1e3 * seconds / sessions),
            format!("{:.3}", command_seconds(file)?),
            megabytes(&ours),
        ]);
        eprintln!("measured {}", name(file));
    }
    Ok(table)
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header(header);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn name(file: &Path) -> String {
    file.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn percent(gap: &Value) -> String {
    gap.as_f64().map_or("–".to_owned(), |gap| format!("{:.3}", 100.0 * gap))
}

fn megabytes(value: &Value) -> String {
    value["peak_kb"].as_u64().map_or("–".to_owned(), |kb| (kb / 1024).to_string())
}

/// One measurement in a process of its own.
fn measured(what: &str, file: &Path) -> Result<Value, String> {
    let program = std::env::current_exe().map_err(|fault| fault.to_string())?;
    let output = Command::new(program).args(["--one", what]).arg(file).output().map_err(|fault| fault.to_string())?;
    if !output.status.success() {
        return Err(format!("{what}: {}", String::from_utf8_lossy(&output.stderr)));
    }
    serde_json::from_slice(&output.stdout).map_err(|fault| format!("{what}: {fault}"))
}

/// Wall time of the whole command: start, read, plan, verify, write.
fn command_seconds(file: &Path) -> Result<f64, String> {
    let program = std::env::current_exe().map_err(|fault| fault.to_string())?.with_file_name("kwartier");
    let began = Instant::now();
    let status = Command::new(&program)
        .arg("plan")
        .arg(file)
        .args(["--out", "-", "--quiet", "--time-limit", "120"])
        .stdout(Stdio::null())
        .status()
        .map_err(|fault| format!("{}: {fault}; cargo build --release -p kwartier makes it", program.display()))?;
    if status.success() { Ok(began.elapsed().as_secs_f64()) } else { Err(format!("{}: {status}", program.display())) }
}

/// What is measured, in this process.
fn one(what: &str, file: &Path) -> Result<Value, String> {
    let bytes = fs::read(file).map_err(|fault| fault.to_string())?;
    let instance = kwartier_data::instance::parse(&bytes).map_err(|refusal| refusal.to_string())?;
    let began = Instant::now();
    let mut value = match what {
        "plan" => planned(&instance)?,
        "lp-simplex" => relaxed(&instance, LpMethod::Simplex)?,
        "lp-ipm" => relaxed(&instance, LpMethod::InteriorPoint)?,
        "milp" => solved(&instance)?,
        _ => return Err(format!("what is {what}?")),
    };
    if value["seconds"].is_null() && value["found"] != false {
        value["seconds"] = began.elapsed().as_secs_f64().into();
    }
    value["peak_kb"] = peak_kb().into();
    value["sessions"] = instance.sessions.len().into();
    Ok(value)
}

fn planned(instance: &Instance) -> Result<Value, String> {
    let settings = Settings { time_limit: Duration::from_mins(2), method: Method::Auto, ..Settings::default() };
    let outcome =
        plan(instance, &settings, &Stopwatch(Instant::now()), &InProcess).map_err(|fault| fault.to_string())?;
    Ok(json!({
        "seconds": outcome.plan.solve_seconds,
        "gap": outcome.gap,
        "bound_eur": outcome.plan.bound_eur,
        "idle_eur": verify::idle_eur(instance),
    }))
}

fn relaxed(instance: &Instance, method: LpMethod) -> Result<Value, String> {
    let found = relaxation_eur(instance, method, LP_LIMIT).map_err(|fault| fault.to_string())?;
    Ok(json!({ "found": found.is_some() }))
}

fn solved(instance: &Instance) -> Result<Value, String> {
    let request = ExactRequest { instance, abs_gap_eur: 0.0, time_limit: MILP_LIMIT };
    let answer = Highs.solve(&request).map_err(|fault| fault.to_string())?;
    let objective = answer.plan.map(|plan| verify::price(instance, &plan).objective_eur);
    Ok(json!({ "objective_eur": objective, "bound_eur": answer.bound_eur }))
}

/// Peak memory of this process in kB, where the system tells (Linux).
fn peak_kb() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

struct Stopwatch(Instant);

impl Watch for Stopwatch {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    fn cancelled(&self) -> bool {
        false
    }

    fn progress(&self, _: &Progress) {}
}

/// HiGHS in this process: here nobody needs protection from it.
struct InProcess;

impl ExactSolver for InProcess {
    fn solve(&self, request: &ExactRequest<'_>) -> Result<ExactAnswer, ExactFault> {
        Highs.solve(request)
    }
}
