//! Long history: quarter-hours that are old enough leave the database for Parquet files, a month of a site each, in
//! `history/SITE/YYYY-MM.parquet` beside it.
//!
//! The table `archive` says which file of a month counts. A file is written whole and flushed before the transaction that
//! names it and drops its rows; one that no row names is left over from a transaction that failed, and is written over or
//! ignored. So a crash at any point loses nothing and counts nothing twice.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{Datelike as _, Months, NaiveTime};

use super::super::fault::Fault;
use super::super::measurement::Grain;
use super::super::parquet::{self, Quarters};
use super::super::rolling::{Piece, roll};
use super::connection::Connection;
use super::measurements::{self, Span};
use super::trouble::{corrupt, unavailable};
use super::{names, value};

/// Where the files are below the folder of the database.
pub const FOLDER: &str = "history";

/// The month that a time is in.
pub fn month_of(at: i64) -> Result<Span, Fault> {
    let first = value::time(at)?.date_naive().with_day(1);
    let next = first.and_then(|first| first.checked_add_months(Months::new(1)));
    let (Some(first), Some(next)) = (first, next) else {
        return Err(corrupt(format!("{at} is in no month")));
    };
    let micros = |day: chrono::NaiveDate| day.and_time(NaiveTime::MIN).and_utc().timestamp_micros();
    Ok(Span { from: micros(first), until: micros(next) })
}

/// A site's folder below `history`: its id, with whatever may mean something to a file system written as `%XX`.
fn folder_of(site: &str) -> String {
    site.bytes().fold(String::new(), |mut name, byte| {
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
            name.push(char::from(byte));
        } else {
            name += &format!("%{byte:02X}");
        }
        name
    })
}

/// Moves a month of a site into its file. How many rows went.
pub async fn archive(connection: &mut Connection, folder: &Path, site: i64, month: Span) -> Result<u64, Fault> {
    let sites = names::sites(connection).await?;
    let name = sites.into_iter().find(|(number, _)| *number == site).map(|(_, name)| name);
    let name = name.ok_or_else(|| corrupt(format!("the site {site} has no name")))?;
    let mut places: BTreeMap<i64, String> = BTreeMap::new();
    for (place, number) in names::places(connection, site).await? {
        places.insert(number, place);
    }
    let mut by_place: BTreeMap<String, Vec<Piece>> = BTreeMap::new();
    let before = file_of(connection, site, month).await?;
    if let Some(before) = &before {
        for (place, piece) in read(folder, before).await?.iter() {
            by_place.entry(place.clone()).or_default().push(*piece);
        }
    }
    let taken = measurements::take(connection, site, Grain::Quarter, month).await?;
    let count = taken.len() as u64;
    for (number, piece) in taken {
        let place = places.get(&number).ok_or_else(|| corrupt(format!("the place {number} has no name")))?;
        by_place.entry(place.clone()).or_default().push(piece);
    }
    let quarters: Quarters = by_place
        .into_iter()
        .flat_map(|(place, pieces)| roll(pieces, Grain::Quarter).into_iter().map(move |piece| (place.clone(), piece)))
        .collect();
    let file = next_file(&name, month, before.as_deref())?;
    let to = folder.join(&file);
    tokio::task::spawn_blocking(move || write(&to, &quarters)).await.map_err(unavailable)??;
    let sql = "INSERT INTO archive (site, month, file) VALUES ($1, $2, $3)
        ON CONFLICT (site, month) DO UPDATE SET file = excluded.file";
    connection.execute(sql, vec![site.into(), month.from.into(), file.into()]).await?;
    Ok(count)
}

async fn file_of(connection: &mut Connection, site: i64, month: Span) -> Result<Option<String>, Fault> {
    let sql = "SELECT file FROM archive WHERE site = $1 AND month = $2";
    let row = connection.first(sql, vec![site.into(), month.from.into()]).await?;
    row.map(|row| row.text(0)).transpose()
}

/// `SITE/2026-03.parquet`; what comes late makes `SITE/2026-03.2.parquet` of it, and so on.
fn next_file(site: &str, month: Span, before: Option<&str>) -> Result<String, Fault> {
    let stem = format!("{}/{}", folder_of(site), value::time(month.from)?.format("%Y-%m"));
    let Some(before) = before else { return Ok(format!("{stem}.parquet")) };
    let number = before.rsplit('.').nth(1).and_then(|number| number.parse::<u32>().ok()).unwrap_or(1);
    Ok(format!("{stem}.{}.parquet", number + 1))
}

fn write(to: &Path, quarters: &Quarters) -> Result<(), Fault> {
    let bytes = parquet::write(quarters).map_err(unavailable)?;
    let written = || -> std::io::Result<()> {
        let Some(folder) = to.parent() else { return Ok(()) };
        fs::create_dir_all(folder)?;
        let mut file = File::create(to)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        // The names too: of the file, of the site's folder, of `history`.
        for folder in to.ancestors().skip(1).take(3) {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    };
    written().map_err(|why| unavailable(format!("{}: cannot be written ({why})", to.display())))
}

/// What is in a file.
pub async fn read(folder: &Path, file: &str) -> Result<Arc<Quarters>, Fault> {
    let path = folder.join(file);
    let read = move || -> Result<Quarters, Fault> {
        let bytes = fs::read(&path).map_err(|why| {
            unavailable(format!("{}: a month of measurements cannot be read ({why})", path.display()))
        })?;
        parquet::read(&bytes).map_err(|why| corrupt(format!("{}: {why}", path.display())))
    };
    tokio::task::spawn_blocking(read).await.map_err(unavailable)?.map(Arc::new)
}

/// The months of a site that are in files, read when they are asked for.
pub struct History {
    folder: PathBuf,
    months: Vec<(Span, String)>,
    read: BTreeMap<usize, Arc<Quarters>>,
}

impl History {
    /// Those of a site.
    pub async fn of(connection: &mut Connection, folder: &Path, site: i64) -> Result<History, Fault> {
        let sql = "SELECT month, file FROM archive WHERE site = $1 ORDER BY month";
        let rows = connection.fetch(sql, vec![site.into()]).await?;
        let months = rows.iter().map(|row| Ok((month_of(row.int(0)?)?, row.text(1)?))).collect::<Result<_, Fault>>()?;
        Ok(History { folder: folder.to_owned(), months, read: BTreeMap::new() })
    }

    /// Quarter-hours of a place from the beginning of a span on, and until when they are all there are: the end of the first
    /// month that has some, or of the span.
    pub async fn pieces(&mut self, place: &str, span: Span) -> Result<(Vec<Piece>, i64), Fault> {
        for (index, (month, file)) in self.months.iter().enumerate() {
            if month.until <= span.from || month.from >= span.until {
                continue;
            }
            let quarters = if let Some(quarters) = self.read.get(&index) {
                Arc::clone(quarters)
            } else {
                let quarters = read(&self.folder, file).await?;
                self.read.insert(index, Arc::clone(&quarters));
                quarters
            };
            let from = quarters.partition_point(|(other, piece)| (other.as_str(), piece.at) < (place, span.from));
            let found = quarters[from..].iter().take_while(|(other, piece)| other == place && piece.at < span.until);
            let found: Vec<Piece> = found.map(|(_, piece)| *piece).collect();
            if !found.is_empty() {
                return Ok((found, month.until.min(span.until)));
            }
        }
        Ok((Vec::new(), span.until))
    }
}

/// All files that count, below the folder of the history.
pub async fn files(connection: &mut Connection) -> Result<Vec<String>, Fault> {
    let rows = connection.fetch("SELECT file FROM archive ORDER BY file", Vec::new()).await?;
    rows.iter().map(|row| row.text(0)).collect()
}

/// The files of a site that count.
pub async fn files_of(connection: &mut Connection, site: i64) -> Result<Vec<String>, Fault> {
    let rows = connection.fetch("SELECT file FROM archive WHERE site = $1 ORDER BY month", vec![site.into()]).await?;
    rows.iter().map(|row| row.text(0)).collect()
}

/// Removes files that no row names: they were replaced, or the transaction that would have named them failed. Nobody may be
/// reading them.
pub async fn sweep(connection: &mut Connection, folder: &Path) -> Result<(), Fault> {
    let named = files(connection).await?;
    let Ok(sites) = fs::read_dir(folder) else { return Ok(()) };
    for site in sites.flatten() {
        let Ok(months) = fs::read_dir(site.path()) else { continue };
        for month in months.flatten() {
            let name = format!("{}/{}", site.file_name().display(), month.file_name().display());
            if name.ends_with(".parquet") && !named.contains(&name) {
                fs::remove_file(month.path())
                    .map_err(|why| unavailable(format!("{}: cannot be removed ({why})", month.path().display())))?;
            }
        }
    }
    Ok(())
}
