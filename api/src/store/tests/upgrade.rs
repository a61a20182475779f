//! Databases of other releases.

use serde_json::json;
use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};

use std::fs;
use std::path::{Path, PathBuf};

use super::{at, backup, put, vehicle};
use crate::store::{Change, Expect, Grain, Kind, List, LogPage, Measurements, Store, Stream, sqlite};

/// The steps of a later release: ours, and one more.
fn later(sql: &'static str) -> Migrator {
    let mut steps: Vec<Migration> = sqlite::migrator().iter().cloned().collect();
    let next = i64::try_from(steps.len()).unwrap() + 1;
    steps.push(Migration::new(next, "later".into(), MigrationType::Simple, sql.into_sql_str(), false));
    Migrator::with_migrations(steps)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_fails_leaves_everything_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let store = sqlite::open(folder.path()).await.unwrap();
    store.write(at(1), vec![put(vehicle("depot", "van"), json!(1))]).await.unwrap();
    store.close().await;

    let broken = later("CREATE TABLE later (id TEXT); DROP TABLE document; INSERT INTO nowhere VALUES (1);");
    let told = sqlite::open_with(folder.path(), &broken).await.unwrap_err().to_string();
    assert!(told.contains("could not be brought up to date and is as it was"), "{told}");
    let store = sqlite::open(folder.path()).await.unwrap();
    assert!(store.read(&vehicle("depot", "van"), None).await.unwrap().is_some());
    store.close().await;
    sqlite::open_with(folder.path(), &later("CREATE TABLE later (id TEXT);")).await.unwrap().close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_database_is_copied_before_it_is_changed_and_a_newer_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = sqlite::open(folder.path()).await.unwrap();
    store.write(at(1), vec![put(vehicle("depot", "van"), json!(1))]).await.unwrap();
    store.close().await;
    let copies = || {
        let names = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_str().unwrap().contains("before")).collect::<Vec<_>>()
    };
    assert!(copies().is_empty());
    sqlite::open_with(folder.path(), &later("DROP TABLE document;")).await.unwrap().close().await;
    let told = sqlite::open(folder.path()).await.unwrap_err().to_string();
    assert!(told.contains("written by a newer release of kwartier"), "{told}");
    let told = sqlite::look(folder.path()).await.unwrap_err().to_string();
    assert!(told.contains("another release wrote it"), "{told}");

    // The way back.
    let [copy] = copies().try_into().unwrap();
    std::fs::rename(folder.path().join(copy), folder.path().join(sqlite::FILE)).unwrap();
    let store = sqlite::open(folder.path()).await.unwrap();
    assert!(store.read(&vehicle("depot", "van"), None).await.unwrap().is_some());
}

/// Databases as released versions wrote them, packed with zstd: `tests/vintage/VERSION/kwartier.db.zst`.
fn vintage() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vintage")
}

/// Where to put the database of this version.
const MADE: &str = "KWARTIER_TEST_VINTAGE";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "makes a database of this version to keep: make vintage"]
async fn makes_a_database_of_this_version() {
    let Some(file) = std::env::var_os(MADE) else { return };
    let folder = tempfile::tempdir().unwrap();
    let (data, saved) = (folder.path().join("data"), folder.path().join("saved"));
    let store = sqlite::open(&data).await.unwrap();
    backup::fill(&store).await;
    store.backup(&saved).await.unwrap();
    store.close().await;
    let packed = zstd::encode_all(fs::File::open(saved.join(sqlite::FILE)).unwrap(), 19).unwrap();
    fs::create_dir_all(Path::new(&file).parent().unwrap()).unwrap();
    fs::write(file, packed).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_of_every_release_open_with_all_that_is_in_them() {
    let releases: Vec<_> = fs::read_dir(vintage()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let releases: Vec<_> = releases.into_iter().filter(|path| path.is_dir()).collect();
    assert!(!releases.is_empty());
    for release in releases {
        let folder = tempfile::tempdir().unwrap();
        let packed = fs::File::open(release.join("kwartier.db.zst")).unwrap();
        fs::write(folder.path().join(sqlite::FILE), zstd::decode_all(packed).unwrap()).unwrap();
        let store = sqlite::open(folder.path()).await.unwrap();
        let vans = store.list(&List::of(Kind::Vehicle, "depot")).await.unwrap().items;
        assert_eq!(vans.len(), 999, "{}", release.display());
        assert_eq!(vans[998].body, Some(json!({ "kwh": 0.1, "van": 999 })));
        let deleted = vehicle("depot", "van 000 é'");
        assert_eq!(store.read(&deleted, Some(at(2))).await.unwrap().unwrap().body, Some(json!("second")));
        let log = LogPage { stream: Stream::Audit, tenants: None, site: None, after: 0, limit: 10 };
        assert_eq!(store.log(&log).await.unwrap()[0].what.body, json!("entry"));
        let job = store.job(uuid::Uuid::from_u128(7)).await.unwrap().unwrap();
        assert_eq!((job.attempts, job.what.input), (1, json!({ "gap": 0.1 })));
        assert_eq!(store.recall("key", at(10)).await.unwrap(), Some(("hash".to_owned(), Some(json!(201)))));
        let plan = store.plan(uuid::Uuid::from_u128(8)).await.unwrap().unwrap();
        assert_eq!((plan.instance, plan.plan), (json!({ "slots": [1, 2] }), json!([0.1])));
        let ask = Measurements {
            site: "depot".to_owned(),
            place: None,
            from: at(0),
            until: at(10_000),
            grain: Grain::Quarter,
            after: None,
            limit: 100,
        };
        let measured = store.measured(&ask).await.unwrap().items;
        assert_eq!(measured.iter().map(|point| point.count).sum::<u32>(), 4_000);
        // It can be written on.
        let put = Change::Put { key: deleted, body: json!("again"), expect: Expect::Absent };
        assert_eq!(store.write(at(5), vec![put]).await.unwrap()[0].version, 4);
        store.close().await;
    }
}
