//! A roster's cells as text, from CSV or from the first sheet of an XLSX file.

use std::io::Cursor;

use calamine::{Data, Reader, Xlsx};
use chrono::{NaiveDate, TimeDelta};

use crate::refusal::{Fault, Refusal};
use crate::text::{self, MAX_BYTES, Row, Table};

/// Most cells of a sheet: a thousand times those of a depot's roster. A sheet that claims more is a mistake or an attack.
const MAX_CELLS: usize = 2_000_000;

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
    let range = book.worksheet_range(&name).map_err(cannot)?;
    if range.get_size().0 * range.get_size().1 > MAX_CELLS {
        return Err(unreadable(format!("has more than {MAX_CELLS} cells")));
    }
    let first = u64::from(range.start().map_or(0, |(row, _)| row)) + 1;
    let rows = range.rows().enumerate().map(|(k, cells)| Row {
        line: first + k as u64,
        cells: cells.iter().map(|cell| shown(cell).trim().to_owned()).collect(),
    });
    text::table(rows.filter(|row| row.cells.iter().any(|cell| !cell.is_empty())).collect(), true)
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
