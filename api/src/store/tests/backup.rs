//! Backup, restore, copying between databases, looking for damage.

use std::path::Path;

use serde_json::json;
use uuid::Uuid;

use super::cluster::Cluster;
use super::{at, put, vehicle};
use crate::store::backup::{copy_places, look, restore};
use crate::store::sql::check::check;
use crate::store::sql::tables::TABLES;
use crate::store::{
    Change, Expect, Fault, Grain, KeptPlan, Kind, List, LogPage, Measured, Measurements, NewEntry, NewJob, PlanHead,
    Store, Stream, postgres, sqlite,
};

/// Something of everything.
pub async fn fill(store: &dyn Store) {
    let entry = NewEntry { stream: Stream::Audit, tenant: "tenant".to_owned(), site: None, body: json!("entry") };
    let job = NewJob {
        id: Uuid::from_u128(7),
        kind: "solve".to_owned(),
        tenant: "tenant".to_owned(),
        site: Some("depot".to_owned()),
        once: Some("depot/plan".to_owned()),
        due: at(0),
        input: json!({ "gap": 0.1 }),
    };
    let remember = Change::Remember {
        name: "key".to_owned(),
        request: "hash".to_owned(),
        answer: Some(json!(201)),
        until: at(1_000_000),
    };
    let vans =
        (0..1_000).map(|van| put(vehicle("depot", &format!("van {van:03} é'")), json!({ "kwh": 0.1, "van": van })));
    store.write(at(1), vans.collect()).await.unwrap();
    let key = vehicle("depot", "van 000 é'");
    store.write(at(2), vec![put(key.clone(), json!("second"))]).await.unwrap();
    store.write(at(3), vec![Change::Delete { key, expect: Expect::Version(2) }]).await.unwrap();
    store.write(at(4), vec![Change::Log(entry), Change::Enqueue(job), remember]).await.unwrap();
    store.claim(&["solve"], at(5), at(65)).await.unwrap().unwrap();
    let meter = |place: &str, second| Measured {
        site: "depot".to_owned(),
        place: place.to_owned(),
        at: at(second),
        phases_a: [0.1, -0.2, 1e-3],
        power_kw: Some(1.5),
        energy_kwh: (second % 2 == 0).then_some(100.25),
    };
    let rows: Vec<Measured> =
        (0..2_000).flat_map(|second| [meter("node/HV", second), meter("charger/1", second)]).collect();
    store.measure(&rows).await.unwrap();
    store.roll_up(at(1_800), at(900)).await.unwrap();
    let head = PlanHead { id: Uuid::from_u128(8), site: "depot".to_owned(), at: at(4), summary: json!({}) };
    store.keep_plan(&KeptPlan { head, instance: json!({ "slots": [1, 2] }), plan: json!([0.1]) }).await.unwrap();
}

/// Everything that [`fill`] has put there, as it is read.
pub async fn told(store: &dyn Store) -> String {
    let log = LogPage { stream: Stream::Audit, tenants: None, site: None, after: 0, limit: 100 };
    let ask = Measurements {
        site: "depot".to_owned(),
        place: None,
        from: at(0),
        until: at(10_000),
        grain: Grain::Raw,
        after: None,
        limit: 10_000,
    };
    let list = |second| List { as_of: Some(at(second)), ..List::of(Kind::Vehicle, "depot") };
    format!(
        "{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}",
        store.list(&list(1)).await.unwrap(),
        store.list(&list(3)).await.unwrap(),
        store.log(&log).await.unwrap(),
        store.jobs(None, None, 10).await.unwrap(),
        store.recall("key", at(10)).await.unwrap(),
        store.measured(&ask).await.unwrap(),
        store.plan(Uuid::from_u128(8)).await.unwrap(),
    )
}

fn place(folder: &Path) -> &str {
    folder.to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_made_while_others_write_is_restored_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let (data, saved, again) = (folder.path().join("data"), folder.path().join("saved"), folder.path().join("again"));
    let store = sqlite::open(&data).await.unwrap();
    fill(&store).await;
    let before = told(&store).await;
    let busy = async {
        for second in 0..50 {
            store.write(at(second), vec![put(vehicle("other", "van"), json!(second))]).await.unwrap();
        }
    };
    let (saving, ()) = tokio::join!(store.backup(&saved), busy);
    saving.unwrap();

    assert!(matches!(store.backup(&saved).await, Err(Fault::Unavailable(why)) if why.contains("something in it")));
    let onto = restore(&saved, &data).await;
    assert!(matches!(onto, Err(Fault::Unavailable(why)) if why.contains("something in it")), "not over a running one");
    restore(&saved, &again).await.unwrap();
    let restored = sqlite::open(&again).await.unwrap();
    assert_eq!(told(&restored).await, before);
    // It goes on where it was.
    let van = vehicle("other", "van");
    let version = restored.read(&van, None).await.unwrap().map_or(0, |document| document.version);
    assert_eq!(restored.write(at(99), vec![put(van, json!(0))]).await.unwrap()[0].version, version + 1);
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "{left:?}");
}

async fn findings(data: &Path) -> Vec<String> {
    let database = look(place(data)).await.unwrap();
    let checked = check(&database).await.unwrap();
    database.close().await;
    checked.findings
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_is_found_and_a_damaged_backup_is_not_restored() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let store = sqlite::open(&data).await.unwrap();
    fill(&store).await;
    let database = look(place(&data)).await.unwrap();
    let sound = check(&database).await.unwrap();
    database.close().await;
    assert_eq!(sound.findings, [""; 0]);
    assert_eq!(sound.rows.iter().find(|(table, _)| *table == "document").unwrap().1, 1_002);
    store.close().await;

    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(data.join(sqlite::FILE));
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    for (sql, finding) in [
        ("UPDATE document SET body = '{' WHERE id LIKE 'van 001%'", "van 001 é': "),
        ("UPDATE plan SET plan = x'00112233'", "plan 00000000-0000-0000-0000-000000000008: "),
        ("DELETE FROM document WHERE id LIKE 'van 002%'", "1 documents whose newest version is not there"),
        ("UPDATE counter SET value = 0", "1 log entries whose number has not been given out"),
        ("DELETE FROM name WHERE text = 'node/HV'", "1 measured places without a name"),
    ] {
        sqlx::query(sql).execute(&pool).await.unwrap();
        let found = findings(&data).await;
        assert!(found.iter().any(|found| found.contains(finding)), "{finding}: {found:?}");
    }
    pool.close().await;
    // Pages in the middle of the file, which cannot even be read any more.
    let file = data.join(sqlite::FILE);
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4 * 4096].fill(0xa5);
    std::fs::write(&file, bytes).unwrap();
    let found = findings(&data).await;
    assert!(found.iter().any(|found| found.contains("is damaged: ")), "{found:?}");
    let told = restore(&data, &folder.path().join("again")).await.unwrap_err().to_string();
    assert!(told.contains("the backup is damaged and was not restored"), "{told}");
    assert!(!folder.path().join("again").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_and_column_is_copied() {
    let folder = tempfile::tempdir().unwrap();
    sqlite::open(folder.path()).await.unwrap().close().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.path().join(sqlite::FILE));
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    let columns = "SELECT main.name || '.' || info.name FROM sqlite_master main, pragma_table_info(main.name) info
        WHERE main.type = 'table' AND main.name NOT IN ('_sqlx_migrations', 'health') ORDER BY main.name, info.cid";
    let in_schema: Vec<String> = sqlx::query_scalar(columns).fetch_all(&pool).await.unwrap();
    let mut tables = TABLES.to_vec();
    tables.sort_by_key(|table| table.name);
    let copied: Vec<String> = tables
        .iter()
        .flat_map(|table| table.columns.iter().map(|(column, _)| format!("{}.{column}", table.name)))
        .collect();
    let sorted = |mut names: Vec<String>| {
        names.sort();
        names
    };
    assert_eq!(sorted(copied), sorted(in_schema));
}

/// From SQLite to PostgreSQL and back, and a backup of PostgreSQL.
pub async fn everything_moves_to_postgres_and_back(cluster: &Cluster) {
    let folder = tempfile::tempdir().unwrap();
    let [data, back, saved] = ["data", "back", "saved"].map(|name| folder.path().join(name));
    let store = sqlite::open(&data).await.unwrap();
    fill(&store).await;
    let before = told(&store).await;
    let url = cluster.database("moved").await;
    let copied = copy_places(place(&data), &url).await.unwrap();
    assert_eq!(copied.iter().find(|(table, _)| *table == "document").unwrap().1, 1_002);
    let moved = postgres::open(&url).await.unwrap();
    assert_eq!(told(&moved).await, before);
    assert_eq!(check(&look(&url).await.unwrap()).await.unwrap().findings, [""; 0]);
    // New names and entries get numbers of their own.
    let meter = Measured {
        site: "new".to_owned(),
        place: "node/new".to_owned(),
        at: at(0),
        phases_a: [1.0; 3],
        power_kw: None,
        energy_kwh: None,
    };
    moved.measure(&[meter]).await.unwrap();
    let again = copy_places(place(&data), &url).await.unwrap_err().to_string();
    assert!(again.contains("everything is copied into an empty place only"), "{again}");

    moved.backup(&saved).await.unwrap();
    copy_places(&url, place(&back)).await.unwrap();
    for folder in [&saved, &back] {
        let store = sqlite::open(folder).await.unwrap();
        assert_eq!(told(&store).await, before);
        store.close().await;
    }
    moved.close().await;
}
