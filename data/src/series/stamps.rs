//! The column of stamps: which it is, when its rows are, and how long a step is.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::local::{self, Stamp};
use crate::refusal::{Fault, Faults, Refusal};
use crate::text::{Table, choices, place, words};

/// What a column of interval beginnings is called.
const NAMES: [&str; 18] = [
    "start",
    "time",
    "timestamp",
    "datetime",
    "date time",
    "date",
    "begin",
    "from",
    "tijd",
    "tijdstip",
    "datum",
    "van",
    "datum tijd",
    "zeit",
    "zeitstempel",
    "von",
    "datetime utc",
    "beginn",
];

/// The index of the column with the stamps.
pub(super) fn column(table: &Table) -> Result<usize, Refusal> {
    let named = |header: &String| NAMES.contains(&words(header).join(" ").as_str());
    table.header.iter().position(named).ok_or_else(|| {
        let wrong = format!("has no column \"start\"; it has {}", choices(&table.header));
        let remedy = "call the column with the beginning of each interval \"start\"";
        Fault::of_table("the header", "", wrong, remedy).into()
    })
}

/// Reads stamps in the order of the rows, so that the hour that a clock repeats comes out right.
#[derive(Debug)]
pub(super) struct Clock {
    /// The zone of stamps without offset; `None` where it was not said.
    pub(super) zone: Option<Tz>,
    last: Option<DateTime<Utc>>,
}

impl Clock {
    pub(super) fn new(zone: Option<Tz>) -> Self {
        Clock { zone, last: None }
    }

    /// The instant of a stamp later than all before it.
    pub(super) fn read(&mut self, text: &str, line: u64, column: &str) -> Result<DateTime<Utc>, Fault> {
        let no = |wrong: String, remedy: &str| Err(Fault::of_table(place(line, column), text, wrong, remedy));
        let at = match (local::stamp(text), self.zone) {
            (Some(Stamp::Absolute(at)), _) => at,
            (Some(Stamp::Local(wall)), Some(zone)) => {
                let Some(at) = self.local(zone, wall) else {
                    let wrong = format!("is a time that the clock skips in {}", zone.name());
                    return no(wrong, "give the zone the stamps are really in, or write them with an offset or Z");
                };
                at
            }
            (Some(Stamp::Local(_)), None) => {
                let remedy = "write stamps with an offset or Z, or name their zone, such as --tz Europe/Amsterdam";
                return no("says neither its offset nor its zone".to_owned(), remedy);
            }
            (None, _) => {
                let remedy = "write 2026-11-25T17:30:00Z, or 2026-11-25 17:30 with --tz";
                return no("is no date and time".to_owned(), remedy);
            }
        };
        if let Some(last) = self.last
            && at <= last
        {
            let what = if at == last { "stands there twice" } else { "is before the row above it" };
            return no(what.to_owned(), "give each interval one row, in the order of time");
        }
        self.last = Some(at);
        Ok(at)
    }

    /// The first time the clock shows `wall` that is later than the row above; `None` where it never shows it.
    fn local(&self, zone: Tz, wall: NaiveDateTime) -> Option<DateTime<Utc>> {
        let (at, reading) = local::instant(zone, wall);
        match reading {
            local::Reading::Once => Some(at),
            local::Reading::Skipped => None,
            local::Reading::Twice if self.last.is_none_or(|last| at > last) => Some(at),
            local::Reading::Twice => local::second_instant(zone, wall),
        }
    }
}

/// The step of stamps in ascending order: the shortest distance, of which all others are multiples.
pub(super) fn step(stamps: &[(u64, DateTime<Utc>)], column: &str) -> Result<TimeDelta, Refusal> {
    let distance = |pair: &[(u64, DateTime<Utc>)]| (pair[1].1 - pair[0].1).num_seconds();
    let Some(step_s) = stamps.windows(2).map(distance).min() else {
        let wrong = match stamps.len() {
            0 => "has no row with a value",
            _ => "has one row, which does not tell how long an interval is",
        };
        return Err(Fault::of_table("the table", "", wrong, "give at least two intervals").into());
    };
    let mut faults = Faults::default();
    for pair in stamps.windows(2).filter(|pair| step_s == 0 || distance(pair) % step_s != 0) {
        let wrong = format!("is {} s after the row above it, no multiple of the shortest, {step_s} s", distance(pair));
        let remedy = "give intervals of one length; leave rows out where nothing is known";
        faults.add(Fault::of_table(place(pair[1].0, column), &pair[1].1.to_rfc3339(), wrong, remedy));
    }
    faults.or(TimeDelta::seconds(step_s))
}
