//! Every answer as it came, in a folder: a file an answer, by day. They are there to be looked at when something went wrong, and
//! to be played again.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, NaiveDate, Utc};
use kwartier_data::feeds::Span;
use serde::{Deserialize, Serialize};

use super::client::Raw;
use super::retry;
use super::subject::Subject;
use crate::resource::feed::Source;

/// How much space packing may take; beyond it are no records of ours.
const LARGEST: usize = 64 << 20;

/// How well records are packed: fast, and a tenth of their size.
const LEVEL: i32 = 3;

/// How folders of a day are named.
const DAY: &str = "%Y-%m-%d";

/// An answer as it came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// When it came.
    pub at: DateTime<Utc>,
    /// From which feed.
    pub source: Source,
    /// What it was asked for.
    pub subject: Subject,
    /// From when on values were wanted.
    pub from: DateTime<Utc>,
    /// Until when.
    pub to: DateTime<Utc>,
    /// What came.
    #[serde(flatten)]
    pub came: Came,
}

/// What came of an ask.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Came {
    /// An answer.
    Answer {
        /// Its status.
        status: u16,
        /// Its body in base64.
        body: String,
    },
    /// None.
    Nothing {
        /// Why.
        unreachable: String,
    },
}

impl Record {
    /// Of what came.
    pub fn of(source: Source, subject: &Subject, asked: Span, raw: &Result<Raw, String>, at: DateTime<Utc>) -> Record {
        let came = match raw {
            Ok(raw) => Came::Answer { status: raw.status, body: STANDARD.encode(&raw.body) },
            Err(why) => Came::Nothing { unreachable: why.clone() },
        };
        Record { at, source, subject: subject.clone(), from: asked.from, to: asked.to, came }
    }

    /// What came, to be read as then.
    pub fn raw(&self) -> Result<Raw, String> {
        match &self.came {
            Came::Answer { status, body } => {
                let body = STANDARD.decode(body).map_err(|why| format!("its record is damaged: {why}"))?;
                Ok(Raw { status: *status, body, retry_after: None })
            }
            Came::Nothing { unreachable } => Err(unreachable.clone()),
        }
    }

    /// The span of time that was asked for.
    pub fn asked(&self) -> Span {
        Span { from: self.from, to: self.to }
    }
}

/// Writes a record; where it is.
///
/// # Errors
///
/// Why it cannot be written.
pub fn write(folder: &Path, record: &Record) -> Result<PathBuf, String> {
    let day = folder.join(record.at.format(DAY).to_string());
    std::fs::create_dir_all(&day).map_err(|why| format!("{}: {why}", day.display()))?;
    let about = match &record.subject {
        Subject::Prices { .. } => record.subject.to_string().replace(' ', "-"),
        // Sites and plants may have any name.
        other => format!("{:016x}", retry::seed(other, record.source, 0, 0)),
    };
    let name = format!("{}-{}-{about}.json.zst", record.at.format("%H%M%S%.3f"), record.source.name());
    let json = serde_json::to_vec(record).map_err(|why| why.to_string())?;
    let packed = zstd::bulk::compress(&json, LEVEL).map_err(|why| why.to_string())?;
    let path = day.join(name);
    // A reader sees a whole record or none.
    let part = path.with_extension("part");
    std::fs::write(&part, packed)
        .and_then(|()| std::fs::rename(&part, &path))
        .map_err(|why| format!("{}: {why}", path.display()))?;
    Ok(path)
}

/// All records of a folder, the oldest first, and what of it cannot be read.
pub fn read(folder: &Path) -> (Vec<Record>, Vec<String>) {
    let (mut records, mut damaged) = (Vec::new(), Vec::new());
    for path in files(folder) {
        match one(&path) {
            Ok(record) => records.push(record),
            Err(why) => damaged.push(format!("{}: {why}", path.display())),
        }
    }
    records.sort_by(|a, b| (a.at, a.source, &a.subject).cmp(&(b.at, b.source, &b.subject)));
    (records, damaged)
}

fn one(path: &Path) -> Result<Record, String> {
    let packed = std::fs::read(path).map_err(|why| why.to_string())?;
    let json = zstd::bulk::decompress(&packed, LARGEST).map_err(|why| format!("cannot be unpacked: {why}"))?;
    serde_json::from_slice(&json).map_err(|why| format!("is no record: {why}"))
}

/// The records in a folder and in its folders of days.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && day_of(&path).is_some() {
            files.extend(files_in(&path));
        }
    }
    files.extend(files_in(folder));
    files.sort();
    files
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.filter(|path| path.to_str().is_some_and(|name| name.ends_with(".json.zst"))).collect()
}

/// Removes the folders of days before a day. How many went.
pub fn forget(folder: &Path, before: NaiveDate) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let old = entries.filter(|path| day_of(path).is_some_and(|day| day < before));
    old.filter(|path| {
        let gone = std::fs::remove_dir_all(path);
        gone.inspect_err(|why| tracing::warn!(folder = %path.display(), %why, "old answers of feeds stay")).is_ok()
    })
    .count()
}

fn day_of(folder: &Path) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(folder.file_name()?.to_str()?, DAY).ok()
}

#[cfg(test)]
mod tests {

    use chrono::TimeDelta;

    use super::*;

    fn subject() -> Subject {
        Subject::Prices { area: "NL".to_owned(), day: "2026-11-29".parse().unwrap() }
    }

    #[test]
    fn what_came_is_read_as_it_came_in_order_and_goes_when_it_is_old() {
        let folder = tempfile::tempdir().unwrap();
        let at: DateTime<Utc> = "2026-11-28T12:50:00Z".parse().unwrap();
        let asked = subject().span(at);
        let fine = Raw { status: 200, body: vec![0x1f, 0x8b, 0, 0xff], retry_after: None };
        let came = [Ok(fine.clone()), Err("it took longer than 30 s".to_owned())];
        for (k, raw) in came.iter().enumerate().rev() {
            let at = at - TimeDelta::days(2) * i32::try_from(k).unwrap();
            write(folder.path(), &Record::of(Source::Entsoe, &subject(), asked, raw, at)).unwrap();
        }
        std::fs::write(folder.path().join("2026-11-28/other.json.zst"), b"no zstd").unwrap();
        let (records, damaged) = read(folder.path());
        assert_eq!(records.iter().map(Record::raw).collect::<Vec<_>>(), came.iter().rev().cloned().collect::<Vec<_>>());
        assert_eq!((records[1].asked(), records[1].subject.clone()), (asked, subject()));
        assert_eq!(damaged.len(), 1, "{damaged:?}");
        assert_eq!(forget(folder.path(), "2026-11-28".parse().unwrap()), 1);
        assert_eq!(read(folder.path()).0.len(), 1);
    }
}
