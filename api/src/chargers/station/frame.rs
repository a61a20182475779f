//! Frames of OCPP-J: calls, their results and their errors, as JSON arrays.

use serde_json::{Value, json};

/// A frame.
#[derive(Debug, Clone, PartialEq)]
pub enum Frame {
    /// Somebody asks something.
    Call {
        /// The number of the message.
        id: String,
        /// What is asked.
        action: String,
        /// With what.
        payload: Value,
    },
    /// The answer.
    Result {
        /// The number of the call.
        id: String,
        /// What is answered.
        payload: Value,
    },
    /// There is no answer, and why.
    Error {
        /// The number of the call.
        id: String,
        /// Why, as one of the names of the specification.
        code: String,
    },
}

/// Why a call is not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// One of the names of the specification.
    pub code: &'static str,
    /// For people.
    pub text: String,
}

impl Frame {
    /// Reads a frame; `None`, it is none.
    pub fn read(text: &str) -> Option<Frame> {
        let Value::Array(parts) = serde_json::from_str(text).ok()? else { return None };
        let mut parts = parts.into_iter();
        let kind = parts.next()?.as_u64()?;
        let Value::String(id) = parts.next()? else { return None };
        let mut word = || if let Some(Value::String(word)) = parts.next() { Some(word) } else { None };
        match kind {
            2 => Some(Frame::Call { id, action: word()?, payload: parts.next()? }),
            3 => Some(Frame::Result { id, payload: parts.next()? }),
            4 => Some(Frame::Error { id, code: word()? }),
            _ => None,
        }
    }
}

/// Writes a call.
pub fn call(id: &str, action: &str, payload: &Value) -> String {
    json!([2, id, action, payload]).to_string()
}

/// Writes an answer.
pub fn answer(id: &str, outcome: Result<Value, Wrong>) -> String {
    match outcome {
        Ok(payload) => json!([3, id, payload]).to_string(),
        Err(Wrong { code, text }) => json!([4, id, code, text, {}]).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_and_nothing_else_is() {
        let call = Frame::Call { id: "7".to_owned(), action: "Reset".to_owned(), payload: json!({"type": "Soft"}) };
        assert_eq!(Frame::read(r#"[2,"7","Reset",{"type":"Soft"}]"#), Some(call));
        assert_eq!(Frame::read(r#"[3,"7",{}]"#), Some(Frame::Result { id: "7".to_owned(), payload: json!({}) }));
        let error = Frame::Error { id: "7".to_owned(), code: "NotSupported".to_owned() };
        assert_eq!(Frame::read(r#"[4,"7","NotSupported","",{}]"#), Some(error));
        for nothing in ["", "[]", "{}", r#"[2,7,"Reset",{}]"#, r#"[2,"7"]"#, r#"[5,"7",{}]"#, "[2,\"7\",\"Reset\",{"] {
            assert_eq!(Frame::read(nothing), None, "{nothing}");
        }
    }
}
