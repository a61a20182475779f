//! A sheet as plain cells, whatever file it came from.

use crate::finding::Place;
use crate::refusal::{clip, number, quoted};

/// A cell.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    /// Nothing, or nothing but spaces.
    Empty,
    /// A number that the file holds as one.
    Number(f64),
    /// A text without spaces around it.
    Text(String),
}

impl Cell {
    /// A cell of that text.
    pub(super) fn of(text: &str) -> Cell {
        // Spreadsheets and web pages leave spaces of many kinds, and characters that nobody sees.
        let visible: String = text.chars().filter(|c| !matches!(c, '\u{200b}' | '\u{feff}' | '\u{ad}')).collect();
        let words: Vec<&str> = visible.split_whitespace().collect();
        if words.is_empty() { Cell::Empty } else { Cell::Text(words.join(" ")) }
    }

    pub(super) fn is_empty(&self) -> bool {
        *self == Cell::Empty
    }

    /// The text, or the number as one would write it.
    pub(super) fn text(&self) -> String {
        match self {
            Cell::Empty => String::new(),
            Cell::Number(value) => number(*value),
            Cell::Text(text) => text.clone(),
        }
    }

    /// As a message shows it.
    pub(super) fn shown(&self) -> String {
        match self {
            Cell::Empty => String::new(),
            Cell::Number(value) => clip(&number(*value)),
            Cell::Text(text) => quoted(text),
        }
    }
}

/// A row that is not empty.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// Its number in the file, from 1.
    pub(super) number: usize,
    pub(super) cells: Vec<Cell>,
}

impl Row {
    /// The cell of a column; empty beyond the last.
    pub(super) fn cell(&self, column: usize) -> &Cell {
        self.cells.get(column).unwrap_or(&Cell::Empty)
    }

    /// The cells that are not empty.
    pub(super) fn filled(&self) -> impl Iterator<Item = (usize, &Cell)> {
        self.cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty())
    }
}

/// A sheet.
#[derive(Debug, Clone)]
pub(super) struct Grid {
    pub(super) file: String,
    /// The sheet, where the file has several.
    pub(super) sheet: Option<String>,
    /// Rows that are not empty, from the top.
    pub(super) rows: Vec<Row>,
}

impl Grid {
    /// A place in it.
    pub(super) fn place(&self, row: Option<usize>, column: Option<&str>) -> Place {
        Place { file: Some(self.file.clone()), sheet: self.sheet.clone(), line: row, column: column.map(str::to_owned) }
    }
}
