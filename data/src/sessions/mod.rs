//! Charging sessions as files hold them: who came when, stayed until when, and took how much.
//!
//! [`read`] takes a history of sessions, or the arrivals of today. The format is described in `docs/formats/inputs.md`.

mod columns;
mod row;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::refusal::{Fault, Faults, Refusal};
use crate::series::filter;
use crate::table;
use columns::Columns;

/// The share of rows that may be unusable, one in so many, before the file is refused.
const UNUSABLE: usize = 2;

/// One session.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionRow {
    /// Its name; the number of its row where the file gives none.
    pub session: String,
    /// When the vehicle was plugged in.
    pub arrival: DateTime<Utc>,
    /// When it was unplugged, after the arrival; `None` while it is still there.
    pub departure: Option<DateTime<Utc>>,
    /// What was charged, 0 or more.
    pub kwh: Option<f64>,
    /// Name of the vehicle.
    pub vehicle: Option<String>,
    /// Name of the driver.
    pub driver: Option<String>,
    /// Name of the group: a fleet, a garage, a site.
    pub group: Option<String>,
    /// Name of the station.
    pub station: Option<String>,
    /// When the driver said at the arrival to leave.
    pub stated_departure: Option<DateTime<Utc>>,
    /// What the driver asked for at the arrival.
    pub stated_kwh: Option<f64>,
}

/// What a file of sessions is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// Sessions that have ended, and perhaps some that have not: departures and energies are needed.
    #[default]
    History,
    /// Arrivals, of which nothing more need be known.
    Arrivals,
}

/// What is known of a file besides its content.
#[derive(Debug, Clone, Copy, Default)]
pub struct SessionReading<'a> {
    /// What the file is for.
    pub kind: Kind,
    /// The zone of times without offset.
    pub zone: Option<Tz>,
    /// Other names of columns: theirs, and ours as in [`SessionRow`].
    pub map: &'a [(String, String)],
    /// Which rows are meant, by column and value.
    pub filter: &'a [(String, String)],
}

/// The sessions of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionsFile {
    /// Those that can be used, in the order of the file.
    pub rows: Vec<SessionRow>,
    /// How many could not be used.
    pub set_aside: usize,
    /// What the reader should know, in words.
    pub notes: Vec<String>,
}

/// Reads sessions from CSV, packed with gzip or not, or Parquet.
///
/// Rows that cannot be are set aside and counted.
///
/// # Errors
///
/// [`Refusal`] with the choices where a column or the zone cannot be known; by row where more than half of all rows
/// cannot be used.
pub fn read(bytes: &[u8], reading: &SessionReading<'_>) -> Result<SessionsFile, Refusal> {
    let table = table::read(bytes)?;
    let columns = Columns::of(table.header(), reading)?;
    let rows = filter::rows(&table, reading.filter)?;
    if rows.is_empty() && reading.kind == Kind::History {
        let wrong = "has a header and nothing below it";
        return Err(Fault::of_table("the table", "", wrong, "give a row for each session").into());
    }
    let mut faults = Faults::default();
    let mut sessions = Vec::with_capacity(rows.len());
    let mut reader = row::Reader::new(&table, &columns, reading.zone);
    for &row in &rows {
        match reader.session(row) {
            Ok(session) => sessions.push(session),
            Err(row::Unusable::Row(fault)) => faults.add(fault),
            Err(row::Unusable::File(fault)) => return Err(fault.into()),
        }
    }
    let set_aside = rows.len() - sessions.len();
    if set_aside * UNUSABLE > rows.len() {
        faults.or(())?;
        return Ok(SessionsFile { rows: sessions, set_aside, notes: Vec::new() });
    }
    let mut notes = Vec::new();
    if let Some(first) = faults.first() {
        notes.push(format!(
            "{set_aside} of {} sessions cannot be used and are set aside, the first: {first}",
            rows.len()
        ));
    }
    notes.extend(reader.notes());
    Ok(SessionsFile { rows: sessions, set_aside, notes })
}
