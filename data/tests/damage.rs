//! Damaged files: whatever happens to the bytes, reading them ends with a value or a refusal, never with a panic.

use kwartier_data::{instance, plan};
use proptest::prelude::*;
use serde_json::{Value, json};

const SAMPLE: &[u8] = include_bytes!("../samples/guide-24.json");

const PLAN: &[u8] =
    br#"{"format":1,"status":"feasible","objective_eur":1.5,"bound_eur":1.25,"solve_seconds":0.5,"gap":0.25,
"made":{"start":"2023-06-13T04:00:00Z","slot_minutes":15,"method":"rule","ended":"gap","remarks":["slow"]},
"sessions":[{"id":"S1","charge_a":[6,0],"discharge_a":[0,8.5],"shortfall_kwh":0.5}],
"batteries":[{"id":"B1","charge_kw":[1,0],"discharge_kw":[0,1]}],"pv":[{"id":"P","used_kw":[0,1]}],
"loads":[{"id":"H","kw":[1,1],"shortfall_kwh":0}],"prices":{"energy_eur_kwh":[0.1,0.2],"peak_eur_kw":[0,1.5],
"boards":[{"node":"HV","limit":"L1-L2","slot":1,"eur_a":-0.01}]}}"#;

/// Reads both kinds of file; a refusal has to say something in lines of readable length.
fn read(bytes: &[u8]) {
    for refusal in [instance::parse(bytes).err(), plan::parse(bytes).err()].into_iter().flatten() {
        assert!(refusal.found() >= refusal.faults().len() && !refusal.faults().is_empty());
        let text = refusal.to_string();
        assert!(text.lines().count() <= refusal.faults().len() + 1, "a fault is one line: {text}");
        assert!(text.lines().all(|line| line.chars().count() < 1000), "a line runs on: {text}");
    }
}

#[test]
fn every_truncation_is_refused() {
    let whole = SAMPLE.trim_ascii_end();
    for end in (0..whole.len()).step_by(7).chain(whole.len() - 40..whole.len()) {
        read(&whole[..end]);
        assert!(instance::parse(&whole[..end]).is_err(), "cut off at {end} and read all the same");
    }
    let whole = PLAN.trim_ascii_end();
    assert!(plan::parse(whole).is_ok());
    for end in 0..whole.len() {
        assert!(plan::parse(&whole[..end]).is_err(), "cut off at {end} and read all the same");
    }
}

/// All places of a JSON value, as pointers.
fn places(value: &Value, here: &str, found: &mut Vec<String>) {
    found.push(here.to_owned());
    match value {
        // The ends of a long series stand for the rest of it.
        Value::Array(list) => list
            .iter()
            .enumerate()
            .filter(|(k, element)| !element.is_number() || *k < 2)
            .for_each(|(k, element)| places(element, &format!("{here}/{k}"), found)),
        Value::Object(fields) => fields.iter().for_each(|(key, field)| places(field, &format!("{here}/{key}"), found)),
        _ => {}
    }
}

#[test]
fn every_place_holding_something_else() {
    let sample: Value = serde_json::from_slice(SAMPLE).unwrap();
    let mut pointers = Vec::new();
    places(&sample, "", &mut pointers);
    let others = [json!(null), json!(-1), json!(1e308), json!("x\u{0}\n"), json!([]), json!([[]]), json!({})];
    // Of the many alike sessions and chargers, the first two.
    let few = |pointer: &&String| pointer.split('/').nth(2).and_then(|k| k.parse::<usize>().ok()).is_none_or(|k| k < 2);
    for pointer in pointers.iter().filter(few) {
        for other in &others {
            let mut changed = sample.clone();
            *changed.pointer_mut(pointer).unwrap() = other.clone();
            read(changed.to_string().as_bytes());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn changed_bytes(
        of_plan in any::<bool>(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..6),
    ) {
        let mut bytes = if of_plan { PLAN } else { SAMPLE }.to_vec();
        for (place, byte, what) in changes {
            let place = place.index(bytes.len());
            match what {
                0 => bytes[place] = byte,
                1 => bytes.insert(place, byte),
                _ => drop(bytes.remove(place)),
            }
        }
        read(&bytes);
    }

    #[test]
    fn changed_digits(changes in proptest::collection::vec((any::<prop::sample::Index>(), 0..10_u8), 1..30)) {
        let mut bytes = SAMPLE.to_vec();
        let digits: Vec<usize> = (0..bytes.len()).filter(|&k| bytes[k].is_ascii_digit()).collect();
        for (place, digit) in changes {
            bytes[digits[place.index(digits.len())]] = b'0' + digit;
        }
        read(&bytes);
    }

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        read(&bytes);
    }
}
