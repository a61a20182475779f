//! Which rows of a file are meant, where it holds several series below each other.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::local::Stamp;
use crate::refusal::{Fault, Refusal, names, quoted};
use crate::table::Table;

/// How many series a file may hold for their names to be found.
const MOST_SERIES: usize = 10_000;

/// The share of rows of one series whose stamps differ; the hour that a clock repeats is all that may not.
const DIFFERENT: f64 = 0.9;

/// The rows whose cells have the values that are asked for, blank rows left out; a number is equal whatever its
/// decimals.
pub(crate) fn rows(table: &Table, filter: &[(String, String)]) -> Result<Vec<usize>, Refusal> {
    let mut rows: Vec<usize> = (0..table.rows()).filter(|&row| !table.is_blank(row)).collect();
    for (name, value) in filter {
        let column = table.column(name)?;
        let wanted = value.trim();
        let number: Option<f64> = wanted.parse().ok();
        let mut seen: BTreeSet<String> = BTreeSet::new();
        rows.retain(|&row| {
            let cell = table.text(column, row);
            let equal = *cell == *wanted || (number.is_some() && cell.parse::<f64>().ok() == number);
            if !equal && seen.len() < MOST_SERIES {
                seen.insert(cell.into_owned());
            }
            equal
        });
        if rows.is_empty() {
            let wrong = format!("is no value of {}; there are {}", quoted(name), listed(&by_size(seen.into_iter())));
            return Err(Fault::of_table("the filter", value, wrong, "give one of them").into());
        }
    }
    Ok(rows)
}

/// Why several rows have one time: the file holds several series, told apart by a column. `None` where no column does.
pub(super) fn several(table: &Table, stamp: usize, taken: &[usize], rows: &[usize]) -> Option<Refusal> {
    let apart: Vec<(String, Vec<String>)> = (0..table.header().len())
        .filter(|column| *column != stamp && !taken.contains(column))
        .filter_map(|column| Some((table.header()[column].clone(), apart(table, stamp, column, rows)?)))
        .collect();
    let (column, values) = apart.first()?;
    let told: Vec<String> =
        apart.iter().map(|(column, values)| format!("{}: {}", quoted(column), listed(values))).collect();
    let wrong = format!("holds several series, told apart by {}", told.join("; or by "));
    let remedy = format!("say which is meant, such as --where {}={}", column, values.first()?);
    Some(Fault::of_table("the table", "", wrong, remedy).into())
}

/// The values of a column if the rows of each have times of their own.
fn apart(table: &Table, stamp: usize, column: usize, rows: &[usize]) -> Option<Vec<String>> {
    let mut groups: BTreeMap<String, (usize, HashSet<Stamp>)> = BTreeMap::new();
    for &row in rows {
        if groups.len() > MOST_SERIES || 2 * groups.len() > rows.len() {
            return None;
        }
        let group = groups.entry(table.text(column, row).into_owned()).or_default();
        group.0 += 1;
        group.1.extend(table.stamp(stamp, row));
    }
    let own = groups.values().all(|(count, stamps)| stamps.len() as f64 >= DIFFERENT * *count as f64);
    (groups.len() > 1 && own).then(|| by_size(groups.into_keys()))
}

/// Values in their order, numbers by size.
fn by_size(values: impl Iterator<Item = String>) -> Vec<String> {
    let number = |text: &String| text.parse::<f64>().unwrap_or(f64::INFINITY);
    let mut values: Vec<String> = values.collect();
    values.sort_by(|a, b| number(a).total_cmp(&number(b)));
    values
}

fn listed(values: &[String]) -> String {
    names(values.iter().map(String::as_str))
}
