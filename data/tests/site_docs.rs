//! `docs/formats/site.md` says what the code does: every key, every code, every word for a header.

use std::collections::BTreeSet;

use kwartier_data::site::check::codes::CODES;
use kwartier_data::site::file::{self, shape};
use kwartier_data::tables::headers::{NAMES, WORDS};

const DOCS: &str = include_str!("../../docs/formats/site.md");
const SAMPLE: &str = include_str!("../samples/depot-site.toml");

/// Every key of a shape and of all within it, as a path.
fn keys(shape: &shape::Shape, path: &str, found: &mut BTreeSet<String>) {
    for field in shape.fields {
        let path = format!("{path}{}", field.name);
        found.insert(path.clone());
        match field.kind {
            shape::Kind::Table(inner) | shape::Kind::Tables(inner) => keys(inner, &format!("{path}."), found),
            shape::Kind::Variants(variants) => {
                for (_, inner) in variants {
                    keys(inner, &format!("{path}."), found);
                }
            }
            _ => {}
        }
    }
}

/// Every key of a JSON value and of all within it, as a path.
fn keys_of(value: &serde_json::Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::Object(fields) => {
            for (key, value) in fields {
                let path = format!("{path}{key}");
                found.insert(path.clone());
                keys_of(value, &format!("{path}."), found);
            }
        }
        serde_json::Value::Array(list) => list.iter().for_each(|value| keys_of(value, path, found)),
        _ => {}
    }
}

#[test]
fn every_key_is_documented() {
    let mut known = BTreeSet::new();
    keys(&shape::SITE, "", &mut known);
    for key in known {
        let name = key.rsplit('.').next().unwrap().to_owned();
        let named = DOCS.contains(&format!("`{name}`"))
            || DOCS.contains(&format!("{{ {name}, "))
            || DOCS.contains(&format!(", {name} }}"));
        assert!(named, "{key} is not in docs/formats/site.md");
    }
}

#[test]
fn the_sample_uses_every_key_and_the_shape_is_that_of_the_types() {
    // What serde writes of the sample, and what the shape knows, are the same keys.
    let site = file::parse(SAMPLE.as_bytes()).unwrap().site;
    let (mut used, mut known) = (BTreeSet::new(), BTreeSet::new());
    keys_of(&serde_json::to_value(&site).unwrap(), "", &mut used);
    used.retain(|key| !key.starts_with("boards.building_max_a."));
    keys(&shape::SITE, "", &mut known);
    // Left out by serde where they are the default or absent, which the sample's are.
    let defaults = [
        "boards.tolerance_s",
        "stations.chooses_phase",
        "stations.keeps_fallback",
        "stations.managed",
        "stations.reaction_s",
        "stations.switches_phases",
        "tariff.components.vat",
        "tariff.preset",
        "tariff.used",
        "tariff.used.kwh",
        "tariff.used.until",
    ];
    assert_eq!(used.into_iter().chain(defaults.map(str::to_owned)).collect::<BTreeSet<_>>(), known);
}

#[test]
fn every_code_is_documented_and_no_other() {
    for code in CODES {
        assert!(DOCS.contains(&format!("| `{code}` |")), "{code} is not in docs/formats/site.md");
    }
    assert!(CODES.is_sorted(), "codes are in order of the alphabet");
    let findings = DOCS.split("## Findings").nth(1).unwrap();
    let documented = findings.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    documented.for_each(|code| assert!(CODES.contains(&code), "{code} is documented and never said"));
}

#[test]
fn every_code_in_the_transcripts_is_known() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if !path.file_name().unwrap().to_string_lossy().starts_with("wrong_") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let said =
            text.lines().filter(|line| ["Error ", "Warning ", "Note "].iter().any(|word| line.starts_with(word)));
        for line in said {
            let code = line.rsplit('[').next().unwrap().trim_end_matches(']');
            assert!(CODES.contains(&code), "{code} is not in CODES: {line}");
        }
    }
}

#[test]
fn every_header_word_is_documented() {
    for word in WORDS.iter().flat_map(|(_, words)| words.iter()).chain(&NAMES) {
        assert!(DOCS.contains(&format!("`{word}`")), "{word} is not in docs/formats/site.md");
    }
}
