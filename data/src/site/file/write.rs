//! A site as a new TOML file.

use toml_edit::visit_mut::{VisitMut, visit_value_mut};
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, Value};

use crate::site::Site;

/// What stands at the head of a new file.
const HEAD: &str = "\
# A site for kwartier: boards, stations and what hangs on them. Currents are amperes per phase, powers kW.
# docs/formats/site.md explains every key; `kwartier site check` tells what is wrong or doubtful.

";

/// The site as a TOML file with a short comment at its head.
///
/// # Errors
///
/// An error of the TOML writer, which no site causes.
pub fn write(site: &Site) -> Result<String, toml_edit::ser::Error> {
    let mut document = document(site)?;
    spread(document.as_table_mut(), true);
    Ok(format!("{HEAD}{}", document.to_string().trim_start()))
}

/// A value as a document, whole numbers without a fraction.
pub(super) fn document<T: serde::Serialize>(value: &T) -> Result<DocumentMut, toml_edit::ser::Error> {
    let mut document = toml_edit::ser::to_document(value)?;
    WholeNumbers.visit_document_mut(&mut document);
    Ok(document)
}

/// Writes `32`, not `32.0`.
struct WholeNumbers;

impl VisitMut for WholeNumbers {
    fn visit_value_mut(&mut self, value: &mut Value) {
        if let Value::Float(float) = value {
            *value = number(*float.value());
        }
        visit_value_mut(self, value);
    }
}

/// A number, whole if it is.
pub(super) fn number(number: f64) -> Value {
    // Up to here, every whole number is exact as both kinds.
    const EXACT: f64 = 9e15;
    if number.fract() == 0.0 && number.abs() < EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "whole, and within the range")]
        return Value::from(number as i64);
    }
    Value::from(number)
}

/// Turns tables within lines into tables with headers where they are long or at the top.
pub(super) fn spread(table: &mut Table, top: bool) {
    for (_, item) in table.iter_mut() {
        let old = std::mem::take(item);
        *item = match old {
            Item::Value(Value::InlineTable(inline)) if top || inline.iter().any(|(_, value)| !is_plain(value)) => {
                let mut table = inline.into_table();
                spread(&mut table, false);
                Item::Table(table)
            }
            Item::Value(Value::Array(array)) if of_tables(&array) && (top || !all_plain(&array)) => {
                Item::ArrayOfTables(array_of_tables(array))
            }
            other => other,
        };
    }
    table.fmt();
}

fn is_plain(value: &Value) -> bool {
    !matches!(value, Value::Array(_) | Value::InlineTable(_))
}

fn of_tables(array: &Array) -> bool {
    !array.is_empty() && array.iter().all(Value::is_inline_table)
}

/// Whether each table holds plain values only and is short enough for a line.
fn all_plain(array: &Array) -> bool {
    array
        .iter()
        .filter_map(Value::as_inline_table)
        .all(|table| table.len() <= 2 && table.iter().all(|(_, v)| is_plain(v)))
}

fn array_of_tables(array: Array) -> ArrayOfTables {
    let mut tables = ArrayOfTables::new();
    for value in array {
        if let Value::InlineTable(inline) = value {
            let mut table = inline.into_table();
            spread(&mut table, false);
            tables.push(table);
        }
    }
    tables
}
