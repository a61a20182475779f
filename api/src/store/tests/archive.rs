//! Long history in Parquet files.

use std::path::Path;

use crate::store::backup::{copy_places, look, restore};
use crate::store::sql::check::check;
use crate::store::{Grain, Measured, Measurements, Page, Point, Store, sqlite};

use super::at;

/// A name that a file system might take for something else.
const SITE: &str = "../Dépôt 1/2";
const QUARTER: i64 = 900;
const DAY: i64 = 86_400;

fn meter(place: &str, second: i64, amps: f64) -> Measured {
    Measured {
        site: SITE.to_owned(),
        place: place.to_owned(),
        at: at(second),
        phases_a: [amps, amps / 2.0, -amps],
        power_kw: (second % 1800 == 0).then_some(amps),
        energy_kwh: Some(second as f64),
    }
}

fn ask(limit: u32) -> Measurements {
    Measurements {
        site: SITE.to_owned(),
        place: None,
        from: at(-DAY),
        until: at(100 * DAY),
        grain: Grain::Quarter,
        after: None,
        limit,
    }
}

/// 70 days from 2 March to 10 May, two measurements each quarter-hour at two places, rolled up.
async fn fill(store: &dyn Store) {
    for place in ["node/HV", "charger/A"] {
        let quarters = (0..70 * DAY / QUARTER).map(|quarter| quarter * QUARTER);
        let rows: Vec<Measured> = quarters
            .flat_map(|second| {
                let amps = (second / QUARTER % 40) as f64;
                [meter(place, second, amps), meter(place, second + 60, amps + 1.0)]
            })
            .collect();
        store.measure(&rows).await.unwrap();
    }
    store.roll_up(at(100 * DAY), at(100 * DAY)).await.unwrap();
}

fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for site in std::fs::read_dir(folder.join("history")).unwrap() {
        for month in std::fs::read_dir(site.unwrap().path()).unwrap() {
            found.push(month.unwrap().path().strip_prefix(folder).unwrap().display().to_string());
        }
    }
    found.sort();
    found
}

#[track_caller]
fn assert_same(found: &[Point], expected: &[Point]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
        assert!((0..3).all(|l| close(found.mean.phases_a[l], expected.mean.phases_a[l])), "{found:?} {expected:?}");
        assert_eq!(found.mean.power_kw.is_some(), expected.mean.power_kw.is_some());
        assert!(close(found.mean.power_kw.unwrap_or(0.0), expected.mean.power_kw.unwrap_or(0.0)));
        let rest = |point: &Point| {
            let mut point = point.clone();
            point.mean.phases_a = [0.0; 3];
            point.mean.power_kw = None;
            point
        };
        assert_eq!(rest(found), rest(expected));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_moved_into_files_is_read_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let store = sqlite::open(&data).await.unwrap();
    fill(&store).await;
    let before = store.measured(&ask(20_000)).await.unwrap().items;
    assert_eq!(before.len(), 2 * 70 * 96);

    // Until 5 May: March (from the 2nd) and April are whole.
    let gone = store.archive(at(64 * DAY)).await.unwrap();
    assert_eq!(gone, 2 * 60 * 96);
    let expected =
        ["2026-03", "2026-04"].map(|month| format!("history/%2E%2E%2FD%C3%A9p%C3%B4t%201%2F2/{month}.parquet"));
    assert_eq!(files(&data), expected);
    assert_same(&store.measured(&ask(20_000)).await.unwrap().items, &before);
    assert_eq!(store.archive(at(64 * DAY)).await.unwrap(), 0);

    // In pages, and from the middle of a file on.
    let mut seen = Vec::new();
    let mut page_of = ask(997);
    loop {
        let Page { items, more } = store.measured(&page_of).await.unwrap();
        page_of.after = items.last().map(|point| (point.mean.place.clone(), point.mean.at));
        seen.extend(items);
        if !more {
            break;
        }
    }
    assert_same(&seen, &before);
    let place =
        Measurements { place: Some("node/HV".to_owned()), from: at(29 * DAY), until: at(31 * DAY), ..ask(1000) };
    let middle: Vec<Point> = before
        .iter()
        .filter(|point| point.mean.place == "node/HV" && point.mean.at >= at(29 * DAY) && point.mean.at < at(31 * DAY))
        .cloned()
        .collect();
    assert_same(&store.measured(&place).await.unwrap().items, &middle);

    // What comes late is added, in a new file; the old one goes at the next start.
    store.measure(&[meter("node/HV", 60, 100.0)]).await.unwrap();
    store.roll_up(at(100 * DAY), at(100 * DAY)).await.unwrap();
    let with_late = store.measured(&ask(20_000)).await.unwrap().items;
    let first = with_late.iter().find(|point| point.mean.place == "node/HV").unwrap();
    assert_eq!((first.count, first.highest_a[0]), (3, 100.0));
    store.archive(at(64 * DAY)).await.unwrap();
    assert_same(&store.measured(&ask(20_000)).await.unwrap().items, &with_late);
    assert_eq!(files(&data).len(), 3);

    // A backup has the files that count.
    let (saved, again) = (folder.path().join("saved"), folder.path().join("again"));
    store.backup(&saved).await.unwrap();
    store.close().await;
    let store = sqlite::open(&data).await.unwrap();
    assert_eq!(files(&data).len(), 2);
    assert_same(&store.measured(&ask(20_000)).await.unwrap().items, &with_late);
    store.close().await;
    restore(&saved, &again).await.unwrap();
    let restored = sqlite::open(&again).await.unwrap();
    assert_same(&restored.measured(&ask(20_000)).await.unwrap().items, &with_late);
    restored.close().await;

    // Copied elsewhere, what is in files is in tables again.
    let copied = folder.path().join("copied");
    copy_places(again.to_str().unwrap(), copied.to_str().unwrap()).await.unwrap();
    let store = sqlite::open(&copied).await.unwrap();
    assert!(!copied.join("history").exists());
    assert_same(&store.measured(&ask(20_000)).await.unwrap().items, &with_late);
    store.close().await;

    // Damage is found.
    std::fs::write(saved.join(&files(&saved)[0]), b"PAR1 and nothing more PAR1").unwrap();
    let findings = check(&look(saved.to_str().unwrap()).await.unwrap()).await.unwrap().findings;
    assert!(findings.len() == 1 && findings[0].contains(".parquet"), "{findings:?}");
}
