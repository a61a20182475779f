//! Measurements in SQL: as they were measured in `measurement`, minutes and quarter-hours in `rolled`.

use std::collections::{BTreeMap, HashMap};

use super::super::fault::Fault;
use super::super::measurement::{Grain, Measured};
use super::super::rolling::{Piece, Sum};
use super::connection::Connection;
use super::insert::insert;
use super::names::Names;
use super::value::{Row, Value};

/// Keeps measurements. Of several for one place and time the last counts.
pub async fn keep(connection: &mut Connection, names: &mut Names, rows: &[&Measured]) -> Result<(), Fault> {
    let mut last: HashMap<(i64, i64, i64), &Measured> = HashMap::with_capacity(rows.len());
    for row in rows {
        let (site, place) = names.number(connection, &row.site, &row.place).await?;
        last.insert((site, row.at.timestamp_micros(), place), row);
    }
    // In the order of the key: neighbours are written together.
    let mut rows: Vec<_> = last.into_iter().collect();
    rows.sort_unstable_by_key(|(key, _)| *key);
    let values = rows.iter().map(|((site, at, place), row)| {
        let [l1_a, l2_a, l3_a] = row.phases_a;
        vec![
            Value::from(*site),
            (*at).into(),
            (*place).into(),
            l1_a.into(),
            l2_a.into(),
            l3_a.into(),
            row.power_kw.into(),
            row.energy_kwh.into(),
        ]
    });
    insert(
        connection,
        "INSERT INTO measurement (site, at, place, l1_a, l2_a, l3_a, power_kw, energy_kwh)",
        "ON CONFLICT (site, at, place) DO UPDATE SET l1_a = excluded.l1_a, l2_a = excluded.l2_a,
            l3_a = excluded.l3_a, power_kw = excluded.power_kw, energy_kwh = excluded.energy_kwh",
        values.collect(),
    )
    .await
}

/// Adds pieces to what is rolled up already.
pub async fn add(connection: &mut Connection, site: i64, place: i64, pieces: &[Piece]) -> Result<(), Fault> {
    let values = pieces.iter().map(|piece| {
        let Piece { at, grain, sum } = piece;
        vec![
            Value::from(site),
            grain.seconds().into(),
            place.into(),
            (*at).into(),
            sum.count.into(),
            sum.sum_a[0].into(),
            sum.sum_a[1].into(),
            sum.sum_a[2].into(),
            sum.highest_a[0].into(),
            sum.highest_a[1].into(),
            sum.highest_a[2].into(),
            sum.power_count.into(),
            sum.power_sum_kw.into(),
            sum.energy_kwh.into(),
        ]
    });
    let highest = |l: u8| {
        format!(
            "l{l}_highest_a = CASE WHEN excluded.l{l}_highest_a > rolled.l{l}_highest_a
            THEN excluded.l{l}_highest_a ELSE rolled.l{l}_highest_a END"
        )
    };
    let on_conflict = format!(
        "ON CONFLICT (site, seconds, place, at) DO UPDATE SET count = rolled.count + excluded.count,
        l1_sum_a = rolled.l1_sum_a + excluded.l1_sum_a, l2_sum_a = rolled.l2_sum_a + excluded.l2_sum_a,
        l3_sum_a = rolled.l3_sum_a + excluded.l3_sum_a, {}, {}, {},
        power_count = rolled.power_count + excluded.power_count,
        power_sum_kw = rolled.power_sum_kw + excluded.power_sum_kw,
        energy_kwh = COALESCE(excluded.energy_kwh, rolled.energy_kwh)",
        highest(1),
        highest(2),
        highest(3)
    );
    insert(
        connection,
        "INSERT INTO rolled (site, seconds, place, at, count, l1_sum_a, l2_sum_a, l3_sum_a, l1_highest_a, l2_highest_a,
        l3_highest_a, power_count, power_sum_kw, energy_kwh)",
        &on_conflict,
        values.collect(),
    )
    .await
}

/// A span of time, in microseconds since 1970: from the first on, before the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// From this on.
    pub from: i64,
    /// Before this.
    pub until: i64,
}

/// Makes the databases look for the time at each place rather than through all that is rolled up of a site.
const EACH_PLACE: &str = " AND place IN (SELECT place FROM site_place WHERE site = $1)";

/// The columns that [`piece`] reads, and their table.
fn columns(grain: Grain) -> (&'static str, &'static str) {
    match grain {
        Grain::Raw => ("measurement", "place, at, l1_a, l2_a, l3_a, power_kw, energy_kwh"),
        Grain::Minute | Grain::Quarter => (
            "rolled",
            "place, at, l1_sum_a, l2_sum_a, l3_sum_a, power_sum_kw, energy_kwh, count, l1_highest_a, l2_highest_a,
            l3_highest_a, power_count",
        ),
    }
}

/// What is of a grain at a site in a span, as a condition with its values.
fn within(site: i64, grain: Grain, span: Span) -> (&'static str, Vec<Value>) {
    let mut values = vec![Value::from(site), span.from.into(), span.until.into()];
    match grain {
        Grain::Raw => ("site = $1 AND at >= $2 AND at < $3", values),
        Grain::Minute | Grain::Quarter => {
            values.push(grain.seconds().into());
            ("site = $1 AND at >= $2 AND at < $3 AND seconds = $4", values)
        }
    }
}

/// Pieces of a place of one grain in a span by time, at most `limit`.
pub async fn pieces(
    connection: &mut Connection,
    (site, place): (i64, i64),
    grain: Grain,
    span: Span,
    limit: u32,
) -> Result<Vec<Piece>, Fault> {
    let (table, columns) = columns(grain);
    let (condition, mut values) = within(site, grain, span);
    values.push(place.into());
    let number = values.len();
    let sql =
        format!("SELECT {columns} FROM {table} WHERE {condition} AND place = ${number} ORDER BY at LIMIT {limit}");
    let rows = connection.fetch(&sql, values).await?;
    rows.iter().map(|row| piece(row, grain).map(|(_, piece)| piece)).collect()
}

/// Takes all pieces of a site of one grain in a span out of their table: of two who want to roll them up, one gets them.
/// Each comes with its place.
pub async fn take(
    connection: &mut Connection,
    site: i64,
    grain: Grain,
    span: Span,
) -> Result<Vec<(i64, Piece)>, Fault> {
    let (table, columns) = columns(grain);
    let (condition, values) = within(site, grain, span);
    let each_place = if grain == Grain::Raw { "" } else { EACH_PLACE };
    let sql = format!("DELETE FROM {table} WHERE {condition}{each_place} RETURNING {columns}");
    let rows = connection.fetch(&sql, values).await?;
    rows.iter().map(|row| piece(row, grain)).collect()
}

/// Whether there is anything of a grain at a site in a span.
pub async fn is_there(connection: &mut Connection, site: i64, grain: Grain, span: Span) -> Result<bool, Fault> {
    let (table, _) = columns(grain);
    let (condition, values) = within(site, grain, span);
    let each_place = if grain == Grain::Raw { "" } else { EACH_PLACE };
    let sql = format!("SELECT 1 FROM {table} WHERE {condition}{each_place} LIMIT 1");
    Ok(connection.first(&sql, values).await?.is_some())
}

fn piece(row: &Row, grain: Grain) -> Result<(i64, Piece), Fault> {
    let phases_a = [row.real(2)?, row.real(3)?, row.real(4)?];
    let power_kw = row.real_or_none(5)?;
    let energy_kwh = row.real_or_none(6)?;
    let sum = match grain {
        Grain::Raw => Sum::of(phases_a, power_kw, energy_kwh),
        Grain::Minute | Grain::Quarter => Sum {
            count: row.count(7)?,
            sum_a: phases_a,
            highest_a: [row.real(8)?, row.real(9)?, row.real(10)?],
            power_count: row.count(11)?,
            power_sum_kw: power_kw.unwrap_or_default(),
            energy_kwh,
        },
    };
    Ok((row.int(0)?, Piece { at: row.int(1)?, grain, sum }))
}

/// The earliest time of a grain at a site before an instant, where there is any.
pub async fn earliest(connection: &mut Connection, site: i64, grain: Grain, until: i64) -> Result<Option<i64>, Fault> {
    let mut values = vec![Value::from(site), until.into()];
    let sql = match grain {
        Grain::Raw => "SELECT MIN(at) FROM measurement WHERE site = $1 AND at < $2",
        Grain::Minute | Grain::Quarter => {
            values.push(grain.seconds().into());
            "SELECT MIN(first) FROM (SELECT (SELECT MIN(rolled.at) FROM rolled WHERE rolled.site = $1
                AND rolled.seconds = $3 AND rolled.place = site_place.place AND rolled.at < $2) AS first
            FROM site_place WHERE site_place.site = $1) AS firsts"
        }
    };
    match connection.first(sql, values).await? {
        Some(row) => row.int_or_none(0),
        None => Ok(None),
    }
}

/// Rolls a span of a site up by one step, all places of it. How many rows went. The span begins and ends with an interval
/// of the coarser grain.
pub async fn roll_up(connection: &mut Connection, site: i64, from: Grain, to: Grain, span: Span) -> Result<u64, Fault> {
    let mut by_place: BTreeMap<i64, Vec<Piece>> = BTreeMap::new();
    let taken = take(connection, site, from, span).await?;
    let count = taken.len() as u64;
    for (place, piece) in taken {
        by_place.entry(place).or_default().push(piece);
    }
    for (place, pieces) in by_place {
        add(connection, site, place, &super::super::rolling::roll(pieces, to)).await?;
    }
    Ok(count)
}
