//! Workbooks: XLSX cell by cell, so that a sheet that claims to be enormous costs nothing; ODS after a look at how often its
//! rows and columns repeat.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{Data, DataRef, ExcelDateTime, Ods, Reader, Xlsx};
use chrono::{NaiveDate, TimeDelta};

use super::grid::{Cell, Grid, Row};
use super::unzip::{self, Trouble};
use super::{MAX_COLUMNS, MAX_ROWS, MAX_SHEETS, MAX_UNPACKED_BYTES};
use crate::finding::{Finding, Place};
use crate::refusal::clip;

/// The sheets of a workbook.
///
/// # Errors
///
/// Why it cannot be read.
pub(crate) fn grids(file: &str, bytes: &[u8]) -> Result<Vec<Grid>, Box<Finding>> {
    let refuse = |code: &'static str, wrong: String, remedy: &str| {
        let place = Place { file: Some(file.to_owned()), ..Place::default() };
        Box::new(Finding::error(code, "").at(Some(place)).says(wrong, remedy))
    };
    let damaged = |why: &str| {
        let why = if why.is_empty() { String::new() } else { format!(" ({})", clip(why)) };
        refuse(
            "unreadable-file",
            format!("the workbook is damaged or locked{why}"),
            "open it and save it again as .xlsx",
        )
    };
    let names = unzip::entries(bytes, MAX_UNPACKED_BYTES).map_err(|trouble| match trouble {
        Trouble::TooLarge => {
            let wrong = format!("the workbook holds more than {} MiB when unpacked", MAX_UNPACKED_BYTES >> 20);
            refuse("too-large", wrong, "keep nothing but the tables")
        }
        Trouble::Damaged => damaged(""),
    })?;
    let has = |name: &str| names.iter().any(|entry| entry == name);
    let read = if has("xl/workbook.bin") {
        return Err(refuse("unreadable-file", "the workbook is binary (.xlsb)".to_owned(), "save it as .xlsx"));
    } else if names.iter().any(|name| name.starts_with("xl/")) {
        contained(|| xlsx(file, bytes))
    } else if has("content.xml") {
        contained(|| ods(file, bytes))
    } else {
        return Err(refuse(
            "unreadable-file",
            "the file is a ZIP archive, not a workbook".to_owned(),
            "unpack it first",
        ));
    };
    read.map_err(|trouble| match trouble {
        Unread::Damaged(why) => damaged(&why),
        Unread::TooLarge(wrong) => refuse("too-large", wrong, "keep nothing but the tables"),
    })
}

enum Unread {
    Damaged(String),
    TooLarge(String),
}

fn damaged(error: impl std::fmt::Display) -> Unread {
    Unread::Damaged(error.to_string())
}

/// What a reader of workbooks makes of a file; one that panics over a file made to that end has not read it.
fn contained<T>(read: impl FnOnce() -> Result<T, Unread>) -> Result<T, Unread> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err(Unread::Damaged(String::new())))
}

fn too_many_sheets(count: usize) -> Result<(), Unread> {
    if count <= MAX_SHEETS {
        return Ok(());
    }
    Err(Unread::TooLarge(format!("the workbook has {count} sheets, more than {MAX_SHEETS}")))
}

fn grid(file: &str, sheet: &str, several: bool, rows: BTreeMap<u32, Vec<Cell>>) -> Grid {
    let rows = rows.into_iter().map(|(row, cells)| Row { number: row as usize + 1, cells });
    let rows = rows.filter(|row| row.filled().next().is_some()).collect();
    Grid { file: file.to_owned(), sheet: several.then(|| sheet.to_owned()), rows }
}

fn xlsx(file: &str, bytes: &[u8]) -> Result<Vec<Grid>, Unread> {
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(damaged)?;
    let sheets = workbook.sheet_names();
    too_many_sheets(sheets.len())?;
    let mut grids = Vec::new();
    for sheet in &sheets {
        // Charts are sheets without cells.
        let Ok(mut reader) = workbook.worksheet_cells_reader(sheet) else { continue };
        let mut rows: BTreeMap<u32, Vec<Cell>> = BTreeMap::new();
        while let Some(found) = reader.next_cell().map_err(damaged)? {
            let (row, column) = found.get_position();
            let cell = cell(found.get_value());
            if cell.is_empty() {
                continue;
            }
            put(&mut rows, row, column, cell, sheet)?;
        }
        grids.push(grid(file, sheet, sheets.len() > 1, rows));
    }
    Ok(grids)
}

fn put(rows: &mut BTreeMap<u32, Vec<Cell>>, row: u32, column: u32, cell: Cell, sheet: &str) -> Result<(), Unread> {
    let column = column as usize;
    if column >= MAX_COLUMNS {
        return Err(Unread::TooLarge(format!("sheet {sheet:?} has something beyond column {MAX_COLUMNS}")));
    }
    if rows.len() >= MAX_ROWS && !rows.contains_key(&row) {
        return Err(Unread::TooLarge(format!("sheet {sheet:?} has more than {MAX_ROWS} rows, which no site has")));
    }
    let cells = rows.entry(row).or_default();
    if cells.len() <= column {
        cells.resize(column + 1, Cell::Empty);
    }
    cells[column] = cell;
    Ok(())
}

fn cell(value: &DataRef<'_>) -> Cell {
    match value {
        DataRef::Int(value) => Cell::Number(*value as f64),
        DataRef::Float(value) => Cell::Number(*value),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => Cell::of(text),
        DataRef::SharedString(text) => Cell::of(text),
        DataRef::Bool(flag) => Cell::of(if *flag { "TRUE" } else { "FALSE" }),
        DataRef::DateTime(moment) => Cell::Moment(moment_as_written(moment)),
        DataRef::Error(error) => Cell::of(&error.to_string()),
        DataRef::Empty => Cell::Empty,
    }
}

/// A date, or a time of day, as a person would have typed it into a CSV file.
fn moment_as_written(moment: &ExcelDateTime) -> String {
    if (0.0..=1.0).contains(&moment.as_f64()) {
        let minutes = (moment.as_f64() * 1440.0).round();
        return format!("{:02}:{:02}", (minutes / 60.0).floor(), minutes % 60.0);
    }
    let (year, month, day, hour, minute, second, milli) = moment.to_ymd_hms_milli();
    let date = NaiveDate::from_ymd_opt(year.into(), month.into(), day.into());
    let at = date.and_then(|date| date.and_hms_milli_opt(hour.into(), minute.into(), second.into(), milli.into()));
    // Excel keeps fractions of a day: half a second more takes their error away.
    at.map_or_else(String::new, |at| (at + TimeDelta::milliseconds(500)).format("%Y-%m-%d %H:%M:%S").to_string())
}

fn ods(file: &str, bytes: &[u8]) -> Result<Vec<Grid>, Unread> {
    let content = ods_content(bytes)?;
    let cells = cells_of_ods(&content);
    if cells > MAX_ROWS * MAX_COLUMNS {
        let wrong = format!("a sheet spreads over {cells} cells, more than {MAX_ROWS} rows of {MAX_COLUMNS} columns");
        return Err(Unread::TooLarge(wrong));
    }
    let mut workbook: Ods<_> = Ods::new(Cursor::new(bytes)).map_err(damaged)?;
    let sheets = workbook.sheet_names();
    too_many_sheets(sheets.len())?;
    let mut grids = Vec::new();
    for sheet in &sheets {
        let range = workbook.worksheet_range(sheet).map_err(damaged)?;
        let mut rows = BTreeMap::new();
        let (top, left) = range.start().unwrap_or((0, 0));
        for (row, column, value) in range.used_cells() {
            let cell = match value {
                Data::Int(value) => Cell::Number(*value as f64),
                Data::Float(value) => Cell::Number(*value),
                Data::DateTime(moment) => Cell::Moment(moment_as_written(moment)),
                other => Cell::of(&other.to_string()),
            };
            let (row, column) = (u32::try_from(row).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX));
            if !cell.is_empty() {
                put(&mut rows, top.saturating_add(row), left.saturating_add(column), cell, sheet)?;
            }
        }
        grids.push(grid(file, sheet, sheets.len() > 1, rows));
    }
    Ok(grids)
}

/// The text of an ODS file's sheets. Its size has been looked at.
fn ods_content(bytes: &[u8]) -> Result<String, Unread> {
    let mut at = 0;
    while let Some(found) =
        bytes.get(at..).and_then(|rest| rest.windows(11).position(|window| window == b"content.xml"))
    {
        at += found + 11;
        let mut text = String::new();
        // The first mention is the local header's; the packed text begins behind its extra field.
        let extra = bytes.get(at - 13..at - 11).map_or(0, |extra| usize::from(extra[0]) | usize::from(extra[1]) << 8);
        let packed = bytes.get(at + extra..).unwrap_or_default();
        if flate2::read::DeflateDecoder::new(packed).take(MAX_UNPACKED_BYTES).read_to_string(&mut text).is_ok()
            && text.contains("table:table")
        {
            return Ok(text);
        }
    }
    Err(damaged("its content cannot be read"))
}

/// How many cells the largest sheet of an ODS file spreads over, repeats included, empty rows and columns at the end not.
fn cells_of_ods(content: &str) -> usize {
    let repeats = |tag: &str, name: &str| {
        let from = tag.find(name).map(|at| at + name.len() + 2);
        let digits = from.and_then(|from| tag.get(from..)).and_then(|rest| rest.split(['"', '\'']).next());
        digits.and_then(|digits| digits.parse::<usize>().ok()).unwrap_or(1)
    };
    let sheet = |text: &str| {
        let (mut rows, mut rows_used, mut columns_used) = (0_usize, 0, 0);
        for row in text.split("<table:table-row").skip(1) {
            rows = rows.saturating_add(repeats(row.split('>').next().unwrap_or_default(), "number-rows-repeated"));
            let mut columns = 0_usize;
            for cell in row.split("<table:").skip(1).filter(|cell| cell.contains("table-cell")) {
                columns = columns
                    .saturating_add(repeats(cell.split('>').next().unwrap_or_default(), "number-columns-repeated"));
                if cell.contains("<text:") || cell.contains("office:value") || cell.contains("formula") {
                    columns_used = columns_used.max(columns);
                    rows_used = rows;
                }
            }
        }
        rows_used.saturating_mul(columns_used)
    };
    content.split("<table:table ").map(sheet).max().unwrap_or(0)
}
