//! The OpenAPI document as it stands in the repository.

use serde_json::Value;

use crate::http::document;

/// The file.
const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");

/// Every operation of the document: method and path.
pub fn operations() -> Vec<(String, String)> {
    let document = serde_json::to_value(document()).expect("a document");
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for method in item.as_object().expect("an item").keys() {
            operations.push((method.to_uppercase(), path.clone()));
        }
    }
    operations
}

#[test]
fn the_document_is_the_one_in_the_repository() {
    let document = serde_json::to_string_pretty(&document()).expect("a document") + "\n";
    if std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
        std::fs::write(GOLDEN, &document).expect("docs/openapi.json");
    }
    let golden = std::fs::read_to_string(GOLDEN).unwrap_or_default();
    assert!(
        golden == document,
        "docs/openapi.json is not what the routes say; `make golden` writes it anew, then look at the difference"
    );
}

#[test]
fn every_operation_says_what_it_is_and_has_a_name_of_its_own() {
    let document = serde_json::to_value(document()).expect("a document");
    let mut names = std::collections::BTreeSet::new();
    for (method, path) in operations() {
        let operation = &document["paths"][&path][method.to_lowercase()];
        let name = operation["operationId"].as_str().unwrap_or_default();
        assert!(names.insert(name.to_owned()), "{method} {path}: the name {name:?} is another's too");
        assert!(
            operation["summary"].as_str().is_some_and(|summary| !summary.is_empty()),
            "{method} {path} has no summary"
        );
        let tags = operation["tags"].as_array().map_or(0, Vec::len);
        assert_eq!(tags, 1, "{method} {path} has {tags} tags");
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str));
                fields.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let document = serde_json::to_value(document()).expect("a document");
    let mut found = Vec::new();
    references(&document, &mut found);
    for reference in found {
        let path = reference.trim_start_matches('#');
        assert!(document.pointer(path).is_some(), "{reference} leads nowhere");
    }
}
