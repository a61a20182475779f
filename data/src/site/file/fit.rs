//! Holding a tree against the shape of a site file: every misfit, not just the first.

use std::fmt::Write as _;

use super::shape::{BY_PHASE, Field, Kind, SITE, Shape};
use super::tree::{Entry, Node, Value};
use crate::finding::{Finding, Place, Places};
use crate::refusal::{clip, quoted};

/// How alike two keys are, from 0 to 1, for one to be taken for a slip of the other.
const ALIKE: f64 = 0.75;

/// The largest magnitude of any number: beyond it, units are mixed up.
const LARGEST: f64 = 1e9;

/// Walks the tree.
pub(super) struct Fit {
    pub(super) findings: Vec<Finding>,
    pub(super) places: Places,
    /// Kind and name of the thing the walk is in.
    subject: String,
}

impl Fit {
    /// Holds the whole file against its shape.
    pub(super) fn of(root: &Node) -> Fit {
        let mut fit = Fit { findings: Vec::new(), places: Places::default(), subject: String::new() };
        match root.get("format") {
            Some(Node { line, value: Value::Number(number, written) }) if (*number - 1.0).abs() > 0.0 => {
                let says = ("is a format this program does not know", "write format = 1, or use a newer program");
                fit.misfit("unknown-format", "format", *line, written.clone(), says);
            }
            _ => fit.table("", root, &SITE),
        }
        fit
    }

    fn misfit(
        &mut self,
        code: &'static str,
        path: &str,
        line: usize,
        value: String,
        says: (impl Into<String>, impl Into<String>),
    ) {
        let place = (line > 0).then(|| Place::line(line));
        let finding = Finding::error(code, path).at(place).of(self.subject.clone()).value(value);
        self.findings.push(finding.says(says.0, says.1));
    }

    fn wrong_kind(&mut self, path: &str, node: &Node, wrong: &str, remedy: impl Into<String>) {
        self.misfit("wrong-type", path, node.line, shown(&node.value), (wrong, remedy));
    }

    fn table(&mut self, path: &str, node: &Node, shape: &Shape) {
        let Value::Table(entries) = &node.value else {
            let remedy = if path.is_empty() { "write { … }".to_owned() } else { format!("write it as [{path}]") };
            self.wrong_kind(path, node, "is no table", remedy);
            return;
        };
        let within = |key: &str| if path.is_empty() { plain(key) } else { format!("{path}.{}", plain(key)) };
        // Keys that a misspelled one was probably meant to be: not told as missing.
        let mut meant: Vec<&str> = Vec::new();
        for entry in entries {
            let path = within(&entry.key);
            if entry.line > 0 {
                self.places.insert(path.clone(), Place::line(entry.line));
            }
            match shape.fields.iter().find(|field| field.name == entry.key) {
                Some(_) if matches!(entry.node.value, Value::Null) => {}
                Some(field) => self.field(&path, &entry.node, field),
                None => meant.extend(self.unknown(&path, entry, node, shape)),
            }
        }
        let there = |name: &str| node.get(name).is_some_and(|node| !matches!(node.value, Value::Null));
        for field in
            shape.fields.iter().filter(|field| field.required && !there(field.name) && !meant.contains(&field.name))
        {
            let says = ("is missing", example(field));
            self.misfit("missing-key", &within(field.name), node.line, String::new(), says);
        }
    }

    /// Tells an unknown key; the key that was probably meant.
    fn unknown(&mut self, path: &str, entry: &Entry, table: &Node, shape: &Shape) -> Option<&'static str> {
        let nearest = shape
            .fields
            .iter()
            .filter(|field| table.get(field.name).is_none())
            .map(|field| (strsim::jaro_winkler(&entry.key.to_lowercase(), field.name), field.name))
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .filter(|(alike, _)| *alike >= ALIKE);
        let of_site = SITE.fields.iter().any(|field| field.name == entry.key);
        let remedy = match nearest {
            Some((_, name)) => format!("write {name}, if that is meant"),
            None if of_site => "it belongs to the site: move it up, above the first line in [brackets]".to_owned(),
            None => {
                let known: Vec<&str> = shape.fields.iter().map(|field| field.name).collect();
                format!("remove it; known here are {}", known.join(", "))
            }
        };
        self.misfit("unknown-key", path, entry.line, String::new(), ("is a key the format does not know", remedy));
        nearest.map(|(_, name)| name)
    }

    fn field(&mut self, path: &str, node: &Node, field: &Field) {
        match (field.kind, &node.value) {
            (Kind::Text | Kind::Date, Value::Text(_)) | (Kind::Flag, Value::Flag(_)) => {}
            (Kind::Date, Value::Date(date)) if !date.contains(':') => {}
            (Kind::Text, _) => self.wrong_kind(path, node, "is no text", text_remedy(&node.value)),
            (Kind::Date, _) => self.wrong_kind(path, node, "is no date", "write a day in quotes, such as \"2025-01-01\""),
            (Kind::Flag, _) => self.wrong_kind(path, node, "is neither true nor false", "write one of the two, without quotes"),
            (Kind::Number, _) => self.number(path, node, field),
            (Kind::Whole, Value::Number(number, _)) if number.fract() == 0.0 && (0.0..=255.0).contains(number) => {}
            (Kind::Whole, _) => {
                self.wrong_kind(path, node, "is no whole number from 0 to 255", "write one, without quotes");
            }
            (Kind::PerPhase | Kind::HourlyByPhase, Value::List(list)) => self.three(path, node, list, field),
            (Kind::HourlyByPhase, Value::Table(_)) => self.table(path, node, &BY_PHASE),
            (Kind::PerPhase | Kind::Hourly | Kind::HourlyByPhase, Value::Text(_) | Value::Number(..)) => {
                self.number(path, node, field);
            }
            (Kind::Hourly | Kind::Numbers, Value::List(list)) => {
                for (k, item) in list.iter().enumerate() {
                    self.number(&format!("{path}[{k}]"), item, field);
                }
            }
            (Kind::PerPhase, _) => {
                self.wrong_kind(path, node, "is no current", "write one number, or three as in [125, 125, 100] for L1, L2, L3");
            }
            (Kind::Hourly | Kind::Numbers, _) => {
                self.wrong_kind(path, node, "is no number and no list of them", "write a list of 24 numbers, one an hour from midnight");
            }
            (Kind::HourlyByPhase, _) => self.wrong_kind(
                path,
                node,
                "is no current",
                "write one number, three as in [20, 20, 15] for L1, L2, L3, or a table with l1, l2, l3 of 24 numbers each",
            ),
            (Kind::Texts, Value::List(list)) => {
                for (k, item) in list.iter().enumerate().filter(|(_, item)| item.text().is_none()) {
                    self.wrong_kind(&format!("{path}[{k}]"), item, "is no text", "write it in quotes");
                }
            }
            (Kind::Choice(choices), _) => self.choice(path, node, choices),
            (Kind::Choices(choices), Value::List(list)) => {
                for (k, item) in list.iter().enumerate() {
                    self.choice(&format!("{path}[{k}]"), item, choices);
                }
            }
            (Kind::Texts | Kind::Choices(_), _) => {
                self.wrong_kind(path, node, "is no list", "write it as a list, such as [\"L1\", \"L2\"]");
            }
            (Kind::Table(shape), _) => self.table(path, node, shape),
            (Kind::Tables(shape), Value::List(list)) => self.tables(path, list, shape),
            (Kind::Tables(_), _) => {
                let remedy = format!("begin each with a line [[{path}]]");
                self.wrong_kind(path, node, "is no list of tables", remedy);
            }
            (Kind::Variants(variants), _) => self.variants(path, node, variants),
        }
    }

    fn tables(&mut self, path: &str, list: &[Node], shape: &Shape) {
        let outer = self.subject.clone();
        for (k, item) in list.iter().enumerate() {
            let path = format!("{path}[{k}]");
            if item.line > 0 {
                self.places.insert(path.clone(), Place::line(item.line));
            }
            if let Some(name) = item.get("id").or_else(|| item.get("name")).and_then(Node::text) {
                self.subject = format!("{} {}", shape.kind, quoted(name));
            }
            self.table(&path, item, shape);
            self.subject.clone_from(&outer);
        }
    }

    fn variants(&mut self, path: &str, node: &Node, variants: &[(&str, Shape)]) {
        let names: Vec<&str> = variants.iter().map(|(name, _)| *name).collect();
        if !matches!(node.value, Value::Table(_)) {
            let remedy =
                format!("write a table such as {{ kind = \"fixed\", eur_kwh = 0.05 }}; kinds are {}", names.join(", "));
            self.wrong_kind(path, node, "is no table", remedy);
            return;
        }
        let kind = node.get("kind");
        let known = variants.iter().find(|(name, _)| kind.and_then(Node::text) == Some(name));
        let path_of_kind = format!("{path}.kind");
        match (known, kind) {
            (Some((_, shape)), _) => self.table(path, node, shape),
            (None, Some(kind)) => self.choice(&path_of_kind, kind, &names),
            (None, None) => {
                let says = ("is missing", format!("write one of {}", names.join(", ")));
                self.misfit("missing-key", &path_of_kind, node.line, String::new(), says);
            }
        }
    }

    fn choice(&mut self, path: &str, node: &Node, choices: &[&str]) {
        if node.text().is_some_and(|text| choices.contains(&text)) {
            return;
        }
        let list: Vec<String> = choices.iter().map(|choice| format!("\"{choice}\"")).collect();
        self.wrong_kind(path, node, "is not known here", format!("write one of {}", list.join(", ")));
    }

    fn three(&mut self, path: &str, node: &Node, list: &[Node], field: &Field) {
        for (k, item) in list.iter().enumerate() {
            self.number(&format!("{path}[{k}]"), item, field);
        }
        if list.len() != 3 {
            let mut remedy = "write three numbers for L1, L2, L3, or one number for all".to_owned();
            if matches!(field.kind, Kind::HourlyByPhase) {
                let _ = write!(remedy, "; by the hour it is a table with l1, l2, l3 of 24 numbers each");
            }
            let wrong = format!("has {} numbers", list.len());
            self.misfit("wrong-type", path, node.line, String::new(), (wrong, remedy));
        }
    }

    fn number(&mut self, path: &str, node: &Node, field: &Field) {
        match &node.value {
            Value::Number(number, _) if number.is_finite() && number.abs() <= LARGEST => {}
            Value::Number(_, written) => {
                let says = ("is no number that any site has", format!("write a number of {}", unit(field.name)));
                self.misfit("wrong-type", path, node.line, clip(written), says);
            }
            value => self.wrong_kind(path, node, "is no number", number_remedy(value, field.name)),
        }
    }
}

/// A key as TOML writes it.
fn plain(key: &str) -> String {
    let bare =
        !key.is_empty() && key.len() <= 40 && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    if bare { key.to_owned() } else { quoted(key) }
}

/// A value in a few words.
fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => quoted(text),
        Value::Number(_, written) => clip(written),
        Value::Flag(flag) => flag.to_string(),
        Value::Date(date) => date.clone(),
        Value::Null => "null".to_owned(),
        Value::List(_) => "a list".to_owned(),
        Value::Table(_) => "a table".to_owned(),
    }
}

/// What a number under that name counts.
fn unit(name: &str) -> &'static str {
    // The longest ending first.
    let units = [
        ("_eur_kwh", "EUR per kWh"),
        ("eur_kwh", "EUR per kWh"),
        ("eur_kw_month", "EUR per kW and month"),
        ("_kwh", "kWh"),
        ("_kw", "kW"),
        ("_deg", "degrees"),
        ("_v", "volts"),
        ("_a", "amperes"),
        ("_percent", "percent"),
        ("l1", "amperes"),
        ("l2", "amperes"),
        ("l3", "amperes"),
    ];
    units.into_iter().find(|(end, _)| name.ends_with(end)).map_or("the right size", |(_, unit)| unit)
}

fn number_remedy(value: &Value, name: &str) -> String {
    let counts = unit(name);
    let of = if counts == "the right size" { String::new() } else { format!(" of {counts}") };
    let text = if let Value::Text(text) = value { text.trim() } else { "" };
    let digits: String = text.chars().take_while(|c| c.is_ascii_digit() || *c == '.' || *c == ',').collect();
    match digits.replace(',', ".").parse::<f64>() {
        Ok(number) if digits.len() == text.len() || text[digits.len()..].trim().chars().all(char::is_alphabetic) => {
            format!("write {number}, a bare number{of} without unit or quotes")
        }
        _ => format!("write a bare number{of}, without unit or quotes"),
    }
}

fn text_remedy(value: &Value) -> String {
    match value {
        Value::Number(_, written) => format!("write it in quotes: \"{}\"", clip(written)),
        Value::Date(date) => format!("write it in quotes: \"{date}\""),
        _ => "write it in quotes".to_owned(),
    }
}

/// How a missing key is written.
fn example(field: &Field) -> String {
    match (field.name, field.kind) {
        ("format", _) => "add format = 1".to_owned(),
        ("time_zone", _) => "add the site's zone, such as time_zone = \"Europe/Amsterdam\"".to_owned(),
        ("boards", _) => "add at least the grid connection, a board without parent, under [[boards]]".to_owned(),
        ("limit_a", _) => "add the rating of fuse or cable in amperes, such as limit_a = 125".to_owned(),
        (name, Kind::Text) => format!("add {name} = \"…\""),
        (name, Kind::Number | Kind::Whole | Kind::PerPhase) => format!("add {name} = a number of {}", unit(name)),
        (name, _) => format!("add {name}"),
    }
}
