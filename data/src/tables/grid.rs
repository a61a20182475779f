//! A sheet as plain cells, whatever file it came from.

use crate::finding::Place;
use crate::refusal::{clip, number, quoted};

/// A cell.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    /// Nothing, or nothing but spaces.
    Empty,
    /// A number that the file holds as one.
    Number(f64),
    /// A text without spaces around it.
    Text(String),
    /// A date or a time of day that the file holds as one, as one would write it.
    Moment(String),
}

impl Cell {
    /// A cell of that text.
    pub(crate) fn of(text: &str) -> Cell {
        // Spreadsheets and web pages leave spaces of many kinds, and characters that nobody sees.
        let visible: String = text.chars().filter(|c| !matches!(c, '\u{200b}' | '\u{feff}' | '\u{ad}')).collect();
        let words: Vec<&str> = visible.split_whitespace().collect();
        if words.is_empty() { Cell::Empty } else { Cell::Text(words.join(" ")) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        *self == Cell::Empty
    }

    /// The text, or the number as one would write it.
    pub(crate) fn text(&self) -> String {
        match self {
            Cell::Empty => String::new(),
            Cell::Number(value) => number(*value),
            Cell::Text(text) | Cell::Moment(text) => text.clone(),
        }
    }

    /// As a message shows it.
    pub(crate) fn shown(&self) -> String {
        match self {
            Cell::Empty => String::new(),
            Cell::Number(value) => clip(&number(*value)),
            Cell::Text(text) => quoted(text),
            Cell::Moment(text) => format!("the date {text}"),
        }
    }
}

/// A row that is not empty.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// Its number in the file, from 1.
    pub(crate) number: usize,
    pub(crate) cells: Vec<Cell>,
}

impl Row {
    /// The cell of a column; empty beyond the last.
    pub(crate) fn cell(&self, column: usize) -> &Cell {
        self.cells.get(column).unwrap_or(&Cell::Empty)
    }

    /// The cells that are not empty.
    pub(crate) fn filled(&self) -> impl Iterator<Item = (usize, &Cell)> {
        self.cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty())
    }
}

/// A sheet.
#[derive(Debug, Clone)]
pub(crate) struct Grid {
    pub(crate) file: String,
    /// The sheet, where the file has several.
    pub(crate) sheet: Option<String>,
    /// Rows that are not empty, from the top.
    pub(crate) rows: Vec<Row>,
}

impl Grid {
    /// A place in it.
    pub(crate) fn place(&self, row: Option<usize>, column: Option<&str>) -> Place {
        Place { file: Some(self.file.clone()), sheet: self.sheet.clone(), line: row, column: column.map(str::to_owned) }
    }
}
