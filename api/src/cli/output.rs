//! Results out: standard output that may close early, and files that are either whole or untouched.

use std::ffi::OsStr;
use std::fmt::Display;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use tempfile::NamedTempFile;

use super::failure::Failure;

/// Writes a text to standard output. A reader that has seen enough and closed the pipe is no failure.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(fault) if fault.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::Lost { name: "standard output".to_owned(), why: fault.to_string() })
        }
        _ => Ok(()),
    }
}

/// Writes a value to standard output as JSON for people and programs alike.
pub fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|fault| Failure::Internal(fault.to_string()))?;
    print(&(text + "\n"))
}

/// Writes a text to standard error, whose being closed is nobody's business.
pub fn note(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Writes what the reader of a result should know to standard error, a line each.
pub fn notes(notes: &[String]) {
    for text in notes {
        note(&format!("note: {text}\n"));
    }
}

/// Says on standard error why the command failed.
pub fn complain(failure: &impl Display) {
    note(&format!("error: {failure}\n"));
}

/// Where a result goes. Having one means that the place could be written when it was made.
#[derive(Debug, Clone)]
pub enum Destination {
    /// Standard output.
    Stdout,
    /// A regular file, existing or not: replaced in one step by a file written beside it.
    File {
        /// The file as the caller named it.
        name: String,
        /// The file itself, links resolved.
        path: PathBuf,
    },
    /// Something that is no regular file (a pipe, a device): written directly.
    Stream {
        /// The place as the caller named it.
        name: String,
        /// The place itself.
        path: PathBuf,
    },
}

impl Destination {
    /// Checks that a place can be written, without changing what stands there.
    pub fn prepare(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let unwritable = |fault: &io::Error| Failure::Unwritable {
            name: name.clone(),
            why: fault.to_string(),
            remedy: "name a file in a folder that exists and that you may write to",
        };
        if path.as_os_str() == super::input::DASH {
            return Ok(Destination::Stdout);
        }
        match fs::metadata(path) {
            Ok(there) if there.is_dir() => return Err(unwritable(&ErrorKind::IsADirectory.into())),
            Ok(there) if !there.is_file() => return Ok(Destination::Stream { name, path: path.to_owned() }),
            _ => {}
        }
        // A link keeps pointing where it points; what it points at is replaced.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        beside(&path).map_err(|fault| unwritable(&fault))?;
        Ok(Destination::File { name, path })
    }

    /// The same, and that it is none of the files that are read.
    pub fn apart<'p>(option: &str, path: &Path, mut read: impl Iterator<Item = &'p PathBuf>) -> Result<Self, Failure> {
        let place = Self::prepare(path)?;
        match read.find(|input| place.is(input)) {
            Some(input) => {
                let what = format!("{option} {} is one of the files to read; name another file", input.display());
                Err(Failure::Arguments(what))
            }
            None => Ok(place),
        }
    }

    /// Whether this is the file of that path.
    pub fn is(&self, other: &Path) -> bool {
        match self {
            Destination::File { path, .. } => fs::canonicalize(other).is_ok_and(|other| other == *path),
            Destination::Stdout | Destination::Stream { .. } => false,
        }
    }

    /// Whether both are the same place.
    pub fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Destination::File { path, .. }, Destination::File { path: other, .. }) => {
                let resolved = |path: &Path| {
                    let folder = fs::canonicalize(folder(path)).unwrap_or_else(|_| folder(path).to_owned());
                    folder.join(path.file_name().unwrap_or_default())
                };
                resolved(path) == resolved(other)
            }
            _ => false,
        }
    }

    /// Writes the whole content: afterwards a file holds either all of it or what it held before.
    pub fn write(&self, content: &[u8]) -> Result<(), Failure> {
        let lost = |name: &str, fault: &io::Error| Failure::Lost { name: name.to_owned(), why: fault.to_string() };
        match self {
            Destination::Stdout => print(&String::from_utf8_lossy(content)),
            Destination::File { name, path } => replace(path, content).map_err(|fault| lost(name, &fault)),
            Destination::Stream { name, path } => {
                let written = OpenOptions::new().write(true).open(path).and_then(|mut file| file.write_all(content));
                written.map_err(|fault| lost(name, &fault))
            }
        }
    }
}

fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = beside(path)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|fault| fault.error)?;
    sync_folder(path)
}

/// A new file in the same folder, with the rights that any new file gets; it is gone when dropped.
fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let mut prefix = OsStr::new(".").to_owned();
    prefix.push(path.file_name().ok_or(ErrorKind::InvalidFilename)?);
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(".part");
    #[cfg(unix)]
    builder.permissions(new_file_rights());
    builder.tempfile_in(folder(path))
}

/// What `open` asks for when it creates a file; the user's mask takes its share off.
#[cfg(unix)]
fn new_file_rights() -> fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o666)
}

/// Makes the new name last through a power cut, where folders can be synced.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder(path))?.sync_all() } else { Ok(()) }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
