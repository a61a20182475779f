//! The page, in Chromium (`tests/page/browser.js`): a person's way, from the link that is printed to a site that lives.

use std::path::{Path, PathBuf};
use std::process::Command;

use kwartier_tests::npm;
use serde_json::Value;

use super::serve::{Service, key};
use super::{Folder, json, said};

/// The folder of the script, and Chromium; `None`, one of them is not here.
fn browser() -> Option<(PathBuf, PathBuf)> {
    let folder = npm::installed("tests/page", &["browser.js"])?;
    let places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].map(PathBuf::from);
    let chromium =
        std::env::var_os("CHROMIUM").map(PathBuf::from).or_else(|| places.into_iter().find(|path| path.exists()));
    if chromium.is_none() {
        assert!(
            std::env::var_os("CI").is_none(),
            "there must be a Chromium on a build server; scripts/setup installs it"
        );
        eprintln!("SKIPPED: there is no Chromium; scripts/setup installs it, or set CHROMIUM");
    }
    Some((folder, chromium?))
}

/// What the script saw; pictures are left in the folder.
fn look((folder, chromium): &(PathBuf, PathBuf), arguments: &[&str], pictures: &Path) -> Value {
    let mut node = Command::new("node");
    node.arg("browser.js").args(arguments).arg(pictures).current_dir(folder).env("CHROMIUM", chromium);
    let output = node.output().expect("node runs");
    let (out, err) = said(&output);
    assert!(output.status.success(), "{out}{err}");
    let seen = json(out.as_bytes());
    assert_eq!(
        seen["errors"],
        Value::Array(Vec::new()),
        "what the browser logs, or what was waited for in vain: {seen}"
    );
    assert_eq!(seen["faults"], Value::Array(Vec::new()), "what axe finds wrong");
    seen
}

#[test]
fn the_demos_page_shows_what_is_and_lives() {
    let Some(browser) = browser() else { return };
    let folder = Folder::new();
    let data = folder.path("data");
    let service = Service::demo(&data);
    let url = format!("http://{}", service.address);
    let seen = look(&browser, &["demo", &url, &service.link, &key(&data)], folder.0.path());

    assert_eq!(seen["address"], format!("{url}/"), "the link does not stay in the address");
    assert!(seen["title"].as_str().is_some_and(|title| title.ends_with("– Kwartier")), "{seen}");
    assert!(seen["plan"].as_str().is_some_and(|plan| plan.contains("none can cost less than")), "{}", seen["plan"]);
    assert!(seen["slots"].as_u64() >= Some(40), "a plan reaches ten hours ahead at least: {}", seen["slots"]);
    let chargers = seen["chargers"].as_array().expect("chargers");
    assert_eq!(chargers.len(), 24 + 2, "stations, a heat pump and a battery");
    for cells in chargers.iter().filter(|cells| !cells[4].as_str().unwrap_or_default().is_empty()) {
        assert!(
            cells[6].as_str().is_some_and(|energy| energy.ends_with("kWh") || energy.contains("will have")),
            "{cells}"
        );
    }
    let meters = seen["boards"].as_array().expect("boards");
    assert_eq!(meters.len(), 8 * 3);
    for meter in meters {
        let number = |name: &str| meter[name].as_f64().unwrap_or(f64::NAN);
        let share = 100.0 * number("now").abs() / number("max");
        assert!(number("now") <= number("max") + 1.0, "{meter}");
        assert!((number("width") - share).abs() < 0.5, "the bar is as long as the number says: {meter}");
    }
    assert_eq!(seen["stopped"]["status"], 200);
    assert_eq!(seen["stranger"], true, "another browser sees nothing");
    assert!(seen["refused"].as_str().is_some_and(|told| told.contains("key")), "{}", seen["refused"]);
    assert_eq!(seen["sticksOut"], 0, "nothing is wider than a phone");
    let (code, _) = service.end();
    assert_eq!(code, Some(0));
}

#[test]
fn the_first_admin_sets_up_by_the_link_that_is_printed() {
    let Some(browser) = browser() else { return };
    let folder = Folder::new();
    let service = Service::first(&folder.path("data"));
    let url = format!("http://{}", service.address);
    let seen = look(&browser, &["first", &url, &service.link], folder.0.path());
    assert_eq!(seen["address"], format!("{url}/"), "the secret does not stay in the address");
    assert!(seen["state"].as_str().is_some_and(|state| state.contains("put one with the API")), "{seen}");
    for refused in ["refused", "again"] {
        assert!(seen[refused].as_str().is_some_and(|told| told.len() > 20), "{refused}: {}", seen[refused]);
    }
    let (code, _) = service.end();
    assert_eq!(code, Some(0));
}
