//! CSV to columns of text.

use std::cell::OnceCell;
use std::io::Cursor;

use polars::prelude::{
    CsvParseOptions, CsvReadOptions, DataType, Field, PolarsError, Schema, SerReader, StringChunked,
};

use super::{Column, MAX_BYTES, MAX_ROWS, Table};
use crate::refusal::{Fault, Refusal};
use crate::text;

/// Which line each row of a text begins on. Only faults ask, so it is counted when the first one does.
#[derive(Debug)]
pub(super) struct Lines {
    /// The text below the header; empty where rows are counted from 1.
    body: String,
    /// Line of the first row.
    first: u64,
    counted: OnceCell<Vec<u64>>,
}

impl Lines {
    /// Rows that stand on no lines.
    pub(super) fn of_rows() -> Self {
        Lines { body: String::new(), first: 1, counted: OnceCell::new() }
    }

    /// The line of a row.
    pub(super) fn of(&self, row: usize) -> u64 {
        // Without quotes no cell holds the end of a line.
        if !self.body.contains('"') {
            return self.first + row as u64;
        }
        let counted = self.counted.get_or_init(|| {
            let mut line = self.first;
            let lines = rows(&self.body).map(|row| {
                let begin = line;
                line += row.matches('\n').count() as u64;
                begin
            });
            lines.collect()
        });
        counted.get(row).copied().unwrap_or(self.first)
    }
}

/// The rows of a text, blank ones included, each with the end of its line: what lies between ends of lines outside
/// quotes.
fn rows(text: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split_inclusive(move |c| {
        quoted ^= c == '"';
        c == '\n' && !quoted
    })
}

/// Reads a CSV file, packed with gzip or not. Commas, semicolons or tabs part its cells, whichever the header has most.
pub(super) fn read(bytes: &[u8]) -> Result<Table, Refusal> {
    let mut body = text::of_bytes(bytes, MAX_BYTES)?;
    let delimiter = text::delimiter(&body);
    let blank = |row: &&str| row.trim().is_empty();
    let (above, below) = rows(&body).position(|row| !blank(&row)).map_or((0, 0), |before| {
        let above: usize = rows(&body).take(before).map(str::len).sum();
        (above, rows(&body).nth(before).map_or(0, str::len))
    });
    let head = &body[above..above + below];
    let Some(header) = records(head, delimiter).next() else {
        let remedy = "give a table with a header and one row for each entry";
        return Err(Fault::of_table("the table", "", "is empty", remedy).into());
    };
    let header: Vec<String> = header.iter().map(str::to_owned).collect();
    let first = 1 + body[..above + below].matches('\n').count() as u64;
    body.drain(..above + below);
    let columns = columns(&body, delimiter, header.len(), false).or_else(|fault| {
        // The one thing that polars does not forgive. Cells beyond the header may be there if they are empty.
        too_wide(&body, delimiter, header.len(), first)?;
        columns(&body, delimiter, header.len(), true).map_err(|_| unreadable(&fault))
    })?;
    let rows = columns.first().map_or(0, StringChunked::len);
    if rows > MAX_ROWS {
        let wrong = format!("has {rows} rows, over {MAX_ROWS}");
        return Err(Fault::of_table("the table", "", wrong, "cut out the days that are needed").into());
    }
    Ok(Table {
        header,
        columns: columns.into_iter().map(Column::Text).collect(),
        rows,
        decimal_comma: delimiter != b',',
        lines: Lines { body, first, counted: OnceCell::new() },
    })
}

/// The cells as polars reads them, blank lines as rows of nothing.
fn columns(body: &str, delimiter: u8, width: usize, cut: bool) -> Result<Vec<StringChunked>, PolarsError> {
    if body.is_empty() {
        return Ok(vec![StringChunked::default(); width]);
    }
    let schema: Schema = (0..width).map(|k| Field::new(k.to_string().into(), DataType::String)).collect();
    let options = CsvParseOptions::default().with_separator(delimiter).with_truncate_ragged_lines(cut);
    let frame = CsvReadOptions::default()
        .with_has_header(false)
        .with_schema(Some(schema.into()))
        .with_rechunk(true)
        .with_raise_if_empty(false)
        .with_parse_options(options)
        .into_reader_with_file_handle(Cursor::new(body.as_bytes()))
        .finish()?;
    frame.columns().iter().map(|column| Ok(column.str()?.rechunk().into_owned())).collect()
}

fn unreadable(fault: &PolarsError) -> Refusal {
    Fault::of_table("the table", "", format!("cannot be read: {fault}"), "export it again as CSV").into()
}

/// Refuses the first row with something in a cell beyond the header.
fn too_wide(body: &str, delimiter: u8, width: usize, first: u64) -> Result<(), Refusal> {
    let mut lines = text::Lines::of_text(body);
    for record in records(body, delimiter) {
        let line = lines.of(&record);
        if record.iter().skip(width).any(|cell| !cell.is_empty()) {
            let wrong = format!("has {} cells, and the header has {width}", record.len());
            let remedy = if delimiter == b',' {
                "write decimal points, or part the cells with semicolons; give every column a name"
            } else {
                "give every column a name"
            };
            return Err(Fault::of_table(format!("row {}", first - 1 + line), "", wrong, remedy).into());
        }
    }
    Ok(())
}

/// The records of a text that are not blank, their cells trimmed.
fn records(body: &str, delimiter: u8) -> impl Iterator<Item = csv::StringRecord> {
    let reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(body.as_bytes());
    reader.into_records().map_while(Result::ok)
}
