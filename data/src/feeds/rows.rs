//! Values on intervals of UTC: in order, without overlap, cut to what was asked for, with what is missing.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

use super::NoValues;
use super::outcome::{ASK_ANOTHER, broken};
use crate::local;
use crate::series::{MAX_VALUES, Series};

/// A span of time, from its first instant to its end, which is not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Its first instant.
    pub from: DateTime<Utc>,
    /// Its end.
    pub to: DateTime<Utc>,
}

impl Span {
    /// A local day: 23, 24 or 25 hours.
    pub fn of_day(zone: Tz, day: NaiveDate) -> Self {
        Span { from: local::day_start(zone, day), to: local::day_start(zone, local::next_day(day)) }
    }

    /// How long it is.
    pub fn length(&self) -> TimeDelta {
        self.to - self.from
    }

    /// The span of all rows; that of nothing, in 1970, where there are none.
    pub(super) fn over<V>(rows: &[Row<V>]) -> Self {
        let from = rows.iter().map(|row| row.start).min().unwrap_or_default();
        let to = rows.iter().map(|row| row.end).max().unwrap_or_default();
        Span { from, to }
    }
}

/// A value that holds over an interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row<V> {
    /// Beginning of the interval.
    pub start: DateTime<Utc>,
    /// Its end: the beginning of the next where nothing is missing.
    pub end: DateTime<Utc>,
    /// The value.
    pub value: V,
}

impl<V> Row<V> {
    /// A value from an instant on for some time.
    pub(super) fn lasting(start: DateTime<Utc>, length: TimeDelta, value: V) -> Self {
        Row { start, end: start + length, value }
    }

    /// Length of the interval.
    pub fn length(&self) -> TimeDelta {
        self.end - self.start
    }
}

/// Values of a span of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Values<V> {
    /// Intervals with their values, in order, without overlap, within what was asked for.
    pub rows: Vec<Row<V>>,
    /// The parts of what was asked for that no row covers; empty where all is there.
    pub missing: Vec<Span>,
    /// What people should know of the answer, in words.
    pub notes: Vec<String>,
}

impl<V> Values<V> {
    /// Whether nothing of what was asked for is missing.
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty()
    }

    /// The values as a series with a regular step, from the first row on: of each step the mean over time, and nothing
    /// where a part of it is missing. `None` where the step is not above 0 s or makes too long a series.
    pub fn series(&self, step: TimeDelta, number: impl Fn(&V) -> f64) -> Option<Series> {
        let (start, end) = (self.rows.first()?.start, self.rows.last()?.end);
        let step_s = step.num_seconds();
        if step_s <= 0 {
            return None;
        }
        let count = usize::try_from(((end - start).num_seconds() + step_s - 1) / step_s).ok()?;
        if count > MAX_VALUES {
            return None;
        }
        let mut sums = vec![(0.0, 0_i64); count];
        for row in &self.rows {
            let (from_s, to_s) = ((row.start - start).num_seconds(), (row.end - start).num_seconds());
            let steps = from_s / step_s..=(to_s - 1) / step_s;
            for index in steps {
                let inside_s = to_s.min((index + 1) * step_s) - from_s.max(index * step_s);
                if let Some((sum, covered_s)) = usize::try_from(index).ok().and_then(|index| sums.get_mut(index)) {
                    *sum += number(&row.value) * (inside_s as f64 / step_s as f64);
                    *covered_s += inside_s;
                }
            }
        }
        let values = sums.into_iter().map(|(sum, covered_s)| (covered_s == step_s).then_some(sum));
        Some(Series { start, step, values: values.collect() })
    }
}

/// Puts rows in order, leaves out what was not asked for, and finds what is missing, given twice or overlaps.
pub(super) fn settle<V: PartialEq>(mut rows: Vec<Row<V>>, asked: Span) -> Result<Values<V>, NoValues> {
    if let Some(row) = rows.iter().find(|row| row.end <= row.start) {
        let wrong = format!("ends at {}, not after its beginning", shown(row.end));
        return Err(broken(of(row), "", wrong, ASK_ANOTHER));
    }
    let given = rows.len();
    let whole = Span::over(&rows);
    rows.retain(|row| row.start < asked.to && row.end > asked.from);
    if rows.is_empty() {
        return Err(match given {
            0 => NoValues::NotYet("the answer holds no values".to_owned()),
            _ if whole.to <= asked.from => NoValues::NotYet(format!("the answer ends at {}", shown(whole.to))),
            _ => {
                let wrong = format!("holds {given} values, none of the time that was asked for");
                broken("$", "", wrong, "compare the days of the request with those of the answer")
            }
        });
    }
    let mut notes = Vec::new();
    if rows.len() < given {
        notes.push(format!("{} values outside what was asked for were left out", given - rows.len()));
    }
    rows.sort_by_key(|row| (row.start, row.end));
    let before = rows.len();
    rows.dedup_by(|later, kept| later == kept);
    if rows.len() < before {
        notes.push(format!("{} values are given twice, alike", before - rows.len()));
    }
    for pair in rows.windows(2) {
        if pair[1].start < pair[0].end {
            let wrong = if (pair[0].start, pair[0].end) == (pair[1].start, pair[1].end) {
                "is given twice, with two values".to_owned()
            } else {
                format!("overlaps that from {}", shown(pair[0].start))
            };
            return Err(broken(of(&pair[1]), "", wrong, ASK_ANOTHER));
        }
    }
    if let Some(first) = rows.first_mut() {
        first.start = first.start.max(asked.from);
    }
    if let Some(last) = rows.last_mut() {
        last.end = last.end.min(asked.to);
    }
    let missing = gaps(&rows, asked);
    Ok(Values { rows, missing, notes })
}

/// The parts of a span that ordered rows do not cover.
fn gaps<V>(rows: &[Row<V>], asked: Span) -> Vec<Span> {
    let mut gaps = Vec::new();
    let mut from = asked.from;
    for row in rows {
        if row.start > from {
            gaps.push(Span { from, to: row.start });
        }
        from = row.end;
    }
    if from < asked.to {
        gaps.push(Span { from, to: asked.to });
    }
    gaps
}

/// A row as a fault names it.
pub(super) fn of<V>(row: &Row<V>) -> String {
    format!("the interval from {}", shown(row.start))
}

/// An instant as a fault shows it.
pub(super) fn shown(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {

    use super::*;

    fn minute(n: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(n)
    }

    fn row(from: i64, to: i64, value: f64) -> Row<f64> {
        Row { start: minute(from), end: minute(to), value }
    }

    fn span(from: i64, to: i64) -> Span {
        Span { from: minute(from), to: minute(to) }
    }

    #[test]
    fn rows_are_put_in_order_cut_and_gaps_are_named() {
        let values = settle(vec![row(45, 75, 3.0), row(-30, 15, 1.0), row(15, 30, 2.0)], span(0, 60)).unwrap();
        assert_eq!(values.rows, [row(0, 15, 1.0), row(15, 30, 2.0), row(45, 60, 3.0)]);
        assert_eq!(values.missing, [span(30, 45)]);
        assert!(settle(vec![row(0, 60, 1.0)], span(0, 60)).unwrap().is_complete());
    }

    #[test]
    fn twice_alike_is_once_and_twice_unlike_is_broken() {
        let twice = settle(vec![row(0, 60, 1.0), row(0, 60, 1.0)], span(0, 60)).unwrap();
        assert_eq!((twice.rows.len(), twice.notes.len()), (1, 1));
        for rows in [vec![row(0, 60, 1.0), row(0, 60, 2.0)], vec![row(0, 60, 1.0), row(45, 60, 1.0)]] {
            assert!(matches!(settle(rows, span(0, 60)), Err(NoValues::Broken(_))));
        }
        assert!(matches!(settle(vec![row(30, 30, 1.0)], span(0, 60)), Err(NoValues::Broken(_))));
    }

    #[test]
    fn what_ends_before_is_not_yet_and_what_begins_after_is_wrong() {
        assert!(matches!(settle(Vec::<Row<f64>>::new(), span(0, 60)), Err(NoValues::NotYet(_))));
        assert!(matches!(settle(vec![row(-60, 0, 1.0)], span(0, 60)), Err(NoValues::NotYet(_))));
        assert!(matches!(settle(vec![row(60, 90, 1.0)], span(0, 60)), Err(NoValues::Broken(_))));
    }

    #[test]
    fn a_series_conserves_what_rows_of_several_lengths_hold() {
        let values = settle(vec![row(0, 60, 4.0), row(60, 75, 8.0), row(90, 105, 2.0)], span(0, 120)).unwrap();
        let series = values.series(TimeDelta::minutes(15), |value| *value).unwrap();
        let expected = [Some(4.0), Some(4.0), Some(4.0), Some(4.0), Some(8.0), None, Some(2.0)];
        assert_eq!(series.values, expected);
        let halves = values.series(TimeDelta::minutes(30), |value| *value).unwrap();
        assert_eq!(halves.values, [Some(4.0), Some(4.0), None, None]);
        assert_eq!(values.series(TimeDelta::zero(), |value| *value), None);
    }
}
