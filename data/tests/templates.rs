//! What stays are usually like, on days that are not usual.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use chrono::{DateTime, Utc};
use chrono_tz::Europe::Amsterdam;
use kwartier_data::site::check::check;
use kwartier_data::site::{Site, file};

const SITE: &str = r#"
format = 1
name = "Depot"
time_zone = "Europe/Amsterdam"
boards = [{ id = "HV", limit_a = 100 }]
groups = [{ id = "Vans" }]
vehicles = [{ id = "Van 1", group = "Vans" }, { id = "Van 2", group = "Vans" }, { id = "Car" }]
templates = [
  { id = "early", group = "Vans", days = "mon-fri", arrival = "17:30", departure = "06:30", need_kwh = 35, plugged_in_by = "21:00" },
  { id = "own", vehicle = "Van 2", days = "sat", arrival = "12:00", departure = "20:00" },
]
"#;

fn site() -> Site {
    file::parse(SITE.as_bytes()).unwrap().site
}

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

/// The template of a stay and its departure.
fn usual(vehicle: &str, group: Option<&str>, text: &str) -> Option<(String, DateTime<Utc>)> {
    let site = site();
    site.usual(Some(vehicle), group, Amsterdam, at(text)).map(|stay| (stay.template.id.clone(), stay.departure))
}

#[test]
fn a_vehicles_own_template_comes_before_its_groups() {
    let friday = usual("Van 2", Some("Vans"), "2026-11-27T18:00:00+01:00").unwrap();
    assert_eq!(friday, ("early".to_owned(), at("2026-11-28T06:30:00+01:00")));
    let saturday = usual("Van 2", Some("Vans"), "2026-11-28T06:15:00+01:00").unwrap();
    assert_eq!(saturday.0, "own", "it begins six hours early at most");
    assert_eq!(usual("Van 1", Some("Vans"), "2026-11-28T06:15:00+01:00").unwrap().0, "early");
    assert_eq!(usual("Van 1", Some("Vans"), "2026-11-28T12:00:00+01:00"), None, "nobody works on Saturday");
    assert_eq!(usual("Car", None, "2026-11-27T18:00:00+01:00"), None);
}

#[test]
fn departures_are_those_of_the_wall_clock_when_clocks_change() {
    // The night of 24 to 25 October 2026 has 25 hours, but Saturday has no template; take the Friday in a week of March.
    let day = usual("Van 1", Some("Vans"), "2026-10-23T18:00:00+02:00").unwrap();
    assert_eq!(day.1, at("2026-10-24T06:30:00+02:00"));
    let mut site = site();
    site.templates[0].days = None;
    let night = site.usual(Some("Van 1"), Some("Vans"), Amsterdam, at("2026-10-24T18:00:00+02:00")).unwrap();
    assert_eq!((night.departure - night.arrival).num_hours(), 14, "an hour more than the wall clock shows");
}

#[test]
fn who_is_due_is_due_from_then_until_departure() {
    let site = site();
    let due = |text: &str| site.due(Amsterdam, at(text)).into_iter().map(|(id, _)| id.to_owned()).collect::<Vec<_>>();
    assert!(due("2026-11-26T20:59:59+01:00").is_empty());
    assert_eq!(due("2026-11-26T21:00:00+01:00"), ["Van 1", "Van 2"]);
    assert_eq!(due("2026-11-27T06:29:00+01:00"), ["Van 1", "Van 2"], "of the day before");
    assert!(due("2026-11-27T06:30:00+01:00").is_empty());
    assert!(due("2026-11-28T21:00:00+01:00").is_empty(), "Saturday");
}

#[test]
fn what_cannot_be_is_said() {
    let mut site = site();
    site.price_area = Some("Netherlands".to_owned());
    site.templates[0].days = Some("someday".to_owned());
    site.templates[0].plugged_in_by = Some("25:00".to_owned());
    site.templates[1].vehicle = Some("Van 9".to_owned());
    site.templates[1].group = Some("Vans".to_owned());
    site.templates[1].need_kwh = Some(-1.0);
    let errors: Vec<String> = check(&site)
        .iter()
        .filter(|finding| finding.is_error())
        .map(|finding| format!("{} {}", finding.code, finding.path))
        .collect();
    for expected in [
        "unknown-price-area price_area",
        "bad-template templates[0].days",
        "bad-template templates[0].plugged_in_by",
        "unknown-vehicle templates[1].vehicle",
        "bad-template templates[1].group",
        "bad-template templates[1].need_kwh",
    ] {
        assert!(errors.iter().any(|error| error == expected), "{expected} is not in {errors:?}");
    }
    let remedy = check(&site).into_iter().find(|finding| finding.code == "unknown-price-area").unwrap().remedy;
    assert!(remedy.contains("\"NL\""), "{remedy}");
}
