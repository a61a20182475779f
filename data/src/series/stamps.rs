//! The column of stamps: which it is, and when its rows are.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDateTime, Utc};
use chrono_tz::Tz;

use crate::local::{self, Stamp};
use crate::refusal::{Fault, Faults, Refusal};
use crate::table::Table;
use crate::text::{choices, words};

/// What a column of interval beginnings is called.
const NAMES: [&str; 24] = [
    "start",
    "time",
    "timestamp",
    "ts",
    "datetime",
    "date time",
    "date",
    "begin",
    "from",
    "interval start",
    "start time",
    "time start",
    "utc",
    "time utc",
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

/// The index of the column with the stamps: the one that is said, or that is called so.
pub(crate) fn column(table: &Table, said: Option<&str>) -> Result<usize, Refusal> {
    if let Some(name) = said {
        return table.column(name);
    }
    let named = |header: &String| NAMES.contains(&words(header).join(" ").as_str());
    table.header().iter().position(named).ok_or_else(|| {
        let wrong = format!("has no column \"start\"; it has {}", choices(table.header()));
        let remedy = "call the column with the beginning of each interval \"start\"";
        Fault::of_table("the header", "", wrong, remedy).into()
    })
}

/// A row and when it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) row: usize,
    pub(crate) at: DateTime<Utc>,
}

/// Rows in the order of time, and whether they had to be put into it. Several rows may be at one instant.
#[derive(Debug)]
pub(crate) struct InOrder {
    pub(crate) rows: Vec<Placed>,
    pub(crate) moved: bool,
}

/// When rows are. They stand in the order of time, from the first to the last or from the last to the first, or they
/// are put into it.
pub(crate) fn in_order(table: &Table, column: usize, rows: &[usize], zone: Option<Tz>) -> Result<InOrder, Refusal> {
    let mut faults = Faults::default();
    let mut stamps: Vec<(usize, Stamp)> = Vec::with_capacity(rows.len());
    for &row in rows {
        match (table.stamp(column, row), zone) {
            (Some(Stamp::Local(_)), None) => {
                let remedy = "write stamps with an offset or Z, or name their zone, such as --tz Europe/Amsterdam";
                return Err(table.fault(row, column, "says neither its offset nor its zone", remedy).into());
            }
            (Some(stamp), _) => stamps.push((row, stamp)),
            (None, _) => {
                let remedy = "write 2026-11-25T17:30:00Z, or 2026-11-25 17:30 with --tz";
                faults.add(table.fault(row, column, "is no date and time", remedy));
            }
        }
    }
    faults.or(())?;
    // Without local stamps the zone does not matter.
    let zone = zone.unwrap_or(Tz::UTC);
    skipped(table, column, &stamps, zone)?;
    if let Some(rows) = along(stamps.iter(), zone) {
        return Ok(InOrder { rows, moved: false });
    }
    if let Some(rows) = along(stamps.iter().rev(), zone) {
        return Ok(InOrder { rows, moved: false });
    }
    Ok(InOrder { rows: sorted(&stamps, zone), moved: true })
}

/// Refuses times that the clock skips.
fn skipped(table: &Table, column: usize, stamps: &[(usize, Stamp)], zone: Tz) -> Result<(), Refusal> {
    let mut faults = Faults::default();
    for &(row, stamp) in stamps {
        if let Stamp::Local(wall) = stamp
            && local::instant(zone, wall).1 == local::Reading::Skipped
        {
            let wrong = format!("is a time that the clock skips in {}", zone.name());
            let remedy = "give the zone the stamps are really in (--tz +01:00 for a clock without summer time), or write \
                          them with an offset or Z";
            faults.add(table.fault(row, column, wrong, remedy));
        }
    }
    faults.or(())
}

/// The instants of stamps that never go back; `None` where they do. In the hour that a clock repeats, a stamp is the
/// first such instant that is later than the row before.
fn along<'s>(stamps: impl Iterator<Item = &'s (usize, Stamp)>, zone: Tz) -> Option<Vec<Placed>> {
    let mut last: Option<DateTime<Utc>> = None;
    let mut rows = Vec::with_capacity(stamps.size_hint().0);
    for &(row, stamp) in stamps {
        let at = match stamp {
            Stamp::Absolute(at) => at,
            Stamp::Local(wall) => match local::instant(zone, wall) {
                (at, local::Reading::Twice) if last.is_some_and(|last| at <= last) => {
                    local::second_instant(zone, wall)?
                }
                (at, _) => at,
            },
        };
        if last.is_some_and(|last| at < last) {
            return None;
        }
        last = Some(at);
        rows.push(Placed { row, at });
    }
    Some(rows)
}

/// The instants of stamps in any order. Of the rows at a time that the clock shows twice, the second is the second.
fn sorted(stamps: &[(usize, Stamp)], zone: Tz) -> Vec<Placed> {
    let mut shown: HashMap<NaiveDateTime, usize> = HashMap::new();
    let mut rows: Vec<Placed> = stamps
        .iter()
        .map(|&(row, stamp)| match stamp {
            Stamp::Absolute(at) => Placed { row, at },
            Stamp::Local(wall) => match local::instant(zone, wall) {
                (first, local::Reading::Twice) => {
                    let count = shown.entry(wall).or_default();
                    *count += 1;
                    let second = if *count == 2 { local::second_instant(zone, wall) } else { None };
                    Placed { row, at: second.unwrap_or(first) }
                }
                (at, _) => Placed { row, at },
            },
        })
        .collect();
    rows.sort_by_key(|placed| placed.at);
    rows
}
