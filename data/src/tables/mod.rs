//! Tables of boards and stations, as installers hand them over: CSV, XLSX or ODS with headers in Dutch, English or German.
//!
//! [`read`] takes all files of a site at once and says everything that is wrong with them; nothing is guessed.
//! [`mod@write`] makes the same tables from a site.

mod delimited;
pub(crate) mod grid;
pub mod headers;
mod rows;
pub(crate) mod text;
mod unzip;
mod values;
pub(crate) mod workbook;
pub mod write;

use std::collections::HashSet;

use self::grid::Grid;
use crate::finding::{Finding, Place, Places};
use crate::refusal::{clip, quoted};
use crate::site::check::check;
use crate::site::{Board, Site, Station};

/// Largest file in bytes. Twenty thousand stations are a megabyte or two.
pub const MAX_FILE_BYTES: usize = 32 << 20;

/// Most bytes of a workbook when unpacked.
pub const MAX_UNPACKED_BYTES: u64 = 128 << 20;

/// Most rows of a sheet that are not empty.
pub const MAX_ROWS: usize = 20_000;

/// Most columns of a sheet.
pub const MAX_COLUMNS: usize = 256;

/// Most sheets of a workbook.
pub const MAX_SHEETS: usize = 50;

/// A file to read.
#[derive(Debug, Clone)]
pub struct Source {
    /// What messages call it.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
    /// Whether somebody named it: then it is an error if it is no table of boards or stations. A file that was merely found
    /// in a folder is left out with a note.
    pub named: bool,
}

/// What the tables say.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// The boards, in the order of the tables.
    pub boards: Vec<Board>,
    /// The stations, in the order of the tables.
    pub stations: Vec<Station>,
    /// Whether there was a table of boards.
    pub has_boards: bool,
    /// Whether there was a table of stations.
    pub has_stations: bool,
    /// What is wrong with files, headers and cells.
    pub findings: Vec<Finding>,
    /// File, row and column of everything read, by its path in the site.
    pub places: Places,
}

impl Reading {
    /// Whether a file, a table or a column was not read at all: checking the rest would only mislead.
    pub fn is_unusable(&self) -> bool {
        self.findings.iter().any(|finding| finding.is_error() && UNREAD.contains(&finding.code))
    }

    /// Everything an electrician would want to know: what is wrong with the tables, and with the site that was made of
    /// them, each with its row; the worst first.
    pub fn check(&self, site: &Site) -> Vec<Finding> {
        let mut findings = self.findings.clone();
        if !self.is_unusable() {
            let errors = self.findings.iter().filter(|finding| finding.is_error() && !finding.path.is_empty());
            let told: HashSet<&str> = errors.map(|finding| finding.path.as_str()).collect();
            let of_site = check(site).into_iter().filter(|finding| !within(&told, &finding.path));
            findings.extend(of_site.map(|finding| {
                let place = self.places.find(&finding.path).cloned();
                finding.at(place)
            }));
        }
        findings.sort_by_key(|finding| finding.severity);
        findings
    }

    /// The reading as that of a whole site, which has a table of boards.
    pub fn as_whole_site(mut self) -> Reading {
        if self.has_stations && !self.has_boards && !self.is_unusable() {
            let remedy = "give the table of boards as well, with names, limits and what feeds each";
            let finding = Finding::error("no-table-of-boards", "");
            self.findings.push(finding.says("there is a table of stations and none of boards", remedy));
        }
        self
    }
}

/// Whether a path, or what it is part of, is among those told of.
fn within(told: &HashSet<&str>, path: &str) -> bool {
    let mut path = path;
    loop {
        if told.contains(path) {
            return true;
        }
        let Some(dot) = path.rfind('.') else { return false };
        path = &path[..dot];
    }
}

/// Codes of errors after which a file, a table or a column has not been read.
const UNREAD: [&str; 8] = [
    "unreadable-file",
    "too-large",
    "no-headers",
    "no-tables",
    "no-table-of-boards",
    "open-quote",
    "missing-column",
    "wrong-unit",
];

/// Reads the tables of a site, all files of it. A table of stations alone can only change a site that has boards.
pub fn read(sources: &[Source]) -> Reading {
    let mut reading = Reading::default();
    for source in sources {
        match grids(source) {
            Ok(grids) => of_file(&mut reading, source, &grids),
            Err(finding) => reading.findings.push(milder(*finding, source)),
        }
    }
    rows::connect_to_grid(&mut reading.boards);
    let files_are_fine = !crate::finding::any_error(&reading.findings);
    if !reading.has_boards && !reading.has_stations && files_are_fine {
        let remedy = "name the files, or the folder that holds them";
        reading.findings.push(Finding::error("no-tables", "").says("there is no table of boards or stations", remedy));
    }
    reading
}

/// A finding about a file that nobody named is a note.
fn milder(mut finding: Finding, source: &Source) -> Finding {
    if !source.named {
        finding.severity = crate::finding::Severity::Note;
        finding.remedy = format!("left out; if it matters: {}", finding.remedy);
    }
    finding
}

fn grids(source: &Source) -> Result<Vec<Grid>, Box<Finding>> {
    let of_file = || Some(Place { file: Some(source.name.clone()), ..Place::default() });
    if source.bytes.len() > MAX_FILE_BYTES {
        let wrong = format!("the file is larger than {} MiB, which no site's tables are", MAX_FILE_BYTES >> 20);
        let finding = Finding::error("too-large", "").at(of_file());
        return Err(Box::new(finding.says(wrong, "keep nothing but the tables")));
    }
    if source.bytes.starts_with(b"PK") {
        return workbook::grids(&source.name, &source.bytes);
    }
    let text = text::decode(&source.bytes)
        .map_err(|(wrong, remedy)| Box::new(Finding::error("unreadable-file", "").at(of_file()).says(wrong, remedy)))?;
    Ok(vec![delimited::grid(&source.name, &text)?])
}

/// Reads every table of a file.
fn of_file(reading: &mut Reading, source: &Source, grids: &[Grid]) {
    let found: Vec<(&Grid, Vec<headers::Header>)> =
        grids.iter().map(|grid| (grid, headers::find(&grid.rows))).collect();
    if found.iter().all(|(_, headers)| headers.is_empty()) {
        reading.findings.push(milder(no_headers(source, grids), source));
        return;
    }
    for (grid, headers) in found {
        if headers.is_empty() {
            let finding = Finding::note("sheet-ignored", "").at(Some(grid.place(None, None)));
            reading.findings.push(finding.says("is no table of boards or stations", "nothing to do"));
        }
        let ends = headers.iter().skip(1).map(|header| header.at).chain([grid.rows.len()]).collect::<Vec<_>>();
        for (header, end) in headers.into_iter().zip(ends) {
            let header = header.settled(grid.sheet.as_ref().unwrap_or(&grid.file));
            match header.kind {
                Some(headers::Kind::Stations) => reading.has_stations = true,
                _ => reading.has_boards = true,
            }
            let mut rows = &grid.rows[header.at + 1..end];
            // A title above the next table's headers.
            while end < grid.rows.len() && rows.last().is_some_and(|row| row.filled().count() == 1) {
                rows = &rows[..rows.len() - 1];
            }
            if rows.is_empty() {
                let finding =
                    Finding::warning("no-rows", "").at(Some(grid.place(Some(grid.rows[header.at].number), None)));
                reading
                    .findings
                    .push(finding.says("has headers and no rows under them", "check that the export is complete"));
            }
            rows::read(reading, grid, &header, rows);
        }
    }
}

fn no_headers(source: &Source, grids: &[Grid]) -> Finding {
    let place = Place { file: Some(source.name.clone()), ..Place::default() };
    let finding = Finding::error("no-headers", "").at(Some(place));
    let first = grids
        .iter()
        .find_map(|grid| grid.rows.iter().max_by_key(|row| (row.filled().count(), std::cmp::Reverse(row.number))));
    let Some(first) = first else {
        return finding.says("the file holds no rows", "check that the export has finished");
    };
    let cells: Vec<String> = first.filled().take(8).map(|(_, cell)| quoted(&clip(&cell.text()))).collect();
    let wrong = format!(
        "no row is the headers of a table of boards or stations; row {} holds {}",
        first.number,
        cells.join(", ")
    );
    let remedy = "boards want headers such as Naam, Limiet (A), Aansluitpunt (Name, Limit (A), Connection point), stations \
                  such as Station ID, Faserotatie, Limiet (A), Aansluitpunt";
    finding.says(wrong, remedy)
}
