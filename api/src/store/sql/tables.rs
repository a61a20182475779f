//! The tables as they are copied and checked: names, columns, and how many of the first ones are the key. A test holds them
//! against the schema.

use super::super::fault::Fault;
use super::value::{Row, Value};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// A whole number.
    Int,
    /// A number.
    Real,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
}

/// A table.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns, those of the key first.
    pub columns: &'static [(&'static str, Holds)],
    /// How many of them are the key.
    pub key: usize,
    /// How many rows are copied at once: few, where they are large.
    pub at_once: usize,
}

const SMALL: usize = 5_000;
const LARGE: usize = 200;

use Holds::{Bytes, Int, Real, Text};

/// All tables.
pub const TABLES: [Table; 12] = [
    Table {
        name: "document",
        columns: &[("kind", Text), ("owner", Text), ("id", Text), ("version", Int), ("at", Int), ("body", Text)],
        key: 4,
        at_once: LARGE,
    },
    Table {
        name: "document_head",
        columns: &[("kind", Text), ("owner", Text), ("id", Text), ("version", Int), ("deleted", Int)],
        key: 3,
        at_once: SMALL,
    },
    Table { name: "counter", columns: &[("name", Text), ("value", Int)], key: 1, at_once: SMALL },
    Table {
        name: "log",
        columns: &[("number", Int), ("stream", Text), ("at", Int), ("tenant", Text), ("site", Text), ("body", Text)],
        key: 1,
        at_once: SMALL,
    },
    Table {
        name: "job",
        columns: &[
            ("id", Text),
            ("kind", Text),
            ("tenant", Text),
            ("site", Text),
            ("once", Text),
            ("due", Int),
            ("input", Text),
            ("state", Text),
            ("attempts", Int),
            ("progress", Real),
            ("result", Text),
            ("error", Text),
            ("made", Int),
            ("changed", Int),
            ("lease", Int),
        ],
        key: 1,
        at_once: LARGE,
    },
    Table {
        name: "answer",
        columns: &[("name", Text), ("request", Text), ("answer", Text), ("until", Int)],
        key: 1,
        at_once: LARGE,
    },
    Table {
        name: "plan",
        columns: &[("id", Text), ("site", Text), ("at", Int), ("summary", Text), ("instance", Bytes), ("plan", Bytes)],
        key: 1,
        at_once: LARGE,
    },
    Table { name: "name", columns: &[("number", Int), ("text", Text)], key: 1, at_once: SMALL },
    Table { name: "site_place", columns: &[("site", Int), ("place", Int)], key: 2, at_once: SMALL },
    Table {
        name: "measurement",
        columns: &[
            ("site", Int),
            ("at", Int),
            ("place", Int),
            ("l1_a", Real),
            ("l2_a", Real),
            ("l3_a", Real),
            ("power_kw", Real),
            ("energy_kwh", Real),
        ],
        key: 3,
        at_once: SMALL,
    },
    Table {
        name: "rolled",
        columns: &[
            ("site", Int),
            ("seconds", Int),
            ("place", Int),
            ("at", Int),
            ("count", Int),
            ("l1_sum_a", Real),
            ("l2_sum_a", Real),
            ("l3_sum_a", Real),
            ("l1_highest_a", Real),
            ("l2_highest_a", Real),
            ("l3_highest_a", Real),
            ("power_count", Int),
            ("power_sum_kw", Real),
            ("energy_kwh", Real),
        ],
        key: 4,
        at_once: SMALL,
    },
    Table { name: "archive", columns: &[("site", Int), ("month", Int), ("file", Text)], key: 2, at_once: SMALL },
];

impl Table {
    /// Its columns, as in a statement.
    pub fn column_list(&self) -> String {
        self.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }

    /// The columns of its key, as in a statement.
    pub fn key_list(&self) -> String {
        self.columns.iter().take(self.key).map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }

    /// A row of it, as values.
    pub fn values(&self, row: &Row) -> Result<Vec<Value>, Fault> {
        let value = |(column, (_, holds)): (usize, &(&str, Holds))| {
            Ok(match holds {
                Int => Value::Int(row.int_or_none(column)?),
                Real => Value::Real(row.real_or_none(column)?),
                Text => Value::Text(row.text_or_none(column)?),
                Bytes => Value::Bytes(Some(row.bytes(column)?)),
            })
        };
        self.columns.iter().enumerate().map(value).collect()
    }
}
