//! A roster's cells as text, from CSV or from the first sheet of a workbook that holds anything.

use crate::refusal::{Fault, Refusal};
use crate::tables::grid::Cell;
use crate::tables::workbook;
use crate::text::{self, MAX_BYTES, Row, Table};

/// Reads the table of a file.
pub(super) fn read(bytes: &[u8]) -> Result<Table, Refusal> {
    if bytes.starts_with(b"PK") { sheet(bytes) } else { text::csv(bytes) }
}

fn sheet(bytes: &[u8]) -> Result<Table, Refusal> {
    let unreadable = |wrong: String, remedy: String| Refusal::from(Fault::of_table("the workbook", "", wrong, remedy));
    if bytes.len() as u64 > MAX_BYTES {
        let wrong = format!("is larger than {} MiB", MAX_BYTES >> 20);
        return Err(unreadable(wrong, "save it again with nothing but the roster".to_owned()));
    }
    let grids = workbook::grids("the workbook", bytes).map_err(|finding| unreadable(finding.wrong, finding.remedy))?;
    let grid = grids.into_iter().find(|grid| !grid.rows.is_empty());
    let rows = grid
        .into_iter()
        .flat_map(|grid| grid.rows)
        .map(|row| Row { line: row.number as u64, cells: row.cells.iter().map(Cell::text).collect() });
    text::table(rows.collect(), true)
}
