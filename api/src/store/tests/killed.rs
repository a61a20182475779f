//! `kill -9` while it writes: nothing that was acknowledged is lost, and nothing is half there.
//!
//! The process that is killed is this test binary again, running the one test that is ignored otherwise. `make test` kills
//! a few times, `make kill-store` two hundred times.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;
use uuid::Uuid;

use super::{at, put, vehicle};
use crate::store::{Change, Grain, LogPage, Measured, Measurements, NewEntry, NewJob, Store, Stream, sqlite};

/// Tells the process which folder is its.
const FOLDER: &str = "KWARTIER_TEST_FOLDER";
/// How often to kill.
const KILLS: &str = "KWARTIER_TEST_KILLS";
/// Writers at once: what they write is committed in groups.
const WRITERS: usize = 8;

fn site(writer: usize) -> String {
    format!("site-{writer}")
}

/// Writes for ever, and says what it has been told is written.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "the process that the test below kills"]
async fn writes_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let store = std::sync::Arc::new(sqlite::open(Path::new(&folder)).await.unwrap());
    let mut tasks = Vec::new();
    for writer in 0..WRITERS {
        let store = std::sync::Arc::clone(&store);
        tasks.push(tokio::spawn(async move {
            loop {
                let written = store.write(at(0), changes(writer)).await.unwrap();
                let version = written[0].version;
                let second = i64::try_from(version).unwrap();
                store.measure(&[measured(writer, second)]).await.unwrap();
                // One write, so that a line is whole or not there.
                std::io::stdout().write_all(format!("written {writer} {version}\n").as_bytes()).unwrap();
            }
        }));
    }
    // None ends but by a fault.
    futures_util::future::select_all(tasks).await.0.unwrap();
}

fn changes(writer: usize) -> Vec<Change> {
    let entry = NewEntry {
        stream: Stream::Audit,
        tenant: "tenant".to_owned(),
        site: Some(site(writer)),
        body: json!({ "filling": "x".repeat(300) }),
    };
    let job = NewJob {
        id: Uuid::now_v7(),
        kind: "solve".to_owned(),
        tenant: site(writer),
        site: None,
        once: None,
        due: at(0),
        input: json!({}),
    };
    vec![put(vehicle(&site(writer), "van"), json!(writer)), Change::Log(entry), Change::Enqueue(job)]
}

fn measured(writer: usize, second: i64) -> Measured {
    Measured {
        site: site(writer),
        place: "node/HV".to_owned(),
        at: at(second),
        phases_a: [1.0; 3],
        power_kw: None,
        energy_kwh: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_when_it_is_killed() {
    let kills = std::env::var(KILLS).ok().map_or(10, |kills| kills.parse::<usize>().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged: HashMap<usize, u64> = HashMap::new();
    for kill in 0..kills {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--ignored", "--nocapture"])
            .arg(concat!(module_path!(), "::writes_until_it_is_killed").split_once("::").unwrap().1)
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        // After another number of acknowledgements each time, so that it dies at another point.
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut left = 1 + kill * 37 % 101;
        for line in lines.map_while(Result::ok) {
            let mut words = line.split(' ').skip_while(|word| *word != "written").skip(1);
            let (Some(writer), Some(version)) = (words.next(), words.next()) else { continue };
            acknowledged.insert(writer.parse().unwrap(), version.parse().unwrap());
            left = left.saturating_sub(1);
            if left == 0 {
                // What it says until it is dead counts too.
                process.kill().unwrap();
            }
        }
        process.wait().unwrap();
        assert_eq!(left, 0, "it ended by itself");
        check(folder.path(), &acknowledged).await;
    }
    let total: u64 = acknowledged.values().sum();
    println!("killed {kills} times while writing; all {total} acknowledged writes are there, none is half there");
}

async fn check(folder: &Path, acknowledged: &HashMap<usize, u64>) {
    let store = sqlite::open(folder).await.unwrap();
    for (&writer, &version) in acknowledged {
        let found = store.read(&vehicle(&site(writer), "van"), None).await.unwrap().unwrap().version;
        assert!(found >= version, "writer {writer} was told of version {version}, there is {found}");
        let count = usize::try_from(found).unwrap();
        assert_eq!(store.history(&vehicle(&site(writer), "van"), None, u32::MAX).await.unwrap().len(), count);
        let log = LogPage { stream: Stream::Audit, tenants: None, site: Some(site(writer)), after: 0, limit: u32::MAX };
        assert_eq!(store.log(&log).await.unwrap().len(), count, "documents and log entries were written together");
        let jobs = store.jobs(Some(&[site(writer)]), None, u32::MAX).await.unwrap();
        assert_eq!(jobs.len(), count, "documents and jobs were written together");
        let ask = Measurements {
            site: site(writer),
            place: None,
            from: at(0),
            until: at(i64::try_from(version).unwrap() + 1),
            grain: Grain::Raw,
            after: None,
            limit: u32::MAX,
        };
        let measured = store.measured(&ask).await.unwrap().items;
        assert_eq!(measured.last().map(|point| point.mean.at), Some(at(i64::try_from(version).unwrap())));
    }
    store.close().await;
}
