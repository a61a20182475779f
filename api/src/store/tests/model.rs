//! Random changes to documents, beside a model that is too simple to be wrong: a list of all versions.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::json;

use super::{at, vehicle};
use crate::store::{Change, Document, Expect, Fault, Key, Kind, List, Store, Written};

/// All versions of all documents.
#[derive(Clone, Default)]
struct Model(Vec<Document>);

impl Model {
    fn last(&self, key: &Key) -> Option<&Document> {
        self.0.iter().rev().find(|document| document.key == *key)
    }

    fn found(&self, key: &Key) -> Option<u64> {
        self.last(key).filter(|document| document.body.is_some()).map(|document| document.version)
    }

    fn expect(&self, key: &Key, expect: Expect) -> Result<(), Fault> {
        let found = self.found(key);
        match expect {
            Expect::Absent if found.is_some() => Err(Fault::Conflict { key: key.clone(), found }),
            Expect::Version(version) if found != Some(version) => Err(Fault::Conflict { key: key.clone(), found }),
            _ => Ok(()),
        }
    }

    fn write(&self, second: i64, changes: &[Change]) -> Result<(Model, Vec<Written>), Fault> {
        let mut next = self.clone();
        let mut written = Vec::new();
        for change in changes {
            let (key, body) = match change {
                Change::Put { key, body, expect } => {
                    next.expect(key, *expect)?;
                    (key, Some(body.clone()))
                }
                Change::Delete { key, expect } => {
                    next.expect(key, *expect)?;
                    (key, None)
                }
                Change::Erase(key) => {
                    next.0.retain(|document| document.key != *key);
                    continue;
                }
                _ => unreachable!("documents alone"),
            };
            let before = next.last(key).map_or(0, |last| last.version);
            let is_nothing = body.is_none() && next.found(key).is_none();
            let version = if is_nothing { before } else { before + 1 };
            if !is_nothing {
                next.0.push(Document { key: key.clone(), version, at: at(second), body });
            }
            written.push(Written { key: key.clone(), version });
        }
        Ok((next, written))
    }

    fn list(&self, as_of: i64) -> Vec<Document> {
        let then = Model(self.0.iter().filter(|document| document.at <= at(as_of)).cloned().collect());
        let mut keys: Vec<&Key> = then.0.iter().map(|document| &document.key).collect();
        keys.sort();
        keys.dedup();
        keys.into_iter().filter_map(|key| then.last(key)).filter(|last| last.body.is_some()).cloned().collect()
    }
}

fn change() -> impl Strategy<Value = Change> {
    let key = (0..2_u8, 0..3_u8).prop_map(|(site, id)| vehicle(&format!("site {site}"), &format!("van {id}")));
    let expect = prop_oneof![
        3 => Just(Expect::Any),
        1 => Just(Expect::Absent),
        1 => (1..4_u64).prop_map(Expect::Version),
    ];
    (key, expect, 0..10_u8, any::<u16>()).prop_map(|(key, expect, which, body)| match which {
        0 => Change::Erase(key),
        1..=3 => Change::Delete { key, expect },
        _ => Change::Put { key, body: json!(body), expect },
    })
}

pub async fn random_changes_are_as_in_a_model(store: &dyn Store) {
    // One long life rather than many short ones: making a database takes longer than filling it.
    let batches = prop::collection::vec(prop::collection::vec(change(), 1..5), 150);
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let batches = batches.new_tree(&mut runner).unwrap().current();
    let mut model = Model::default();
    let mut conflicts = 0;
    for (second, batch) in (1..).zip(batches) {
        let told = store.write(at(second), batch.clone()).await;
        match model.write(second, &batch) {
            Ok((next, written)) => {
                assert_eq!(told, Ok(written), "{batch:?}");
                model = next;
            }
            Err(conflict) => {
                assert_eq!(told, Err(conflict), "{batch:?}");
                conflicts += 1;
            }
        }
        for as_of in [second, second / 2] {
            let ask = List { as_of: Some(at(as_of)), ..List::all(Kind::Vehicle) };
            assert_eq!(store.list(&ask).await.unwrap().items, model.list(as_of), "as of {as_of}, after {batch:?}");
        }
        assert_eq!(store.list(&List::all(Kind::Vehicle)).await.unwrap().items, model.list(second));
    }
    assert!((20..130).contains(&conflicts), "the changes are no test: {conflicts} of 150 batches conflict");
}
