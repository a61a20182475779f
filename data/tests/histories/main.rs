//! Histories: how they are read, and which defects of them are found.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod defects;
mod reading;

use std::path::PathBuf;

/// The bytes of a file of the data sets, or `None` with a word to the reader where there are none.
pub fn shared(name: &str) -> Option<Vec<u8>> {
    let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = std::env::var_os("KWARTIER_SHARED").map_or_else(|| workspace.join("../shared"), PathBuf::from);
    let path = folder.join("data").join(name);
    let bytes = std::fs::read(&path).ok();
    if bytes.is_none() {
        eprintln!("SKIPPED: there is no {}; set KWARTIER_SHARED to the folder that holds data/", path.display());
    }
    bytes
}
