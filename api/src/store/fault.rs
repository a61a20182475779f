//! Why the store could not do what it was asked for.

use super::document::Key;

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A document is not in the version that was expected. Nothing was written.
    #[error("{key} is in version {found:?}, not in the one that was expected")]
    Conflict {
        /// Which.
        key: Key,
        /// What there is; `None`, nothing.
        found: Option<u64>,
    },
    /// An answer is remembered under this idempotency key already: the request has been answered. Nothing was written.
    #[error("the request {0} has been answered already")]
    Repeated(String),
    /// It cannot be written or read now: the disk is full or read-only, the connection is lost. Trying later may help.
    #[error("the database cannot be used now: {0}")]
    Unavailable(String),
    /// What is kept cannot be understood.
    #[error("the database holds what cannot be read: {0}")]
    Corrupt(String),
}

impl Fault {
    /// The same, saying which file or place it is about.
    pub fn of(self, place: &str) -> Fault {
        match self {
            Fault::Unavailable(why) => Fault::Unavailable(format!("{place}: {why}")),
            Fault::Corrupt(why) => Fault::Corrupt(format!("{place}: {why}")),
            other => other,
        }
    }
}
