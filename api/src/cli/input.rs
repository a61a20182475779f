//! Files in.

use std::fs;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use kwartier_data::{Instance, Plan, Refusal, instance, plan};

use super::failure::Failure;

/// The name that stands for standard input and output.
pub const DASH: &str = "-";

/// Reads an instance from a file, or from standard input.
pub fn instance(path: &Path) -> Result<Instance, Failure> {
    parse(path, "planning instance", instance::parse)
}

/// Reads a plan from a file, or from standard input.
pub fn plan(path: &Path) -> Result<Plan, Failure> {
    parse(path, "plan", plan::parse)
}

/// Refuses to read standard input twice.
pub fn one_dash(paths: &[Option<&PathBuf>]) -> Result<(), Failure> {
    if paths.iter().flatten().filter(|path| is_dash(path)).count() < 2 {
        return Ok(());
    }
    Err(Failure::Arguments("- stands for standard input, which can be read once; name a file for the other".to_owned()))
}

/// Whether the path is the one that stands for a standard stream.
pub fn is_dash(path: &Path) -> bool {
    path.as_os_str() == DASH
}

/// Reads a file, or standard input, and has its content parsed.
pub fn parse<T>(
    path: &Path,
    kind: &'static str,
    parse: impl FnOnce(&[u8]) -> Result<T, Refusal>,
) -> Result<T, Failure> {
    let bytes = bytes(path)?;
    parse(&bytes).map_err(|refusal| Failure::Refused { name: name(path), kind, refusal })
}

/// The content of a file, or of standard input.
pub fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    read(path).map_err(|fault| Failure::Unreadable {
        name: name(path),
        why: fault.to_string(),
        remedy: remedy(fault.kind()),
    })
}

fn name(path: &Path) -> String {
    if is_dash(path) { "standard input".to_owned() } else { path.display().to_string() }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    if is_dash(path) {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    fs::read(path)
}

/// What to do about a file that cannot be read.
pub fn remedy(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NotFound => "name a file that exists, or - for standard input",
        ErrorKind::IsADirectory => "name a file in that folder",
        ErrorKind::PermissionDenied => "ask for the right to read it",
        _ => "check the file, or copy it to another disk",
    }
}
