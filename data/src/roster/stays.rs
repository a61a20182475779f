//! Who stays within a horizon: dated rows as they are, templates on their days.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::{Entry, Roster, When, first_day};
use crate::local::{self, next_day};
use crate::refusal::{Fault, Faults, Refusal, quoted};

/// Days before a horizon on which a template's stay may begin and still reach into it.
const BEFORE: i64 = 8;

/// A vehicle's stay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stay<'a> {
    /// The row it comes from.
    pub entry: &'a Entry,
    /// The local day of arrival.
    pub day: NaiveDate,
    /// Arrival.
    pub arrival: DateTime<Utc>,
    /// Departure, later.
    pub departure: DateTime<Utc>,
}

impl Roster {
    /// All stays that reach into `[from, to)`, by arrival. A dated row takes the place of the templates of its vehicle
    /// on the day of its arrival.
    ///
    /// # Errors
    ///
    /// [`Refusal`] where two stays share a station or a vehicle, with both rows.
    pub fn stays(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<Vec<Stay<'_>>, Refusal> {
        let mut stays: Vec<Stay<'_>> = Vec::new();
        for entry in &self.rows {
            if let When::Once { arrival, departure } = entry.when {
                stays.push(Stay { entry, day: first_day(self.zone, arrival), arrival, departure });
            }
        }
        let dated: HashSet<(&str, NaiveDate)> =
            stays.iter().map(|stay| (stay.entry.vehicle.as_str(), stay.day)).collect();
        let (first, last) = (local::day(self.zone, from - TimeDelta::days(BEFORE)), local::day(self.zone, to));
        for entry in &self.rows {
            let When::Weekly { days, arrival, departure, plus_days } = entry.when else { continue };
            let mut day = first;
            while day <= last {
                if days.hold(day) && !dated.contains(&(entry.vehicle.as_str(), day)) {
                    let leaving = (0..plus_days).fold(day, |day, _| next_day(day));
                    let (arrival, departure) = (arrival.on(self.zone, day), departure.on(self.zone, leaving));
                    // A stay that lies in the hour that the clock skips is none.
                    if arrival < departure {
                        stays.push(Stay { entry, day, arrival, departure });
                    }
                }
                day = next_day(day);
            }
        }
        stays.retain(|stay| stay.arrival < to && stay.departure > from);
        stays.sort_by_key(|stay| (stay.arrival, stay.entry.row));
        let mut faults = Faults::default();
        self.apart(&stays, &mut faults, "station", |stay| &stay.entry.station);
        self.apart(&stays, &mut faults, "vehicle", |stay| &stay.entry.vehicle);
        faults.or(stays)
    }

    /// No two stays of one station, or of one vehicle, overlap.
    fn apart<'a>(&self, stays: &[Stay<'a>], faults: &mut Faults, what: &str, key: impl Fn(&Stay<'a>) -> &'a str) {
        let mut last: HashMap<&str, &Stay<'a>> = HashMap::new();
        for stay in stays {
            let Some(other) = last.get(key(stay)) else {
                last.insert(key(stay), stay);
                continue;
            };
            if stay.arrival < other.departure {
                let at_place = if what == "station" {
                    format!("row {} ({}) is there", other.entry.row, quoted(&other.entry.vehicle))
                } else {
                    format!("by row {} it stays at {}", other.entry.row, quoted(&other.entry.station))
                };
                let wrong = format!(
                    "arrives at {} on {}, and {at_place} until {}",
                    quoted(&stay.entry.station),
                    local::shown(self.zone, stay.arrival),
                    local::shown(self.zone, other.departure),
                );
                let remedy = "let one leave before the other comes, or name another station";
                // Two rows of one vehicle at one station are one mistake.
                if what == "station" || stay.entry.station != other.entry.station {
                    faults.add(Fault::of_table(format!("row {}", stay.entry.row), &stay.entry.vehicle, wrong, remedy));
                }
            }
            if stay.departure > other.departure {
                last.insert(key(stay), stay);
            }
        }
    }
}
