//! `plan`, `check` and `completions` doing their work.

use kwartier_tests::generate::Recipe;

use super::{Folder, json, kwartier, said, sample};

/// A summary with what differs from run to run taken out.
fn steady(text: &str) -> String {
    let seconds = |line: &str| {
        let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        for i in 1..words.len() {
            if words[i] == "s" && words[i - 1].parse::<f64>().is_ok() {
                "TIME".clone_into(&mut words[i - 1]);
            }
        }
        words.join(" ")
    };
    let lines = text.lines().map(seconds).collect::<Vec<_>>();
    lines.join("\n").split("The plan is in").next().unwrap_or_default().to_owned()
}

#[test]
fn plans_and_checks_the_sample() {
    let folder = Folder::new();
    let (instance, plan) = (sample().display().to_string(), folder.path("plan.json"));
    let planned = kwartier(&["plan", &instance, "--out", &plan, "--gap", "0.002"]);
    let (out, err) = said(&planned);
    assert_eq!(planned.status.code(), Some(0), "{err}");
    // The picture of the summary, with its numbers masked: what they are, the planner may still improve.
    let shape: String = steady(&out).chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert!(shape.contains("no plan can cost less than"), "{out}");
    assert!(shape.contains("the gap asked for is proven"), "{out}");
    let checked = kwartier(&["check", &instance, &plan, "--max-gap", "0.002"]);
    assert_eq!(checked.status.code(), Some(0), "{}", said(&checked).0);
    assert!(said(&checked).0.contains("every limit holds"), "{}", said(&checked).0);
}

#[test]
fn json_says_the_same_as_the_file() {
    let folder = Folder::new();
    let plan = folder.path("plan.json");
    let planned = kwartier(&["plan", &sample().display().to_string(), "--out", &plan, "--json"]);
    let summary = json(&planned.stdout);
    let written = json(&std::fs::read(&plan).unwrap());
    assert_eq!(summary["bound_eur"], written["bound_eur"]);
    assert_eq!(summary["status"], written["status"]);
    assert_eq!(summary["ended"], written["made"]["ended"]);
    assert_eq!(summary["vehicles"], 31);
}

#[test]
fn a_broken_plan_does_not_pass() {
    let folder = Folder::new();
    let (instance, plan) = (sample().display().to_string(), folder.path("plan.json"));
    assert_eq!(kwartier(&["plan", &instance, "--out", &plan, "--quiet", "--gap", "0.01"]).status.code(), Some(0));
    let mut broken = json(&std::fs::read(&plan).unwrap());
    let arrive = json(&std::fs::read(&instance).unwrap())["sessions"][0]["arrive"].as_u64().unwrap() as usize;
    let currents = &mut broken["sessions"][0]["charge_a"];
    currents[arrive] = 500.0.into();
    currents[95] = 6.0.into();
    let broken = folder.file("broken.json", &broken.to_string());
    let checked = kwartier(&["check", &instance, &broken, "--json"]);
    assert_eq!(checked.status.code(), Some(1));
    let findings = json(&checked.stdout);
    assert_eq!(findings["holds"], false);
    let violations = findings["violations"].to_string();
    for what in
        ["neither 0 nor from", "outside its window", "beyond its limit", "over its limit", "states an objective"]
    {
        assert!(violations.contains(what), "{what} is not among {violations}");
    }
}

#[test]
fn a_gap_above_the_one_allowed_does_not_pass() {
    let folder = Folder::new();
    let (instance, plan) = (sample().display().to_string(), folder.path("plan.json"));
    // No time: a safe plan, far from the best.
    let planned = kwartier(&["plan", &instance, "--out", &plan, "--time-limit", "0", "--json"]);
    assert_eq!(planned.status.code(), Some(0));
    assert_eq!(json(&planned.stdout)["ended"], "time_limit");
    assert_eq!(kwartier(&["check", &instance, &plan]).status.code(), Some(0));
    assert_eq!(kwartier(&["check", &instance, &plan, "--max-gap", "0.001"]).status.code(), Some(1));
}

#[test]
fn a_site_without_anything_to_plan_is_planned() {
    let folder = Folder::new();
    let empty = Recipe { everything: false, ..Recipe::night(0, 1) }.json().to_string();
    let instance = folder.file("empty.json", &empty);
    let planned = kwartier(&["plan", &instance, "--json"]);
    assert_eq!(planned.status.code(), Some(0), "{}", said(&planned).1);
    assert_eq!(json(&planned.stdout)["vehicles"], 0);
}

#[test]
fn small_sites_that_are_not_tight_are_solved_exactly() {
    let folder = Folder::new();
    let recipe = Recipe { feed_in_hours: 3, ..Recipe::day(4, 11) };
    let instance = folder.file("feed-in.json", &recipe.json().to_string());
    let planned = kwartier(&["plan", &instance, "--method", "exact", "--json"]);
    let summary = json(&planned.stdout);
    assert_eq!(summary["status"], "optimal", "{summary}");
    assert_eq!(summary["remarks"].as_array().map(Vec::len), Some(0), "{summary}");
}

#[test]
fn the_plan_in_force_is_kept_where_nothing_changed() {
    let folder = Folder::new();
    let instance = folder.file("night.json", &Recipe::night(30, 6).json().to_string());
    let (first, second) = (folder.path("first.json"), folder.path("second.json"));
    assert_eq!(kwartier(&["plan", &instance, "--out", &first, "--quiet"]).status.code(), Some(0));
    let again = kwartier(&["plan", &instance, "--out", &second, "--previous", &first, "--quiet"]);
    assert_eq!(again.status.code(), Some(0));
    let (first, second) = (json(&std::fs::read(first).unwrap()), json(&std::fs::read(second).unwrap()));
    assert_eq!(first["sessions"], second["sessions"]);
    assert_eq!(second["made"]["method"], "previous");
}

#[test]
fn reads_and_writes_standard_streams() {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let mut child = Command::new(env!("CARGO_BIN_EXE_kwartier"))
        .args(["plan", "-", "--out", "-", "--gap", "0.01"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let instance = std::fs::read(sample()).unwrap();
    child.stdin.take().unwrap().write_all(&instance).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(json(&output.stdout)["format"], 1, "the plan and nothing else");
    assert!(said(&output).1.contains("no plan can cost less than"), "the summary is beside it");
}

#[test]
fn completions_are_for_the_shell_asked_for() {
    for (shell, mark) in [("bash", "complete -F"), ("zsh", "#compdef kwartier"), ("fish", "complete -c kwartier")] {
        let output = kwartier(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0));
        assert!(said(&output).0.contains(mark), "{shell}");
    }
}
