//! A visit of a vehicle to a charging station, and the log of them that hides what is not known yet.

use chrono::{DateTime, Datelike, NaiveDate, Offset, TimeDelta, TimeZone, Timelike, Utc, Weekday};
use chrono_tz::Tz;
use kwartier_data::local::HolidayCalendar;
use kwartier_data::sessions::SessionRow;
use serde::{Deserialize, Serialize};

use super::identity::{Kind, Pseudonym, Salt};

/// One stay at a station, with names as pseudonyms.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Visit {
    /// When it was plugged in.
    pub arrival: DateTime<Utc>,
    /// When it was unplugged; `None` while it is there.
    pub departure: Option<DateTime<Utc>>,
    /// What it took from plugging in to unplugging, in kWh, where it was measured; what it took so far while it is there.
    pub kwh: Option<f64>,
    /// The vehicle.
    pub vehicle: Option<Pseudonym>,
    /// The driver.
    pub driver: Option<Pseudonym>,
    /// The group of drivers, vehicles or places.
    pub group: Option<Pseudonym>,
    /// The station.
    pub station: Option<Pseudonym>,
    /// When the driver said, at arrival, that they would leave.
    pub stated_departure: Option<DateTime<Utc>>,
    /// How much the driver asked for at arrival, in kWh.
    pub stated_kwh: Option<f64>,
}

impl Visit {
    /// An anonymous vehicle that has just arrived.
    pub fn arriving(arrival: DateTime<Utc>) -> Self {
        Visit {
            arrival,
            departure: None,
            kwh: None,
            vehicle: None,
            driver: None,
            group: None,
            station: None,
            stated_departure: None,
            stated_kwh: None,
        }
    }

    /// A row of a session file under a salt. Its session number is left behind.
    pub fn of(row: &SessionRow, salt: &Salt) -> Self {
        let named = |kind, name: &Option<String>| {
            name.as_deref().filter(|name| !name.trim().is_empty()).map(|name| salt.pseudonym(kind, name))
        };
        Visit {
            arrival: row.arrival,
            departure: row.departure,
            kwh: row.kwh,
            vehicle: named(Kind::Vehicle, &row.vehicle),
            driver: named(Kind::Driver, &row.driver),
            group: named(Kind::Group, &row.group),
            station: named(Kind::Station, &row.station),
            stated_departure: row.stated_departure,
            stated_kwh: row.stated_kwh,
        }
    }

    /// Whether two visits are of the same driver or of the same vehicle.
    pub fn same_party(&self, other: &Visit) -> bool {
        let same = |a: Option<Pseudonym>, b: Option<Pseudonym>| a.is_some() && a == b;
        same(self.driver, other.driver) || same(self.vehicle, other.vehicle)
    }

    /// Who it is foremost: the vehicle where it is known, or the driver.
    pub fn party(&self) -> Option<Pseudonym> {
        self.vehicle.or(self.driver)
    }

    /// Length of the stay in hours, once it has ended after it began.
    pub fn stay_h(&self) -> Option<f64> {
        self.departure.map(|departure| hours(departure - self.arrival)).filter(|&stay_h| stay_h > 0.0)
    }

    /// What was taken, in kWh, where it is a number that energy can be.
    pub fn taken_kwh(&self) -> Option<f64> {
        self.kwh.filter(|kwh| kwh.is_finite() && *kwh >= 0.0)
    }

    /// Length of the stay as stated, in hours, where it is after arrival.
    pub fn stated_h(&self) -> Option<f64> {
        self.stated_departure.map(|departure| hours(departure - self.arrival)).filter(|&stay_h| stay_h > 0.0)
    }

    /// What was asked for, in kWh, where it is more than nothing.
    pub fn asked_kwh(&self) -> Option<f64> {
        self.stated_kwh.filter(|kwh| kwh.is_finite() && *kwh > 0.0)
    }
}

/// A span in hours.
pub(super) fn hours(span: TimeDelta) -> f64 {
    span.num_milliseconds() as f64 / 3_600_000.0
}

/// Hours as a span, to the millisecond; a span too long for a clock is cut to a century.
pub(super) fn span(hours: f64) -> TimeDelta {
    #[expect(clippy::cast_possible_truncation, reason = "clamped to a century")]
    TimeDelta::milliseconds((hours.clamp(-876_000.0, 876_000.0) * 3_600_000.0).round() as i64)
}

/// What kind of day it is: people come and go alike within one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DayKind {
    /// Monday to Friday.
    Working,
    /// Saturday.
    Saturday,
    /// Sunday or public holiday.
    Sunday,
}

/// What the wall clock says at an instant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Wall {
    /// Hours since local midnight by the clock's hands, 0 to 24.
    pub hour: f64,
    /// Monday 0 to Sunday 6.
    pub weekday: u32,
    /// What kind of day.
    pub kind: DayKind,
}

/// The wall clock and the holidays of a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// The zone.
    pub zone: Tz,
    /// The holidays.
    pub holidays: HolidayCalendar,
}

impl Clock {
    pub(super) fn wall(&self, at: DateTime<Utc>) -> Wall {
        let offset = self.zone.offset_from_utc_datetime(&at.naive_utc()).fix();
        let local = at.naive_utc() + TimeDelta::seconds(i64::from(offset.local_minus_utc()));
        Wall {
            hour: f64::from(local.num_seconds_from_midnight()) / 3_600.0,
            weekday: local.weekday().num_days_from_monday(),
            kind: self.kind(local.date()),
        }
    }

    pub(super) fn kind(&self, day: NaiveDate) -> DayKind {
        match day.weekday() {
            _ if self.holidays.on(day).is_some() => DayKind::Sunday,
            Weekday::Sun => DayKind::Sunday,
            Weekday::Sat => DayKind::Saturday,
            _ => DayKind::Working,
        }
    }
}

/// Visits in the order of their arrival, of which only what is known at an instant is handed out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Log {
    visits: Vec<Visit>,
}

impl Log {
    /// The visits in any order. Those that end before they begin are left out.
    pub fn new(visits: impl IntoIterator<Item = Visit>) -> Self {
        let mut visits: Vec<Visit> = visits
            .into_iter()
            .filter(|visit| visit.departure.is_none_or(|departure| departure > visit.arrival))
            .collect();
        visits.sort_by_key(|visit| (visit.arrival, visit.departure));
        Log { visits }
    }

    /// What is known at an instant.
    pub fn as_of(&self, at: DateTime<Utc>) -> Known<'_> {
        Known { log: self, at }
    }

    /// All visits, whether known or not: what backtests compare with.
    pub(super) fn all(&self) -> impl Iterator<Item = &Visit> {
        self.visits.iter()
    }

    /// How many visits there are, whether known or not.
    pub fn len(&self) -> usize {
        self.visits.len()
    }

    /// Whether there is no visit.
    pub fn is_empty(&self) -> bool {
        self.visits.is_empty()
    }

    /// Puts in the visits of another log.
    pub fn extend(&mut self, visits: impl IntoIterator<Item = Visit>) {
        let known = std::mem::take(&mut self.visits);
        *self = Log::new(known.into_iter().chain(visits));
    }

    /// Takes out all visits of a driver or vehicle; says how many there were.
    pub fn forget(&mut self, who: Pseudonym) -> usize {
        let before = self.visits.len();
        self.visits.retain(|visit| visit.driver != Some(who) && visit.vehicle != Some(who));
        before - self.visits.len()
    }
}

/// What is known of a log at an instant: visits that have ended, and that others are there. There is no way from here to
/// how a visit ended that had not ended.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    log: &'a Log,
    at: DateTime<Utc>,
}

impl<'a> Known<'a> {
    /// The instant.
    pub fn at(&self) -> DateTime<Utc> {
        self.at
    }

    /// Visits that have ended, in the order of their arrival.
    pub fn ended(&self) -> impl Iterator<Item = &'a Visit> + use<'a> {
        let at = self.at;
        self.begun().filter(move |visit| visit.departure.is_some_and(|departure| departure <= at))
    }

    /// Visits that are there, as they are known: without departure; what the whole visit took is not known either.
    pub fn here(&self) -> impl Iterator<Item = Visit> + use<'a> {
        let at = self.at;
        self.begun().filter(move |visit| visit.departure.is_none_or(|departure| departure > at)).map(|visit| Visit {
            departure: None,
            kwh: None,
            ..*visit
        })
    }

    /// The arrivals before the instant, in order: all that is known of every visit that has begun.
    pub fn arrivals(&self) -> impl Iterator<Item = Visit> + use<'a> {
        self.begun().map(|visit| Visit { departure: None, kwh: None, ..*visit })
    }

    fn begun(&self) -> impl Iterator<Item = &'a Visit> + use<'a> {
        let end = self.log.visits.partition_point(|visit| visit.arrival < self.at);
        self.log.visits.iter().take(end)
    }
}
