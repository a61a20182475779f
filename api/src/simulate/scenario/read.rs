//! Reading a scenario's file: TOML into its types, with overrides from the command line, and faults by line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

use super::check::check;
use super::{Fault, Policy, Scenario, Signal};
use crate::cli::failure::Failure;
use crate::cli::input;

/// Version of the format.
const FORMAT: u32 = 1;

/// Most bytes of a scenario file: years of single stays.
const MOST_BYTES: usize = 16 << 20;

/// Longest part of a value that a message repeats, in letters.
const LONGEST: usize = 80;

/// Where a scenario comes from: for messages, and for the files that it names.
#[derive(Debug, Clone)]
pub struct Source {
    /// As the caller named it.
    name: String,
    folder: PathBuf,
    places: BTreeMap<String, Place>,
}

/// Where a value stands.
#[derive(Debug, Clone)]
struct Place {
    /// Its file, where that is one which the scenario names.
    file: Option<String>,
    line: usize,
    /// Its path there.
    path: String,
}

impl Source {
    /// A file that the scenario names.
    pub fn beside(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }

    /// What is wrong with a value of the scenario: where it is, what it is, what is wrong, what to do, as one.
    pub fn wrong(&self, path: &str, value: &str, wrong: &str) -> Failure {
        let value = if value.is_empty() { String::new() } else { format!("\"{}\" ", clip(value)) };
        let findings = format!("  {}: {value}{wrong}", self.place(path));
        Failure::Unfit { what: format!("{} is not a usable scenario", self.name), findings }
    }

    /// A path with the line of it, or of what is around it.
    fn place(&self, path: &str) -> String {
        let mut around = path;
        loop {
            if let Some(Place { file, line, path: known }) = self.places.get(around) {
                let file = file.as_ref().map_or(String::new(), |name| format!("{name}, "));
                return format!("{file}line {line}, {known}{}", &path[around.len()..]);
            }
            match around.rfind(['.', '[']) {
                Some(end) => around = &around[..end],
                None => return path.to_owned(),
            }
        }
    }

    /// Takes in where the items of a list of another file stand; here they follow `before` others.
    fn append(&mut self, other: Source, list: &str, before: usize) {
        for (path, place) in other.places {
            let Some((index, rest)) = path.strip_prefix(list).and_then(|path| path.strip_prefix('[')?.split_once(']'))
            else {
                continue;
            };
            let Ok(index) = index.parse::<usize>() else { continue };
            let place = Place { file: Some(other.name.clone()), ..place };
            self.places.insert(format!("{list}[{}]{rest}", before + index), place);
        }
    }
}

/// The list of a file that holds nothing else.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Faults {
    faults: Vec<Fault>,
}

/// As [`Faults`].
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Signals {
    signals: Vec<Signal>,
}

/// Reads a scenario, with settings from the command line as `key=value` instead of what the file says, and what its
/// `faults_from` and `signals_from` hold.
pub fn read(path: &Path, settings: &[(String, String)]) -> Result<(Scenario, Source), Failure> {
    let (mut table, mut source) = tree(path)?;
    for (key, value) in settings {
        set(&mut table, key, value)?;
    }
    let mut scenario: Scenario = fit(&table, &source)?;
    if scenario.format != FORMAT {
        return Err(source.wrong("format", &scenario.format.to_string(), "is not known here; write format = 1"));
    }
    if let Some(more) = &scenario.faults_from {
        let (table, other) = tree(&source.beside(more))?;
        let more = fit::<Faults>(&table, &other)?.faults;
        source.append(other, "faults", scenario.faults.len());
        scenario.faults.extend(more);
    }
    if let Some(more) = &scenario.signals_from {
        let (table, other) = tree(&source.beside(more))?;
        let more = fit::<Signals>(&table, &other)?.signals;
        source.append(other, "signals", scenario.signals.len());
        scenario.signals.extend(more);
    }
    check(&scenario, &source)?;
    Ok((scenario, source))
}

/// A TOML file as a tree, with its lines.
fn tree(path: &Path) -> Result<(Table, Source), Failure> {
    let bytes = input::bytes(path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
    let mut source = Source { name: path.display().to_string(), folder, places: BTreeMap::new() };
    let unfit = |source: &Source, what: String| Failure::Unfit {
        what: format!("{} is not a usable scenario", source.name),
        findings: format!("  {what}"),
    };
    if bytes.len() > MOST_BYTES {
        return Err(unfit(&source, "it is larger than 16 MiB; put its stays into a file of sessions".to_owned()));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Err(unfit(&source, "it is no text in UTF-8; name a scenario file in TOML".to_owned()));
    };
    let line_of = |byte: usize| text.get(..byte).unwrap_or_default().matches('\n').count() + 1;
    let syntax = |error: &toml::de::Error| {
        let line = line_of(error.span().map_or(0, |span| span.start));
        let message = clip(error.message().lines().next().unwrap_or_default());
        unfit(&source, format!("line {line}: not TOML: {message}; correct the file there"))
    };
    let lines = match DeTable::parse(text) {
        Ok(root) => {
            let mut starts: Vec<(String, usize)> = Vec::new();
            places(root.get_ref(), "", &mut starts);
            lines(text, starts)
        }
        Err(error) => return Err(syntax(&error)),
    };
    let table: Table = text.parse().map_err(|error| syntax(&error))?;
    source.places = lines.into_iter().map(|(path, line)| (path.clone(), Place { file: None, line, path })).collect();
    Ok((table, source))
}

/// Where each key and item of a list begins, by its path.
fn places(table: &DeTable<'_>, path: &str, found: &mut Vec<(String, usize)>) {
    for (key, value) in table {
        let path = format!("{path}{}", key.get_ref());
        found.push((path.clone(), key.span().start));
        inner(value, &path, found);
    }
}

fn inner(value: &Spanned<DeValue<'_>>, path: &str, found: &mut Vec<(String, usize)>) {
    match value.get_ref() {
        DeValue::Table(table) => places(table, &format!("{path}."), found),
        DeValue::Array(list) => {
            for (k, item) in list.iter().enumerate() {
                let path = format!("{path}[{k}]");
                found.push((path.clone(), item.span().start));
                inner(item, &path, found);
            }
        }
        _ => {}
    }
}

/// Lines, from 1, of places in bytes.
fn lines(text: &str, mut starts: Vec<(String, usize)>) -> BTreeMap<String, usize> {
    starts.sort_by_key(|(_, byte)| *byte);
    let (mut line, mut seen) = (1, 0);
    let mut found = BTreeMap::new();
    for (path, byte) in starts {
        line += text.get(seen..byte).unwrap_or_default().matches('\n').count();
        seen = seen.max(byte);
        found.insert(path, line);
    }
    found
}

/// The tree as a type.
fn fit<T: DeserializeOwned>(table: &Table, source: &Source) -> Result<T, Failure> {
    serde_path_to_error::deserialize(Value::Table(table.clone())).map_err(|error| {
        let path = error.path().to_string();
        let value = at(table, &path).map(shown).unwrap_or_default();
        let mut message = error.inner().message().trim().replace('\n', " ");
        if message.starts_with("missing field") {
            message.push_str("; add it, docs/formats/scenario.md says what it means");
        } else if !message.contains("expected") {
            message.push_str("; docs/formats/scenario.md says what is wanted");
        }
        let place = if path == "." { "the file".to_owned() } else { source.place(&path) };
        let findings = format!("  {place}: {value}{}", clip_to(&message, 600));
        Failure::Unfit { what: format!("{} is not a usable scenario", source.name), findings }
    })
}

/// The value at a path such as `faults[2].from`.
fn at<'t>(table: &'t Table, path: &str) -> Option<&'t Value> {
    let mut steps = path.split(['.', '[']).map(|step| step.trim_end_matches(']'));
    let mut value = table.get(steps.next()?)?;
    for step in steps {
        value = match step.parse::<usize>() {
            Ok(index) => value.get(index)?,
            Err(_) => value.get(step)?,
        };
    }
    Some(value)
}

/// A value in a few words, with a space behind it; nothing for what would be long.
fn shown(value: &Value) -> String {
    match value {
        Value::Table(_) | Value::Array(_) => String::new(),
        value => format!("{}: ", clip(&value.to_string())),
    }
}

/// Sets a key, given by its path, or by its last part where it is one of `policy` or `policy.control`.
fn set(table: &mut Table, key: &str, text: &str) -> Result<(), Failure> {
    let path = if key.contains('.') { key.to_owned() } else { whole_path(key)? };
    let value = format!("v = {text}").parse::<Table>().ok().and_then(|mut parsed| parsed.remove("v"));
    let value = value.unwrap_or_else(|| Value::String(text.to_owned()));
    let mut table = table;
    let mut steps: Vec<&str> = path.split('.').collect();
    let last = steps.pop().unwrap_or_default();
    for step in steps {
        let inner = table.entry(step).or_insert_with(|| Value::Table(Table::new()));
        let Value::Table(inner) = inner else {
            return Err(Failure::Arguments(format!(
                "--set {key}: {step} is no table of the scenario; set it in the file"
            )));
        };
        table = inner;
    }
    table.insert(last.to_owned(), value);
    Ok(())
}

/// The path of a key of the policy.
fn whole_path(key: &str) -> Result<String, Failure> {
    let policy = Table::try_from(Policy::default()).map_err(|fault| Failure::Internal(fault.to_string()))?;
    if policy.contains_key(key) {
        return Ok(format!("policy.{key}"));
    }
    let control = policy.get("control").and_then(Value::as_table);
    if control.is_some_and(|control| control.contains_key(key)) {
        return Ok(format!("policy.control.{key}"));
    }
    if ["name", "about", "site", "start", "hours", "history_days"].contains(&key) {
        return Ok(key.to_owned());
    }
    let known: Vec<&str> = policy.keys().chain(control.into_iter().flat_map(Table::keys)).map(String::as_str).collect();
    let what = format!(
        "--set {key}: no such setting; name one of {}, or a path such as told.no_show",
        known.into_iter().filter(|name| *name != "control").collect::<Vec<_>>().join(", ")
    );
    Err(Failure::Arguments(what))
}

fn clip(text: &str) -> String {
    clip_to(text, LONGEST)
}

fn clip_to(text: &str, most: usize) -> String {
    let mut short: String = text.chars().take(most).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
