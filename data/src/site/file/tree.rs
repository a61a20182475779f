//! A TOML or JSON file as a tree of plain values with their lines, so that both are held against the same shape.

use std::ops::Range;

use serde_json::{Map, Number, Value as Json};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value and where it stands.
#[derive(Debug)]
pub(super) struct Node {
    /// Line, from 1; 0 where it is not known.
    pub(super) line: usize,
    pub(super) value: Value,
}

/// A value.
#[derive(Debug)]
pub(super) enum Value {
    Text(String),
    /// A number and how it is written.
    Number(f64, String),
    Flag(bool),
    /// A date, a time, or both.
    Date(String),
    /// JSON's null.
    Null,
    List(Vec<Node>),
    Table(Vec<Entry>),
}

/// A key of a table with its value.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) line: usize,
    pub(super) node: Node,
}

impl Node {
    /// The value of a key of a table.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        let Value::Table(entries) = &self.value else { return None };
        entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    /// The text, where it is one.
    pub(super) fn text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }

    /// The same as JSON, for serde: dates become texts.
    pub(super) fn to_json(&self) -> Json {
        match &self.value {
            Value::Text(text) | Value::Date(text) => Json::String(text.clone()),
            Value::Number(number, written) => {
                whole(written).or_else(|| Number::from_f64(*number).map(Json::Number)).unwrap_or(Json::Null)
            }
            Value::Flag(flag) => Json::Bool(*flag),
            Value::Null => Json::Null,
            Value::List(list) => list.iter().map(Node::to_json).collect(),
            Value::Table(entries) => {
                Json::Object(entries.iter().map(|e| (e.key.clone(), e.node.to_json())).collect::<Map<_, _>>())
            }
        }
    }
}

fn whole(written: &str) -> Option<Json> {
    written.parse::<i64>().ok().map(|number| Json::Number(number.into()))
}

/// Line numbers by byte.
pub(super) struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    pub(super) fn of(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(k, _)| k + 1);
        Lines { starts: std::iter::once(0).chain(ends).collect() }
    }

    /// Line and column of a byte, both from 1.
    pub(super) fn position(&self, byte: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|&start| start <= byte);
        (line, byte - self.starts.get(line.saturating_sub(1)).copied().unwrap_or(0) + 1)
    }

    fn line(&self, span: &Range<usize>) -> usize {
        self.position(span.start).0
    }
}

/// The tree of a TOML file.
pub(super) fn of_toml(root: &Spanned<DeTable<'_>>, lines: &Lines) -> Node {
    Node { line: 1, value: table(root.get_ref(), lines) }
}

fn table(entries: &DeTable<'_>, lines: &Lines) -> Value {
    let mut entries: Vec<_> = entries.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    let entry = |(key, value): (&Spanned<std::borrow::Cow<'_, str>>, &Spanned<DeValue<'_>>)| Entry {
        key: key.get_ref().to_string(),
        line: lines.line(&key.span()),
        node: node(value, lines),
    };
    Value::Table(entries.into_iter().map(entry).collect())
}

fn node(value: &Spanned<DeValue<'_>>, lines: &Lines) -> Node {
    let line = lines.line(&value.span());
    let value = match value.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(integer) => {
            let written = integer.as_str().replace('_', "");
            match i64::from_str_radix(&written, integer.radix()) {
                Ok(number) => Value::Number(number as f64, number.to_string()),
                Err(_) => Value::Number(f64::INFINITY, integer.to_string()),
            }
        }
        DeValue::Float(float) => {
            let written = float.as_str().replace('_', "");
            Value::Number(written.parse().unwrap_or(f64::NAN), written)
        }
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Datetime(date) => Value::Date(date.to_string()),
        DeValue::Array(list) => Value::List(list.iter().map(|value| node(value, lines)).collect()),
        DeValue::Table(entries) => table(entries, lines),
    };
    Node { line, value }
}

/// The tree of a JSON text; it has no lines.
pub(super) fn of_json(json: &Json) -> Node {
    let value = match json {
        Json::String(text) => Value::Text(text.clone()),
        Json::Number(number) => Value::Number(number.as_f64().unwrap_or(f64::NAN), number.to_string()),
        Json::Bool(flag) => Value::Flag(*flag),
        Json::Null => Value::Null,
        Json::Array(list) => Value::List(list.iter().map(of_json).collect()),
        Json::Object(fields) => Value::Table(
            fields.iter().map(|(key, value)| Entry { key: key.clone(), line: 0, node: of_json(value) }).collect(),
        ),
    };
    Node { line: 0, value }
}
