//! How fast the store is and how much room things take: `make bench-store`. Figures, no judgement; what a second of 1,000
//! sites takes is the one to look at.

use std::path::Path;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use serde_json::json;

use super::cluster::Cluster;
use super::documents::futures;
use super::{at, put, vehicle};
use crate::store::backup::backup;
use crate::store::{Grain, Measured, Measurements, Store, postgres, sqlite};

const SITES: usize = 1_000;
/// Places at a site: three boards and ten chargers.
const PLACES: usize = 13;
/// Seconds that are measured.
const SECONDS: i64 = 30;

fn second(site: usize, second: i64) -> Vec<Measured> {
    let place = |place: usize| Measured {
        site: format!("site-{site:04}"),
        place: format!("charger/Station {place}"),
        at: at(second),
        phases_a: [0.1, 0.2, 0.3].map(|part| part * (place as f64 + second as f64)),
        power_kw: Some(7.3),
        energy_kwh: Some(1234.5 + second as f64),
    };
    (0..PLACES).map(place).collect()
}

fn bytes(folder: &Path) -> u64 {
    let of = |name: &str| std::fs::metadata(folder.join(name)).map_or(0, |file| file.len());
    of(sqlite::FILE) + of("kwartier.db-wal")
}

async fn measure(store: &dyn Store, what: &str) {
    let rows: Vec<Vec<Vec<Measured>>> =
        (0..SECONDS).map(|at| (0..SITES).map(|site| second(site, at)).collect()).collect();
    let mut took: Vec<Duration> = Vec::new();
    for sites in &rows {
        let begun = Instant::now();
        for told in futures(sites.iter().map(|rows| store.measure(rows))).await {
            told.unwrap();
        }
        took.push(begun.elapsed());
    }
    let total: f64 = took.iter().map(Duration::as_secs_f64).sum();
    took.sort();
    let count = SITES * PLACES * usize::try_from(SECONDS).unwrap();
    println!(
        "{what}: a second of {SITES} sites × {PLACES} places: median {:.0} ms, highest {:.0} ms; {:.0} rows/s",
        took[took.len() / 2].as_secs_f64() * 1e3,
        took[took.len() - 1].as_secs_f64() * 1e3,
        count as f64 / total,
    );
}

async fn puts(store: &dyn Store, what: &str) {
    for at_once in [1_usize, 64] {
        let begun = Instant::now();
        let each = 640 / at_once;
        let writer = async |writer: usize| {
            let mut slowest = Duration::ZERO;
            for number in 0..each {
                let begun = Instant::now();
                let change =
                    put(vehicle("depot", &format!("{writer}/{number}")), json!({ "filling": "x".repeat(300) }));
                store.write(at(0), vec![change]).await.unwrap();
                slowest = slowest.max(begun.elapsed());
            }
            slowest
        };
        let slowest = futures((0..at_once).map(writer)).await.into_iter().max().unwrap();
        println!(
            "{what}: {at_once} putting documents at once: {:.0} puts/s, the slowest {:.1} ms",
            640.0 / begun.elapsed().as_secs_f64(),
            slowest.as_secs_f64() * 1e3,
        );
    }
}

async fn roll(store: &dyn Store, what: &str) {
    let begun = Instant::now();
    let gone = store.roll_up(at(3600), at(0)).await.unwrap();
    println!("{what}: rolled up: {:.0} rows/s", gone as f64 / begun.elapsed().as_secs_f64());
}

async fn page(store: &dyn Store, what: &str) {
    let ask = Measurements {
        site: "site-0500".to_owned(),
        place: None,
        from: at(0),
        until: at(0) + TimeDelta::days(1),
        grain: Grain::Raw,
        after: None,
        limit: 10_000,
    };
    let begun = Instant::now();
    let page = store.measured(&ask).await.unwrap();
    let took = begun.elapsed().as_secs_f64() * 1e3;
    println!("{what}: a page of {} measurements of one site: {took:.1} ms", page.items.len());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement: make bench-store"]
async fn how_fast_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let store = sqlite::open(folder.path()).await.unwrap();
    puts(&store, "SQLite").await;
    let before = bytes(folder.path());
    measure(&store, "SQLite").await;
    page(&store, "SQLite").await;
    store.close().await;
    let rows = (SITES * PLACES) as f64 * SECONDS as f64;
    println!("SQLite: a measurement takes {:.0} bytes", (bytes(folder.path()) - before) as f64 / rows);
    let store = sqlite::open(folder.path()).await.unwrap();
    roll(&store, "SQLite").await;
    store.close().await;

    let Some(cluster) = Cluster::durable() else { return };
    let store = postgres::open(&cluster.database("bench").await).await.unwrap();
    puts(&store, "PostgreSQL").await;
    measure(&store, "PostgreSQL").await;
    page(&store, "PostgreSQL").await;
    roll(&store, "PostgreSQL").await;
    store.close().await;
}

/// Bytes that a row takes in SQLite: of a day of one site, measured each second, rolled up to minutes, to quarter-hours, and
/// in files.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement: make bench-store"]
async fn how_much_room_it_takes() {
    let folder = tempfile::tempdir().unwrap();
    let size = async |what: &str, rows: i64, from: u64| {
        let copy = folder.path().join("copy");
        let store = sqlite::look(folder.path()).await.unwrap();
        backup(&store, &copy).await.unwrap();
        store.close().await;
        let size = bytes(&copy);
        std::fs::remove_dir_all(&copy).unwrap();
        if rows > 0 {
            println!("SQLite: {what}: {:.0} bytes", (size - from) as f64 / rows as f64);
        }
        size
    };
    let store = sqlite::open(folder.path()).await.unwrap();
    let empty = size("", 0, 0).await;
    let places = i64::try_from(PLACES).unwrap();
    for hour in 0..6 {
        for minute in 0..60 {
            let rows: Vec<Measured> = (0..60).flat_map(|at| second(1, hour * 3600 + minute * 60 + at)).collect();
            store.measure(&rows).await.unwrap();
        }
    }
    size("a measurement", 6 * 3600 * places, empty).await;
    store.roll_up(at(6 * 3600), at(0)).await.unwrap();
    size("a minute of one place", 6 * 60 * places, empty).await;
    for day in 0..30 {
        for quarter in 0..96 {
            store.measure(&second(2, day * 86_400 + quarter * 900)).await.unwrap();
        }
    }
    store.roll_up(at(40 * 86_400), at(40 * 86_400)).await.unwrap();
    let quarters = (30 * 96 + 24) * places;
    size("a quarter-hour of one place", quarters, empty).await;
    store.archive(at(70 * 86_400)).await.unwrap();
    let files = std::fs::read_dir(folder.path().join("history/site-0002")).unwrap();
    let size: u64 = files.map(|file| file.unwrap().metadata().unwrap().len()).sum();
    println!("Parquet: a quarter-hour of one place: {:.0} bytes", size as f64 / (30 * 96 * places) as f64);
    store.close().await;
}
