//! Bringing a site file in line with tables that were read again, or with values that were computed: what these say is
//! changed, everything else, down to comments and spacing, stays.

use serde::Serialize;
use toml_edit::{Array, DocumentMut, Item, Table, Value};

use super::write::{document, number, spread};
use crate::site::{Board, Hourly, PerPhase, Site, Station};

/// What the tables say; `None` where no table of that kind was read, which changes nothing.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// The boards.
    pub boards: Option<&'a [Board]>,
    /// The stations.
    pub stations: Option<&'a [Station]>,
}

/// What became of the boards and stations, each as `board "UV1"` or `station "S1"`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// New ones.
    pub added: Vec<String>,
    /// Those with another limit, board, rotation or the like.
    pub changed: Vec<String>,
    /// Those that the tables no longer have.
    pub removed: Vec<String>,
}

/// The text of a site file, brought in line with the tables. `site` is what that text says.
///
/// # Errors
///
/// An error of the TOML writer, or that `text` is no TOML; neither comes from a file that was read as `site`.
pub fn update(text: &str, site: &Site, given: Given<'_>) -> Result<(String, Changes), String> {
    let mut file: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| error.to_string())?;
    let mut changes = Changes::default();
    if let Some(boards) = given.boards {
        bring_in_line(&mut file, "boards", &site.boards, boards, &mut changes)?;
    }
    if let Some(stations) = given.stations {
        bring_in_line(&mut file, "stations", &site.stations, stations, &mut changes)?;
    }
    Ok((file.to_string(), changes))
}

/// What boards and stations have in common here.
trait Row: Serialize {
    const KIND: &'static str;
    fn id(&self) -> &str;
    /// Writes into `table` what differs from `old`; whether anything did.
    fn amend(&self, old: &Self, table: &mut Table) -> bool;
}

fn bring_in_line<T: Row>(
    file: &mut DocumentMut,
    key: &str,
    old: &[T],
    new: &[T],
    changes: &mut Changes,
) -> Result<(), String> {
    let name = |id: &str| format!("{} {id:?}", T::KIND);
    if !file.get(key).is_some_and(Item::is_array_of_tables) {
        // Absent, or a list within a line: it gets lines of its own, and a key without the old one's spacing.
        let list = file.remove(key).and_then(|item| item.into_array_of_tables().ok()).unwrap_or_default();
        file.insert(key, Item::ArrayOfTables(list));
    }
    let Some(tables) = file.get_mut(key).and_then(Item::as_array_of_tables_mut) else { return Ok(()) };
    let mut index = 0;
    for old in old {
        let Some(table) = tables.get_mut(index) else { break };
        if let Some(new) = new.iter().find(|new| new.id() == old.id()) {
            if new.amend(old, table) {
                changes.changed.push(name(old.id()));
            }
            index += 1;
        } else {
            tables.remove(index);
            changes.removed.push(name(old.id()));
        }
    }
    for new in new.iter().filter(|new| old.iter().all(|old| old.id() != new.id())) {
        let mut table = document(new).map_err(|error| error.to_string())?.as_table().clone();
        spread(&mut table, false);
        tables.push(table);
        changes.added.push(name(new.id()));
    }
    Ok(())
}

impl Row for Board {
    const KIND: &'static str = "board";

    fn id(&self) -> &str {
        &self.id
    }

    fn amend(&self, old: &Self, table: &mut Table) -> bool {
        let mut changed = false;
        if self.parent != old.parent {
            changed = true;
            match &self.parent {
                Some(parent) => put(table, "parent", parent.as_str().into()),
                None => drop(table.remove("parent")),
            }
        }
        if differ(self.limit_a.phases(), old.limit_a.phases()) {
            changed = true;
            put(table, "limit_a", per_phase(self.limit_a));
        }
        if let Some(limit_a) = self.imbalance_limit_a.filter(|&limit_a| old.imbalance_limit_a != Some(limit_a)) {
            changed = true;
            put(table, "imbalance_limit_a", number(limit_a));
        }
        changed
    }
}

impl Row for Station {
    const KIND: &'static str = "station";

    fn id(&self) -> &str {
        &self.id
    }

    fn amend(&self, old: &Self, table: &mut Table) -> bool {
        let mut changed = false;
        let mut text = |key: &str, new: Option<&String>, old: Option<&String>| {
            if let Some(new) = new.filter(|&new| old != Some(new)) {
                changed = true;
                put(table, key, new.as_str().into());
            }
        };
        text("board", Some(&self.board), Some(&old.board));
        text("model", self.model.as_ref(), old.model.as_ref());
        text("serial", self.serial.as_ref(), old.serial.as_ref());
        text("rotation", self.rotation.as_ref(), old.rotation.as_ref());
        if differ([self.max_a; 3], [old.max_a; 3]) {
            changed = true;
            put(table, "max_a", number(self.max_a));
        }
        if let Some(fallback_a) = self.fallback_a.as_ref().filter(|&new| old.fallback_a.as_ref() != Some(new)) {
            changed = true;
            let value = match fallback_a {
                Hourly::Constant(amps) => number(*amps),
                Hourly::Hours(hours) => Value::Array(hours.iter().map(|amps| number(*amps)).collect::<Array>()),
            };
            put(table, "fallback_a", value);
        }
        changed
    }
}

fn differ(new: [f64; 3], old: [f64; 3]) -> bool {
    new.iter().zip(old).any(|(new, old)| new.total_cmp(&old).is_ne())
}

fn per_phase(limit_a: PerPhase) -> Value {
    match limit_a {
        PerPhase::Same(limit_a) => number(limit_a),
        PerPhase::Each(limits_a) => Value::Array(limits_a.into_iter().map(number).collect::<Array>()),
    }
}

/// Sets a value and keeps the comment behind the old one.
fn put(table: &mut Table, key: &str, mut value: Value) {
    if let Some(old) = table.get(key).and_then(Item::as_value) {
        *value.decor_mut() = old.decor().clone();
    }
    table.insert(key, Item::Value(value));
}
