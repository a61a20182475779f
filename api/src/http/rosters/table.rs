//! The table of a roster, as CSV or as JSON rows.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use axum::extract::Request;
use kwartier_data::json;
use kwartier_data::local;
use kwartier_data::roster::{Roster, parse_open};
use kwartier_data::site::Site;

use super::super::finite::Finite;
use super::super::measurements::quoted;
use super::super::problem::Problem;
use super::super::read::{bytes, content_type, field_errors, json_bytes, refused, unsupported};
use super::super::tables::XLSX;
use crate::resource::roster::{Cell, RosterRow};
use crate::service::Service;

/// The table that a request carries, CSV, JSON rows or a workbook, as CSV.
pub async fn of_request(service: &Service, request: Request) -> Result<String, Problem> {
    match content_type(request.headers()).as_str() {
        "text/csv" | "text/plain" => {
            let bytes = bytes(request, service).await?;
            String::from_utf8(bytes.to_vec())
                .map_err(|_| Problem::field("", "the table is no text in UTF-8; save it in UTF-8"))
        }
        "application/json" => {
            let bytes = json_bytes(request, service).await?;
            let rows: Vec<BTreeMap<String, Cell>> =
                json::read_list(&bytes).map_err(|refusal| refused(&bytes, &refusal))?;
            Ok(csv(&rows))
        }
        XLSX => {
            let bytes = bytes(request, service).await?;
            // A workbook that is made to be slow is one request that is slow.
            let read = tokio::task::spawn_blocking(move || kwartier_data::roster::cells(&bytes)).await;
            let read = read.map_err(|_| Problem::internal())?;
            let (header, rows) = read.map_err(|refusal| Problem::invalid(field_errors(&refusal)))?;
            Ok(lines(std::iter::once(header).chain(rows)))
        }
        _ => Err(unsupported("text/csv, application/json or a workbook", request.headers())),
    }
}

/// Cells as CSV.
fn lines(rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut text = String::new();
    for row in rows {
        let _ = writeln!(text, "{}", row.iter().map(|cell| quoted(cell)).collect::<Vec<_>>().join(","));
    }
    text
}

/// Rows as CSV.
fn csv(rows: &[BTreeMap<String, Cell>]) -> String {
    let mut columns: Vec<&String> = rows.iter().flat_map(BTreeMap::keys).collect();
    columns.sort();
    columns.dedup();
    let mut text = columns.iter().map(|column| quoted(column)).collect::<Vec<_>>().join(",");
    text.push('\n');
    for row in rows {
        let cells = columns.iter().map(|column| match row.get(*column) {
            Some(Cell::Text(cell)) => quoted(cell),
            Some(Cell::Number(number)) => number.to_string(),
            None => String::new(),
        });
        let _ = writeln!(text, "{}", cells.collect::<Vec<_>>().join(","));
    }
    text
}

/// A table's rows by their columns.
pub fn rows(text: &str) -> Vec<RosterRow> {
    let Ok((columns, rows)) = kwartier_data::roster::cells(text.as_bytes()) else { return Vec::new() };
    let row = |cells: Vec<String>| {
        let cells = columns.iter().zip(cells).filter(|(_, cell)| !cell.is_empty());
        RosterRow(cells.map(|(column, cell)| (column.clone(), Cell::Text(cell))).collect())
    };
    rows.into_iter().map(row).collect()
}

/// The roster that a table says, when the site has its stations.
pub fn parsed(text: &str, site: &Site) -> Result<Roster, Problem> {
    let zone = local::zone(&site.time_zone).map_err(|_| Problem::internal())?;
    let roster = parse_open(text.as_bytes(), zone).map_err(|refusal| Problem::invalid(field_errors(&refusal)))?;
    let mut finite = Finite::new("");
    for entry in &roster.rows {
        if !site.stations.iter().any(|station| station.id == entry.station) {
            finite.within(format!("row {}", entry.row));
            finite.wrong("station", format!("{:?} is no charger of the site; name one that it has", entry.station));
        }
    }
    finite.done()?;
    Ok(roster)
}
