//! `site instance`: from the samples to a plan that passes, on days of 92, 96 and 100 quarter-hours; and wrong input.

use std::fmt::Write as _;
use std::process::Command;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::second_checker::shared;
use super::{Folder, json, kwartier, said, workspace};

/// The guide's boards, and its 24 stations, a third of them with each rotation.
fn site() -> String {
    let mut site = r#"
format = 1
name = "Guide"
time_zone = "Europe/Amsterdam"

[connection]
import_cap_kw = 100

[tariff]
vat_percent = 21
components = [
  { name = "Day-ahead", price = { kind = "spot" } },
  { name = "Supplier's fee", price = { kind = "fixed", eur_kwh = 0.008 } },
  { name = "Energy tax", price = { kind = "brackets", brackets = [{ above_kwh = 0, eur_kwh = 0.126 }, { above_kwh = 10000, eur_kwh = 0.1 }] } },
  { name = "Grid", price = { kind = "time_of_use", eur_kwh = 0.01, windows = [{ days = "mon-fri", from = "07:00", until = "23:00", eur_kwh = 0.03 }] } },
  { name = "Peak", price = { kind = "peak", eur_kw_month = 3.5 } },
  { name = "Feed-in", direction = "export", price = { kind = "spot" } },
]

[[pv]]
id = "Roof"
board = "HV"
peak_kw = 60
curtailable = true

[[batteries]]
id = "B1"
board = "HV"
capacity_kwh = 36
max_charge_kw = 14.4
max_discharge_kw = 14.4

[[loads]]
id = "Heat pump"
board = "HV"
from = "05:00"
until = "22:00"
max_kw = 7.2
need_kwh = 28.8
"#
    .to_owned();
    let boards = [
        ("HV", "", 200),
        ("UV1", "HV", 125),
        ("UV2", "UV3", 100),
        ("UV3", "HV", 120),
        ("UV4", "HV", 100),
        ("UV5", "UV4", 40),
        ("UV6", "UV4", 60),
        ("UV7", "HV", 50),
    ];
    for (id, parent, limit_a) in boards {
        let parent = if parent.is_empty() { String::new() } else { format!("parent = \"{parent}\"\n") };
        writeln!(site, "[[boards]]\nid = \"{id}\"\n{parent}limit_a = {limit_a}\n").unwrap();
    }
    for k in 0..24 {
        let board = ["UV1", "UV2", "UV3", "UV5", "UV6", "UV7"][k % 6];
        let rotation = ["RST", "STR", "TRS"][k / 6 % 3];
        writeln!(
            site,
            "[[stations]]\nid = \"Station {}\"\nboard = \"{board}\"\nrotation = \"{rotation}\"\nmax_a = {}\n",
            k + 1,
            [22, 32][k % 2]
        )
        .unwrap();
    }
    site
}

fn sample(name: &str) -> String {
    workspace().join("data/samples").join(name).display().to_string()
}

#[test]
fn samples_become_plans_that_pass() {
    let folder = Folder::new();
    let site = folder.file("site.toml", &site());
    let (roster, prices) = (sample("roster.csv"), sample("prices.csv"));
    let (building, pv) = (sample("building.csv"), sample("pv.csv"));
    for (date, slots) in [("2023-03-26", 92), ("2023-06-13", 96), ("2023-10-29", 100)] {
        let (instance, plan) = (folder.path(&format!("{date}.json")), folder.path(&format!("{date}-plan.json")));
        let made = kwartier(&[
            "site",
            "instance",
            &site,
            "--roster",
            &roster,
            "--prices",
            &prices,
            "--building",
            &building,
            "--pv",
            &pv,
            "--date",
            date,
            "--used-this-year-kwh",
            "12000",
            "--peak-so-far-kw",
            "30",
            "--battery-soc",
            "B1=12",
            "--out",
            &instance,
        ]);
        let (out, err) = said(&made);
        assert_eq!(made.status.code(), Some(0), "{date}: {err}");
        assert!(out.contains(&format!("{slots} quarter-hours")), "{out}");
        assert!(err.contains("note: ") && err.contains("fair share"), "{err}");
        let content: Value = json(&std::fs::read(&instance).unwrap());
        assert_eq!(content["slots"], slots);
        assert_eq!(content["time_zone"], "Europe/Amsterdam");
        assert_eq!(content["batteries"][0]["soc_kwh"], 12.0);
        let planned = kwartier(&["plan", &instance, "--out", &plan, "--quiet", "--gap", "0.01"]);
        assert_eq!(planned.status.code(), Some(0), "{date}: {}", said(&planned).1);
        let checked = kwartier(&["check", &instance, &plan]);
        assert_eq!(checked.status.code(), Some(0), "{date}: {}", said(&checked).0);
        if let Some(planning) = shared() {
            let checker = planning.join("check_plan.py");
            let output = Command::new("python3").arg(checker).args([&instance, &plan]).output().unwrap();
            assert!(output.status.success(), "{date}: {}", said(&output).0);
        }
    }
}

#[test]
fn the_summary_is_json_where_asked_for() {
    let folder = Folder::new();
    let (site, instance) = (folder.file("site.toml", &site()), folder.path("instance.json"));
    let made = kwartier(&[
        "site",
        "instance",
        &site,
        "--roster",
        &sample("roster.csv"),
        "--prices",
        &sample("prices.csv"),
        "--date",
        "2023-06-13",
        "--start",
        "06:00",
        "--json",
        "--out",
        &instance,
    ]);
    assert_eq!(made.status.code(), Some(0), "{}", said(&made).1);
    let summary = json(&made.stdout);
    assert_eq!(summary["slots"], 96);
    assert_eq!(summary["start"], "2023-06-13 06:00 (UTC+02:00)");
    let codes: Vec<&str> = summary["notes"].as_array().unwrap().iter().map(|n| n["code"].as_str().unwrap()).collect();
    for code in ["building_unknown", "no_pv", "price_assumed", "battery_soc", "fair_share"] {
        assert!(codes.contains(&code), "{code} is not among {codes:?}");
    }
}

#[test]
fn wrong_input_is_refused_with_a_remedy() {
    let folder = Folder::new();
    let site = folder.file("site.toml", &site());
    let (roster, prices) = (sample("roster.csv"), sample("prices.csv"));
    let out = folder.path("out.json");
    let bad_site = folder.file("bad.toml", "format = 1\nname = \"x\"\ncolour = \"red\"\n");
    let bad_roster =
        folder.file("bad.csv", "vehicle,station,days,arrival,departure,soc\nA,Station 1,mon,8,17:00,0.3\n");
    let no_unit = folder.file("no-unit.csv", "start,price\n2023-06-12 22:00,80\n2023-06-12 23:00,90\n");
    let base = ["site", "instance", &site, "--roster", &roster, "--out", &out];
    for (arguments, remedy) in [
        (vec!["--prices", &prices, "--date", "2023-07-01"], "say nothing of the slot at 2023-07-01 00:00 (UTC+02:00)"),
        (vec!["--date", "2023-06-13"], "give --prices"),
        (vec!["--date", "13 June"], "such as 2026-11-25"),
        (vec!["--start", "6"], "such as 06:00"),
        (vec!["--prices", &no_unit], "EUR/MWh, EUR/kWh, ct/kWh"),
        (vec!["--prices", &no_unit, "--price-unit", "EUR/MWh"], "--tz Europe/Amsterdam"),
        (vec!["--prices", &no_unit, "--price-unit", "EUR/GWh"], "EUR/MWh, EUR/kWh, ct/kWh"),
        (vec!["--prices", &prices, "--price-column", "spot"], "is no column"),
        (vec!["--prices", &prices, "--tz", "Amsterdm"], "did you mean"),
        (vec!["--prices", &prices, "--date", "2023-06-13", "--battery-soc", "B9=3"], "no battery of the site"),
        (vec!["--battery-soc", "B1"], "such as B1=12.5"),
        (vec!["--prices", "/nowhere.csv"], "name a file that exists"),
        (vec!["--pv", &prices], "which is not what is wanted"),
    ] {
        let output = kwartier(&[&base[..], &arguments[..]].concat());
        let err = said(&output).1;
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {err}");
        assert!(err.contains(remedy), "{arguments:?}: {err}");
        assert!(!std::path::Path::new(&out).exists(), "{arguments:?}: nothing is written");
    }
    for (site, roster, out, remedy) in [
        (&bad_site, &roster, &out, "line 3"),
        (&site, &bad_roster, &out, "is no time of day"),
        (&site, &roster, &site, "name another file"),
        (&site, &"/tmp".to_owned(), &out, "name a file in that folder"),
    ] {
        let output = kwartier(&["site", "instance", site, "--roster", roster, "--prices", &prices, "--out", out]);
        let err = said(&output).1;
        assert_eq!(output.status.code(), Some(2), "{err}");
        assert!(err.contains(remedy), "{err}");
    }
}

/// The depot of the samples planned from history alone, and what that plan costs on what then happened.
#[test]
fn forecasts_become_plans_and_know_nothing_later() {
    let folder = Folder::new();
    let (site, roster) = (sample("depot-site.toml"), sample("roster.csv"));
    let at = "2023-06-13T12:00";
    let make = |out: &str, more: &[&str]| {
        let fixed = ["site", "instance", &site, "--roster", &roster, "--date", "2023-06-13", "--start", "12:00"];
        let rest = ["--peak-so-far-kw", "30", "--used-this-year-kwh", "40000", "--out", out];
        kwartier(&[&fixed[..], &rest[..], more].concat())
    };
    let both = |name: &str| {
        let read = |part: &str| std::fs::read_to_string(sample(&format!("forecast/{name}-{part}.csv"))).unwrap();
        let (history, happened) = (read("history"), read("happened"));
        let (mut later, mut nonsense) = (String::new(), String::new());
        for line in happened.lines().skip(1) {
            writeln!(later, "{line}").unwrap();
            writeln!(nonsense, "{},0.123", line.split(',').next().unwrap()).unwrap();
        }
        (history.clone() + &later, history + &nonsense)
    };
    let mut instances = Vec::new();
    let building_truth = both("building").0;
    let (building, pv, price) = (both("building"), both("pv"), both("price"));
    for (k, texts) in [[&building.0, &pv.0, &price.0], [&building.1, &pv.1, &price.1]].into_iter().enumerate() {
        let [building, pv, price] = ["b.csv", "p.csv", "s.csv"]
            .into_iter()
            .zip(texts)
            .map(|(name, text)| folder.file(name, text))
            .collect::<Vec<_>>()
            .try_into()
            .unwrap();
        let out = folder.path(&format!("forecast-{k}.json"));
        let histories =
            ["--building-history", &building, "--pv-history", &pv, "--price-history", &price, "--forecast", "--at", at];
        let made = make(&out, &histories);
        let (_, err) = said(&made);
        assert_eq!(made.status.code(), Some(0), "{err}");
        for name in ["the building", "Roof", "prices"] {
            assert!(err.contains(&format!("note: {name}: 96 of 96 quarter-hours are forecast")), "{err}");
        }
        instances.push(std::fs::read(&out).unwrap());
        if k == 0 {
            let low = folder.path("low.json");
            let made = make(&low, &[&histories[..], &["--building-quantile", "0.25"]].concat());
            assert_eq!(made.status.code(), Some(0));
            let sum = |bytes: &[u8]| -> f64 {
                json(bytes)["grid"]["base_kw"].as_array().unwrap().iter().map(|kw| kw.as_f64().unwrap()).sum()
            };
            assert!(sum(&std::fs::read(&low).unwrap()) < sum(&instances[0]));
        }
    }
    assert!(instances[0] == instances[1], "what came after --at changed the forecast");

    let real = folder.path("real.json");
    let [building, pv, price] =
        ["building", "pv", "price"].map(|name| sample(&format!("forecast/{name}-happened.csv")));
    let made = make(&real, &["--building", &building, "--pv", &pv, "--prices", &price]);
    assert_eq!(made.status.code(), Some(0));
    let (planned, plan) = (folder.path("forecast-0.json"), folder.path("plan.json"));
    assert_eq!(kwartier(&["plan", &planned, "--quiet", "--out", &plan]).status.code(), Some(0));
    let best = folder.path("best.json");
    assert_eq!(kwartier(&["plan", &real, "--quiet", "--out", &best]).status.code(), Some(0));
    let repriced = kwartier(&["check", &real, &plan, "--made-for", &planned, "--json"]);
    let best = json(&std::fs::read(&best).unwrap());
    let cost = json(&repriced.stdout)["cost_eur"]["total"].as_f64().unwrap();
    assert!(cost >= best["bound_eur"].as_f64().unwrap() - 0.02, "{cost}");
    // On its own instance it costs what it says.
    let own = kwartier(&["check", &planned, &plan, "--made-for", &planned]);
    assert_eq!(own.status.code(), Some(0), "{}", said(&own).0);

    // In the middle of the plan, what has passed is as it was measured, and PV without a history comes from its place.
    let [so_far, price] = [folder.path("b.csv"), sample("forecast/price-happened.csv")];
    std::fs::write(&so_far, &building_truth).unwrap();
    let later = folder.path("later.json");
    let options = ["--forecast", "--at", "2023-06-13T18:07", "--building-history", &so_far, "--prices", &price];
    let made = make(&later, &options);
    assert_eq!(made.status.code(), Some(0), "{}", said(&made).1);
    let kw = |path: &str, slot: usize| json(&std::fs::read(path).unwrap())["grid"]["base_kw"][slot].as_f64().unwrap();
    assert!(said(&made).1.contains("the building: 72 of 96 quarter-hours are forecast"), "{}", said(&made).1);
    assert!((kw(&later, 0) - kw(&real, 0)).abs() < 1e-9);

    let out = folder.path("none.json");
    let history = sample("forecast/price-history.csv");
    let start = std::fs::read_to_string(&history).unwrap().lines().take(5).collect::<Vec<_>>().join("\n");
    let short = folder.file("short.csv", &start);
    let from_prices = |more: &[&str]| make(&out, &[&["--forecast", "--price-history", &history][..], more].concat());
    for (made, remedy) in [
        (make(&out, &["--building-history", &building]), "--forecast"),
        (from_prices(&["--price-quantile", "75"]), "0.05 to 0.95"),
        (from_prices(&["--at", "2023-06-15T00:00Z"]), "the plan is from"),
        (from_prices(&["--at", "2023-05-15T00:00Z"]), "15 days"),
        (make(&out, &["--forecast", "--price-history", &short]), "give a longer --price-history"),
        (from_prices(&["--building-history", "nowhere.csv"]), "name a file that exists"),
    ] {
        let (_, err) = said(&made);
        assert_eq!(made.status.code(), Some(2), "{err}");
        assert!(err.contains(remedy), "{remedy}: {err}");
    }
}

/// The log of six vans that come back to their stations in the afternoon of each working day and leave the next morning; what
/// is later than noon of 13 June 2023 is nonsense where asked for.
fn van_log(nonsense: bool) -> String {
    let mut log = "session,seen at the gate,departure,kwh,vehicle,station\n".to_owned();
    let first: DateTime<Utc> = "2023-04-03T00:00:00Z".parse().unwrap();
    let at: DateTime<Utc> = "2023-06-13T10:00:00Z".parse().unwrap();
    let mut noise = 7_u32;
    for day in (0..74).filter(|day| day % 7 < 5) {
        for van in 1..7 {
            let mut chance = || {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                f64::from(noise >> 8) / f64::from(1 << 24)
            };
            let midnight = first + TimeDelta::days(day);
            let mut arrival = midnight + TimeDelta::seconds(15 * 3_600 + (5_400.0 * chance()) as i64);
            let mut departure = midnight + TimeDelta::seconds(30 * 3_600 + (3_600.0 * chance()) as i64);
            let mut kwh = 10.0 + 5.0 * f64::from(van) + 4.0 * chance();
            if nonsense && departure > at {
                kwh = 0.5;
                departure = departure.max(at) + TimeDelta::days(2);
                if arrival >= at {
                    arrival = at + TimeDelta::minutes(3);
                }
            }
            let [arrival, departure] = [arrival, departure].map(|time| time.to_rfc3339());
            writeln!(log, "{day}-{van},{arrival},{departure},{kwh:.2},van {van},Station {van}").unwrap();
        }
    }
    log
}

/// Name, station, first slot, slot after the last, need in kWh.
type Session = (String, String, f64, f64, f64);

/// What rows leave open is forecast from the log, by the quantiles asked for; others stay as they are; who is in no row may come.
#[test]
fn stays_come_from_the_log_where_the_roster_leaves_them_open() {
    let folder = Folder::new();
    let site = sample("depot-site.toml");
    let [building, pv, price] =
        ["building", "pv", "price"].map(|name| sample(&format!("forecast/{name}-happened.csv")));
    let rows =
        "van 1,Station 1,mon-fri,17:30,,\nvan 2,Station 2,mon-fri,17:30,07:00,9\nvan 3,Station 3,mon-fri,17:30,,9\n";
    let roster = folder.file("roster.csv", &format!("vehicle,station,days,arrival,departure,need_kwh\n{rows}"));
    let log = folder.file("log.csv", &van_log(false));
    let out = folder.path("instance.json");
    let make = |more: &[&str]| {
        let fixed =
            ["site", "instance", &site, "--roster", &roster, "--date", "2023-06-13", "--start", "12:00", "--out", &out];
        let given = ["--building", &building, "--pv", &pv, "--prices", &price];
        kwartier(&[&fixed[..], &given, more].concat())
    };
    let sessions = |made: &std::process::Output| -> Vec<Session> {
        assert_eq!(made.status.code(), Some(0), "{}", said(made).1);
        let all = json(&std::fs::read(&out).unwrap())["sessions"].as_array().unwrap().clone();
        let text = |one: &Value, name: &str| one[name].as_str().unwrap().to_owned();
        let number = |one: &Value, name: &str| one[name].as_f64().unwrap();
        let read = |one: &Value| {
            let [arrive, depart, need_kwh] = ["arrive", "depart", "need_kwh"].map(|name| number(one, name));
            (text(one, "id"), text(one, "charger"), arrive, depart, need_kwh)
        };
        all.iter().map(read).collect()
    };
    let history = ["--forecast", "--map", "seen at the gate=arrival", "--session-history", &log];

    let made = make(&history);
    assert!(said(&made).1.contains("stays: 2 that the roster leaves open are forecast"), "{}", said(&made).1);
    let usual = sessions(&made);
    let of = |all: &[Session], id: &str| {
        all.iter().find(|session| session.0 == id).cloned().unwrap_or_else(|| panic!("{id} is not in {all:?}"))
    };
    assert_eq!(usual.len(), 3);
    let van = of(&usual, "van 2");
    assert!((van.2 - 22.0).abs() + (van.3 - 76.0).abs() < 1e-9, "what is given stays: {van:?}");
    assert!((of(&usual, "van 2").4 - 9.0).abs() < 1e-9 && (of(&usual, "van 3").4 - 9.0).abs() < 1e-9);
    // The log's vans leave from 8 to 9 o'clock; 15 to 19 kWh at the station are 13 to 18 in the battery.
    for van in ["van 1", "van 3"] {
        assert!((78.0..=84.0).contains(&of(&usual, van).3), "{usual:?}");
    }
    assert!((12.5..19.0).contains(&of(&usual, "van 1").4), "{usual:?}");

    let other = sessions(&make(&[&history[..], &["--departure-quantile", "0.9", "--energy-quantile", "0.1"]].concat()));
    assert!(
        of(&other, "van 1").3 > of(&usual, "van 1").3 && of(&other, "van 1").4 < of(&usual, "van 1").4,
        "{other:?}"
    );

    // Three vans are in no row: all three are expected, at their own stations.
    let at = ["--at", "2023-06-13T12:00"];
    let expecting = [&history[..], &at, &["--expect-sessions"]].concat();
    let made = make(&expecting);
    assert!(said(&made).1.contains("0 are there at --at and 3 come"), "{}", said(&made).1);
    let all = sessions(&made);
    for van in 4..7 {
        let session = of(&all, &format!("van {van}"));
        assert_eq!(session.1, format!("Station {van}"));
        assert!((18.0..=28.0).contains(&session.2), "{session:?}");
    }
    let known = std::fs::read(&out).unwrap();
    std::fs::write(&log, van_log(true)).unwrap();
    assert_eq!(make(&expecting).status.code(), Some(0));
    assert!(known == std::fs::read(&out).unwrap(), "what came after --at changed the stays");
    // Days ahead of the plan, those who have left before it begins are none of it.
    let made = make(&[&history[..], &["--at", "2023-06-10T12:00", "--expect-sessions"]].concat());
    assert!(said(&made).1.contains("0 are there at --at and 3 come"), "{}", said(&made).1);
    assert_eq!(sessions(&made).len(), 6);
    // Where the log has no names, as many come, to the first stations that are free: the roster's are not.
    let nameless = folder.file("nameless.csv", &van_log(false).replace(",van ", ",").replace(",vehicle,", ",number,"));
    let made = make(&[&history[..4], &[nameless.as_str(), "--expect-sessions"], &at].concat());
    let stations: Vec<String> =
        sessions(&made).into_iter().filter(|one| one.0.starts_with("expected")).map(|one| one.1).collect();
    assert_eq!(stations, (4..10).map(|k| format!("Station {k}")).collect::<Vec<_>>(), "{}", said(&made).1);
    // In the night all are there, and stay where they are until after now.
    std::fs::write(&log, van_log(false)).unwrap();
    let later = [&history[..], &["--at", "2023-06-14T00:30", "--expect-sessions"]].concat();
    let made = make(&later);
    assert!(said(&made).1.contains("3 are there at --at"), "{}", said(&made).1);
    assert!((74.0..=84.0).contains(&of(&sessions(&made), "van 5").3));
    let planned = folder.path("plan.json");
    assert_eq!(kwartier(&["plan", &out, "--quiet", "--gap", "0.01", "--out", &planned]).status.code(), Some(0));

    let elsewhere = folder.file("elsewhere.csv", &van_log(false).replace("Station", "Other"));
    for (made, remedy) in [
        (make(&[]), "or have it forecast with --forecast --session-history"),
        (make(&["--session-history", &log]), "--forecast"),
        (make(&["--forecast", "--expect-sessions"]), "--session-history"),
        (make(&["--forecast", "--session-history", &log]), "--map theirs=arrival"),
        (make(&[&history[..], &["--departure-quantile", "25"]].concat()), "0.05 to 0.95"),
        (make(&[&history[..4], &[elsewhere.as_str(), "--expect-sessions"]].concat()), "names stations of the site"),
    ] {
        let (_, err) = said(&made);
        assert_eq!(made.status.code(), Some(2), "{err}");
        assert!(err.contains(remedy), "{remedy}: {err}");
    }
}
