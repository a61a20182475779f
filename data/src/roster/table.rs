//! A roster's cells as text, from CSV or from the first sheet of an XLSX file.

use std::io::Cursor;

use calamine::{Data, Reader, Xlsx};
use chrono::{NaiveDate, TimeDelta};

use crate::refusal::{Fault, Refusal};
use crate::text::{self, MAX_BYTES, Row, Table};

/// Most cells of a sheet that hold something: hundreds of times those of a depot's roster.
const MAX_CELLS: usize = 500_000;

/// Most columns of a sheet; a roster has 18.
const MAX_COLUMNS: usize = 200;

/// Reads the table of a file.
pub(super) fn read(bytes: &[u8]) -> Result<Table, Refusal> {
    if bytes.starts_with(b"PK") { sheet(bytes) } else { text::csv(bytes) }
}

fn sheet(bytes: &[u8]) -> Result<Table, Refusal> {
    let unreadable = |why: String| {
        Refusal::from(Fault::of_table("the workbook", "", why, "save it again as XLSX, or export it as CSV"))
    };
    if bytes.len() as u64 > MAX_BYTES {
        return Err(unreadable(format!("is larger than {} MiB", MAX_BYTES >> 20)));
    }
    let cannot = |fault: calamine::XlsxError| unreadable(format!("cannot be read: {fault}"));
    let mut book = Xlsx::new(Cursor::new(bytes)).map_err(cannot)?;
    let Some(name) = book.sheet_names().first().cloned() else {
        return Err(unreadable("has no sheet".to_owned()));
    };
    // Cell by cell: a range as a whole would take room for all that a far-off cell spans.
    let mut reader = book.worksheet_cells_reader(&name).map_err(cannot)?;
    let mut rows: Vec<Row> = Vec::new();
    let mut count = 0;
    while let Some(cell) = reader.next_cell().map_err(cannot)? {
        let (row, column) = cell.get_position();
        let (line, column) = (u64::from(row) + 1, column as usize);
        let text = shown(&Data::from(cell.get_value().clone())).trim().to_owned();
        if text.is_empty() {
            continue;
        }
        count += 1;
        if column >= MAX_COLUMNS || count > MAX_CELLS {
            let wrong = format!("has something beyond {MAX_COLUMNS} columns or {MAX_CELLS} cells");
            return Err(unreadable(wrong));
        }
        if rows.last().is_none_or(|last| last.line != line) {
            rows.push(Row { line, cells: Vec::new() });
        }
        if let Some(last) = rows.last_mut() {
            last.cells.resize(last.cells.len().max(column + 1), String::new());
            last.cells[column] = text;
        }
    }
    text::table(rows, true)
}

/// A cell as a person would have typed it into a CSV file.
fn shown(cell: &Data) -> String {
    match cell {
        Data::DateTime(moment) if (0.0..=1.0).contains(&moment.as_f64()) => {
            let minutes = (moment.as_f64() * 1440.0).round();
            format!("{:02}:{:02}", (minutes / 60.0).floor(), minutes % 60.0)
        }
        Data::DateTime(moment) => {
            let (year, month, day, hour, minute, second, milli) = moment.to_ymd_hms_milli();
            let date = NaiveDate::from_ymd_opt(year.into(), month.into(), day.into());
            let at =
                date.and_then(|date| date.and_hms_milli_opt(hour.into(), minute.into(), second.into(), milli.into()));
            // Excel keeps fractions of a day: half a second more takes their error away.
            at.map_or_else(String::new, |at| {
                (at + TimeDelta::milliseconds(500)).format("%Y-%m-%d %H:%M:%S").to_string()
            })
        }
        Data::DateTimeIso(text) | Data::DurationIso(text) | Data::String(text) => text.clone(),
        Data::Float(value) => value.to_string(),
        Data::Int(value) => value.to_string(),
        Data::Bool(value) => value.to_string(),
        Data::Error(fault) => format!("{fault}"),
        Data::Empty => String::new(),
    }
}
