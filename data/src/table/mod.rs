//! Long tables from the outside, as columns: CSV, CSV packed with gzip, Parquet.
//!
//! Histories have a million rows, so their cells stay where polars read them until somebody asks for one. What a cell means
//! is decided here once for both formats: [`Table::number`], [`Table::stamp`], [`Table::text`].

mod csv;
mod parquet;

use std::borrow::Cow;

use chrono::DateTime;
use polars::prelude::{Float64Chunked, Int64Chunked, StringChunked};

use crate::local::{self, Stamp};
use crate::refusal::{Fault, Refusal, number as shown};
use crate::text::{self, NoNumber, choices, place, words};

/// Most bytes of a table, unpacked. Five years of minutes are half of it.
pub(crate) const MAX_BYTES: u64 = 256 << 20;

/// Most rows of a table: three months of seconds, or fifteen years of minutes.
pub(crate) const MAX_ROWS: usize = 8_000_000;

/// A table as columns, all of the same length.
#[derive(Debug)]
pub(crate) struct Table {
    header: Vec<String>,
    columns: Vec<Column>,
    rows: usize,
    /// Whether a comma inside a cell is a decimal comma, because commas do not part the cells.
    decimal_comma: bool,
    lines: csv::Lines,
}

/// A column.
#[derive(Debug)]
enum Column {
    /// As text: all of CSV.
    Text(StringChunked),
    /// As numbers.
    Number(Float64Chunked),
    /// Seconds since 1970, of an instant or of what a wall clock shows.
    Time { seconds: Int64Chunked, absolute: bool },
    /// Of a type that is none of these.
    Other(String),
}

/// Reads a table, at most [`MAX_BYTES`] unpacked and [`MAX_ROWS`] rows.
///
/// # Errors
///
/// [`Refusal`] of the whole, or of the first row that has more cells than the header.
pub(crate) fn read(bytes: &[u8]) -> Result<Table, Refusal> {
    if bytes.starts_with(parquet::MARK) { parquet::read(bytes) } else { csv::read(bytes) }
}

impl Table {
    /// The names of the columns, trimmed.
    pub(crate) fn header(&self) -> &[String] {
        &self.header
    }

    /// How many rows there are, blank ones included.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// The column of this name; case, blanks and signs do not count, but an exact match goes first.
    pub(crate) fn column(&self, name: &str) -> Result<usize, Refusal> {
        let wanted = words(name);
        let exact = self.header.iter().position(|header| header == name.trim());
        exact.or_else(|| self.header.iter().position(|header| words(header) == wanted)).ok_or_else(|| {
            let wrong = format!("is no column; the columns are {}", choices(&self.header));
            Fault::of_table("the header", name, wrong, "name one of them").into()
        })
    }

    /// The text of a cell, trimmed; empty where nothing stands there.
    pub(crate) fn text(&self, column: usize, row: usize) -> Cow<'_, str> {
        match &self.columns[column] {
            Column::Text(cells) => Cow::Borrowed(cells.get(row).unwrap_or_default().trim()),
            Column::Number(cells) => match cells.get(row) {
                Some(value) if !value.is_nan() => Cow::Owned(shown(value)),
                _ => Cow::Borrowed(""),
            },
            Column::Time { absolute, .. } => match self.time(column, row) {
                Some(at) if *absolute => Cow::Owned(at.to_rfc3339()),
                Some(at) => Cow::Owned(at.format("%Y-%m-%d %H:%M:%S").to_string()),
                None => Cow::Borrowed(""),
            },
            Column::Other(kind) => Cow::Owned(format!("({kind})")),
        }
    }

    /// A cell as a number; `None` where nothing stands there, or a word for nothing.
    pub(crate) fn number(&self, column: usize, row: usize) -> Result<Option<f64>, NoNumber> {
        match &self.columns[column] {
            Column::Text(cells) => {
                let cell = cells.get(row).unwrap_or_default().trim();
                if is_nothing(cell) { Ok(None) } else { text::number(cell, self.decimal_comma).map(Some) }
            }
            Column::Number(cells) => match cells.get(row) {
                Some(value) if value.is_infinite() => Err(NoNumber {
                    wrong: "is no finite number",
                    remedy: "leave the cell empty where nothing is known",
                }),
                value => Ok(value.filter(|value| !value.is_nan())),
            },
            Column::Time { .. } | Column::Other(_) => {
                Err(NoNumber { wrong: "is no number", remedy: "name a column of numbers" })
            }
        }
    }

    /// A cell as a date with a time of day; `None` where it is none. Numbers are seconds, ms, µs or ns since 1970,
    /// whichever of them makes a year from 1990 to 2099.
    pub(crate) fn stamp(&self, column: usize, row: usize) -> Option<Stamp> {
        match &self.columns[column] {
            Column::Text(cells) => {
                let cell = cells.get(row)?.trim();
                local::stamp(cell).or_else(|| since_1970(cell.parse().ok()?))
            }
            Column::Number(cells) => since_1970(cells.get(row)?),
            Column::Time { absolute, .. } => {
                let at = self.time(column, row)?;
                Some(if *absolute { Stamp::Absolute(at) } else { Stamp::Local(at.naive_utc()) })
            }
            Column::Other(_) => None,
        }
    }

    /// Whether nothing stands in a cell, or a word for nothing.
    pub(crate) fn is_empty(&self, column: usize, row: usize) -> bool {
        match &self.columns[column] {
            Column::Text(cells) => is_nothing(cells.get(row).unwrap_or_default().trim()),
            Column::Number(cells) => cells.get(row).is_none_or(f64::is_nan),
            Column::Time { seconds, .. } => seconds.get(row).is_none(),
            Column::Other(_) => false,
        }
    }

    /// Whether all cells of a row are empty.
    pub(crate) fn is_blank(&self, row: usize) -> bool {
        (0..self.columns.len()).all(|column| self.is_empty(column, row))
    }

    /// A row and a column as a fault names them: the line of a text as an editor counts it, the row of a Parquet file from 1.
    pub(crate) fn place(&self, row: usize, column: usize) -> String {
        place(self.lines.of(row), &self.header[column])
    }

    /// The number of a row as a fault names it.
    pub(crate) fn line(&self, row: usize) -> u64 {
        self.lines.of(row)
    }

    /// The fault of a cell.
    pub(crate) fn fault(
        &self,
        row: usize,
        column: usize,
        wrong: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Fault {
        Fault::of_table(self.place(row, column), &self.text(column, row), wrong, remedy)
    }

    fn time(&self, column: usize, row: usize) -> Option<DateTime<chrono::Utc>> {
        match &self.columns[column] {
            Column::Time { seconds, .. } => {
                DateTime::from_timestamp(seconds.get(row)?, 0).filter(|at| local::in_range(at.date_naive()))
            }
            _ => None,
        }
    }
}

/// Whether a cell says that nothing is known.
fn is_nothing(cell: &str) -> bool {
    const WORDS: [&str; 7] = ["na", "n/a", "nan", "null", "none", "-", "--"];
    cell.is_empty() || (cell.len() <= 4 && WORDS.iter().any(|word| cell.eq_ignore_ascii_case(word)))
}

/// The instant so many units after 1970, if one unit alone makes it a year that a meter may have seen.
fn since_1970(count: f64) -> Option<Stamp> {
    /// The years 1990 to 2099 in seconds since 1970.
    const BELIEVED_S: std::ops::Range<f64> = 631_152_000.0..4_102_444_800.0;
    let seconds = [1.0, 1e-3, 1e-6, 1e-9].map(|unit| count * unit).into_iter().find(|s| BELIEVED_S.contains(s))?;
    #[expect(clippy::cast_possible_truncation, reason = "below 2^33")]
    DateTime::from_timestamp(seconds.floor() as i64, 0).map(Stamp::Absolute)
}

#[cfg(test)]
mod tests {

    use super::*;
    use proptest::prelude::*;

    fn cells(table: &Table) -> Vec<Vec<String>> {
        let row = |row| (0..table.header.len()).map(|column| table.text(column, row).into_owned()).collect();
        (0..table.rows()).filter(|&row| !table.is_blank(row)).map(row).collect()
    }

    #[test]
    fn tables_of_any_delimiter_and_encoding() {
        for bytes in
            ["a;b\n1,5;ü\n".as_bytes(), b"a;b\r\n1,5;\xfc\r\n", b"\xff\xfea\0;\0b\0\n\x001\0,\x005\0;\0\xfc\0\n\0"]
        {
            let table = read(bytes).unwrap();
            assert_eq!(table.header(), ["a", "b"]);
            assert_eq!(table.number(0, 0), Ok(Some(1.5)));
            assert_eq!((table.text(1, 0).as_ref(), table.line(0)), ("ü", 2));
        }
    }

    #[test]
    fn blank_lines_quotes_and_short_rows() {
        let table = read(b"\n a ,\"b, c\"\n\n1,\"x\ny\"\n,\n 2 \n\"\"\"q\"\"\",3").unwrap();
        assert_eq!(table.header(), ["a", "b, c"]);
        assert_eq!(cells(&table), [["1", "x\ny"], ["2", ""], ["\"q\"", "3"]]);
        let lines: Vec<u64> =
            (0..table.rows()).filter(|&row| !table.is_blank(row)).map(|row| table.line(row)).collect();
        assert_eq!(lines, [4, 7, 8]);
    }

    #[test]
    fn a_row_with_more_cells_than_the_header_is_named() {
        let refusal = read(b"a,b\n1,2\n3,4,5\n").unwrap_err().to_string();
        assert!(refusal.starts_with("row 3: has 3 cells"), "{refusal}");
        assert_eq!(cells(&read(b"a;b\n1;2;\n3;4;\n").unwrap()), [["1", "2"], ["3", "4"]]);
    }

    #[test]
    fn seconds_since_1970() {
        let at = DateTime::from_timestamp(1_700_000_000, 0).map(Stamp::Absolute);
        for count in ["1700000000", "1700000000.7", "1700000000000", "1700000000000000"] {
            assert_eq!(read(format!("t\n{count}\n").as_bytes()).unwrap().stamp(0, 0), at, "{count}");
        }
        assert_eq!(read(b"t\n17\n").unwrap().stamp(0, 0), None);
    }

    #[test]
    fn words_for_nothing_are_gaps() {
        let table = read(b"a\nNaN\nn/a\n-\nNULL\ninf\nwarm\n").unwrap();
        let numbers: Vec<_> = (0..6).map(|row| table.number(0, row).map_err(|no| no.wrong)).collect();
        let none = Ok(None);
        assert_eq!(numbers, [none, none, none, none, Err("is no finite number"), Err("is no number")]);
    }

    proptest! {
        /// What polars reads is what the plain CSV reader reads, quotes, blank lines and all, and on the same lines.
        #[test]
        fn rows_are_those_of_the_csv_reader(
            rows in prop::collection::vec(prop::collection::vec("[a-z \",;\n]{0,5}", 3), 0..40),
            ends in prop::sample::select(vec!["\n", "\r\n"]),
            blank in 0_usize..3,
        ) {
            let mut text = format!("x,y,z{ends}");
            for row in &rows {
                let quoted: Vec<String> =
                    row.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
                text += &quoted.join(",");
                text += &ends.repeat(1 + blank);
            }
            let plain = text::csv(text.as_bytes()).unwrap();
            let table = read(text.as_bytes()).unwrap();
            let kept: Vec<usize> = (0..table.rows()).filter(|&row| !(0..3).all(|column| table.text(column, row).is_empty())).collect();
            prop_assert_eq!(kept.len(), plain.rows.len());
            for (row, expected) in kept.into_iter().zip(&plain.rows) {
                prop_assert_eq!(table.line(row), expected.line);
                for column in 0..3 {
                    prop_assert_eq!(table.text(column, row).into_owned(), expected.cell(column));
                }
            }
        }

        /// Nothing that comes in makes it panic.
        #[test]
        fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200), mark in prop::sample::select(vec!["", "PAR1", "a,b\n"])) {
            let _ = read(&[mark.as_bytes(), &bytes].concat());
        }
    }
}
