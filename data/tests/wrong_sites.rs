//! Site files as they go wrong: what their author reads then. The messages are in `snapshots/`; a change of them is reviewed
//! like a change of the documentation.

mod common;

use common::{told, transcript};
use kwartier_data::Finding;
use kwartier_data::site::file;

const SAMPLE: &str = include_str!("../samples/depot-site.toml");

/// What is said of the sample as it is.
const OF_THE_SAMPLE: [&str; 2] = ["odd-fuse", "fallback-without-devices"];

/// Everything that is said of the sample after a change, and is not said of the sample as it is.
fn said(from: &str, to: &str) -> String {
    assert!(SAMPLE.contains(from), "the sample has no {from}");
    of(&SAMPLE.replacen(from, to, 1))
}

fn of(text: &str) -> String {
    let findings: Vec<Finding> = match file::parse(text.as_bytes()) {
        Ok(file) => file.check(),
        Err(findings) => findings,
    };
    told(&findings, &OF_THE_SAMPLE)
}

#[test]
fn the_sample_is_fine_and_survives_writing() {
    assert_eq!(of(SAMPLE), "");
    let site = file::parse(SAMPLE.as_bytes()).unwrap().site;
    // A battery and a heat pump that nobody controls are in no sum of the fallback.
    let codes: Vec<&str> = kwartier_data::site::check::check(&site).iter().map(|finding| finding.code).collect();
    assert_eq!(codes.iter().filter(|code| **code == "fallback-without-devices").count(), 1);
    let written = file::write(&site).unwrap();
    assert_eq!(file::parse(written.as_bytes()).unwrap().site, site, "{written}");
    let json = serde_json::to_vec(&site).unwrap();
    assert_eq!(file::parse(&json).unwrap().site, site);
}

#[test]
fn shape() {
    let told = transcript(vec![
        ("a unit", said("limit_a = 200", "limit_a = \"200 A\"")),
        ("two limits", said("limit_a = 200", "limit_a = [200, 200]")),
        ("words among limits", said("limit_a = 200", "limit_a = [200, \"63A\", 200]")),
        ("a flag for a limit", said("limit_a = 200", "limit_a = true")),
        ("a misspelled key", said("max_a = 32", "maxa = 32")),
        ("an unknown key", said("max_a = 32", "max_a = 32\ncolour = \"red\"")),
        ("a key of the site below a board", said("limit_a = 200", "limit_a = 200\ntime_zone = \"Europe/Amsterdam\"")),
        ("a missing key", said("limit_a = 200", "")),
        ("a number for a name", said("id = \"UV7\"", "id = 7")),
        ("one table for a list", said("[[meters]]\nid = \"Main meter\"\nboard = \"HV\"\n\n[[meters]]", "[meters]")),
        ("a kind of price that is unknown", said("kind = \"fixed\"", "kind = \"flat\"")),
        ("a price without kind", said("{ kind = \"spot\" }", "{ factor = 1 }")),
        ("a price that is a number", said("price = { kind = \"spot\" }", "price = 0.25")),
        ("a bracket's key", said("above_kwh = 10000", "from_kwh = 10000")),
        ("a word for a flag", said("curtailable = true", "curtailable = \"yes\"")),
        ("unknown includes", said("includes = [\"stations\"]", "includes = [\"chargers\"]")),
        ("an hour missing in quotes", said("l1 = [12,", "l1 = [\"12\",")),
        ("not a number", said("voltage_v = 230", "voltage_v = nan")),
        ("another format", said("format = 1", "format = 2")),
        ("twice", said("voltage_v = 230", "voltage_v = 230\nvoltage_v = 231")),
        ("no TOML", said("voltage_v = 230", "voltage_v : 230")),
        ("no quotes", said("time_zone = \"Europe/Amsterdam\"", "time_zone = Europe/Amsterdam")),
        ("empty", of("")),
        ("a table", of("Naam;Limiet (A);Aansluitpunt\nHV;200;\n")),
        ("JSON that ends early", of("{\"format\": 1,")),
        ("JSON with several faults", of("{\"format\": 1, \"name\": 3, \"boards\": [{\"id\": \"HV\", \"limit\": 3}]}")),
    ]);
    insta::assert_snapshot!(told);
}

#[test]
fn sense() {
    let twice = |text: &str| format!("{text}\n{}", text.replace("Main", "Second"));
    let told = transcript(vec![
        ("a zone misspelled", said("Europe/Amsterdam", "Europe/Amsterdm")),
        ("a zone by its city", said("Europe/Amsterdam", "Amsterdam")),
        ("a zone that is an abbreviation", said("Europe/Amsterdam", "MEZ")),
        ("the voltage between phases", said("voltage_v = 230", "voltage_v = 400")),
        ("kilovolts", said("voltage_v = 230", "voltage_v = 0.23")),
        ("a place that is none", said("latitude_deg = 52.09", "latitude_deg = 520.9")),
        ("half a place", said("longitude_deg = 5.12\n", "")),
        ("a power factor in percent", said("building_power_factor = 0.95", "building_power_factor = 95")),
        ("an imbalance limit that limits nothing", said("imbalance_limit_a = 60", "imbalance_limit_a = 300")),
        ("23 hours", said("l2 = [12, 12,", "l2 = [12,")),
        ("a building above its fuse", said("l3 = [14,", "l3 = [240,")),
        ("a fallback above the station", said("max_a = 22\nfallback_a = 6", "max_a = 22\nfallback_a = 25")),
        ("a fallback that stops", said("max_a = 22\nfallback_a = 6", "max_a = 22\nfallback_a = 4")),
        ("fallback that does not fit", of(&SAMPLE.replace("fallback_a = 6", "fallback_a = 12"))),
        (
            "fallback that fits on no board",
            of(&SAMPLE.replace("limit_a = 40\n", "limit_a = 22\n").replace("max_a = 22", "max_a = 20")),
        ),
        ("a station without fallback", said("max_a = 22\nfallback_a = 6\n", "max_a = 22\n")),
        ("a building that is unknown", said("building_max_a = 0             # stations only\n", "")),
        (
            "guarantees that do not fit",
            of(&SAMPLE
                .replace("fallback_a = 6\n", "fallback_a = 6\nguaranteed_a = 11\n")
                .replace("guaranteed_a = 11\nguaranteed_a = 6\n", "guaranteed_a = 11\n")),
        ),
        ("a limit on one phase that a station exceeds", said("limit_a = 50\n", "limit_a = [50, 20, 50]\n")),
        (
            "two meters",
            said(
                "[[meters]]\nid = \"Main meter\"\nboard = \"HV\"\n",
                &twice("[[meters]]\nid = \"Main meter\"\nboard = \"HV\"\n"),
            ),
        ),
        ("no meter at the grid", said("[[meters]]\nid = \"Main meter\"\nboard = \"HV\"\n", "")),
        ("a meter that sees nothing", said("includes = [\"stations\"]", "includes = []")),
        ("PV on no board", said("id = \"Roof\"\nboard = \"HV\"", "id = \"Roof\"\nboard = \"Roof board\"")),
        ("phases by letter", said("phases = [\"L1\", \"L2\", \"L3\"]\npeak", "phases = [\"R\", \"S\"]\npeak")),
        ("no power", said("peak_kw = 45", "peak_kw = 0")),
        ("percent for kWh", said("soc_kwh = 40\nend", "soc_kwh = 95\nend")),
        ("an efficiency in percent", said("efficiency = 0.95              #", "efficiency = 95 #")),
        ("no time of day", said("from = \"22:00\"", "from = \"22.00\"")),
        ("more than the window holds", said("need_kwh = 30", "need_kwh = 300")),
        ("an unknown group", said("group = \"Vans\"", "group = \"Van\"")),
        ("a vehicle that cannot be", said("phases = 1\nmax_a = 32", "phases = 4\nmin_a = 40\nmax_a = 32")),
        ("discharge below the battery", said("min_soc_kwh = 15", "min_soc_kwh = 80")),
    ]);
    insta::assert_snapshot!(told);
}

#[test]
fn an_update_keeps_what_the_tables_do_not_say() {
    let before = file::parse(SAMPLE.as_bytes()).unwrap().site;
    let mut boards = before.boards.clone();
    boards[1].limit_a = kwartier_data::site::PerPhase::Each([125.0, 125.0, 100.0]);
    let mut stations = before.stations.clone();
    stations.retain(|station| station.id != "Station 24");
    stations[0].rotation = Some("TSR".to_owned());
    stations.push(kwartier_data::site::Station {
        id: "Station 25".to_owned(),
        fallback_a: None,
        ..stations[1].clone()
    });
    let given = file::Given { boards: Some(&boards), stations: Some(&stations) };
    let (text, changes) = file::update(SAMPLE, &before, given).unwrap();
    let after = file::parse(text.as_bytes()).unwrap().site;
    assert_eq!((after.boards, after.stations), (boards, stations));
    assert_eq!(
        (after.tariff, after.meters, after.vehicles),
        (before.tariff.clone(), before.meters.clone(), before.vehicles.clone())
    );
    let lost = SAMPLE.lines().filter(|line| line.contains('#') && !text.contains(line)).collect::<Vec<_>>();
    assert!(lost.is_empty(), "comments are gone: {lost:?}");
    assert_eq!(changes.changed, ["board \"UV1\"", "station \"Station 1\""]);
    assert_eq!(changes.added, ["station \"Station 25\""]);
    assert_eq!(changes.removed, ["station \"Station 24\""]);
    let given = file::Given { boards: Some(&before.boards), stations: None };
    assert_eq!(file::update(SAMPLE, &before, given).unwrap(), (SAMPLE.to_owned(), file::Changes::default()));
}

#[test]
fn a_station_on_one_phase_does_not_mind_a_small_fuse_on_another() {
    let mut text = SAMPLE.replacen("limit_a = 50\n", "limit_a = [50, 20, 50]\n", 1);
    for (from, to) in [("RST", "Rxx"), ("STR", "Txx"), ("TRS", "Txx")] {
        text = text.replace(&format!("{from}\"\nmax_a = 22"), &format!("{to}\"\nmax_a = 22"));
    }
    assert!(!text.contains("RST\"\nmax_a = 22") && text.contains("[50, 20, 50]"));
    assert_eq!(of(&text), "");
}

#[test]
fn an_update_spreads_lists_that_stand_in_a_line() {
    let text = "format = 1\nname = \"x\"\ntime_zone = \"Europe/Amsterdam\"\n\
                boards = [ { id = \"HV\", limit_a = 63 }, { id = \"UV1\", parent = \"HV\", limit_a = 20 } ]\n\
                [[meters]]\nid = \"m\"\nboard = \"HV\"\n";
    let before = file::parse(text.as_bytes()).unwrap().site;
    let mut boards = before.boards.clone();
    boards[1].limit_a = kwartier_data::site::PerPhase::Same(25.0);
    let given = file::Given { boards: Some(&boards), stations: None };
    let (text, _) = file::update(text, &before, given).unwrap();
    insta::assert_snapshot!(text);
    let after = file::parse(text.as_bytes()).unwrap().site;
    assert_eq!((after.boards, after.meters), (boards, before.meters));
}
