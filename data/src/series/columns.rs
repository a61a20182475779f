//! Columns of a table as series: rows put in order, cells read, gathered to intervals.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::layout::{self, Layout};
use super::resample::{Bins, Means};
use super::stamps::{self, InOrder, Placed};
use super::unit::Kind;
use super::{MAX_VALUES, Quantity, Series, Unit, filter};
use crate::quality::{Defect, QualityFlag, Remedy};
use crate::refusal::{Fault, Faults, Refusal, number as shown};
use crate::table::Table;

/// Length of the intervals that finer or uneven ones are gathered in, in seconds: what is planned in.
const QUARTER_S: i64 = 900;

/// The share of cells that may be unusable, one in so many, before the file is refused.
const UNUSABLE: usize = 100;

/// Samples further apart than this are read as they are; within so many seconds, several are averaged.
const FINE_S: i64 = 5;

/// Which columns are wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// The column of stamps.
    pub(super) stamp: usize,
    /// The columns of values, each with its unit.
    pub(super) columns: &'a [(usize, Unit)],
    /// The zone of stamps without offset.
    pub(super) zone: Option<Tz>,
}

/// Columns as series, all on the same intervals.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) series: Vec<Series>,
    pub(super) units: Vec<Unit>,
    pub(super) flags: Vec<QualityFlag>,
    pub(super) notes: Vec<String>,
}

/// Some columns of some rows as series.
pub(super) fn columns(table: &Table, rows: &[usize], wanted: &Wanted<'_>) -> Result<Read, Refusal> {
    // Some exports hold an empty row for the hour that the clock skips.
    let all_empty = |row: usize| wanted.columns.iter().all(|&(column, _)| table.is_empty(column, row));
    let rows: Vec<usize> = rows.iter().copied().filter(|&row| !all_empty(row)).collect();
    let ordered = stamps::in_order(table, wanted.stamp, &rows, wanted.zone)?;
    let mut notes = Vec::new();
    if ordered.moved {
        notes.push("the rows do not stand in the order of time; they were put into it".to_owned());
    }
    let mut cells = wanted
        .columns
        .iter()
        .map(|&(column, _)| cells(table, column, &ordered.rows, &mut notes))
        .collect::<Result<Vec<_>, _>>()?;
    let at = once(table, wanted, &rows, ordered, &mut cells, &mut notes)?;
    let at_s: Vec<i64> = at.iter().map(|placed| placed.at.timestamp()).collect();
    let Some(layout) = layout::of(&at_s) else {
        let wrong = match at.len() {
            0 => "has no row with a value",
            _ => "has one row, which does not tell how long an interval is",
        };
        return Err(Fault::of_table("the table", "", wrong, "give at least two intervals").into());
    };
    let mut read = Read { series: Vec::new(), units: Vec::new(), flags: Vec::new(), notes };
    for (&(column, unit), cells) in wanted.columns.iter().zip(&cells) {
        let unit = counted(&table.header()[column], unit, cells, &mut read.notes);
        allowed(table, wanted.stamp, &at, &layout, unit)?;
        let samples = samples(table, column, unit, &at, &layout, cells, &mut read.notes)?;
        let means = gathered(&layout, &at_s, &samples)?;
        read.flags.extend(means.partial.into_iter().map(|range| flag(&means.series, range)));
        read.series.push(means.series);
        read.units.push(unit);
    }
    if let Some(count) =
        Some(read.flags.iter().map(|flag| (flag.to - flag.from).num_seconds() / QUARTER_S).sum::<i64>())
            .filter(|&count| count > 0)
    {
        read.notes.push(format!("{count} quarter-hours were measured in part; the mean of that part stands for each"));
    }
    Ok(read)
}

/// The numbers of a column. A few that are none are left out; more are a fault of the file.
fn cells(table: &Table, column: usize, at: &[Placed], notes: &mut Vec<String>) -> Result<Vec<Option<f64>>, Refusal> {
    let mut faults = Faults::default();
    let mut unusable = 0;
    let cells = at.iter().map(|placed| match table.number(column, placed.row) {
        Ok(value) => value,
        Err(no) => {
            unusable += 1;
            faults.add(table.fault(placed.row, column, no.wrong, no.remedy));
            None
        }
    });
    let cells: Vec<Option<f64>> = cells.collect();
    few(unusable, at.len(), faults, "are no numbers", &table.header()[column], notes)?;
    Ok(cells)
}

/// Lets a few unusable cells pass, in a note.
fn few(
    unusable: usize,
    all: usize,
    faults: Faults,
    what: &str,
    column: &str,
    notes: &mut Vec<String>,
) -> Result<(), Refusal> {
    if unusable * UNUSABLE > all {
        return faults.or(());
    }
    if let Some(fault) = faults.first() {
        notes.push(format!("{unusable} of {all} cells of \"{column}\" {what} and were left out, the first: {fault}"));
    }
    Ok(())
}

/// One row for each instant: of several that say the same, the first.
fn once(
    table: &Table,
    wanted: &Wanted<'_>,
    rows: &[usize],
    ordered: InOrder,
    cells: &mut [Vec<Option<f64>>],
    notes: &mut Vec<String>,
) -> Result<Vec<Placed>, Refusal> {
    let at = ordered.rows;
    let mut keep = vec![true; at.len()];
    let (mut same, mut faults) = (0_usize, Faults::default());
    // The usual distance of stamps that a second is too coarse for.
    let span_s = at.last().zip(at.first()).map_or(0, |(last, first)| (last.at - first.at).num_seconds());
    let fine = at.len() > layout::RUN && usize::try_from(span_s / FINE_S).is_ok_and(|most| at.len() > most);
    let mut first = 0;
    for k in 1..at.len() {
        if at[k].at != at[first].at {
            first = k;
            continue;
        }
        keep[k] = false;
        let equal = cells.iter().all(|cells| cells[k].is_none() || cells[first].is_none() || cells[k] == cells[first]);
        if fine || equal {
            same += 1;
            for cells in &mut *cells {
                cells[first] = match (cells[first], cells[k]) {
                    (Some(one), Some(other)) => Some(f64::midpoint(one, other)),
                    (one, other) => one.or(other),
                };
            }
        } else {
            let wrong = format!("stands there twice, in row {} with another value", table.line(at[first].row));
            faults.add(table.fault(at[k].row, wanted.stamp, wrong, "give each interval one row, in the order of time"));
        }
    }
    if !faults.is_empty() {
        let taken: Vec<usize> = wanted.columns.iter().map(|&(column, _)| column).collect();
        if let Some(refusal) = filter::several(table, wanted.stamp, &taken, rows) {
            return Err(refusal);
        }
        faults.or(())?;
    }
    if same > 0 && !fine {
        notes.push(format!("{same} rows stand there twice with the same value; each counts once"));
    }
    if same > 0 {
        for cells in cells {
            let mut keep = keep.iter();
            cells.retain(|_| keep.next().copied().unwrap_or(true));
        }
    }
    Ok(at.into_iter().zip(keep).filter(|(_, keep)| *keep).map(|(placed, _)| placed).collect())
}

/// The unit of a counter for a column of energies that never falls.
fn counted(header: &str, unit: Unit, cells: &[Option<f64>], notes: &mut Vec<String>) -> Unit {
    /// A day of quarter-hours: energies of intervals fall in it.
    const ROWS: usize = 96;
    /// A counter has seen much more than it gains in one interval.
    const SEEN: f64 = 10.0;
    let known: Vec<f64> = cells.iter().copied().flatten().collect();
    let gains = |pair: &[f64]| pair[1] - pair[0];
    let (Some(first), Some(last)) = (known.first(), known.last()) else { return unit };
    let most = known.windows(2).map(gains).fold(0.0, f64::max);
    let rises = known.windows(2).all(|pair| gains(pair) >= 0.0) && last - first > SEEN * most && most > 0.0;
    if unit.kind != Kind::Sum || known.len() < ROWS || !rises {
        return unit;
    }
    let counter = unit.counted();
    notes.push(format!("\"{header}\" never falls, so it is read as a counter ({})", counter.name));
    counter
}

/// Refuses rows at uneven distances where these do not tell how long a row holds.
fn allowed(table: &Table, stamp: usize, at: &[Placed], layout: &Layout, unit: Unit) -> Result<(), Refusal> {
    let fine = layout.step_s <= QUARTER_S && at.len() > layout::RUN;
    let measured = !matches!(unit.quantity, Quantity::Price | Quantity::Carbon);
    let believed = match unit.kind {
        Kind::Counter => true,
        Kind::Mean => measured && (fine || layout.nearly_even),
        Kind::Sum => measured && layout.nearly_even && at.len() > layout::RUN,
    };
    if layout.even || believed {
        return Ok(());
    }
    let distance = |pair: &[Placed]| (pair[1].at - pair[0].at).num_seconds();
    let shortest = at.windows(2).map(distance).min().unwrap_or(1).max(1);
    let mut faults = Faults::default();
    for pair in at.windows(2).filter(|pair| distance(pair) % shortest != 0) {
        let wrong =
            format!("is {} s after the row before it, no multiple of the shortest, {shortest} s", distance(pair));
        let remedy = "give intervals of one length; leave rows out where nothing is known";
        faults.add(table.fault(pair[1].row, stamp, wrong, remedy));
    }
    faults.or(())
}

/// A value and for how long it holds.
type Sample = (i64, i64, f64);

/// The cells in the unit that is read, with the time that each holds.
fn samples(
    table: &Table,
    column: usize,
    unit: Unit,
    at: &[Placed],
    layout: &Layout,
    cells: &[Option<f64>],
    notes: &mut Vec<String>,
) -> Result<Vec<Sample>, Refusal> {
    let (mut faults, mut unbelievable, mut back) = (Faults::default(), 0_usize, 0_usize);
    let mut samples = Vec::with_capacity(cells.len());
    let mut last: Option<(i64, f64)> = None;
    for ((placed, &held_s), cell) in at.iter().zip(&layout.held_s).zip(cells) {
        let Some(value) = *cell else { continue };
        let now = placed.at.timestamp();
        let sample = match unit.kind {
            Kind::Mean => Some((now, held_s, unit.convert(value, held_s))),
            // A clock that is not exact tells the energy of its intervals all the same.
            Kind::Sum => Some((now, held_s, unit.convert(value, if layout.even { held_s } else { layout.step_s }))),
            Kind::Counter => {
                let before = last.replace((now, value));
                before.filter(|(from, _)| now - from <= layout::LONGEST_S.max(2 * layout.step_s)).and_then(
                    |(from, read)| {
                        back += usize::from(value < read);
                        (value >= read).then(|| (from, now - from, unit.convert(value - read, now - from)))
                    },
                )
            }
        };
        let Some(sample) = sample else { continue };
        if sample.2.abs() > unit.quantity.largest() {
            unbelievable += 1;
            let wrong = format!("{} is more than is believed", unit.name);
            let remedy = format!("check the unit: {}", unit.quantity.units().join(", "));
            faults.add(Fault { value: shown(value), ..table.fault(placed.row, column, wrong, remedy) });
        } else {
            samples.push(sample);
        }
    }
    few(unbelievable, at.len(), faults, "are more than is believed", &table.header()[column], notes)?;
    if back > 0 {
        notes.push(format!(
            "the counter \"{}\" goes back {back} times; nothing is known of the interval",
            table.header()[column]
        ));
    }
    Ok(samples)
}

/// Samples on intervals of a quarter of an hour or more.
fn gathered(layout: &Layout, at_s: &[i64], samples: &[Sample]) -> Result<Means, Refusal> {
    let (Some(&first), Some(&last), Some(&held)) = (at_s.first(), at_s.last(), layout.held_s.last()) else {
        return Err(Fault::of_table("the table", "", "has no row with a value", "give at least two intervals").into());
    };
    let whole = |seconds: i64| seconds % QUARTER_S == 0;
    let native = layout.even && whole(layout.step_s) && whole(first);
    let step_s = if native { layout.step_s } else { QUARTER_S };
    let (start, end) = (first.div_euclid(step_s) * step_s, last + held);
    let count = usize::try_from((end - start) / step_s).unwrap_or(usize::MAX);
    if count > MAX_VALUES {
        let wrong = format!("spans {count} steps of {step_s} s, over {MAX_VALUES}");
        return Err(Fault::of_table("the table", "", wrong, "cut out the days that are needed").into());
    }
    if !native {
        let mut bins = Bins::new(first, end, QUARTER_S);
        for &(from, held, value) in samples {
            bins.add(from, held, value);
        }
        let mut means = bins.means();
        means.series.trim_end();
        return Ok(means);
    }
    let start = DateTime::<Utc>::from_timestamp(first, 0).unwrap_or_default();
    let mut series = Series { start, step: TimeDelta::seconds(step_s), values: vec![None; count] };
    for &(from, held, value) in samples {
        let index = |at: i64| usize::try_from((at - first) / step_s).unwrap_or(0).min(count);
        series.values[index(from)..index(from + held)].fill(Some(value));
    }
    series.trim_end();
    Ok(Means { series, partial: Vec::new() })
}

fn flag(series: &Series, range: std::ops::Range<usize>) -> QualityFlag {
    QualityFlag {
        from: series.start_of(range.start),
        to: series.start_of(range.end),
        defect: Defect::Partial,
        remedy: Remedy::Kept,
    }
}
