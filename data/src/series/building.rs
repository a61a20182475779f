//! What the building draws: one total, or currents by board and phase.

use chrono_tz::Tz;

use super::columns::{Wanted, columns};
use super::read::read;
use super::{Quantity, Reading, Series, Unit, stamps};
use crate::refusal::{Fault, Refusal};
use crate::table::{self, Table};
use crate::text::words;

/// A building file.
#[derive(Debug, Clone, PartialEq)]
pub enum Building {
    /// Power of the whole building in kW.
    Total(Series),
    /// What the whole building draws through the grid connection: currents of L1, L2, L3 in A, and active power in kW.
    Whole {
        /// Currents of L1, L2, L3 in A.
        phases_a: [Series; 3],
        /// Active power in kW.
        kw: Series,
    },
    /// What is drawn at boards themselves, not at boards below them.
    Boards(Vec<BoardDraw>),
}

/// What a building draws at a board.
#[derive(Debug, Clone, PartialEq)]
pub struct BoardDraw {
    /// Name of the board.
    pub board: String,
    /// Currents of L1, L2, L3 in A.
    pub phases_a: [Series; 3],
    /// Active power in kW; `None`, currents × voltage × power factor.
    pub kw: Option<Series>,
}

/// Reads a building file: `start,kw`, or `start,board,l1_a,l2_a,l3_a[,kw]`.
///
/// # Errors
///
/// [`Refusal`] as [`read`](fn@super::read) gives.
pub fn read_building(bytes: &[u8], zone: Option<Tz>) -> Result<Building, Refusal> {
    let table = table::read(bytes)?;
    let Some(board) = find(&table, &["board", "node", "bord", "verdeler", "verteiler"]) else {
        return Ok(Building::Total(read(bytes, Quantity::Power, &Reading { zone, ..Reading::default() })?));
    };
    let stamp = stamps::column(&table, None)?;
    let current = Unit::parse("A").ok_or_else(|| missing("l1_a"))?;
    let mut wanted = Vec::with_capacity(4);
    for (name, short) in [("l1 a", "l1"), ("l2 a", "l2"), ("l3 a", "l3")] {
        wanted.push((find(&table, &[name, short]).ok_or_else(|| missing(&name.replace(' ', "_")))?, current));
    }
    if let (Some(column), Some(unit)) = (find(&table, &["kw"]), Unit::parse("kW")) {
        wanted.push((column, unit));
    }
    let mut boards: Vec<(String, Vec<usize>)> = Vec::new();
    for row in (0..table.rows()).filter(|&row| !table.is_blank(row)) {
        let name = table.text(board, row);
        match boards.iter_mut().find(|(known, _)| *known == name) {
            Some((_, rows)) => rows.push(row),
            None => boards.push((name.into_owned(), vec![row])),
        }
    }
    let draws = boards.into_iter().map(|(board, rows)| {
        let mut series = columns(&table, &rows, &Wanted { stamp, columns: &wanted, zone })?.series.into_iter();
        match (series.next(), series.next(), series.next()) {
            (Some(l1), Some(l2), Some(l3)) => Ok(BoardDraw { board, phases_a: [l1, l2, l3], kw: series.next() }),
            _ => Err(missing("l1_a")),
        }
    });
    Ok(Building::Boards(draws.collect::<Result<_, Refusal>>()?))
}

fn find(table: &Table, names: &[&str]) -> Option<usize> {
    table.header().iter().position(|header| names.contains(&words(header).join(" ").as_str()))
}

fn missing(column: &str) -> Refusal {
    let wrong = format!("has a column for the board and none called \"{column}\"");
    Fault::of_table("the header", "", wrong, "give start,board,l1_a,l2_a,l3_a, or start,kw for the whole building")
        .into()
}
