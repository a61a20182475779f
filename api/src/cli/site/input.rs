//! Site files and tables in.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use kwartier_data::Finding;
use kwartier_data::site::Site;
use kwartier_data::site::file::{self, MAX_FILE_BYTES, SiteFile};
use kwartier_data::tables::{self, Source};

use crate::cli::failure::Failure;
use crate::cli::input::{is_dash, remedy};
use crate::cli::site::text;

/// Most files of a folder that are looked into.
const MAX_FILES: usize = 200;

/// Endings of files that may be tables.
const TABLES: [&str; 8] = ["csv", "tsv", "txt", "xlsx", "xlsm", "ods", "xls", "xlsb"];

/// Reads a site file, and its text.
pub fn site(path: &Path) -> Result<(SiteFile, String), Failure> {
    let bytes = read(path, MAX_FILE_BYTES)?;
    match file::parse(&bytes) {
        Ok(site) => Ok((site, String::from_utf8_lossy(&bytes).into_owned())),
        Err(findings) => Err(Failure::Unfit {
            what: format!("{} is not a usable site file", path.display()),
            findings: text::list(&findings),
        }),
    }
}

/// Reads a site file that has no errors.
pub fn usable(path: &Path) -> Result<Site, Failure> {
    let (file, _) = site(path)?;
    let errors: Vec<Finding> = file.check().into_iter().filter(Finding::is_error).collect();
    if errors.is_empty() {
        return Ok(file.site);
    }
    let what = format!("{} has errors, and nothing is planned around them", path.display());
    Err(Failure::Unfit { what, findings: text::list(&errors) })
}

/// Whether a path is a table or a folder of them, not a site file.
pub fn is_tables(path: &Path) -> bool {
    path.is_dir() || has_ending_of_table(path)
}

fn has_ending_of_table(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    ending.is_some_and(|ending| TABLES.contains(&ending.as_str()))
}

/// The files that the paths name, folders with all tables in them.
pub fn sources(paths: &[PathBuf]) -> Result<Vec<Source>, Failure> {
    let mut sources = Vec::new();
    let mut seen = Vec::new();
    for path in paths {
        let (files, named) = if path.is_dir() { (files_in(path)?, false) } else { (vec![path.clone()], true) };
        for file in files {
            // The same file twice would be every name twice.
            let real = fs::canonicalize(&file).unwrap_or_else(|_| file.clone());
            if seen.contains(&real) {
                continue;
            }
            seen.push(real);
            let bytes = read(&file, tables::MAX_FILE_BYTES)?;
            sources.push(Source { name: name(&file, paths.len() == 1 && !path.is_dir()), bytes, named });
        }
    }
    Ok(sources)
}

/// What messages call a file: as it was named, or by itself where it is the only one or came out of a folder.
fn name(path: &Path, alone: bool) -> String {
    let short = path.file_name().filter(|_| alone || path.components().count() > 1);
    short.map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

fn files_in(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let unreadable = |fault: std::io::Error| Failure::Unreadable {
        name: folder.display().to_string(),
        why: fault.to_string(),
        remedy: remedy(fault.kind()),
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        // Programs leave files behind that begin with a dot or "~$" while a table is open.
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(['.', '~']));
        if path.is_file() && has_ending_of_table(&path) && !hidden {
            files.push(path);
        }
    }
    files.sort();
    if files.len() > MAX_FILES {
        let what = format!(
            "{} holds {} tables, more than {MAX_FILES}; name the files of the site",
            folder.display(),
            files.len()
        );
        return Err(Failure::Arguments(what));
    }
    if files.is_empty() {
        let what =
            format!("{} holds no table; name a folder with .csv or .xlsx files in it, or the files", folder.display());
        return Err(Failure::Arguments(what));
    }
    Ok(files)
}

/// The bytes of a file, at most one more than `most`, so that the reader sees that it is too large.
fn read(path: &Path, most: usize) -> Result<Vec<u8>, Failure> {
    let name = || if is_dash(path) { "standard input".to_owned() } else { path.display().to_string() };
    let mut bytes = Vec::new();
    let limit = most as u64 + 1;
    let read = if is_dash(path) {
        std::io::stdin().lock().take(limit).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    };
    match read {
        Ok(_) => Ok(bytes),
        Err(fault) => Err(Failure::Unreadable { name: name(), why: fault.to_string(), remedy: remedy(fault.kind()) }),
    }
}
