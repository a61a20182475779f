//! Who stays within a horizon: dated rows as they are, templates on their days, open ones as is expected.

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
    /// What the station is expected to deliver in kWh, where the row leaves the need open.
    pub charged_kwh: Option<f64>,
}

/// A stay of which departure or need is to be forecast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OpenStay<'a> {
    /// The row it comes from.
    pub entry: &'a Entry,
    /// The local day of arrival.
    pub day: NaiveDate,
    /// Arrival.
    pub arrival: DateTime<Utc>,
    /// Departure, where it is not open.
    pub departure: Option<DateTime<Utc>>,
    /// When the next vehicle comes to the station, or this one to another: it has left by then.
    pub at_latest: Option<DateTime<Utc>>,
}

/// What is expected of a stay that is left open.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expected {
    /// Departure; it counts where the row does not give one.
    pub departure: DateTime<Utc>,
    /// What the station delivers in the whole stay, in kWh; it counts where the row gives neither need nor state of charge.
    pub charged_kwh: f64,
}

/// A stay of which the end may be open.
struct Coming<'a> {
    entry: &'a Entry,
    day: NaiveDate,
    arrival: DateTime<Utc>,
    departure: Option<DateTime<Utc>>,
}

impl Roster {
    /// The stays that are to be forecast because their rows leave departure or need open, of all that may reach into
    /// `[from, to)`, by arrival.
    pub fn open(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<OpenStay<'_>> {
        let mut all = self.coming(from, to);
        all.sort_by_key(|coming| (coming.arrival, coming.entry.row));
        let open = all.iter().filter(|coming| coming.departure.is_none() || coming.entry.needs_open());
        open.filter(|coming| coming.arrival < to)
            .map(|coming| {
                let Coming { entry, day, arrival, departure } = *coming;
                let next = all.iter().filter(|other| {
                    other.arrival > arrival
                        && (other.entry.station == entry.station || other.entry.vehicle == entry.vehicle)
                });
                OpenStay { entry, day, arrival, departure, at_latest: next.map(|other| other.arrival).min() }
            })
            .collect()
    }

    /// Takes what is expected of the open stay of a row that begins on a day.
    pub fn expect(&mut self, row: u64, day: NaiveDate, expected: Expected) {
        self.expected.insert((row, day), expected);
    }

    /// All stays that reach into `[from, to)`, by arrival. A dated row takes the place of the templates of its vehicle
    /// on the day of its arrival. A stay whose departure is open and of which nothing is expected is none.
    ///
    /// # Errors
    ///
    /// [`Refusal`] where two stays share a station or a vehicle, with both rows.
    pub fn stays<'a>(&'a self, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<Vec<Stay<'a>>, Refusal> {
        let of_coming = |coming: &Coming<'a>| {
            let Coming { entry, day, arrival, departure } = *coming;
            let expected = self.expected.get(&(entry.row, day));
            let departure = departure.or(expected.map(|expected| expected.departure))?;
            let charged_kwh = expected.filter(|_| entry.needs_open()).map(|expected| expected.charged_kwh);
            Some(Stay { entry, day, arrival, departure, charged_kwh })
        };
        let mut stays: Vec<Stay<'a>> = self.coming(from, to).iter().filter_map(of_coming).collect();
        stays.retain(|stay| stay.arrival < to && stay.departure > from);
        stays.sort_by_key(|stay| (stay.arrival, stay.entry.row));
        let mut faults = Faults::default();
        self.apart(&stays, &mut faults, "station", |stay| &stay.entry.station);
        self.apart(&stays, &mut faults, "vehicle", |stay| &stay.entry.vehicle);
        faults.or(stays)
    }

    /// All dated rows, and templates on their days, that may reach into `[from, to)`.
    fn coming(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Coming<'_>> {
        let mut all: Vec<Coming<'_>> = Vec::new();
        for entry in &self.rows {
            if let When::Once { arrival, departure } = entry.when {
                all.push(Coming { entry, day: first_day(self.zone, arrival), arrival, departure });
            }
        }
        let dated: HashSet<(&str, NaiveDate)> =
            all.iter().map(|coming| (coming.entry.vehicle.as_str(), coming.day)).collect();
        let (first, last) = (local::day(self.zone, from - TimeDelta::days(BEFORE)), local::day(self.zone, to));
        for entry in &self.rows {
            let When::Weekly { days, arrival, departure, plus_days } = entry.when else { continue };
            let mut day = first;
            while day <= last {
                if days.hold(day) && !dated.contains(&(entry.vehicle.as_str(), day)) {
                    let leaving = (0..plus_days).fold(day, |day, _| next_day(day));
                    let arrival = arrival.on(self.zone, day);
                    let departure = departure.map(|departure| departure.on(self.zone, leaving));
                    // A stay that lies in the hour that the clock skips is none.
                    if departure.is_none_or(|departure| arrival < departure) {
                        all.push(Coming { entry, day, arrival, departure });
                    }
                }
                day = next_day(day);
            }
        }
        all
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
