//! CSV and its relatives: semicolons, commas or tabs, whichever makes the most of the headers.

use super::grid::{Cell, Grid, Row};
use super::headers;
use super::{MAX_COLUMNS, MAX_ROWS};
use crate::finding::Finding;
use crate::text::Lines;

const DELIMITERS: [u8; 4] = [b';', b',', b'\t', b'|'];

/// The grid of a text.
///
/// # Errors
///
/// That there are too many rows or columns, or a quotation mark that never closes.
pub(super) fn grid(file: &str, text: &str) -> Result<Grid, Box<Finding>> {
    let empty = Grid { file: file.to_owned(), sheet: None, rows: Vec::new() };
    if let Some(line) = open_quote(text) {
        let remedy = "close it, or remove the mark";
        let finding = Finding::error("open-quote", "").at(Some(empty.place(Some(line), None)));
        return Err(Box::new(
            finding.says("a quotation mark opens and never closes, so the rows after it run together", remedy),
        ));
    }
    let hint = text.lines().next().and_then(|line| line.strip_prefix("sep=")).and_then(|hint| hint.bytes().next());
    let delimiters = hint.map_or(DELIMITERS.to_vec(), |hint| vec![hint]);
    // The delimiter under which most columns have a name, of those the one that makes most cells.
    let head: String = text.lines().take(HEAD_LINES).flat_map(|line| [line, "\n"]).collect();
    let worth = |delimiter: &u8| {
        let rows = rows(&head, *delimiter, usize::MAX).unwrap_or_default();
        let known = headers::find(&rows).first().map_or(0, headers::Header::known);
        (known, rows.iter().map(|row| row.cells.len()).sum::<usize>())
    };
    let best = delimiters.into_iter().max_by_key(|delimiter| worth(delimiter)).unwrap_or(b';');
    let rows = rows(text, best, MAX_ROWS).map_err(|(row, wrong)| {
        let finding = Finding::error("too-large", "").at(Some(empty.place(Some(row), None)));
        Box::new(finding.says(wrong, "keep nothing but the tables"))
    })?;
    Ok(Grid { rows, ..empty })
}

/// How many lines are read to find the delimiter.
const HEAD_LINES: usize = 60;

/// The line on which a quotation mark opens that never closes.
fn open_quote(text: &str) -> Option<usize> {
    if text.bytes().filter(|byte| *byte == b'"').count() % 2 == 0 {
        return None;
    }
    text.lines().position(|line| line.bytes().filter(|byte| *byte == b'"').count() % 2 == 1).map(|line| line + 1)
}

fn rows(text: &str, delimiter: u8, most: usize) -> Result<Vec<Row>, (usize, String)> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(text.as_bytes());
    let mut rows = Vec::new();
    let mut record = csv::StringRecord::new();
    let mut lines = Lines::of_text(text);
    // The text is UTF-8 and rows may differ in length: there is no other error.
    while reader.read_record(&mut record).unwrap_or(false) {
        let number = usize::try_from(lines.of(&record)).unwrap_or(usize::MAX);
        let cells: Vec<Cell> = record.iter().take(MAX_COLUMNS + 1).map(Cell::of).collect();
        if cells.len() > MAX_COLUMNS {
            return Err((number, format!("has more than {MAX_COLUMNS} columns")));
        }
        if cells.iter().all(Cell::is_empty) {
            continue;
        }
        if rows.len() == most {
            return Err((number, format!("the table has more than {MAX_ROWS} rows, which no site has")));
        }
        rows.push(Row { number, cells });
    }
    Ok(rows)
}
