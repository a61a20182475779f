//! Scenarios that come with the product can be read and made up, again the same; wrong ones are refused with a place and a
//! remedy; what the documentation says of the format is all there is.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use kwartier_engine::control::event::{Event, Limit};
use kwartier_engine::plant::world::{Charger, Meter, MeterFault, Noise};

use super::scenario::{self, Scenario};
use super::{Play, world};

const DOCS: &str = include_str!("../../../docs/formats/scenario.md");

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/scenarios")
}

fn shipped() -> Vec<PathBuf> {
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    files.sort();
    files
}

#[test]
fn the_scenarios_that_come_with_the_product_can_be_made_up() {
    let files = shipped();
    assert!(files.len() >= 12, "a dozen");
    for path in files {
        let (scenario, source) = scenario::read(&path, &[]).unwrap();
        let name = path.display();
        assert!(
            !scenario.about.is_empty() && fs::read_to_string(&path).unwrap().starts_with("# "),
            "{name} says what it shows"
        );
        let [first, again, other] = [1, 1, 2].map(|seed| world::days(&scenario, &source, seed).unwrap());
        assert_eq!(first.world, again.world, "{name}");
        assert_ne!(first.world, other.world, "{name}");
        let world = &first.world;
        assert!(!world.stays.is_empty(), "{name} has visits");
        assert!(world.stays.is_sorted_by_key(|stay| stay.plugs_in), "{name}");
        assert!(world.faults.is_sorted_by_key(|fault| fault.from), "{name}");
        for stay in &world.stays {
            let fits = stay.soc_kwh + stay.need_kwh * stay.car.efficiency <= stay.car.capacity_kwh * 1.001;
            assert!(fits && stay.plugs_in < stay.leaves && stay.plugs_in >= world.start, "{name}: {stay:?}");
        }
        // The worst that the site file calls credible is worse than what is played, motors aside.
        for (node, phases) in first.setup.nodes.iter().zip(&world.building_a) {
            let Some(most) = node.building_max_a else { continue };
            for (phase, amps) in phases.iter().enumerate() {
                let beyond = amps.iter().enumerate().filter(|&(step, amps)| {
                    let at = world.start + chrono::TimeDelta::seconds(900) * i32::try_from(step).unwrap();
                    *amps > most[phase][first.setup.hour(at)]
                });
                assert_eq!(beyond.count(), 0, "{name}: the building at {}", node.id);
            }
        }
    }
}

#[test]
fn what_is_made_up_has_a_chance_of_its_own() {
    let path = folder().join("quiet-night.toml");
    let days = |settings: &[(&str, &str)]| {
        let settings: Vec<_> = settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let (scenario, source) = scenario::read(&path, &settings).unwrap();
        world::days(&scenario, &source, 7).unwrap()
    };
    let usual = days(&[]);
    let dearer = days(&[("prices.mean_eur_kwh", "0.3"), ("planner", "none"), ("management", "static")]);
    assert_eq!(usual.world, dearer.world, "prices and policies move no vehicle");
    assert_ne!(usual.inputs.prices, dearer.inputs.prices);
    let broken = days(&[("chance.reboot_per_day", "24")]);
    assert_eq!(usual.world.stays, broken.world.stays);
    assert!(broken.world.faults.len() > 5);
}

#[test]
fn section_14a_is_one_budget_for_all_points() {
    let (scenario, source) = scenario::read(&folder().join("section-14a.toml"), &[]).unwrap();
    let days = world::days(&scenario, &source, 1).unwrap();
    let first = days.world.signals.first().map(|(_, event)| event.clone());
    let limit = Limit::Power(4.2 * (1.0 + 23.0 * 0.45));
    assert!(matches!(first, Some(Event::Signal(signal)) if signal.limit == limit));
}

#[test]
fn the_example_of_the_documentation_can_be_made_up() {
    let (_, example) = DOCS.split_once("```toml\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("scenario.toml");
    fs::write(&path, example).unwrap();
    fs::copy(folder().join("../../data/samples/depot-site.toml"), dir.path().join("depot-site.toml")).unwrap();
    let (scenario, source) = scenario::read(&path, &[]).unwrap();
    let days = world::days(&scenario, &source, 1).unwrap();
    assert!(!days.world.stays.is_empty() && days.world.faults.len() == 1);
}

#[test]
fn numbers_that_mean_nothing_are_refused_with_their_range() {
    let first = "[sessions]\nkind = \"generated\"";
    for (line, instead, said) in [
        ("per_day = 20", "per_day = -3", "sessions.per_day: \"-3\" is not from 0 to 100000"),
        ("per_day = 20", "per_day = nan", "sessions.per_day: \"NaN\" is not from"),
        ("announced = true", "need = 1.5", "told.need: \"1.5\" is not from 0 to 1"),
        (
            first,
            &format!("[[cars]]\ncar = {{ phases = 7 }}\n\n{first}"),
            "cars[0].car.phases: \"7\" is not from 1 to 3",
        ),
        (first, &format!("[[cars]]\ncar = {{ min_a = 6, max_a = 4 }}\n\n{first}"), "car.max_a: \"4\" is not from 6"),
        (first, &format!("[[cars]]\nshare = 0\ncar = {{}}\n\n{first}"), "give at least one a share above 0"),
        (first, &format!("[chance]\nrestart_per_day = 1e9\n\n{first}"), "chance.restart_per_day"),
        (
            first,
            &format!(
                "[[faults]]\nfrom = \"18:00\"\nwhat = {{ kind = \"slow\", device = \"Station 1\", latency_s = -1 }}\n\n{first}"
            ),
            "faults[0].what.latency_s: \"-1\"",
        ),
    ] {
        let refusal = refused(line, instead);
        assert!(refusal.contains(said) && refusal.contains("line "), "{instead}\n=> {refusal}");
    }
}

#[test]
fn what_is_wrong_in_a_file_of_faults_is_told_by_its_own_lines() {
    let dir = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(folder().join("meter-lost.toml")).unwrap();
    let site = folder().join("../../data/samples/depot-site.toml").canonicalize().unwrap();
    let text = text.replace("../../data/samples/depot-site.toml", site.to_str().unwrap());
    let path = dir.path().join("scenario.toml");
    fs::write(&path, text.replace("format = 1", "format = 1\nfaults_from = \"more.toml\"")).unwrap();
    let more = "[[faults]]\nfrom = \"18:00\"\nwhat = { kind = \"restart\" }\n\n[[faults]]\nfrom = \"20:00\"\n\
                what = { kind = \"reboot\", devices = [\"Station 99\"] }\n";
    fs::write(dir.path().join("more.toml"), more).unwrap();
    let (scenario, source) = scenario::read(&path, &[]).unwrap();
    let said = world::days(&scenario, &source, 1).map(|_| ()).unwrap_err().to_string();
    assert!(said.contains("more.toml, line 7, faults[1].what.devices"), "{said}");
}

/// What is said of a scenario with a line of `quiet-night.toml` changed.
fn refused(line: &str, instead: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(folder().join("quiet-night.toml")).unwrap();
    assert!(text.contains(line), "{line}");
    let site = folder().join("../../data/samples/depot-site.toml").canonicalize().unwrap();
    let text = text.replace(line, instead).replace("../../data/samples/depot-site.toml", site.to_str().unwrap());
    let path = dir.path().join("scenario.toml");
    fs::write(&path, text).unwrap();
    let said = Play::read(&path, &[]).and_then(|play| world::days(&play.scenario, &play.source, 1).map(|_| ()));
    let failure = said.unwrap_err();
    assert_eq!(failure.exit_code(), 2, "{failure}");
    failure.to_string().replace(&dir.path().display().to_string(), "DIR")
}

#[test]
fn wrong_scenarios_are_refused_with_place_and_remedy() {
    let start = "start = \"2026-01-14 12:00\"";
    let more = |text: &str| format!("per_day = 20\n{text}");
    let cases = [
        (start, "start = \"noon\"".to_owned()),
        (start, "start = \"2026-01-14 12:07\"".to_owned()),
        (start, "start = 12".to_owned()),
        (start, format!("{start}\nhours = \"a day\"")),
        (start, format!("{start}\nhours = 0.1")),
        (start, format!("{start}\ncolour = \"red\"")),
        (start, format!("{start}\n[policy]\nplanner = \"best\"")),
        (start, format!("{start}\n[policy]\nrisk = 2.0")),
        (start, "start = ".to_owned()),
        (start, String::new()),
        ("format = 1", "format = 2".to_owned()),
        ("board = \"HV\"", "board = \"HX\"".to_owned()),
        ("mean_eur_kwh = 0.09", String::new()),
        ("pattern = \"depot\"", "pattern = \"airport\"".to_owned()),
        (
            "per_day = 20",
            more("[[faults]]\nfrom = \"18:00\"\nwhat = { kind = \"reboot\", devices = [\"Station 99\"] }\n[x]"),
        ),
    ];
    let mut text = String::new();
    for (line, instead) in cases {
        let said = refused(line, &instead);
        let _ = writeln!(text, "{}\n=> {said}\n", instead.trim());
    }
    for fault in [
        "from = \"6 pm\"\nwhat = { kind = \"restart\" }",
        "from = \"18:00\"\nuntil = \"2026-01-14 17:00\"\nwhat = { kind = \"link\" }",
        "from = \"18:00\"\nwhat = { kind = \"meter\", board = \"UV1\", how = \"silent\" }",
        "from = \"18:00\"\nwhat = { kind = \"reboot\", devices = [\"Station 99\"] }",
        "from = \"18:00\"\nwhat = { kind = \"fire\" }",
        "from = \"18:00\"\nwhat = { kind = \"pv\", plant = \"Roof\", share = 0.5 }",
    ] {
        let said = refused("[prices]", &format!("[[faults]]\n{fault}\n\n[prices]"));
        let _ = writeln!(text, "{fault}\n=> {said}\n");
    }
    insta::assert_snapshot!(text);
}

#[test]
fn settings_of_the_command_line_are_refused_with_what_is_known() {
    let set = |key: &str, value: &str| {
        let said = scenario::read(&folder().join("quiet-night.toml"), &[(key.to_owned(), value.to_owned())]);
        said.map(|_| ()).unwrap_err().to_string()
    };
    assert!(set("plannr", "none").contains("name one of"), "{}", set("plannr", "none"));
    assert!(set("planner", "best").contains("policy.planner"), "{}", set("planner", "best"));
    assert!(set("name.x", "1").contains("name is no table"));
}

/// Every key of a value and of all within it.
fn keys(value: &serde_json::Value, found: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::Object(fields) => {
            for (key, value) in fields {
                found.insert(key.clone());
                keys(value, found);
            }
        }
        serde_json::Value::Array(list) => list.iter().for_each(|value| keys(value, found)),
        _ => {}
    }
}

#[test]
fn every_key_and_every_kind_is_documented() {
    let text = r#"
format = 1
name = "All"
site = "site.toml"
start = "2026-01-14 12:00"
prices = { kind = "file", path = "x" }
building = [
  { kind = "file", path = "x" },
  { kind = "hours", board = "B", l1 = [] },
  { kind = "generated", board = "B", usage = "home", annual_kwh = 1 },
]
pv = [{ kind = "file", path = "x" }, { kind = "generated", plant = "P", clearness = 1 }]
sessions = { kind = "history", path = "x" }
stays = [{ vehicle = "V", station = "S", from = "1", until = "2", need_kwh = 1 }]
cars = [{ car = {} }]
chargers = [{}]
meters = [{ behaviour = {} }]
faults = [
  { from = "1", what = { kind = "meter", board = "B", how = "silent" } },
  { from = "1", what = { kind = "link" } },
  { from = "1", what = { kind = "reboot" } },
  { from = "1", what = { kind = "ignores", device = "D" } },
  { from = "1", what = { kind = "rejects", device = "D" } },
  { from = "1", what = { kind = "overdraws", device = "D", by_a = 1 } },
  { from = "1", what = { kind = "slow", device = "D", latency_s = 1 } },
  { from = "1", what = { kind = "building", board = "B", amps = [1, 2, 3] } },
  { from = "1", what = { kind = "pv", plant = "P", share = 0.5 } },
  { from = "1", what = { kind = "restart" } },
  { from = "1", what = { kind = "clock", jump_s = 1 } },
]
signals = [
  { from = "1", what = { kind = "board", board = "B" } },
  { from = "1", what = { kind = "emergency", board = "B" } },
  { from = "1", what = { kind = "devices" } },
  { from = "1", what = { kind = "boost", device = "D" } },
  { from = "1", what = { kind = "stop", device = "D" } },
  { from = "1", what = { kind = "at_most", device = "D", amps = 1 } },
]
"#;
    let scenario: Scenario = toml::from_str(text).unwrap();
    let mut found = BTreeSet::new();
    keys(&serde_json::to_value(&scenario).unwrap(), &mut found);
    for value in [
        serde_json::to_value(Charger::default()).unwrap(),
        serde_json::to_value(Meter::default()).unwrap(),
        serde_json::to_value(Noise::default()).unwrap(),
    ] {
        keys(&value, &mut found);
    }
    let prices = ["kind = \"hours\"\neur_kwh = []", "kind = \"generated\"\nmean_eur_kwh = 1\nspread_eur_kwh = 1"];
    for text in prices {
        keys(&serde_json::to_value(toml::from_str::<scenario::Prices>(text).unwrap()).unwrap(), &mut found);
    }
    let generated = "kind = \"generated\"\nper_day = 1\npattern = \"home\"";
    keys(&serde_json::to_value(toml::from_str::<scenario::Sessions>(generated).unwrap()).unwrap(), &mut found);
    for key in found.iter().filter(|key| *key != "kind") {
        assert!(
            DOCS.contains(&format!("`{key}`")) || DOCS.contains(&format!("`[{key}]`")),
            "{key} is not in docs/formats/scenario.md"
        );
    }
    let faults = [MeterFault::Silent, MeterFault::Frozen, MeterFault::NotANumber, MeterFault::Negative];
    let more = [MeterFault::SignFlipped, MeterFault::OutOfOrder];
    for how in faults.into_iter().chain(more) {
        let name = serde_json::to_string(&how).unwrap();
        assert!(DOCS.contains(&name), "{name} is not in docs/formats/scenario.md");
    }
}
