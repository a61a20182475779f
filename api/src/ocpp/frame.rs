//! OCPP-J frames (OCPP-J 1.6, section 4; OCPP 2.0.1 part 4, section 4): JSON arrays that begin with the kind of message.

use ocpp_types::validate::{Validate, ValidationErrorKind};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::door::Version;

/// The longest id of a message, in characters.
const LONGEST_ID: usize = 36;

/// A frame that came.
#[derive(Debug, Clone, PartialEq)]
pub enum Frame {
    /// Something is asked or told, and wants an answer.
    Call {
        /// Its id.
        id: String,
        /// Which message.
        action: String,
        /// What it says.
        payload: Value,
    },
    /// An answer.
    Result {
        /// To which call.
        id: String,
        /// What it says.
        payload: Value,
    },
    /// A call was not understood or could not be followed.
    Error {
        /// Which call.
        id: String,
        /// The code, as the specification names it.
        code: String,
    },
    /// Something is told and wants no answer (2.1).
    Send,
}

/// A frame that is none: what can be answered to it, if anything.
#[derive(Debug, Clone, PartialEq)]
pub struct Malformed {
    /// The id of the call, where that much can be read.
    pub id: Option<String>,
    /// What is wrong.
    pub refusal: Refusal,
}

/// Why a call is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What kind of refusal.
    pub kind: RefusalKind,
    /// In words.
    pub text: String,
}

/// Kinds of refusal; their codes differ a little between the versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// The message is not known.
    NotImplemented,
    /// The message is known and not for us.
    NotSupported,
    /// It is no message of this shape.
    Format,
    /// A value is not allowed.
    Property,
    /// Something is missing, or there too often.
    Occurrence,
    /// We failed.
    Internal,
}

impl RefusalKind {
    /// Its code in a version. 1.6 spells two of them in its own way.
    pub fn code(self, version: Version) -> &'static str {
        match (self, version) {
            (RefusalKind::NotImplemented, _) => "NotImplemented",
            (RefusalKind::NotSupported, _) => "NotSupported",
            (RefusalKind::Format, Version::V16) => "FormationViolation",
            (RefusalKind::Format, _) => "FormatViolation",
            (RefusalKind::Property, _) => "PropertyConstraintViolation",
            (RefusalKind::Occurrence, Version::V16) => "OccurenceConstraintViolation",
            (RefusalKind::Occurrence, _) => "OccurrenceConstraintViolation",
            (RefusalKind::Internal, _) => "InternalError",
        }
    }
}

impl Refusal {
    /// A refusal.
    pub fn new(kind: RefusalKind, text: impl Into<String>) -> Refusal {
        Refusal { kind, text: text.into() }
    }
}

/// Reads a frame.
pub fn read(text: &str) -> Result<Frame, Malformed> {
    let broken = |id: Option<String>, text: &str| Malformed { id, refusal: Refusal::new(RefusalKind::Format, text) };
    let Ok(Value::Array(parts)) = serde_json::from_str::<Value>(text) else {
        return Err(broken(None, "a frame is a JSON array"));
    };
    let written = parts.get(1).and_then(Value::as_str).map(str::to_owned);
    let written = written.filter(|id| !id.is_empty() && id.chars().count() <= LONGEST_ID);
    let id = || written.clone().ok_or_else(|| broken(None, "the id of a message is text of 1 to 36 characters"));
    match (parts.first().and_then(Value::as_i64), parts.as_slice()) {
        (Some(2), [_, _, Value::String(action), payload @ Value::Object(_)]) => {
            Ok(Frame::Call { id: id()?, action: action.clone(), payload: payload.clone() })
        }
        (Some(2), _) => Err(broken(written.clone(), "a call is [2, id, action, {…}]")),
        (Some(3), [_, _, payload @ Value::Object(_)]) => Ok(Frame::Result { id: id()?, payload: payload.clone() }),
        (Some(4), [_, _, Value::String(code), ..]) => Ok(Frame::Error { id: id()?, code: code.clone() }),
        (Some(5 | 6), _) => Ok(Frame::Send),
        _ => Err(broken(None, "a frame begins with 2, 3 or 4")),
    }
}

/// A call to send.
pub fn call(id: &str, action: &str, payload: &Value) -> String {
    json!([2, id, action, payload]).to_string()
}

/// An answer to send.
pub fn result(id: &str, payload: &Value) -> String {
    json!([3, id, payload]).to_string()
}

/// A refusal to send.
pub fn error(id: &str, refusal: &Refusal, version: Version) -> String {
    json!([4, id, refusal.kind.code(version), refusal.text, {}]).to_string()
}

/// A payload as the type that its schema is, checked against what the type alone cannot say.
pub fn typed<T: DeserializeOwned + Validate>(payload: &Value) -> Result<T, Refusal> {
    let read: T = serde_path_to_error::deserialize(payload).map_err(|fault| {
        let (path, why) = (fault.path().to_string(), fault.inner().to_string());
        let kind = if why.starts_with("missing field") { RefusalKind::Occurrence } else { RefusalKind::Property };
        Refusal::new(kind, format!("{path}: {why}"))
    })?;
    read.validate().map_err(|fault| {
        let occurrence =
            matches!(fault.kind(), ValidationErrorKind::TooFewItems { .. } | ValidationErrorKind::TooManyItems { .. });
        let kind = if occurrence { RefusalKind::Occurrence } else { RefusalKind::Property };
        Refusal::new(kind, fault.to_string())
    })?;
    Ok(read)
}
