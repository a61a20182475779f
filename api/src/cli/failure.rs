//! Why a command failed, and the exit code that says so.

use kwartier_data::Refusal;
use kwartier_engine::outcome::NoPlan;
use thiserror::Error;

use crate::store::Fault;

/// Exit code of a failure that better input would not have avoided.
pub const EXIT_INTERNAL: u8 = 1;

/// Exit code of input that cannot be used.
const EXIT_UNUSABLE: u8 = 2;

/// Why a command failed. Displayed, it says what, where, and what to do.
#[derive(Debug, Error)]
pub enum Failure {
    /// A file could not be read.
    #[error("{name}: cannot be read ({why}); {remedy}")]
    Unreadable {
        /// The file as the caller named it.
        name: String,
        /// What the system says.
        why: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A file was read and its content is refused.
    #[error("{name} is not a usable {kind}:\n{refusal}")]
    Refused {
        /// The file as the caller named it.
        name: String,
        /// What it should have been.
        kind: &'static str,
        /// Every fault.
        refusal: Refusal,
    },
    /// A file or several were read, and findings keep them from being used.
    #[error("{what}:\n{findings}")]
    Unfit {
        /// What cannot be used.
        what: String,
        /// The findings, one a line.
        findings: String,
    },
    /// Arguments that contradict each other.
    #[error("{0}")]
    Arguments(String),
    /// The place for the result cannot be written.
    #[error("{name}: cannot be written ({why}); {remedy}")]
    Unwritable {
        /// The place as the caller named it.
        name: String,
        /// What the system says.
        why: String,
        /// What to do.
        remedy: &'static str,
    },
    /// The result could not be written although its place had been checked.
    #[error("{name}: writing failed ({why})")]
    Lost {
        /// The place as the caller named it.
        name: String,
        /// What the system says.
        why: String,
    },
    /// What the service keeps cannot be opened, copied or written.
    #[error("{0}")]
    Storage(Fault),
    /// There is no plan.
    #[error(transparent)]
    NoPlan(#[from] NoPlan),
    /// Something that must not happen.
    #[error("internal fault: {0}")]
    Internal(String),
}

impl Failure {
    /// The exit code that tells a script which kind of failure this is.
    pub fn exit_code(&self) -> u8 {
        match self {
            Failure::Unreadable { .. }
            | Failure::Refused { .. }
            | Failure::Unfit { .. }
            | Failure::Arguments(_)
            | Failure::Storage(_)
            | Failure::Unwritable { .. } => EXIT_UNUSABLE,
            Failure::Lost { .. } | Failure::NoPlan(_) | Failure::Internal(_) => EXIT_INTERNAL,
        }
    }
}
