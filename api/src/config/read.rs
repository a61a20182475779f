//! The TOML file: every key held against the table of keys, everything that does not fit told with its line.

use std::borrow::Cow;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{self, Key, Takes};
use super::settings::{Settings, Source, Value};

/// Largest configuration file in bytes.
pub const MOST_BYTES: usize = 1 << 20;

/// How alike two keys are, from 0 to 1, for one to be taken for a slip of the other.
const ALIKE: f64 = 0.75;

/// What to do where a secret itself was written.
const REMEDY_FOR_SECRETS: &str = "secrets are read from files: write the file's path under";

/// Reads a file's text.
pub fn read(text: &str, settings: &mut Settings) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match DeTable::parse(text) {
        Ok(root) => Reader { text, settings }.table("", "", root.get_ref(), 1),
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start.min(text.len()));
            let message = error.message().lines().next().unwrap_or_default().to_owned();
            let remedy = if message.contains("duplicate") { "keep one of the two" } else { "correct the file there" };
            let source = Source::Line(line(text, at));
            settings.misfit("", &source, String::new(), format!("this is not TOML: {message}"), remedy);
        }
    }
}

struct Reader<'t, 's> {
    text: &'t str,
    settings: &'s mut Settings,
}

impl Reader<'_, '_> {
    /// A table: `table` is its name in the table of keys, `path` its path in the file.
    fn table(&mut self, table: &str, path: &str, entries: &DeTable<'_>, at: usize) {
        let mut entries: Vec<_> = entries.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        // Keys that a misspelled one was probably meant to be: not told as missing.
        let mut meant: Vec<&str> = Vec::new();
        for (name, value) in &entries {
            let line = line(self.text, name.span().start);
            let name = name.get_ref().as_ref();
            let within = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            let inner = if table.is_empty() { name.to_owned() } else { format!("{table}.{name}") };
            if let Some(key) = keys::of(table).find(|key| key.name == name) {
                self.value(key, &within(name), value.get_ref(), line);
            } else if keys::tables().contains(&inner.as_str()) {
                self.inner(&inner, &within(name), value, line);
            } else {
                meant.extend(self.unknown(table, &within(name), name, line));
            }
        }
        let there = |name: &str| meant.contains(&name) || entries.iter().any(|(key, _)| key.get_ref().as_ref() == name);
        for key in keys::of(table).filter(|key| key.required && !there(key.name)) {
            let path = if path.is_empty() { key.name.to_owned() } else { format!("{path}.{}", key.name) };
            let remedy = format!("add {} = …: {}", key.name, key.what);
            self.settings.misfit(&path, &Source::Line(at), String::new(), "is missing", remedy);
        }
    }

    fn inner(&mut self, table: &str, path: &str, value: &Spanned<DeValue<'_>>, line: usize) {
        match (value.get_ref(), keys::is_list(table)) {
            (DeValue::Table(entries), false) => self.table(table, path, entries, line),
            (DeValue::Array(list), true) => {
                for item in list {
                    // The line of `[[…]]`, which is where the item's span begins.
                    let at = self::line(self.text, item.span().start);
                    let path = self.settings.add(path);
                    match item.get_ref() {
                        DeValue::Table(entries) => self.table(table, &path, entries, at),
                        _ => self.misfit(&path, at, "is no table", &format!("begin it with a line [[{table}]]")),
                    }
                }
            }
            (_, false) => self.misfit(path, line, "is no table", &format!("write it as [{table}]")),
            (_, true) => {
                self.misfit(path, line, "is no list of tables", &format!("begin each with a line [[{table}]]"));
            }
        }
    }

    fn value(&mut self, key: &Key, path: &str, value: &DeValue<'_>, line: usize) {
        let value = match (key.takes, value) {
            (Takes::Flag, DeValue::Boolean(flag)) => Value::Flag(*flag),
            (Takes::Whole(..), DeValue::Integer(number)) => {
                let digits = number.as_str().replace('_', "");
                match i64::from_str_radix(&digits, number.radix()) {
                    Ok(number) => Value::Whole(number),
                    Err(_) => Value::Whole(i64::MAX),
                }
            }
            (Takes::Texts, DeValue::Array(list)) => {
                let texts = list.iter().map(|item| match item.get_ref() {
                    DeValue::String(text) => Some(text.to_string()),
                    _ => None,
                });
                match texts.collect() {
                    Some(texts) => Value::Texts(texts),
                    None => return self.misfit(path, line, "has an item that is no text", "write each in quotes"),
                }
            }
            (Takes::Flag, _) => {
                return self.misfit(path, line, "is neither true nor false", "write one, without quotes");
            }
            (Takes::Whole(least, most), _) => {
                let remedy = format!("write one from {least} to {most}, without quotes");
                return self.misfit(path, line, "is no whole number", &remedy);
            }
            (Takes::Texts, _) => return self.misfit(path, line, "is no list", "write a list as in [\"a\", \"b\"]"),
            (_, DeValue::String(text)) => Value::Text(text.to_string()),
            (_, _) => return self.misfit(path, line, "is no text", "write it in quotes"),
        };
        self.settings.say(path, value, Source::Line(line));
    }

    /// Tells a key that there is not; the key that was probably meant.
    fn unknown(&mut self, table: &str, path: &str, name: &str, line: usize) -> Option<&'static str> {
        let known: Vec<&'static str> = keys::of(table).map(|key| key.name).collect();
        let inner = keys::tables().into_iter().filter_map(|inner| match (table, inner.rsplit_once('.')) {
            ("", None) if !inner.is_empty() => Some(inner),
            (_, Some((outer, name))) if outer == table => Some(name),
            _ => None,
        });
        let all: Vec<&'static str> = known.iter().copied().chain(inner).collect();
        let secret_file = format!("{name}_file");
        let nearest = all
            .iter()
            .map(|known| (strsim::jaro_winkler(&name.to_lowercase(), known), *known))
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .filter(|(alike, _)| *alike >= ALIKE);
        let at_top = !table.is_empty() && keys::of("").any(|key| key.name == name);
        let own_file = all.iter().copied().find(|known| *known == secret_file);
        let (meant, remedy) = if let Some(file) = own_file {
            (Some(file), format!("{REMEDY_FOR_SECRETS} {file}"))
        } else if at_top {
            (None, "it belongs to the top: move it above the first line in [brackets]".to_owned())
        } else if let Some((_, nearest)) = nearest {
            (Some(nearest), format!("write {nearest}, if that is meant"))
        } else {
            (None, format!("remove it; known here are {}", all.join(", ")))
        };
        self.misfit(path, line, "is a key that there is not", &remedy);
        meant
    }

    fn misfit(&mut self, path: &str, line: usize, wrong: &str, remedy: &str) {
        self.settings.misfit(path, &Source::Line(line), String::new(), wrong, remedy);
    }
}

/// The line of a byte, from 1.
fn line(text: &str, byte: usize) -> usize {
    1 + text.as_bytes().iter().take(byte).filter(|byte| **byte == b'\n').count()
}

/// Reads a value as it stands in an environment variable or in the table of keys.
pub fn value_of(key: &Key, text: &str) -> Option<Value> {
    match key.takes {
        Takes::Flag => text.trim().parse().ok().map(Value::Flag),
        Takes::Whole(..) => text.trim().parse().ok().map(Value::Whole),
        Takes::Texts => Some(Value::Texts(text.split(',').map(|item| item.trim().to_owned()).collect())),
        Takes::Text | Takes::Path | Takes::SecretFile | Takes::Url | Takes::Address | Takes::Word(_) => {
            Some(Value::Text(text.to_owned()))
        }
    }
}

/// The default of a key, as the table of keys writes it.
pub fn default_of(key: &Key) -> Option<Value> {
    let text = format!("x = {}", key.default);
    let root = DeTable::parse(&text).ok()?;
    let (_, value): (&Spanned<Cow<'_, str>>, &Spanned<DeValue<'_>>) = root.get_ref().iter().next()?;
    match value.get_ref() {
        DeValue::String(text) => Some(Value::Text(text.to_string())),
        DeValue::Boolean(flag) => Some(Value::Flag(*flag)),
        DeValue::Integer(number) => number.as_str().parse().ok().map(Value::Whole),
        DeValue::Array(list) => {
            let texts = list.iter().filter_map(|item| match item.get_ref() {
                DeValue::String(text) => Some(text.to_string()),
                _ => None,
            });
            Some(Value::Texts(texts.collect()))
        }
        _ => None,
    }
}
