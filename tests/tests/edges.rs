//! What knows whom, and what touches the world: the edges that the architecture forbids.

#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace").to_owned()
}

/// Crates of the workspace that a crate depends on, tests aside.
fn known_by(krate: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(workspace())
        .output()
        .expect("cargo");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("metadata");
    let packages = metadata["packages"].as_array().expect("packages");
    let package = packages.iter().find(|p| p["name"] == krate).expect("the crate");
    let dependencies = package["dependencies"].as_array().expect("dependencies").iter();
    let own = dependencies.filter(|d| d["kind"].is_null()).map(|d| d["name"].as_str().unwrap_or_default().to_owned());
    own.filter(|name| name.starts_with("kwartier")).collect()
}

#[test]
fn data_knows_no_one_and_engine_and_forecast_know_data_alone() {
    assert_eq!(known_by("kwartier-data"), Vec::<String>::new());
    assert_eq!(known_by("kwartier-engine"), ["kwartier-data"]);
    assert_eq!(known_by("kwartier-forecast"), ["kwartier-data"]);
    assert_eq!(known_by("kwartier"), ["kwartier-data", "kwartier-engine", "kwartier-forecast"]);
}

/// All source files below a folder of the workspace.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut waiting = vec![workspace().join(folder)];
    let mut found = Vec::new();
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(fs::read_dir(&path).expect("a folder").map(|entry| entry.expect("an entry").path()));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push((path.clone(), fs::read_to_string(&path).expect("text")));
        }
    }
    assert!(!found.is_empty(), "{folder} has sources");
    found
}

#[test]
fn data_engine_and_forecast_touch_nothing_of_the_world() {
    let world = [
        "std::fs",
        "std::net",
        "std::env",
        "std::process",
        "Instant::now",
        "SystemTime",
        "Utc::now",
        "tokio",
        "println!",
    ];
    for (path, text) in sources("data/src").into_iter().chain(sources("engine/src")).chain(sources("forecast/src")) {
        for word in world {
            assert!(!text.contains(word), "{} names {word}", path.display());
        }
    }
}

#[test]
fn only_the_solver_folder_names_a_solver() {
    let solver = workspace().join("engine/src/solver");
    for folder in ["data/src", "engine/src", "api/src", "forecast/src"] {
        for (path, text) in sources(folder) {
            if path.starts_with(&solver) {
                continue;
            }
            for word in ["highs::", "use highs", "faer", "good_lp"] {
                assert!(!text.contains(word), "{} names {word}", path.display());
            }
        }
    }
}

#[test]
fn the_verifier_shares_no_code_with_the_solvers() {
    let verifier = sources("engine/src/verify");
    let head = workspace().join("engine/src/verify.rs");
    for (path, text) in verifier.into_iter().chain([(head.clone(), fs::read_to_string(&head).expect("text"))]) {
        for word in ["crate::model", "crate::solver", "crate::schedule", "crate::plan", "crate::bound", "crate::round"]
        {
            assert!(!text.contains(word), "{} names {word}", path.display());
        }
    }
}

#[test]
fn the_clamp_and_the_fallback_know_nothing_of_control_but_its_words() {
    let words = ["setup::", "event::", "command::", "stays::", "settings::Settings"];
    for (path, text) in sources("engine/src/limits").into_iter().chain(sources("engine/src/fallback")) {
        for named in text.split("crate::").skip(1).filter(|named| !named.starts_with("fallback")) {
            let word = named.strip_prefix("control::");
            let allowed = word.is_some_and(|word| words.iter().any(|allowed| word.starts_with(allowed)));
            assert!(allowed, "{} names crate::{}", path.display(), named.lines().next().unwrap_or_default());
        }
    }
}
