//! Logs.

use serde_json::json;

use super::at;
use super::documents::futures;
use crate::store::{Change, Entry, LogPage, NewEntry, Store, Stream};

fn entry(stream: Stream, tenant: &str, site: Option<&str>, body: i32) -> Change {
    Change::Log(NewEntry { stream, tenant: tenant.to_owned(), site: site.map(ToOwned::to_owned), body: json!(body) })
}

fn of(stream: Stream) -> LogPage {
    LogPage { stream, tenants: None, site: None, after: 0, limit: 100 }
}

fn bodies(entries: &[Entry]) -> Vec<i64> {
    entries.iter().map(|entry| entry.what.body.as_i64().unwrap()).collect()
}

pub async fn entries_are_numbered_over_all_logs_and_filtered(store: &dyn Store) {
    let changes = vec![
        entry(Stream::Audit, "a", None, 1),
        entry(Stream::Alarm, "a", Some("north"), 2),
        entry(Stream::Audit, "b", Some("north"), 3),
        entry(Stream::Audit, "a", Some("south"), 4),
    ];
    store.write(at(1), changes).await.unwrap();
    store.write(at(2), vec![entry(Stream::Audit, "c", None, 5)]).await.unwrap();
    let audit = store.log(&of(Stream::Audit)).await.unwrap();
    assert_eq!(bodies(&audit), [1, 3, 4, 5]);
    assert_eq!(audit.iter().map(|entry| entry.number).collect::<Vec<_>>(), [1, 3, 4, 5]);
    assert_eq!((audit[2].at, audit[2].what.site.as_deref()), (at(1), Some("south")));
    assert_eq!(bodies(&store.log(&of(Stream::Alarm)).await.unwrap()), [2]);
    assert_eq!(bodies(&store.log(&of(Stream::Setpoint)).await.unwrap()), [0; 0]);
    let after = LogPage { after: 1, limit: 2, ..of(Stream::Audit) };
    assert_eq!(bodies(&store.log(&after).await.unwrap()), [3, 4]);
    let site = LogPage { site: Some("north".to_owned()), ..of(Stream::Audit) };
    assert_eq!(bodies(&store.log(&site).await.unwrap()), [3]);
    let tenants = |names: &[&str]| LogPage {
        tenants: Some(names.iter().map(|&name| name.to_owned()).collect()),
        ..of(Stream::Audit)
    };
    assert_eq!(bodies(&store.log(&tenants(&["a", "c"])).await.unwrap()), [1, 4, 5]);
    assert_eq!(bodies(&store.log(&tenants(&[])).await.unwrap()), [0; 0]);
}

pub async fn readers_of_a_log_that_is_written_by_many_miss_nothing(store: &dyn Store) {
    let writing = futures((0..100).map(|body| store.write(at(1), vec![entry(Stream::Alarm, "a", None, body)])));
    let reading = async {
        let mut seen = Vec::new();
        let mut ask = of(Stream::Alarm);
        while seen.len() < 100 {
            let page = store.log(&ask).await.unwrap();
            ask.after = page.last().map_or(ask.after, |entry| entry.number);
            seen.extend(bodies(&page));
        }
        seen
    };
    let (written, mut seen) = tokio::join!(writing, reading);
    assert!(written.iter().all(Result::is_ok));
    seen.sort_unstable();
    assert_eq!(seen, (0..100).collect::<Vec<_>>());
}

pub async fn old_entries_are_forgotten_and_numbers_never_used_again(store: &dyn Store) {
    for second in 1..=3 {
        let both = vec![entry(Stream::Alarm, "a", None, second), entry(Stream::Audit, "a", None, second)];
        store.write(at(i64::from(second)), both).await.unwrap();
    }
    assert_eq!(store.forget_log(Stream::Alarm, at(3)).await.unwrap(), 2);
    assert_eq!(bodies(&store.log(&of(Stream::Alarm)).await.unwrap()), [3]);
    assert_eq!(bodies(&store.log(&of(Stream::Audit)).await.unwrap()), [1, 2, 3]);
    store.forget_log(Stream::Alarm, at(9)).await.unwrap();
    store.forget_log(Stream::Audit, at(9)).await.unwrap();
    store.write(at(10), vec![entry(Stream::Alarm, "a", None, 10)]).await.unwrap();
    assert_eq!(store.log(&of(Stream::Alarm)).await.unwrap()[0].number, 7);
}
