//! Scenarios as a stranger would write them: days on which the clocks change, everything from files, boards below boards below
//! boards, a site with one phase; and a run that is stopped, or killed.

#![expect(clippy::float_cmp, reason = "sums that come out exactly")]

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::{Folder, json, kwartier, said, workspace};

/// Plays what is in a file, and reads its summary. No limit may be broken.
fn played(folder: &Folder, scenario: &str, more: &[&str]) -> Value {
    let path = folder.file("scenario.toml", scenario);
    let out = folder.path("run");
    let run = kwartier(&[&["simulate", &path, "--out", &out, "--json", "--quiet", "--no-twin"], more].concat());
    let (text, err) = said(&run);
    assert_eq!(run.status.code(), Some(0), "{err}{text}");
    json(&run.stdout)
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// A building that draws no more than `building_max_a` of the sample depot says: where it draws more while its meter is silent,
/// nobody can know, and a limit is broken that nobody could keep.
fn smaller(csv: &str) -> String {
    const SHARE: f64 = 0.42;
    let scaled = |line: &str| {
        let (start, kw) = line.split_once(',').expect("a time and kW");
        kw.parse::<f64>().map_or_else(|_| line.to_owned(), |kw| format!("{start},{}", SHARE * kw))
    };
    csv.lines().map(|line| scaled(line) + "\n").collect()
}

/// The sample depot with its prices, building, sun and roster from files, and faults and signals from files as well.
fn from_files(folder: &Folder, start: &str, hours: u32) -> String {
    let samples = workspace().join("data/samples");
    let sample = |name: &str| samples.join(name).display().to_string();
    let faults = r#"
[[faults]]
from = "01:30"
until = "03:30"
what = { kind = "meter", board = "HV", how = "silent" }

[[faults]]
from = "04:30"
what = { kind = "restart" }
"#;
    let signals = r#"
[[signals]]
from = "01:15"
until = "04:00"
what = { kind = "board", board = "HV", kw = 60 }
"#;
    folder.file("faults.toml", faults);
    folder.file("signals.toml", signals);
    folder.file("building.csv", &smaller(&std::fs::read_to_string(sample("building.csv")).unwrap()));
    format!(
        r#"
format = 1
name = "Everything from files"
site = "{}"
start = "{start}"
hours = {hours}
faults_from = "faults.toml"
signals_from = "signals.toml"

[prices]
kind = "file"
path = "{}"

[[building]]
kind = "file"
path = "building.csv"

[[pv]]
kind = "file"
path = "{}"

[sessions]
kind = "roster"
path = "{}"

[policy]
replan_minutes = 240
gap = 0.05
"#,
        sample("depot-site.toml"),
        sample("prices.csv"),
        sample("pv.csv"),
        sample("roster.csv"),
    )
}

/// Days of 23 and of 25 hours, on which limits and faults span the hour that is missing or comes twice.
#[test]
fn days_on_which_the_clocks_change_are_played_from_files() {
    for (start, hours, from, until) in [
        ("2023-03-26 00:00", 23, "2023-03-25T23:00:00Z", "2023-03-26T22:00:00Z"),
        ("2023-10-29 00:00", 25, "2023-10-28T22:00:00Z", "2023-10-29T23:00:00Z"),
    ] {
        let folder = Folder::new();
        // Before the first day of the files there is no history.
        let summary = played(&folder, &from_files(&folder, start, hours), &["--set", "planner=rule"]);
        assert_eq!((summary["start"].as_str(), summary["until"].as_str()), (Some(from), Some(until)));
        assert_eq!(summary["faults"].as_array().map(Vec::len), Some(2));
        assert!(number(&summary["bill"]["import_kwh"]) > 100.0, "{}", summary["bill"]);
    }
}

#[test]
fn a_day_is_planned_from_files() {
    let folder = Folder::new();
    let summary = played(&folder, &from_files(&folder, "2023-06-13 12:00", 24), &[]);
    assert_eq!(summary["plans"][1], 0, "every plan can be made");
    // Plans are four hours apart, through a silent meter, a limit of the grid operator and a restart: two or three of 23 leave
    // with a little less.
    assert!(number(&summary["vehicles"]["served"]) > 0.8, "{}", summary["vehicles"]);
}

/// A board below a board below a board, and all of it on one phase.
const ONE_PHASE: &str = r#"
format = 1
name = "Boathouse"
time_zone = "Europe/Amsterdam"

[[boards]]
id = "House"
limit_a = 63
building_max_a = 12

[[boards]]
id = "Jetty"
parent = "House"
limit_a = 40
building_max_a = 6

[[boards]]
id = "End of the jetty"
parent = "Jetty"
limit_a = 25
building_max_a = 2

[[stations]]
id = "Near"
board = "Jetty"
rotation = "Rxx"
max_a = 16
fallback_a = 6

[[stations]]
id = "Far"
board = "End of the jetty"
rotation = "Rxx"
max_a = 16
fallback_a = 6

[[stations]]
id = "Farther"
board = "End of the jetty"
rotation = "Rxx"
max_a = 16
fallback_a = 6

[[meters]]
id = "M"
board = "House"

[[meters]]
id = "MM"
board = "End of the jetty"
"#;

#[test]
fn a_site_of_one_phase_three_boards_deep_is_played() {
    let folder = Folder::new();
    folder.file("site.toml", ONE_PHASE);
    let scenario = r#"
format = 1
name = "Boats and cars"
site = "site.toml"
start = "2026-03-28 15:00"
hours = 20

[prices]
kind = "generated"
mean_eur_kwh = 0.09
spread_eur_kwh = 0.05

[[building]]
kind = "hours"
board = "House"
l1 = [3, 3, 3, 3, 3, 3, 5, 8, 8, 5, 5, 5, 5, 5, 5, 5, 8, 10, 10, 8, 8, 6, 4, 3]
l2 = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
l3 = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]

[[stays]]
vehicle = "A"
station = "Far"
from = "17:00"
until = "08:00+1"
need_kwh = 20
car = { phases = 1 }

[[stays]]
vehicle = "B"
station = "Farther"
from = "17:30"
until = "09:00+1"
need_kwh = 24

[[stays]]
vehicle = "C"
station = "Near"
from = "18:00"
until = "08:30+1"
need_kwh = 12
car = { phases = 1, capacity_kwh = 13 }
"#;
    for planner in ["optimal", "none"] {
        let summary = played(&folder, scenario, &["--set", &format!("planner={planner}")]);
        let vehicles = &summary["vehicles"];
        assert_eq!((number(&vehicles["left"]), number(&vehicles["served"])), (3.0, 1.0), "{planner}: {vehicles:#}");
        for board in summary["boards"].as_array().unwrap() {
            assert_eq!([&board["phases"][1]["max_a"], &board["phases"][2]["max_a"]].map(number), [0.0; 2], "{board}");
        }
    }
}

/// What is in a folder of results: each file is whole, or is not there.
fn whole(out: &Path) -> Vec<String> {
    let names = std::fs::read_dir(out).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names: Vec<String> = names.collect();
    for name in &names {
        let bytes = std::fs::read(out.join(name)).unwrap();
        match name.as_str() {
            "summary.json" => assert!(json(&bytes)["trace_hash"].is_string()),
            "trace.parquet" => assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1")),
            other => panic!("{other} is left behind"),
        }
    }
    names
}

/// A long scenario, and a way to know that it is being played.
#[cfg(unix)]
fn begun(out: &str, signal: &str) -> (Option<i32>, String) {
    use std::io::Read as _;
    use std::process::Stdio;
    let scenario = workspace().join("tests/scenarios/everything.toml");
    let mut child = Command::new("script")
        .args(["-qefc"])
        .arg(format!(
            "echo pid $$; exec {} simulate {} --out {out} --set planner=none --set hours=700",
            env!("CARGO_BIN_EXE_kwartier"),
            scenario.display()
        ))
        .arg("/dev/null")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("script, of util-linux");
    let mut output = child.stdout.take().unwrap();
    let mut text = String::new();
    let mut bytes = [0; 1024];
    // On a terminal it shows how far it is: it has begun.
    while !text.contains("thousandths") {
        let count = output.read(&mut bytes).unwrap();
        assert!(count > 0, "it ended before that: {text}");
        text.push_str(&String::from_utf8_lossy(&bytes[..count]));
    }
    let pid = text.lines().find_map(|line| line.trim().strip_prefix("pid ")).unwrap().to_owned();
    assert!(Command::new("sh").args(["-c", &format!("kill -{signal} {pid}")]).status().unwrap().success());
    output.read_to_string(&mut text).unwrap();
    (child.wait().unwrap().code(), text)
}

#[cfg(unix)]
#[test]
fn a_run_that_is_interrupted_leaves_what_there_is_and_one_that_is_killed_nothing_half() {
    let folder = Folder::new();
    let out = folder.path("interrupted");
    let (code, text) = begun(&out, "INT");
    assert!(code.is_some_and(|code| code < 2), "{code:?}: {text}");
    assert!(!text.contains("panicked") && !text.contains("stack backtrace"), "{text}");
    let mut names = whole(Path::new(&out));
    names.sort();
    assert_eq!(names, ["summary.json", "trace.parquet"]);
    let summary = json(&std::fs::read(Path::new(&out).join("summary.json")).unwrap());
    assert_eq!(summary["stopped"], true);
    // What was there before is still there, or whole and new.
    let (_, text) = begun(&out, "KILL");
    assert!(!text.contains("panicked"), "{text}");
    assert_eq!(whole(Path::new(&out)).len(), 2);
    assert_eq!(json(&std::fs::read(Path::new(&out).join("summary.json")).unwrap()), summary);
    let fresh = folder.path("killed");
    begun(&fresh, "KILL");
    assert_eq!(whole(Path::new(&fresh)), Vec::<String>::new());
}
