//! Payloads from outside: read as the types of the edition, checked against what the schemas say, refused with the errors of
//! the specification.

use chrono::{DateTime, Utc};
use kwartier_engine::plant::profiles::{Edition, Refused};
use ocpp_types::OcppTimestamp;
use ocpp_types::validate::Validate;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::frame::Wrong;

/// Reads a payload.
pub(super) fn read<T: DeserializeOwned + Validate>(edition: Edition, payload: Value) -> Result<T, Wrong> {
    let message: T = serde_json::from_value(payload).map_err(|fault| {
        let text = fault.to_string();
        Wrong { code: code(edition, &text), text }
    })?;
    let broken = message.validate();
    broken.map_err(|fault| Wrong { code: "PropertyConstraintViolation", text: fault.to_string() })?;
    Ok(message)
}

/// What kind of fault it is. The two editions spell two of them differently.
fn code(edition: Edition, fault: &str) -> &'static str {
    let v16 = edition == Edition::V16;
    if fault.starts_with("missing field") {
        if v16 { "OccurenceConstraintViolation" } else { "OccurrenceConstraintViolation" }
    } else if fault.starts_with("invalid type") {
        "TypeConstraintViolation"
    } else if fault.starts_with("unknown variant") || fault.starts_with("invalid value") {
        "PropertyConstraintViolation"
    } else if v16 {
        "FormationViolation"
    } else {
        "FormatViolation"
    }
}

/// An instant.
pub(super) fn instant(stamp: &OcppTimestamp) -> DateTime<Utc> {
    DateTime::from_timestamp(stamp.unix_seconds(), stamp.subsec_nanos()).unwrap_or_default()
}

/// The name that 2.0.1 has for why a profile is refused.
pub(super) fn reason(refused: &Refused) -> &'static str {
    match refused {
        Refused::UnknownEvse => "UnknownEvse",
        Refused::StackLevel => "InvalidStackLevel",
        Refused::Unit => "UnsupportedRateUnit",
        Refused::Periods | Refused::Start | Refused::Phase => "InvalidSchedule",
        Refused::Purpose => "InvalidProfile",
        Refused::Transaction => "TxNotFound",
        Refused::Unnamed => "MissingParam",
        Refused::Duplicate(_) => "DuplicateProfile",
        Refused::Full => "TooManyElements",
    }
}
