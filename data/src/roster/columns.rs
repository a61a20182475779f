//! Which column of a roster is which, by its header in English, Dutch or German.

use crate::refusal::{Fault, Faults, Refusal};
use crate::text::{choices, words};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Vehicle,
    Station,
    Arrival,
    Departure,
    Days,
    Soc,
    SocPercent,
    SocKwh,
    Target,
    TargetPercent,
    TargetKwh,
    NeedKwh,
    Phases,
    MinA,
    MaxA,
    CapacityKwh,
    Efficiency,
    Group,
}

/// What the columns are called, in words; the first name is the one that documents and messages use.
const NAMES: [(Field, &[&str]); 18] = [
    (Field::Vehicle, &["vehicle", "vehicle id", "car", "voertuig", "auto", "wagen", "fahrzeug", "kenteken"]),
    (
        Field::Station,
        &[
            "station",
            "station id",
            "charger",
            "laadpaal",
            "laadstation",
            "laadpunt",
            "ladepunkt",
            "ladestation",
            "ladesäule",
        ],
    ),
    (
        Field::Arrival,
        &["arrival", "arrives", "arrive", "plugged in", "aankomst", "aankomsttijd", "ankunft", "ankunftszeit"],
    ),
    (Field::Departure, &["departure", "departs", "depart", "vertrek", "vertrektijd", "abfahrt", "abfahrtszeit"]),
    (Field::Days, &["days", "day", "weekdays", "dagen", "dag", "weekdagen", "tage", "wochentage", "wochentag"]),
    (Field::Soc, &["soc", "state of charge", "laadtoestand", "ladestand", "ladezustand"]),
    (
        Field::SocPercent,
        &["soc percent", "soc pct", "laadtoestand percent", "ladestand percent", "ladezustand percent"],
    ),
    (Field::SocKwh, &["soc kwh", "laadtoestand kwh", "ladestand kwh", "ladezustand kwh"]),
    (Field::Target, &["target", "target soc", "doel", "ziel"]),
    (
        Field::TargetPercent,
        &[
            "target percent",
            "target soc percent",
            "doel percent",
            "doel soc percent",
            "ziel percent",
            "ziel soc percent",
        ],
    ),
    (Field::TargetKwh, &["target kwh", "target soc kwh", "doel kwh", "ziel kwh"]),
    (
        Field::NeedKwh,
        &["need kwh", "need", "energy kwh", "behoefte kwh", "energie kwh", "bedarf kwh", "energiebedarf kwh"],
    ),
    (Field::Phases, &["phases", "fasen", "phasen"]),
    (Field::MinA, &["min a", "minimum a"]),
    (Field::MaxA, &["max a", "maximum a"]),
    (
        Field::CapacityKwh,
        &["capacity kwh", "battery kwh", "capaciteit kwh", "accu kwh", "kapazität kwh", "batterie kwh", "akku kwh"],
    ),
    (Field::Efficiency, &["efficiency", "rendement", "wirkungsgrad"]),
    (Field::Group, &["group", "groep", "gruppe"]),
];

/// The columns of a table.
#[derive(Debug)]
pub(super) struct Columns {
    found: Vec<(Field, usize)>,
}

impl Columns {
    /// Reads a header; where rows may be open, there need be no departure.
    pub(super) fn of(header: &[String], open: bool) -> Result<Self, Refusal> {
        let mut faults = Faults::default();
        let mut found: Vec<(Field, usize)> = Vec::new();
        for (column, name) in header.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
            let plain = words(name).join(" ");
            let Some((field, _)) = NAMES.iter().find(|(_, names)| names.contains(&plain.as_str())) else {
                faults.add(unknown(name, &plain));
                continue;
            };
            if let Some((_, first)) = found.iter().find(|(other, _)| other == field) {
                let wrong = format!("means the same as \"{}\"", header[*first]);
                faults.add(Fault::of_table("the header", name, wrong, "leave one of the two out"));
            } else {
                found.push((*field, column));
            }
        }
        for needed in [Field::Vehicle, Field::Station, Field::Arrival, Field::Departure] {
            if open && needed == Field::Departure {
                continue;
            }
            if !found.iter().any(|(field, _)| *field == needed) {
                let wrong = format!("has no column \"{}\"; it has {}", canonical(needed), choices(header));
                let remedy = "give vehicle, station, arrival, departure and soc or need_kwh";
                faults.add(Fault::of_table("the header", "", wrong, remedy));
            }
        }
        faults.or(Columns { found })
    }

    /// The index of a column.
    pub(super) fn get(&self, field: Field) -> Option<usize> {
        self.found.iter().find(|(other, _)| *other == field).map(|(_, column)| *column)
    }
}

/// The name of a column in documents.
pub(super) fn canonical(field: Field) -> String {
    NAMES.iter().find(|(other, _)| *other == field).map_or_else(String::new, |(_, names)| names[0].replace(' ', "_"))
}

fn unknown(name: &str, plain: &str) -> Fault {
    let all = NAMES.iter().flat_map(|(field, names)| names.iter().map(move |known| (*field, *known)));
    let near = all.max_by(|a, b| strsim::jaro_winkler(a.1, plain).total_cmp(&strsim::jaro_winkler(b.1, plain)));
    let remedy = match near {
        Some((field, known)) if strsim::jaro_winkler(known, plain) > 0.85 => {
            format!("call it \"{}\" if that is what it holds, or leave it out", canonical(field))
        }
        _ => format!(
            "leave it out; the columns are {}",
            NAMES
                .iter()
                .map(|(field, _)| canonical(*field))
                .filter(|name| name != "soc_percent")
                .collect::<Vec<_>>()
                .join(", ")
        ),
    };
    Fault::of_table("the header", name, "is no column of a roster", remedy)
}
