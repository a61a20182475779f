//! Programs of npm's packages that tests drive, installed once and outside of the clone.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder in which npm has installed what the `package-lock.json` of `from` (below the workspace) names, and where `scripts`
/// of it stand; `None`, there is no npm, or no network the first time.
///
/// # Panics
///
/// When it does not work on a build server, where it has to.
pub fn installed(from: &str, scripts: &[&str]) -> Option<PathBuf> {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?.join(from);
    let files = [&["package.json", "package-lock.json"], scripts].concat();
    let folder = install(&from, &files);
    if folder.is_none() {
        assert!(std::env::var_os("CI").is_none(), "npm ci in {} must work on a build server", from.display());
        eprintln!("SKIPPED: `npm ci` in {} does not work here", from.display());
    }
    folder
}

fn install(from: &Path, files: &[&str]) -> Option<PathBuf> {
    let read = files.iter().map(|file| std::fs::read(from.join(file))).collect::<Result<Vec<_>, _>>();
    let content = read.ok()?.concat();
    let cache = std::env::var_os("HOME").map_or_else(std::env::temp_dir, PathBuf::from).join(".cache/kwartier");
    let name = format!("{}-{}", from.file_name()?.display(), &blake3::hash(&content).to_hex()[..16]);
    let folder = cache.join(&name);
    if folder.exists() {
        return Some(folder);
    }
    // Several tests may come here at once, each in a process of its own: each installs beside, the first one stays.
    std::fs::create_dir_all(&cache).ok()?;
    let beside = tempfile::Builder::new().prefix(&name).tempdir_in(&cache).ok()?;
    for file in files {
        std::fs::copy(from.join(file), beside.path().join(file)).ok()?;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(beside.path());
    npm.output().ok().filter(|output| output.status.success())?;
    if std::fs::rename(beside.path(), &folder).is_ok() {
        let _ = beside.keep();
    }
    Some(folder)
}
