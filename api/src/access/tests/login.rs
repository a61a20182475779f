//! Logging in and out by password.

use axum::http::Method;
use chrono::{TimeDelta, Utc};
use serde_json::json;

use super::{EMAIL, PASSWORD, Shows, World};
use crate::access::token;

#[tokio::test]
async fn an_unknown_person_and_a_wrong_password_are_told_apart_by_nothing() {
    let world = World::new().await;
    let admin = world.set_up().await;
    let (id, _) = world.person(&admin, "off@depot.example", "main", json!([])).await;
    world.patch(&format!("/v1/users/{id}"), &admin, json!({"disabled": true})).await;
    let mut answers = Vec::new();
    for (email, password) in [
        (EMAIL, "wrong horse battery"),
        ("nobody@depot.example", PASSWORD),
        ("off@depot.example", PASSWORD),
        ("", PASSWORD),
    ] {
        let answer = world.log_in(email, password).await;
        assert_eq!(answer.status, 401, "{email}");
        answers.push((answer.body, answer.headers.len()));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    // Upper case and blanks are no other person.
    assert_eq!(world.log_in(" Ann@DEPOT.example ", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_cookie_alone_changes_nothing() {
    let world = World::new().await;
    world.set_up().await;
    let login = world.open("/v1/login", json!({"email": EMAIL, "password": PASSWORD})).await;
    assert_eq!(login.status, 200);
    assert!(login.body["ticket"].is_null(), "scripts must not get it: {:?}", login.body);
    let cookie = format!("kwartier={}", login.cookie("kwartier").unwrap());
    let csrf = login.text("csrf");
    let me = world.call(Method::GET, "/v1/me", Shows::Cookie(&cookie, None), None).await;
    assert_eq!((me.status.as_u16(), me.text("csrf")), (200, csrf.clone()));
    let change = |csrf| {
        let body = json!({"name": "a key", "scopes": [{"role": "viewer", "tenant": "main"}]});
        world.call(Method::POST, "/v1/keys", Shows::Cookie(&cookie, csrf), Some(body))
    };
    assert_eq!(change(None).await.status, 403);
    assert_eq!(change(Some("0123")).await.status, 403);
    assert_eq!(change(Some(&csrf)).await.status, 201);
    // With what the page sends, but from another site.
    let request = world.client.post(format!("{}/v1/logout", world.url)).header("cookie", &cookie);
    let request = request.header("kwartier-csrf", &csrf).header("origin", "https://evil.example");
    assert_eq!(request.send().await.unwrap().status(), 403);
    assert_eq!(world.call(Method::POST, "/v1/logout", Shows::Cookie(&cookie, Some(&csrf)), None).await.status, 204);
    assert_eq!(world.call(Method::GET, "/v1/me", Shows::Cookie(&cookie, None), None).await.status, 401);
}

#[tokio::test]
async fn behind_https_the_cookie_is_for_https_alone() {
    let world = World::with(|config| config.public_url = Some("https://kwartier.example".to_owned())).await;
    world.set_up().await;
    let login = world.open("/v1/login", json!({"email": EMAIL, "password": PASSWORD})).await;
    let set = login.headers["set-cookie"].to_str().unwrap();
    assert!(set.starts_with("__Host-kwartier=kt_") && set.ends_with("; HttpOnly; SameSite=Strict; Secure"), "{set}");
    let ticket = login.cookie("__Host-kwartier").unwrap();
    let me = |name: &str| {
        let cookie = format!("{name}={ticket}");
        let world = &world;
        async move { world.call(Method::GET, "/v1/me", Shows::Cookie(&cookie, None), None).await.status }
    };
    assert_eq!(me("__Host-kwartier").await, 200);
    assert_eq!(me("kwartier").await, 401, "a name that other sites of the domain can set");
}

#[tokio::test]
async fn who_tries_too_often_has_to_wait_and_others_do_not() {
    let world = World::with(|config| config.login.attempts_per_minute = 3).await;
    world.set_up().await;
    for _ in 0..3 {
        assert_eq!(world.log_in(EMAIL, "wrong horse battery").await.status, 401);
    }
    let held = world.log_in(EMAIL, PASSWORD).await;
    assert_eq!(held.status, 429);
    let wait_s: u64 = held.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait_s), "{wait_s}");
    for _ in 0..3 {
        assert_eq!(world.log_in("unknown@depot.example", PASSWORD).await.status, 401);
    }
    assert_eq!(world.log_in("unknown@depot.example", PASSWORD).await.status, 429, "as for one that is known");
    assert_eq!(world.log_in("other@depot.example", PASSWORD).await.status, 401);
}

#[tokio::test]
async fn an_address_that_tries_many_people_has_to_wait() {
    let world = World::with(|config| config.login.address_attempts_per_minute = 4).await;
    for k in 0..4 {
        assert_eq!(world.log_in(&format!("p{k}@depot.example"), PASSWORD).await.status, 401);
    }
    assert_eq!(world.log_in("p9@depot.example", PASSWORD).await.status, 429);
}

#[tokio::test]
async fn a_login_ends_in_its_time_and_what_is_left_of_it_is_swept_away() {
    let world = World::with(|config| config.login.session_hours = 2).await;
    let ticket = world.set_up().await;
    let shown = token::read(&ticket).unwrap();
    let at = |minutes| {
        let service = world.service.clone();
        let shown = shown.clone();
        async move {
            super::super::authenticate::authenticate(&service, &shown, Utc::now() + TimeDelta::minutes(minutes)).await
        }
    };
    assert!(at(119).await.unwrap().is_some());
    assert!(at(121).await.unwrap().is_none());
    assert_eq!(crate::access::sweep(&world.service, Utc::now() + TimeDelta::minutes(119)).await.unwrap(), 0);
    assert_eq!(crate::access::sweep(&world.service, Utc::now() + TimeDelta::minutes(121)).await.unwrap(), 1);
}

#[tokio::test]
async fn a_new_password_ends_the_other_logins() {
    let world = World::new().await;
    let here = world.set_up().await;
    let there = world.log_in(EMAIL, PASSWORD).await.text("ticket");
    let change = |current: &str, new: &str| {
        let body = json!({"current": current, "new": new});
        let here = here.clone();
        let world = &world;
        async move { world.call(Method::PUT, "/v1/me/password", Shows::Bearer(&here), Some(body)).await }
    };
    assert_eq!(change("wrong horse battery", "another long one").await.status, 401);
    assert_eq!(change(PASSWORD, "short").await.status, 422);
    assert_eq!(world.get("/v1/me", &there).await.status, 200);
    assert_eq!(change(PASSWORD, "another long one").await.status, 204);
    assert_eq!(world.get("/v1/me", &here).await.status, 200);
    assert_eq!(world.get("/v1/me", &there).await.status, 401);
    assert_eq!(world.log_in(EMAIL, PASSWORD).await.status, 401);
    assert_eq!(world.log_in(EMAIL, "another long one").await.status, 200);
}

#[tokio::test]
async fn what_shows_nothing_or_nonsense_is_401_with_the_scheme() {
    let world = World::new().await;
    world.set_up().await;
    let nobody = world.call(Method::GET, "/v1/me", Shows::Nothing, None).await;
    assert_eq!((nobody.status.as_u16(), nobody.headers["www-authenticate"].to_str().unwrap()), (401, "Bearer"));
    assert_eq!(nobody.headers["content-type"], "application/problem+json");
    let id = "0".repeat(32);
    for wrong in ["", "x", &format!("kw_{id}_{}", "a".repeat(43)), &format!("kt_u{id}_{}", "a".repeat(43))] {
        assert_eq!(world.get("/v1/me", wrong).await.status, 401, "{wrong}");
    }
    let request = world.client.get(format!("{}/v1/me", world.url)).header("authorization", "Basic YTpi");
    assert_eq!(request.send().await.unwrap().status(), 401);
}
