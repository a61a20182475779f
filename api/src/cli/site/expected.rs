//! Vehicles that are in no row of the roster: those that are there, and as many as are expected to come.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use kwartier_data::forecast::MEDIAN;
use kwartier_data::local;
use kwartier_data::roster::{Entry, Expected, Facts, Roster, When};
use kwartier_data::sessions::SessionRow;
use kwartier_data::site::rotation::Rotation;
use kwartier_forecast::sessions::{Kind, Log, Outcome, Pseudonym, Visit, Who};

use super::stays::Foresight;
use crate::cli::failure::Failure;

/// Adds them to the roster, at stations of the site that are free; what was done stands in the notes.
pub fn add(foresight: &Foresight<'_>, roster: &mut Roster, notes: &mut Vec<String>) -> Result<(), Failure> {
    let stations: HashSet<&str> = foresight.site.stations.iter().map(|station| station.id.as_str()).collect();
    let known = |row: &&SessionRow| row.station.as_deref().is_some_and(|name| stations.contains(name.trim()));
    let mut here: Vec<&SessionRow> = foresight.rows.iter().filter(known).collect();
    if here.is_empty() {
        let what = "--expect-sessions wants a --session-history whose column station names stations of the site; none of its \
                    sessions before --at is at one";
        return Err(Failure::Arguments(what.to_owned()));
    }
    let elsewhere = foresight.rows.len() - here.len();
    if elsewhere > 0 {
        notes.push(format!(
            "expected sessions: {elsewhere} sessions at other stations than those of the site do not count"
        ));
    }
    let listed: HashSet<&str> = roster.rows.iter().map(|entry| entry.vehicle.as_str()).collect();
    here.retain(|row| name(row).is_none_or(|name| !listed.contains(name)));
    here.sort_by_key(|row| row.arrival);

    let mut candidates = candidates(foresight, &here);
    candidates.retain(|candidate| candidate.expected.departure > foresight.horizon.start);
    let mut bookings = Bookings::of(foresight, roster);
    let mut next_row = roster.rows.iter().map(|entry| entry.row).max().unwrap_or(0);
    let (mut there, mut come, mut charged_kwh, mut no_place) = (0, 0, 0.0, 0);
    for candidate in candidates {
        let (is_there, arrival, expected) = (candidate.there, candidate.arrival, candidate.expected);
        let vehicle = candidate.name.clone().unwrap_or_else(|| format!("expected {}", there + come + 1));
        let Some((station, departure)) = bookings.take(&vehicle, &candidate, foresight.at) else {
            no_place += 1;
            continue;
        };
        if is_there {
            there += 1;
        } else {
            come += 1;
        }
        charged_kwh += expected.charged_kwh;
        next_row += 1;
        roster.rows.push(Entry {
            row: next_row,
            vehicle,
            station,
            when: When::Once { arrival, departure: Some(departure) },
            soc: None,
            target: None,
            need_kwh: None,
            vehicle_facts: Facts::default(),
        });
        roster.expect(next_row, local::day(roster.zone, arrival), expected);
    }
    notes.push(format!(
        "expected sessions: of vehicles that are not in the roster {there} are there at --at and {come} come by the end of the \
         plan and into it, as many as are expected to the nearest, at stations that are free; they take {charged_kwh:.1} kWh"
    ));
    if no_place > 0 {
        notes.push(format!("expected sessions: {no_place} more have no station that is free and are not planned"));
    }
    Ok(())
}

/// A stay that may be added.
struct Candidate {
    /// Of a vehicle or driver whose name is known.
    name: Option<String>,
    /// Where it is, or was the last time.
    station: Option<String>,
    arrival: DateTime<Utc>,
    /// Whether it is there already.
    there: bool,
    expected: Expected,
}

/// Those who are there, and those who come, by arrival. `here` are the sessions of the site, the first first.
fn candidates(foresight: &Foresight<'_>, here: &[&SessionRow]) -> Vec<Candidate> {
    let (salt, at) = (&foresight.salt, foresight.at);
    let log = Log::new(here.iter().map(|row| Visit::of(row, salt)));
    let known = log.as_of(at);
    // The last session of each party says what it is called and where it was.
    let last: HashMap<Pseudonym, &SessionRow> =
        here.iter().filter_map(|row| Some((Visit::of(row, salt).party()?, *row))).collect();
    let stations: HashMap<Pseudonym, &str> =
        foresight.site.stations.iter().map(|s| (salt.pseudonym(Kind::Station, &s.id), s.id.as_str())).collect();
    let candidate = |who: Option<Pseudonym>, visit: &Visit, outcome: &Outcome, there: bool| {
        let row = who.and_then(|who| last.get(&who));
        let station = visit.station.or_else(|| row.and_then(|row| Visit::of(row, salt).station));
        Candidate {
            name: row.and_then(|row| name(row)).map(str::to_owned),
            station: station.and_then(|station| stations.get(&station)).map(|&name| name.to_owned()),
            arrival: outcome.arrival,
            there,
            expected: foresight.expected(outcome),
        }
    };
    let outcome = |visit: &Visit| foresight.ready.still_here(visit, at, None);
    // A session that nobody ended is over when the next one begins at its station.
    let over = |visit: &Visit| {
        let mut later = here.iter().filter(|row| row.arrival > visit.arrival);
        later.any(|row| Visit::of(row, salt).station == visit.station)
    };
    let mut all: Vec<Candidate> = known
        .here()
        .filter(|visit| !over(visit))
        .map(|visit| candidate(visit.party(), &visit, &outcome(&visit), true))
        .collect();
    // A regular who is more likely than not comes; of all others so many that the total is the expected number.
    let mut owed = 0.0;
    for visit in foresight.model.ready_on(known).ahead(at, foresight.horizon.end() - at).visits {
        let arrival = visit.arrival[MEDIAN];
        let outcome = Outcome { arrival, stay_h: visit.stay_h, kwh: visit.kwh };
        let arriving = Visit::arriving(arrival);
        owed += visit.expected;
        if let (Who::Party(who), true) = (visit.who, visit.expected >= 0.5) {
            owed -= 1.0;
            all.push(candidate(Some(who), &arriving, &outcome, false));
        } else {
            while owed >= 0.5 {
                owed -= 1.0;
                all.push(candidate(None, &arriving, &outcome, false));
            }
        }
    }
    all
}

/// The name of whom a session is foremost.
fn name(row: &SessionRow) -> Option<&str> {
    let mut names = [&row.vehicle, &row.driver].into_iter().flatten().map(|name| name.trim());
    names.find(|name| !name.is_empty())
}

/// Which station and which vehicle is taken when.
struct Bookings {
    /// Stations at which something can be planned, in the order of the site.
    stations: Vec<String>,
    /// Vehicle, station, from, to.
    taken: Vec<(String, String, DateTime<Utc>, DateTime<Utc>)>,
}

impl Bookings {
    fn of(foresight: &Foresight<'_>, roster: &Roster) -> Self {
        let stations = foresight.site.stations.iter();
        let stations = stations.filter(|s| s.rotation.as_deref().is_some_and(|text| Rotation::parse(text).is_ok()));
        // Rows that overlap are refused when the instance is made.
        let stays =
            roster.stays(foresight.at.min(foresight.horizon.start), foresight.horizon.end()).unwrap_or_default();
        let taken = stays
            .iter()
            .map(|stay| (stay.entry.vehicle.clone(), stay.entry.station.clone(), stay.arrival, stay.departure));
        Bookings { stations: stations.map(|station| station.id.clone()).collect(), taken: taken.collect() }
    }

    /// Books a station for a candidate: where it is, else where it was, else the first one that is free all the time. Who is
    /// there leaves when the next vehicle comes. Says where and until when.
    fn take(&mut self, vehicle: &str, candidate: &Candidate, at: DateTime<Utc>) -> Option<(String, DateTime<Utc>)> {
        let (from, mut to) = (candidate.arrival, candidate.expected.departure);
        let wanted = candidate.station.as_ref().filter(|station| self.stations.contains(station));
        let station = if candidate.there {
            let station = wanted?.clone();
            let next = self.taken.iter().filter(|(who, place, ..)| *place == station || who == vehicle);
            to = next.filter(|&&(.., end)| end > at).map(|&(_, _, start, _)| start).chain([to]).min()?;
            (to > at).then_some(station)?
        } else {
            let mut choices = wanted.into_iter().chain(&self.stations);
            choices.find(|station| self.is_free(vehicle, station, from, to))?.clone()
        };
        self.taken.push((vehicle.to_owned(), station.clone(), from, to));
        Some((station, to))
    }

    fn is_free(&self, vehicle: &str, station: &str, from: DateTime<Utc>, to: DateTime<Utc>) -> bool {
        let mut of_either = self.taken.iter().filter(|(who, place, ..)| who == vehicle || place == station);
        of_either.all(|&(.., start, end)| end <= from || to <= start)
    }
}
