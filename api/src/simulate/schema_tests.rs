//! The schema of scenarios is the one that is shipped, describes every key, takes what the program takes, and has the defaults
//! that the documentation says.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::scenario::schema;

const DOCS: &str = include_str!("../../../docs/formats/scenario.md");
const FILE: &str = include_str!("../../../docs/formats/scenario.schema.json");

fn shipped() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/scenarios");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let scenarios = files.filter(|path| path.extension().is_some_and(|end| end == "toml"));
    scenarios
        .map(|path| {
            let table: toml::Table = fs::read_to_string(&path).unwrap().parse().unwrap();
            (path.display().to_string(), serde_json::to_value(table).unwrap())
        })
        .collect()
}

#[test]
fn the_schema_that_is_shipped_is_that_of_the_program() {
    let file: Value = serde_json::from_str(FILE).unwrap();
    assert!(file == schema(), "write it again: kwartier simulate --schema > docs/formats/scenario.schema.json");
}

/// Keys and kinds without a description, by their place.
fn undescribed(schema: &Value, place: &str, found: &mut Vec<String>) {
    if let Some(properties) = schema["properties"].as_object() {
        for (key, value) in properties {
            if value["description"].as_str().is_none_or(str::is_empty) && value.get("const").is_none() {
                found.push(format!("{place}.{key}"));
            }
            undescribed(value, &format!("{place}.{key}"), found);
        }
    }
    for (key, inner) in schema["definitions"].as_object().into_iter().flatten() {
        undescribed(inner, key, found);
    }
    for kinds in [&schema["oneOf"], &schema["anyOf"]] {
        for (k, kind) in kinds.as_array().into_iter().flatten().enumerate() {
            if kind.get("const").is_some() && kind["description"].as_str().is_none_or(str::is_empty) {
                found.push(format!("{place}.{kind}"));
            }
            let place = format!("{place}#{k}");
            match kind["properties"].as_object().map(|properties| properties.iter().collect::<Vec<_>>()).as_deref() {
                // A kind that is named by its only key: what is said of the kind is said of the key.
                Some([(key, value)]) if kind["description"].is_string() => {
                    undescribed(value, &format!("{place}.{key}"), found);
                }
                _ => undescribed(kind, &place, found),
            }
        }
    }
}

#[test]
fn every_key_is_described() {
    let mut found = Vec::new();
    undescribed(&schema(), "", &mut found);
    assert!(found.is_empty(), "{found:#?}");
    assert!(!schema().to_string().contains("]("), "links into the program are no use to its users");
}

/// Whether a value is what a schema says; of the words of JSON schema, those that ours uses. Another word fails the test.
fn fits(value: &Value, schema: &Value, root: &Value) -> Result<(), String> {
    let Some(schema) = schema.as_object() else { return Ok(()) };
    let wrong = |why: &str| Err(format!("{value}: {why}"));
    for (word, wanted) in schema {
        match word.as_str() {
            "$schema" | "title" | "description" | "default" | "definitions" | "format" | "minItems" | "maxItems" => {}
            "properties" | "required" | "additionalProperties" if !value.is_object() => {}
            "properties" => {
                for (key, inner) in wanted.as_object().unwrap() {
                    value
                        .get(key)
                        .map_or(Ok(()), |value| fits(value, inner, root))
                        .map_err(|why| format!("{key}: {why}"))?;
                }
            }
            "required" => {
                for key in wanted.as_array().unwrap() {
                    if value.get(key.as_str().unwrap()).is_none() {
                        return wrong(&format!("{key} is missing"));
                    }
                }
            }
            "additionalProperties" => {
                let known = |key: &str| schema.get("properties").is_some_and(|known| known.get(key).is_some());
                for (key, inner) in value.as_object().unwrap() {
                    if !known(key) {
                        match wanted {
                            Value::Bool(false) => return wrong(&format!("{key} is not known")),
                            wanted => fits(inner, wanted, root)?,
                        }
                    }
                }
            }
            "items" => {
                value.as_array().into_iter().flatten().try_for_each(|item| fits(item, wanted, root))?;
            }
            "$ref" => {
                let place = wanted.as_str().unwrap().strip_prefix('#').unwrap();
                fits(value, root.pointer(place).unwrap(), root)?;
            }
            "allOf" => wanted.as_array().unwrap().iter().try_for_each(|inner| fits(value, inner, root))?,
            "oneOf" | "anyOf" => {
                let tried: Vec<_> = wanted.as_array().unwrap().iter().map(|inner| fits(value, inner, root)).collect();
                let count = tried.iter().filter(|tried| tried.is_ok()).count();
                if count == 0 || (count > 1 && word == "oneOf") {
                    return wrong(&format!("fits {count} kinds: {tried:?}"));
                }
            }
            "const" if value == wanted => {}
            "enum" if wanted.as_array().unwrap().contains(value) => {}
            "type" => {
                let is = |name: &Value| match name.as_str().unwrap() {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "boolean" => value.is_boolean(),
                    "null" => value.is_null(),
                    "integer" => value.is_u64() || value.is_i64(),
                    "number" => value.is_number(),
                    other => panic!("type {other}"),
                };
                if !wanted.as_array().map_or_else(|| is(wanted), |names| names.iter().any(is)) {
                    return wrong(&format!("is no {wanted}"));
                }
            }
            "minimum" if value.as_f64().is_none_or(|value| value >= wanted.as_f64().unwrap()) => {}
            "maximum" if value.as_f64().is_none_or(|value| value <= wanted.as_f64().unwrap()) => {}
            "const" | "enum" | "minimum" | "maximum" => return wrong(&format!("is not as {word} says, {wanted}")),
            other => panic!("the schema uses {other}, which this test does not know"),
        }
    }
    Ok(())
}

#[test]
fn the_schema_takes_the_scenarios_that_are_shipped_and_refuses_what_the_program_does() {
    let root = schema();
    let scenarios = shipped();
    assert!(scenarios.len() >= 12);
    for (name, scenario) in &scenarios {
        fits(scenario, &root, &root).unwrap_or_else(|why| panic!("{name}: {why}"));
    }
    let (_, sound) = &scenarios[0];
    for (key, value) in [
        ("colour", json!("red")),
        ("format", json!("one")),
        ("policy", json!({ "planner": "best" })),
        ("prices", json!({ "kind": "hours" })),
        ("faults", json!([{ "from": "18:00", "what": { "kind": "fire" } }])),
        ("told", json!({ "needs": 1.0 })),
    ] {
        let mut scenario = sound.clone();
        scenario[key] = value;
        assert!(fits(&scenario, &root, &root).is_err(), "{key}: {}", scenario[key]);
    }
}

/// Rows of a documented table below a line: keys, and the defaults that stand beside them.
fn documented(below: &str) -> Vec<(String, String)> {
    let (_, text) = DOCS.split_once(below).unwrap_or_else(|| panic!("{below} is no heading"));
    let rows =
        text.lines().skip_while(|line| !line.starts_with("|---")).skip(1).take_while(|line| line.starts_with('|'));
    let mut found = Vec::new();
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let keys: Vec<&str> = cells[1].split(',').map(|key| key.trim().trim_matches('`')).collect();
        let defaults: Vec<&str> = cells[2].split(',').map(|value| value.trim().trim_matches('`')).collect();
        for (k, key) in keys.iter().enumerate() {
            let default = if defaults.len() == 1 { defaults[0] } else { defaults[k] };
            found.push(((*key).to_owned(), default.to_owned()));
        }
    }
    assert!(!found.is_empty(), "{below} has a table");
    found
}

#[test]
fn defaults_are_as_documented() {
    let root = schema();
    let mut compared = 0;
    for (heading, definition) in [
        ("## At the top", "/properties"),
        ("## `[policy]`", "/definitions/Policy/properties"),
        ("`[policy.control]`:", "/definitions/Settings/properties"),
        ("## `[told]`", "/definitions/Told/properties"),
        ("## `[[cars]]`", "/definitions/Car/properties"),
        ("## `[[chargers]]`", "/definitions/Charger/properties"),
    ] {
        let properties = root.pointer(definition).unwrap();
        for (key, default) in documented(heading) {
            // What is no value is words, such as "required" or "never".
            let Ok(said) = serde_json::from_str::<Value>(&default) else { continue };
            let is = &properties[&key]["default"];
            let same = is == &said || is.as_f64().is_some_and(|is| Some(is) == said.as_f64());
            assert!(same, "{heading}: {key} is {is}, and the documentation says {said}");
            compared += 1;
        }
    }
    assert!(compared > 40, "{compared} defaults were compared");
}
