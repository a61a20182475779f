//! Documents.

use serde_json::json;

use super::{at, put, vehicle};
use crate::store::{Change, Document, Expect, Fault, Key, Kind, List, Page, Store};

pub async fn versions_count_up_and_stay_readable(store: &dyn Store) {
    let key = vehicle("depot", "van 1");
    assert_eq!(store.read(&key, None).await.unwrap(), None);
    for (second, capacity) in [(10, 60), (20, 60), (30, 75)] {
        let written = store.write(at(second), vec![put(key.clone(), json!({ "kwh": capacity }))]).await.unwrap();
        assert_eq!(written[0].key, key);
        assert_eq!(written[0].version, u64::try_from(second / 10).unwrap());
    }
    let third = Document { key: key.clone(), version: 3, at: at(30), body: Some(json!({ "kwh": 75 })) };
    let second = Document { key: key.clone(), version: 2, at: at(20), body: Some(json!({ "kwh": 60 })) };
    assert_eq!(store.read(&key, None).await.unwrap(), Some(third.clone()));
    assert_eq!(store.read(&key, Some(at(30))).await.unwrap(), Some(third.clone()));
    assert_eq!(store.read(&key, Some(at(29))).await.unwrap(), Some(second.clone()));
    assert_eq!(store.read(&key, Some(at(9))).await.unwrap(), None);
    assert_eq!(store.history(&key, None, 2).await.unwrap(), [third, second.clone()]);
    let rest: Vec<u64> = store.history(&key, Some(3), 9).await.unwrap().iter().map(|old| old.version).collect();
    assert_eq!(rest, [2, 1]);
    assert_eq!(store.read(&vehicle("depot", "van 2"), None).await.unwrap(), None);
    assert_eq!(store.read(&vehicle("other", "van 1"), None).await.unwrap(), None);
}

pub async fn a_version_that_is_not_the_expected_one_is_a_conflict_and_nothing_is_written(store: &dyn Store) {
    let key = vehicle("depot", "van");
    let other = vehicle("depot", "other");
    let attempt = |expect| {
        store.write(at(5), vec![put(other.clone(), json!(1)), Change::Put { key: key.clone(), body: json!(2), expect }])
    };
    let conflict = |found| Err(Fault::Conflict { key: key.clone(), found });
    assert_eq!(attempt(Expect::Version(1)).await, conflict(None));
    assert_eq!(store.read(&other, None).await.unwrap(), None, "the change before the conflict was not made either");
    attempt(Expect::Absent).await.unwrap();
    assert_eq!(attempt(Expect::Absent).await, conflict(Some(1)));
    assert_eq!(attempt(Expect::Version(2)).await, conflict(Some(1)));
    let written = attempt(Expect::Version(1)).await.unwrap();
    assert_eq!(written.iter().map(|written| written.version).collect::<Vec<_>>(), [2, 2]);

    let delete = |expect| store.write(at(6), vec![Change::Delete { key: key.clone(), expect }]);
    assert_eq!(delete(Expect::Version(1)).await, conflict(Some(2)));
    assert_eq!(delete(Expect::Version(2)).await.unwrap()[0].version, 3);
    assert_eq!(delete(Expect::Version(3)).await, conflict(None), "what is deleted is in no version");
    assert_eq!(delete(Expect::Any).await.unwrap()[0].version, 3, "nothing happened");
    assert_eq!(attempt(Expect::Version(3)).await, conflict(None));
    assert_eq!(attempt(Expect::Absent).await.unwrap()[1].version, 4, "it goes on counting");
}

pub async fn deleted_documents_are_gone_now_and_there_as_of_then(store: &dyn Store) {
    let key = vehicle("depot", "van");
    store.write(at(1), vec![put(key.clone(), json!("first"))]).await.unwrap();
    store.write(at(2), vec![Change::Delete { key: key.clone(), expect: Expect::Any }]).await.unwrap();
    assert_eq!(store.read(&key, None).await.unwrap(), None);
    assert_eq!(store.list(&List::of(Kind::Vehicle, "depot")).await.unwrap().items, []);
    let then = store.read(&key, Some(at(1))).await.unwrap().unwrap();
    assert_eq!((then.version, then.body), (1, Some(json!("first"))));
    assert_eq!(store.read(&key, Some(at(2))).await.unwrap(), None);
    let all = store.history(&key, None, 9).await.unwrap();
    assert_eq!(all.iter().map(|version| version.body.clone()).collect::<Vec<_>>(), [None, Some(json!("first"))]);

    // Put and deleted and put in one go.
    let both = vec![
        put(key.clone(), json!("second")),
        Change::Delete { key: key.clone(), expect: Expect::Version(3) },
        Change::Put { key: key.clone(), body: json!("third"), expect: Expect::Absent },
    ];
    let written = store.write(at(3), both).await.unwrap();
    assert_eq!(written.iter().map(|written| written.version).collect::<Vec<_>>(), [3, 4, 5]);
    assert_eq!(store.read(&key, Some(at(3))).await.unwrap().unwrap().body, Some(json!("third")));
}

pub async fn erased_documents_leave_nothing(store: &dyn Store) {
    let key = Key::new(Kind::User, "tenant", "somebody");
    let other = Key::new(Kind::User, "tenant", "somebody else");
    store.write(at(1), vec![put(key.clone(), json!(1)), put(other.clone(), json!(1))]).await.unwrap();
    store.write(at(2), vec![put(key.clone(), json!(2))]).await.unwrap();
    store.write(at(3), vec![Change::Erase(key.clone())]).await.unwrap();
    assert_eq!(store.read(&key, Some(at(1))).await.unwrap(), None);
    assert_eq!(store.history(&key, None, 9).await.unwrap(), []);
    assert!(store.read(&other, None).await.unwrap().is_some());
    assert_eq!(store.write(at(4), vec![put(key.clone(), json!(3))]).await.unwrap()[0].version, 1);
    // Erased between two puts of one batch.
    let batch = vec![put(key.clone(), json!(4)), Change::Erase(key.clone()), put(key.clone(), json!(5))];
    let written = store.write(at(5), batch).await.unwrap();
    assert_eq!(written.iter().map(|written| written.version).collect::<Vec<_>>(), [2, 1]);
    let all = store.history(&key, None, 9).await.unwrap();
    assert_eq!(
        all.into_iter().map(|version| (version.version, version.body)).collect::<Vec<_>>(),
        [(1, Some(json!(5)))]
    );
}

fn named(page: &Page<Document>) -> Vec<(&str, &str)> {
    page.items.iter().map(|document| (document.key.owner.as_str(), document.key.id.as_str())).collect()
}

pub async fn lists_go_by_owner_and_id_in_pages(store: &dyn Store) {
    // By bytes: capitals before small letters, accents after both; `_` and `%` are letters like any other.
    let ids = ["A", "Z", "a", "a%b", "a_b", "ab", "b", "é"];
    let mut changes: Vec<Change> = Vec::new();
    for site in ["south", "north", "north-2"] {
        changes.extend(ids.iter().rev().map(|id| put(vehicle(site, id), json!(id))));
    }
    changes.push(put(Key::new(Kind::Roster, "north", "a"), json!("another kind")));
    store.write(at(1), changes).await.unwrap();

    let north = store.list(&List::of(Kind::Vehicle, "north")).await.unwrap();
    assert_eq!(named(&north), ids.map(|id| ("north", id)));
    assert!(!north.more);
    assert_eq!(north.items[3].body, Some(json!("a%b")));

    let begins = List { prefix: "a".to_owned(), ..List::of(Kind::Vehicle, "north") };
    assert_eq!(named(&store.list(&begins).await.unwrap()), ["a", "a%b", "a_b", "ab"].map(|id| ("north", id)));
    let begins = List { prefix: "a_".to_owned(), ..begins };
    assert_eq!(named(&store.list(&begins).await.unwrap()), [("north", "a_b")]);
    let begins = List { prefix: "é".to_owned(), ..begins };
    assert_eq!(named(&store.list(&begins).await.unwrap()), [("north", "é")]);

    let all = named(&store.list(&List::all(Kind::Vehicle)).await.unwrap()).len();
    assert_eq!(all, 24);
    for owners in [None, Some(vec!["south".to_owned(), "north".to_owned()])] {
        let mut seen = Vec::new();
        let mut ask = List { owners: owners.clone(), limit: 5, ..List::all(Kind::Vehicle) };
        loop {
            let page = store.list(&ask).await.unwrap();
            let last = page.items.last().unwrap().key.clone();
            seen.extend(named(&page).into_iter().map(|(owner, id)| (owner.to_owned(), id.to_owned())));
            if !page.more {
                break;
            }
            assert_eq!(page.items.len(), 5);
            ask.after = Some((last.owner, last.id));
        }
        let expected: Vec<_> = ["north", "north-2", "south"]
            .into_iter()
            .filter(|site| owners.as_ref().is_none_or(|owners| owners.iter().any(|owner| owner == site)))
            .flat_map(|site| ids.map(|id| (site.to_owned(), id.to_owned())))
            .collect();
        assert_eq!(seen, expected);
    }
    let nobody = List { owners: Some(Vec::new()), ..List::all(Kind::Vehicle) };
    assert_eq!(store.list(&nobody).await.unwrap().items, []);
    let exact = store.list(&List { limit: 24, ..List::all(Kind::Vehicle) }).await.unwrap();
    assert!(!exact.more && exact.items.len() == 24);
}

pub async fn lists_can_be_asked_as_of_an_instant(store: &dyn Store) {
    let (first, second, third) = (vehicle("depot", "1"), vehicle("depot", "2"), vehicle("depot", "3"));
    store.write(at(10), vec![put(first.clone(), json!("old")), put(second.clone(), json!("old"))]).await.unwrap();
    let changes =
        vec![put(first, json!("new")), Change::Delete { key: second, expect: Expect::Any }, put(third, json!("new"))];
    store.write(at(20), changes).await.unwrap();
    let as_of = async |second| {
        let ask = List { as_of: Some(at(second)), ..List::of(Kind::Vehicle, "depot") };
        let page = store.list(&ask).await.unwrap();
        page.items.into_iter().map(|item| (item.key.id, item.version, item.body.unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(as_of(9).await, []);
    assert_eq!(as_of(19).await, [("1".to_owned(), 1, json!("old")), ("2".to_owned(), 1, json!("old"))]);
    assert_eq!(as_of(20).await, [("1".to_owned(), 2, json!("new")), ("3".to_owned(), 1, json!("new"))]);
}

pub async fn one_of_many_at_once_wins(store: &dyn Store) {
    let key = vehicle("depot", "van");
    let change = |number: i32, expect| vec![Change::Put { key: key.clone(), body: json!(number), expect }];
    let racing = (0..20).map(|number| store.write(at(1), change(number, Expect::Absent)));
    let ended = futures(racing).await;
    assert_eq!(ended.iter().filter(|ended| ended.is_ok()).count(), 1);
    assert!(ended.iter().all(|ended| matches!(ended, Ok(_) | Err(Fault::Conflict { found: Some(1), .. }))));
    let unconditional = futures((0..20).map(|number| store.write(at(2), change(number, Expect::Any)))).await;
    let mut versions: Vec<u64> = unconditional.into_iter().map(|ended| ended.unwrap()[0].version).collect();
    versions.sort_unstable();
    assert_eq!(versions, (2..22).collect::<Vec<_>>());
}

/// All of them at once.
pub async fn futures<F: Future>(all: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = all.into_iter().map(|one| (Box::pin(one), None)).collect();
    std::future::poll_fn(move |context| {
        let mut is_ready = true;
        for (one, output) in &mut waiting {
            if output.is_none() {
                match one.as_mut().poll(context) {
                    std::task::Poll::Ready(ended) => *output = Some(ended),
                    std::task::Poll::Pending => is_ready = false,
                }
            }
        }
        if !is_ready {
            return std::task::Poll::Pending;
        }
        std::task::Poll::Ready(waiting.iter_mut().filter_map(|(_, output)| output.take()).collect())
    })
    .await
}

pub async fn an_answered_request_is_not_done_again(store: &dyn Store) {
    let key = vehicle("depot", "van");
    let request = |second, name: &str| {
        let remember = Change::Remember {
            name: name.to_owned(),
            request: "hash".to_owned(),
            answer: Some(json!({ "status": 201 })),
            until: at(100),
        };
        store.write(at(second), vec![put(key.clone(), json!(second)), remember])
    };
    assert_eq!(store.recall("key/1", at(0)).await.unwrap(), None);
    request(1, "key/1").await.unwrap();
    let recalled = Some(("hash".to_owned(), Some(json!({ "status": 201 }))));
    assert_eq!(store.recall("key/1", at(99)).await.unwrap(), recalled);
    assert_eq!(store.recall("key/2", at(99)).await.unwrap(), None);
    assert_eq!(request(2, "key/1").await, Err(Fault::Repeated("key/1".to_owned())));
    assert_eq!(store.read(&key, None).await.unwrap().unwrap().version, 1, "nothing was written again");
    request(3, "key/2").await.unwrap();

    let racing = futures((0..10).map(|_| request(4, "key/3"))).await;
    assert_eq!(racing.iter().filter(|ended| ended.is_ok()).count(), 1);

    assert_eq!(store.recall("key/1", at(100)).await.unwrap(), None, "it has run out");
    request(100, "key/1").await.unwrap();
    assert_eq!(store.forget_answers(at(100)).await.unwrap(), 3);
}

pub async fn an_answer_may_follow_what_was_done(store: &dyn Store) {
    let remember = |request: &str, answer: Option<i32>| Change::Remember {
        name: "key/1".to_owned(),
        request: request.to_owned(),
        answer: answer.map(|answer| json!(answer)),
        until: at(100),
    };
    let repeated = Err(Fault::Repeated("key/1".to_owned()));
    store.write(at(1), vec![put(vehicle("depot", "van"), json!(1)), remember("hash", None)]).await.unwrap();
    assert_eq!(store.recall("key/1", at(2)).await.unwrap(), Some(("hash".to_owned(), None)));
    assert_eq!(store.write(at(2), vec![remember("hash", None)]).await, repeated, "it is not done twice");
    assert_eq!(store.write(at(2), vec![remember("other", Some(2))]).await, repeated, "another request");
    store.write(at(2), vec![remember("hash", Some(201))]).await.unwrap();
    assert_eq!(store.recall("key/1", at(3)).await.unwrap(), Some(("hash".to_owned(), Some(json!(201)))));
    assert_eq!(store.write(at(3), vec![remember("hash", Some(500))]).await, repeated, "it is answered");
}

pub async fn old_versions_can_be_forgotten(store: &dyn Store) {
    let held = Key::new(Kind::Held, "depot", "Station 1");
    for second in 1..=5 {
        store.write(at(second), vec![put(held.clone(), json!(second))]).await.unwrap();
    }
    store.write(at(1), vec![put(vehicle("depot", "van"), json!(1))]).await.unwrap();
    store.write(at(2), vec![put(vehicle("depot", "van"), json!(2))]).await.unwrap();
    // Versions 1 and 2 were superseded before second 4; version 3 was in force until then.
    assert_eq!(store.forget_versions(Kind::Held, at(4)).await.unwrap(), 2);
    let left: Vec<u64> = store.history(&held, None, 9).await.unwrap().iter().map(|old| old.version).collect();
    assert_eq!(left, [5, 4, 3]);
    assert_eq!(store.forget_versions(Kind::Held, at(1000)).await.unwrap(), 2);
    assert_eq!(store.read(&held, None).await.unwrap().unwrap().version, 5);
    assert_eq!(store.history(&vehicle("depot", "van"), None, 9).await.unwrap().len(), 2, "another kind");
}

pub async fn any_text_and_number_comes_back(store: &dyn Store) {
    let body = json!({
        "text": "quote ' double \" backslash \\ line\nnul \u{0} emoji 🚐 {}$1",
        "numbers": [0.1, -0.0, 1e-300, f64::MAX, i64::MIN, u64::MAX, 230.000_000_000_000_03],
        "": null,
    });
    let key = vehicle("o'wner; DROP TABLE document --", "id \" $1 🚐");
    store.write(at(1), vec![put(key.clone(), body.clone())]).await.unwrap();
    assert_eq!(store.read(&key, None).await.unwrap().unwrap().body, Some(body));
}
