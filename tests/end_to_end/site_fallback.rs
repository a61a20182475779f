//! `site fallback`: what stations store, its proof in `site check`, and who would be full without a link.

use super::{Folder, json, kwartier, said};

/// 100 A, of which the building draws 70 A from 8:00 to 18:00 and 20 A else, and four stations of 32 A.
fn site(station: &str) -> String {
    let hours: Vec<&str> = (0..24).map(|hour| if (8..18).contains(&hour) { "70" } else { "20" }).collect();
    let hours = hours.join(", ");
    let mut text = format!(
        "format = 1\nname = \"Yard\"\ntime_zone = \"Europe/Amsterdam\"\n\n[[boards]]\nid = \"HV\"\nlimit_a = 100\n\
         building_max_a = {{ l1 = [{hours}], l2 = [{hours}], l3 = [{hours}] }}\n"
    );
    for k in 1..=4 {
        text.push_str(&format!(
            "\n[[stations]] # place {k}\nid = \"S{k}\"\nboard = \"HV\"\nrotation = \"RST\"\nmax_a = 32\n{station}\n"
        ));
    }
    text
}

const ROSTER: &str = "vehicle,station,arrival,departure,need_kwh,max_a,capacity_kwh
Van 1,S1,2026-06-01 17:00,2026-06-02 07:00,40,32,60
Van 2,S2,2026-06-01 20:00,2026-06-02 07:00,90,32,100
";

#[test]
fn the_values_are_printed_written_and_proven() {
    let folder = Folder::new();
    let (path, out) = (folder.file("yard.toml", &site("")), folder.path("new.toml"));
    let found = kwartier(&["site", "fallback", &path, "--out", &out]);
    assert_eq!(found.status.code(), Some(0), "{}", said(&found).1);
    let expected = "\
station  in the file  would fit
S1       nothing      00-07 20 A, 07-19 8 A, 19-24 20 A
S2       nothing      00-07 20 A, 07-19 8 A, 19-24 20 A
S3       nothing      00-07 20 A, 07-19 7 A, 19-24 20 A
S4       nothing      00-07 20 A, 07-19 7 A, 19-24 20 A

Yard: nothing is stored yet.
";
    assert_eq!(said(&found).0, expected);
    let written = std::fs::read_to_string(&out).unwrap();
    assert!(written.contains("[[stations]] # place 4"), "comments stay: {written}");
    let again = kwartier(&["site", "fallback", &out, "--json"]);
    assert_eq!(again.status.code(), Some(0), "{}", said(&again).1);
    let report = json(&again.stdout);
    assert_eq!(report["stored_fits"], true);
    assert_eq!(report["stations"][2]["stored_a"][12], 7.0);
    assert_eq!(report["stations"][2]["stored_a"], report["stations"][2]["fits_a"]);
    let constant = kwartier(&["site", "fallback", &path, "--constant", "S4", "--json"]);
    let report = json(&constant.stdout);
    assert_eq!((&report["stations"][3]["fits_a"][3], &report["stations"][3]["fits_a"][12]), (&7.0.into(), &7.0.into()));
    assert_eq!(report["stations"][0]["fits_a"][3], 25.0, "what it leaves at night goes to the others");
}

#[test]
fn who_would_be_full_in_the_morning() {
    let folder = Folder::new();
    let path = folder.file("yard.toml", &site("fallback_a = 6"));
    let roster = folder.file("roster.csv", ROSTER);
    let arguments = ["site", "fallback", &path, "--roster", &roster, "--date", "2026-06-01"];
    let found = kwartier(&arguments);
    let (text, err) = said(&found);
    assert_eq!(found.status.code(), Some(0), "{err}");
    let expected = "
If the link died at 2026-06-01 18:00 (UTC+02:00) and stayed dead until 06:00, with nothing charged before:

vehicle  station  wants      as in the file  as would fit
Van 1    S1       44.4 kWh   full at 04:44   full at 21:49
Van 2    S2       100.0 kWh  41.4 kWh, 41 %  full at 03:14

1 of 2 would be full as in the file, 2 as would fit.
";
    // 40 kWh in the battery are 44.4 at the charger. 6 A are 4.14 kW; 8 A for an hour are 5.52 kWh, 20 A after that 13.8 kW.
    assert!(text.ends_with(expected), "{text}");
    let report = json(&kwartier(&[&arguments[..], &["--json", "--until", "22:00"]].concat()).stdout);
    assert_eq!(report["outage"]["until"], "2026-06-01T20:00:00Z");
    assert_eq!(report["outage"]["vehicles"][1]["stored"]["kwh"], 8.28);
}

#[test]
fn what_does_not_fit_is_found_with_what_would() {
    let folder = Folder::new();
    for (station, code, word) in [
        ("fallback_a = 9", "fallback-does-not-fit", "`kwartier site fallback` tells for each station and hour"),
        ("fallback_a = 6\nkeeps_fallback = false", "fallback-at-rating", "count with their rating, 128 A on L1"),
    ] {
        let path = folder.file("yard.toml", &site(station));
        let checked = kwartier(&["site", "check", &path]);
        let (text, _) = said(&checked);
        assert_eq!(checked.status.code(), Some(1), "{text}");
        assert!(text.contains(code) && text.contains(word), "{text}");
        assert_eq!(kwartier(&["site", "fallback", &path]).status.code(), Some(1));
    }
    // Each hour fits; around 12:00 a clock that is late holds the one and another the other.
    let hours = |on: usize| (0..24).map(|h| if h == on { "30" } else { "0" }).collect::<Vec<_>>().join(", ");
    let text = site("fallback_a = 0").replacen("fallback_a = 0", &format!("fallback_a = [{}]", hours(11)), 1).replacen(
        "fallback_a = 0",
        &format!("fallback_a = [{}]", hours(12)),
        1,
    );
    let path = folder.file("yard.toml", &text);
    let (text, _) = said(&kwartier(&["site", "check", &path]));
    assert!(text.contains("fallback-at-change") && text.contains("around 12:00"), "{text}");
    assert!(text.contains("7 to 8 A would fit then"), "{text}");
    let unknown = kwartier(&["site", "fallback", &path, "--constant", "S9"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(said(&unknown).1.contains("no such station"), "{}", said(&unknown).1);
}
