//! A table of cards.

use axum::extract::Request;
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use kwartier_data::local;
use serde_json::{Map, Value, json};

use super::super::finite::Finite;
use super::super::problem::Problem;
use super::super::read::{bytes, content_type, field_errors, unsupported};
use super::super::tables::XLSX;
use crate::resource::tag::NewTag;
use crate::service::Service;

/// The columns; only `tag` is needed.
const COLUMNS: [&str; 11] = [
    "tag",
    "label",
    "driver",
    "group",
    "vehicle",
    "cost_centre",
    "family",
    "from",
    "until",
    "blocked",
    "one_at_a_time",
];

/// The cards of a request's table, each with its row.
pub async fn of_request(service: &Service, request: Request, zone: Tz) -> Result<Vec<(usize, NewTag)>, Problem> {
    let kind = content_type(request.headers());
    if !matches!(kind.as_str(), "text/csv" | "text/plain" | XLSX) {
        return Err(unsupported("text/csv or a workbook", request.headers()));
    }
    let bytes = bytes(request, service).await?;
    // A workbook that is made to be slow is one request that is slow.
    let read = tokio::task::spawn_blocking(move || kwartier_data::roster::cells(&bytes)).await;
    let read = read.map_err(|_| Problem::internal())?;
    let (header, rows) = read.map_err(|refusal| Problem::invalid(field_errors(&refusal)))?;
    cards(&header, &rows, zone)
}

fn cards(header: &[String], rows: &[Vec<String>], zone: Tz) -> Result<Vec<(usize, NewTag)>, Problem> {
    let header: Vec<String> = header.iter().map(|name| name.trim().to_lowercase()).collect();
    let mut finite = Finite::new("row 1");
    for (at, name) in header.iter().enumerate() {
        if !COLUMNS.contains(&name.as_str()) {
            finite.wrong(name, format!("is no column here; use {}", COLUMNS.join(", ")));
        } else if header[..at].contains(name) {
            finite.wrong(name, "is there twice; remove one of them");
        }
    }
    if !header.iter().any(|name| name == "tag") {
        finite.wrong("tag", "is missing; add a column with what the charger reads of each card");
    }
    finite.done()?;
    let mut finite = Finite::new("");
    let mut found = Vec::with_capacity(rows.len());
    for (at, row) in rows.iter().enumerate() {
        let line = at + 2;
        finite.within(format!("row {line}"));
        let mut fields = Map::new();
        for (name, cell) in header.iter().zip(row) {
            match value(name, cell, zone) {
                Ok(Some(value)) => drop(fields.insert(name.clone(), value)),
                Ok(None) => {}
                Err(wrong) => finite.wrong(name, wrong),
            }
        }
        fields.entry("tag").or_insert_with(|| json!(""));
        match serde_json::from_value::<NewTag>(Value::Object(fields)) {
            Ok(tag) => found.push((line, tag)),
            Err(_) => finite.wrong("", "cannot be read; send each card as its columns say"),
        }
    }
    finite.done()?;
    Ok(found)
}

/// A cell as JSON; nothing, where it is empty.
fn value(name: &str, cell: &str, zone: Tz) -> Result<Option<Value>, String> {
    let cell = cell.trim();
    if cell.is_empty() {
        return Ok(None);
    }
    let value = match name {
        "blocked" | "one_at_a_time" => match cell.to_lowercase().as_str() {
            "true" | "1" | "yes" => json!(true),
            "false" | "0" | "no" => json!(false),
            _ => return Err(format!("{cell:?} is neither yes nor no; write yes or no")),
        },
        "from" | "until" => {
            let at = instant(cell, name == "until", zone);
            json!(
                at.ok_or_else(|| format!("{cell:?} is no day or time; write 2026-12-31 or 2026-12-31T18:00:00+01:00"))?
            )
        }
        _ => json!(cell),
    };
    Ok(Some(value))
}

/// An instant, or the beginning or end of a day.
fn instant(cell: &str, end: bool, zone: Tz) -> Option<DateTime<Utc>> {
    if let Ok(at) = cell.parse::<DateTime<Utc>>() {
        return Some(at);
    }
    let day: NaiveDate = cell.parse().ok()?;
    Some(local::day_start(zone, if end { day.succ_opt()? } else { day }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(usize, NewTag)>, Problem> {
        let mut lines = text.lines().map(|line| line.split(';').map(str::to_owned).collect::<Vec<_>>());
        let header = lines.next().unwrap();
        cards(&header, &lines.collect::<Vec<_>>(), chrono_tz::Europe::Amsterdam)
    }

    #[test]
    fn a_table_is_cards_and_days_are_the_sites() {
        let rows = read("Tag;label;until;blocked\n04:a2;Van;2026-07-01;no\n04a3;;;1").unwrap();
        assert_eq!(rows.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(rows[0].1.label.as_deref(), Some("Van"));
        // It counts to the end of that day.
        assert_eq!(rows[0].1.until.unwrap().to_rfc3339(), "2026-07-01T22:00:00+00:00");
        assert!(!rows[0].1.blocked && rows[1].1.blocked);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_row_and_without_the_number() {
        for (table, field) in [
            ("label\nVan", "row 1.tag"),
            ("tag;colour\n04A2;red", "row 1.colour"),
            ("tag;tag\n04A2;04A2", "row 1.tag"),
            ("tag;blocked\n04A2;perhaps", "row 2.blocked"),
            ("tag;until\n04A2;soon", "row 2.until"),
        ] {
            let problem = read(table).unwrap_err();
            assert_eq!(problem.errors[0].field, field, "{table}");
            assert!(!format!("{problem:?}").contains("04A2"), "{table}");
        }
    }
}
