//! The binary, as its users run it: real processes, real files, real signals.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::cast_possible_truncation)]

mod bad_input;
#[cfg(unix)]
mod cards;
#[cfg(unix)]
mod certificates;
#[cfg(unix)]
mod chargers;
#[cfg(unix)]
mod closed_loop;
mod commands;
mod config;
#[cfg(unix)]
mod feeding_in;
mod forecast;
#[cfg(unix)]
mod gateway;
mod interrupt;
#[cfg(unix)]
mod ocpp;
#[cfg(unix)]
mod operator;
#[cfg(target_os = "linux")]
mod packaging;
#[cfg(unix)]
mod page;
mod planned_days;
mod reports;
mod second_checker;
#[cfg(unix)]
mod serve;
mod simulate;
mod site;
mod site_fallback;
mod site_instance;
mod store;
#[cfg(unix)]
mod strange;
mod tariff;
mod tour;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// The sample that comes with the product.
fn sample() -> PathBuf {
    workspace().join("data/samples/guide-24.json")
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace").to_owned()
}

fn kwartier(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kwartier")).args(arguments).output().expect("the binary runs")
}

/// What went to standard output and standard error.
fn said(output: &Output) -> (String, String) {
    (String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("JSON")
}

/// A folder of what several products share, such as public data; where it is not, the test says so and has to do without.
fn shared_folder(name: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("KWARTIER_SHARED").map_or_else(|| workspace().join("../shared"), PathBuf::from);
    let folder = shared.join(name);
    if !folder.is_dir() {
        eprintln!("SKIPPED: there is no {}; set KWARTIER_SHARED to the folder that holds {name}/", folder.display());
        return None;
    }
    Some(folder)
}

/// A folder of its own for a test, and the paths in it.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn file(&self, name: &str, content: &str) -> String {
        std::fs::write(self.0.path().join(name), content).expect("a file");
        self.path(name)
    }
}
