//! Why an answer gives no values, told apart by what to do next.

use std::fmt;

use chrono::{DateTime, Utc};

use crate::refusal::{Fault, Refusal, quoted};

/// What to do about a feed that answers wrongly.
pub(super) const ASK_ANOTHER: &str = "use another feed until this one is right again";

/// Why an answer gives no values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoValues {
    /// What was asked for is not published yet. Ask again in minutes; says what the feed said.
    NotYet(String),
    /// The key is missing, wrong or not allowed to see this. Asking again does not help; says what the feed said.
    Refused(String),
    /// Too many requests, or the feed is out of order.
    Later {
        /// What the feed said.
        why: String,
        /// Not to ask before this instant, where the feed names one.
        until: Option<DateTime<Utc>>,
    },
    /// The answer cannot be used: each fault with its place, value and remedy.
    Broken(Refusal),
}

impl From<Refusal> for NoValues {
    fn from(refusal: Refusal) -> Self {
        NoValues::Broken(refusal)
    }
}

impl From<Fault> for NoValues {
    fn from(fault: Fault) -> Self {
        NoValues::Broken(fault.into())
    }
}

impl fmt::Display for NoValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoValues::NotYet(why) => write!(f, "not yet: {why}"),
            NoValues::Refused(why) => write!(f, "refused: {why}"),
            NoValues::Later { why, until: None } => write!(f, "later: {why}"),
            NoValues::Later { why, until: Some(until) } => {
                write!(f, "later, not before {}: {why}", until.format("%Y-%m-%dT%H:%M:%SZ"))
            }
            NoValues::Broken(refusal) => write!(f, "broken: {refusal}"),
        }
    }
}

impl std::error::Error for NoValues {}

/// An answer with a fault at a place of it. `value` stands there as it is.
pub(super) fn broken(
    path: impl Into<String>,
    value: impl Into<String>,
    wrong: impl Into<String>,
    remedy: impl Into<String>,
) -> NoValues {
    let fault = Fault {
        path: path.into(),
        subject: String::new(),
        value: value.into(),
        wrong: wrong.into(),
        remedy: remedy.into(),
    };
    fault.into()
}

/// An answer with a text that is wrong at a place of it.
pub(super) fn wrong_text(
    path: impl Into<String>,
    text: &str,
    wrong: impl Into<String>,
    remedy: impl Into<String>,
) -> NoValues {
    broken(path, quoted(text), wrong, remedy)
}

/// An answer that is wrong as a whole.
pub(super) fn broken_whole(wrong: impl Into<String>, remedy: impl Into<String>) -> NoValues {
    broken("$", "", wrong, remedy)
}
