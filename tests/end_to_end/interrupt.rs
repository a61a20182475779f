//! Ctrl-C in the middle of a search, or of a backtest.

use std::process::{Command, Stdio};

use kwartier_tests::generate::Recipe;

use super::{Folder, json};

#[cfg(unix)]
#[test]
fn the_first_one_hands_out_the_best_plan_so_far() {
    let folder = Folder::new();
    // Crowded boards and no gap allowed: this search does not end by itself within the limit.
    let recipe = Recipe { fuses: 0.5, ..Recipe::night(120, 8) };
    let instance = folder.file("crowded.json", &recipe.json().to_string());
    let plan = folder.path("plan.json");
    let command = format!("plan {instance} --out {plan} --gap 0 --method decomposition --time-limit 600 --json");
    let (code, _) = interrupted(&command, |said| said.contains("searching for a plan"));
    assert_eq!(code, Some(0), "a cancelled search has a plan to show");
    let plan = json(&std::fs::read(plan).unwrap());
    assert_eq!(plan["made"]["ended"], "cancelled");
    assert_eq!(plan["status"], "feasible");
    let instance = kwartier_data::instance::parse(&std::fs::read(instance).unwrap()).unwrap();
    let plan = kwartier_data::plan::parse(plan.to_string().as_bytes()).unwrap();
    assert!(kwartier_engine::verify::verify(&instance, &plan).is_clean());
}

#[cfg(unix)]
#[test]
fn a_backtest_scores_what_is_done_so_far() {
    let folder = Folder::new();
    // Fitted anew before every forecast: this does not end by itself while the test waits.
    let history = folder.file("meter.csv", &super::forecast::meter(60, 12, "2023-06-13T00:00:00Z"));
    let command =
        format!("backtest load --history {history} --tz Europe/Amsterdam --from 2023-05-01 --every 1h --refit 1h");
    // Every hour of six weeks, by four methods.
    let begun = |said: &str| {
        let counts =
            said.split(" of 4136 forecasts").filter_map(|before| before.rsplit(' ').next()?.parse::<u32>().ok());
        counts.max() >= Some(32)
    };
    let (code, said) = interrupted(&command, begun);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("Stopped early") && said.contains("similar days"), "{said}");
}

/// Runs the program on a pseudo-terminal, which shows progress, until it has said enough; interrupts it, and waits for its
/// end: exit code, and what it said after that.
#[cfg(unix)]
fn interrupted(command: &str, begun: impl Fn(&str) -> bool) -> (Option<i32>, String) {
    use std::io::{BufRead, BufReader, Read};
    let command = format!("{} {command}", env!("CARGO_BIN_EXE_kwartier"));
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
    while !begun(&String::from_utf8_lossy(&seen)) {
        let chunk = said.fill_buf().unwrap();
        assert!(!chunk.is_empty(), "it ended before that: {}", String::from_utf8_lossy(&seen));
        let length = chunk.len();
        seen.extend_from_slice(chunk);
        said.consume(length);
    }
    assert!(Command::new("sh").args(["-c", &format!("kill -INT {pid}")]).status().unwrap().success());
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    (child.wait().unwrap().code(), rest)
}
