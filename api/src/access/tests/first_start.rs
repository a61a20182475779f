//! The first start, and the demo's.

use std::os::unix::fs::PermissionsExt as _;

use axum::http::Method;
use chrono::Utc;
use secrecy::ExposeSecret;
use serde_json::json;

use super::{EMAIL, NAME, PASSWORD, Shows, World};
use crate::access::first::{DEMO_KEY, demo, first_start};

#[tokio::test]
async fn the_link_sets_up_once_and_there_is_no_other_way_in() {
    let world = World::new().await;
    let older = first_start(&world.service, Utc::now()).await.unwrap().unwrap();
    let link = first_start(&world.service, Utc::now()).await.unwrap().unwrap();
    let ways = world.call(Method::GET, "/v1/login", Shows::Nothing, None).await;
    assert_eq!(ways.body, json!({"providers": [], "set_up": true}));
    let body =
        |token: &str, password: &str| json!({"token": token, "email": EMAIL, "name": NAME, "password": password});
    for wrong in ["", "guess", older.expose_secret()] {
        assert_eq!(world.open("/v1/setup", body(wrong, PASSWORD)).await.status, 401, "{wrong}");
    }
    // What can be mended does not use the link up.
    let short = world.open("/v1/setup", body(link.expose_secret(), "short")).await;
    assert_eq!((short.status.as_u16(), short.body["errors"][0]["field"].as_str()), (422, Some("password")));
    let made = world.open("/v1/setup", body(link.expose_secret(), PASSWORD)).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert!(made.cookie("kwartier").is_some() && made.body["ticket"].is_null());
    assert_eq!(made.headers["cache-control"], "no-store");
    assert_eq!(world.open("/v1/setup", body(link.expose_secret(), PASSWORD)).await.status, 401);
    // There is an admin now: neither a restart nor the page offers it again.
    assert!(first_start(&world.service, Utc::now()).await.unwrap().is_none());
    let ways = world.call(Method::GET, "/v1/login", Shows::Nothing, None).await;
    assert_eq!(ways.body["set_up"], false);
}

#[tokio::test]
async fn after_a_restart_everything_is_as_it_was() {
    let world = World::new().await;
    let ticket = world.set_up().await;
    let key = world.key(&ticket, "main", json!({"role": "viewer", "tenant": "main"})).await;
    let folder = world.end().await;
    let world = World::at(folder, |_| {}).await;
    assert!(first_start(&world.service, Utc::now()).await.unwrap().is_none());
    assert_eq!(world.get("/v1/me", &ticket).await.body["email"], EMAIL);
    assert_eq!(world.get("/v1/me", &key).await.status, 200);
    assert_eq!(world.log_in(EMAIL, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn the_demo_writes_a_key_that_only_its_user_may_read_and_keeps_it() {
    let world = World::new().await;
    let (file, link) = demo(&world.service, Utc::now()).await.unwrap();
    assert_eq!(file, world.folder.path().join(DEMO_KEY));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let key = std::fs::read_to_string(&file).unwrap();
    let me = world.get("/v1/me", key.trim()).await;
    assert_eq!(me.body["scopes"], json!([{"role": "admin", "tenant": "main"}]));
    // The link into the page works once, and is a login of the key.
    let login = world.open("/v1/login", json!({"link": link.expose_secret(), "carry": "bearer"})).await;
    assert_eq!(world.get("/v1/me", &login.text("ticket")).await.body["id"], me.body["id"]);
    assert_eq!(world.open("/v1/login", json!({"link": link.expose_secret()})).await.status, 401);
    // A second start keeps it; with a file that holds no key that works, there is a new one.
    let folder = world.end().await;
    let world = World::at(folder, |_| {}).await;
    demo(&world.service, Utc::now()).await.unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), key);
    std::fs::write(&file, "kw_nonsense").unwrap();
    demo(&world.service, Utc::now()).await.unwrap();
    let other = std::fs::read_to_string(&file).unwrap();
    assert_ne!(other, key);
    assert_eq!(world.get("/v1/me", other.trim()).await.status, 200);
    // With it there is an admin, and no link to set up with.
    assert!(first_start(&world.service, Utc::now()).await.unwrap().is_none());
}
