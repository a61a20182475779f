//! Findings: what a check has to say about a site, its file or its tables, from faults to mere notes.
//!
//! A [`Refusal`](crate::Refusal) says why a file cannot be used at all; findings also speak of what can be used and
//! should better be different. Each has a stable code that scripts may rely on and `docs/formats/site.md` explains.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// How bad a finding is. The worst comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Cannot be used as it is.
    Error,
    /// Can be used, and should be looked at by somebody who knows the site.
    Warning,
    /// Worth knowing.
    Note,
}

/// Where in a file something stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file, where several are read at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The sheet, where the file has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// Line of a text or row of a table, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Header of the column, where the file is a table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
}

impl Place {
    /// A line of the one file that is read.
    pub fn line(line: usize) -> Self {
        Place { line: Some(line), ..Place::default() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        parts.extend(self.file.clone());
        parts.extend(self.sheet.as_ref().map(|sheet| format!("sheet {sheet:?}")));
        let line = if self.file.is_some() { "row" } else { "line" };
        parts.extend(self.line.map(|number| format!("{line} {number}")));
        parts.extend(self.column.as_ref().map(|column| format!("column {column:?}")));
        f.write_str(&parts.join(", "))
    }
}

/// Where each value came from, by its path.
#[derive(Debug, Clone, Default)]
pub struct Places(BTreeMap<String, Place>);

impl Places {
    /// Notes the place of a path.
    pub(crate) fn insert(&mut self, path: String, place: Place) {
        self.0.insert(path, place);
    }

    /// The place of a path, or of the innermost thing around it whose place is known.
    pub fn find(&self, path: &str) -> Option<&Place> {
        let mut path = path;
        loop {
            if let Some(place) = self.0.get(path) {
                return Some(place);
            }
            path = &path[..path.rfind(['.', '['])?];
        }
    }
}

/// One thing to say. Displayed, it is one line: where, whose, what stands there, what is wrong; what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What kind it is; stable.
    pub code: &'static str,
    /// Where the value stands, if it stands anywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The value's path in the site file, such as `boards[3].limit_a`; empty for the whole.
    pub path: String,
    /// Whose it is, such as `board "UV3"`; empty where the value has no owner.
    pub subject: String,
    /// What stands there; empty where nothing does.
    pub value: String,
    /// What is wrong with it, worded to follow the value.
    pub wrong: String,
    /// What to do about it.
    pub remedy: String,
}

impl Finding {
    /// A finding about a path, which says nothing yet.
    pub(crate) fn new(severity: Severity, code: &'static str, path: impl Into<String>) -> Self {
        Finding {
            severity,
            code,
            place: None,
            path: path.into(),
            subject: String::new(),
            value: String::new(),
            wrong: String::new(),
            remedy: String::new(),
        }
    }

    /// An error about a path.
    pub(crate) fn error(code: &'static str, path: impl Into<String>) -> Self {
        Finding::new(Severity::Error, code, path)
    }

    /// A warning about a path.
    pub(crate) fn warning(code: &'static str, path: impl Into<String>) -> Self {
        Finding::new(Severity::Warning, code, path)
    }

    /// A note about a path.
    pub(crate) fn note(code: &'static str, path: impl Into<String>) -> Self {
        Finding::new(Severity::Note, code, path)
    }

    pub(crate) fn at(mut self, place: Option<Place>) -> Self {
        self.place = place;
        self
    }

    pub(crate) fn of(mut self, subject: impl Into<String>) -> Self {
        self.subject = subject.into();
        self
    }

    pub(crate) fn value(mut self, value: impl Into<String>) -> Self {
        self.value = value.into();
        self
    }

    pub(crate) fn says(mut self, wrong: impl Into<String>, remedy: impl Into<String>) -> Self {
        self.wrong = wrong.into();
        self.remedy = remedy.into();
        self
    }

    /// Whether it keeps the site from being used.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A cell is found by its row and column; a path into the site file would only be noise beside them.
        let in_table = self.place.as_ref().is_some_and(|place| place.file.is_some());
        let mut head: Vec<String> = self.place.iter().map(ToString::to_string).collect();
        if !in_table && !self.path.is_empty() {
            head.push(self.path.clone());
        }
        let mut head = head.join(", ");
        if !self.subject.is_empty() {
            head = if head.is_empty() { self.subject.clone() } else { format!("{head} ({})", self.subject) };
        }
        if !head.is_empty() {
            write!(f, "{head}: ")?;
        }
        if !self.value.is_empty() {
            write!(f, "{} ", self.value)?;
        }
        write!(f, "{}; {}", self.wrong, self.remedy)
    }
}

/// Whether any of the findings is an error.
pub fn any_error(findings: &[Finding]) -> bool {
    findings.iter().any(Finding::is_error)
}
