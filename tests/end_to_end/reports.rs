//! `plan --chart`, `--html` and `--explain`: files beside the plan.

use super::{Folder, json, kwartier, said, sample};

#[test]
fn writes_plan_chart_and_page() {
    let folder = Folder::new();
    let [plan, chart, page] = ["plan.json", "chart.svg", "page.html"].map(|name| folder.path(name));
    let instance = sample().display().to_string();
    let zone = "Europe/Amsterdam";
    let made = kwartier(&[
        "plan",
        &instance,
        "--out",
        &plan,
        "--chart",
        &chart,
        "--html",
        &page,
        "--tz",
        zone,
        "--explain",
        "--gap",
        "0.01",
    ]);
    let (out, err) = said(&made);
    assert_eq!(made.status.code(), Some(0), "{err}");
    for what in ["The plan is in", "The chart is in", "The page is in", "Limits that bind", "would save on this day"] {
        assert!(out.contains(what), "{what} is missing from {out}");
    }
    let chart = std::fs::read_to_string(&chart).unwrap();
    assert!(chart.starts_with("<svg") && chart.trim_end().ends_with("</svg>"));
    assert!(chart.contains(zone));
    let page = std::fs::read_to_string(&page).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("Limits that bind"));
}

#[test]
fn the_explanation_is_part_of_the_json() {
    let instance = sample().display().to_string();
    let made = kwartier(&["plan", &instance, "--json", "--explain", "--gap", "0.01"]);
    assert_eq!(made.status.code(), Some(0), "{}", said(&made).1);
    let explanation = &json(&made.stdout)["explanation"];
    assert_eq!(explanation["vehicles"].as_array().unwrap().len(), 31);
    assert!(explanation["savings"].as_array().is_some_and(|savings| !savings.is_empty()));
    let made = kwartier(&["plan", &instance, "--json", "--gap", "0.01"]);
    assert!(json(&made.stdout).get("explanation").is_none());
}

#[test]
fn a_chart_may_go_to_standard_output() {
    let made = kwartier(&["plan", &sample().display().to_string(), "--chart", "-", "--gap", "0.01"]);
    let (out, err) = said(&made);
    assert_eq!(made.status.code(), Some(0), "{err}");
    assert!(out.starts_with("<svg") && out.trim_end().ends_with("</svg>"));
    assert!(err.contains("no plan can cost less than"), "{err}");
}

#[test]
fn outputs_in_each_others_way_are_refused_before_anything_is_made() {
    let folder = Folder::new();
    let instance = folder.file("site.json", &std::fs::read_to_string(sample()).unwrap());
    let (one, chart) = (folder.path("one"), folder.path("chart.svg"));
    let twisted = folder.path("./one");
    let refused = [
        (vec!["--chart", &one, "--html", &twisted], "are the same file"),
        (vec!["--out", "-", "--chart", "-"], "both want standard output"),
        (vec!["--json", "--html", "-"], "both want standard output"),
        (vec!["--chart", &instance], "is the instance itself"),
        (vec!["--chart", &chart, "--html", "/nowhere/page.html"], "cannot be written"),
        (vec!["--chart", &chart, "--tz", "Mars/Olympus"], "give an IANA name"),
    ];
    for (options, why) in refused {
        let made = kwartier(&[&["plan", &instance], &options[..]].concat());
        assert_eq!(made.status.code(), Some(2), "{options:?}");
        assert!(said(&made).1.contains(why), "{options:?}: {}", said(&made).1);
    }
    let broken = folder.file("broken.json", "{}");
    assert_eq!(kwartier(&["plan", &broken, "--chart", &chart]).status.code(), Some(2));
    assert_eq!(std::fs::read_dir(std::path::Path::new(&instance).parent().unwrap()).unwrap().count(), 2);
}
