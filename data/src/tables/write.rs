//! A site's boards and stations as the tables that installers know.

use rust_xlsxwriter::{Format, Workbook, XlsxError};

use crate::site::{PerPhase, Site};

/// The language of the headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// Dutch.
    #[default]
    Dutch,
    /// English.
    English,
    /// German.
    German,
}

/// The words of a language.
struct Words {
    boards: &'static str,
    stations: &'static str,
    name: &'static str,
    limit: &'static str,
    parent: &'static str,
    imbalance: &'static str,
    station: &'static str,
    model: &'static str,
    serial: &'static str,
    rotation: &'static str,
}

impl Language {
    fn words(self) -> &'static Words {
        match self {
            Language::Dutch => &Words {
                boards: "Verdelers",
                stations: "Laadstations",
                name: "Naam",
                limit: "Limiet",
                parent: "Aansluitpunt",
                imbalance: "Onbalans (A)",
                station: "Station ID",
                model: "Station Model",
                serial: "Serienummer",
                rotation: "Faserotatie",
            },
            Language::English => &Words {
                boards: "Boards",
                stations: "Stations",
                name: "Name",
                limit: "Limit",
                parent: "Connection point",
                imbalance: "Imbalance (A)",
                station: "Station ID",
                model: "Station model",
                serial: "Serial number",
                rotation: "Phase rotation",
            },
            Language::German => &Words {
                boards: "Verteiler",
                stations: "Ladestationen",
                name: "Bezeichnung",
                limit: "Grenzwert",
                parent: "Anschlusspunkt",
                imbalance: "Schieflast (A)",
                station: "Stations-ID",
                model: "Modell",
                serial: "Seriennummer",
                rotation: "Phasenfolge",
            },
        }
    }

    /// The names of the two tables, for files.
    pub fn table_names(self) -> (&'static str, &'static str) {
        (self.words().boards, self.words().stations)
    }
}

/// A cell of a table to write.
enum Out {
    Text(String),
    Number(f64),
}

type OutRow = Vec<Out>;

fn text(text: impl Into<String>) -> Out {
    Out::Text(text.into())
}

fn boards(site: &Site, words: &Words) -> Vec<OutRow> {
    let each = site.boards.iter().any(|board| matches!(board.limit_a, PerPhase::Each(_)));
    let imbalance = site.boards.iter().any(|board| board.imbalance_limit_a.is_some());
    let mut header = vec![text(words.name)];
    if each {
        header.extend((1..=3).map(|phase| text(format!("{} L{phase} (A)", words.limit))));
    } else {
        header.push(text(format!("{} (A)", words.limit)));
    }
    header.push(text(words.parent));
    header.extend(imbalance.then(|| text(words.imbalance)));
    let row = |board: &crate::site::Board| {
        let mut row = vec![text(&board.id)];
        let limits_a = board.limit_a.phases();
        row.extend(limits_a.into_iter().take(if each { 3 } else { 1 }).map(Out::Number));
        row.push(text(board.parent.as_deref().unwrap_or_default()));
        if imbalance {
            row.push(board.imbalance_limit_a.map_or_else(|| text(""), Out::Number));
        }
        row
    };
    std::iter::once(header).chain(site.boards.iter().map(row)).collect()
}

fn stations(site: &Site, words: &Words) -> Vec<OutRow> {
    let limit = format!("{} (A)", words.limit);
    let header = [words.station, words.model, words.serial, words.rotation, &limit, words.parent].map(text).into();
    let row = |station: &crate::site::Station| {
        let or_empty = |value: &Option<String>| text(value.clone().unwrap_or_default());
        vec![
            text(&station.id),
            or_empty(&station.model),
            or_empty(&station.serial),
            or_empty(&station.rotation),
            Out::Number(station.max_a),
            text(&station.board),
        ]
    };
    std::iter::once(header).chain(site.stations.iter().map(row)).collect()
}

/// How a CSV file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delimiter {
    /// Semicolons and decimal commas, as spreadsheets in Dutch and German export them.
    Semicolon,
    /// Commas and decimal points.
    Comma,
}

/// The tables of boards and of stations as CSV in UTF-8, with a byte order mark so that spreadsheets see it.
pub fn csv(site: &Site, language: Language, delimiter: Delimiter) -> (String, String) {
    let words = language.words();
    (lines(&boards(site, words), delimiter), lines(&stations(site, words), delimiter))
}

fn lines(rows: &[OutRow], delimiter: Delimiter) -> String {
    let (between, point) = if delimiter == Delimiter::Comma { (",", '.') } else { (";", ',') };
    let cell = |cell: &Out| match cell {
        Out::Number(number) => decimal(*number, point),
        Out::Text(text) if text.contains([';', ',', '"', '\t', '|', '\n', '\r']) => {
            format!("\"{}\"", text.replace('"', "\"\""))
        }
        Out::Text(text) => text.clone(),
    };
    let line = |row: &OutRow| row.iter().map(cell).collect::<Vec<_>>().join(between) + "\r\n";
    std::iter::once("\u{feff}".to_owned()).chain(rows.iter().map(line)).collect()
}

/// A number with its decimal sign; three decimals get a fourth, so that nobody takes the sign for one between thousands.
fn decimal(number: f64, point: char) -> String {
    let mut digits = format!("{number}");
    if digits.rfind('.').is_some_and(|at| digits.len() - at == 4) {
        digits.push('0');
    }
    digits.replace('.', &point.to_string())
}

/// A workbook with a sheet of boards and a sheet of stations.
///
/// # Errors
///
/// A text too long for a cell (32,767 characters).
pub fn xlsx(site: &Site, language: Language) -> Result<Vec<u8>, XlsxError> {
    let words = language.words();
    let mut workbook = Workbook::new();
    let bold = Format::new().set_bold();
    for (name, rows) in [(words.boards, boards(site, words)), (words.stations, stations(site, words))] {
        let sheet = workbook.add_worksheet().set_name(name)?;
        for (row, cells) in (0..).zip(&rows) {
            for (column, cell) in (0..).zip(cells) {
                match cell {
                    Out::Text(text) if text.is_empty() => continue,
                    Out::Text(text) if row == 0 => sheet.write_string_with_format(row, column, text, &bold)?,
                    Out::Text(text) => sheet.write_string(row, column, text)?,
                    Out::Number(number) => sheet.write_number(row, column, *number)?,
                };
            }
        }
        sheet.set_freeze_panes(1, 0)?;
        sheet.autofit();
    }
    workbook.save_to_buffer()
}
