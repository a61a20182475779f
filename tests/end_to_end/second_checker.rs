//! Every plan against a second checker, written in another language by other people: `../shared/planning/check_plan.py`.
//! Where that folder is not, these tests say so and pass.

use std::path::PathBuf;
use std::process::Command;

use kwartier_tests::generate::Recipe;
use serde_json::Value;

use super::{Folder, json, kwartier, said, workspace};

/// The folder with the checker and the public instances.
pub(super) fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("KWARTIER_SHARED").map_or_else(|| workspace().join("../shared"), PathBuf::from);
    let planning = folder.join("planning");
    if planning.join("check_plan.py").exists() {
        return Some(planning);
    }
    eprintln!("SKIPPED: there is no {}; set KWARTIER_SHARED to the folder that holds planning/", planning.display());
    None
}

/// What the second checker says of a plan.
fn second_opinion(checker: &PathBuf, arguments: &[&str]) -> (bool, Value) {
    let output = Command::new("python3").arg(checker).args(arguments).output().expect("python3");
    (output.status.success(), json(&output.stdout))
}

#[test]
fn public_instances_are_within_a_thousandth_of_the_reference() {
    let Some(planning) = shared() else { return };
    let reference = json(&std::fs::read(planning.join("instances/reference.json")).unwrap());
    let mut names: Vec<&String> = reference.as_object().unwrap().keys().filter(|name| *name != "_").collect();
    names.sort();
    assert!(names.len() >= 10, "the public instances are there");
    let folder = Folder::new();
    for name in names {
        let instance = planning.join(format!("instances/{name}.json")).display().to_string();
        let plan = folder.path(&format!("{name}.json"));
        let planned = kwartier(&["plan", &instance, "--out", &plan, "--quiet"]);
        assert_eq!(planned.status.code(), Some(0), "{name}: {}", said(&planned).1);
        let bound = reference[name]["bound"].to_string();
        let arguments = [instance.as_str(), &plan, "--bound", &bound, "--max-gap", "0.001"];
        let (passes, what) = second_opinion(&planning.join("check_plan.py"), &arguments);
        assert!(passes, "{name}: {what}");
        // A bound above the reference optimum would be a lie.
        if let Some(optimum) = reference[name]["optimum"].as_f64() {
            let stated = what["stated_bound"].as_f64().unwrap();
            assert!(stated < optimum + 1e-4 * optimum.abs(), "{name}: bound {stated}, optimum {optimum}");
        }
    }
}

#[test]
fn generated_sites_pass_both_checkers() {
    let Some(planning) = shared() else { return };
    let folder = Folder::new();
    let night = Recipe::night(24, 21);
    let kinds = [
        ("day", Recipe::day(24, 22)),
        ("negative", Recipe { negative_hours: 4, v2g: 0.6, ..Recipe::day(24, 23) }),
        ("feed-in", Recipe { feed_in_hours: 3, ..Recipe::day(12, 24) }),
        ("crowded", Recipe { fuses: 0.3, need: 2.0, ..night.clone() }),
        ("unequal", Recipe { unequal: true, ..night.clone() }),
        ("one-phase", Recipe { one_phase: 1.0, ..night.clone() }),
        ("short-day", Recipe { slots: 92, ..night.clone() }),
        ("long-day", Recipe { slots: 100, ..night.clone() }),
        ("deep", Recipe { depth: 30, ..night.clone() }),
        ("together", Recipe { together: true, ..night.clone() }),
        ("nobody", Recipe { vehicles: 0, everything: false, ..night }),
    ];
    for (name, recipe) in kinds {
        let instance = folder.file(&format!("{name}.json"), &recipe.json().to_string());
        let plan = folder.path(&format!("{name}-plan.json"));
        let planned = kwartier(&["plan", &instance, "--out", &plan, "--quiet", "--method", "decomposition"]);
        assert_eq!(planned.status.code(), Some(0), "{name}: {}", said(&planned).1);
        assert_eq!(kwartier(&["check", &instance, &plan]).status.code(), Some(0), "{name}");
        let (passes, what) = second_opinion(&planning.join("check_plan.py"), &[&instance, &plan]);
        assert!(passes, "{name}: {what}");
    }
}

/// A change to a plan.
type Damage = fn(&mut Value);

#[test]
fn both_checkers_find_the_same_damage() {
    let Some(planning) = shared() else { return };
    let folder = Folder::new();
    let instance = folder.file("day.json", &Recipe::day(12, 31).json().to_string());
    let plan = folder.path("plan.json");
    assert_eq!(kwartier(&["plan", &instance, "--out", &plan, "--quiet", "--gap", "0.01"]).status.code(), Some(0));
    let whole = json(&std::fs::read(&plan).unwrap());
    let damages: Vec<(&str, Damage)> = vec![
        ("one ampere", |p| p["sessions"][0]["charge_a"][0] = 1.0.into()),
        ("an entry less", |p| drop(p["sessions"].as_array_mut().unwrap().pop())),
        ("a cheaper claim", |p| p["objective_eur"] = (p["objective_eur"].as_f64().unwrap() - 1.0).into()),
        ("a bound above the cost", |p| p["bound_eur"] = (p["objective_eur"].as_f64().unwrap() + 1.0).into()),
        ("a shortfall hidden", |p| p["sessions"][0]["shortfall_kwh"] = 7.0.into()),
        ("more sun than there is", |p| p["pv"][0]["used_kw"][20] = 1e6.into()),
        ("a battery at full power all day", |p| {
            p["batteries"][0]["charge_kw"].as_array_mut().unwrap().iter_mut().for_each(|v| *v = 7.2.into());
        }),
        ("an array too short", |p| drop(p["loads"][0]["kw"].as_array_mut().unwrap().pop())),
    ];
    for (damage, change) in damages {
        let mut broken = whole.clone();
        change(&mut broken);
        let broken = folder.file("broken.json", &broken.to_string());
        let (passes, what) = second_opinion(&planning.join("check_plan.py"), &[&instance, &broken]);
        let ours = kwartier(&["check", &instance, &broken]);
        assert!(!passes, "{damage}: {what}");
        assert_eq!(ours.status.code(), Some(1), "{damage}: {}", said(&ours).0);
    }
}
