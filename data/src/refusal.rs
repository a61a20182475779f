//! Why a file was refused: every fault found, each with its place, what stands there, what is wrong and what to do.

use std::fmt::{self, Write as _};

use serde::Serialize;

/// How many faults a [`Refusal`] lists; the others are counted.
///
/// A generator that gets one field wrong gets it wrong thousands of times; twenty are enough to see the pattern.
pub const LISTED_FAULTS: usize = 20;

/// The longest text of a value, name or path that a fault repeats, in characters.
const LONGEST_TEXT: usize = 80;

/// One thing wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The place as a JSON path, such as `$.sessions[17].need_kwh`.
    pub path: String,
    /// Whose it is, such as `session "S18"`; empty where the place has no owner.
    pub subject: String,
    /// What stands there; empty where nothing does.
    pub value: String,
    /// What is wrong with it, worded to follow the value.
    pub wrong: String,
    /// What to do about it.
    pub remedy: String,
}

impl Fault {
    /// A fault of the whole file.
    pub fn of_file(value: &str, wrong: impl Into<String>, remedy: impl Into<String>) -> Self {
        Fault {
            path: "$".to_owned(),
            subject: String::new(),
            value: clip(value),
            wrong: wrong.into(),
            remedy: remedy.into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path)?;
        if !self.subject.is_empty() {
            write!(f, " ({})", self.subject)?;
        }
        f.write_str(": ")?;
        if !self.value.is_empty() {
            write!(f, "{} ", self.value)?;
        }
        write!(f, "{}; {}", self.wrong, self.remedy)
    }
}

/// A file that cannot be used: at least one fault. Displayed, it is one line per fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    faults: Vec<Fault>,
    found: usize,
}

impl Refusal {
    /// The faults, the first [`LISTED_FAULTS`] of them; never empty.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// How many faults were found, listed or not.
    pub fn found(&self) -> usize {
        self.found
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Refusal { faults: vec![fault], found: 1 }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (k, fault) in self.faults.iter().enumerate() {
            if k > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{fault}")?;
        }
        match self.found - self.faults.len() {
            0 => Ok(()),
            more => write!(f, "\nand {more} more"),
        }
    }
}

impl std::error::Error for Refusal {}

/// Collects faults; keeps the first [`LISTED_FAULTS`] and counts the rest, so that it stays small whatever the file.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    kept: Vec<Fault>,
    found: usize,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.found += 1;
        if self.kept.len() < LISTED_FAULTS {
            self.kept.push(fault);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.found == 0
    }

    /// The first fault.
    pub(crate) fn first(&self) -> Option<&Fault> {
        self.kept.first()
    }

    /// Whether a fault of this place is among those kept.
    pub(crate) fn names(&self, path: &str) -> bool {
        self.kept.iter().any(|fault| fault.path == path)
    }

    /// `value`, unless there are faults.
    pub(crate) fn or<T>(self, value: T) -> Result<T, Refusal> {
        if self.is_empty() { Ok(value) } else { Err(Refusal { faults: self.kept, found: self.found }) }
    }
}

/// The text on one line and of bounded length.
pub(crate) fn clip(text: &str) -> String {
    let mut clipped: String =
        text.chars().take(LONGEST_TEXT).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if clipped.len() < text.len() {
        clipped.push('…');
    }
    clipped
}

/// A string of the file as a fault shows it: in quotes, escaped, of bounded length.
pub(crate) fn quoted(text: &str) -> String {
    let mut inner = String::new();
    for c in text.chars().take(LONGEST_TEXT) {
        match c {
            '"' => inner.push_str("\\\""),
            c if c.is_control() => inner.extend(c.escape_default()),
            c => inner.push(c),
        }
    }
    let cut = if text.chars().nth(LONGEST_TEXT).is_some() { "…" } else { "" };
    format!("\"{inner}{cut}\"")
}

/// A number as a fault shows it: without needless decimals, and never hundreds of digits.
pub(crate) fn number(x: f64) -> String {
    if x.abs() < 1e15 && (x == 0.0 || x.abs() >= 1e-6) { format!("{x}") } else { format!("{x:?}") }
}

/// Names in quotes, the first eight of them.
pub(crate) fn names<'a>(all: impl ExactSizeIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 8;
    let more = all.len().saturating_sub(SHOWN);
    let mut shown = all.take(SHOWN).map(quoted).collect::<Vec<_>>().join(", ");
    if more > 0 {
        let _ = write!(shown, " and {more} more");
    }
    shown
}
