//! Stays of a planning instance that are forecast: what rows of the roster leave open, and vehicles that are in no row.

use std::path::Path;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use kwartier_data::compose::Horizon;
use kwartier_data::local::{self, HolidayCalendar};
use kwartier_data::roster::{Entry, Expected, OpenStay, Roster, When};
use kwartier_data::sessions::{self, Kind, SessionReading, SessionRow};
use kwartier_data::site::Site;
use kwartier_forecast::sessions::{self as stays, Clock, Log, Model, Outcome, Ready, Salt, Visit};

use super::expected;
use super::foresee::{ForecastArgs, Part};
use crate::cli::failure::Failure;
use crate::cli::input;

/// Names are hashed even where the hashes are gone when the process is.
const ONE_RUN: &[u8] = b"one run";

/// A stay in the roster that began this long before the forecast is taken to have ended, if it comes from a template: that a
/// vehicle comes every week says nothing of whether it is still there.
const STILL_THERE: TimeDelta = TimeDelta::days(1);

/// The log of sessions and how it is read.
pub struct Reading<'a> {
    pub path: &'a Path,
    pub args: &'a ForecastArgs,
    /// The zone of times without offset.
    pub stamps: Option<Tz>,
}

/// Puts into the roster what is forecast at an instant; what was done stands in the notes.
pub fn complete(
    reading: &Reading<'_>,
    site: &Site,
    (horizon, at): (Horizon, DateTime<Utc>),
    roster: &mut Roster,
    notes: &mut Vec<String>,
) -> Result<(), Failure> {
    let args = reading.args;
    let columns = SessionReading { kind: Kind::History, zone: reading.stamps, map: &args.map, filter: &[] };
    let file = input::parse(reading.path, "log of sessions", |bytes| sessions::read(bytes, &columns))?;
    let rows: Vec<SessionRow> = file.rows.into_iter().filter(|row| row.arrival < at).collect();
    notes.extend(file.notes.into_iter().map(|note| format!("sessions: {note}")));
    let salt = Salt::new(ONE_RUN);
    let log = Log::new(rows.iter().map(|row| Visit::of(row, &salt)));
    let clock = Clock { zone: roster.zone, holidays: HolidayCalendar::of_zone(roster.zone) };
    let model = Model::fit(log.as_of(at), stays::Site { clock, place: args.place.place() }, &salt.id());
    let (_, ended) = model.window();
    let foresight = Foresight {
        model: &model,
        ready: model.ready_on(log.as_of(at)),
        log: &log,
        rows: &rows,
        salt,
        site,
        horizon,
        at,
        args,
    };
    let open = foresight.open(roster);
    let count = open.iter().filter(|(_, _, expected)| expected.departure > horizon.start).count();
    for (row, day, expected) in open {
        roster.expect(row, day, expected);
    }
    if count > 0 {
        notes.push(format!(
            "stays: {count} that the roster leaves open are forecast at {} from {ended} sessions that had ended; planned with \
             {} of departures, {} of energies",
            local::shown(roster.zone, at),
            args.departure_quantile.name(),
            args.energy_quantile.name()
        ));
    }
    if args.expect_sessions {
        expected::add(&foresight, roster, notes)?;
    }
    Ok(())
}

/// What forecasts of stays share.
pub struct Foresight<'a> {
    pub model: &'a Model,
    /// The model on the whole log.
    pub ready: Ready<'a>,
    pub log: &'a Log,
    /// The sessions that had begun.
    pub rows: &'a [SessionRow],
    pub salt: Salt,
    pub site: &'a Site,
    pub horizon: Horizon,
    pub at: DateTime<Utc>,
    pub args: &'a ForecastArgs,
}

impl Foresight<'_> {
    /// What is expected of each open stay, by row and day.
    fn open(&self, roster: &Roster) -> Vec<(u64, NaiveDate, Expected)> {
        let open = roster.open(self.horizon.start, self.horizon.end());
        open.iter().map(|stay| (stay.entry.row, stay.day, self.of_open(stay))).collect()
    }

    fn of_open(&self, stay: &OpenStay<'_>) -> Expected {
        let visit = self.visit(stay.entry, stay.arrival);
        // What is known: a session of the vehicle that ended after it was to come is that stay, or came after it.
        let left = self.log.as_of(self.at).ended().filter(|past| past.same_party(&visit));
        let left = left.filter_map(|past| past.departure).filter(|&departure| departure > stay.arrival).min();
        let dated = matches!(stay.entry.when, When::Once { .. });
        let there = left.is_none() && (dated || self.at - stay.arrival < STILL_THERE);
        let outcome = if there && stay.arrival < self.at {
            self.ready.still_here(&visit, self.at, None)
        } else {
            self.ready.at_arrival(&visit)
        };
        let expected = self.expected(&outcome);
        let departure = left.unwrap_or(expected.departure);
        Expected { departure: stay.at_latest.map_or(departure, |latest| departure.min(latest)), ..expected }
    }

    /// The parts of a forecast that are planned with.
    pub fn expected(&self, outcome: &Outcome) -> Expected {
        let departure = match self.args.departure_quantile {
            Part::Level(level) => outcome.departure(level),
            Part::Mean => outcome.mean_departure(),
        };
        // A stay of nothing would be none.
        let departure = departure.max(outcome.arrival + TimeDelta::minutes(1));
        Expected { departure, charged_kwh: self.args.energy_quantile.of(&outcome.kwh) }
    }

    /// A row of the roster as a visit: its vehicle is a driver where the log knows drivers alone.
    fn visit(&self, entry: &Entry, arrival: DateTime<Utc>) -> Visit {
        let driver = self.rows.iter().all(|row| row.vehicle.is_none());
        let facts = self.site.vehicles.iter().find(|vehicle| vehicle.id == entry.vehicle);
        let group = entry.vehicle_facts.group.clone().or_else(|| facts.and_then(|vehicle| vehicle.group.clone()));
        let name = Some(entry.vehicle.clone());
        let row = SessionRow {
            session: String::new(),
            arrival,
            departure: None,
            kwh: None,
            vehicle: name.clone().filter(|_| !driver),
            driver: name.filter(|_| driver),
            group,
            station: Some(entry.station.clone()),
            stated_departure: None,
            stated_kwh: None,
        };
        Visit::of(&row, &self.salt)
    }
}
