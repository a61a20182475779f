//! Tables as text: from bytes to rows of cells, and from a cell to a number.

use std::io::Read;

use crate::refusal::{Fault, Refusal, quoted};
use crate::tables;

/// Most bytes of a table, unpacked. A year of quarter-hours for fifty boards takes half of it; a file that unpacks to
/// more is a mistake or an attack.
pub(crate) const MAX_BYTES: u64 = 64 << 20;

/// A table with its header.
#[derive(Debug)]
pub(crate) struct Table {
    /// The cells of the first row, trimmed.
    pub(crate) header: Vec<String>,
    /// All other rows that are not blank.
    pub(crate) rows: Vec<Row>,
    /// Whether a comma inside a cell is a decimal comma, because commas do not part the cells.
    pub(crate) decimal_comma: bool,
}

/// A row of a table.
#[derive(Debug)]
pub(crate) struct Row {
    /// Its number as an editor or a spreadsheet counts it, from 1.
    pub(crate) line: u64,
    /// Its cells, trimmed.
    pub(crate) cells: Vec<String>,
}

impl Row {
    /// The text of a column; empty where the row is too short.
    pub(crate) fn cell(&self, column: usize) -> &str {
        self.cells.get(column).map_or("", String::as_str)
    }
}

/// Reads a CSV file, packed with gzip or not. Commas, semicolons or tabs part its cells, whichever the header has most.
pub(crate) fn csv(bytes: &[u8]) -> Result<Table, Refusal> {
    let text = of_bytes(bytes, MAX_BYTES)?;
    let delimiter = delimiter(&text);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut rows = Vec::new();
    let mut lines = Lines::of_text(&text);
    for record in reader.records() {
        let record = record.map_err(|fault| {
            Fault::of_table("the table", "", format!("cannot be read: {fault}"), "export it again as CSV")
        })?;
        let line = lines.of(&record);
        if record.iter().any(|cell| !cell.is_empty()) {
            rows.push(Row { line, cells: record.iter().map(str::to_owned).collect() });
        }
    }
    table(rows, delimiter != b',')
}

/// The text of a file of at most `most` bytes unpacked, packed with gzip or not, with `\n` at the end of each line.
pub(crate) fn of_bytes(bytes: &[u8], most: u64) -> Result<String, Refusal> {
    let unpacked = unpack(bytes, most)?;
    decode(unpacked.as_deref().unwrap_or(bytes))
}

/// What parts the cells: a semicolon, tab or comma, whichever the first line has most.
pub(crate) fn delimiter(text: &str) -> u8 {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let count = |c: &u8| first.bytes().filter(|byte| byte == c).count();
    [b';', b'\t', b','].into_iter().max_by_key(count).filter(|c| count(c) > 0).unwrap_or(b',')
}

/// Counts the lines of a CSV text as an editor does. The reader's own count does not: a record begins for it where the one
/// before ended, blank lines included.
pub(crate) struct Lines<'t> {
    text: &'t str,
    /// The line that `byte` is on, from 1.
    line: u64,
    byte: usize,
}

impl<'t> Lines<'t> {
    /// Before the first record of a text whose lines end in `\n`.
    pub(crate) fn of_text(text: &'t str) -> Self {
        Lines { text, line: 1, byte: 0 }
    }

    /// The line on which a record begins; records come in order.
    pub(crate) fn of(&mut self, record: &csv::StringRecord) -> u64 {
        let begin = record.position().map_or(self.byte, |at| usize::try_from(at.byte()).unwrap_or(self.byte));
        let rest = self.text.get(begin..).unwrap_or_default();
        let begin = begin + rest.len() - rest.trim_start_matches('\n').len();
        let passed = self.text.get(self.byte..begin).unwrap_or_default();
        self.line += passed.bytes().filter(|byte| *byte == b'\n').count() as u64;
        self.byte = begin;
        self.line
    }
}

/// Takes the first row as the header.
pub(crate) fn table(mut rows: Vec<Row>, decimal_comma: bool) -> Result<Table, Refusal> {
    if rows.is_empty() {
        let remedy = "give a table with a header and one row for each entry";
        return Err(Fault::of_table("the table", "", "is empty", remedy).into());
    }
    let header = rows.remove(0).cells;
    Ok(Table { header, rows, decimal_comma })
}

/// The content of a gzip file; `None` for what is none.
fn unpack(bytes: &[u8], most: u64) -> Result<Option<Vec<u8>>, Refusal> {
    let too_large = || {
        let remedy = "cut out the days that are needed";
        Refusal::from(Fault::of_table("the table", "", format!("is larger than {} MiB", most >> 20), remedy))
    };
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return if bytes.len() as u64 > most { Err(too_large()) } else { Ok(None) };
    }
    let mut unpacked = Vec::new();
    let read = flate2::read::MultiGzDecoder::new(bytes).take(most + 1).read_to_end(&mut unpacked);
    if let Err(fault) = read {
        let wrong = format!("cannot be unpacked: {fault}");
        return Err(Fault::of_table("the table", "", wrong, "fetch or pack it again").into());
    }
    if unpacked.len() as u64 > most { Err(too_large()) } else { Ok(Some(unpacked)) }
}

/// The text of a file, with `\n` at the end of each line.
fn decode(bytes: &[u8]) -> Result<String, Refusal> {
    let no_text = |what: &str| {
        let remedy = "export it as CSV in UTF-8";
        Refusal::from(Fault::of_table("the table", "", format!("is no text but {what}"), remedy))
    };
    if bytes.starts_with(b"PK") {
        return Err(no_text("a ZIP or XLSX file"));
    }
    if bytes.starts_with(b"PAR1") {
        return Err(no_text("a Parquet file"));
    }
    tables::text::decode(bytes).map_err(|(wrong, remedy)| Fault::of_table("the table", "", wrong, remedy).into())
}

/// Why a cell is no number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoNumber {
    pub(crate) wrong: &'static str,
    pub(crate) remedy: &'static str,
}

/// Reads a number. A comma is a decimal comma where `decimal_comma` says so and refused elsewhere; so are signs between
/// thousands.
pub(crate) fn number(text: &str, decimal_comma: bool) -> Result<f64, NoNumber> {
    let no = |wrong, remedy| Err(NoNumber { wrong, remedy });
    let text = text.trim().replace('\u{2212}', "-");
    let plain = match (text.contains(','), text.contains('.')) {
        (true, true) => return no("has a comma and a point", "leave out the sign between thousands"),
        (false, true) if decimal_comma && groups_of_three(&text) => {
            return no("may have a decimal point or a sign between thousands", "write a decimal comma, or no sign");
        }
        (true, false) if !decimal_comma => {
            return no("has a comma in a file of commas", "write a decimal point, or part the columns with semicolons");
        }
        (true, false) if text.matches(',').count() > 1 => {
            return no("has two commas", "leave out the sign between thousands");
        }
        _ => text.replace(',', "."),
    };
    match plain.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        Ok(_) => no("is no finite number", "leave the cell empty where nothing is known"),
        Err(_) => no("is no number", "write digits with a decimal point, without unit"),
    }
}

/// Whether a text of digits and points is one of thousands: one to three digits, then threes.
fn groups_of_three(text: &str) -> bool {
    let mut groups = text.trim_start_matches(['-', '+']).split('.');
    let first = groups.next().unwrap_or_default();
    (1..=3).contains(&first.len()) && first != "0" && groups.all(|group| group.len() == 3)
}

/// A header without case, blanks, brackets and signs: `Price (EUR/MWh)` is `price eur mwh`.
pub(crate) fn words(header: &str) -> Vec<String> {
    let plain = header.to_lowercase().replace('€', " eur ").replace('%', " percent ").replace('¢', " ct ");
    plain.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Names in quotes, for a choice of columns.
pub(crate) fn choices(names: &[String]) -> String {
    crate::refusal::names(names.iter().map(String::as_str))
}

impl Fault {
    /// A fault of a table: `place` is a row with its column, or the table.
    pub(crate) fn of_table(
        place: impl Into<String>,
        value: &str,
        wrong: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Fault {
            path: place.into(),
            subject: String::new(),
            value: if value.is_empty() { String::new() } else { quoted(value) },
            wrong: wrong.into(),
            remedy: remedy.into(),
        }
    }
}

/// A row and a column as a fault names them.
pub(crate) fn place(line: u64, column: &str) -> String {
    format!("row {line}, {}", quoted(column))
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(number(" 12.5 ", false), Ok(12.5));
        assert_eq!(number("12,5", true), Ok(12.5));
        assert_eq!(number("−3", true), Ok(-3.0));
        assert_eq!(
            (number("0.125", true), number("12.25", true), number("1.234", false)),
            (Ok(0.125), Ok(12.25), Ok(1.234))
        );
        for (text, comma) in [
            ("12,5", false),
            ("1.234,5", true),
            ("1.234", true),
            ("-987.500", true),
            ("1,234,567", true),
            ("NaN", true),
            ("inf", true),
        ] {
            assert!(number(text, comma).is_err(), "{text}");
        }
    }

    #[test]
    fn tables_of_any_delimiter_and_encoding() {
        for bytes in
            ["a;b\n1,5;ü\n".as_bytes(), b"a;b\r\n1,5;\xfc\r\n", b"\xff\xfea\0;\0b\0\n\x001\0,\x005\0;\0\xfc\0\n\0"]
        {
            let table = csv(bytes).unwrap();
            assert_eq!(table.header, ["a", "b"]);
            assert_eq!((table.rows[0].line, table.rows[0].cell(1), table.rows[0].cell(7)), (2, "ü", ""));
            assert!(table.decimal_comma);
        }
        assert_eq!(csv(b"a\tb\n\n1\t2\n").unwrap().rows[0].line, 3);
    }

    #[test]
    fn packed_files_and_bombs() {
        use std::io::Write;
        let packed = |bytes: &[u8]| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        };
        assert_eq!(csv(&packed(b"a,b\n1,2\n")).unwrap().rows.len(), 1);
        let bomb = packed(&vec![b'\n'; usize::try_from(MAX_BYTES).unwrap() + 10]);
        assert!(csv(&bomb).unwrap_err().to_string().contains("larger than 64 MiB"));
        let cut = packed(b"a,b\n1,2\n");
        assert!(csv(&cut[..cut.len() - 6]).unwrap_err().to_string().contains("cannot be unpacked"));
    }
}
