//! One row of a file of sessions.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::SessionRow;
use super::columns::{Columns, Field};
use crate::local::{self, Reading, Stamp};
use crate::refusal::Fault;
use crate::table::Table;

/// Most energy of a session that is believed, in kWh: two charges of the largest lorry.
const MOST_KWH: f64 = 2000.0;

/// Longest stay that is believed, in days: longer ones are sessions that nobody closed.
const MOST_DAYS: i64 = 90;

/// Why a row cannot be used.
pub(super) enum Unusable {
    /// It is wrong itself.
    Row(Fault),
    /// No row can be read.
    File(Fault),
}

/// Reads rows.
pub(super) struct Reader<'t> {
    table: &'t Table,
    columns: &'t Columns,
    zone: Option<Tz>,
    /// Statements of drivers that could not be read.
    statements: usize,
}

impl<'t> Reader<'t> {
    pub(super) fn new(table: &'t Table, columns: &'t Columns, zone: Option<Tz>) -> Self {
        Reader { table, columns, zone, statements: 0 }
    }

    /// The session of a row.
    pub(super) fn session(&mut self, row: usize) -> Result<SessionRow, Unusable> {
        let arrival = self.moment(row, Field::Arrival, None)?;
        let Some(arrival) = arrival else {
            return Err(self.wrong(row, Field::Arrival, "is empty", "give the date and time of the arrival"));
        };
        let departure = self.moment(row, Field::Departure, Some(arrival))?;
        if let Some(departure) = departure {
            if departure <= arrival {
                return Err(self.wrong(row, Field::Departure, "is not after the arrival", "check the two columns"));
            }
            if (departure - arrival).num_days() > MOST_DAYS {
                let wrong = format!("is more than {MOST_DAYS} days after the arrival");
                return Err(self.wrong(row, Field::Departure, &wrong, "leave out sessions that were never closed"));
            }
        }
        let kwh = match self.number(row, Field::Kwh) {
            Ok(kwh) if kwh.is_none_or(|kwh| (0.0..=MOST_KWH).contains(&kwh)) => kwh,
            Ok(_) => {
                let wrong = format!("is not from 0 to {MOST_KWH} kWh");
                return Err(self.wrong(row, Field::Kwh, &wrong, "give the energy charged in kWh"));
            }
            Err(fault) => return Err(fault),
        };
        // A statement is a help where it can be read, and none where it cannot.
        let stated_departure = self.moment(row, Field::StatedDeparture, Some(arrival)).unwrap_or_else(|_| {
            self.statements += 1;
            None
        });
        let stated_kwh = self.number(row, Field::StatedKwh).ok().flatten();
        Ok(SessionRow {
            session: self.name(row, Field::Session).unwrap_or_else(|| self.table.line(row).to_string()),
            arrival,
            departure,
            kwh,
            vehicle: self.name(row, Field::Vehicle),
            driver: self.name(row, Field::Driver),
            group: self.name(row, Field::Group),
            station: self.name(row, Field::Station),
            stated_departure: stated_departure.filter(|stated| *stated > arrival),
            stated_kwh: stated_kwh.filter(|kwh| (0.0..=MOST_KWH).contains(kwh)),
        })
    }

    /// What to say after all rows.
    pub(super) fn notes(&self) -> Option<String> {
        (self.statements > 0).then(|| format!("{} stated departures cannot be read and do not count", self.statements))
    }

    fn wrong(&self, row: usize, field: Field, wrong: &str, remedy: &str) -> Unusable {
        let fault = match self.columns.get(field) {
            Some(column) => self.table.fault(row, column, wrong, remedy),
            None => Fault::of_table(format!("row {}", self.table.line(row)), "", wrong, remedy),
        };
        Unusable::Row(fault)
    }

    fn name(&self, row: usize, field: Field) -> Option<String> {
        let column = self.columns.get(field)?;
        (!self.table.is_empty(column, row)).then(|| self.table.text(column, row).into_owned())
    }

    fn number(&self, row: usize, field: Field) -> Result<Option<f64>, Unusable> {
        let Some(column) = self.columns.get(field) else { return Ok(None) };
        self.table.number(column, row).map_err(|no| Unusable::Row(self.table.fault(row, column, no.wrong, no.remedy)))
    }

    /// A date and time. In the hour that a clock repeats it is the first after `after`; in the hour that it skips, as much
    /// later.
    fn moment(
        &self,
        row: usize,
        field: Field,
        after: Option<DateTime<Utc>>,
    ) -> Result<Option<DateTime<Utc>>, Unusable> {
        let Some(column) = self.columns.get(field).filter(|&column| !self.table.is_empty(column, row)) else {
            return Ok(None);
        };
        match (self.table.stamp(column, row), self.zone) {
            (Some(Stamp::Absolute(at)), _) => Ok(Some(at)),
            (Some(Stamp::Local(wall)), Some(zone)) => Ok(Some(match local::instant(zone, wall) {
                (first, Reading::Twice) if after.is_some_and(|after| first <= after) => {
                    local::second_instant(zone, wall).unwrap_or(first)
                }
                (at, _) => at,
            })),
            (Some(Stamp::Local(_)), None) => {
                let remedy = "write times with an offset or Z, or name their zone, such as --tz Europe/Amsterdam";
                Err(Unusable::File(self.table.fault(row, column, "says neither its offset nor its zone", remedy)))
            }
            (None, _) => {
                let remedy = "write 2026-11-25T17:30:00Z, or 2026-11-25 17:30 with --tz";
                Err(self.wrong(row, field, "is no date and time", remedy))
            }
        }
    }
}
