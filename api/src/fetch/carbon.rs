//! Carbon intensity: kept by area and UTC day, what was measured before what is forecast.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use kwartier_data::feeds::{Carbon, Row, Values};
use serde_json::Value;

use crate::http::change::{body, kept};
use crate::resource::carbon::CarbonRow;
use crate::resource::feed::Source;
use crate::store::{Change, Expect, Fault, Key, Kind, Store};

/// Whose intensity it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of<'a> {
    /// An area's, as it was fetched.
    Area(&'a str),
    /// A site's, as somebody has put it.
    Site(&'a str),
}

fn key(of: Of<'_>, day: NaiveDate) -> Key {
    match of {
        Of::Area(area) => Key::new(Kind::Forecast, format!("carbon/{area}"), day.to_string()),
        Of::Site(site) => Key::new(Kind::Forecast, site, format!("carbon/{day}")),
    }
}

/// What came, as it is kept; `None`, somebody has put it.
pub fn rows(source: Option<Source>, carbon: &Values<Carbon>) -> Vec<CarbonRow> {
    let row = |row: &Row<Carbon>| {
        let Carbon { g_kwh, forecast } = row.value;
        let minutes = u32::try_from(row.length().num_minutes()).ok()?;
        Some(CarbonRow { start: row.start, minutes, g_kwh, forecast, source })
    };
    carbon.rows.iter().filter_map(row).collect()
}

/// What is to be put to keep rows, with the version that is there: a day a document. One that nothing changes is left out.
///
/// # Errors
///
/// Why what is there cannot be read.
pub async fn changes(
    store: &dyn Store,
    of: Of<'_>,
    rows: Vec<CarbonRow>,
) -> Result<Vec<(Key, Option<u64>, Value)>, Fault> {
    let mut days: BTreeMap<NaiveDate, Vec<CarbonRow>> = BTreeMap::new();
    for row in rows {
        days.entry(row.start.date_naive()).or_default().push(row);
    }
    let mut changes = Vec::new();
    for (day, new) in days {
        let key = key(of, day);
        let was = store.read(&key, None).await?;
        let before: Vec<CarbonRow> = was.as_ref().map(kept).transpose()?.unwrap_or_default();
        let merged = merged(&before, &new);
        if merged != before {
            changes.push((key, was.map(|was| was.version), body(&merged)?));
        }
    }
    Ok(changes)
}

/// Keeps what came of an area. Of two processes that got the same, the later one counts.
///
/// # Errors
///
/// Why it cannot be kept.
pub async fn keep(store: &dyn Store, area: &str, rows: Vec<CarbonRow>, at: DateTime<Utc>) -> Result<(), Fault> {
    let changes = changes(store, Of::Area(area), rows).await?.into_iter();
    let changes: Vec<Change> = changes.map(|(key, _, body)| Change::Put { key, body, expect: Expect::Any }).collect();
    if changes.is_empty() { Ok(()) } else { store.write(at, changes).await.map(drop) }
}

/// New rows in place of those that they overlap, but no forecast in place of what was measured.
fn merged(before: &[CarbonRow], new: &[CarbonRow]) -> Vec<CarbonRow> {
    let overlap = |a: &CarbonRow, b: &CarbonRow| a.start < b.end() && b.start < a.end();
    let stays = |old: &CarbonRow, new: &CarbonRow| !old.forecast && new.forecast && overlap(old, new);
    let new: Vec<&CarbonRow> = new.iter().filter(|new| before.iter().all(|old| !stays(old, new))).collect();
    let rest = before.iter().filter(|old| new.iter().all(|new| !overlap(old, new)));
    let mut merged: Vec<CarbonRow> = rest.chain(new.iter().copied()).copied().collect();
    merged.sort_by_key(|row| row.start);
    merged
}

/// What is known of the intervals that begin in a span: what somebody has put at the site, and for the rest its area's.
///
/// # Errors
///
/// Why it cannot be read.
pub async fn known(
    store: &dyn Store,
    site: &str,
    area: Option<&str>,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<CarbonRow>, Fault> {
    let mut known = Vec::new();
    let mut day = from.date_naive();
    while day.and_time(chrono::NaiveTime::MIN).and_utc() < until {
        let mut fetched = match area {
            Some(area) => read(store, &key(Of::Area(area), day)).await?,
            None => Vec::new(),
        };
        let put = read(store, &key(Of::Site(site), day)).await?;
        fetched.retain(|row| put.iter().all(|put| row.end() <= put.start || put.end() <= row.start));
        fetched.extend(put);
        fetched.sort_by_key(|row| row.start);
        known.extend(fetched.into_iter().filter(|row| from <= row.start && row.start < until));
        let Some(next) = day.checked_add_days(Days::new(1)) else { break };
        day = next;
    }
    Ok(known)
}

async fn read(store: &dyn Store, key: &Key) -> Result<Vec<CarbonRow>, Fault> {
    let document = store.read(key, None).await?.filter(|document| document.body.is_some());
    Ok(document.as_ref().map(kept).transpose()?.unwrap_or_default())
}

impl CarbonRow {
    /// When it ends.
    pub fn end(&self) -> DateTime<Utc> {
        self.start + TimeDelta::minutes(i64::from(self.minutes))
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    fn hour(hour: i64, g_kwh: f64, forecast: bool) -> CarbonRow {
        let start = DateTime::UNIX_EPOCH + TimeDelta::hours(hour);
        CarbonRow { start, minutes: 60, g_kwh, forecast, source: Some(Source::EnergyCharts) }
    }

    #[test]
    fn what_was_measured_is_not_forecast_any_more() {
        let before = [hour(0, 300.0, false), hour(1, 310.0, true), hour(5, 100.0, true)];
        let after = merged(&before, &[hour(0, 280.0, true), hour(1, 290.0, false), hour(2, 200.0, true)]);
        assert_eq!(after, [before[0], hour(1, 290.0, false), hour(2, 200.0, true), before[2]]);
    }

    #[tokio::test]
    async fn what_somebody_has_put_comes_before_the_areas() {
        let folder = tempfile::tempdir().unwrap();
        let store = crate::store::open(folder.path().to_str().unwrap()).await.unwrap();
        let keep = async |of: Of<'_>, rows: &[CarbonRow]| {
            let changes = changes(&*store, of, rows.to_vec()).await.unwrap();
            let count = changes.len();
            let put = |(key, _, body)| Change::Put { key, body, expect: Expect::Any };
            store.write(Utc::now(), changes.into_iter().map(put).collect()).await.unwrap();
            count
        };
        let day: Vec<CarbonRow> = (0..48).map(|k| hour(k, 300.0, true)).collect();
        assert_eq!(keep(Of::Area("NL"), &day).await, 2, "a document a day");
        assert_eq!(keep(Of::Area("NL"), &day).await, 0, "nothing is new");
        let own = CarbonRow { minutes: 120, source: None, ..hour(23, 20.0, false) };
        keep(Of::Site("depot"), &[own]).await;
        let span = (DateTime::UNIX_EPOCH + TimeDelta::hours(22), DateTime::UNIX_EPOCH + TimeDelta::hours(26));
        let known = async |site: &str| known(&*store, site, Some("NL"), span).await.unwrap();
        let g = |rows: Vec<CarbonRow>| rows.iter().map(|row| row.g_kwh).collect::<Vec<_>>();
        assert_eq!(g(known("depot").await), [300.0, 20.0, 300.0, 300.0]);
        assert_eq!(g(known("other").await), [300.0; 4]);
    }
}
