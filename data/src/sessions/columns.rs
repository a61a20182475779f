//! Which column of a file of sessions is which.

use super::{Kind, SessionReading};
use crate::refusal::{Fault, Faults, Refusal};
use crate::text::{choices, words};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Session,
    Arrival,
    Departure,
    Kwh,
    Vehicle,
    Driver,
    Group,
    Station,
    StatedDeparture,
    StatedKwh,
}

/// What the columns are called, in words, the likeliest first: of several that fit, the first counts. The very first
/// documents and messages use.
const NAMES: [(Field, &[&str]); 10] = [
    (
        Field::Session,
        &[
            "session",
            "session id",
            "sessionid",
            "transaction",
            "transaction id",
            "sessie",
            "sitzung",
            "ladevorgang",
            "id",
        ],
    ),
    (
        Field::Arrival,
        &[
            "arrival",
            "arrival time",
            "plugged in",
            "plug in",
            "plugin time",
            "connection time",
            "connected",
            "aankomst",
            "ankunft",
            "start plugin",
            "start",
            "start time",
            "created",
        ],
    ),
    (
        Field::Departure,
        &[
            "departure",
            "departure time",
            "plugged out",
            "plug out",
            "plugout time",
            "disconnect time",
            "disconnected",
            "unplugged",
            "vertrek",
            "abfahrt",
            "end plugout",
            "end",
            "end time",
            "ended",
            "stop",
        ],
    ),
    (
        Field::Kwh,
        &[
            "kwh",
            "delivered kwh",
            "kwh delivered",
            "energy kwh",
            "charged kwh",
            "kwh total",
            "total kwh",
            "el kwh",
            "energie kwh",
        ],
    ),
    (Field::Vehicle, &["vehicle", "vehicle id", "car", "voertuig", "fahrzeug"]),
    (
        Field::Driver,
        &[
            "driver",
            "driver id",
            "user",
            "user id",
            "userid",
            "bestuurder",
            "gebruiker",
            "fahrer",
            "nutzer",
            "card",
            "rfid",
        ],
    ),
    (Field::Group, &["group", "fleet", "garage", "garage id", "site", "location", "location id", "groep", "gruppe"]),
    (
        Field::Station,
        &[
            "station",
            "station id",
            "charger",
            "charger id",
            "space",
            "laadpaal",
            "laadpunt",
            "ladepunkt",
            "ladestation",
        ],
    ),
    (
        Field::StatedDeparture,
        &["stated departure", "estimated departure", "requested departure", "planned departure", "declared departure"],
    ),
    (Field::StatedKwh, &["stated kwh", "requested kwh", "kwh requested", "declared kwh"]),
];

/// The columns of a table.
#[derive(Debug)]
pub(super) struct Columns {
    found: Vec<(Field, usize)>,
}

impl Columns {
    /// Those that the header names, and those that are said.
    pub(super) fn of(header: &[String], reading: &SessionReading<'_>) -> Result<Self, Refusal> {
        let mut faults = Faults::default();
        let plain: Vec<String> = header.iter().map(|name| words(name).join(" ")).collect();
        let mut found: Vec<(Field, usize)> = Vec::new();
        for (theirs, ours) in reading.map {
            let theirs_plain = words(theirs).join(" ");
            let column = header
                .iter()
                .position(|name| name == theirs.trim())
                .or_else(|| plain.iter().position(|name| *name == theirs_plain));
            let ours_plain = words(ours).join(" ");
            let field = NAMES.iter().find(|(_, names)| names[0] == ours_plain).map(|(field, _)| *field);
            match (column, field) {
                (Some(column), Some(field)) => found.push((field, column)),
                (None, _) => {
                    let wrong = format!("is no column; the columns are {}", choices(header));
                    faults.add(Fault::of_table("the header", theirs, wrong, "name one of them"));
                }
                (_, None) => {
                    let all: Vec<String> = NAMES.iter().map(|(field, _)| canonical(*field)).collect();
                    let wrong = format!("is nothing that a session has; it has {}", all.join(", "));
                    faults.add(Fault::of_table("the map", ours, wrong, "say theirs=ours"));
                }
            }
        }
        for (field, names) in &NAMES {
            let taken = |column: usize| found.iter().any(|(_, other)| *other == column);
            if found.iter().any(|(other, _)| other == field) {
                continue;
            }
            let column = names.iter().find_map(|name| plain.iter().position(|plain| plain == name));
            if let Some(column) = column.filter(|&column| !taken(column)) {
                found.push((*field, column));
            }
        }
        let needed: &[Field] = match reading.kind {
            Kind::History => &[Field::Arrival, Field::Departure, Field::Kwh],
            Kind::Arrivals => &[Field::Arrival],
        };
        for field in needed {
            if !found.iter().any(|(other, _)| other == field) {
                let wrong = format!("has no column \"{}\"; it has {}", canonical(*field), choices(header));
                let remedy = format!("name it so, or say which it is, such as --map theirs={}", canonical(*field));
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
fn canonical(field: Field) -> String {
    NAMES.iter().find(|(other, _)| *other == field).map_or_else(String::new, |(_, names)| names[0].replace(' ', "_"))
}
