//! API keys.

use chrono::{TimeDelta, Utc};
use secrecy::ExposeSecret;
use serde_json::json;

use super::World;
use crate::access::role::Permission;
use crate::access::token;

#[tokio::test]
async fn a_key_is_shown_once_and_kept_as_a_hash() {
    let world = World::new().await;
    let admin = world.set_up().await;
    let made = world
        .post("/v1/keys", &admin, json!({"name": "scada", "scopes": [{"role": "service", "tenant": "main"}]}))
        .await;
    assert_eq!((made.status.as_u16(), made.headers["cache-control"].to_str().unwrap()), (201, "no-store"));
    let (id, key) = (made.text("id"), made.text("key"));
    assert_eq!(made.headers["location"], format!("/v1/keys/{id}"));
    assert!(key.starts_with(&format!("kw_{id}_")) && key.len() == 3 + 32 + 1 + 43, "{key}");
    let secret = key.splitn(3, '_').nth(2).unwrap().to_owned();
    let list = world.get("/v1/keys", &admin).await;
    assert_eq!(list.body["items"].as_array().unwrap().len(), 1);
    assert!(!list.body.to_string().contains(&secret));
    assert!(list.body["items"][0]["used"].is_null());
    assert!(!world.all_kept().await.contains(&secret));
    // Its first use is noted.
    assert_eq!(world.get("/v1/me", &key).await.status, 200);
    let read = world.get(&format!("/v1/keys/{id}"), &admin).await;
    let used: chrono::DateTime<Utc> = serde_json::from_value(read.body["used"].clone()).unwrap();
    assert!((Utc::now() - used).abs() < TimeDelta::minutes(5));
}

#[tokio::test]
async fn a_key_is_not_shown_again_to_who_sends_the_request_again() {
    let world = World::new().await;
    let admin = world.set_up().await;
    let make = || {
        let request = world.client.post(format!("{}/v1/keys", world.url)).bearer_auth(&admin);
        let body = json!({"name": "once", "scopes": [{"role": "viewer", "tenant": "main"}]});
        let request = request.header("idempotency-key", "5d1c").json(&body);
        async move { request.send().await.unwrap() }
    };
    let first = make().await;
    assert_eq!(first.status(), 201);
    let key = first.json::<serde_json::Value>().await.unwrap()["key"].as_str().unwrap().to_owned();
    let second = make().await;
    assert_eq!(second.status(), 409);
    assert!(!second.text().await.unwrap().contains(&key));
    assert_eq!(world.get("/v1/keys", &admin).await.body["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_deleted_key_works_no_longer_at_once() {
    let world = World::new().await;
    let admin = world.set_up().await;
    let key = world.key(&admin, "main", json!({"role": "viewer", "tenant": "main"})).await;
    assert_eq!(world.get("/v1/me", &key).await.status, 200);
    let id = key.split('_').nth(1).unwrap().to_owned();
    assert_eq!(world.delete(&format!("/v1/keys/{id}"), &admin).await.status, 204);
    assert_eq!(world.get("/v1/me", &key).await.status, 401);
    assert_eq!(world.delete(&format!("/v1/keys/{id}"), &admin).await.status, 404);
}

#[tokio::test]
async fn a_key_ends_in_its_time() {
    let world = World::new().await;
    let admin = world.set_up().await;
    let until = Utc::now() + TimeDelta::hours(1);
    let body = json!({"name": "for a day", "scopes": [{"role": "viewer", "tenant": "main"}], "until": until});
    let key = world.post("/v1/keys", &admin, body).await.text("key");
    let shown = token::read(&key).unwrap();
    let at = |time| super::super::authenticate::authenticate(&world.service, &shown, time);
    assert!(at(until - TimeDelta::seconds(1)).await.unwrap().is_some());
    assert!(at(until).await.unwrap().is_none());
    let past =
        json!({"name": "late", "scopes": [{"role": "viewer", "tenant": "main"}], "until": "2020-01-01T00:00:00Z"});
    assert_eq!(world.post("/v1/keys", &admin, past).await.status, 422);
}

#[tokio::test]
async fn nobody_gives_more_than_they_administer() {
    let world = World::new().await;
    let admin = world.set_up().await;
    world.tenant(&admin, "acme", "main").await;
    world.tenant(&admin, "other", "main").await;
    world.site("depot", "other").await;
    let acme = world.key(&admin, "acme", json!({"role": "admin", "tenant": "acme"})).await;
    for (scope, field) in [
        (json!({"role": "viewer", "tenant": "main"}), "scopes[0].tenant"),
        (json!({"role": "viewer", "tenant": "other"}), "scopes[0].tenant"),
        (json!({"role": "viewer", "site": "depot"}), "scopes[0].site"),
        (json!({"role": "viewer"}), "scopes[0]"),
    ] {
        let answer = world.post("/v1/keys", &acme, json!({"name": "more", "scopes": [scope]})).await;
        assert_eq!(
            (answer.status.as_u16(), answer.body["errors"][0]["field"].as_str()),
            (422, Some(field)),
            "{answer:?}"
        );
    }
    let elsewhere = json!({"name": "more", "tenant": "main", "scopes": [{"role": "viewer", "tenant": "acme"}]});
    assert_eq!(world.post("/v1/keys", &acme, elsewhere).await.status, 404);
    for role in ["viewer", "analyst", "operator", "installer", "driver", "service"] {
        let key = world.key(&admin, "acme", json!({"role": role, "tenant": "acme"})).await;
        let answer =
            world.post("/v1/keys", &key, json!({"name": "x", "scopes": [{"role": role, "tenant": "acme"}]})).await;
        assert_eq!(answer.status, 403, "{role}");
        assert_eq!(world.get("/v1/keys", &key).await.status, 403, "{role}");
        assert_eq!(world.get("/v1/users", &key).await.status, 403, "{role}");
    }
}

#[tokio::test]
async fn a_key_of_one_site_reaches_that_site_alone() {
    let world = World::new().await;
    let admin = world.set_up().await;
    world.site("north", "main").await;
    world.site("south", "main").await;
    let key = world.key(&admin, "main", json!({"role": "operator", "site": "north"})).await;
    assert_eq!(world.may(&key, "north", Permission::Operate).await, 200);
    assert_eq!(world.may(&key, "north", Permission::Install).await, 403);
    assert_eq!(world.may(&key, "south", Permission::See).await, 404);
    assert_eq!(world.may(&key, "nowhere", Permission::See).await, 404);
}

#[tokio::test]
async fn the_audit_log_names_the_key_and_the_versions() {
    let world = World::new().await;
    let (_, _) = crate::access::first::demo(&world.service, Utc::now()).await.unwrap();
    let demo = std::fs::read_to_string(world.folder.path().join(crate::access::first::DEMO_KEY)).unwrap();
    let id = demo.split('_').nth(1).unwrap().to_owned();
    world.tenant(demo.trim(), "acme", "main").await;
    world.patch("/v1/tenants/acme", demo.trim(), json!({"name": "Acme"})).await;
    let audit = world.audit().await;
    let of_key = |action: &str, more: &str| {
        let text = format!("\"action\":\"{action}\"");
        audit.lines().any(|line| {
            line.contains(&text)
                && line.contains("\"id\":\"acme\"")
                && line.contains(&format!("key/{id}"))
                && line.contains(more)
        })
    };
    assert!(of_key("create", "\"to_version\":1"), "{audit}");
    assert!(of_key("change", "\"from_version\":1"), "{audit}");
    assert!(!audit.contains(token::secret().unwrap().expose_secret()) && !audit.contains(demo.trim()));
}
