//! Everything that can be wrong with a file or a word on the command line: exit code 2, and an error that says where, what
//! and what to do.

use serde_json::{Value, json};

use super::{Folder, kwartier, said, sample};

/// The sample, changed.
fn changed(change: impl FnOnce(&mut Value)) -> String {
    let mut instance: Value = serde_json::from_slice(&std::fs::read(sample()).unwrap()).unwrap();
    change(&mut instance);
    instance.to_string()
}

/// What planning this content says.
fn refused(content: &str) -> String {
    let folder = Folder::new();
    let instance = folder.file("instance.json", content);
    let plan = folder.path("plan.json");
    let output = kwartier(&["plan", &instance, "--out", &plan]);
    let (out, err) = said(&output);
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(out.is_empty(), "nothing on standard output: {out}");
    assert!(!std::path::Path::new(&plan).exists(), "no plan is written");
    err.replace(&instance, "instance.json")
}

#[test]
fn every_fault_of_an_instance_is_refused_with_a_remedy() {
    type Change = fn(&mut Value);
    let faults: Vec<(&str, Change)> = vec![
        ("a cycle", |v| v["nodes"][1]["parent"] = v["nodes"][1]["id"].clone()),
        ("two roots", |v| v["nodes"][1]["parent"] = Value::Null),
        ("an unknown parent", |v| v["nodes"][1]["parent"] = json!("UV99")),
        ("a charger on no board", |v| v["chargers"][0]["node"] = json!("nowhere")),
        ("a limit of 0", |v| v["nodes"][0]["limit_a"][1] = json!(0)),
        ("a negative limit", |v| v["nodes"][0]["limit_a"][1] = json!(-5)),
        ("a phase map that is no permutation", |v| v["chargers"][0]["phase_map"] = json!(["L1", "L1", "L3"])),
        ("a window outside the horizon", |v| v["sessions"][0]["depart"] = json!(97)),
        ("a stay that ends before it begins", |v| v["sessions"][0]["depart"] = json!(0)),
        ("overlapping stays", |v| v["sessions"][1]["charger"] = v["sessions"][0]["charger"].clone()),
        ("a need larger than the battery", |v| v["sessions"][0]["need_kwh"] = json!(1000)),
        ("a name that stands twice", |v| v["sessions"][1]["id"] = v["sessions"][0]["id"].clone()),
        ("an unknown field", |v| v["sessions"][0]["colour"] = json!("red")),
        ("an array of the wrong length", |v| v["grid"]["import_eur_kwh"] = json!([0.1, 0.2])),
        ("10 million slots", |v| v["slots"] = json!(10_000_000)),
        ("text for a number", |v| v["sessions"][0]["soc_kwh"] = json!("full")),
        ("another format", |v| v["format"] = json!(2)),
        ("a missing field", |v| drop(v["sessions"][0].as_object_mut().unwrap().remove("need_kwh"))),
    ];
    for (fault, change) in faults {
        let said = refused(&changed(change));
        assert!(said.contains("$."), "{fault}: no JSON path in {said}");
        assert!(said.contains(';') || said.contains("expected"), "{fault}: no remedy in {said}");
    }
}

#[test]
fn a_cycle_reads_like_this() {
    let said = refused(&changed(|v| v["nodes"][1]["parent"] = v["nodes"][1]["id"].clone()));
    insta::assert_snapshot!(said);
}

#[test]
fn several_faults_are_told_at_once() {
    let said = refused(&changed(|v| {
        v["sessions"][0]["need_kwh"] = json!(1000);
        v["chargers"][3]["node"] = json!("nowhere");
        v["grid"]["peak_eur_kw"] = json!(-1);
    }));
    insta::assert_snapshot!(said);
}

#[test]
fn what_is_no_json_is_refused() {
    let whole = std::fs::read_to_string(sample()).unwrap();
    for (fault, content) in [
        ("truncated", &whole[..whole.len() / 2]),
        ("empty", ""),
        ("a list", "[]"),
        (
            "NaN",
            &whole.replacen("\"voltage_v\": 230", "\"voltage_v\": NaN", 1).replacen(
                "\"voltage_v\":230",
                "\"voltage_v\":NaN",
                1,
            ),
        ),
        ("infinite", &whole.replacen("230", "1e999", 1)),
        ("deep", &"[".repeat(100_000)),
    ] {
        let said = refused(content);
        assert!(said.contains("not a usable planning instance"), "{fault}: {said}");
    }
}

#[test]
fn words_on_the_command_line_are_checked() {
    let instance = sample().display().to_string();
    for (arguments, remedy) in [
        (vec!["plan", &instance, "--gap", "5"], "for 5 % write 0.05"),
        (vec!["plan", &instance, "--gap", "-1"], "a fraction from 0 to 1"),
        (vec!["plan", &instance, "--time-limit", "soon"], "a number of seconds"),
        (vec!["plan", "/nowhere.json"], "name a file that exists"),
        (vec!["plan", "/tmp"], "name a file in that folder"),
        (vec!["plan", &instance, "--out", "/nowhere/plan.json"], "/nowhere"),
        (vec!["plan", &instance, "--out", &instance], "name another file"),
        (vec!["plan", &instance, "--previous", &instance], "not a usable plan"),
        (vec!["check", "-", "-"], "can be read once"),
        (vec!["plan", &instance, "--method", "magic"], "decomposition"),
    ] {
        let output = kwartier(&arguments);
        let err = said(&output).1;
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {err}");
        assert!(err.contains(remedy), "{arguments:?}: {err}");
    }
}
