//! XML as a small tree: element names without their namespace, text, and nothing that can grow. The reader is quick-xml's,
//! which resolves no entities and does not recurse.

use quick_xml::Reader;
use quick_xml::errors::Error;
use quick_xml::events::{BytesRef, Event};

use super::NoValues;
use super::outcome::{ASK_ANOTHER, broken, broken_whole};

/// Deepest nesting. A market document has five levels.
const DEEPEST: usize = 16;

/// Most elements. A year of quarter-hours has 105,000.
const MOST_ELEMENTS: usize = 400_000;

/// An element.
#[derive(Debug, Default)]
pub(super) struct Element {
    /// Its name without namespace.
    pub(super) name: Box<str>,
    /// All text directly in it.
    text: String,
    children: Vec<Element>,
}

impl Element {
    /// The first child of a name.
    pub(super) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| &*child.name == name)
    }

    /// The children of a name.
    pub(super) fn all<'e>(&'e self, name: &'static str) -> impl Iterator<Item = &'e Element> {
        self.children.iter().filter(move |child| &*child.name == name)
    }

    /// Its text without the blanks around it.
    pub(super) fn text(&self) -> &str {
        self.text.trim()
    }

    /// The text of the first child of a name; `None` where there is none.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(Element::text).filter(|text| !text.is_empty())
    }
}

/// The root element of a text.
pub(super) fn read(text: &str) -> Result<Element, NoValues> {
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    let mut open: Vec<Element> = Vec::new();
    let mut root: Option<Element> = None;
    let mut count = 0;
    loop {
        let event = reader.read_event().map_err(|error| malformed(text, reader.error_position(), &error))?;
        let at = || place(text, reader.buffer_position());
        match event {
            Event::Start(tag) => {
                count += 1;
                let name = tag.local_name().into_inner().into();
                open.push(Element { name, ..Element::default() });
            }
            Event::Empty(tag) => {
                count += 1;
                let name = tag.local_name().into_inner().into();
                close(Element { name, ..Element::default() }, &mut open, &mut root, at)?;
            }
            Event::End(_) => {
                // Without an element that is open, the reader has refused the tag.
                let element = open.pop().unwrap_or_default();
                close(element, &mut open, &mut root, at)?;
            }
            Event::Text(piece) => add(&mut open, &piece.xml10_content(), at)?,
            Event::CData(piece) => add(&mut open, &piece.xml10_content(), at)?,
            Event::GeneralRef(reference) => {
                let Some(c) = resolved(&reference) else {
                    return Err(broken(at(), format!("&{};", &*reference), "is no character", ASK_ANOTHER));
                };
                add(&mut open, c.encode_utf8(&mut [0; 4]), at)?;
            }
            Event::DocType(_) => {
                return Err(broken(at(), "", "holds a document type, which no feed sends", ASK_ANOTHER));
            }
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => break,
        }
        if open.len() > DEEPEST {
            return Err(broken(at(), "", format!("is nested deeper than {DEEPEST} levels"), ASK_ANOTHER));
        }
        if count > MOST_ELEMENTS {
            return Err(broken_whole(format!("has more than {MOST_ELEMENTS} elements"), "ask for fewer days at once"));
        }
    }
    match (open.last(), root) {
        (Some(element), _) => {
            let wrong = format!("ends too early, inside {}", crate::refusal::quoted(&element.name));
            Err(broken_whole(wrong, "it was cut off on the way: ask again"))
        }
        (None, Some(root)) => Ok(root),
        (None, None) => Err(broken_whole("is no XML", ASK_ANOTHER)),
    }
}

/// Puts an element that is complete where it belongs.
fn close(
    element: Element,
    open: &mut [Element],
    root: &mut Option<Element>,
    at: impl Fn() -> String,
) -> Result<(), NoValues> {
    match open.last_mut() {
        Some(parent) => parent.children.push(element),
        None if root.is_none() => *root = Some(element),
        None => return Err(broken(at(), "", "is a second document", ASK_ANOTHER)),
    }
    Ok(())
}

/// Adds text to the element that is open.
fn add(open: &mut [Element], piece: &str, at: impl Fn() -> String) -> Result<(), NoValues> {
    match open.last_mut() {
        Some(element) => element.text.push_str(piece),
        None if piece.trim().is_empty() => {}
        None => return Err(broken(at(), "", "is text outside of the document", ASK_ANOTHER)),
    }
    Ok(())
}

/// The character of a reference that XML knows by itself.
fn resolved(reference: &BytesRef<'_>) -> Option<char> {
    match &**reference {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "apos" => Some('\''),
        "quot" => Some('"'),
        _ => reference.resolve_char_ref().ok().flatten(),
    }
}

fn malformed(text: &str, position: u64, error: &Error) -> NoValues {
    broken(place(text, position), "", format!("is not XML: {}", crate::refusal::clip(&error.to_string())), ASK_ANOTHER)
}

/// The line of a place.
fn place(text: &str, position: u64) -> String {
    let before = text.as_bytes().iter().take(usize::try_from(position).unwrap_or(usize::MAX));
    format!("line {}", 1 + before.filter(|byte| **byte == b'\n').count())
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn names_without_namespace_and_text() {
        let root = read("\u{feff}<?xml version='1.0'?><n:a xmlns:n='x'><b> 1 &lt; <![CDATA[2]]></b><c/><b>3</b></n:a>")
            .unwrap();
        assert_eq!((&*root.name, root.text_of("b"), root.text_of("c")), ("a", Some("1 < 2"), None));
        assert_eq!(root.all("b").map(Element::text).collect::<Vec<_>>(), ["1 < 2", "3"]);
    }

    #[test]
    fn what_is_refused() {
        let deep = "<a>".repeat(1_000_000);
        for (text, wrong) in [
            ("<a><b>1</b>", "ends too early, inside \"a\""),
            ("<a></b>", "is not XML"),
            ("<a/><b/>", "a second document"),
            ("<a/>x", "text outside"),
            ("", "is no XML"),
            ("plain", "text outside"),
            ("<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "a document type"),
            ("<a>&x;</a>", "is no character"),
            ("<a", "is not XML"),
            (deep.as_str(), "nested deeper"),
        ] {
            let said = read(text).unwrap_err().to_string();
            assert!(said.contains(wrong), "{said}");
        }
    }
}
