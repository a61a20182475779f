//! Reading JSON so that whoever wrote the file learns where it is wrong.
//!
//! serde stops at the first mismatch. When the text is JSON but not of the right shape, the file is therefore read a
//! second time as a plain value, and each of its parts is held against its type, so that one reading names the first
//! mismatch of every part.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::error::Category;
use serde_path_to_error::{Error, Segment};

use crate::refusal::{Fault, Faults, Refusal, clip, quoted};

/// A field of the file that can be held against its type on its own: an object, or an array of objects.
pub struct Part {
    /// The field's name.
    key: &'static str,
    /// What one of its objects is called; empty where the field is the one object itself.
    kind: &'static str,
    /// What keeps such an object from being of its type.
    mismatch: fn(&Value) -> Option<Error<serde_json::Error>>,
}

impl Part {
    /// The field `key`, an array of objects that are called `kind` and are of type `T`.
    pub const fn list<T: DeserializeOwned>(key: &'static str, kind: &'static str) -> Self {
        Part { key, kind, mismatch: |value| serde_path_to_error::deserialize::<_, Object<T>>(value).err() }
    }

    /// The field `key`, an object of type `T`.
    pub const fn object<T: DeserializeOwned>(key: &'static str) -> Self {
        Part::list::<T>(key, "")
    }
}

/// A struct that JSON writes as an object and in no other way: serde alone takes an array of its fields as well.
pub(crate) struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        value.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(fields)).map(Object)
    }
}

/// Reads a field that is an object.
pub(crate) fn object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(field: D) -> Result<T, D::Error> {
    Object::deserialize(field).map(|Object(value)| value)
}

/// Reads a field that is an object or null.
pub(crate) fn object_or_null<'de, T: Deserialize<'de>, D: Deserializer<'de>>(field: D) -> Result<Option<T>, D::Error> {
    Ok(Option::deserialize(field)?.map(|Object(value)| value))
}

/// Reads a field that is an array of objects.
pub(crate) fn objects<'de, T: Deserialize<'de>, D: Deserializer<'de>>(field: D) -> Result<Vec<T>, D::Error> {
    Ok(Vec::deserialize(field)?.into_iter().map(|Object(value)| value).collect())
}

/// The value of type `T` that `bytes` hold as JSON, and nothing after it. `parts` are the fields to go through in
/// search of further faults.
///
/// # Errors
///
/// [`Refusal`] when the bytes are no JSON, or not an object of that shape.
pub fn read<T: DeserializeOwned>(bytes: &[u8], parts: &[Part]) -> Result<T, Refusal> {
    whole(bytes, |text, error| shape(text, error, parts)).map(|Object(value)| value)
}

/// The values of type `T` that `bytes` hold as a JSON array of objects.
///
/// # Errors
///
/// [`Refusal`] when the bytes are no JSON, or not such an array; it names the first mismatch of each of its objects.
pub fn read_list<T: DeserializeOwned>(bytes: &[u8]) -> Result<Vec<T>, Refusal> {
    let list: Vec<Object<T>> = whole(bytes, rows::<T>)?;
    Ok(list.into_iter().map(|Object(value)| value).collect())
}

/// All that `bytes` hold as JSON; `misfit` words an error of shape.
fn whole<W: DeserializeOwned>(
    bytes: &[u8],
    misfit: impl FnOnce(&[u8], &Error<serde_json::Error>) -> Refusal,
) -> Result<W, Refusal> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if let Some(fault) = not_text(text) {
        return Err(fault.into());
    }
    let mut reader = serde_json::Deserializer::from_slice(text);
    match serde_path_to_error::deserialize(&mut reader) {
        Ok(value) => match reader.end() {
            Ok(()) => Ok(value),
            Err(error) => Err(syntax(text, "$".to_owned(), &error).into()),
        },
        Err(error) if error.inner().classify() == Category::Data => Err(misfit(text, &error)),
        Err(error) => Err(syntax(text, path(&segments(&error)), error.inner()).into()),
    }
}

/// What is wrong with a file that is no JSON text at all.
fn not_text(bytes: &[u8]) -> Option<Fault> {
    if bytes.trim_ascii().is_empty() {
        Some(Fault::of_file("", "the file is empty", "check that whatever writes it has finished"))
    } else if bytes.starts_with(b"\x1f\x8b") {
        Some(Fault::of_file("", "the file is compressed (gzip)", "unpack it first"))
    } else if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        Some(Fault::of_file("", "the file is in UTF-16", "save it in UTF-8"))
    } else {
        None
    }
}

/// What is wrong with a text that is not JSON.
fn syntax(text: &[u8], path: String, error: &serde_json::Error) -> Fault {
    let place = format!("at line {}, column {}", error.line(), error.column());
    let worded = without_place(&error.to_string());
    let (wrong, remedy) = if error.classify() == Category::Eof {
        (
            format!("the file ends too early, {place}"),
            "it was cut off in writing or in transfer: write or send it again".to_owned(),
        )
    } else if let Some(word) = not_a_number(text, error) {
        (
            format!("{word} {place} is not JSON"),
            "Python writes it for a missing or undefined number: give a number instead".to_owned(),
        )
    } else if worded == "number out of range" {
        (format!("the number {place} is larger than any this program holds"), "check its unit".to_owned())
    } else if worded == "trailing characters" {
        (format!("there is more text after the end, {place}"), "give one JSON object per file".to_owned())
    } else {
        (format!("not JSON {place}: {}", clip(&worded)), "correct the file there".to_owned())
    };
    Fault { path, subject: String::new(), value: String::new(), wrong, remedy }
}

/// The word `NaN` or `Infinity`, if it is what the reader stumbled over.
fn not_a_number(text: &[u8], error: &serde_json::Error) -> Option<&'static str> {
    let line: &[u8] = text.split(|&byte| byte == b'\n').nth(error.line().checked_sub(1)?)?;
    // The column is that of the word's first letter or of the one before it, depending on a sign.
    let column = error.column().min(line.len());
    (column.saturating_sub(2)..=column)
        .filter_map(|from| line.get(from..))
        .find_map(|rest| ["NaN", "Infinity"].into_iter().find(|word| rest.starts_with(word.as_bytes())))
}

/// What is wrong with a JSON text that is not of the right shape.
fn shape(text: &[u8], first: &Error<serde_json::Error>, parts: &[Part]) -> Refusal {
    let steps = segments(first);
    let Ok(root) = serde_json::from_slice::<Value>(text) else {
        return mismatch(&steps, first, None, parts).into();
    };
    if let Some(format) = root.get("format").filter(|format| format.is_number() && format.as_f64() != Some(1.0)) {
        return unknown_format(&format.to_string()).into();
    }
    let mut faults = Faults::default();
    faults.add(mismatch(&steps, first, Some(&root), parts));
    for part in parts {
        let objects = match root.get(part.key) {
            Some(Value::Array(list)) if !part.kind.is_empty() => {
                list.iter().enumerate().map(|(k, object)| (Some(k), object)).collect()
            }
            Some(object @ Value::Object(_)) if part.kind.is_empty() => vec![(None, object)],
            _ => vec![],
        };
        for (index, object) in objects {
            let Some(error) = (part.mismatch)(object) else { continue };
            let mut steps = vec![Segment::Map { key: part.key.to_owned() }];
            steps.extend(index.map(|index| Segment::Seq { index }));
            steps.extend(segments(&error));
            let fault = mismatch(&steps, &error, Some(&root), parts);
            if !faults.names(&fault.path) {
                faults.add(fault);
            }
        }
    }
    // Never empty: the first mismatch is in it.
    faults.or(()).err().unwrap_or_else(|| mismatch(&steps, first, Some(&root), parts).into())
}

/// What is wrong with a JSON text that is no array of objects of type `T`.
fn rows<T: DeserializeOwned>(text: &[u8], first: &Error<serde_json::Error>) -> Refusal {
    let root = serde_json::from_slice::<Value>(text).ok();
    let mut faults = Faults::default();
    for (index, row) in root.iter().filter_map(Value::as_array).flatten().enumerate() {
        if let Err(error) = serde_path_to_error::deserialize::<_, Object<T>>(row) {
            let mut steps = vec![Segment::Seq { index }];
            steps.extend(segments(&error));
            faults.add(mismatch(&steps, &error, root.as_ref(), &[]));
        }
    }
    faults.or(()).err().unwrap_or_else(|| mismatch(&segments(first), first, root.as_ref(), &[]).into())
}

/// The fault of a file that states a format other than 1.
pub(crate) fn unknown_format(found: &str) -> Fault {
    Fault {
        path: "$.format".to_owned(),
        subject: String::new(),
        value: clip(found),
        wrong: "is a format this program does not know".to_owned(),
        remedy: "write format 1".to_owned(),
    }
}

/// The fault behind an error at `steps`.
fn mismatch(steps: &[Segment], error: &Error<serde_json::Error>, root: Option<&Value>, parts: &[Part]) -> Fault {
    let worded = without_place(&error.inner().to_string());
    let named = worded.split('`').nth(1).unwrap_or_default();
    let mut steps = steps.to_vec();
    let mut value = String::new();
    let (wrong, remedy) = if worded.starts_with("missing field") {
        steps.push(Segment::Map { key: named.to_owned() });
        ("is missing".to_owned(), "add it".to_owned())
    } else if worded.starts_with("unknown field") {
        if !matches!(steps.last(), Some(Segment::Map { key }) if key == named) {
            steps.push(Segment::Map { key: named.to_owned() });
        }
        ("is a field the format does not know".to_owned(), format!("remove it, or use {}", expected(&worded)))
    } else if worded.starts_with("duplicate field") {
        if !matches!(steps.last(), Some(Segment::Map { key }) if key == named) {
            steps.push(Segment::Map { key: named.to_owned() });
        }
        ("is given twice".to_owned(), "keep one".to_owned())
    } else if NO_TIME.contains(&worded.as_str()) {
        value = root.and_then(|root| look_up(root, &steps)).map(shown).unwrap_or_default();
        ("is no date and time".to_owned(), "write it as RFC 3339 does, such as \"2026-01-31T12:00:00Z\"".to_owned())
    } else if !worded.contains(", expected ") {
        value = root.and_then(|root| look_up(root, &steps)).map(shown).unwrap_or_default();
        let (wrong, remedy) = worded.split_once("; ").unwrap_or((&worded, "compare it with the documentation"));
        (wrong.to_owned(), remedy.to_owned())
    } else {
        let found = root.and_then(|root| look_up(root, &steps));
        let in_words = worded.split(", expected").next().and_then(|found| found.rsplit(": ").next());
        value = found.map_or_else(|| clip(in_words.unwrap_or_default()), shown);
        let wanted = expected(&worded);
        let remedy = remedy(&wanted, found);
        (format!("is not {wanted}"), remedy.to_owned())
    };
    Fault { path: path(&steps), subject: subject(root, &steps, parts), value, wrong, remedy }
}

/// What chrono says of texts that are no times.
const NO_TIME: [&str; 6] = [
    "input contains invalid characters",
    "premature end of input",
    "input is out of range",
    "input is not enough for unique date and time",
    "trailing input",
    "no possible date and time matching input",
];

const NUMBER: &str = "a number";
const WHOLE_NUMBER: &str = "a whole number, 0 or more";
const ARRAY: &str = "an array";
const FLAG: &str = "true or false";

/// What serde says it expected, in words for people who do not know Rust.
fn expected(worded: &str) -> String {
    let wanted = worded.split_once(", expected ").map_or("something else", |(_, wanted)| wanted);
    match wanted {
        "f64" => NUMBER.to_owned(),
        "u8" | "u16" | "u32" | "u64" | "usize" => WHOLE_NUMBER.to_owned(),
        "a sequence" => ARRAY.to_owned(),
        "a boolean" => FLAG.to_owned(),
        other => other.replace('`', ""),
    }
}

/// How to write what is `wanted`.
fn remedy(wanted: &str, found: Option<&Value>) -> &'static str {
    match (wanted, found) {
        (NUMBER | WHOLE_NUMBER, Some(Value::String(text))) if text.trim().parse::<f64>().is_ok() => {
            "write it without quotes"
        }
        (NUMBER, _) => "write a bare number, without a unit",
        (WHOLE_NUMBER, _) => "count from 0, in whole numbers",
        (FLAG, _) => "write one of the two, without quotes",
        (ARRAY, _) => "write it as [ … ]",
        ("an object", _) => "write it as { … }",
        ("a string", _) => "write it in quotes",
        _ => "use what is expected",
    }
}

/// The value that `steps` lead to.
fn look_up<'v>(root: &'v Value, steps: &[Segment]) -> Option<&'v Value> {
    steps.iter().try_fold(root, |value, step| match step {
        Segment::Seq { index } => value.get(index),
        Segment::Map { key } => value.get(key),
        Segment::Enum { .. } | Segment::Unknown => None,
    })
}

/// A value in a few words.
fn shown(value: &Value) -> String {
    match value {
        Value::Array(list) if list.is_empty() => "[]".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::String(text) => quoted(text),
        scalar => clip(&scalar.to_string()),
    }
}

/// Kind and name of the object that `steps` lead into.
fn subject(root: Option<&Value>, steps: &[Segment], parts: &[Part]) -> String {
    let (Some(root), [Segment::Map { key }, Segment::Seq { .. }, ..]) = (root, steps) else { return String::new() };
    let Some(part) = parts.iter().find(|part| part.key == key) else { return String::new() };
    let object = look_up(root, &steps[..2]);
    let name = object.and_then(|object| object.get("id").or_else(|| object.get("node"))).and_then(Value::as_str);
    name.map(|name| format!("{} {}", part.kind, quoted(name))).unwrap_or_default()
}

/// The reader's message without its position.
fn without_place(message: &str) -> String {
    message.rfind(" at line ").map_or(message, |end| &message[..end]).to_owned()
}

fn segments(error: &Error<serde_json::Error>) -> Vec<Segment> {
    error.path().iter().cloned().collect()
}

/// The steps as a JSON path.
fn path(steps: &[Segment]) -> String {
    let mut path = "$".to_owned();
    for step in steps {
        match step {
            Segment::Seq { index } => path = format!("{path}[{index}]"),
            Segment::Map { key } | Segment::Enum { variant: key } => {
                if !key.is_empty() && key.len() <= 40 && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
                    path = format!("{path}.{key}");
                } else {
                    path = format!("{path}[{}]", quoted(key));
                }
            }
            Segment::Unknown => {}
        }
    }
    path
}
