//! Environment variables: `KWARTIER_` and the key's path in capitals.

use super::keys::{KEYS, Takes};
use super::read::value_of;
use super::settings::{Settings, Source, Value};
use kwartier_data::{Finding, Severity};

/// What begins the name of each.
const PREFIX: &str = "KWARTIER_";

/// In place of all addresses that the file says, one.
const LISTEN: &str = "KWARTIER_LISTEN";

/// Takes what the environment says.
pub fn apply(variables: impl IntoIterator<Item = (String, String)>, settings: &mut Settings) {
    let mut variables: Vec<(String, String)> =
        variables.into_iter().filter(|(name, _)| name.starts_with(PREFIX)).collect();
    variables.sort();
    for (name, text) in variables {
        let source = Source::Variable(name.clone());
        if name == LISTEN {
            settings.clear("listen");
            let path = settings.add("listen");
            settings.say(format!("{path}.address"), Value::Text(text), source);
            continue;
        }
        let Some(key) = KEYS.iter().find(|key| key.variable().is_some_and(|variable| variable == name)) else {
            settings.findings.push(Finding {
                severity: Severity::Warning,
                code: "configuration",
                place: None,
                path: String::new(),
                subject: format!("environment variable {name}"),
                value: String::new(),
                wrong: "is not known and does nothing".to_owned(),
                remedy: "remove it, or see docs/configuration.md for those that are".to_owned(),
            });
            continue;
        };
        let path = if key.table.is_empty() { key.name.to_owned() } else { format!("{}.{}", key.table, key.name) };
        if let Some(value) = value_of(key, &text) {
            settings.say(path, value, source);
        } else {
            let (wrong, remedy) = match key.takes {
                Takes::Flag => ("is neither true nor false", "set one of the two".to_owned()),
                Takes::Whole(least, most) => ("is no whole number", format!("set one from {least} to {most}")),
                _ => ("cannot be read", "see docs/configuration.md".to_owned()),
            };
            settings.misfit(&path, &source, format!("\"{}\"", text.escape_debug()), wrong, remedy);
        }
    }
}
