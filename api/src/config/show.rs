//! The whole configuration as it counts, as a TOML file. Of secrets only the file is shown that they are read from.

use std::fmt::Write as _;

#[cfg(test)]
use super::keys::Key;
use super::keys::{Takes, is_list, of, tables};
use super::settings::{Settings, Source, shown};

/// Everything that counts, with where it was said.
pub fn show(settings: &Settings) -> String {
    let mut text = String::new();
    for table in tables() {
        if table == "oidc.roles" {
            continue;
        }
        if is_list(table) {
            for path in settings.tables(table) {
                section(&mut text, settings, table, &path, &format!("[[{table}]]"));
                for role in settings.tables(&format!("{path}.roles")) {
                    section(&mut text, settings, "oidc.roles", &role, "[[oidc.roles]]");
                }
            }
        } else {
            let head = if table.is_empty() { String::new() } else { format!("[{table}]") };
            section(&mut text, settings, table, table, &head);
        }
    }
    text
}

fn section(text: &mut String, settings: &Settings, table: &str, path: &str, head: &str) {
    if !text.is_empty() {
        text.push('\n');
    }
    if !head.is_empty() {
        let _ = writeln!(text, "{head}");
    }
    for key in of(table) {
        let at = if path.is_empty() { key.name.to_owned() } else { format!("{path}.{}", key.name) };
        let line = match settings.get(&at) {
            Some(said) => {
                let secret = if key.takes == Takes::SecretFile { ", its content is secret" } else { "" };
                format!("{} = {}  # {}{secret}", key.name, shown(&said.value), told(&said.source))
            }
            None => format!("# {} is not set", key.name),
        };
        let _ = writeln!(text, "{line}");
    }
}

fn told(source: &Source) -> String {
    match source {
        Source::Line(line) => format!("line {line}"),
        Source::Variable(name) => name.clone(),
        Source::Argument(name) => (*name).to_owned(),
        Source::Default => "default".to_owned(),
    }
}

/// The table of `docs/configuration.md`, from the table of keys.
#[cfg(test)]
pub fn documentation() -> String {
    let mut text = String::new();
    for table in tables() {
        let head = match table {
            "" => "At the top".to_owned(),
            list if is_list(list) => format!("`[[{list}]]`"),
            table => format!("`[{table}]`"),
        };
        let _ = writeln!(
            text,
            "### {head}\n\n| key | takes | default | environment | what it does |\n|---|---|---|---|---|"
        );
        for key in of(table) {
            let default = match (key.required, key.default) {
                (true, _) => "required".to_owned(),
                (false, "") => "none".to_owned(),
                (false, default) => format!("`{default}`"),
            };
            let variable = key.variable().map_or_else(|| "none".to_owned(), |name| format!("`{name}`"));
            let _ = writeln!(text, "| `{}` | {} | {default} | {variable} | {} |", key.name, takes(key), key.what);
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
fn takes(key: &Key) -> String {
    match key.takes {
        Takes::Text => "text".to_owned(),
        Takes::Path => "file or folder".to_owned(),
        Takes::SecretFile => "file with a secret".to_owned(),
        Takes::Url => "web address".to_owned(),
        Takes::Address => "address and port".to_owned(),
        Takes::Whole(least, most) => format!("{least} to {most}"),
        Takes::Flag => "`true` or `false`".to_owned(),
        Takes::Word(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
        Takes::Texts => "list of texts".to_owned(),
    }
}
