//! Cards: their numbers come in, and never out again.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::bench::Bench;
use crate::resource::session::{Card, KeptSession, Session};
use crate::store::{Change, Expect, Key, Kind};

const TAGS: &str = "/v1/sites/depot/tags";
const NUMBER: &str = "04D1A9F3C25E80";

#[tokio::test]
async fn a_number_is_neither_read_nor_kept_and_written_otherwise_it_is_the_same() {
    let bench = Bench::with_depot().await;
    let tag = json!({ "tag": NUMBER, "label": "Van 12", "cost_centre": "4711" });
    let made = bench.json("POST", TAGS, tag).await.expect(StatusCode::CREATED);
    let id = made.json()["id"].as_str().expect("an id").to_owned();
    assert_eq!(made.header("location"), format!("{TAGS}/{id}"));
    assert_eq!((&made.json()["last"], &made.json()["label"]), (&json!("80"), &json!("Van 12")));
    // The same card in other letters is changed, not made.
    let again = json!({ "tag": "04:d1:a9:f3:c2:5e:80", "label": "Van 13" });
    let again =
        bench.send("POST", TAGS, &[("content-type", "application/json"), ("idempotency-key", "k")], again.to_string());
    let again = again.await.expect(StatusCode::OK).json();
    assert_eq!((&again["id"], &again["label"], &again["cost_centre"]), (&json!(id), &json!("Van 13"), &Value::Null));
    let path = format!("{TAGS}/{id}");
    let listed = bench.get(TAGS).await.expect(StatusCode::OK);
    let read = bench.get(&path).await.expect(StatusCode::OK);
    let audit = bench.get("/v1/audit").await.expect(StatusCode::OK);
    for answer in [&made, &listed, &read, &audit] {
        assert!(!answer.text.to_uppercase().contains(&NUMBER[..10]), "{}", answer.text);
    }
    let put = bench.send("PUT", &path, &[("content-type", "application/json"), ("if-match", "\"1\"")], "{}").await;
    put.expect(StatusCode::PRECONDITION_FAILED);
    let blocked = bench.json("PUT", &path, json!({ "blocked": true })).await.expect(StatusCode::OK).json();
    assert_eq!((&blocked["blocked"], &blocked["last"], blocked.get("label")), (&json!(true), &json!("80"), None));
    // Nothing in the folder holds it, in the database or beside it.
    let unkeyed = crate::access::token::hex(&crate::access::token::hash(NUMBER));
    for file in std::fs::read_dir(&bench.service.config.data).expect("a folder").filter_map(Result::ok) {
        let bytes = std::fs::read(file.path()).unwrap_or_default();
        for secret in [NUMBER, &unkeyed, "04:d1:a9"] {
            let there = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!there, "{}", file.path().display());
        }
    }
}

#[tokio::test]
async fn who_may_charge_is_said_or_follows_from_the_cards() {
    let bench = Bench::with_depot().await;
    let path = "/v1/sites/depot/authorisation";
    let everyone = async || bench.get(path).await.expect(StatusCode::OK).json()["everyone"].clone();
    assert_eq!(everyone().await, true);
    let made = bench.json("POST", TAGS, json!({ "tag": NUMBER })).await.expect(StatusCode::CREATED).json();
    assert_eq!(everyone().await, false);
    for (said, holds) in [(json!({ "free_vend": true }), true), (json!({}), false)] {
        let put = bench.json("PUT", path, said).await.expect(StatusCode::OK).json();
        assert_eq!((&put["everyone"], everyone().await), (&json!(holds), json!(holds)));
    }
    let gone = format!("{TAGS}/{}", made["id"].as_str().expect("an id"));
    bench.send("DELETE", &gone, &[], "").await.expect(StatusCode::NO_CONTENT);
    assert_eq!(everyone().await, true);
    bench.json("PUT", path, json!({ "free_vend": false })).await.expect(StatusCode::OK);
    assert_eq!(everyone().await, false, "nobody has a card");
}

#[tokio::test]
async fn a_card_that_is_deleted_takes_with_it_who_had_it() {
    let bench = Bench::with_depot().await;
    let made = bench.json("POST", TAGS, json!({ "tag": NUMBER, "driver": "D-7" })).await.expect(StatusCode::CREATED);
    let id = made.json()["id"].as_str().expect("an id").to_owned();
    let key = |name: &str| Key::new(Kind::Session, "depot", name);
    let session = |tag: &str| {
        let card =
            Card { tag: Some(tag.to_owned()), driver: Some("D-7".to_owned()), cost_centre: Some("4711".to_owned()) };
        let kept = KeptSession { card: Some(card), ..KeptSession::of(Session::at("Station 1", None)) };
        serde_json::to_value(kept).expect("JSON")
    };
    let put = |name: &str, tag: &str| Change::Put { key: key(name), body: session(tag), expect: Expect::Absent };
    let now = chrono::Utc::now();
    bench.service.store.write(now, vec![put("a", &id), put("b", "another")]).await.expect("a store");
    bench.send("DELETE", &format!("{TAGS}/{id}"), &[], "").await.expect(StatusCode::NO_CONTENT);
    bench.get(&format!("{TAGS}/{id}")).await.expect(StatusCode::NOT_FOUND);
    let history = bench.service.store.history(&key("a"), None, 10).await.expect("a store");
    let cards: Vec<_> = history.iter().map(|version| version.body.as_ref().expect("a body")["card"].clone()).collect();
    assert_eq!(cards, [json!({ "cost_centre": "4711" })], "all versions");
    let other = bench.get("/v1/sites/depot/sessions/b").await.expect(StatusCode::OK).json();
    assert_eq!(other["card"]["driver"], "D-7");
    let tag = bench.service.store.history(&Key::new(Kind::Tag, "depot", &id), None, 10).await.expect("a store");
    assert_eq!(tag, [], "with its past");
}

#[tokio::test]
async fn a_table_is_taken_whole_or_not_at_all() {
    let bench = Bench::with_depot().await;
    let import = async |text: &str| {
        bench.send("POST", "/v1/sites/depot/tags/import", &[("content-type", "text/csv")], text.to_owned()).await
    };
    let wrong = import("tag;group\n04A1;\n04A2;nobody\n;\n").await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text.contains("row 3.group") && !wrong.text.contains("04A2"), "{}", wrong.text);
    assert_eq!(bench.get(TAGS).await.json()["items"], json!([]));
    let table = "tag;label;blocked\n04A1B2C3;One;no\n04A1B2C4;Two;yes\n";
    assert_eq!(import(table).await.expect(StatusCode::OK).json(), json!({ "made": 2, "changed": 0 }));
    assert_eq!(import(table).await.expect(StatusCode::OK).json(), json!({ "made": 0, "changed": 0 }));
    let table = table.replace("One", "Uno");
    assert_eq!(import(&table).await.expect(StatusCode::OK).json(), json!({ "made": 0, "changed": 1 }));
}

#[tokio::test]
async fn without_its_key_no_card_is_hashed_with_another() {
    let bench = Bench::with_depot().await;
    bench.json("POST", TAGS, json!({ "tag": NUMBER })).await.expect(StatusCode::CREATED);
    let file = bench.service.config.data.join("tags.key");
    std::fs::remove_file(&file).expect("the key");
    let (store, fresh) = (&*bench.service.store, crate::ocpp::TagKey::at(&bench.service.config.data));
    let number = crate::resource::tag::TagNumber::of(NUMBER);
    let fault = fresh.id(store, "depot", &number).await.expect_err("no key");
    assert!(fault.to_string().contains("tags.key") && !file.exists(), "{fault}");
    // One that is there is read by all alike, and differs from site to site.
    std::fs::write(&file, "0123456789012345678901234567890123456789").expect("a key");
    let one = fresh.id(store, "depot", &number).await.expect("an id");
    let two = crate::ocpp::TagKey::at(&bench.service.config.data).id(store, "depot", &number).await.expect("an id");
    assert_eq!(one, two);
    assert_ne!(one, fresh.id(store, "elsewhere", &number).await.expect("an id"));
}
