//! What was said, before anything is made of it: values by path, each with where it was said, and all that is wrong.

use std::collections::BTreeMap;

use kwartier_data::finding::Place;
use kwartier_data::{Finding, Severity};

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Text.
    Text(String),
    /// A whole number.
    Whole(i64),
    /// Yes or no.
    Flag(bool),
    /// Several texts.
    Texts(Vec<String>),
}

/// Where a value was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// On a line of the configuration file.
    Line(usize),
    /// In an environment variable of this name.
    Variable(String),
    /// By an argument of this name.
    Argument(&'static str),
    /// Nowhere: it is the default.
    Default,
}

/// A value and where it was said.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// What.
    pub value: Value,
    /// Where.
    pub source: Source,
}

/// Everything that was said.
#[derive(Debug, Default)]
pub struct Settings {
    said: BTreeMap<String, Said>,
    /// How many tables a list has, by path: `listen`, `oidc`, `oidc[0].roles`.
    lists: BTreeMap<String, usize>,
    /// All that is wrong.
    pub findings: Vec<Finding>,
}

impl Settings {
    /// Takes a value; a later one is the one that counts.
    pub fn say(&mut self, path: impl Into<String>, value: Value, source: Source) {
        self.said.insert(path.into(), Said { value, source });
    }

    /// Takes a table of a list; its path.
    pub fn add(&mut self, list: &str) -> String {
        let count = self.lists.entry(list.to_owned()).or_default();
        *count += 1;
        format!("{list}[{}]", *count - 1)
    }

    /// Forgets a list and all in it.
    pub fn clear(&mut self, list: &str) {
        let within = format!("{list}[");
        self.lists.retain(|path, _| path != list && !path.starts_with(&within));
        self.said.retain(|path, _| !path.starts_with(&within));
    }

    /// The paths of the tables of a list.
    pub fn tables(&self, list: &str) -> Vec<String> {
        let count = self.lists.get(list).copied().unwrap_or_default();
        (0..count).map(|k| format!("{list}[{k}]")).collect()
    }

    /// What was said.
    pub fn get(&self, path: &str) -> Option<&Said> {
        self.said.get(path)
    }

    /// A text.
    pub fn text(&self, path: &str) -> Option<&str> {
        match self.get(path) {
            Some(Said { value: Value::Text(text), .. }) => Some(text),
            _ => None,
        }
    }

    /// Says what is wrong with a value.
    pub fn wrong(&mut self, path: &str, wrong: impl Into<String>, remedy: impl Into<String>) {
        let (source, value) = match self.get(path) {
            Some(said) => (said.source.clone(), shown(&said.value)),
            None => (Source::Default, String::new()),
        };
        self.misfit(path, &source, value, wrong, remedy);
    }

    /// Says what is wrong with what stands somewhere.
    pub fn misfit(
        &mut self,
        path: &str,
        source: &Source,
        value: String,
        wrong: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let subject = match source {
            Source::Variable(name) => format!("environment variable {name}"),
            Source::Argument(name) => (*name).to_owned(),
            Source::Line(_) | Source::Default => String::new(),
        };
        let place = match source {
            Source::Line(line) if *line > 0 => Some(Place::line(*line)),
            _ => None,
        };
        self.findings.push(Finding {
            severity: Severity::Error,
            code: "configuration",
            place,
            path: path.to_owned(),
            subject,
            value,
            wrong: wrong.into(),
            remedy: remedy.into(),
        });
    }
}

/// A value in a few words. Secrets are never values here: their files are.
pub fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) if text.chars().count() > 80 => {
            format!("\"{}…\"", text.chars().take(80).collect::<String>().escape_debug())
        }
        Value::Text(text) => format!("\"{}\"", text.escape_debug()),
        Value::Whole(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::Texts(texts) => {
            let texts: Vec<String> = texts.iter().map(|text| format!("\"{}\"", text.escape_debug())).collect();
            format!("[{}]", texts.join(", "))
        }
    }
}
