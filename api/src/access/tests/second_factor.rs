//! The second factor, from an app's side.

use chrono::{TimeDelta, Utc};
use serde_json::json;

use super::{Answer, EMAIL, PASSWORD, World};
use crate::access::totp::code_at;

async fn log_in(world: &World, code: Option<&str>) -> Answer {
    let body = json!({"email": EMAIL, "password": PASSWORD, "code": code, "carry": "bearer"});
    world.open("/v1/login", body).await
}

/// A code of a step near now. Each is taken once, so a test takes them in order: -1, 0, 1.
fn code(secret: &str, step: i32) -> String {
    code_at(secret, Utc::now() + TimeDelta::seconds(30) * step)
}

#[tokio::test]
async fn logging_in_needs_a_code_once_it_is_confirmed() {
    let world = World::new().await;
    let ticket = world.set_up().await;
    assert_eq!(world.post("/v1/me/totp", &ticket, json!({"password": "wrong horse battery"})).await.status, 401);
    let begun = world.post("/v1/me/totp", &ticket, json!({"password": PASSWORD})).await;
    assert_eq!(begun.status, 200, "{begun:?}");
    let secret = begun.text("secret");
    let url = begun.text("url");
    assert!(url.starts_with("otpauth://totp/Kwartier:ann%40depot.example?") && url.contains(&secret), "{url}");
    // Not before it has shown that it works: who mistyped it is not locked out.
    assert_eq!(log_in(&world, None).await.status, 200);
    assert_eq!(world.post("/v1/me/totp/confirm", &ticket, json!({"code": "000000x"})).await.status, 401);
    let confirmed = world.post("/v1/me/totp/confirm", &ticket, json!({"code": code(&secret, -1)})).await;
    assert_eq!(confirmed.status, 200, "{confirmed:?}");
    let recovery: Vec<String> = serde_json::from_value(confirmed.body["recovery_codes"].clone()).unwrap();
    assert_eq!(recovery.len(), 10);
    assert_eq!(world.get("/v1/me", &ticket).await.body["second_factor"], true);

    let missing = log_in(&world, None).await;
    assert_eq!((missing.status.as_u16(), missing.text("type").as_str()), (401, "/docs/problems#second-factor"));
    assert_eq!(log_in(&world, Some("123")).await.status, 401);
    let now = code(&secret, 0);
    assert_eq!(log_in(&world, Some(&now)).await.status, 200);
    assert_eq!(log_in(&world, Some(&now)).await.status, 401, "a code was taken twice");
    assert_eq!(log_in(&world, Some(&recovery[0])).await.status, 200);
    assert_eq!(log_in(&world, Some(&recovery[0])).await.status, 401, "a recovery code was taken twice");

    let kept = world.all_kept().await;
    assert!(recovery.iter().all(|code| !kept.contains(code)), "recovery codes are kept readable");
    assert_eq!(world.post("/v1/me/totp", &ticket, json!({"password": PASSWORD})).await.status, 409);
    assert_eq!(world.post("/v1/me/totp/end", &ticket, json!({"password": PASSWORD})).await.status, 204);
    assert_eq!(log_in(&world, None).await.status, 200);
}

#[tokio::test]
async fn of_two_logins_with_one_code_at_once_one_comes_in() {
    let world = World::new().await;
    let ticket = world.set_up().await;
    let secret = world.post("/v1/me/totp", &ticket, json!({"password": PASSWORD})).await.text("secret");
    world.post("/v1/me/totp/confirm", &ticket, json!({"code": code(&secret, -1)})).await;
    let now = code(&secret, 0);
    let (one, two, three) =
        tokio::join!(log_in(&world, Some(&now)), log_in(&world, Some(&now)), log_in(&world, Some(&now)));
    let mut statuses = [one, two, three].map(|answer| answer.status.as_u16());
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401, 401]);
}

#[tokio::test]
async fn an_admin_helps_who_has_lost_everything() {
    let world = World::new().await;
    let admin = world.set_up().await;
    let (id, ticket) = world.person(&admin, "bob@depot.example", "main", json!([])).await;
    let secret = world.post("/v1/me/totp", &ticket, json!({"password": PASSWORD})).await.text("secret");
    world.post("/v1/me/totp/confirm", &ticket, json!({"code": code(&secret, 0)})).await;
    assert_eq!(world.log_in("bob@depot.example", PASSWORD).await.status, 401);
    let path = format!("/v1/users/{id}/invitation");
    let invited = world.post(&path, &admin, json!({"end_second_factor": true})).await;
    assert_eq!(world.get("/v1/me", &invited.text("invitation")).await.status, 401, "an invitation is no login");
    let body = json!({"token": invited.text("invitation"), "password": "another long one", "carry": "bearer"});
    assert_eq!(world.open("/v1/setup", body.clone()).await.status, 201);
    assert_eq!(world.open("/v1/setup", body).await.status, 401, "it works once");
    assert_eq!(world.get("/v1/me", &ticket).await.status, 401, "earlier logins end");
    assert_eq!(world.log_in("bob@depot.example", "another long one").await.status, 200);
}
