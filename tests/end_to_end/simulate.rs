//! `kwartier simulate`: the whole stack in closed loop, from a file to what became of it.

use serde_json::Value;

use super::{Folder, json, kwartier, said, workspace};

fn scenario(name: &str) -> String {
    workspace().join("tests/scenarios").join(format!("{name}.toml")).display().to_string()
}

/// Plays a scenario and reads its summary; the exit code as well.
fn played(name: &str, out: &str, more: &[&str]) -> (Option<i32>, Value) {
    let scenario = scenario(name);
    let run = kwartier(&[&["simulate", scenario.as_str(), "--out", out, "--json"], more].concat());
    assert!(run.status.code().is_some_and(|code| code < 2), "{name}: {}", said(&run).1);
    let summary = json(&run.stdout);
    assert_eq!(summary, json(&std::fs::read(format!("{out}/summary.json")).unwrap()), "{name}");
    (run.status.code(), summary)
}

#[test]
fn no_limit_is_broken_and_a_seed_replays_bit_for_bit() {
    for name in ["link-cut", "meter-lost", "restart-and-clock"] {
        let folder = Folder::new();
        let (first, again) = (folder.path("first"), folder.path("again"));
        let (code, summary) = played(name, &first, &["--seed", "3", "--set", "planner=rule"]);
        assert_eq!(code, Some(0), "{name}: {:#}", summary["judged"]);
        assert_eq!(summary["judged"]["broken"], 0);
        assert!(summary["vehicles"]["got_kwh"].as_f64().unwrap() > 10.0, "{name}: vehicles charge");
        played(name, &again, &["--seed", "3", "--set", "planner=rule"]);
        for file in ["summary.json", "trace.parquet"] {
            let [first, again] = [&first, &again].map(|folder| std::fs::read(format!("{folder}/{file}")).unwrap());
            assert!(first == again, "{name}: {file} is the same again");
        }
        let (_, other) = played(name, &again, &["--seed", "4", "--set", "planner=rule"]);
        assert_ne!(summary["trace_hash"], other["trace_hash"], "{name}: another seed is another day");
    }
}

#[test]
fn planning_saves_on_the_same_night() {
    let folder = Folder::new();
    let paid = |planner: &str| {
        let (code, summary) = played("price-spread", &folder.path(planner), &["--set", &format!("planner={planner}")]);
        assert_eq!(code, Some(0), "{planner}: {:#}", summary["judged"]);
        let vehicles = &summary["vehicles"];
        assert!(vehicles["served"].as_f64().unwrap() > 0.9, "{planner}: {vehicles:#}");
        (summary["bill"]["total_eur"].as_f64().unwrap(), vehicles["came"].clone())
    };
    let ((planned, came), (unplanned, also)) = (paid("optimal"), paid("none"));
    assert_eq!(came, also, "policies are compared on the same visits");
    assert!(planned < unplanned, "planned {planned} EUR, unplanned {unplanned} EUR");
}

/// Who is known to need what until when gets it: what is short then is the planner's or the fast loop's fault. Vehicles on one
/// phase under an imbalance limit, and offices.
#[test]
fn with_perfect_forecasts_nobody_leaves_short() {
    for name in ["hybrids", "office-day", "residents"] {
        let folder = Folder::new();
        let more = ["--no-twin", "--set", "forecast=perfect"];
        let (code, summary) = played(name, &folder.path("run"), &more);
        assert_eq!(code, Some(0), "{name}: {:#}", summary["judged"]);
        let vehicles = &summary["vehicles"];
        assert_eq!(vehicles["served"], 1.0, "{name}: {vehicles:#}");
    }
}

#[test]
fn several_seeds_have_a_folder_each() {
    let folder = Folder::new();
    let (out, scenario) = (folder.path("runs"), scenario("hybrids"));
    let run = kwartier(&["simulate", &scenario, "--seeds", "1..2", "--out", &out, "--set", "planner=none"]);
    let (text, err) = said(&run);
    assert_eq!(run.status.code(), Some(0), "{text}{err}");
    for seed in [1, 2] {
        let summary = json(&std::fs::read(format!("{out}/seed-{seed}/summary.json")).unwrap());
        assert_eq!(summary["seed"], seed);
        assert!(text.contains(&summary["trace_hash"].as_str().unwrap()[..16]), "{text}");
    }
}

#[test]
fn what_cannot_be_used_is_refused() {
    let folder = Folder::new();
    let quiet = scenario("quiet-night");
    let out = folder.path("out");
    let file = folder.file("file", "");
    for (arguments, remedy) in [
        (vec!["simulate", &quiet, "--out", &file], "name a folder"),
        (vec!["simulate", &quiet, "--out", "-"], "wants a folder"),
        (vec!["simulate", "/nowhere.toml", "--out", &out], "name a file that exists"),
        (vec!["simulate", &quiet, "--out", &out, "--set", "planer=none"], "name one of"),
        (vec!["simulate", &quiet, "--out", &out, "--set", "planner"], "two words with ="),
        (vec!["simulate", &quiet, "--out", &out, "--seeds", "9..1"], "such as 1..50"),
        (vec!["simulate", &quiet, "--out", &out, "--set", "site=nowhere.toml"], "name a file that exists"),
    ] {
        let run = kwartier(&arguments);
        let err = said(&run).1;
        assert_eq!(run.status.code(), Some(2), "{arguments:?}: {err}");
        assert!(err.contains(remedy), "{arguments:?}: {err}");
    }
}

#[test]
fn the_table_reads_like_this() {
    let folder = Folder::new();
    let (out, scenario) = (folder.path("run"), scenario("hybrids"));
    let set = ["--set", "steering=uncontrolled", "--set", "hours=4"];
    let run = kwartier(&[&["simulate", scenario.as_str(), "--out", out.as_str()], &set[..]].concat());
    let (text, err) = said(&run);
    assert!(run.status.code().is_some_and(|code| code < 2), "{err}");
    // How fast it went is never the same.
    let lines = text.lines().filter(|line| !line.ends_with("simulated seconds a second"));
    let text = lines.collect::<Vec<_>>().join("\n").replace(&out, "OUT");
    insta::assert_snapshot!(text);
}
