//! Ctrl-C in the middle of a search.

use std::process::{Command, Stdio};

use kwartier_tests::generate::Recipe;

use super::{Folder, json};

#[cfg(unix)]
#[test]
fn the_first_one_hands_out_the_best_plan_so_far() {
    use std::io::{BufRead, BufReader};
    let folder = Folder::new();
    // Crowded boards and no gap allowed: this search does not end by itself within the limit.
    let recipe = Recipe { fuses: 0.5, ..Recipe::night(120, 8) };
    let instance = folder.file("crowded.json", &recipe.json().to_string());
    let plan = folder.path("plan.json");
    // A pseudo-terminal shows progress, and so tells when the search has begun.
    let command = format!(
        "{} plan {instance} --out {plan} --gap 0 --method decomposition --time-limit 600 --json",
        env!("CARGO_BIN_EXE_kwartier")
    );
    let mut child = Command::new("script")
        .args(["-qefc", &format!("echo pid $$; exec {command}"), "/dev/null"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("script, of util-linux");
    let mut said = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    said.read_line(&mut first).unwrap();
    let pid = first.trim().trim_start_matches("pid ").to_owned();
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains("searching for a plan") {
        let chunk = said.fill_buf().unwrap();
        assert!(!chunk.is_empty(), "it ended before the search: {}", String::from_utf8_lossy(&seen));
        let length = chunk.len();
        seen.extend_from_slice(chunk);
        said.consume(length);
    }
    assert!(Command::new("sh").args(["-c", &format!("kill -INT {pid}")]).status().unwrap().success());
    std::io::copy(&mut said, &mut std::io::sink()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "a cancelled search has a plan to show");
    let plan = json(&std::fs::read(plan).unwrap());
    assert_eq!(plan["made"]["ended"], "cancelled");
    assert_eq!(plan["status"], "feasible");
    let instance = kwartier_data::instance::parse(&std::fs::read(instance).unwrap()).unwrap();
    let plan = kwartier_data::plan::parse(plan.to_string().as_bytes()).unwrap();
    assert!(kwartier_engine::verify::verify(&instance, &plan).is_clean());
}
